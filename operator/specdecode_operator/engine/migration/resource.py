"""A whole command line to a whole resource."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, Final

from specdecode_operator.api.errors import InvalidResource
from specdecode_operator.api.names import API_VERSION, KIND, MAX_NAME_LENGTH
from specdecode_operator.api.v1alpha1 import Engine, parse
from specdecode_operator.engine.migration.command import Command, read_command
from specdecode_operator.engine.migration.environment import environment
from specdecode_operator.engine.migration.errors import CannotMigrate, MalformedCommand
from specdecode_operator.engine.migration.options import Option, read_options
from specdecode_operator.engine.migration.pieces import Extra, Field, Finding, Key, Piece, Ranks, dropped
from specdecode_operator.engine.migration.refusal import refusal
from specdecode_operator.engine.migration.rules import has_rule, pieces
from specdecode_operator.engine.migration.speculation import Target, speculation
from specdecode_operator.engine.versions import Version

__all__ = ["DEFAULT_VERSION", "Migration", "migrate"]

DEFAULT_VERSION: Final = Engine().version
"""The version of vLLM that the pods run unless another is asked for."""

_SECTIONS: Final = ("model", "speculation", "engine", "resources", "rollout")
_CONFIG_FLAG: Final = "--speculative-config"
_SHORTHANDS: Final = frozenset({"--spec-method", "--spec-model", "--spec-tokens"})
_MOST_GPUS: Final = 64
_MOST_WORDS: Final = 64


@dataclass(frozen=True)
class Migration:
    """The resource, and what its reader has to know."""

    resource: dict[str, Any]
    """A manifest that `parse` takes."""
    findings: tuple[Finding, ...]
    """In the order of the flags."""
    fault: str | None = None
    """Why this version of vLLM cannot run the resource, in one sentence that names field and fix."""

    @property
    def losses(self) -> tuple[Finding, ...]:
        """What the command line did and the resource does not."""
        return tuple(finding for finding in self.findings if finding.lost)


def migrate(arguments: Sequence[str], *, version: str = DEFAULT_VERSION, name: str | None = None) -> Migration:
    """Return the resource for the command line in `arguments`, whose pods run vLLM `version`.

    The program, assignments before it and a shell's quoting may be there or not. `name` is the resource's own; that of
    the served model when left out. Raises `MalformedCommand` or `CannotMigrate` with one sentence.
    """
    command = read_command(arguments)
    options = list(_effective(read_options(command.words)))
    if all(option.flag != "--model" for option in options):
        raise MalformedCommand("no model is given; give it after `vllm serve` or as --model")
    found = list(_pieces(command, options, Version.parse(version)))
    resource = _manifest(found, version, name)
    findings = tuple(piece for piece in found if isinstance(piece, Finding))
    return Migration(resource, findings, _fault(resource))


def _effective(options: Sequence[Option]) -> Iterator[Option]:
    """Yield what counts: of a flag with a meaning of its own the last, as in argparse."""
    models = {option.value for option in options if option.flag == "--model"}
    if len(models) > 1:
        raise MalformedCommand("two models are given; give the target once")
    last = {option.flag: option for option in options if not option.key}
    for option in options:
        if option.key or not has_rule(option.flag) or last[option.flag] is option:
            yield option


def _pieces(command: Command, options: Sequence[Option], version: Version) -> Iterator[Piece]:
    if command.container:
        yield dropped("container", "volumes, ports and other options of the container tool are not read")
    yield from environment(command.environment)
    _check_spellings(options)
    found = [piece for option in options for piece in pieces(option, version)]
    yield from (piece for piece in found if not isinstance(piece, Key))
    fields = {piece.path: piece.value for piece in found if isinstance(piece, Field)}
    size = fields.get("engine.tensorParallelSize", 1)
    target = Target(version, size, in_folder="model.storage" in fields)
    yield from speculation(_keys(piece for piece in found if isinstance(piece, Key)), target)
    yield from _gpus(size, [piece.count for piece in found if isinstance(piece, Ranks)])


def _check_spellings(options: Sequence[Option]) -> None:
    """Refuse two ways of giving the configuration: vLLM reads one of them."""
    plain = [option for option in options if option.flag == _CONFIG_FLAG and not option.key]
    dotted = [option for option in options if option.flag == _CONFIG_FLAG and option.key]
    if plain and dotted:
        raise MalformedCommand(f"{plain[0].spelled}: given as JSON and dotted, of which vLLM reads one; write one")


def _keys(found: Iterable[Key]) -> Mapping[str, Key]:
    keys: dict[str, Key] = {}
    for key in found:
        before = keys.get(key.name)
        if before is not None and _exclusive(before.flag, key.flag):
            raise MalformedCommand(f"{key.flag}: {before.flag} gives it too; vLLM takes one of them")
        merged = _merged(before.value, key.value) if before is not None else key.value
        keys[key.name] = Key(key.name, merged, key.flag)
    return {name: key for name, key in keys.items() if key.value is not None}


def _exclusive(first: str, second: str) -> bool:
    """Whether vLLM refuses a key that both flags give."""
    return first != second and any(flag.replace("_", "-") in _SHORTHANDS for flag in (first, second))


def _merged(first: Any, second: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Dotted keys of one object come one by one."""
    if not isinstance(first, dict) or not isinstance(second, dict):
        return second
    return first | {name: _merged(first.get(name), value) for name, value in second.items()}


def _gpus(size: int, ranks: Sequence[int]) -> Iterator[Piece]:
    count = size * prod(ranks)
    if count > _MOST_GPUS:
        raise MalformedCommand(
            f"the parallel sizes ask for {count} GPUs; a pod of the resource takes up to {_MOST_GPUS}"
        )
    if count > size:
        yield Field("resources.gpu.count", count)


def _manifest(found: Sequence[Piece], version: str, name: str | None) -> dict[str, Any]:
    spec: dict[str, Any] = {section: {} for section in _SECTIONS}
    spec["engine"]["version"] = version
    for piece in found:
        if isinstance(piece, Field):
            _set(spec, piece.path.split("."), piece.value)
    words = [word for piece in found if isinstance(piece, Extra) for word in piece.words]
    if len(words) > _MOST_WORDS:
        raise CannotMigrate(
            f"engine.extraArgs takes {_MOST_WORDS} words, {len(words)} are left; bake some into the image"
        )
    spec["engine"] |= {"extraArgs": words} if words else {}
    model = spec["model"]
    if model.get("servedName") == model["name"]:
        del model["servedName"]
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": name or _slug(model.get("servedName", model["name"]))},
        "spec": {section: fields for section, fields in spec.items() if fields},
    }


def _set(node: dict[str, Any], path: Sequence[str], value: Any) -> None:  # noqa: ANN401 - any JSON value
    for part in path[:-1]:
        node = node.setdefault(part, {})
    node[path[-1]] = value


def _slug(served: str) -> str:
    """Return a name for the resource, and so for its Service: letters, digits and dashes, a letter first."""
    last = served.rstrip("/").rsplit("/", 1)[-1].lower()
    words = re.sub(r"[^a-z0-9]+", "-", last).strip("-")
    named = words if words[:1].isalpha() else f"model-{words}"
    return named[:MAX_NAME_LENGTH].strip("-")


def _fault(body: dict[str, Any]) -> str | None:
    """Return why the version cannot run the resource in `body`. Raises `MalformedCommand` where it is none."""
    try:
        spec = parse(body).spec
    except InvalidResource as error:
        raise MalformedCommand(str(error)) from None
    return refusal(spec.model, spec.speculation, spec.engine)
