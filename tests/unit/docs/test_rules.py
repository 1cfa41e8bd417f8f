"""The rules of pre-flight, counted: each code speaks of one case and is silent on another."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from specdecode_operator.api.faults import read
from specdecode_operator.api.v1alpha1 import FactsStatus
from specdecode_operator.engine import Version, other_release
from specdecode_operator.policy import ladder, with_facts_failure
from specdecode_operator.sizing import find, preflight
from support.builders import NOW, body, spec_of, stamp
from support.pairing_rows import ROWS
from support.variants import Case, found

REPOSITORY = Path(__file__).resolve().parents[3]
PAGES = {page.stem for page in (REPOSITORY / "docs" / "codes").glob("*.md")} - {"README"}
LEAST = 60
"""Rules that there are at least, each with a case that it refuses and one that it passes."""

VALUE = "ConfigValueInvalid"

Said = tuple[str, set[str], set[str]]
"""A code, the codes of a case that it speaks of, and those of a case that it is silent on."""

KNOWN: dict[str, Any] = {
    "model": {"name": "meta-llama/Llama-3.1-8B-Instruct"},
    "resources": {"gpu": {"product": "H100"}},
}
TPOT = {"objectives": [{"metric": "Tpot", "threshold": "50ms"}]}
FACTS = {
    "modelType": "llama",
    "hiddenSize": 4096,
    "layers": 32,
    "attentionHeads": 32,
    "intermediateSize": 14336,
    "vocabularySize": 128256,
    "contextLength": 8192,
}


def table(path: str) -> ModuleType:
    """Return a test module that holds a table of cases."""
    file = REPOSITORY / "tests" / "unit" / path
    spec = importlib.util.spec_from_file_location(f"rules_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_the_engine() -> Iterator[Said]:
    for name in ("drafting", "quantization", "release", "serving"):
        cases: list[Case] = table(f"engine/test_rules_{name}.py").CASES
        for case in cases:
            bad, good = ({case.code} if found(case.code, case.field, side) else set() for side in (case.bad, case.good))
            yield case.code, bad, good


def of_the_values() -> Iterator[Said]:
    module = table("engine/test_rules_drafting.py")
    for variant, name, *values in module.VALUES:
        path = f"speculation.config.{name}"
        given = (variant | module.key(**{name: value}) for value in values)
        bad, good = ({VALUE} if found(VALUE, path, fields) else set() for fields in given)
        yield VALUE, bad, good


def of_the_pair() -> Iterator[Said]:
    return ((row.code, set(row.refused.codes()), set(row.passed.codes())) for row in ROWS.values())


def of_the_memory() -> Iterator[Said]:
    module = table("sizing/test_memory_remarks.py")
    return ((code, set(module.said(**refused)), set(module.said(**passed))) for code, refused, passed in module.RULES)


def of_the_whole() -> Iterator[Said]:
    """Rules that need more than a pair or a variant: the manifest, the policy, the facts, what runs."""
    yield "UnknownField", manifest(replica=1), manifest(replicas=1)
    yield "InvalidField", manifest(replicas=-1), manifest(replicas=1)
    yield "MemoryUnknown", checked(resources={}), checked()
    yield "LatencyNotMeasured", checked(policy=TPOT, engine={"version": "0.10.2"}), checked(policy=TPOT)
    yield "FactsImpossible", checked(model=shaped(kvHeads=64)), checked(model=shaped(kvHeads=8))
    yield "FactsJobFailed", read_by_a_job("no config.json"), read_by_a_job(None)
    other, same = (other_release(Version(0, 33, 0), [running]) for running in (Version(0, 30, 0), Version(0, 33, 0)))
    yield "EngineVersionMismatch", {other.code} if other else set(), {same.code} if same else set()


def read_by_a_job(failure: str | None) -> set[str]:
    plan = with_facts_failure(None, FactsStatus(sources="a1", started_at=stamp(NOW), failure=failure))
    return {warning.code for warning in plan.warnings} if plan else set()


def shaped(**facts: Any) -> dict[str, Any]:
    return {"name": "org/target", "facts": FACTS | facts}


def manifest(**fields: Any) -> set[str]:
    return {remark.code for remark in read(body(**fields))[1]}


def checked(**fields: Any) -> set[str]:
    spec = spec_of(**{"speculation": {"method": "None"}} | KNOWN | fields)
    primary = ladder(spec).primary
    return {remark.code for remark in preflight(spec, primary.model, primary.speculation, facts=find).remarks}


@pytest.fixture(scope="module")
def said() -> list[Said]:
    return [*of_the_engine(), *of_the_values(), *of_the_pair(), *of_the_memory(), *of_the_whole()]


def test_every_rule_has_a_case_that_it_refuses_and_one_that_it_passes(said: list[Said]) -> None:
    assert [(code, bad, good) for code, bad, good in said if code not in bad or code in good] == []


def test_every_documented_rule_is_among_them(said: list[Said]) -> None:
    assert {code for code, _, _ in said} == PAGES


def test_there_are_at_least_sixty(said: list[Said]) -> None:
    assert len({code for code, _, _ in said}) >= LEAST
