"""Flags of `vllm serve` that came or went, and what the user's own flags say.

Sources: `vllm/engine/arg_utils.py` and the `cli_args.py` of the releases in `versions.READ`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from specdecode_operator.engine.versions import Span, span

__all__ = ["ALIASES", "FLAGS", "LEGACY_FLAGS", "Flags"]

FLAGS: Final[Mapping[str, Span]] = {
    "--allow-deprecated-quantization": span("0.14.0"),
    "--async-scheduling": span("0.10.0"),
    "--custom-histogram-buckets": span("0.32.0"),
    "--disable-log-requests": span(gone="0.17.0"),
    "--enable-dbo": span("0.11.0"),
    "--enable-log-requests": span("0.10.1"),
    "--enable-per-request-metrics": span("0.25.0"),
    "--enable-reasoning": span(gone="0.10.0"),
    "--guided-decoding-backend": span(gone="0.12.0"),
    "--kv-cache-memory-bytes": span("0.10.2"),
    "--kv-sharing-fast-prefill": span("0.10.1"),
    "--logits-processors": span("0.10.1"),
    "--max-cudagraph-capture-size": span("0.11.2"),
    "--max-num-queued-reqs": span("0.29.0"),
    "--max-num-queued-tokens": span("0.29.0"),
    "--max-seq-len-to-capture": span(gone="0.11.0"),
    "--num-lookahead-slots": span(gone="0.12.0"),
    "--num-scheduler-steps": span(gone="0.10.1"),
    "--per-request-spec-decode-metrics": span("0.29.0"),
    "--preemption-mode": span(gone="0.11.0"),
    "--quantization-config": span("0.22.0"),
    "--structured-outputs-config": span("0.11.0"),
    "--swap-space": span(gone="0.18.0"),
    "--task": span(gone="0.13.0"),
    "--use-v2-block-manager": span(gone="0.10.0"),
    "--watermark-config": span("0.30.0"),
}
"""Flags that some supported release does not have; an unknown flag ends vLLM with exit code 2."""

LEGACY_FLAGS: Final[Mapping[str, str]] = {
    "--speculative-model": "speculation.draft.name, or speculation.method NGram for [ngram]",
    "--speculative-model-quantization": "speculation.draft.quantization",
    "--num-speculative-tokens": "speculation.numSpeculativeTokens",
    "--speculative-draft-tensor-parallel-size": "nothing: the draft is sharded over the target's GPUs",
    "--speculative-max-model-len": "max_model_len in speculation.config",
    "--speculative-disable-by-batch-size": "speculation.batchSizeSchedule",
    "--speculative-disable-mqa-scorer": "nothing: every draft is scored in one pass",
    "--ngram-prompt-lookup-max": "speculation.promptLookup.max",
    "--ngram-prompt-lookup-min": "speculation.promptLookup.min",
    "--spec-decoding-acceptance-method": "speculation.sampling.rejection",
    "--typical-acceptance-sampler-posterior-threshold": "nothing: typical acceptance is gone",
    "--typical-acceptance-sampler-posterior-alpha": "nothing: typical acceptance is gone",
    "--disable-logprobs-during-spec-decoding": "nothing: log probabilities are returned",
}
"""Flags of 0.6 to 0.8.2 (`vllm/engine/arg_utils.py` 0.8.2), and what says the same today."""

ALIASES: Final[Mapping[str, str]] = {
    "-q": "--quantization",
    "-tp": "--tensor-parallel-size",
    "-pp": "--pipeline-parallel-size",
    "-dp": "--data-parallel-size",
    "-dpl": "--data-parallel-size-local",
    "-dpn": "--data-parallel-rank",
    "-dpr": "--data-parallel-start-rank",
    "-dpa": "--data-parallel-address",
    "-dpp": "--data-parallel-rpc-port",
    "-dpb": "--data-parallel-backend",
    "-dph": "--data-parallel-hybrid-lb",
    "-dpe": "--data-parallel-external-lb",
    "-dpm": "--data-parallel-multi-port-external-lb",
    "-dcp": "--decode-context-parallel-size",
    "-pcp": "--prefill-context-parallel-size",
    "-ep": "--enable-expert-parallel",
    "-n": "--nnodes",
    "-r": "--node-rank",
    "-asc": "--api-server-count",
    "-O": "--optimization-level",
    "-cc": "--compilation-config",
    "-ac": "--attention-config",
    "-dc": "--diffusion-config",
    "-h": "--help",
    "-sc": "--speculative-config",
    "-spec-draft-tp": "--speculative-draft-tensor-parallel-size",
    "--device-memory-utilization": "--gpu-memory-utilization",
}
"""Other spellings of the same flag."""

_MULTIPLIERS: Final = {"k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@dataclass(frozen=True)
class Flags:
    """A command line, read as vLLM reads it: `_` is `-`, `--a=b` is `--a b`, and some flags have a short form."""

    values: Mapping[str, str | None]
    """Value by long flag, dotted parts included; None for a switch."""

    @classmethod
    def read(cls, words: Iterable[str]) -> "Flags":
        """Return the flags in `words`; of two the last holds, as in vLLM."""
        return cls(dict(_pairs(list(words))))

    def on(self, flag: str) -> bool:
        """Whether the switch `flag` is given."""
        return flag in self.values

    def text(self, flag: str) -> str | None:
        """Return the value of `flag`, or None where there is none."""
        return self.values.get(flag)

    def number(self, flag: str) -> int | None:
        """Return the value of `flag` as vLLM reads numbers (`8k` is 8000, `8K` is 8192), or None."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgGtT]?)", (self.text(flag) or "").strip())
        return None if match is None else int(float(match[1]) * _MULTIPLIERS.get(match[2], 1))

    def setting(self, flag: str, key: str) -> Any:  # noqa: ANN401 - any JSON value
        """Return `key` of a flag that takes an object, as JSON or as `--flag.key value`; None where it is not there."""
        dotted = self.text(f"{flag}.{key}")
        if dotted is not None:
            return dotted
        try:
            found = json.loads(self.text(flag) or "{}")
        except ValueError:
            return None
        return found.get(key) if isinstance(found, dict) else None


def _pairs(words: list[str]) -> Iterator[tuple[str, str | None]]:
    for word, after in zip_longest(words, words[1:]):
        if not re.match(r"--?[a-zA-Z]", word):
            continue
        name, equals, value = word.partition("=")
        if equals:
            yield _long(name), value
        else:
            yield _long(name), None if after is None or re.match(r"--?[a-zA-Z]", after) else after


def _long(name: str) -> str:
    flag, dot, key = name.partition(".")
    flag = flag.replace("_", "-")
    return ALIASES.get(flag, flag) + dot + key
