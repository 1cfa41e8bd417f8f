"""Record what a version of vLLM takes, from its sources: for versions that are not installed to be asked.

    python tests/contract/record.py FOLDER > tests/contract/recorded/X.Y.Z.json

FOLDER is the package `vllm` of an unpacked wheel or source archive; nothing of it is run. Standard library alone.
"""

import ast
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

__all__ = ["flags", "lines", "record"]

ARGUMENTS: Final = ("engine/arg_utils.py",)
FRONTENDS: Final = (
    "entrypoints/common/cli_args.py",
    "entrypoints/launchers/cli_args.py",
    "entrypoints/openai/cli_args.py",
    "entrypoints/serve/utils/api_utils.py",
)
SPECULATION: Final = ("config/speculative.py", "config/__init__.py", "config.py")
"""Where `SpeculativeConfig` is: since 0.11, in 0.10, and before."""
FRONTEND_CLASSES: Final = frozenset({"FrontendArgs", "BaseFrontendArgs"})
INTERNAL: Final = frozenset(
    {"target_model_config", "target_parallel_config", "draft_model_config", "draft_parallel_config"}
)
"""Fields of `SpeculativeConfig` that vLLM sets itself."""
LITERALS: Final = {
    "SpeculativeMethod": SPECULATION,
    "RejectionSampleMethod": SPECULATION,
    "DraftSampleMethod": SPECULATION,
    "CacheDType": ("config/cache.py", *SPECULATION),
    "QuantizationMethods": ("model_executor/layers/quantization/__init__.py",),
}
"""Types whose values the renderer makes, and where they are."""

Table = dict[str, list[str]]


def record(package: Path) -> Table:
    """Return the flags of the parser, the keys of `--speculative-config` and the values of some types, sorted."""
    keys = {name for tree in _trees(package, SPECULATION) for name in _fields(tree, frozenset({"SpeculativeConfig"}))}
    values = {name: sorted(_union(package, name, paths)) for name, paths in LITERALS.items()}
    return {"flags": sorted(flags(package)), "speculation": sorted(keys - INTERNAL), **values}


def flags(package: Path) -> set[str]:
    """Return the long and short flags of `vllm serve`, without the `--no-` forms."""
    found: set[str] = set()
    for tree in _trees(package, (*ARGUMENTS, *FRONTENDS)):
        found |= set(_added(tree))
        found |= {f"--{field.replace('_', '-')}" for field in _fields(tree, FRONTEND_CLASSES)}
    return found


def _trees(package: Path, names: Iterable[str]) -> list[ast.Module]:
    """Return those of the modules that the version has."""
    paths = [package / name for name in names]
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths if path.is_file()]


def _union(package: Path, name: str, paths: Iterable[str]) -> set[str]:
    return {value for tree in _trees(package, paths) for value in _values(tree, name)}


def _added(tree: ast.Module) -> Iterator[str]:
    """Yield the flags in calls of `add_argument`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument":
            yield from (text for text in map(_text, node.args) if text.startswith("-"))


def _fields(tree: ast.Module, classes: frozenset[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in classes:
            for line in node.body:
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                    yield line.target.id


def _values(tree: ast.Module, name: str) -> set[str]:
    """Return the strings of the type `name`, a `Literal` that may name others."""
    types = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if name not in types:
        return set()
    inside = list(ast.walk(types[name]))
    named = {node.id for node in inside if isinstance(node, ast.Name)} & types.keys() - {name}
    own = {text for text in map(_text, inside) if text}
    return own.union(*(_values(tree, other) for other in named))


def _text(node: ast.AST) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def lines(table: Table) -> str:
    """Return the table as JSON, one list a line."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {json.dumps(values)}" for name, values in table.items()) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(lines(record(Path(sys.argv[1]))))
