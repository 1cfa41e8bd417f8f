"""Where the packaging's files are."""

from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
CHART = REPO / "charts" / "specdecode-operator"
CRD = REPO / "crds" / "specdecodedeployments.yaml"
MANIFESTS = REPO / "manifests"
SAMPLES = sorted((MANIFESTS / "samples").glob("*.yaml"))
