"""The container runtime: a containerd of the cluster's own, apart from one that the machine may have."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devcluster import engine, images, network
from devcluster.commands import run, succeeds
from devcluster.paths import run_directory
from devcluster.processes import Daemon

NAMESPACE = "k8s.io"
ENGINE_HANDLER = "nvidia"
"""The runtime handler that mounts the engine into a container; the default one mounts nothing."""

CONFIGURATION = """\
version = 2
root = "{root}"
state = "{state}"

[grpc]
address = "{socket}"

[plugins."io.containerd.internal.v1.opt"]
path = "{directory}/opt"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause}"
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{networks}"

[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
Root = "{directory}/runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}]
runtime_type = "io.containerd.runc.v2"
base_runtime_spec = "{specification}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.{handler}.options]
Root = "{directory}/runc"
"""


def directory() -> Path:
    """Where the runtime keeps everything."""
    return run_directory() / "containerd"


def socket() -> Path:
    """The runtime's socket."""
    return directory() / "containerd.sock"


def daemon() -> Daemon:
    """The runtime as a process."""
    return Daemon("containerd", directory(), ("containerd", "--config", str(directory() / "config.toml")))


def start() -> None:
    """Write the configuration and start the runtime.

    Raises:
        NotReadyError: it does not answer within a minute.

    """
    directory().mkdir(parents=True, exist_ok=True)
    _specification_file().write_text(json.dumps(_engine_specification()))
    (directory() / "config.toml").write_text(_configuration())
    daemon().start(is_ready)


def is_ready() -> bool:
    """Tell whether the runtime answers."""
    return succeeds(["ctr", f"--address={socket()}", "version"])


def mounts_current_engine() -> bool:
    """Tell whether containers get the engine that the requirements describe now."""
    file = _specification_file()
    return file.exists() and json.dumps(str(engine.location())) in file.read_text()


def import_image(archive: Path) -> None:
    """Load an archive in the format of `docker save` under the names that it holds.

    Raises:
        CommandError: the runtime refused it.

    """
    _ctr("images", "import", str(archive))


def image_names() -> list[str]:
    """The names of the images that pods can use.

    Raises:
        CommandError: the runtime does not answer.

    """
    return sorted(name for name in _ctr("images", "list", "--quiet").split() if not name.startswith("sha256:"))


def tasks() -> Iterator[Path]:
    """The folders of the running containers, each with an `init.pid` and the `address` of its shim."""
    return (directory() / "state" / "io.containerd.runtime.v2.task" / NAMESPACE).glob("*")


def _ctr(*arguments: str) -> str:
    return run(["ctr", f"--address={socket()}", f"--namespace={NAMESPACE}", *arguments])


def _specification_file() -> Path:
    return directory() / "engine-spec.json"


def _configuration() -> str:
    return CONFIGURATION.format(
        directory=directory(),
        root=directory() / "root",
        state=directory() / "state",
        socket=socket(),
        pause=images.PAUSE,
        plugins=network.CNI_PLUGINS,
        networks=network.configuration(run_directory() / "network"),
        handler=ENGINE_HANDLER,
        specification=_specification_file(),
    )


def _engine_specification() -> dict[str, Any]:
    specification: dict[str, Any] = json.loads(run(["ctr", "oci", "spec"]))
    options = ["rbind", "ro", "nosuid", "nodev"]
    specification["mounts"] += [
        {"type": "bind", "source": str(source), "destination": destination, "options": options}
        for source, destination in engine.mounts().items()
    ]
    return specification
