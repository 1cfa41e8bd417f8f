"""The services of the table in docs/deciding.md."""

from dataclasses import replace
from typing import Final

from montecarlo.outcome import Detection
from montecarlo.service import Service, speculating
from montecarlo.trial import Trial
from specdecode_operator.engine import Version

__all__ = ["CHANGES", "RATIOS", "STEADY", "TRIALS", "Steady"]

Steady = tuple[str, Service, float]
"""What it is called, the service, and its share of hits, which never changes."""

_NGRAM: Final = 53.0
"""The greatest design effect of acceptance in the traces of vLLM that were published with arXiv 2601.11580: n-gram."""

STEADY: Final[tuple[Steady, ...]] = (
    ("0.5 % slow, 60/min", Service(), 0.005),
    ("0.5 % slow, 300/min", Service(requests_per_minute=300), 0.005),
    ("0.5 % slow, 20/min", Service(requests_per_minute=20), 0.005),
    ("0.5 % slow, 10/min", Service(requests_per_minute=10), 0.005),
    ("0.5 % slow, 6/min", Service(requests_per_minute=6), 0.005),
    ("0.5 % slow, 60/min, correlation 5 %", Service(correlation=0.05), 0.005),
    ("0.8 % slow, 60/min", Service(), 0.008),
    ("1 % slow, 60/min: the budget itself", Service(), 0.01),
    ("acceptance 0.60, 60/min, design effect 53", speculating(60, _NGRAM), 0.6),
    ("acceptance 0.60, 10/min, design effect 53", speculating(10, _NGRAM), 0.6),
)

CHANGES: Final[tuple[tuple[str, Detection], ...]] = (
    ("0.5 % to 2 % slow, 60/min: the line itself", Detection(Service(), 0.005, 0.02)),
    ("0.5 % to 3 % slow, 60/min", Detection(Service(), 0.005, 0.03)),
    ("0.5 % to 5 % slow, 60/min", Detection(Service(), 0.005, 0.05)),
    ("0.5 % to 5 % slow, 300/min", Detection(Service(requests_per_minute=300), 0.005, 0.05)),
    ("0.5 % to 5 % slow, 20/min", Detection(Service(requests_per_minute=20), 0.005, 0.05)),
    ("0.5 % to 5 % slow, 10/min", Detection(Service(requests_per_minute=10), 0.005, 0.05)),
    ("0.5 % to 10 % slow, 60/min", Detection(Service(), 0.005, 0.1)),
    ("0.5 % to 30 % slow, 60/min", Detection(Service(), 0.005, 0.3)),
    ("acceptance 0.60 to 0.45, 60/min", Detection(speculating(60, _NGRAM), 0.6, 0.45)),
    ("acceptance 0.60 to 0.30, 60/min", Detection(speculating(60, _NGRAM), 0.6, 0.3)),
    ("acceptance 0.60 to 0.30, 10/min", Detection(speculating(10, _NGRAM), 0.6, 0.3)),
)

RATIOS: Final = (0.8, 0.95, 1.0, 1.05, 1.25)
"""True times of the candidate by those of the stable pods."""

_SERVICES: Final[tuple[tuple[str, Trial], ...]] = (
    ("60/min", Trial(1.0)),
    ("12/min", Trial(1.0, requests_per_minute=12)),
    ("60/min, three stable pods", Trial(1.0, stable_pods=3)),
    ("60/min, the coarse buckets before 0.32", Trial(1.0, version=Version.parse("0.31.0"))),
    ("60/min, correlation 30 %", Trial(1.0, correlation=0.3)),
)

TRIALS: Final[tuple[tuple[str, Trial], ...]] = tuple(
    (f"{ratio:g}, {name}", replace(trial, ratio=ratio)) for name, trial in _SERVICES for ratio in RATIOS
)
