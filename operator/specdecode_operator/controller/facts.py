"""The Job for unknown models: made, asked and heard. Its pods are looked for by name, never watched."""

from typing import Any, Final

import structlog

from specdecode_operator.api.v1alpha1 import FactsReport
from specdecode_operator.clients import Conflict, Kubernetes, Manifest, Rejected
from specdecode_operator.controller.reading import Reading
from specdecode_operator.policy import FactsStep, Observation, facts_known, facts_step
from specdecode_operator.workload import FactsJobOptions, facts_job, facts_labels

__all__ = ["FactsJobs"]

_LONGEST: Final = 200
_logger = structlog.get_logger(__name__)


class FactsJobs:
    """Has `config.json` read where an administrator allows it."""

    def __init__(self, kubernetes: Kubernetes, options: FactsJobOptions) -> None:
        self._kubernetes = kubernetes
        self._options = options
        self._made: set[tuple[str, str | None]] = set()
        """uid of the resource, and digest of what its Job reads."""

    async def step(self, reading: Reading, observation: Observation) -> FactsStep:
        """Return what is to be done next; asks the cluster only while a Job is under way."""
        known, serving = facts_known(reading.sources, observation.status.facts), observation.cluster.exists
        waiting = known is not None and not known.finished and not serving
        return facts_step(
            reading.sources,
            known,
            await self._report(reading) if waiting else None,
            serving=serving,
            now=observation.now,
            deadline=self._options.deadline,
        )

    async def begin(self, reading: Reading) -> FactsReport | None:
        """Create the Job unless it exists; return why the API server will not have it, or None."""
        made = reading.resource.metadata.uid, reading.sources
        if made in self._made:
            return None
        try:
            job = facts_job(reading.resource, reading.ladder.primary, reading.unknown, self._options)
            await self._kubernetes.apply(job, only_new=True)
        except Rejected as error:
            return FactsReport(failure=_line(f"it cannot be created: {error}"))
        except Conflict:
            _logger.info("a Job for the models exists", name=reading.resource.metadata.name)
        self._made.add(made)
        return None

    def forget(self, uid: str) -> None:
        """Drop what is remembered of one resource."""
        self._made = {made for made in self._made if made[0] != uid}

    async def _report(self, reading: Reading) -> FactsReport | None:
        """Return what the Job's pod said, or None before it has ended."""
        labels = facts_labels(reading.resource, reading.unknown)
        selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
        pods = await self._kubernetes.list("Pod", reading.resource.metadata.namespace, label_selector=selector)
        ended = [state for pod in pods if (state := _terminated(pod)) is not None]
        return _heard(ended[0], {source.name for source in reading.unknown}) if ended else None


def _terminated(pod: Manifest) -> Any:  # noqa: ANN401 - a container's state
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    return next((state for status in statuses if (state := (status.get("state") or {}).get("terminated"))), None)


def _heard(state: Manifest, names: set[str]) -> FactsReport:
    message = str(state.get("message") or "")
    try:
        report = FactsReport.model_validate_json(message)
    except ValueError:
        return FactsReport(failure=_line(f"it ended with exit code {state.get('exitCode')}: {message}"))
    models = [model for model in report.models if model.name in names]
    failure = None if report.failure is None else _line(report.failure)
    return FactsReport(models=models, failure=failure)


def _line(text: str) -> str:
    """Return a text of the user's namespace as one short line."""
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return words[:_LONGEST]
