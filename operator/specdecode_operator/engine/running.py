"""What a running server says of its own release.

`GET /version` answers `{"version": "0.33.0"}` to everybody, with `--api-key` too: in 0.33.0
`vllm/entrypoints/serve/instrumentator/basic.py`, before `vllm/entrypoints/openai/api_server.py`. No series of
`/metrics` tells it.
"""

import json
import re
from collections.abc import Iterable
from typing import Final

from specdecode_operator.api.remarks import Remark, warning
from specdecode_operator.engine.versions import Version

__all__ = ["VERSION_PATH", "other_release", "told_release"]

VERSION_PATH: Final = "/version"
"""Path on the port of the API."""

_RELEASE: Final = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})(?:rc\d+|\.post\d+)?(?:\+[\w.]+)?")


def told_release(body: bytes) -> Version | None:
    """Return the release in the body of an answer to `GET /version`, or None where it names none.

    A build from between two releases, such as `0.33.1.dev7`, is none.
    """
    try:
        text = json.loads(body)["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    found = _RELEASE.fullmatch(text) if isinstance(text, str) else None
    return None if found is None else Version(*map(int, found.groups()))


def other_release(asked: Version, running: Iterable[Version]) -> Remark | None:
    """Return a warning where any of the `running` releases is not the one that `engine.version` says."""
    others = sorted({version for version in running if version != asked})
    if not others:
        return None
    said = " and ".join(map(str, others))
    return warning(
        "EngineVersionMismatch",
        "engine.version",
        f"the running engine says {said}, engine.version {asked}; flags, metric names and bucket edges follow"
        f" engine.version, so set it to {others[-1]}, or engine.image to one of {asked}",
    )
