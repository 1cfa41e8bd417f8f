"""A resource with five faults of five kinds, for what has to name them all at once."""

from typing import Any

LLAMA_8B = "meta-llama/Llama-3.1-8B-Instruct"
SOUND: dict[str, Any] = {
    "model": {"name": LLAMA_8B},
    "speculation": {"method": "NGram", "numSpeculativeTokens": 4},
    "engine": {"maxModelLen": 8192, "maxNumSeqs": 64},
    "resources": {"gpu": {"product": "H100"}},
}
FIVE_FAULTS: dict[str, Any] = {
    "replica": 2,
    "engine": {"maxNumSeqs": -1, "version": "0.23.0", "maxModelLen": 8192},
    "model": {"name": LLAMA_8B, "quantization": "awq"},
    "speculation": {
        "method": "DraftModel",
        "draft": {"name": "Qwen/Qwen2.5-0.5B-Instruct"},
        "numSpeculativeTokens": 4,
        "batchSizeSchedule": [{"upTo": 8, "tokens": 4}, {"tokens": 0}],
    },
}
