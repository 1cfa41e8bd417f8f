"""The node: kubelet and kube-proxy on this machine, which say that it has GPUs."""

import json
from pathlib import Path
from typing import Any

import yaml

from devcluster import containerd, network
from devcluster.binaries import binary
from devcluster.controlplane import ControlPlane
from devcluster.errors import CommandError
from devcluster.kubectl import get, kubectl
from devcluster.paths import kubeconfig, run_directory
from devcluster.probes import answers
from devcluster.processes import Daemon
from devcluster.waiting import wait_until

NAME = "devcluster"
GPU = "nvidia.com/gpu"
GPUS = "4"
READY_SECONDS = 90.0


def directory() -> Path:
    """Where kubelet and kube-proxy keep everything."""
    return run_directory() / "node"


def start(plane: ControlPlane) -> None:
    """Start kubelet and kube-proxy and return when the node is ready and has its GPUs.

    Raises:
        NotReadyError: that took longer than 90 seconds.

    """
    directory().mkdir(parents=True, exist_ok=True)
    _start_kubelet(plane)
    wait_until(is_registered, seconds=READY_SECONDS, what=f"node {NAME} registered")
    _start_proxy(plane)
    wait_until(is_ready, seconds=READY_SECONDS, what=f"node {NAME} Ready")
    ensure_gpus()


def ensure_gpus() -> None:
    """Have the node offer its GPUs, again if the kubelet has dropped them.

    Raises:
        NotReadyError: the kubelet drops them again and again.

    """

    def offered() -> bool:
        if gpus() != GPUS:
            _offer_gpus()
        return gpus() == GPUS

    wait_until(offered, seconds=READY_SECONDS, what=f"{GPUS} GPUs offered")


def is_registered() -> bool:
    """Tell whether the node object exists."""
    return bool(_status())


def is_ready() -> bool:
    """Tell whether the node is Ready."""
    conditions = _status().get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def gpus() -> str:
    """How many GPUs pods can ask for."""
    return str(_status().get("allocatable", {}).get(GPU, "0"))


def _status() -> dict[str, Any]:
    if not kubeconfig().exists():
        return {}
    try:
        status: dict[str, Any] = get(kubeconfig(), "node", NAME)["status"]
    except CommandError:
        return {}
    return status


def _offer_gpus() -> None:
    amounts = {"capacity": {GPU: GPUS}, "allocatable": {GPU: GPUS}}
    patch = json.dumps({"status": amounts})
    kubectl(kubeconfig(), "patch", "node", NAME, "--subresource=status", "--type=merge", "-p", patch)


def _start_kubelet(plane: ControlPlane) -> None:
    user = f"system:node:{NAME}"
    credential = plane.issue("kubelet", user=user, group="system:nodes", hosts=(network.GATEWAY, NAME))
    config = directory() / "kubelet.yaml"
    settings = _kubelet_settings(plane.authority)
    settings |= {"tlsCertFile": str(credential.certificate), "tlsPrivateKeyFile": str(credential.key)}
    config.write_text(yaml.safe_dump(settings))
    flags = (
        f"--config={config}",
        f"--kubeconfig={plane.write_kubeconfig(directory() / 'kubelet.kubeconfig', credential)}",
        f"--root-dir={directory() / 'kubelet'}",
        f"--cert-dir={directory() / 'kubelet' / 'pki'}",
        f"--hostname-override={NAME}",
        f"--node-ip={network.GATEWAY}",
    )
    kubelet = Daemon("kubelet", directory(), (str(binary("kubelet")), *flags))
    kubelet.start(lambda: answers("http://127.0.0.1:10248/healthz"))


def _kubelet_settings(authority: Path) -> dict[str, Any]:
    """No name server runs: look-ups are refused at once, and the kubelet does not warn about every pod."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(authority)},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [network.GATEWAY],
        "containerRuntimeEndpoint": f"unix://{containerd.socket()}",
        "enforceNodeAllocatable": [],
        "oomScoreAdj": 0,
        "evictionHard": {
            "memory.available": "200Mi",
            "nodefs.available": "500Mi",
            "imagefs.available": "500Mi",
        },
        "imageGCHighThresholdPercent": 100,
        "clusterDomain": "cluster.local",
        "podLogsDir": str(directory() / "pod-logs"),
        "volumePluginDir": str(directory() / "volume-plugins"),
    }


def _start_proxy(plane: ControlPlane) -> None:
    credential = plane.issue("kube-proxy", user="system:kube-proxy")
    client = plane.write_kubeconfig(directory() / "kube-proxy.kubeconfig", credential)
    config = directory() / "kube-proxy.yaml"
    config.write_text(yaml.safe_dump(_proxy_settings(client)))
    proxy = Daemon("kube-proxy", directory(), (str(binary("kube-proxy")), f"--config={config}"))
    proxy.start(lambda: answers("http://127.0.0.1:10256/healthz"))


def _proxy_settings(client: Path) -> dict[str, Any]:
    """All traffic is masqueraded, as the kernel may not filter what crosses a bridge between two pods."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "nftables": {"masqueradeAll": True},
        "clusterCIDR": network.POD_RANGE,
        "hostnameOverride": NAME,
        "clientConnection": {"kubeconfig": str(client)},
        "conntrack": {"maxPerCore": 0},
        "oomScoreAdj": 0,
    }
