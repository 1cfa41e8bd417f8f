"""What is known of models and GPUs: facts, pairing, memory. Pure: no clock, no I/O, no kopf."""

from specdecode_operator.sizing.catalog import catalog_names, find
from specdecode_operator.sizing.config_json import from_config
from specdecode_operator.sizing.errors import SizingError, UnreadableConfig
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.gpus import GPUS, Gpu, find_gpu
from specdecode_operator.sizing.pairs import KnownDraft, drafts_for, eagle3_head
from specdecode_operator.sizing.weights import WeightFormat, simple_bytes, weight_bytes, weight_format

__all__ = [
    "GPUS",
    "Gpu",
    "KnownDraft",
    "ModelFacts",
    "SizingError",
    "UnreadableConfig",
    "WeightFormat",
    "catalog_names",
    "drafts_for",
    "eagle3_head",
    "find",
    "find_gpu",
    "from_config",
    "simple_bytes",
    "weight_bytes",
    "weight_format",
]
