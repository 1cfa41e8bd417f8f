"""Makes the development environment: a virtual environment with exactly the locked packages.

Runs under the system's Python with the standard library alone, before anything is installed.
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)


def main() -> None:
    """Make the environment in the folder that the command line names."""
    folder = Path(sys.argv[1]).absolute()
    if sys.version_info < OLDEST:
        sys.exit(f"Python {sys.version.split()[0]} is too old: 3.11 or later is needed; call make PYTHON=python3.11")
    make_environment(folder)
    python = folder / "bin" / "python"
    requirements = [f"--requirement={REPOSITORY / 'requirements' / name}" for name in ("dev.txt", "build.txt")]
    for file in requirements:
        pip(python, "--require-hashes", file)
    pip(python, "--no-deps", "--no-build-isolation", "--editable", str(REPOSITORY))


def make_environment(folder: Path) -> None:
    """Make an empty environment; Debian keeps what that needs in a package of its own."""
    command = [sys.executable, "-m", "venv", "--clear", str(folder)]
    if not has_ensurepip():
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        sys.exit(f"Python's venv module is incomplete; install it first: apt-get install python{version}-venv")
    subprocess.run(command, check=True)


def has_ensurepip() -> bool:
    """Whether a virtual environment with pip can be made; installs Debian's package for it where root may."""
    if installed_ensurepip():
        return True
    try:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "python3-venv"], check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return installed_ensurepip()


def installed_ensurepip() -> bool:
    """Whether Python has its bundled pip (importing it proves nothing on Debian)."""
    return (Path(sysconfig.get_path("stdlib")) / "ensurepip" / "__init__.py").is_file()


def pip(python: Path, *arguments: str) -> None:
    """Install with pip, quietly."""
    options = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]
    subprocess.run([str(python), "-m", "pip", "install", *options, *arguments], check=True)


if __name__ == "__main__":
    main()
