"""The PromQL for the arms of all trials behind one endpoint, and the way back from its answers.

One query a series, and one more for the parts of the window, whatever the number of trials. All bucket edges are asked
for, but only of the pods in question: trials are few at a time.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from specdecode_operator.api.v1alpha1 import LatencyMetric
from specdecode_operator.engine import (
    COUNTERS,
    FINISHED_BY_REASON,
    GENERATION_TOKENS,
    LATENCY_HISTOGRAMS,
    PROMPT_TOKENS,
    SPECULATION_COUNTERS,
    Counter,
)
from specdecode_operator.policy.judging.queries import Row, Scope, bucket_bound, label_matchers, quoted
from specdecode_operator.policy.trials.arms import Figure, Part, PodArm, Tokens

__all__ = ["BATCHES", "ArmQuery", "arm_queries", "arm_samples"]

PodKey = tuple[str, str]

_LABELS: Final = {Part.FINISHED: "finished_reason", Part.BUCKET: "le"}
"""What the parts are split by, beside the pod."""

_TOKENS: Final = {Tokens.PROMPT: PROMPT_TOKENS, Tokens.GENERATION: GENERATION_TOKENS}

BATCHES: Final = 10
"""Parts of a window by which means are seen to vary; fewer where they would hold less than two scrapes."""

_BATCH_LABEL: Final = "specdecode_batch"
"""Set by the query to tell the parts of a window apart."""


@dataclass(frozen=True)
class ArmQuery:
    """One instant query, and the figure that each of its rows gives; the row has the label and the batch."""

    text: str
    figure: Figure
    batched: bool = False


@dataclass(frozen=True)
class _Series:
    name: str
    part: Part
    of: LatencyMetric | Tokens | Counter | None = None


@dataclass(frozen=True)
class _Asked:
    """What the queries of one call have in common."""

    window: float
    scrape_interval: float
    scope: Scope
    selector: str

    def query(self, series: _Series) -> ArmQuery:
        increase = f"increase({series.name}{{{self.selector}}}[{_duration(self.window)}])"
        return ArmQuery(self._sum(increase, _LABELS.get(series.part)), Figure(self.window, series.part, series.of))

    def batches(self, series: _Series) -> ArmQuery:
        """Return the query for the parts of the window, each with the scrape before it, so that none is lost."""
        number = max(1, min(BATCHES, int(self.window / (2 * self.scrape_interval))))
        length = self.window / number
        selected = f"{series.name}{{{self.selector}}}[{_duration(length + self.scrape_interval)}]"
        parts = (f"{selected} offset {_duration(batch * length)}" if batch else selected for batch in range(number))
        numbered = (
            f'label_replace(increase({part}), "{_BATCH_LABEL}", "{batch}", "", "")' for batch, part in enumerate(parts)
        )
        text = self._sum(" or ".join(numbered), _BATCH_LABEL)
        return ArmQuery(text, Figure(self.window, series.part, series.of), batched=True)

    def _sum(self, text: str, label: str | None) -> str:
        labels = [self.scope.namespace_label, self.scope.pod_label, *([label] if label else [])]
        return f"sum by ({', '.join(labels)}) ({text})"


def arm_queries(pods: Iterable[PodKey], window: float, scope: Scope, scrape_interval: float) -> tuple[ArmQuery, ...]:
    """Return the queries for `pods`, given by namespace and name, over `window` seconds; none without pods.

    Trials whose windows are equal share them.
    """
    keys = sorted(set(pods))
    if not keys:
        return ()
    selector = label_matchers(scope, _one_of(scope.namespace_label, (namespace for namespace, _ in keys)))
    selector += "," + _one_of(scope.pod_label, (name for _, name in keys))
    asked = _Asked(window, scrape_interval, scope, selector)
    return (*map(asked.query, _series()), *map(asked.batches, _batched()))


def arm_samples(answers: Iterable[tuple[ArmQuery, Iterable[Row]]], scope: Scope) -> Mapping[PodKey, PodArm]:
    """Return the answers joined by pod. A series that comes twice becomes NaN, which nothing is concluded from."""
    pods: dict[PodKey, dict[Figure, float]] = defaultdict(dict)
    for query, rows in answers:
        for row in rows:
            found = pods[row.labels.get(scope.namespace_label, ""), row.labels.get(scope.pod_label, "")]
            figure = _labelled(query, row)
            found[figure] = math.nan if figure in found else row.value
    return dict(pods)


def _series() -> Iterator[_Series]:
    yield _Series(FINISHED_BY_REASON, Part.FINISHED)
    for metric, name in LATENCY_HISTOGRAMS.items():
        yield _Series(f"{name}_bucket", Part.BUCKET, metric)
    for of, name in (LATENCY_HISTOGRAMS | _TOKENS).items():
        yield _Series(f"{name}_sum", Part.SUM, of)
        yield _Series(f"{name}_count", Part.COUNT, of)
    for counter in SPECULATION_COUNTERS:
        yield _Series(COUNTERS[counter], Part.COUNTER, counter)


def _batched() -> Iterator[_Series]:
    for metric, name in LATENCY_HISTOGRAMS.items():
        yield _Series(f"{name}_sum", Part.SUM, metric)
        yield _Series(f"{name}_count", Part.COUNT, metric)


def _duration(seconds: float) -> str:
    """Return a duration of PromQL in whole seconds, or in milliseconds where a window has parts shorter than that."""
    return f"{round(seconds)}s" if seconds == round(seconds) else f"{round(seconds * 1000)}ms"


def _one_of(label: str, values: Iterable[str]) -> str:
    """Return a matcher for any of `values`; Prometheus anchors the expression at both ends."""
    return f'{label}=~"{quoted("|".join(_literal(value) for value in sorted(set(values))))}"'


def _literal(text: str) -> str:
    """Return the regular expression (RE2) that matches `text` alone."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)


def _labelled(query: ArmQuery, row: Row) -> Figure:
    figure = query.figure
    if query.batched:
        return replace(figure, batch=_batch(row))
    if figure.part is Part.BUCKET:
        return replace(figure, label=bucket_bound(row))
    return replace(figure, label=row.labels.get(_LABELS.get(figure.part, ""), ""))


def _batch(row: Row) -> int:
    """Return the part of the window that a row is of; -1, which no other arm has, where it does not say."""
    label = row.labels.get(_BATCH_LABEL, "")
    return int(label) if label.isdecimal() else -1
