"""From vLLM's command lines, old and new, to resources.

Words become options, options become fields by a table, and fields become a manifest. Pure.
"""

from specdecode_operator.engine.migration.errors import CannotMigrate, MalformedCommand
from specdecode_operator.engine.migration.pieces import Finding
from specdecode_operator.engine.migration.resource import DEFAULT_VERSION, Migration, migrate

__all__ = ["DEFAULT_VERSION", "CannotMigrate", "Finding", "MalformedCommand", "Migration", "migrate"]
