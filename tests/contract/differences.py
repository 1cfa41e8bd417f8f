"""Which rules the engine shares at configuration time, which it cannot, and why the two still differ."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from contract.asking import Answer
from contract.case import Case
from specdecode_operator.api.remarks import Remark

__all__ = ["APART", "CONFIGURATION", "EXPLAINED", "Explanation"]

CONFIGURATION: Final = frozenset(
    {
        "AdaptiveVerificationConflict",
        "BatchedTokensTooFew",
        "ConfigKeyRefused",
        "ConfigKeyRemoved",
        "ConfigKeyUnavailable",
        "ConfigKeyUnknown",
        "ConfigValueInvalid",
        "ContextExceeded",
        "DraftContextTooLong",
        "DraftHeadsIndivisible",
        "DraftLengthExceeded",
        "DraftTensorParallelMismatch",
        "FlagConflictsWithSpeculation",
        "FlagRemoved",
        "FlagUnavailable",
        "FlyWindow",
        "HeterogeneousVocabularyConflict",
        "KvCacheDtypeUnavailable",
        "KvHeadsIndivisible",
        "MethodUnavailable",
        "MtpMissing",
        "MtpTokensIndivisible",
        "QuantizationConflict",
        "QuantizationDeprecated",
        "QuantizationNotInCheckpoint",
        "QuantizationRemoved",
        "QuantizationUnavailable",
        "QuantizationUndescribed",
        "QuantizationUnknown",
        "RunnerUnsupported",
        "SamplingUnavailable",
        "ScheduleUnavailable",
        "SyntheticAcceptance",
        "TargetHeadsIndivisible",
        "TokensMissing",
        "VocabularyMismatch",
    }
)
"""Codes of errors that the engine refuses too, before it touches a GPU or weights."""

APART: Final[Mapping[str, str]] = {
    "CheckpointQuantizerRemoved": "no such checkpoint is among the tiny models; the flag's own case stands for it",
    "ConfigKeyHasField": "house rule: the engine cannot tell who wrote a key",
    "DataParallelMetrics": "start-up: the metrics' loggers raise it, after the configuration",
    "DraftContextShort": "silent: the engine lowers the server's length or stops to speculate",
    "DraftIsHead": "start-up: found when the weights are loaded",
    "DraftIsNoHead": "start-up: found when the weights are loaded",
    "GpuTooOld": "GPU: the CPU platform has no compute capability",
    "HeadHiddenSizeMismatch": "start-up: found when the weights are loaded",
    "HeadMethodMismatch": "start-up: found when the weights are loaded",
    "HeadVocabularyMismatch": "start-up: found when the weights are loaded",
    "ImageVersionMismatch": "house rule: the engine does not know the image's tag",
    "LatencyNotMeasured": "house rule: what the operator can judge",
    "PaddedBatchesNeeded": "start-up: the model runner raises it",
    "ScheduleDisabled": "silent: the engine switches the schedule off with a line in its log",
}
"""Codes of errors that the engine does not raise at configuration time, and why."""


@dataclass(frozen=True)
class Explanation:
    """Why pre-flight and the engine differ on some lists."""

    reason: str
    names: str
    """Regular expression that the case's name must match in full."""
    codes: frozenset[str] = frozenset()
    """The codes of pre-flight, where it refuses and the engine passes."""
    error: str = ""
    """Part of the engine's error, where it refuses and pre-flight passes."""

    def covers(self, case: Case, remarks: Sequence[Remark], answer: Answer) -> bool:
        """Whether this is the reason."""
        if not re.fullmatch(self.names, case.name):
            return False
        if remarks:
            return {remark.code for remark in remarks} <= self.codes
        return bool(self.error) and self.error in answer.error


EXPLAINED: Final[tuple[Explanation, ...]] = (
    Explanation(
        "start-up: the draft's quantization is read when its weights are loaded; the target's is read here",
        "draft quantization .*",
        codes=frozenset({"QuantizationNotInCheckpoint"}),
    ),
    Explanation(
        "the CPU platform has no CUDA graphs, which the key needs",
        ".* enable_adaptive_verification",
        error="Adaptive verification requires full CUDA graphs",
    ),
    Explanation(
        "the engine checks these keys only where a draft is loaded; with a lookup nothing reads them",
        "key (NGram|Suffix) (dspark_draft_topk|xpress_topc)",
        codes=frozenset({"ConfigKeyRefused"}),
    ),
    Explanation(
        "pre-flight warns: the checkpoint may have an hf_quant_config.json, of which config.json says nothing",
        "quantization modelopt.*",
        error="Cannot find the config file for modelopt",
    ),
    Explanation(
        "pre-flight warns: plain weights work with a configuration in --hf-overrides, which it does not read",
        "quantization torchao",
        error="TorchAOConfig.__init__() missing 1 required",
    ),
    Explanation(
        "the number format of the weights is in config.json, but not among the facts of pre-flight",
        "KV cache float16",
        error='kv_cache_dtype="float16" is incompatible with dtype="bfloat16"',
    ),
    Explanation(
        "start-up: from 0.33.0 on the draft's number format is free text, which a platform may add to",
        "KV cache int8 of the draft",
        codes=frozenset({"KvCacheDtypeUnavailable"}),
    ),
    Explanation(
        "GPU: the kernels take over other methods' checkpoints on CUDA alone",
        "checkpoint's method, other kernel",
        error="does not match the quantization method specified",
    ),
    Explanation(
        "pre-flight knows the flags that came or went, not all that there are, nor what they take",
        "unknown flag|flag of another shape",
        error="probe.py: error: ",
    ),
    Explanation(
        "start-up: the loader is chosen when the weights are loaded",
        "load format of the past",
        codes=frozenset({"QuantizationRemoved"}),
    ),
    Explanation(
        "0.32.0 takes the pair of keys and 0.33.0 refuses it",
        "two vocabularies, local argmax",
        codes=frozenset({"HeterogeneousVocabularyConflict"}),
    ),
)
"""Every known difference; one that is not here fails the test, and so does one that is no more."""

TABLED: Final = frozenset(
    {
        "ConfigKeyRemoved",
        "ConfigKeyUnavailable",
        "ConfigKeyUnknown",
        "FlagRemoved",
        "FlagUnavailable",
        "KvCacheDtypeUnavailable",
        "QuantizationRemoved",
        "QuantizationUnavailable",
        "QuantizationUnknown",
        "SamplingUnavailable",
        "ScheduleUnavailable",
    }
)
"""Codes that recorded tables can confirm: something that the version does not know."""

TABLED_OTHERWISE: Final[Mapping[str, str]] = {
    "unknown flag": "pre-flight knows the flags that came or went, not all that there are; the engine's parser says it",
    "load format of the past": "the tables hold no values of --load-format",
    "field None {'engine': {'extraArgs': ['--per-request-spec-decode-metrics', 'summary']}}": (
        "the renderer leaves the flag out where nothing is proposed, so it never reaches the engine"
    ),
}
"""Cases on which pre-flight and the recorded tables differ, and why."""
