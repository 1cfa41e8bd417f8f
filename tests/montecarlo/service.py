"""Simulated counters of one service: Poisson arrivals, and requests that share their luck for half a minute."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.policy import LatencySignal
from specdecode_operator.policy.judging.signals import AcceptanceSignal

__all__ = ["ACCEPTANCE", "LATENCY", "STEP", "Counters", "Floats", "Phase", "Service", "simulate", "speculating"]

Floats = NDArray[np.float64]

STEP: Final = 15.0
"""Seconds between two evaluations (the operator's default), and the grain of the counters."""

_STEPS_A_BIN: Final = 2
"""Steps whose requests share their luck: a batch on a GPU is slow together."""

DRAFT_TOKENS: Final = 100
"""Draft tokens of one request."""

LATENCY: Final = LatencySignal("TpotP99", LatencyMetric.TPOT, 0.05, 0.01, "50ms")
ACCEPTANCE: Final = AcceptanceSignal(0.5, 0.55)


@dataclass(frozen=True)
class Service:
    """Traffic that one signal watches.

    `trials` are counted for each request: itself for a latency, its draft tokens for acceptance. `correlation` is that
    of the trials within half a minute (beta-binomial).
    """

    signal: AcceptanceSignal | LatencySignal = LATENCY
    requests_per_minute: float = 60.0
    correlation: float = 0.02
    trials: int = 1


@dataclass(frozen=True)
class Phase:
    """For `steps` evaluations, `share` (0 to 1, exclusive) of the trials are hits: slow, or accepted."""

    share: float
    steps: int


@dataclass(frozen=True)
class Counters:
    """Counters at every step, from 0 on: finished requests, trials, and hits among them. Each has steps + 1 values."""

    requests: Floats
    trials: Floats
    hits: Floats


def speculating(requests_per_minute: float, design_effect: float) -> Service:
    """Return a service whose acceptance rate varies `design_effect` times as much as that of independent tokens."""
    tokens = requests_per_minute / 60 * STEP * _STEPS_A_BIN * DRAFT_TOKENS
    correlation = (design_effect - 1) / (tokens - 1)
    return Service(ACCEPTANCE, requests_per_minute, correlation, DRAFT_TOKENS)


def simulate(rng: np.random.Generator, service: Service, phases: Sequence[Phase]) -> Counters:
    """Return the counters of `service` over all phases, one after the other."""
    steps = sum(phase.steps for phase in phases)
    requests = rng.poisson(service.requests_per_minute / 60 * STEP, steps)
    shares = np.concatenate([_luck(rng, phase, service.correlation) for phase in phases])
    trials = requests * service.trials
    return Counters(*map(_cumulative, (requests, trials, rng.binomial(trials, shares))))


def _luck(rng: np.random.Generator, phase: Phase, correlation: float) -> Floats:
    """Return each step's share of hits: constant within a bin, from a beta distribution around the phase's."""
    weight = 1 / correlation - 1
    bins = -(-phase.steps // _STEPS_A_BIN)
    shares = rng.beta(phase.share * weight, (1 - phase.share) * weight, bins)
    return np.repeat(shares, _STEPS_A_BIN)[: phase.steps]


def _cumulative(increments: NDArray[np.int64]) -> Floats:
    return np.concatenate([[0.0], np.cumsum(increments, dtype=np.float64)])
