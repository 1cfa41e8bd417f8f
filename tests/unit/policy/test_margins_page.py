"""The margins in docs/deciding.md are those of the code."""

import re
from pathlib import Path

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.policy.trials.comparison import _CHAIN, MARGINS, ArmVerdict
from specdecode_operator.policy.trials.looks import OPEN, looks

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "deciding.md").read_text()
SECTION = PAGE.split("## Comparing two arms\n")[1].split("\n## ")[0]


def percent(share: float) -> str:
    return f"{share * 100:g} %"


def points(share: float) -> str:
    return f"{share * 100:g} point{'' if share == 0.01 else 's'}"


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table with this first heading."""
    table = SECTION.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_the_table_of_margins() -> None:
    longer = {metric: percent(share) for metric, share in MARGINS.latency.items()}
    assert rows("margin") == [
        ["finished requests of each arm, at least", f"{MARGINS.requests:g}"],
        [
            "request rates of a pod, mean prompt and mean generation lengths: one arm's by the other's, at most",
            f"{MARGINS.match:g}",
        ],
        ["mean TPOT longer by", longer[LatencyMetric.TPOT]],
        [
            "mean TTFT longer by",
            f"{longer[LatencyMetric.TTFT]}, or {MARGINS.ttft_seconds * 1000:g} ms if that is more",
        ],
        ["mean E2E longer by", longer[LatencyMetric.E2E]],
        ["share of failed requests greater by", points(MARGINS.failed)],
        [
            "share of requests over the edge of an objective greater than",
            f"{MARGINS.slow_factor:g} times that of the stable pods and {points(MARGINS.slow_share)}",
        ],
        ["correlation of two requests in the same 30 seconds of a pod", percent(MARGINS.correlation)],
    ]


def test_the_verdicts_are_listed_in_the_order_of_the_checks() -> None:
    found = [row[0].strip("`") for row in rows("verdict")]
    assert (set(found), len(found)) == (set(ArmVerdict), len(_CHAIN) - 1)


def test_the_looks_are_those_of_ten_and_sixty_minutes() -> None:
    minutes = [f"{window / 60:g}" for window in looks(600, 3600)]
    assert f"those of {', '.join(minutes[:-1])} and {minutes[-1]} minutes" in SECTION
    assert "A look is open for a minute" in SECTION
    assert OPEN == 60


def test_every_reason_is_one_of_the_code() -> None:
    code = (
        Path(__file__).resolve().parents[3] / "operator/specdecode_operator/policy/trials/comparison.py"
    ).read_text()
    reasons = {reason for row in rows("verdict") for reason in re.findall(r"`(\w+)`", row[1])}
    made = {"TpotWorse", "TtftWorse", "E2eWorse", "TpotP99Worse", "TpotBetter", "E2eBetter"}
    assert {reason for reason in reasons - made if f'"{reason}"' not in code} == set()
