"""What pre-flight refuses at configuration time the engine refuses too, and what it passes the engine passes."""

import pytest

from contract.agreement import Contract, unclassified
from contract.differences import APART, CONFIGURATION, EXPLAINED
from contract.environments import VERSIONS
from contract.grid import grid
from contract.refusals import refusals

LEAST_LISTS = 200
CPU_IGNORES = "--enable-dbo"
"""A flag that the CPU platform switches off, and that decides on the runner elsewhere."""
FLAGS_RENDERED = frozenset(
    {
        "--custom-histogram-buckets",
        "--dtype",
        "--gpu-memory-utilization",
        "--kv-cache-dtype",
        "--max-model-len",
        "--max-num-seqs",
        "--port",
        "--quantization",
        "--revision",
        "--served-model-name",
        "--shutdown-timeout",
        "--speculative-config",
        "--tensor-parallel-size",
    }
)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_engine_that_answers_is_the_version_that_was_asked(version: str, contracts: dict[str, Contract]) -> None:
    assert contracts[version].known.version == version


@pytest.mark.parametrize("version", VERSIONS)
def test_pre_flight_and_engine_agree_or_the_difference_is_explained(
    version: str, contracts: dict[str, Contract]
) -> None:
    unexplained = [str(one) for one in contracts[version].differing if one.explanation is None]
    assert unexplained == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_engine_takes_the_model_runner_that_pre_flight_expects(
    version: str, contracts: dict[str, Contract]
) -> None:
    told = [one for one in contracts[version].compared if one.answer.ok and CPU_IGNORES not in one.question.words]
    assert [one.case.name for one in told if one.answer.runner != one.case.runner.value] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_both_directions_are_tried(version: str, contracts: dict[str, Contract]) -> None:
    compared = contracts[version].compared
    passed = sum(one.answer.ok for one in compared)
    assert passed >= LEAST_LISTS
    assert len(compared) - passed >= LEAST_LISTS


def test_no_explanation_outlives_its_difference(contracts: dict[str, Contract]) -> None:
    used = {one.explanation for contract in contracts.values() for one in contract.differing}
    assert set(EXPLAINED) <= used


@pytest.mark.parametrize("version", VERSIONS)
def test_every_code_is_the_engines_too_or_set_apart_with_a_reason(version: str) -> None:
    cases = [*grid(version), *refusals(version)]
    assert unclassified(remark for case in cases for remark in case.remarks()) == set()


def test_no_code_is_both() -> None:
    assert CONFIGURATION & set(APART) == frozenset()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_flag_that_the_renderer_makes_is_tried(version: str, contracts: dict[str, Contract]) -> None:
    tried = {word for one in contracts[version].compared for word in one.question.words if word in FLAGS_RENDERED}
    assert tried == FLAGS_RENDERED
    assert set(contracts[version].known.flags) >= FLAGS_RENDERED
