"""What each flag of vLLM becomes, as a table.

Sources: `vllm/engine/arg_utils.py` of 0.6.6 to 0.9.2 for what flags meant, and of 0.32.0 for those that are left.
"""

from collections.abc import Mapping
from typing import Final

from specdecode_operator.engine.migration.handlers import (
    DTYPES,
    Handler,
    acceptance,
    backend,
    device,
    load_format,
    max_model_len,
    number,
    passed_on,
    port,
    ranks,
    secret,
    served_names,
    shutdown,
    speculative_config,
    target_quantization,
    task,
    to_field,
    to_key,
    to_loss,
    to_note,
    to_other_words,
    utilization,
    within,
)
from specdecode_operator.engine.migration.options import Option, is_secret
from specdecode_operator.engine.migration.pieces import Pieces
from specdecode_operator.engine.migration.values import chosen, text, text_or_none
from specdecode_operator.engine.migration.weights import target
from specdecode_operator.engine.versions import Version

__all__ = ["has_rule", "pieces"]

_V0_ONLY: Final = to_note("it steered vLLM's V0 engine, which is gone since 0.10.0; what runs now does without it")
_TLS: Final = to_loss(
    "probes, metrics and the Service of the pods speak plain HTTP", "end TLS at a gateway, an ingress or a mesh"
)
_ONE_POD: Final = to_loss(
    "the resource runs each replica in one pod", "use spec.replicas, or LeaderWorkerSet where one node is too small"
)
_ADAPTERS: Final = to_loss("vLLM has no such adapters any more", "use LoRA: --enable-lora and --lora-modules")
_ROPE: Final = to_loss("vLLM takes it from the model's configuration", "use --hf-overrides in engine.extraArgs")

_FIELDS: Final[Mapping[str, Handler]] = {
    "--model": target,
    "--served-model-name": served_names,
    "--revision": to_field("model.revision", text),
    "--quantization": target_quantization,
    "--load-format": load_format,
    "--tensor-parallel-size": to_field("engine.tensorParallelSize", within(1, 64)),
    "--pipeline-parallel-size": ranks,
    "--data-parallel-size": ranks,
    "--dtype": to_field("engine.dtype", chosen(DTYPES)),
    "--max-model-len": max_model_len,
    "--max-num-seqs": to_field("engine.maxNumSeqs", within(1, 65536)),
    "--gpu-memory-utilization": utilization,
    "--kv-cache-dtype": to_field("engine.kvCacheDtype", text),
    "--shutdown-timeout": shutdown,
}

_SPECULATION: Final[Mapping[str, Handler]] = {
    "--speculative-config": speculative_config,
    "--spec-method": to_key("method", text),
    "--spec-model": to_key("model", text),
    "--spec-tokens": to_key("num_speculative_tokens", within(1, 64)),
    "--speculative-model": to_key("model", text_or_none),
    "--num-speculative-tokens": to_key("num_speculative_tokens", within(1, 64)),
    "--speculative-model-quantization": to_key("quantization", text_or_none),
    "--speculative-draft-tensor-parallel-size": to_key("draft_tensor_parallel_size", within(1, 64)),
    "--speculative-max-model-len": to_key("max_model_len", within(1, 16777216)),
    "--speculative-disable-by-batch-size": to_key("disable_by_batch_size", within(1, 65536)),
    "--ngram-prompt-lookup-max": to_key("prompt_lookup_max", within(1, 64)),
    "--ngram-prompt-lookup-min": to_key("prompt_lookup_min", within(1, 64)),
    "--spec-decoding-acceptance-method": acceptance,
    "--typical-acceptance-sampler-posterior-threshold": to_key("posterior_threshold", number),
    "--typical-acceptance-sampler-posterior-alpha": to_key("posterior_alpha", number),
    "--speculative-disable-mqa-scorer": to_note("vLLM scores all draft tokens in one pass now"),
    "--disable-logprobs-during-spec-decoding": to_note("log probabilities are given with speculation too now"),
    "--num-lookahead-slots": to_note("vLLM takes it from the number of draft tokens"),
}

_OPERATOR: Final[Mapping[str, Handler]] = {
    "--host": to_note("the pods listen on all addresses, behind the Service"),
    "--port": port,
    "--custom-histogram-buckets": to_note("the operator gives the buckets that it judges by"),
    "--help": to_note("it asks for help, and starts no server"),
    "--api-key": secret,
    "--hf-token": to_loss(
        "arguments show secrets to everyone who may read pods",
        "keep it in a Secret, named by model.tokenSecretRef",
    ),
    "--disable-log-stats": to_loss(
        "without statistics there is no /metrics to judge by", "leave it out; logs are quieter with VLLM_LOGGING_LEVEL"
    ),
    "--download-dir": to_loss(
        "pods keep downloads in a volume of their own", "put the weights into a claim, named by model.storage.claim"
    ),
    "--config": to_loss("the file is not read here", "give its options as flags"),
    "--uds": to_loss("the Service reaches pods by TCP", "leave it out"),
    "--grpc": to_loss("the operator's probes and metrics are HTTP", "leave it out"),
    "--ssl-keyfile": _TLS,
    "--ssl-certfile": _TLS,
    "--ssl-ca-certs": _TLS,
    "--ssl-cert-reqs": _TLS,
    "--ssl-ciphers": _TLS,
    "--enable-ssl-refresh": _TLS,
    "--headless": _ONE_POD,
    "--nnodes": _ONE_POD,
    "--node-rank": _ONE_POD,
    "--master-addr": _ONE_POD,
    "--master-port": _ONE_POD,
    "--data-parallel-rank": _ONE_POD,
    "--data-parallel-start-rank": _ONE_POD,
    "--data-parallel-address": _ONE_POD,
    "--data-parallel-external-lb": _ONE_POD,
    "--data-parallel-hybrid-lb": _ONE_POD,
    "--data-parallel-multi-port-external-lb": _ONE_POD,
}

_FORMER: Final[Mapping[str, Handler]] = {
    "--use-v2-block-manager": _V0_ONLY,
    "--num-scheduler-steps": _V0_ONLY,
    "--multi-step-stream-outputs": _V0_ONLY,
    "--scheduler-delay-factor": _V0_ONLY,
    "--disable-async-output-proc": _V0_ONLY,
    "--disable-frontend-multiprocessing": _V0_ONLY,
    "--max-num-partial-prefills": _V0_ONLY,
    "--max-long-partial-prefills": _V0_ONLY,
    "--tokenizer-pool-size": _V0_ONLY,
    "--tokenizer-pool-type": _V0_ONLY,
    "--tokenizer-pool-extra-config": _V0_ONLY,
    "--swap-space": to_note("vLLM computes preempted requests again and swaps nothing"),
    "--preemption-mode": to_note("vLLM always computes preempted requests again"),
    "--max-seq-len-to-capture": to_note("CUDA graphs are captured by batch size, not by length"),
    "--max-context-len-to-capture": to_note("CUDA graphs are captured by batch size, not by length"),
    "--disable-log-requests": to_note("vLLM logs requests only with --enable-log-requests"),
    "--enable-reasoning": to_note("--reasoning-parser alone turns it on"),
    "--enable-lora-bias": to_loss("vLLM has no biases of LoRA adapters any more", "merge the adapter into the weights"),
    "--long-lora-scaling-factors": to_loss("long LoRA is gone", "merge the adapter into the weights"),
    "--lora-extra-vocab-size": to_loss("adapters add no vocabulary any more", "merge the adapter into the weights"),
    "--qlora-adapter-name-or-path": _ADAPTERS,
    "--enable-prompt-adapter": _ADAPTERS,
    "--max-prompt-adapters": _ADAPTERS,
    "--max-prompt-adapter-token": _ADAPTERS,
    "--prompt-adapters": _ADAPTERS,
    "--quantization-param-path": to_loss("vLLM takes KV scales from the checkpoint", "use a checkpoint that has them"),
    "--calculate-kv-scales": to_loss("vLLM takes KV scales from the checkpoint", "use a checkpoint that has them"),
    "--rope-scaling": _ROPE,
    "--rope-theta": _ROPE,
    "--logits-processor-pattern": to_loss(
        "requests cannot name processors any more", "use --logits-processors, which speculation excludes"
    ),
    "--override-neuron-config": to_loss("Neuron devices are a plugin now", "use --additional-config with its image"),
    "--override-pooler-config": to_other_words("it has another name now", "--pooler-config", "{}"),
    "--cuda-graph-sizes": to_other_words("it has another name now", "--cudagraph-capture-sizes", "{}"),
    "--disable-mm-preprocessor-cache": to_other_words("it is a size now", "--mm-processor-cache-gb", "0"),
    "--enable-multimodal-encoder-data-parallel": to_other_words("it is a mode now", "--mm-encoder-tp-mode", "data"),
    "--worker-use-ray": to_other_words("it is a backend now", "--distributed-executor-backend", "ray"),
    "--engine-use-ray": _V0_ONLY,
    "--guided-decoding-backend": backend,
    "--guided-decoding-disable-fallback": _V0_ONLY,
    "--guided-decoding-disable-any-whitespace": _V0_ONLY,
    "--guided-decoding-disable-additional-properties": _V0_ONLY,
    "--task": task,
    "--device": device,
}

_RULES: Final[Mapping[str, Handler]] = {**_FIELDS, **_SPECULATION, **_OPERATOR, **_FORMER}


def has_rule(flag: str) -> bool:
    """Whether the operator knows what `flag` means; of such a flag the last one counts, as in vLLM."""
    return flag in _RULES


def pieces(option: Option, version: Version) -> Pieces:
    """Yield what `option` becomes where the pods run vLLM `version`.

    Raises `MalformedCommand` where its value cannot be read. A value that may be a secret is never repeated.
    """
    if option.negated and has_rule(option.flag):
        return
    handler = _RULES.get(option.flag, secret if is_secret(option.flag) else passed_on)
    yield from handler(option, version)
