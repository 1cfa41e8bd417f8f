"""Programs that are distributed as Python packages."""

import sys
from pathlib import Path

from devcluster.commands import run
from devcluster.paths import built_once, digest, home
from devcluster.progress import step


def installed(requirement: str) -> Path:
    """A folder of its own that `requirement` (one pinned package without dependencies) is installed into."""

    def install(folder: Path) -> None:
        with step(f"Installing {requirement} from the package index"):
            run([sys.executable, "-m", "pip", "install", "--no-deps", "--target", folder, requirement])

    name = requirement.partition("==")[0]
    return built_once(home() / "tools" / f"{name}-{digest([requirement.encode()])}", install)
