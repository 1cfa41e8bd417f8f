"""Merge of `podTemplate` over the rendered pod, by the list keys of Kubernetes' strategic merge patch.

The keys are the `patchMergeKey` tags of `k8s.io/api/core/v1/types.go` (1.34); every other list is replaced as a whole.
"""

from collections.abc import Mapping
from typing import Any, Final

from specdecode_operator.workload.errors import InvalidPodTemplate

__all__ = ["merge"]

_KEYS: Final = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "resourceClaims": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "ports": "containerPort",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
}


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any], path: str = "podTemplate") -> dict[str, Any]:
    """Return `base` with `overlay` over it; `path` is named in errors.

    A null removes the field, as in a strategic merge patch. Raises `InvalidPodTemplate` where an entry of a keyed list
    lacks its key or where the types differ.
    """
    merged = dict(base)
    for name, value in overlay.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _value(name, merged.get(name), value, f"{path}.{name}")
    return merged


def _value(name: str, base: Any, overlay: Any, path: str) -> Any:  # noqa: ANN401 - any JSON value
    if base is None:
        return merge({}, overlay, path) if isinstance(overlay, Mapping) else overlay
    if isinstance(base, Mapping):
        if not isinstance(overlay, Mapping):
            raise InvalidPodTemplate(f"{path}: must be an object")
        return merge(base, overlay, path)
    if isinstance(base, list) and name in _KEYS:
        return _list(base, overlay, _KEYS[name], path)
    return overlay


def _list(base: list[Any], overlay: Any, key: str, path: str) -> list[Any]:  # noqa: ANN401 - any JSON value
    if not isinstance(overlay, list):
        raise InvalidPodTemplate(f"{path}: must be a list")
    merged = {entry[key]: entry for entry in base}
    for index, entry in enumerate(overlay):
        if not isinstance(entry, Mapping) or not isinstance(entry.get(key), str | int):
            raise InvalidPodTemplate(f"{path}[{index}]: needs {key}, by which the entry is merged")
        known = merged.get(entry[key])
        merged[entry[key]] = merge(known or {}, entry, f"{path}[{entry[key]}]")
    return list(merged.values())
