"""Environment variables in front of a command line to `engine.env`."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from specdecode_operator.engine.migration.pieces import Field, Finding, Pieces, dropped, lost
from specdecode_operator.engine.migration.texts import check_written_out, holds_secret

__all__ = ["environment"]

_TOKENS: Final = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_TOKEN"})
_SECRET: Final = re.compile(r".*(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_KEY)S?(_ID)?", re.IGNORECASE)

_DROPPED: Final[Mapping[str, str]] = {
    "CUDA_VISIBLE_DEVICES": "Kubernetes gives each pod its GPUs",
    "NVIDIA_VISIBLE_DEVICES": "Kubernetes gives each pod its GPUs",
    "HF_HOME": "pods keep downloads in a volume of their own",
    "HF_HUB_CACHE": "pods keep downloads in a volume of their own",
    "TRANSFORMERS_CACHE": "pods keep downloads in a volume of their own",
    "VLLM_CACHE_ROOT": "pods keep compiled code in a volume of their own",
    "VLLM_ENGINE_READY_TIMEOUT_S": "it follows from rollout.readyTimeout",
    "VLLM_PORT": "the operator gives the port",
    "VLLM_HOST_IP": "each pod has an address of its own",
}
_OF_THE_MACHINE: Final = frozenset({"PATH", "HOME", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV", "CUDA_HOME"})


def environment(variables: Iterable[tuple[str, str]]) -> Pieces:
    """Yield the variables that the pods get, and what is lost or left out; values of secrets appear nowhere."""
    kept = []
    for name, value in variables:
        finding = _finding(name, value)
        if finding is None:
            check_written_out(name, value)
            kept.append({"name": name, "value": value})
        else:
            yield finding
    if kept:
        yield Field("engine.env", kept)


def _finding(name: str, value: str) -> Finding | None:
    if name in _TOKENS:
        return lost(name, "a value here would show the token", "keep it in a Secret, named by model.tokenSecretRef")
    if _SECRET.fullmatch(name) or holds_secret(value):
        return lost(name, "a value here would show a secret", "give it by podTemplate with a secretKeyRef")
    if name in _DROPPED:
        return dropped(name, _DROPPED[name])
    if name in _OF_THE_MACHINE:
        return lost(name, "it describes the machine, not the image", "bake what it points to into engine.image")
    return _switch(name, value)


def _switch(name: str, value: str) -> Finding | None:
    if name == "VLLM_SERVER_DEV_MODE":
        return lost(name, "it opens control endpoints without authentication", "leave it out")
    if name == "VLLM_USE_V1" and value == "0":
        return lost(name, "the V0 engine is gone since 0.10.0", "leave it out; V1 is what runs")
    if name == "VLLM_USE_V1":
        return dropped(name, "V1 is the only engine")
    return None
