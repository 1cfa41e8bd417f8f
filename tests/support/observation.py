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

    def pods(self, role: str) -> list[str]:
        """Return the names of the pods of one role, those that are going not among them."""
        selector = f"specdecode.dev/name={self.name},specdecode.dev/role={role}"
        items = read("pods", f"--namespace={self.namespace}", f"--selector={selector}")["items"]
        return sorted(item["metadata"]["name"] for item in items if "deletionTimestamp" not in item["metadata"])

    def replica_sets(self) -> int:
        """Return how many ReplicaSets there are, old ones included."""
        return len(read("replicasets", f"--namespace={self.namespace}")["items"])

    def phase(self) -> str | None:
        """Return the phase of the operator's own action that is in flight."""
        found: str | None = (self.status().get("operation") or {}).get("phase")
        return found

    def outcomes(self) -> list[tuple[str, str]]:
        """Return trigger and outcome of every decision."""
        return [(decision["trigger"], decision["outcome"]) for decision in self.decisions()]

    def rolled(self, trigger: str = "Acceptance") -> bool:
        """Whether every pod runs what was decided last for `trigger`; the verification may still go on."""
        outcomes = [outcome for name, outcome in self.outcomes() if name == trigger]
        return bool(outcomes) and outcomes[-1] in ("Completed", "Verified")

    def acceptance(self, seconds: float) -> float | None:
        """Return accepted / drafted tokens over the last `seconds`, or None where nothing was drafted."""
        accepted = self._increase("vllm:spec_decode_num_accepted_tokens_total", seconds)
        drafted = self._increase("vllm:spec_decode_num_draft_tokens_total", seconds)
        return accepted / drafted if drafted else None

    def _increase(self, series: str, seconds: float) -> float:
        selector = f'{series}{{namespace="{self.namespace}"}}'
        rows = prometheus.query(f"sum(increase({selector}[{round(seconds)}s]))")
        return float(rows[0]["value"][1]) if rows else 0.0
