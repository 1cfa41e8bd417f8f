"""What is known of models and GPUs: facts, pairing, memory. Pure: no clock, no I/O, no kopf."""

from specdecode_operator.sizing.facts import ModelFacts
from specdecode_operator.sizing.pairing import pairing

__all__ = ["ModelFacts", "pairing"]
