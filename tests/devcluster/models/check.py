"""Serve the test models on one core, with speculation and without, and judge what a client measures."""

import contextlib
import dataclasses
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from devcluster.models.bounds import misses
from devcluster.models.errors import BoundError, ModelsError
from devcluster.models.measure import Prompts, Result, measure
from devcluster.models.server import FLAGS, SPECULATIVE_TOKENS, Server, serving
from devcluster.progress import step

HEADER = ("domain", "concurrency", "TPOT plain", "TPOT speculative", "ratio", "acceptance", "identical")


def check(directory: Path) -> None:
    """Measure the models in `directory`, print a table, and write `measurements.json` beside them.

    Both servers stay up, on the same core, and one of them works at a time.

    Raises:
        ModelsError: there are no models, the engine answered wrongly, or a bound is missed.
        NotReadyError: a server did not start.
    """
    directory = directory.resolve()
    prompts = _prompts(directory)
    with contextlib.ExitStack() as stack:
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        plain, speculative = (_start(stack, directory, logs, speculative=speculative) for speculative in (False, True))
        results = measure(plain, speculative, prompts)
    _write(directory / "measurements.json", plain, speculative, results)
    sys.stdout.write(f"{table(results)}\n")
    _judge(results)


def table(results: Sequence[Result]) -> str:
    """Lay the results out for a terminal."""
    rows = [
        (
            result.domain,
            str(result.concurrency),
            f"{result.plain_tpot_ms:.1f} ms",
            f"{result.speculative_tpot_ms:.1f} ms",
            f"{result.ratio:.2f}",
            f"{result.acceptance_rate:.3f}",
            f"{result.identical:.0%}",
        )
        for result in results
    ]
    return "\n".join(
        "  ".join(f"{cell:>{len(title)}}" for title, cell in zip(HEADER, row, strict=True)) for row in (HEADER, *rows)
    )


def _prompts(directory: Path) -> Prompts:
    path = directory / "prompts.json"
    if not path.is_file():
        raise ModelsError(f"There are no test models in {directory}: run `build` first.")
    prompts: Prompts = json.loads(path.read_text())
    return prompts


def _start(stack: contextlib.ExitStack, directory: Path, logs: Path, *, speculative: bool) -> Server:
    with step(f"Starting vLLM {'with' if speculative else 'without'} speculation"):
        return stack.enter_context(serving(directory, logs, speculative=speculative))


def _write(path: Path, plain: Server, speculative: Server, results: Sequence[Result]) -> None:
    measurements = {
        "flags": FLAGS,
        "num_speculative_tokens": SPECULATIVE_TOKENS,
        "start_seconds": {"plain": plain.start_seconds, "speculative": speculative.start_seconds},
        "results": [dataclasses.asdict(result) for result in results],
    }
    path.write_text(json.dumps(measurements, indent=2) + "\n")


def _judge(results: Sequence[Result]) -> None:
    sentences = [sentence for result in results for sentence in misses(result)]
    if sentences:
        raise BoundError(f"The test models do not behave as the tests need: {'; '.join(sentences)}.")
