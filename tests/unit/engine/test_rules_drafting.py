"""Keys, sampling and the schedule: each rule with a variant that it speaks of and one that it does not."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.keys import KEYS, known_keys
from specdecode_operator.engine.versions import READ, Version
from support.variants import Case, Fields, found, remarks

EAGLE: Fields = {"method": "Eagle3"}
PAIR: Fields = {"method": "DraftModel"}
SUFFIX: Fields = {"method": "Suffix"}
TWO: Fields = {"engine": {"tensorParallelSize": 2}}
V1: Fields = {"env": {"VLLM_USE_V2_MODEL_RUNNER": "0"}}


def key(**config: Any) -> Fields:
    return {"speculation": {"config": config}}


def sampled(config: Fields | None = None, **sampling: str) -> Fields:
    return {"speculation": {"sampling": sampling} | ({"config": config} if config else {})}


def scheduled(*ranges: tuple[int | None, int]) -> Fields:
    entries = [{"tokens": tokens} | ({} if up_to is None else {"upTo": up_to}) for up_to, tokens in ranges]
    return {"speculation": {"batchSizeSchedule": entries}}


PLAN = scheduled((32, 3), (None, 0))
CONFIG = "speculation.config."
DRAFT, REJECTION = "speculation.sampling.draft", "speculation.sampling.rejection"
SCHEDULE = "speculation.batchSizeSchedule"

KEY_CASES = [
    Case("ConfigKeyUnknown", f"{CONFIG}windows", key(windows=1), key(enforce_eager=True), ("further keys for NGram",)),
    Case("ConfigKeyUnknown", f"{CONFIG}Method", key(Method="ngram"), {}),
    Case(
        "ConfigKeyHasField",
        f"{CONFIG}num_speculative_tokens",
        key(num_speculative_tokens=3),
        {"tokens": 3},
        ("speculation.numSpeculativeTokens",),
    ),
    Case("ConfigKeyHasField", f"{CONFIG}model", PAIR | key(model="org/draft"), PAIR, ("speculation.draft.name",)),
    Case(
        "ConfigKeyUnavailable",
        f"{CONFIG}kv_cache_dtype",
        EAGLE | {"version": "0.25.1"} | key(kv_cache_dtype="fp8"),
        EAGLE | {"version": "0.26.0"} | key(kv_cache_dtype="fp8"),
        ("0.26.0 or later",),
    ),
    Case(
        "ConfigKeyUnavailable",
        f"{CONFIG}fly_window_size",
        {"version": "0.32.0"} | key(fly_window_size=2),
        {"version": "0.33.0"} | key(fly_window_size=2),
    ),
    Case(
        "ConfigKeyRemoved",
        f"{CONFIG}disable_by_batch_size",
        key(disable_by_batch_size=8),
        {"version": "0.9.2"} | key(disable_by_batch_size=8),
        ("0.17.0", "speculation.batchSizeSchedule"),
    ),
    Case(
        "ConfigKeyRemoved",
        f"{CONFIG}posterior_alpha",
        {"version": "0.10.0"} | key(posterior_alpha=0.3),
        {"version": "0.9.2"} | key(posterior_alpha=0.3),
        ("typical acceptance",),
    ),
    Case(
        "ConfigKeyWithoutEffect",
        f"{CONFIG}disable_by_batch_size",
        {"version": "0.16.0"} | key(disable_by_batch_size=8),
        {"version": "0.9.2"} | key(disable_by_batch_size=8),
        ("nothing reads it from vLLM 0.10.0 on",),
    ),
    Case(
        "ConfigKeyWithoutEffect",
        f"{CONFIG}suffix_decoding_max_tree_depth",
        key(suffix_decoding_max_tree_depth=8),
        SUFFIX | key(suffix_decoding_max_tree_depth=8),
        ("Suffix", "NGram"),
    ),
    Case(
        "ConfigKeyWithoutEffect",
        f"{CONFIG}draft_tensor_parallel_size",
        key(draft_tensor_parallel_size=1),
        EAGLE | key(draft_tensor_parallel_size=1),
    ),
    Case(
        "ConfigKeyWithoutEffect",
        f"{CONFIG}fly_entropy_top_k",
        key(fly_entropy_top_k=3),
        sampled({"fly_entropy_top_k": 3}, rejection="Fly"),
        ("rejection Fly",),
    ),
    Case(
        "ConfigKeyRefused",
        f"{CONFIG}tensor_parallel_size",
        EAGLE | key(tensor_parallel_size=1),
        EAGLE | key(draft_tensor_parallel_size=1),
        ("draft_tensor_parallel_size",),
    ),
    Case(
        "ConfigKeyRefused",
        f"{CONFIG}draft_lm_head_quantization",
        PAIR | key(draft_lm_head_quantization="fp8"),
        EAGLE | key(draft_lm_head_quantization="fp8"),
        ("Eagle, Eagle3, Mtp",),
    ),
    Case(
        "ConfigKeyRefused",
        f"{CONFIG}use_heterogeneous_vocab",
        EAGLE | key(use_heterogeneous_vocab=True),
        PAIR | key(use_heterogeneous_vocab=True),
    ),
    Case(
        "ConfigKeyRefused",
        f"{CONFIG}index_share_for_mtp_iteration",
        EAGLE | key(index_share_for_mtp_iteration=True),
        {"method": "Mtp"} | key(index_share_for_mtp_iteration=True),
    ),
    Case("ConfigKeyRefused", f"{CONFIG}dspark_draft_topk", EAGLE | key(dspark_draft_topk=4), EAGLE),
]

VALUES: list[tuple[Fields, str, Any, Any]] = [
    (EAGLE, "draft_tensor_parallel_size", 0, 1),
    (EAGLE, "draft_tensor_parallel_size", "one", "1"),
    (EAGLE, "max_model_len", 0, 2048),
    (EAGLE, "max_model_len", 2.5, 2.0),
    (EAGLE, "disable_padded_drafter_batch", "perhaps", "false"),
    (EAGLE, "draft_lm_head_quantization", "int4", "nvfp4"),
    (PAIR, "draft_load_config", "dummy", {"load_format": "dummy"}),
    (SUFFIX, "suffix_decoding_max_tree_depth", 0, 1),
    (SUFFIX, "suffix_decoding_max_cached_requests", -1, 0),
    (SUFFIX, "suffix_decoding_max_spec_factor", -0.1, 0),
    (SUFFIX, "suffix_decoding_min_token_prob", 1.1, 1),
    (EAGLE, "fly_window_size", 0, 1),
    (EAGLE, "fly_entropy_threshold", -1, 0),
    (EAGLE, "fly_entropy_top_k", 0, 1),
    (EAGLE, "max_model_len", [], None),
]

CONFLICT_CASES = [
    Case(
        "DraftTensorParallelMismatch",
        f"{CONFIG}draft_tensor_parallel_size",
        PAIR | TWO | key(draft_tensor_parallel_size=1),
        PAIR | TWO | key(draft_tensor_parallel_size=2),
        ("must be 2",),
    ),
    Case(
        "DraftTensorParallelMismatch",
        f"{CONFIG}draft_tensor_parallel_size",
        EAGLE | {"engine": {"tensorParallelSize": 4}} | key(draft_tensor_parallel_size=2),
        EAGLE | {"engine": {"tensorParallelSize": 4}} | key(draft_tensor_parallel_size=1),
        ("1 or 4",),
    ),
    Case(
        "DraftTensorParallelMismatch",
        f"{CONFIG}draft_tensor_parallel_size",
        PAIR | TWO | {"version": "0.15.0"} | key(draft_tensor_parallel_size="1"),
        PAIR | TWO | {"version": "0.9.2"} | key(draft_tensor_parallel_size="1"),
    ),
    Case(
        "DraftContextTooLong",
        f"{CONFIG}max_model_len",
        PAIR | {"engine": {"maxModelLen": 4096}} | key(max_model_len=8192),
        PAIR | {"engine": {"maxModelLen": 8192}} | key(max_model_len=8192),
        ("8192", "4096"),
    ),
    Case(
        "KvCacheDtypeUnavailable",
        f"{CONFIG}kv_cache_dtype",
        EAGLE | {"version": "0.26.0"} | key(kv_cache_dtype="nvfp4_4over6"),
        EAGLE | {"version": "0.30.0"} | key(kv_cache_dtype="nvfp4_4over6"),
    ),
    Case("KvCacheDtypeUnavailable", f"{CONFIG}kv_cache_dtype", EAGLE | key(kv_cache_dtype="int8"), EAGLE),
    Case(
        "HeterogeneousVocabularyConflict",
        f"{CONFIG}use_heterogeneous_vocab",
        PAIR | sampled({"use_heterogeneous_vocab": True}, draft="Probabilistic"),
        PAIR | sampled({"use_heterogeneous_vocab": True}, draft="Greedy"),
        ("Greedy",),
    ),
    Case(
        "HeterogeneousVocabularyConflict",
        f"{CONFIG}use_heterogeneous_vocab",
        PAIR | key(use_heterogeneous_vocab=True, use_local_argmax_reduction=True),
        PAIR | key(use_heterogeneous_vocab=False, use_local_argmax_reduction=True),
    ),
    Case(
        "PaddedBatchesNeeded",
        f"{CONFIG}disable_padded_drafter_batch",
        PAIR | {"version": "0.30.0"} | key(disable_padded_drafter_batch=True),
        EAGLE | {"version": "0.30.0"} | key(disable_padded_drafter_batch=True),
    ),
    Case(
        "PaddedBatchesNeeded",
        f"{CONFIG}disable_padded_drafter_batch",
        EAGLE | key(disable_padded_drafter_batch=True, parallel_drafting=True),
        EAGLE | key(disable_padded_drafter_batch=False, parallel_drafting=True),
    ),
    Case(
        "PaddedBatchesNeeded",
        f"{CONFIG}disable_padded_drafter_batch",
        EAGLE | V1 | {"args": ("--async-scheduling",)} | key(disable_padded_drafter_batch=True),
        EAGLE | V1 | key(disable_padded_drafter_batch=True),
        ("--async-scheduling",),
    ),
    Case(
        "ParallelDraftingNeedsCheckpoint",
        f"{CONFIG}parallel_drafting",
        PAIR | key(parallel_drafting=True),
        PAIR | key(parallel_drafting=False),
        ("PARD",),
    ),
    Case(
        "AdaptiveVerificationConflict",
        f"{CONFIG}enable_adaptive_verification",
        EAGLE | {"args": ("--enable-lora",)} | key(enable_adaptive_verification=True),
        EAGLE | {"args": ("--enable-lora",)} | key(enable_adaptive_verification=False),
        ("LoRA",),
    ),
    Case(
        "AdaptiveVerificationConflict",
        f"{CONFIG}enable_adaptive_verification",
        EAGLE | {"args": ("-pp", "2")} | key(enable_adaptive_verification=True),
        EAGLE | {"args": ("-pp", "1")} | key(enable_adaptive_verification=True),
        ("pipeline",),
    ),
    Case(
        "AdaptiveVerificationConflict",
        f"{CONFIG}enable_adaptive_verification",
        EAGLE | {"args": ("--enforce-eager",)} | key(enable_adaptive_verification=True),
        EAGLE | key(enable_adaptive_verification=True),
        ("CUDA graphs",),
    ),
    Case(
        "AdaptiveVerificationConflict",
        f"{CONFIG}enable_adaptive_verification",
        EAGLE | key(enable_adaptive_verification=True, use_local_argmax_reduction=True),
        EAGLE | key(enable_adaptive_verification=True, use_local_argmax_reduction=False),
    ),
    Case(
        "SyntheticAcceptance",
        f"{CONFIG}synthetic_acceptance_length",
        key(synthetic_acceptance_length=2.5),
        key(synthetic_acceptance_length=None),
        ("load tests",),
    ),
    Case(
        "SyntheticAcceptance",
        f"{CONFIG}synthetic_acceptance_rates",
        {"version": "0.20.0"} | key(synthetic_acceptance_rates=[0.9, 0.5, 0.2]),
        {"version": "0.20.0"},
    ),
    Case(
        "SyntheticAcceptance",
        f"{CONFIG}synthetic_acceptance_rate",
        {"version": "0.19.0"} | key(synthetic_acceptance_rate=0.8),
        {"version": "0.19.0"} | key(synthetic_acceptance_rate=None),
    ),
    Case("LossyAcceptance", REJECTION, sampled(rejection="Fly"), sampled(rejection="Standard"), ("answers change",)),
    Case(
        "FlyWindow",
        "speculation.numSpeculativeTokens",
        {"tokens": 1} | sampled(rejection="Fly"),
        {"tokens": 2} | sampled(rejection="Fly"),
    ),
    Case(
        "FlyWindow",
        f"{CONFIG}fly_window_size",
        {"tokens": 4} | sampled({"fly_window_size": 4}, rejection="Fly"),
        {"tokens": 5} | sampled({"fly_window_size": 4}, rejection="Fly"),
        ("less than numSpeculativeTokens 4",),
    ),
]

SAMPLING_CASES = [
    Case(
        "SamplingUnavailable",
        DRAFT,
        EAGLE | {"version": "0.21.0"} | sampled(draft="Probabilistic"),
        EAGLE | {"version": "0.22.0"} | sampled(draft="Probabilistic"),
        ("0.22.0 or later",),
    ),
    Case(
        "SamplingUnavailable",
        DRAFT,
        EAGLE | {"version": "0.20.2"} | sampled(draft="Greedy"),
        EAGLE | {"version": "0.21.0"} | sampled(draft="Greedy"),
    ),
    Case(
        "SamplingUnavailable",
        REJECTION,
        EAGLE | {"version": "0.20.2"} | sampled(rejection="Standard"),
        EAGLE | {"version": "0.21.0"} | sampled(rejection="Standard"),
    ),
    Case(
        "SamplingUnavailable",
        REJECTION,
        EAGLE | {"version": "0.24.0"} | sampled(rejection="Block"),
        EAGLE | {"version": "0.25.0"} | sampled(rejection="Block"),
    ),
    Case(
        "SamplingUnavailable",
        REJECTION,
        {"version": "0.32.0"} | sampled(rejection="Fly"),
        {"version": "0.33.0"} | sampled(rejection="Fly"),
    ),
    Case(
        "SamplingWithoutEffect",
        REJECTION,
        SUFFIX | sampled(rejection="Block"),
        EAGLE | sampled(rejection="Block"),
        ("V2 alone", "Suffix runs in V1"),
    ),
    Case(
        "SamplingWithoutEffect",
        REJECTION,
        EAGLE | V1 | sampled(rejection="Block"),
        EAGLE | V1 | sampled(rejection="Standard"),
    ),
    Case("SamplingWithoutEffect", DRAFT, sampled(draft="Probabilistic"), EAGLE | sampled(draft="Probabilistic")),
]

SCHEDULE_CASES = [
    Case("ScheduleUnavailable", SCHEDULE, {"version": "0.23.0"} | PLAN, {"version": "0.24.0"} | PLAN, ("0.24.0",)),
    Case(
        "ScheduleDisabled",
        SCHEDULE,
        EAGLE | PLAN | {"args": ("--data_parallel_size=4",)},
        EAGLE | PLAN | {"args": ("--data_parallel_size=1",)},
        ("--data-parallel-size 4",),
    ),
    Case("ScheduleDisabled", SCHEDULE, SUFFIX | PLAN, EAGLE | PLAN, ("Suffix",)),
    Case("ScheduleWithoutFullGraphs", SCHEDULE, {"version": "0.31.0"} | PLAN, {"version": "0.32.0"} | PLAN),
    Case(
        "ScheduleWithoutFullGraphs",
        SCHEDULE,
        EAGLE | V1 | PLAN,
        EAGLE | V1 | PLAN | {"args": ("--enforce-eager",)},
        ("full CUDA graphs",),
    ),
    Case(
        "ScheduleUnreachable",
        SCHEDULE,
        EAGLE | PLAN | {"engine": {"maxNumSeqs": 32}},
        EAGLE | PLAN | {"engine": {"maxNumSeqs": 33}},
        ("maxNumSeqs 32",),
    ),
    Case("SpeculationNeverUsed", SCHEDULE, EAGLE | scheduled((8, 0), (None, 0)), EAGLE | scheduled((8, 1), (None, 0))),
]

NUMBER = "speculation.numSpeculativeTokens"
MTP: Fields = {"method": "Mtp", "tokens": None}
TOKENS_CASES = [
    Case("TokensMissing", NUMBER, MTP, {"method": "Mtp", "tokens": 1}, ("only if a number is given",)),
    Case("TokensMissing", NUMBER, MTP, MTP | {"speculation": {"draft": {"name": "org/heads"}}}),
    Case("TokensMissing", NUMBER, MTP, {"method": "Suffix", "tokens": None}),
]

CASES = [*TOKENS_CASES, *KEY_CASES, *CONFLICT_CASES, *SAMPLING_CASES, *SCHEDULE_CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_speaks_where_it_should(case: Case) -> None:
    messages = found(case.code, case.field, case.bad)
    assert messages
    assert [word for word in case.words if word not in messages[0]] == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_a_rule_is_silent_where_it_should_be(case: Case) -> None:
    assert found(case.code, case.field, case.good) == []


@pytest.mark.parametrize(("variant", "name", "bad", "good"), VALUES)
def test_a_value_is_refused_by_the_type_that_the_engine_has_for_it(
    variant: Fields, name: str, bad: Any, good: Any
) -> None:
    def refused(value: Any) -> list[str]:
        return found("ConfigValueInvalid", f"{CONFIG}{name}", variant | key(**{name: value}))

    assert ([repr(bad) in message for message in refused(bad)], refused(good)) == ([True], [])


def test_a_value_that_is_refused_takes_part_in_no_other_rule() -> None:
    config = {"draft_tensor_parallel_size": "four", "max_model_len": -1}
    codes = [remark.code for remark in remarks(**PAIR | TWO | key(**config)) if remark.field.startswith(CONFIG)]
    assert codes == ["ConfigValueInvalid", "ConfigValueInvalid"]


@pytest.mark.parametrize("version", READ, ids=str)
@pytest.mark.parametrize("method", ["DraftModel", "NGram", "Eagle", "Eagle3", "Mtp", "Suffix"])
def test_every_key_that_is_named_as_known_is_taken(version: Version, method: str) -> None:
    variant = {"method": method, "version": str(version)}
    names = [name for name in KEYS if name in known_keys(version, Method(method))]
    refusing = {"ConfigKeyUnknown", "ConfigKeyUnavailable", "ConfigKeyRemoved", "ConfigKeyRefused", "ConfigKeyHasField"}
    said = {remark.code for remark in remarks(**variant | key(**dict.fromkeys(names)))}
    assert said & refusing == set()


def test_five_faults_are_named_at_once() -> None:
    variant = PAIR | {
        "version": "0.12.0",
        "args": ("--max-num-queued-reqs", "8"),
        "model": {"quantization": "fp8_per_tensor"},
        "speculation": {"config": {"windows": 1}, "sampling": {"rejection": "Block"}},
    }
    codes = {remark.code for remark in remarks(**variant) if remark.level == "Error"}
    assert codes == {
        "MethodUnavailable",
        "FlagUnavailable",
        "ConfigKeyUnknown",
        "SamplingUnavailable",
        "QuantizationUnavailable",
    }
