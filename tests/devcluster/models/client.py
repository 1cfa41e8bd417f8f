"""What a client of the engine sees: completions token by token, and the engine's counters."""

import json
import time
from dataclasses import dataclass
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from devcluster.models.errors import EngineError
from devcluster.models.server import MODEL_NAME

OUTPUT_TOKENS = 48
TIMEOUT_SECONDS = 120.0
DRAFTED = "vllm:spec_decode_num_draft_tokens_total"
ACCEPTED = "vllm:spec_decode_num_accepted_tokens_total"


@dataclass(frozen=True)
class Completion:
    """The tokens of one answer, and the mean seconds between them after the first (TPOT)."""

    tokens: tuple[int, ...]
    seconds_per_token: float


@dataclass(frozen=True)
class Counters:
    """The engine's counts of draft tokens since its start; zero without speculation."""

    drafted: float
    accepted: float


def complete(client: httpx.Client, prompt: list[int]) -> Completion:
    """Have a prompt continued greedily by `OUTPUT_TOKENS` tokens.

    Raises:
        EngineError: the answer had another number of tokens.
        httpx.HTTPError: there was no answer.
    """
    tokens: list[int] = []
    times: list[float] = []
    with client.stream("POST", "/v1/completions", json=_request(prompt)) as response:
        response.raise_for_status()
        for line in response.iter_lines():
            if line.startswith("data: {"):
                times.append(time.perf_counter())
                tokens += json.loads(line.removeprefix("data: "))["choices"][0]["token_ids"]
    if len(tokens) != OUTPUT_TOKENS:
        raise EngineError(f"The engine answered with {len(tokens)} tokens where {OUTPUT_TOKENS} were asked for.")
    return Completion(tuple(tokens), (times[-1] - times[0]) / (OUTPUT_TOKENS - 1))


def counters(client: httpx.Client) -> Counters:
    """Read the engine's counters of draft tokens."""
    text = client.get("/metrics").raise_for_status().text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    drafted, accepted = (sum(s.value for s in samples if s.name == name) for name in (DRAFTED, ACCEPTED))
    return Counters(drafted, accepted)


def _request(prompt: list[int]) -> dict[str, Any]:
    return {
        "model": MODEL_NAME,
        "prompt": prompt,
        "max_tokens": OUTPUT_TOKENS,
        "temperature": 0,
        "ignore_eos": True,
        "stream": True,
        "return_token_ids": True,
    }
