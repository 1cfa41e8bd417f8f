"""The process around the core: kopf handlers, caches, the reconcile pipeline and the metrics loop."""

from specdecode_operator.controller.errors import ControllerError, InvalidSettings
from specdecode_operator.controller.logs import configure
from specdecode_operator.controller.runtime import run
from specdecode_operator.controller.settings import Settings, load

__all__ = ["ControllerError", "InvalidSettings", "Settings", "configure", "load", "run"]
