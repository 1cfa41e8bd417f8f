"""Versions that are not installed: pre-flight against the flags, keys and values that their sources hold."""

from functools import cache
from pathlib import Path

import pytest

from contract import environments
from contract.agreement import Contract
from contract.case import Case
from contract.differences import TABLED, TABLED_OTHERWISE
from contract.grid import grid
from contract.record import record
from contract.recorded import VERSIONS, table
from contract.refusals import refusals
from specdecode_operator.api.remarks import Remark

Judged = tuple[Case, tuple[Remark, ...], tuple[str, ...]]


@cache
def judged(version: str) -> list[Judged]:
    """Each list with the errors of pre-flight and what the tables do not know of it."""
    cases = (*grid(version), *refusals(version))
    return [(case, case.remarks(), table(version).refusals(case.question(Path("models")))) for case in cases]


def only_the_tables_refuse(one: Judged) -> bool:
    return bool(one[2]) and not one[1]


def only_pre_flight_calls_something_unknown(one: Judged) -> bool:
    return not one[2] and any(remark.code in TABLED for remark in one[1])


@pytest.mark.parametrize("version", VERSIONS)
def test_pre_flight_and_the_recorded_tables_agree_on_what_a_version_knows(version: str, report: list[str]) -> None:
    differing = [
        one for one in judged(version) if only_the_tables_refuse(one) or only_pre_flight_calls_something_unknown(one)
    ]
    tried = len(judged(version))
    agreed = tried - len(differing)
    report.append(f"vLLM {version}, recorded: {tried} lists tried, {agreed} agreed, {len(differing)} differ by nature")
    assert [
        (case.name, remarks, unknown) for case, remarks, unknown in differing if case.name not in TABLED_OTHERWISE
    ] == []


@pytest.mark.parametrize("version", environments.VERSIONS)
def test_the_recorder_finds_the_flags_of_the_real_parser(version: str, contracts: dict[str, Contract]) -> None:
    package = next(environments.python(version).parents[1].glob("lib/python*/site-packages/vllm"))
    real = {flag for flag in contracts[version].known.flags if not flag.startswith("--no-")} - {"-h", "--help"}
    recorded = set(record(package)["flags"])
    assert recorded <= real
    assert {flag for flag in real - recorded if twin(flag) not in recorded} == set()


def twin(flag: str) -> str:
    """Return the flag that this one negates: from 0.33.0 on `--disable-x` stands beside `--enable-x`."""
    pairs = {"--disable-": "--enable-", "--enable-": "--disable-"}
    return next((flag.replace(one, other, 1) for one, other in pairs.items() if flag.startswith(one)), flag)
