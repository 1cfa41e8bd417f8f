"""The operator's image, made from the repository's Dockerfile by buildah, on a base made by debootstrap."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from devcluster import pipconfig
from devcluster.commands import run
from devcluster.errors import DevClusterError
from devcluster.images import directory
from devcluster.locks import locked
from devcluster.paths import built_once, digest, home
from devcluster.progress import step

SUITE = "bookworm"
PACKAGES = "ca-certificates,python3,python3-venv"
SOURCES = ("Dockerfile", "pyproject.toml", "requirements", "operator")
CERTIFICATES = Path("/etc/ssl/certs")
PIP_FILE = "/etc/pip.conf"


def build_operator_image(repo: Path, name: str) -> Path:
    """Build the Dockerfile in `repo` as the image `name`, unless nothing changed, and return its archive.

    The machine's pip settings and certificates reach the build as mounts, so they are not part of the image.

    Raises:
        CommandError: the build failed; the message ends with what it printed.
        DevClusterError: the Dockerfile does not begin with an image that the local base can stand for.

    """
    archive = directory() / f"operator-{source_digest(repo, name)}.tar"
    with locked(directory() / ".operator.lock"):
        if not archive.exists():
            base = base_name((repo / "Dockerfile").read_text())
            _make_base(base)
            with step(f"Building {name}"):
                _build(repo, name, archive)
            _forget_others(archive)
    return archive


def source_digest(repo: Path, name: str) -> str:
    """A digest of everything in `repo` that the image depends on, and of the image's name."""
    parts = [name.encode(), SUITE.encode(), PACKAGES.encode()]
    for path in _source_files(repo):
        parts += [str(path.relative_to(repo)).encode(), path.read_bytes()]
    return digest(parts)


def base_name(dockerfile: str) -> str:
    """The image that a Dockerfile builds on: the default of `ARG BASE`, or what the first `FROM` names.

    Raises:
        DevClusterError: it has neither.

    """
    found = re.search(r"^ARG\s+BASE=(\S+)|^FROM\s+([^\s$]+)", dockerfile, re.MULTILINE | re.IGNORECASE)
    if found is None:
        message = "the Dockerfile names no image: give it `ARG BASE=IMAGE` or `FROM IMAGE`"
        raise DevClusterError(message)
    return str(found.group(1) or found.group(2))


def _source_files(repo: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = repo / name
        files: Iterable[Path] = [path] if path.is_file() else path.rglob("*")
        yield from sorted(file for file in files if file.is_file() and "__pycache__" not in file.parts)


def _make_base(name: str) -> None:
    if name in _buildah("images", "--format", "{{.Name}}:{{.Tag}}").split():
        return
    root = built_once(home() / "images" / f"base-{digest([SUITE.encode(), PACKAGES.encode()])}", _debootstrap)
    with step(f"Making the base image {name}"), tempfile.TemporaryDirectory() as folder:
        dockerfile = Path(folder) / "Dockerfile"
        dockerfile.write_text('FROM scratch\nCOPY . /\nCMD ["python3"]\n')
        _buildah("bud", "--isolation", "chroot", "--format", "docker", "-t", name, "-f", dockerfile, root)


def _debootstrap(root: Path) -> None:
    with step(f"Making a Debian {SUITE} with debootstrap (only the first time)"):
        run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, root])
    shutil.rmtree(root / "var/cache/apt", ignore_errors=True)
    shutil.rmtree(root / "var/lib/apt/lists", ignore_errors=True)
    for name in ("python", "python3"):
        (root / "usr/local/bin" / name).symlink_to("/usr/bin/python3")


def _build(repo: Path, name: str, archive: Path) -> None:
    unfinished = archive.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pip_file = Path(folder) / "pip.conf"
        pip_file.write_text(pipconfig.pip_file(pipconfig.settings()))
        pip_file.chmod(0o644)
        volumes = [f"--volume={volume}" for volume in _volumes(pip_file)]
        _buildah("bud", "--isolation", "chroot", "--pull-never", "--format", "docker", *volumes, "-t", name, repo)
    _buildah("push", name, f"docker-archive:{unfinished}:{name}")
    unfinished.rename(archive)
    _buildah("rmi", "--prune")


def _volumes(pip_file: Path) -> Iterator[str]:
    yield f"{pip_file}:{PIP_FILE}:ro"
    yield f"{CERTIFICATES}:{CERTIFICATES}:ro"
    for path in pipconfig.files(pipconfig.settings()):
        if not path.is_relative_to(CERTIFICATES):
            yield f"{path}:{path}:ro"


def _forget_others(archive: Path) -> None:
    for other in archive.parent.glob("operator-*.tar"):
        if other != archive:
            other.unlink()


def _buildah(*arguments: str | Path) -> str:
    storage = home() / "images" / "buildah"
    roots = [f"--root={storage / 'root'}", f"--runroot={storage / 'run'}", "--storage-driver=vfs"]
    return run(["buildah", *roots, *arguments], env={**os.environ, "STORAGE_DRIVER": "vfs"})
