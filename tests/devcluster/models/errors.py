"""What can go wrong with the test models."""

from devcluster.errors import DevClusterError


class ModelsError(DevClusterError):
    """Base of this package's errors; the message is one sentence."""


class EngineError(ModelsError):
    """The engine answered with something that a check cannot use."""


class BoundError(ModelsError):
    """The models were measured and do not behave as the tests need."""
