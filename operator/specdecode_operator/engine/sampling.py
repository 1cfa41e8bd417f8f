"""Values of `draft_sample_method` and `rejection_sample_method`, by release.

Source: the literals `DraftSampleMethod` and `RejectionSampleMethod` of `vllm/config/speculative.py` in the releases of
`versions.READ`.
"""

from collections.abc import Mapping
from typing import Final

from specdecode_operator.api.v1alpha1 import DraftSampling, Rejection
from specdecode_operator.engine.versions import Span, span

__all__ = ["DRAFT_SAMPLINGS", "REJECTIONS", "word"]

DRAFT_SAMPLINGS: Final[Mapping[str, Span]] = {
    "greedy": span("0.21.0"),
    "gumbel": span("0.21.0", "0.22.0"),
    "probabilistic": span("0.22.0"),
}
"""Before 0.21.0 there is no choice."""

REJECTIONS: Final[Mapping[str, Span]] = {
    "strict": span("0.18.0", "0.21.0"),
    "probabilistic": span("0.18.0", "0.21.0"),
    "synthetic": span("0.19.0"),
    "standard": span("0.21.0"),
    "block": span("0.25.0"),
    "fly": span("0.33.0"),
}
"""Before 0.18.0 there is no choice; up to 0.9 `acceptance_method` said something of the kind, for engine V0."""


def word(value: DraftSampling | Rejection) -> str:
    """Return vLLM's word for `value`."""
    return value.value.lower()
