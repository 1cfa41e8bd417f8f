"""The operator's own metrics, in a registry of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from specdecode_operator.api.v1alpha1 import Condition, ConditionStatus
from specdecode_operator.controller.store import Key
from specdecode_operator.policy import Finding, Verdict

__all__ = ["Metrics"]

_RESOURCE = ("namespace", "name")


class Metrics:
    """What the operator exposes on `/metrics`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.reconciles = self._counter("reconciles", "Reconciles by outcome.", "outcome")
        self.reconcile_seconds = Histogram(
            "specdecode_reconcile_seconds", "Duration of a reconcile.", registry=self.registry
        )
        self.writes = self._counter("api_writes", "Writes to the API server.", "kind", "verb")
        self.decisions = self._counter("decisions", "Decisions by outcome.", *_RESOURCE, "to", "trigger", "outcome")
        self.frozen = self._gauge("frozen", "1 while a person has to unfreeze the resource.", *_RESOURCE)
        self._blocked_for: dict[Key, str] = {}
        self.blocked = self._gauge("remediation_blocked", "1 for what keeps an action back.", *_RESOURCE, "reason")
        self.queries = self._counter("prometheus_queries", "Queries sent to Prometheus.", "endpoint")
        self.failures = self._counter("prometheus_failures", "Evaluations without a usable answer.", "endpoint")
        self.query_seconds = Histogram(
            "specdecode_prometheus_seconds",
            "Time to answer all queries of one evaluation.",
            ("endpoint",),
            registry=self.registry,
        )
        self.notifications = self._counter("notifications", "Notifications by outcome.", "outcome")
        self.reviews = self._counter("admission_reviews", "Reviews of the webhook by outcome.", "outcome")
        self.certificate_expiry = self._gauge(
            "webhook_certificate_expiry_timestamp_seconds", "End of the webhook's certificate; NaN where there is none."
        )
        self.certificate_expiry.set(float("nan"))
        self.queue = self._gauge("queue_length", "Resources waiting to be reconciled.")
        self.resources = self._gauge("resources", "Resources known.")
        self.operations = self._gauge("operations", "Operations that move pods, over all resources.")
        self.breaching = self._gauge("fleet_breaching", "Resources lately in confirmed breach.", "endpoint")
        self.last_evaluation = self._gauge("last_evaluation_timestamp_seconds", "End of the last evaluation.")
        self.value = self._gauge("signal_value", "Signal by window.", *_RESOURCE, "signal", "window")
        self.line = self._gauge("signal_threshold", "What it is compared with.", *_RESOURCE, "signal", "window")
        self.samples = self._gauge("signal_samples", "Finished requests by window.", *_RESOURCE, "signal", "window")
        self.verdict = self._gauge("signal_verdict", "1 for the signal's verdict.", *_RESOURCE, "signal", "verdict")

    def show(self, key: Key, finding: Finding) -> None:
        """Expose one finding."""
        name = finding.signal.name
        for window, value, line, samples in (
            ("short", finding.short, finding.line_short, finding.samples_short),
            ("long", finding.long, finding.line_long, finding.samples_long),
        ):
            self.value.labels(*key, name, window).set(value)
            self.line.labels(*key, name, window).set(line)
            self.samples.labels(*key, name, window).set(samples)
        for verdict in Verdict:
            self.verdict.labels(*key, name, verdict).set(verdict is finding.verdict)

    def show_blocked(self, key: Key, condition: Condition | None) -> None:
        """Expose the reason of the condition `RemediationBlocked`, while it is True."""
        blocked = condition is not None and condition.status is ConditionStatus.TRUE
        reason = condition.reason if condition is not None and blocked else None
        before = self._blocked_for.pop(key, None)
        if before is not None and before != reason:
            self.blocked.remove(*key, before)
        if reason is not None:
            self._blocked_for[key] = reason
            self.blocked.labels(*key, reason).set(1)

    def forget(self, key: Key) -> None:
        """Drop the series of a resource that is gone."""
        self.forget_signals(key)
        self.show_blocked(key, None)
        for metric in (self.decisions, self.frozen):
            metric.remove_by_labels(dict(zip(_RESOURCE, key, strict=True)))

    def forget_signals(self, key: Key) -> None:
        """Drop the series of a resource's signals."""
        labels = dict(zip(_RESOURCE, key, strict=True))
        for metric in (self.value, self.line, self.samples, self.verdict):
            metric.remove_by_labels(labels)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"specdecode_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"specdecode_{name}", text, labels, registry=self.registry)
