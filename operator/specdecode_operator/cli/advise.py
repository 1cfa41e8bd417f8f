"""`specdecode advise`."""

import json
import sys
from collections.abc import Iterator
from typing import Final, TextIO

import click

from specdecode_operator.engine.versions import Version
from specdecode_operator.sizing import (
    GPUS,
    Advice,
    Candidate,
    Gpu,
    ModelFacts,
    Question,
    UnreadableConfig,
    find,
    find_gpu,
    from_config,
)
from specdecode_operator.sizing import advise as advice_for

__all__ = ["advise"]

_PRIORS: Final = (
    "The order is a prior, no measurement of this pair; memory is planned (docs/memory.md). Measure before you enforce:"
    " policy.mode Observe says what your traffic makes of it."
)
_COLUMNS: Final = "{:<3} {:<11} {:<12} {:>12} {:>8} {:>7}  {}"


def _version(_context: click.Context, _option: click.Parameter, value: str) -> Version:
    try:
        return Version.parse(value)
    except ValueError:
        raise click.BadParameter(f"{value} is no version; write it as 0.33.0") from None


def _gpu(_context: click.Context, _option: click.Parameter, value: str) -> Gpu:
    found = find_gpu(value)
    if found is None:
        names = ", ".join(gpu.name for gpu in GPUS)
        raise click.BadParameter(f"{value} is not in the catalog; choose one of {names}")
    return found


@click.command()
@click.option(
    "--target", required=True, metavar="MODEL", help="Hub name of the target; in the catalog, or see --config."
)
@click.option("--config", type=click.File(), help="The target's config.json, where it is in no catalog.")
@click.option("--gpu", required=True, callback=_gpu, help="Name or node label of the GPU: H100, A100-80, L40S.")
@click.option("--gpus", type=click.IntRange(1, 64), default=1, show_default=True, help="GPUs of one pod.")
@click.option("--context", type=click.IntRange(1), help="Longest request in tokens; the target's context if left out.")
@click.option("--requests", type=click.IntRange(1, 65536), default=1, show_default=True, help="Such requests at once.")
@click.option("--engine-version", callback=_version, default="0.33.0", show_default=True, help="vLLM's version.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def advise(  # noqa: PLR0913 - one argument an option
    *,
    target: str,
    config: TextIO | None,
    gpu: Gpu,
    gpus: int,
    context: int | None,
    requests: int,
    engine_version: Version,
    output: str,
) -> None:
    """Say which ways of speculating fit a target and its GPUs, best first.

    Each line has the method, how the target's weights must be held to fit, and what is left for requests: tokens of KV
    cache, requests of full length, and what speculation costs of them. The order is a prior: an EAGLE-3 head before a
    draft model, a small draft before a large one. Nothing is asked of a cluster or the hub.

    Exit status: 0 something fits, 1 nothing does, 2 the question cannot be read.

    \b
    Examples:
      specdecode advise --target meta-llama/Llama-3.1-70B-Instruct --gpu H100 --gpus 2 --context 8192
      specdecode advise --target meta-llama/Llama-3.1-8B-Instruct --gpu L40S --context 4096 --requests 32 -o json
      specdecode advise --target org/own-8b --config own-8b/config.json --gpu H100
    """  # noqa: D301 - click takes the backspace for a verbatim block
    facts = _facts(target, config)
    if facts.attention_heads % gpus:
        raise click.BadParameter(
            f"{gpus} does not divide the {facts.attention_heads} heads of {target}; try a power of 2"
        )
    question = Question(facts, gpu, gpus, engine_version, context or facts.context_length, requests)
    answer = advice_for(question)
    click.echo(_json(question, answer) if output == "json" else "\n".join(_text(question, answer)))
    sys.exit(0 if answer.candidates else 1)


def _facts(name: str, config: TextIO | None) -> ModelFacts:
    if config is None:
        found = find(name)
        if found is None:
            raise click.BadParameter(f"{name} is not in the catalog; give its config.json with --config")
        return found
    try:
        return from_config(name, json.load(config))
    except (UnreadableConfig, ValueError, RecursionError) as error:
        raise click.BadParameter(f"{config.name}: {' '.join(str(error).split())}") from None


def _json(question: Question, answer: Advice) -> str:
    body = {
        "target": question.target.name,
        "gpu": question.gpu.name,
        "gpus": question.gpus,
        "context": question.context,
        "requests": question.requests,
        "candidates": [candidate.to_dict() for candidate in answer.candidates],
        "refused": [candidate.to_dict() for candidate in answer.refused],
        "note": _PRIORS,
    }
    return json.dumps(body, indent=2)


def _text(question: Question, answer: Advice) -> Iterator[str]:
    yield (
        f"{question.target.name} on {question.gpus} x {question.gpu.name}, vLLM {question.version}, {question.requests}"
        f" request(s) of {question.context:,} tokens"
    )
    yield ""
    if answer.candidates:
        yield _COLUMNS.format("", "method", "weights", "KV tokens", "requests", "cost", "draft")
    for place, candidate in enumerate(answer.candidates, 1):
        yield from _lines(place, candidate)
    for candidate in answer.refused:
        with_draft = f" with {candidate.draft}" if candidate.draft else ""
        yield (
            f"Does not fit: {candidate.method}{with_draft}: {candidate.plan.kv_tokens:,} tokens of KV cache with"
            f" weights {candidate.weights}, {question.context * question.requests:,} needed"
        )
    yield ""
    yield _PRIORS


def _lines(place: int, candidate: Candidate) -> Iterator[str]:
    plan = candidate.plan
    yield _COLUMNS.format(
        place,
        candidate.method,
        candidate.weights,
        f"{plan.kv_tokens:,}",
        plan.full_length_requests,
        f"{plan.kv_drop_percent:.0f} %",
        candidate.draft or "-",
    )
    yield f"    why:  {candidate.reason}"
    yield f"    next: {candidate.next_step}"
