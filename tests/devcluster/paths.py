"""Where the development cluster keeps its files."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from devcluster.locks import locked

HOME_VARIABLE = "SPECDECODE_DEVCLUSTER_HOME"
PACKAGE = Path(__file__).resolve().parent


def home() -> Path:
    """The folder of caches and running cluster: `$SPECDECODE_DEVCLUSTER_HOME`, or one in `~/.cache`."""
    configured = os.environ.get(HOME_VARIABLE)
    default = Path.home() / ".cache" / "specdecode-devcluster"
    return (Path(configured) if configured else default).resolve()


def run_directory() -> Path:
    """The folder of the running cluster: data, sockets, logs and pid files; `down` removes it."""
    return home() / "run"


def kubeconfig() -> Path:
    """The administrator's kubeconfig of the running cluster."""
    return run_directory() / "controlplane" / "admin.kubeconfig"


def digest(parts: Iterable[bytes]) -> str:
    """Sixteen hexadecimal digits that change when any of `parts` or their order does."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:16]


def built_once(target: Path, build: Callable[[Path], None]) -> Path:
    """Return the folder `target`, and have `build` fill it first if it does not exist.

    `build` gets an empty folder beside `target` that is renamed when it is complete. Other processes wait.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_name(f".{target.name}.lock")):
        if not target.exists():
            _build(target, build)
    return target


def _build(target: Path, build: Callable[[Path], None]) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        build(unfinished)
        unfinished.chmod(0o755)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
