"""What a resource's status, its Events and the real Prometheus say."""

from dataclasses import dataclass
from typing import Any

from devcluster import prometheus
from support.stage import read

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Watched:
    """One resource of the running cluster."""

    namespace: str
    name: str = "chat"

    def status(self) -> Manifest:
        """Return the resource's status."""
        found: Manifest = read("sdd", self.name, f"--namespace={self.namespace}").get("status") or {}
        return found

    def condition(self, kind: str) -> tuple[str, str]:
        """Return status and reason of one condition."""
        conditions = self.status().get("conditions") or []
        return next(((entry["status"], entry["reason"]) for entry in conditions if entry["type"] == kind), ("", ""))

    def decisions(self) -> list[Manifest]:
        """Return the decisions so far."""
        found: list[Manifest] = self.status().get("decisions") or []
        return found

    def events(self) -> list[tuple[str, str]]:
        """Return reason and message of every Event about the resource."""
        items = read("events", f"--namespace={self.namespace}")["items"]
        mine = [item for item in items if item["involvedObject"].get("kind") == "SpecDecodeDeployment"]
        return [(item["reason"], item["message"]) for item in mine]

    def replica_sets(self) -> int:
        """Return how many ReplicaSets there are, old ones included."""
        return len(read("replicasets", f"--namespace={self.namespace}")["items"])

    def rolled(self) -> bool:
        """Whether every pod runs what was decided; the verification may still go on."""
        return any(decision["outcome"] in ("Completed", "Verified") for decision in self.decisions())

    def acceptance(self, seconds: float) -> float | None:
        """Return accepted / drafted tokens over the last `seconds`, or None where nothing was drafted."""
        accepted = self._increase("vllm:spec_decode_num_accepted_tokens_total", seconds)
        drafted = self._increase("vllm:spec_decode_num_draft_tokens_total", seconds)
        return accepted / drafted if drafted else None

    def _increase(self, series: str, seconds: float) -> float:
        selector = f'{series}{{namespace="{self.namespace}"}}'
        rows = prometheus.query(f"sum(increase({selector}[{round(seconds)}s]))")
        return float(rows[0]["value"][1]) if rows else 0.0
