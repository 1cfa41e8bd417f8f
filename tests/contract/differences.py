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
        "QuantizationUnknown",
        "RunnerUnsupported",
        "SamplingUnavailable",
        "ScheduleUnavailable",
        "SyntheticAcceptance",
        "TargetHeadsIndivisible",
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


EXPLAINED: Final[tuple[Explanation, ...]] = ()
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
