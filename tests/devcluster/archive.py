"""Container images written by hand, in the format of `docker save`."""

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """An image of one layer: programs, texts, links and folders by their path without leading `/`."""

    name: str
    entrypoint: Sequence[str]
    programs: Mapping[str, Path] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, int] = field(default_factory=dict)
    """Folders and their modes."""
    environment: Mapping[str, str] = field(default_factory=dict)


def write(image: Image, path: Path) -> Path:
    """Write the image to the file `path`, the same bytes for the same image, and return `path`."""
    layer = _layer(image)
    config = json.dumps(_config(image, layer)).encode()
    name = f"{hashlib.sha256(config).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": [image.name], "Layers": ["layer.tar"]}]
    with tarfile.open(path, "w") as archive:
        _add(archive, "layer.tar", layer)
        _add(archive, name, config)
        _add(archive, "manifest.json", json.dumps(manifest).encode())
    return path


def _layer(image: Image) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as layer:
        for path, mode in image.folders.items():
            _add_special(layer, path, tarfile.DIRTYPE, mode)
        for path, target in image.links.items():
            _add_special(layer, path, tarfile.SYMTYPE, 0o777, target)
        for path, text in image.texts.items():
            _add(layer, path, text.encode())
        for path, program in image.programs.items():
            _add(layer, path, program.read_bytes(), mode=0o755)
    return buffer.getvalue()


def _config(image: Image, layer: bytes) -> dict[str, Any]:
    return {
        "architecture": ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {
            "Entrypoint": list(image.entrypoint),
            "Env": [f"{name}={value}" for name, value in image.environment.items()],
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }


def _add(archive: tarfile.TarFile, path: str, content: bytes, *, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(path)
    entry.size = len(content)
    entry.mode = mode
    archive.addfile(entry, io.BytesIO(content))


def _add_special(archive: tarfile.TarFile, path: str, kind: bytes, mode: int, target: str = "") -> None:
    entry = tarfile.TarInfo(path)
    entry.type = kind
    entry.mode = mode
    entry.linkname = target
    archive.addfile(entry)
