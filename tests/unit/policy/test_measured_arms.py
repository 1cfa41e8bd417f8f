"""Real histograms through the comparison: vLLM 0.25.1 on one H100, an 8B-shaped target, as in docs/deciding.md.

Every server had the same requests: 256 prompt and 128 generated tokens, 1 to 256 of them in flight (to 128 beside the
draft model). The windows are taken to be ten minutes, all of whose parts are alike; of the buckets those are given that
some request ended in.
"""

import math

import pytest

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.policy import compare, summary
from specdecode_operator.policy.trials.arms import Arm, Distribution
from support.arms import batches

TPOT_EDGES = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15)
TTFT_EDGES = (0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0)
E2E_EDGES = (0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0)


def arm(requests: int, tpot: Distribution, ttft: Distribution, e2e: Distribution) -> Arm:
    return Arm(
        window=600.0,
        pods=1,
        finished={"stop": 0.0, "length": float(requests), "abort": 0.0, "error": 0.0, "repetition": 0.0},
        latency={LatencyMetric.TPOT: tpot, LatencyMetric.TTFT: ttft, LatencyMetric.E2E: e2e},
        prompt_tokens=Distribution(256.0 * requests, requests),
        generation_tokens=Distribution(128.0 * requests, requests),
    )


def histogram(total: float, edges: tuple[float, ...], *counts: int) -> Distribution:
    """Return a histogram whose counts end where all are counted."""
    filled = [*counts, *[counts[-1]] * (len(edges) + 1 - len(counts))]
    buckets = dict(zip((*edges, math.inf), map(float, filled), strict=True))
    return Distribution(total, filled[-1], buckets, batches(total, filled[-1]))


BASELINE = arm(
    896,
    histogram(13.1759, TPOT_EDGES, 146, 896),
    histogram(611.4206, TTFT_EDGES, 5, 9, 26, 34, 38, 133, 371, 550, 681, 896),
    histogram(2406.3694, E2E_EDGES, 4, 4, 4, 32, 128, 287, 384, 896),
)
EAGLE_WELL = arm(
    896,
    histogram(12.2393, TPOT_EDGES, 290, 882, 896),
    histogram(479.5431, TTFT_EDGES, 3, 20, 49, 67, 79, 244, 553, 712, 751, 896),
    histogram(2032.656, E2E_EDGES, 4, 29, 116, 135, 229, 393, 485, 896),
)
EAGLE_BADLY = arm(
    896,
    histogram(19.1176, TPOT_EDGES, 130, 520, 896),
    histogram(440.4188, TTFT_EDGES, 2, 26, 42, 76, 105, 360, 593, 718, 751, 896),
    histogram(2867.1555, E2E_EDGES, 4, 4, 25, 69, 134, 199, 318, 805, 896),
)
BASELINE_TO_128 = arm(
    384,
    histogram(3.9442, TPOT_EDGES, 180, 384),
    histogram(158.4982, TTFT_EDGES, 5, 9, 20, 27, 39, 159, 268, 300, 384),
    histogram(658.2688, E2E_EDGES, 4, 4, 4, 32, 128, 129, 384),
)
DRAFT_MODEL = arm(
    384,
    histogram(7.452, TPOT_EDGES, 13, 339, 382, 383, 383, 384),
    histogram(151.3745, TTFT_EDGES, 0, 1, 3, 14, 37, 196, 254, 315, 345, 383, 384),
    histogram(1075.3486, E2E_EDGES, 0, 1, 1, 1, 11, 78, 122, 384),
)


@pytest.mark.parametrize(
    ("candidate", "stable", "reason", "figures"),
    [
        pytest.param(
            EAGLE_WELL,
            BASELINE,
            "TpotBetter",
            "TPOT 0.93 (0.87 to 0.99), TTFT 0.78 (0.70 to 0.88), E2E 0.84 (0.79 to 0.90)",
            id="EAGLE-3 at an acceptance of 0.64",
        ),
        pytest.param(
            EAGLE_BADLY,
            BASELINE,
            "TpotWorse",
            "TPOT 1.45 (1.36 to 1.54), TTFT 0.72 (0.64 to 0.81), E2E 1.19 (1.12 to 1.27)",
            id="EAGLE-3 at an acceptance of 0.21",
        ),
        pytest.param(
            BASELINE,
            EAGLE_BADLY,
            "TpotBetter",
            "TPOT 0.69 (0.65 to 0.73), TTFT 1.39 (1.23 to 1.56), E2E 0.84 (0.79 to 0.89)",
            id="the way back from it",
        ),
        pytest.param(
            DRAFT_MODEL,
            BASELINE_TO_128,
            "TpotWorse",
            "TPOT 1.89 (1.72 to 2.08), TTFT 0.96 (0.82 to 1.11), E2E 1.63 (1.55 to 1.72)",
            id="a 1B draft model at an acceptance of 0.54",
        ),
    ],
)
def test_what_was_measured_beside_the_same_engine_without_speculation(
    candidate: Arm, stable: Arm, reason: str, figures: str
) -> None:
    found = compare(candidate, stable)
    assert (found.reason, summary(found).split(";")[0]) == (reason, figures)
