"""Questions to a real vLLM: one process a version answers them all."""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract import environments
from contract.case import Question
from devcluster.paths import home

__all__ = ["Answer", "Known", "ask"]

PROBE: Final = Path(__file__).resolve().with_name("probe.py")
STUBS: Final = PROBE.with_name("stubs")
"""Packages whose presence alone is asked for: `arctic_inference`, without which Suffix cannot be validated."""
DEADLINE: Final = 1500.0
SHOWN: Final = 2000
_ENVIRONMENT: Final = {
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
}


@dataclass(frozen=True)
class Answer:
    """What vLLM says of one command line."""

    ok: bool
    runner: str = ""
    """The model runner that it chose, `V1` or `V2`; empty where it refuses."""
    stage: str = ""
    """`parse` or `config`: where it refuses; empty where it passes, like what follows."""
    type: str = ""
    """The exception's class."""
    error: str = ""
    """The exception's first lines."""


@dataclass(frozen=True)
class Known:
    """What the parser of a version knows."""

    version: str
    flags: tuple[str, ...]


def ask(version: str, questions: Sequence[Question], scratch: Path) -> tuple[Known, dict[Question, Answer]]:
    """Return what `version` knows and its answer to each question; `scratch` is a folder for the exchange.

    Raises:
        AssertionError: the probe ended early; the message ends with what it wrote.

    """
    asked = list(dict.fromkeys(questions))
    replies, log = scratch / f"{version}.jsonl", scratch / f"{version}.log"
    payload = {"lists": [{"words": question.words, "env": dict(question.env)} for question in asked]}
    with log.open("w") as output:
        done = subprocess.run(
            [environments.python(version), PROBE, replies],
            input=json.dumps(payload),
            text=True,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_environment(version),
            cwd=scratch,
            timeout=DEADLINE,
            check=False,
        )
    assert done.returncode == 0, f"the probe of {version} ended with {done.returncode}: {log.read_text()[-SHOWN:]}"
    known, *rest = [json.loads(line) for line in replies.read_text().splitlines()]
    found = [Answer(**reply) for reply in rest]
    return Known(known["version"], tuple(known["flags"])), dict(zip(asked, found, strict=True))


def _environment(version: str) -> dict[str, str]:
    """The cache holds what vLLM finds out about its own model classes, a process for each."""
    cache = home() / "contract" / f"cache-{version}"
    return os.environ | _ENVIRONMENT | {"VLLM_CACHE_ROOT": str(cache), "PYTHONPATH": str(STUBS)}
