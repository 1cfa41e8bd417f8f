"""The pods' network: a bridge of this machine, and its CNI configuration."""

import contextlib
import json
from pathlib import Path

from devcluster.commands import run, succeeds
from devcluster.errors import CommandError

BRIDGE = "cni0"
GATEWAY = "10.244.0.1"
"""This machine's address on the bridge: the node's own address, reached from the host and from every pod."""
POD_RANGE = "10.244.0.0/24"
CNI_PLUGINS = Path("/usr/lib/cni")
CNI_RECORDS = Path("/var/lib/cni/results")
CNI_NAME = "specdecode-devcluster"
FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def create(directory: Path) -> None:
    """Make the bridge, let the kernel forward packets, and write the CNI configuration below `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    _forwarding_before(directory).write_text(FORWARDING.read_text())
    FORWARDING.write_text("1\n")
    run(["ip", "link", "add", BRIDGE, "type", "bridge"])
    run(["ip", "address", "add", f"{GATEWAY}/24", "dev", BRIDGE])
    run(["ip", "link", "set", BRIDGE, "up"])
    _write_configuration(directory)


def configuration(directory: Path) -> Path:
    """The folder of the CNI configuration."""
    return directory / "conf.d"


def remove(directory: Path) -> None:
    """Undo `create`, and remove kube-proxy's rules; what is not there is no error."""
    if succeeds(["ip", "link", "show", BRIDGE]):
        run(["ip", "link", "delete", BRIDGE])
    for family in ("ip", "ip6"):
        with contextlib.suppress(CommandError):
            run(["nft", "delete", "table", family, "kube-proxy"])
    with contextlib.suppress(FileNotFoundError):
        FORWARDING.write_text(_forwarding_before(directory).read_text())


def _write_configuration(directory: Path) -> None:
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_RANGE, "gateway": GATEWAY}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": str(directory / "addresses"),
    }
    bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "hairpinMode": True, "ipam": addresses}
    document = {"cniVersion": "0.4.0", "name": CNI_NAME, "plugins": [bridge]}
    configuration(directory).mkdir()
    (configuration(directory) / "10-bridge.conflist").write_text(json.dumps(document))


def _forwarding_before(directory: Path) -> Path:
    return directory / "ip_forward.before"
