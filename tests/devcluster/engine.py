"""The engine: vLLM's build for CPUs in a virtual environment, and how a container gets it."""

import os
import shutil
import sys
from pathlib import Path

from devcluster import pipconfig, pypi
from devcluster.commands import run
from devcluster.paths import PACKAGE, built_once, digest, home
from devcluster.progress import step

REQUIREMENTS = PACKAGE / "requirements" / "engine.txt"
SITE = PACKAGE / "engine_site"
"""Files that go beside vLLM's: permission for AMX tiles, and the metadata that `vllm serve` asks for."""
UV = "uv==0.13.9"
CONTAINER_DIRECTORY = "/opt/vllm"
INSTALL_FLAGS = ("--no-deps", "--require-hashes", "--compile-bytecode")


def python() -> Path:
    """The engine's Python; `-m vllm.entrypoints.cli.main serve MODEL` runs vLLM. Built on first use."""
    return environment() / "bin" / "python"


def environment() -> Path:
    """The virtual environment of the engine, about 6 GB; built on first use."""
    return built_once(location(), _build)


def location() -> Path:
    """Where the virtual environment is, or will be: the name changes with everything that decides on it."""
    sources = sorted(path for path in SITE.rglob("*") if path.is_file() and path.suffix != ".pyc")
    key = digest([sys.version.encode(), REQUIREMENTS.read_bytes(), *(path.read_bytes() for path in sources)])
    return home() / "engine" / key


def mounts() -> dict[Path, str]:
    """Folders of this machine that a container of the engine sees, read-only, and where it sees them."""
    base = Path(sys.base_prefix).resolve()
    own = {} if base.is_relative_to("/usr") else {base: str(base)}
    return {Path("/usr"): "/usr", environment(): CONTAINER_DIRECTORY, **own}


def uv() -> str:
    """The program uv: the machine's, or one of our own."""
    return shutil.which("uv") or str(pypi.installed(UV) / "bin" / "uv")


def base_python() -> str:
    """The interpreter below this process's own environment."""
    return os.path.realpath(sys.executable)


def _build(folder: Path) -> None:
    env = pipconfig.uv_environment(pipconfig.settings())
    with step("Installing vLLM for CPUs (only the first time)"):
        run([uv(), "venv", "--relocatable", "--allow-existing", "--python", base_python(), folder], env=env)
        run([uv(), "pip", "install", "--python", folder, *INSTALL_FLAGS, "-r", REQUIREMENTS], env=env)
        site = next(folder.glob("lib/python*/site-packages"))
        shutil.copytree(SITE, site, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
