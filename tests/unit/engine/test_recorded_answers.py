"""What vLLM 0.33.0 itself said of configurations, against what the checks say of the same.

The answers were recorded from `AsyncEngineArgs.create_engine_config()` of vLLM 0.33.0 on the CPU platform, which takes
model runner V1; the variants here ask for it too. What depends on the two models is left out.
"""

from typing import Any

import pytest

from support.variants import Fields, remarks

V1: Fields = {"env": {"VLLM_USE_V2_MODEL_RUNNER": "0"}}
PAIR: Fields = {"method": "DraftModel", "tokens": 5} | V1
NGRAM: Fields = {"method": "NGram"} | V1
PLAIN: Fields = {"method": "None", "tokens": None}


def shards(size: int, **config: Any) -> Fields:
    return keys(**config) | {"engine": {"tensorParallelSize": size}}


def keys(**config: Any) -> Fields:
    return PAIR | {"speculation": {"config": config}}


def sampling(config: Fields | None = None, **words: str) -> Fields:
    return PAIR | {"speculation": {"sampling": words} | ({"config": config} if config else {})}


def args(*words: str) -> Fields:
    return PAIR | {"args": words}


def served(quantization: str) -> Fields:
    return PLAIN | {"model": {"quantization": quantization}}


ACCEPTED = {
    "plain": PLAIN,
    "a draft model": PAIR,
    "sharded, the draft like the target": shards(2, draft_tensor_parallel_size=2),
    "a head": {"method": "Eagle", "tokens": 2} | V1,
    "n-grams": NGRAM,
    "two vocabularies": keys(use_heterogeneous_vocab=True),
    "parallel drafting": keys(parallel_drafting=True),
    "block": sampling(rejection="Block"),
    "two stages": args("--pipeline-parallel-size", "2"),
    "asynchronous scheduling": args("--async-scheduling"),
    "metrics a request": args("--per-request-spec-decode-metrics", "summary"),
    "a schedule": PAIR | {"speculation": {"batchSizeSchedule": [{"upTo": 4, "tokens": 5}, {"tokens": 0}]}},
    "a quantized draft": PAIR | {"draft": {"quantization": "fp8_per_tensor"}},
    "fp8": served("fp8"),
    "fp8_per_tensor": served("fp8_per_tensor"),
    "int8 of experts": served("int8_per_channel_weight_only"),
    "an fp8 KV cache": PAIR | {"engine": {"kvCacheDtype": "fp8"}},
}

REFUSED = {
    "half of the shards": shards(4, draft_tensor_parallel_size=2),
    "tensor_parallel_size": keys(tensor_parallel_size=1),
    "two vocabularies, drawn": sampling({"use_heterogeneous_vocab": True}, draft="Probabilistic"),
    "an unknown key": keys(disable_by_batch_size=8),
    "synthetic without its method": keys(synthetic_acceptance_rates=[0.9, 0.5, 0.2, 0.1, 0.1]),
    "fly with one token": sampling(rejection="Fly") | {"tokens": 1},
    "the head of a draft model": keys(draft_lm_head_quantization="fp8"),
    "adaptive verification in V1": keys(enable_adaptive_verification=True),
    "a key of mtp": keys(index_share_for_mtp_iteration=True),
    "a key of dspark": keys(dspark_draft_topk=4),
    "a small budget": args("--max-num-batched-tokens", "4"),
    "a budget of the tokens": args("--max-num-batched-tokens", "5"),
    "a small budget with LoRA": args("--enable-lora", "--max-num-batched-tokens", "64")
    | {"engine": {"maxNumSeqs": 64}},
    "n-grams, asynchronous": NGRAM | {"args": ("--async-scheduling",)},
    "a draft in bitsandbytes": PAIR | {"draft": {"quantization": "bitsandbytes"}},
    "a target in bitsandbytes": served("bitsandbytes"),
    "a KV cache in int8": PAIR | {"engine": {"kvCacheDtype": "int8"}},
}

STRICTER: dict[str, tuple[Fields, str]] = {
    "the worker stops later": (shards(2, draft_tensor_parallel_size=1), "DraftTensorParallelMismatch"),
    "the proposer stops later": (keys(disable_padded_drafter_batch=True), "PaddedBatchesNeeded"),
    "it is switched off in silence": (
        PAIR
        | {
            "args": ("--data-parallel-size", "2"),
            "speculation": {"batchSizeSchedule": [{"upTo": 4, "tokens": 5}, {"tokens": 0}]},
        },
        "ScheduleDisabled",
    ),
    "answers are not the target's": (keys(synthetic_acceptance_length=2.5), "SyntheticAcceptance"),
}
"""What the engine accepts as a configuration and the checks refuse all the same, with the reason."""

UNDECIDED: dict[str, tuple[Fields, str]] = {
    "only the checkpoint tells (awq)": (served("awq"), "QuantizationNeedsCheckpoint"),
    "only the checkpoint tells (gptq)": (served("gptq"), "QuantizationNeedsCheckpoint"),
    "only the image tells": ({"method": "Suffix"}, "MethodNeedsPackage"),
}
"""What the engine refused in the recorded case and the checks only warn of, since the resource does not say enough."""


def errors(fields: Fields) -> list[str]:
    return [remark.code for remark in remarks(**fields) if remark.level == "Error"]


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_the_engine_accepts_passes(name: str) -> None:
    assert errors(ACCEPTED[name]) == []


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_engine_refuses_is_refused(name: str) -> None:
    assert errors(REFUSED[name])


@pytest.mark.parametrize("name", STRICTER)
def test_what_fails_only_after_the_configuration_is_refused_too(name: str) -> None:
    fields, code = STRICTER[name]
    assert errors(fields) == [code]


@pytest.mark.parametrize("name", UNDECIDED)
def test_what_depends_on_more_than_the_resource_is_warned_of(name: str) -> None:
    fields, code = UNDECIDED[name]
    assert errors(fields) == []
    assert code in {remark.code for remark in remarks(**fields)}
