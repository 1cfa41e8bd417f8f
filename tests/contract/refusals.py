"""One refusing and one passing case for each rule that the engine checks at configuration time, beyond the grid."""

from collections.abc import Iterator
from typing import Any, Final

from contract.case import Case, Fields
from contract.grid import base
from specdecode_operator.api.v1alpha1 import Method

__all__ = ["refusals"]

_PAIR: Final = base(Method.DRAFT_MODEL)
_HEAD: Final = base(Method.EAGLE)
_LOOKUP: Final = base(Method.NGRAM)
_MTP: Final = base(Method.MTP)


def _pair(draft: str = "draft", config: Fields | None = None, **further: Any) -> Fields:
    fields = _PAIR | {"draft": {"name": draft}} | further
    return fields | {"config": config} if config else fields


def _args(*words: str, **further: Any) -> Fields:
    return {"extraArgs": list(words), **further}


_TABLE: Final[tuple[tuple[str, Fields, Fields, Fields], ...]] = (
    # what, speculation, engine, model
    ("vocabulary differs", _pair("draft-vocabulary"), {}, {}),
    ("two vocabularies", _pair("draft-vocabulary", {"use_heterogeneous_vocab": True}), {}, {}),
    (
        "two vocabularies, drawn",
        _pair("draft-vocabulary", {"use_heterogeneous_vocab": True}, sampling={"draft": "Probabilistic"}),
        {},
        {},
    ),
    (
        "two vocabularies, local argmax",
        _pair("draft-vocabulary", {"use_heterogeneous_vocab": True, "use_local_argmax_reduction": True}),
        {},
        {},
    ),
    ("draft heads divide", _pair("draft-narrow"), {"tensorParallelSize": 2}, {}),
    ("draft heads do not divide", _pair("draft-narrow"), {"tensorParallelSize": 4}, {}),
    ("target heads do not divide", {"method": "None"}, {"tensorParallelSize": 3}, {}),
    ("draft TP 2 of 4", _pair(config={"draft_tensor_parallel_size": 2}), {"tensorParallelSize": 4}, {}),
    ("draft TP 4 of 4", _pair(config={"draft_tensor_parallel_size": 4}), {"tensorParallelSize": 4}, {}),
    ("head TP 1 of 4", _HEAD | {"config": {"draft_tensor_parallel_size": 1}}, {"tensorParallelSize": 4}, {}),
    ("head TP 2 of 4", _HEAD | {"config": {"draft_tensor_parallel_size": 2}}, {"tensorParallelSize": 4}, {}),
    ("context within the target's", {"method": "None"}, {"maxModelLen": 8192}, {}),
    ("context beyond the target's", {"method": "None"}, {"maxModelLen": 8193}, {}),
    ("draft context short", _pair("draft-short"), {"maxModelLen": 1024}, {}),
    ("draft context too short", _pair("draft-short"), {"maxModelLen": 2048}, {}),
    ("draft length within the server's", _pair(config={"max_model_len": 1024}), {"maxModelLen": 2048}, {}),
    ("draft length beyond the server's", _pair(config={"max_model_len": 4096}), {"maxModelLen": 2048}, {}),
    ("draft length beyond the draft's", _pair("draft-short", {"max_model_len": 2000}), {"maxModelLen": 1024}, {}),
    ("unknown key", _pair(config={"no_such_key": 1}), {}, {}),
    ("value of another type", _pair(config={"draft_tensor_parallel_size": "many"}), {}, {}),
    ("value out of range", _pair(config={"max_model_len": 0}), {}, {}),
    ("number as text", _pair(config={"max_model_len": "1024"}), {}, {}),
    ("broken number", _pair(config={"max_model_len": 2.5}), {}, {}),
    ("suffix probability 2", {"method": "Suffix", "config": {"suffix_decoding_min_token_prob": 2}}, {}, {}),
    ("suffix depth 0", {"method": "Suffix", "config": {"suffix_decoding_max_tree_depth": 0}}, {}, {}),
    ("MTP without a number", {"method": "Mtp"}, {}, {"name": "mtp"}),
    ("MTP of another model", _MTP, {}, {}),
    ("MTP of two layers, 3 tokens", _MTP | {"numSpeculativeTokens": 3}, {}, {"name": "mtp-2"}),
    ("MTP of two layers, 4 tokens", _MTP, {}, {"name": "mtp-2"}),
    ("FLy without a window", _pair(numSpeculativeTokens=1, sampling={"rejection": "Fly"}), {}, {}),
    ("FLy", _pair(config={"fly_window_size": 3}, sampling={"rejection": "Fly"}), {}, {}),
    ("FLy of too wide a window", _pair(config={"fly_window_size": 4}, sampling={"rejection": "Fly"}), {}, {}),
    ("checkpoint's own method", {"method": "None"}, {}, {"name": "target-awq", "quantization": "awq"}),
    ("checkpoint's method, other kernel", {"method": "None"}, {}, {"name": "target-awq", "quantization": "awq_marlin"}),
    ("checkpoint of another method", {"method": "None"}, {}, {"name": "target-awq", "quantization": "fp8"}),
    ("quantized checkpoint", {"method": "None"}, {}, {"name": "target-gptq"}),
    ("FP8 checkpoint, online method", {"method": "None"}, {}, {"name": "target-fp8", "quantization": "fp8_per_tensor"}),
    ("FP8 checkpoint, its method", {"method": "None"}, {}, {"name": "target-fp8", "quantization": "fp8"}),
    (
        "online, described",
        {"method": "None"},
        _args("--quantization-config", '{"targets":{"re:.*":"fp8_per_tensor"}}'),
        {"quantization": "online"},
    ),
    ("quantized draft", _pair("draft-awq"), {}, {}),
    ("quantized draft, other method", _pair() | {"draft": {"name": "draft-awq", "quantization": "gptq"}}, {}, {}),
    ("batch of 4 tokens", _pair(), _args("--max-num-batched-tokens", "4", maxNumSeqs=4), {}),
    ("batch of 5 tokens", _pair(), _args("--max-num-batched-tokens", "5", maxNumSeqs=4), {}),
    ("batch of 4 tokens, n-grams", _LOOKUP, _args("--max-num-batched-tokens", "4", maxNumSeqs=4), {}),
    ("batch less than requests", {"method": "None"}, _args("--max-num-batched-tokens=4", maxNumSeqs=8), {}),
    ("LoRA, enough", _pair(), _args("--enable-lora", "--max-num-batched-tokens=80", maxNumSeqs=16), {}),
    ("LoRA, too few", _pair(), _args("--enable-lora", "--max-num-batched-tokens=79", maxNumSeqs=16), {}),
    ("unknown flag", {"method": "None"}, _args("--no-such-flag"), {}),
    ("flag of 0.8.2", {"method": "None"}, _args("--speculative-model", "x"), {}),
    ("flag of 0.17", {"method": "None"}, _args("--swap-space", "4"), {}),
    ("flag of another shape", {"method": "None"}, _args("--seed", "one"), {}),
    ("load format of the past", {"method": "None"}, _args("--load-format", "bitsandbytes"), {}),
    *((f"{method}, async", base(method), _args("--async-scheduling"), {}) for method in Method),
    *((f"{method}, fast prefill", base(method), _args("--kv-sharing-fast-prefill"), {}) for method in Method),
    *((f"{method}, double batches", base(method), _args("--enable-dbo"), {}) for method in Method),
    *(
        (f"{method}, {key}", base(method) | {"config": {key: True}}, _args("--enforce-eager"), {})
        for method in (Method.DRAFT_MODEL, Method.EAGLE)
        for key in ("enable_adaptive_verification", "disable_padded_drafter_batch", "parallel_drafting")
    ),
    ("watermarks", _HEAD, _args("--watermark-config", '{"algorithm":"openai"}'), {}),
    *(
        (f"{method}, runner {runner}", base(method), {"env": [_runner]}, {})
        for method in Method
        for runner, _runner in (
            ("V1", {"name": "VLLM_USE_V2_MODEL_RUNNER", "value": "0"}),
            ("V2", {"name": "VLLM_USE_V2_MODEL_RUNNER", "value": "1"}),
        )
    ),
)


def refusals(version: str) -> Iterator[Case]:
    """Yield the cases for one version; names are unique."""
    for name, speculation, engine, model in _TABLE:
        mtp = {"name": "mtp"} if speculation["method"] == "Mtp" and name != "MTP of another model" else {}
        yield Case(name, version, speculation, engine, mtp | model)
