"""What is known of models and GPUs: facts, pairing, memory. Pure: no clock, no I/O, no kopf."""

from specdecode_operator.sizing.advice import Advice, Candidate, Question, advise
from specdecode_operator.sizing.catalog import catalog_names, find
from specdecode_operator.sizing.config_json import from_config
from specdecode_operator.sizing.errors import SizingError, UnreadableConfig
from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.given import from_facts
from specdecode_operator.sizing.gpus import GPUS, Gpu, find_gpu
from specdecode_operator.sizing.heads import as_head, eagle3_head
from specdecode_operator.sizing.load import Load
from specdecode_operator.sizing.memory import MemoryPlan, kv_bytes_per_token, memory_plan
from specdecode_operator.sizing.memory_remarks import memory_remarks, memory_unknown
from specdecode_operator.sizing.pairing import pairing
from specdecode_operator.sizing.pairs import KnownDraft, drafts_for, find_draft
from specdecode_operator.sizing.preflight import (
    Examination,
    Lookup,
    examine_rungs,
    gathered,
    located,
    preflight,
    summary,
)
from specdecode_operator.sizing.reduced import facts_found, reduced
from specdecode_operator.sizing.reserves import Reserves, estimate_reserves
from specdecode_operator.sizing.weights import WeightFormat, simple_bytes, weight_bytes, weight_format

__all__ = [
    "GPUS",
    "Advice",
    "Candidate",
    "Examination",
    "Gpu",
    "KnownDraft",
    "Load",
    "Lookup",
    "MemoryPlan",
    "ModelFacts",
    "Question",
    "Reserves",
    "SizingError",
    "UnreadableConfig",
    "WeightFormat",
    "advise",
    "as_head",
    "catalog_names",
    "drafts_for",
    "eagle3_head",
    "estimate_reserves",
    "examine_rungs",
    "facts_found",
    "find",
    "find_draft",
    "find_gpu",
    "from_config",
    "from_facts",
    "gathered",
    "kv_bytes_per_token",
    "located",
    "memory_plan",
    "memory_remarks",
    "memory_unknown",
    "pairing",
    "preflight",
    "reduced",
    "simple_bytes",
    "summary",
    "weight_bytes",
    "weight_format",
]
