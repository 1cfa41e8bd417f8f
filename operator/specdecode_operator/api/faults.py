"""Every fault of a manifest at once, where `parse` stops at the first: for people who write one offline."""

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from specdecode_operator.api.remarks import Remark, error
from specdecode_operator.api.unknown import unknown_fields
from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.api.v1alpha1.base import BrokenRules
from specdecode_operator.api.v1alpha1.resource import check_name, check_type

__all__ = ["read"]

_ROUNDS: Final = 8
"""How often what is wrong is taken out and the rest is read again."""

_FIELD: Final = re.compile(r"([a-z][A-Za-z.]*): (.*)", re.DOTALL)
"""A rule's message begins with the path below `spec`."""

Path = tuple[str | int, ...]


def read(body: Mapping[str, Any]) -> tuple[SpecDecodeDeployment | None, tuple[Remark, ...]]:
    """Return the resource in `body` without its faulty fields, and all its faults.

    The resource is None where too little is left; raises `InvalidResource` where `body` is no such resource at all.
    """
    check_type(body)
    rest = copy.deepcopy(dict(body))
    found = [error("UnknownField", path, "no such field; see kubectl explain sdd.spec") for path in _unknown(body)]
    for _ in range(_ROUNDS):
        faults = list(_faults(rest))
        found += [remark for _, remark in faults if remark not in found]
        if not faults:
            resource = SpecDecodeDeployment.model_validate(rest)
            return resource, (*found, *_name_faults(resource))
        removed = [_remove(rest, path) for path, _ in faults]
        if not all(removed):
            break
    return None, tuple(found)


def _unknown(body: Mapping[str, Any]) -> Iterator[str]:
    return (path.removeprefix("spec.") for path in unknown_fields(body))


def _name_faults(resource: SpecDecodeDeployment) -> Iterator[Remark]:
    if (message := check_name(resource)) is not None:
        yield error("InvalidField", *message.split(": ", 1))


def _faults(body: Mapping[str, Any]) -> Iterator[tuple[Path, Remark]]:
    """Yield where each fault lies, and what it is."""
    try:
        SpecDecodeDeployment.model_validate(body)
    except ValidationError as invalid:
        for entry in invalid.errors(include_url=False, include_input=False):
            yield from _entry(entry)


def _entry(entry: ErrorDetails) -> Iterator[tuple[Path, Remark]]:
    cause = entry.get("ctx", {}).get("error")
    messages = cause.messages if isinstance(cause, BrokenRules) else [entry["msg"].removeprefix("Value error, ")]
    for message in messages:
        path, text = entry["loc"], message
        if entry["type"] == "value_error" and (match := _FIELD.fullmatch(message)):
            path, text = _placed(entry["loc"], match[1].split(".")), match[2]
        yield path, error("InvalidField", _shown(path), text)


def _placed(location: Path, field: list[str]) -> Path:
    """A rule of a part that a fallback has too names it as below `spec`; put it where it stands."""
    depth = location.index(field[0]) if field[0] in location else 1
    return (*location[:depth], *field)


def _shown(path: Path) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".").removeprefix("spec.")


def _remove(body: dict[str, Any], path: Path) -> bool:
    """Take what lies at `path` out of `body`, a faulty item with its whole list; return whether something lay there."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    node: Any = body
    for part in path[:-1]:
        node = _item(node, part)
    if path and isinstance(node, dict) and path[-1] in node:
        del node[path[-1]]
        return True
    return False


def _item(node: Any, part: str | int) -> Any:  # noqa: ANN401 - any YAML value
    if isinstance(node, list) and isinstance(part, int):
        return node[part]
    return node.get(part) if isinstance(node, dict) else None
