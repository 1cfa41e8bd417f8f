"""Environments in which a version of vLLM reads arguments: no GPU, no weights.

The build for CPUs is the development cluster's engine. A version that exists only as a build for GPUs is
installed alone, over the packages of the first: reading arguments needs neither its kernels nor its own torch.
"""

from pathlib import Path
from typing import Final

from devcluster import engine, pipconfig
from devcluster.commands import run
from devcluster.paths import built_once, digest, home
from devcluster.progress import step

__all__ = ["VERSIONS", "python"]

REQUIREMENTS: Final = Path(__file__).resolve().parent / "requirements"
CPU_BUILD: Final = "0.32.0"
VERSIONS: Final = (CPU_BUILD, "0.33.0")
"""Versions whose real parser and validation are asked."""


def python(version: str) -> Path:
    """The Python that has vLLM `version`; installed on first use (about 6 GB, 1 GB for each after the first)."""
    return engine.python() if version == CPU_BUILD else _layered(version) / "bin" / "python"


def _layered(version: str) -> Path:
    requirements = REQUIREMENTS / f"vllm-{version}.txt"
    key = digest([requirements.read_bytes(), str(engine.location()).encode()])
    return built_once(home() / "contract" / f"{version}-{key}", lambda folder: _install(folder, requirements))


def _install(folder: Path, requirements: Path) -> None:
    env = pipconfig.uv_environment(pipconfig.settings())
    below = next(engine.environment().glob("lib/python*/site-packages"))
    with step(f"Installing {requirements.stem} over the engine's packages (only the first time)"):
        run(
            [engine.uv(), "venv", "--relocatable", "--allow-existing", "--python", engine.base_python(), folder],
            env=env,
        )
        run([engine.uv(), "pip", "install", "--python", folder, *engine.INSTALL_FLAGS, "-r", requirements], env=env)
        site = next(folder.glob("lib/python*/site-packages"))
        (site / "engine.pth").write_text(f"import site; site.addsitedir({str(below)!r})\n")
