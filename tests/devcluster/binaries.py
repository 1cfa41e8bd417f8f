"""The programs that are built from Go: Kubernetes, etcd, Helm, Prometheus and the pods' pause program."""

import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devcluster import golang
from devcluster.commands import run
from devcluster.errors import CommandError, DevClusterError
from devcluster.paths import PACKAGE, built_once, digest, home
from devcluster.progress import step

ASSETS_VARIABLE = "KUBEBUILDER_ASSETS"


@dataclass(frozen=True)
class Module:
    """A folder of `tools/` with a `go.mod`, and what is built from it."""

    name: str
    packages: tuple[str, ...]
    linker_flags: str = "-s -w"
    static: bool = False
    tags: str = ""

    @property
    def directory(self) -> Path:
        """Where the `go.mod` is."""
        return PACKAGE / "tools" / self.name

    @property
    def output(self) -> Path:
        """The cache folder of the built programs; its name changes with everything that decides on them."""
        sources = sorted(path for path in self.directory.iterdir() if path.suffix in {".mod", ".sum", ".go"})
        settings = f"{self.packages} {self.linker_flags} {self.static} {self.tags} {platform.machine()}".encode()
        return home() / "bin" / f"{self.name}-{digest([settings, *(path.read_bytes() for path in sources)])}"


@dataclass(frozen=True)
class Program:
    """A program, the module that it is built from, and how an existing one shows the right version."""

    name: str
    module: Module
    version_argv: tuple[str, ...] = ("--version",)
    version: str | None = None
    """Text in the printed version; None where no existing program is ever taken."""


KUBERNETES = Module(
    "kubernetes",
    tuple(
        f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
            "kubectl",
        )
    ),
    "-s -w -X k8s.io/component-base/version.gitVersion=v1.34.4"
    " -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34",
)
ETCD = Module("etcd", ("go.etcd.io/etcd/server/v3",))
HELM = Module("helm", ("helm.sh/helm/v3/cmd/helm",), "-s -w -X helm.sh/helm/v3/internal/version.version=v3.19.5")
PAUSE = Module("pause", (".",), static=True)
PROMETHEUS = Module(
    "prometheus",
    ("github.com/prometheus/prometheus/cmd/prometheus",),
    "-s -w -X github.com/prometheus/common/version.Version=3.12.0",
    tags="remove_all_sd,enable_kubernetes_sd",
)
"""Debian's package leaves the discovery of Kubernetes pods out; this leaves out all other discovery."""

PROGRAMS = {
    program.name: program
    for program in (
        *(
            Program(name, KUBERNETES, version="v1.34.")
            for name in (
                "kube-apiserver",
                "kube-controller-manager",
                "kube-scheduler",
                "kubelet",
                "kube-proxy",
            )
        ),
        Program("kubectl", KUBERNETES, ("version", "--client"), "v1.34."),
        Program("etcd", ETCD, version="Version: 3.6."),
        Program("helm", HELM, ("version", "--short"), "v3.19."),
        Program("pause", PAUSE),
        Program("prometheus", PROMETHEUS),
    )
}


def binary(name: str) -> Path:
    """Find `name`: one of the right version in `$KUBEBUILDER_ASSETS` or on PATH, or else our own build.

    Raises:
        DevClusterError: there is no such program in `PROGRAMS`, or it cannot be built.

    """
    program = PROGRAMS.get(name)
    if program is None:
        message = f"there is no program {name!r}; choose one of {', '.join(PROGRAMS)}"
        raise DevClusterError(message)
    return next(_existing(program), None) or built(program.module) / name


def built(module: Module) -> Path:
    """The folder of a module's built programs; the first call builds them, which takes minutes."""

    def build(folder: Path) -> None:
        with step(f"Building {module.name} (only the first time)"):
            run(_build_command(module, folder), cwd=module.directory, env=_build_environment(module))
            _name_after_module(module, folder)

    return built_once(module.output, build)


def build_all() -> None:
    """Build every program that is neither on the machine nor in the cache."""
    for name in PROGRAMS:
        binary(name)


def _existing(program: Program) -> Iterator[Path]:
    if program.version is None:
        return
    for path in (os.environ.get(ASSETS_VARIABLE), os.environ.get("PATH")):
        found = shutil.which(program.name, path=path) if path else None
        if found and program.version in _printed_version(program, found):
            yield Path(found)


def _printed_version(program: Program, path: str) -> str:
    try:
        return run([path, *program.version_argv])
    except CommandError:
        return ""


def _build_command(module: Module, folder: Path) -> list[str | Path]:
    program = golang.go(module.directory)
    flags = ["-trimpath", "-ldflags", module.linker_flags, "-tags", module.tags]
    return ["nice", "-n", "10", program, "build", *flags, "-o", f"{folder}/", *module.packages]


def _build_environment(module: Module) -> dict[str, str]:
    return golang.environment() | ({"CGO_ENABLED": "0"} if module.static else {})


def _name_after_module(module: Module, folder: Path) -> None:
    """Go names a main package after the last element of its path, which is `server` for etcd."""
    files = list(folder.iterdir())
    if len(files) == 1:
        files[0].rename(folder / module.name)
