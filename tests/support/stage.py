"""Everything that the demo and the end-to-end tests stand on: cluster, models, image, chart, resource."""

import json
import tempfile
from pathlib import Path
from typing import Any

import yaml

from devcluster import cluster, prometheus
from devcluster.binaries import binary
from devcluster.commands import run
from devcluster.images import OPERATOR
from devcluster.kubectl import get, kubectl
from devcluster.pair import pair
from devcluster.paths import kubeconfig
from devcluster.progress import step

REPOSITORY = Path(__file__).resolve().parents[2]
SYSTEM = "specdecode-system"
RELEASE = "specdecode-operator"
CHART = REPOSITORY / "charts" / "specdecode-operator"

Manifest = dict[str, Any]


def prepare() -> Path:
    """Start the cluster, load the operator's image and return the folder of the test models."""
    cluster.up()
    cluster.load_operator(REPOSITORY)
    return pair()


def install() -> None:
    """Install the chart with the real helm, as its README says, and wait until the operator is ready."""
    repository, tag = OPERATOR.rsplit(":", 1)
    endpoint = {"name": "default", "url": prometheus.URL, "scrapeIntervalSeconds": 2}
    values = {
        "image": {"repository": repository, "tag": tag},
        "settings": {"endpoints": [endpoint], "evaluationIntervalSeconds": 5},
    }
    with step("Installing the chart"), tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(values, file)
        file.flush()
        helm("upgrade", "--install", RELEASE, CHART, f"--values={file.name}")
        # A new image under the same tag is taken by a new pod alone.
        kube("rollout", "restart", f"deployment/{RELEASE}", f"--namespace={SYSTEM}")
        kube("rollout", "status", f"deployment/{RELEASE}", f"--namespace={SYSTEM}", "--timeout=180s")


def helm(*arguments: str | Path) -> str:
    """Run helm in the operator's namespace."""
    options = (f"--kubeconfig={kubeconfig()}", f"--namespace={SYSTEM}", "--create-namespace")
    return run([binary("helm"), *arguments, *options])


def kube(*arguments: str, stdin: str | None = None) -> str:
    """Run kubectl as the administrator."""
    return kubectl(kubeconfig(), *arguments, stdin=stdin)


def read(*arguments: str) -> Manifest:
    """Return what `kubectl get` finds."""
    return get(kubeconfig(), *arguments)


def resource(models: Path, namespace: str, *, replicas: int, name: str = "chat", **policy: Manifest) -> Manifest:
    """Return the sample: a real draft-model pair, and a policy that acts within minutes instead of half an hour."""
    return {
        "apiVersion": "specdecode.dev/v1alpha1",
        "kind": "SpecDecodeDeployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "model": {"name": "target", "storage": {"hostPath": str(models)}},
            "speculation": {"method": "DraftModel", "draft": {"name": "draft"}, "numSpeculativeTokens": 4},
            "engine": {
                "version": "0.32.0",
                "dtype": "float32",
                "maxModelLen": 1024,
                "maxNumSeqs": 16,
                "extraArgs": ["--enforce-eager"],
            },
            "resources": {"limits": {"cpu": 1, "memory": "6Gi"}, "requests": {"cpu": "100m", "memory": "1Gi"}},
            "podTemplate": {"spec": {"runtimeClassName": "nvidia"}},
            "rollout": {"readyTimeout": "8m", "drainTimeout": "30s"},
            "policy": {
                "mode": "Enforce",
                "acceptance": {"disableBelowPercent": 50},
                "window": {"short": "20s", "long": "60s", "minimumRequests": {"short": 5, "long": 15}},
                "trial": {"mode": "Always", "minDuration": "30s", "maxDuration": "4m"},
                "probe": {"minBackoff": "30s"},
                "budget": {"cooldown": "30s"},
            }
            | policy,
        },
    }


def apply(manifest: Manifest) -> None:
    """Apply a manifest, and its namespace before it."""
    namespace = manifest["metadata"]["namespace"]
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
    kube("apply", "-f", "-", stdin=json.dumps(body))
    kube("apply", "-f", "-", stdin=json.dumps(manifest))


def address(namespace: str, name: str = "chat") -> str:
    """Return the URL of the resource's Service, by its cluster address."""
    service = read("service", name, f"--namespace={namespace}")
    return f"http://{service['spec']['clusterIP']}:8000"


def prompts(models: Path) -> dict[str, list[list[int]]]:
    """Return the prompts of both domains as token ids."""
    found: dict[str, list[list[int]]] = json.loads((models / "prompts.json").read_text())
    return found
