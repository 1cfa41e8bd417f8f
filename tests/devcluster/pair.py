"""The test models: made and measured once, then kept."""

from pathlib import Path

from devcluster import engine
from devcluster.commands import run
from devcluster.paths import PACKAGE, built_once, digest, home
from devcluster.progress import step

SOURCES = PACKAGE / "models"


def pair() -> Path:
    """Return the folder with `target`, `draft` and `prompts.json`.

    Raises:
        CommandError: the models could not be made, or miss a bound of `models/bounds.py` when they are measured.

    """
    files = sorted(SOURCES.glob("*.py"))
    return built_once(home() / "models" / digest(path.read_bytes() for path in files), _build)


def _build(folder: Path) -> None:
    with step("Making the test models (only the first time)"):
        _models("build", folder)
    with step("Measuring the test models with and without speculation (only the first time, about five minutes)"):
        _models("check", folder)


def _models(command: str, folder: Path) -> None:
    run([engine.python(), "-m", "devcluster.models", command, folder], cwd=PACKAGE.parent)
