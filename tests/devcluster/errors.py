"""What can go wrong with the development cluster."""


class DevClusterError(Exception):
    """Base of every error of this package; the message is one sentence for the person who reads it."""


class PreflightError(DevClusterError):
    """The machine lacks something that the cluster needs and that cannot be installed."""


class CommandError(DevClusterError):
    """A program that the cluster needs ended with an error."""


class NotReadyError(DevClusterError):
    """Something that was started did not become ready before its deadline."""
