"""The page on vLLM's releases says what the tables say, row by row."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from specdecode_operator.engine.flags import FLAGS, LEGACY_FLAGS
from specdecode_operator.engine.keys import KEYS, Key
from specdecode_operator.engine.methods import METHODS
from specdecode_operator.engine.metrics import SERIES
from specdecode_operator.engine.quantization import KV_CACHE_DTYPES, QUANTIZERS, Quantizer
from specdecode_operator.engine.sampling import DRAFT_SAMPLINGS, REJECTIONS
from specdecode_operator.engine.versions import NEWEST, READ, Feature, Span

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "engine-versions.md").read_text()


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def ranges(spans: Iterable[Span]) -> str:
    return "; ".join(str(span) for span in spans)


def methods() -> list[str]:
    return [
        row(
            f"`{method}`",
            f"`{found.word}`" + (f" (`{found.former[0]}` before {found.former[1]})" if found.former else ""),
            ranges(found.runs),
            str(found.v1),
            str(found.v2) if found.v2 else "never",
        )
        for method, found in METHODS.items()
    ]


def place(key: Key) -> str:
    if key.field is not None:
        return f"`{key.field}`"
    if key.refused:
        return f"refused; use `{key.instead}`"
    if key.methods is None:
        return "all"
    return ", ".join(sorted(key.methods)) or "none of ours"


def keys() -> list[str]:
    read = {name: f"; read before {key.read.gone}" if key.read else "" for name, key in KEYS.items()}
    return [row(f"`{name}`", f"{key.releases}{read[name]}", place(key)) for name, key in sorted(KEYS.items())]


def least(quantizer: Quantizer) -> str:
    return ", ".join(f"{minimum} (from {first})" for first, minimum in quantizer.capability)


def quantizers() -> list[str]:
    return [
        row(
            f"`{name}`",
            str(found.releases),
            f"{found.weights}" + (f", online: {found.online}" if found.online else ""),
            least(found),
            str(found.deprecated or ""),
            found.instead or "",
        )
        for name, found in sorted(QUANTIZERS.items())
    ]


def spans(table: Mapping[str, Span]) -> list[str]:
    return [row(f"`{name}`", str(releases)) for name, releases in table.items()]


def features() -> list[str]:
    return [row(f"`{feature.name}`", str(feature.value)) for feature in Feature]


def legacy() -> list[str]:
    return [row(f"`{flag}`", instead) for flag, instead in LEGACY_FLAGS.items()]


TABLES = {
    "methods": methods(),
    "keys": keys(),
    "draft sampling": spans(DRAFT_SAMPLINGS),
    "rejection": spans(REJECTIONS),
    "quantization": quantizers(),
    "KV cache": spans(KV_CACHE_DTYPES),
    "flags": spans(FLAGS),
    "features": features(),
    "legacy": legacy(),
    "series": spans(SERIES),
}


@pytest.mark.parametrize("name", TABLES)
def test_every_row_of_the_tables_is_on_the_page(name: str) -> None:
    assert [line for line in TABLES[name] if line not in PAGE] == []


def test_the_page_has_no_row_that_the_tables_do_not_have() -> None:
    written = [line for line in PAGE.splitlines() if line.startswith("| `")]
    assert sorted(written) == sorted(line for lines in TABLES.values() for line in lines)


def test_the_page_names_every_release_that_was_read() -> None:
    text = " ".join(PAGE.split())
    assert ", ".join(str(version) for version in READ) in text
    assert f"newer than {NEWEST}" in text
