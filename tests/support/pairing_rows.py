"""The checks of a pair as a table: a case that each refuses, and one beside it that it passes."""

from dataclasses import dataclass, replace

from specdecode_operator.api.remarks import Level
from support.pairs import Case
from support.shapes import (
    DEEPSEEK_V3,
    EAGLE3_8B,
    EAGLE_8B,
    EAGLE_PLAIN_8B,
    LLAMA_1B,
    LLAMA_3B,
    LLAMA_8B,
    LLAMA_70B,
    LLAMA_70B_AWQ,
    LLAMA_405B,
    PHI_4,
    QWEN3_06B,
    QWEN3_8B,
    QWEN3_30B_A3B,
    QWEN3_32B,
    QWEN25_05B,
    QWEN25_7B,
    QWEN25_72B,
)

ADVICE, ERROR, WARNING = Level.ADVICE, Level.ERROR, Level.WARNING

DRAFT = "speculation.draft.name"
METHOD = "speculation.method"
TOKENS = "speculation.numSpeculativeTokens"
GPUS = "engine.tensorParallelSize"
LENGTH = "engine.maxModelLen"

PAIR = Case()
QWEN = Case(QWEN25_72B, QWEN25_7B)
ALONE = Case(draft=None, method="None")
NGRAM = Case(draft=None, method="NGram")
MTP = Case(DEEPSEEK_V3, None, "Mtp", 1)
HEAD = Case(LLAMA_8B, EAGLE_8B, "Eagle", 3)
HEAD3 = Case(LLAMA_8B, EAGLE3_8B, "Eagle3", 3)
BY_TOKENIZER = PAIR.but(target=replace(LLAMA_70B, tokenizer="sha256:a"))
HETEROGENEOUS = {"config": {"use_heterogeneous_vocab": True}}
BITSANDBYTES = replace(LLAMA_70B, name="org/bnb", quantization="bitsandbytes", weight_bits=4)


@dataclass(frozen=True)
class Row:
    """A check that objects to `refused` at `field`, and not to `passed`."""

    code: str
    level: Level
    field: str
    refused: Case
    passed: Case


SHORT_DRAFT = PAIR.but(draft=replace(LLAMA_8B, context_length=8192))
SHORT_HEAD = HEAD3.but(draft=replace(EAGLE3_8B, context_length=2048))
ROWS = {
    "target's facts": Row("FactsUnknown", ADVICE, "model.name", PAIR.but(target=None), PAIR),
    "draft's facts": Row("FactsUnknown", ADVICE, DRAFT, PAIR.but(draft=None), PAIR),
    "no draft to know": Row("FactsUnknown", ADVICE, "model.name", NGRAM.but(target=None), NGRAM),
    "Qwen vocabulary": Row(
        "VocabularyMismatch", ERROR, DRAFT, Case(QWEN25_7B, QWEN25_05B), Case(QWEN25_72B, QWEN25_7B)
    ),
    "vocabulary of a larger draft": Row("VocabularyMismatch", ERROR, DRAFT, PAIR.but(draft=QWEN25_7B), PAIR),
    "heterogeneous vocabulary": Row(
        "VocabularyMismatch",
        ERROR,
        DRAFT,
        QWEN.but(draft=QWEN25_05B),
        QWEN.but(draft=QWEN25_05B, speculation=HETEROGENEOUS),
    ),
    "tokenizer": Row(
        "TokenizerMismatch",
        WARNING,
        DRAFT,
        BY_TOKENIZER.but(draft=replace(LLAMA_8B, tokenizer="sha256:b")),
        BY_TOKENIZER.but(draft=replace(LLAMA_8B, tokenizer="sha256:a")),
    ),
    "tokenizer unknown": Row(
        "TokenizerMismatch",
        WARNING,
        DRAFT,
        BY_TOKENIZER.but(draft=replace(LLAMA_8B, tokenizer="sha256:b")),
        BY_TOKENIZER.but(draft=LLAMA_8B),
    ),
    "tokenizer with heterogeneous vocabularies": Row(
        "TokenizerMismatch",
        WARNING,
        DRAFT,
        BY_TOKENIZER.but(draft=replace(LLAMA_8B, tokenizer="sha256:b")),
        BY_TOKENIZER.but(draft=replace(LLAMA_8B, tokenizer="sha256:b"), speculation=HETEROGENEOUS),
    ),
    "family": Row("FamilyMismatch", WARNING, DRAFT, PAIR.but(draft=replace(LLAMA_8B, model_type="mistral")), PAIR),
    "draft as large": Row("DraftNotSmaller", ERROR, DRAFT, PAIR.but(draft=LLAMA_70B), PAIR),
    "draft larger": Row("DraftNotSmaller", ERROR, DRAFT, PAIR.but(draft=LLAMA_405B), PAIR),
    "draft too large": Row("DraftLarge", WARNING, DRAFT, PAIR.but(target=LLAMA_405B, draft=LLAMA_70B), PAIR),
    "draft too large for the experts that run": Row(
        "DraftLarge",
        WARNING,
        DRAFT,
        Case(QWEN3_30B_A3B, replace(QWEN3_8B, parameters=4_022_000_000)),
        Case(QWEN3_30B_A3B, replace(QWEN3_06B, parameters=400_000_000)),
    ),
    "draft small": Row("DraftSmall", ADVICE, DRAFT, PAIR.but(draft=LLAMA_3B), PAIR),
    "draft very small": Row("DraftSmall", ADVICE, DRAFT, PAIR.but(draft=LLAMA_1B), PAIR),
    "small target": Row(
        "DraftModelForSmallTarget", WARNING, METHOD, Case(QWEN3_8B, QWEN3_06B), Case(QWEN3_32B, QWEN3_06B)
    ),
    "small target with a head": Row("DraftModelForSmallTarget", WARNING, METHOD, Case(LLAMA_8B, LLAMA_1B), HEAD3),
    "few experts that run": Row(
        "DraftModelForSmallTarget", WARNING, METHOD, Case(QWEN3_30B_A3B, QWEN3_06B), Case(QWEN3_32B, QWEN3_06B)
    ),
    "own prediction layers": Row(
        "MtpAvailable", ADVICE, METHOD, PAIR.but(target=replace(LLAMA_70B, mtp_layers=1)), PAIR
    ),
    "plain draft of a 4-bit target": Row(
        "DraftUnquantized",
        WARNING,
        "speculation.draft.quantization",
        PAIR.but(target=LLAMA_70B_AWQ),
        PAIR.but(target=LLAMA_70B_AWQ, draft_fields={"quantization": "fp8_per_tensor"}),
    ),
    "4-bit draft of a 4-bit target": Row(
        "DraftUnquantized",
        WARNING,
        "speculation.draft.quantization",
        PAIR.but(target=LLAMA_70B_AWQ),
        PAIR.but(target=LLAMA_70B_AWQ, draft=replace(LLAMA_8B, quantization="awq", weight_bits=4)),
    ),
    "small plain draft of a 4-bit target": Row(
        "DraftUnquantized",
        WARNING,
        "speculation.draft.quantization",
        PAIR.but(target=LLAMA_70B_AWQ),
        PAIR.but(target=LLAMA_70B_AWQ, draft=LLAMA_1B),
    ),
    "head as a draft model": Row("DraftIsHead", ERROR, METHOD, HEAD3.but(method="DraftModel"), HEAD3),
    "draft model as a head": Row("DraftIsNoHead", ERROR, METHOD, HEAD3.but(draft=LLAMA_1B), HEAD3),
    "head of a plain architecture": Row(
        "DraftIsNoHead", ERROR, METHOD, HEAD.but(draft=LLAMA_1B), HEAD.but(draft=EAGLE_PLAIN_8B)
    ),
    "EAGLE-3 head with EAGLE": Row("HeadMethodMismatch", ERROR, METHOD, HEAD.but(draft=EAGLE3_8B), HEAD),
    "EAGLE head with EAGLE-3": Row("HeadMethodMismatch", ERROR, METHOD, HEAD3.but(draft=EAGLE_8B), HEAD3),
    "P-EAGLE head with EAGLE": Row(
        "HeadMethodMismatch",
        ERROR,
        METHOD,
        HEAD.but(draft=replace(EAGLE_8B, architecture="PEagleDraftModel")),
        HEAD3.but(draft=replace(EAGLE_8B, architecture="PEagleDraftModel")),
    ),
    "width of an EAGLE head": Row("HeadHiddenSizeMismatch", ERROR, DRAFT, HEAD.but(target=LLAMA_70B), HEAD),
    "width of an EAGLE-3 head": Row("HeadHiddenSizeMismatch", WARNING, DRAFT, HEAD3.but(target=LLAMA_70B), HEAD3),
    "vocabulary of an EAGLE head": Row("HeadVocabularyMismatch", ERROR, DRAFT, HEAD.but(target=QWEN3_8B), HEAD),
    "vocabulary of an EAGLE-3 head": Row(
        "HeadVocabularyMismatch",
        ERROR,
        DRAFT,
        HEAD.but(draft=replace(EAGLE_8B, vocabulary_size=32000)),
        HEAD3.but(draft=replace(EAGLE3_8B, vocabulary_size=32000)),
    ),
    "prediction layers": Row("MtpMissing", ERROR, METHOD, MTP.but(target=LLAMA_70B), MTP),
    "prediction layers shipped apart": Row(
        "MtpMissing",
        ERROR,
        METHOD,
        MTP.but(target=LLAMA_70B),
        MTP.but(target=LLAMA_70B, draft=LLAMA_1B, draft_fields={"name": "org/mtp"}),
    ),
    "tokens of two prediction layers": Row(
        "MtpTokensIndivisible",
        ERROR,
        TOKENS,
        MTP.but(target=replace(DEEPSEEK_V3, mtp_layers=2), tokens=3),
        MTP.but(target=replace(DEEPSEEK_V3, mtp_layers=2), tokens=4),
    ),
    "fewer tokens than prediction layers": Row(
        "MtpTokensIndivisible",
        ERROR,
        TOKENS,
        MTP.but(target=replace(DEEPSEEK_V3, mtp_layers=3), tokens=4),
        MTP.but(target=replace(DEEPSEEK_V3, mtp_layers=3), tokens=2),
    ),
    "tokens of layers shipped apart": Row(
        "MtpTokensIndivisible",
        ERROR,
        TOKENS,
        MTP.but(draft=replace(LLAMA_1B, mtp_layers=2), draft_fields={"name": "org/mtp"}, tokens=3),
        MTP.but(draft=replace(LLAMA_1B, mtp_layers=2), draft_fields={"name": "org/mtp"}, tokens=4),
    ),
    "target's heads": Row(
        "TargetHeadsIndivisible",
        ERROR,
        GPUS,
        ALONE.but(target=QWEN25_7B, engine={"tensorParallelSize": 8}),
        ALONE.but(target=QWEN25_7B, engine={"tensorParallelSize": 4}),
    ),
    "draft's heads": Row(
        "DraftHeadsIndivisible",
        ERROR,
        GPUS,
        QWEN.but(draft=QWEN25_05B, engine={"tensorParallelSize": 4}),
        QWEN.but(draft=QWEN25_05B, engine={"tensorParallelSize": 2}),
    ),
    "heads of a draft on one GPU": Row(
        "DraftHeadsIndivisible",
        ERROR,
        GPUS,
        QWEN.but(draft=QWEN25_05B, engine={"tensorParallelSize": 4}),
        QWEN.but(
            draft=QWEN25_05B,
            engine={"tensorParallelSize": 4},
            speculation={"config": {"draft_tensor_parallel_size": 1}},
        ),
    ),
    "KV heads": Row(
        "KvHeadsIndivisible",
        ERROR,
        GPUS,
        ALONE.but(target=PHI_4, engine={"tensorParallelSize": 4}),
        ALONE.but(target=PHI_4, engine={"tensorParallelSize": 2}),
    ),
    "KV heads of the draft": Row(
        "KvHeadsIndivisible",
        ERROR,
        GPUS,
        PAIR.but(draft=replace(LLAMA_8B, kv_heads=6), engine={"tensorParallelSize": 4}),
        PAIR.but(draft=replace(LLAMA_8B, kv_heads=6), engine={"tensorParallelSize": 2}),
    ),
    "fewer KV heads than GPUs": Row(
        "KvHeadsReplicated",
        WARNING,
        GPUS,
        ALONE.but(target=LLAMA_405B, engine={"tensorParallelSize": 16}),
        ALONE.but(target=LLAMA_405B, engine={"tensorParallelSize": 8}),
    ),
    "latent attention": Row(
        "KvHeadsReplicated",
        WARNING,
        GPUS,
        ALONE.but(target=replace(DEEPSEEK_V3, kv_heads=4, latent_kv_dim=None), engine={"tensorParallelSize": 8}),
        ALONE.but(target=replace(DEEPSEEK_V3, kv_heads=4), engine={"tensorParallelSize": 8}),
    ),
    "target's context": Row(
        "ContextExceeded",
        ERROR,
        LENGTH,
        ALONE.but(engine={"maxModelLen": 131073}),
        ALONE.but(engine={"maxModelLen": 131072}),
    ),
    "stretched context": Row(
        "ContextExceeded",
        ERROR,
        LENGTH,
        ALONE.but(engine={"maxModelLen": 131073}),
        ALONE.but(engine={"maxModelLen": 131073, "extraArgs": ['--hf_overrides={"rope_parameters":{}}']}),
    ),
    "context stretched by a variable": Row(
        "ContextExceeded",
        ERROR,
        LENGTH,
        ALONE.but(engine={"maxModelLen": 131073}),
        ALONE.but(engine={"maxModelLen": 131073, "env": [{"name": "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "value": "1"}]}),
    ),
    "a variable that is off stretches nothing": Row(
        "ContextExceeded",
        ERROR,
        LENGTH,
        ALONE.but(engine={"maxModelLen": 131073, "env": [{"name": "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "value": "0"}]}),
        ALONE.but(engine={"maxModelLen": 131073, "env": [{"name": "VLLM_ALLOW_LONG_MAX_MODEL_LEN", "value": "true"}]}),
    ),
    "draft's context": Row(
        "DraftContextShort",
        ERROR,
        LENGTH,
        SHORT_DRAFT.but(engine={"maxModelLen": 8193}),
        SHORT_DRAFT.but(engine={"maxModelLen": 8192}),
    ),
    "draft's context, length unset": Row("DraftContextShort", WARNING, LENGTH, SHORT_DRAFT, PAIR),
    "head's context": Row(
        "DraftContextShort",
        WARNING,
        LENGTH,
        SHORT_HEAD.but(engine={"maxModelLen": 4096}),
        SHORT_HEAD.but(engine={"maxModelLen": 2048}),
    ),
    "draft's context cut": Row(
        "DraftContextShort",
        ERROR,
        LENGTH,
        PAIR.but(engine={"maxModelLen": 8192}, speculation={"config": {"max_model_len": 4096}}),
        PAIR.but(engine={"maxModelLen": 8192}, speculation={"config": {"max_model_len": 8192}}),
    ),
    "draft's own limit": Row(
        "DraftLengthExceeded",
        ERROR,
        "speculation.config.max_model_len",
        SHORT_DRAFT.but(engine={"maxModelLen": 8192}, speculation={"config": {"max_model_len": 8193}}),
        SHORT_DRAFT.but(engine={"maxModelLen": 8192}, speculation={"config": {"max_model_len": 8192}}),
    ),
    "draft's own limit over the target's context": Row(
        "DraftLengthExceeded",
        ERROR,
        "speculation.config.max_model_len",
        PAIR.but(target=replace(LLAMA_70B, context_length=8192), speculation={"config": {"max_model_len": 8193}}),
        PAIR.but(target=replace(LLAMA_70B, context_length=8192), speculation={"config": {"max_model_len": 8192}}),
    ),
    "many tokens": Row("ManyTokens", ADVICE, TOKENS, PAIR.but(tokens=9), PAIR.but(tokens=8)),
    "many tokens without facts": Row(
        "ManyTokens", ADVICE, TOKENS, PAIR.but(tokens=9, target=None, draft=None), NGRAM.but(tokens=9)
    ),
    "another method than the checkpoint's": Row(
        "QuantizationConflict",
        ERROR,
        "model.quantization",
        ALONE.but(target=LLAMA_70B_AWQ, model={"quantization": "gptq"}),
        ALONE.but(target=LLAMA_70B_AWQ, model={"quantization": "awq"}),
    ),
    "another kernel for the checkpoint": Row(
        "QuantizationConflict",
        ERROR,
        "model.quantization",
        ALONE.but(target=LLAMA_70B_AWQ, model={"quantization": "compressed-tensors"}),
        ALONE.but(target=LLAMA_70B_AWQ, model={"quantization": "awq_marlin"}),
    ),
    "quantizing at load what is quantized": Row(
        "QuantizationConflict",
        ERROR,
        "model.quantization",
        ALONE.but(target=LLAMA_70B_AWQ, model={"quantization": "fp8_per_tensor"}),
        ALONE.but(model={"quantization": "fp8_per_tensor"}),
    ),
    "the checkpoint's method, spelled otherwise": Row(
        "QuantizationConflict",
        ERROR,
        "model.quantization",
        ALONE.but(target=replace(LLAMA_70B, quantization="compressed_tensors"), model={"quantization": "fp8"}),
        ALONE.but(
            target=replace(LLAMA_70B, quantization="compressed_tensors"), model={"quantization": "compressed-tensors"}
        ),
    ),
    "another method than the draft's checkpoint": Row(
        "QuantizationConflict",
        ERROR,
        "speculation.draft.quantization",
        PAIR.but(draft=replace(LLAMA_8B, quantization="gptq", weight_bits=4), draft_fields={"quantization": "awq"}),
        PAIR.but(draft=replace(LLAMA_8B, quantization="gptq", weight_bits=4)),
    ),
    "plain weights as quantized ones": Row(
        "QuantizationNotInCheckpoint",
        ERROR,
        "model.quantization",
        ALONE.but(model={"quantization": "awq"}),
        ALONE.but(model={"quantization": "mxfp4"}),
    ),
    "plain weights of the draft as quantized ones": Row(
        "QuantizationNotInCheckpoint",
        ERROR,
        "speculation.draft.quantization",
        PAIR.but(draft_fields={"quantization": "compressed-tensors"}),
        PAIR.but(draft_fields={"quantization": "fp8"}),
    ),
    "ModelOpt without a word in config.json": Row(
        "QuantizationNotInCheckpoint",
        WARNING,
        "model.quantization",
        ALONE.but(model={"quantization": "modelopt"}),
        ALONE.but(target=replace(LLAMA_70B, quantization="modelopt"), model={"quantization": "modelopt_fp4"}),
    ),
    "removed quantizer": Row(
        "CheckpointQuantizerRemoved",
        ERROR,
        "model.name",
        ALONE.but(target=BITSANDBYTES),
        ALONE.but(target=BITSANDBYTES, engine={"version": "0.26.0"}),
    ),
    "removed quantizer of the draft": Row(
        "CheckpointQuantizerRemoved",
        ERROR,
        DRAFT,
        PAIR.but(draft=replace(BITSANDBYTES, parameters=8_030_000_000)),
        PAIR.but(draft=replace(BITSANDBYTES, parameters=8_030_000_000), engine={"version": "0.26.0"}),
    ),
}
