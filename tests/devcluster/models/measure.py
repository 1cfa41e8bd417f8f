"""Measure a server with speculation against one without, in turns, so that other load on the machine meets both."""

import itertools
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from devcluster.models.client import TIMEOUT_SECONDS, Completion, complete, counters
from devcluster.models.errors import EngineError
from devcluster.models.server import Server
from devcluster.progress import step

ROUNDS = 7
CONCURRENCIES = (1, 4)

Prompts = Mapping[str, Sequence[list[int]]]


@dataclass(frozen=True)
class Case:
    """A domain, and the number of requests that are always in flight."""

    domain: str
    concurrency: int


@dataclass(frozen=True)
class Load:
    """The answers to one load, and the draft tokens that the engine proposed and accepted for it."""

    completions: list[Completion]
    drafted: float
    accepted: float


@dataclass(frozen=True)
class Result:
    """What one case measured.

    The milliseconds are the medians of the requests' time per output token (TPOT). `ratio` is the median of the rounds'
    ratios, with speculation to without. `acceptance_rate` is accepted to proposed draft tokens. `identical` is the
    share of answers that are the same, token by token, on both servers.
    """

    domain: str
    concurrency: int
    plain_tpot_ms: float
    speculative_tpot_ms: float
    ratio: float
    acceptance_rate: float
    identical: float


def measure(plain: Server, speculative: Server, prompts: Prompts) -> list[Result]:
    """Load both servers in turns with every case, `ROUNDS` times, and compare them.

    Raises:
        EngineError: a server gave no answer, or a wrong one.
    """
    cases = [Case(domain, concurrency) for domain in prompts for concurrency in CONCURRENCIES]
    loads: dict[tuple[Case, Server], list[Load]] = {pair: [] for pair in itertools.product(cases, (plain, speculative))}
    with step("Warming up"):
        for case, server in loads:
            _load(server, prompts[case.domain][-case.concurrency :], case.concurrency)
    for number in range(ROUNDS):
        with step(f"Measuring, round {number + 1} of {ROUNDS}"):
            for (case, server), done in loads.items():
                done.append(_load(server, _chunk(prompts, case, number), case.concurrency))
    return [_compare(case, loads[case, plain], loads[case, speculative]) for case in cases]


def _chunk(prompts: Prompts, case: Case, number: int) -> Sequence[list[int]]:
    return prompts[case.domain][number * case.concurrency : (number + 1) * case.concurrency]


def _load(server: Server, prompts: Sequence[list[int]], concurrency: int) -> Load:
    try:
        return _send(server, prompts, concurrency)
    except httpx.HTTPError as error:
        raise EngineError(f"The engine at {server.url} did not answer: {error!r}.") from error


def _send(server: Server, prompts: Sequence[list[int]], concurrency: int) -> Load:
    with httpx.Client(base_url=server.url, timeout=TIMEOUT_SECONDS) as client, ThreadPoolExecutor(concurrency) as pool:
        before = counters(client)
        completions = list(pool.map(lambda prompt: complete(client, prompt), prompts))
        after = counters(client)
    return Load(completions, after.drafted - before.drafted, after.accepted - before.accepted)


def _compare(case: Case, plain: Sequence[Load], speculative: Sequence[Load]) -> Result:
    ratios = [_tpot_ms([right]) / _tpot_ms([left]) for left, right in zip(plain, speculative, strict=True)]
    return Result(
        domain=case.domain,
        concurrency=case.concurrency,
        plain_tpot_ms=_tpot_ms(plain),
        speculative_tpot_ms=_tpot_ms(speculative),
        ratio=statistics.median(ratios),
        acceptance_rate=sum(load.accepted for load in speculative) / sum(load.drafted for load in speculative),
        identical=_identical(plain, speculative),
    )


def _tpot_ms(loads: Sequence[Load]) -> float:
    return statistics.median(1000 * answer.seconds_per_token for load in loads for answer in load.completions)


def _identical(plain: Sequence[Load], speculative: Sequence[Load]) -> float:
    """The loads of both servers had the same prompts in the same order."""
    pairs = [
        (one.tokens, other.tokens)
        for left, right in zip(plain, speculative, strict=True)
        for one, other in zip(left.completions, right.completions, strict=True)
    ]
    return sum(one == other for one, other in pairs) / len(pairs)
