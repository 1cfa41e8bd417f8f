"""The PromQL for the arms of all trials behind one endpoint, and the way back from its answers.

One query a series, whatever the number of trials. All bucket edges are asked for, and only of the pods in question:
trials are few at a time.
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
    Counter,
)
from specdecode_operator.policy.arms import Figure, Part, PodArm, Tokens
from specdecode_operator.policy.queries import Row, Scope, bucket_bound, label_matchers, quoted

__all__ = ["ArmQuery", "arm_queries", "arm_samples"]

PodKey = tuple[str, str]

_LABELS: Final = {Part.FINISHED: "finished_reason", Part.BUCKET: "le"}
"""What the parts are split by, beside the pod."""

_TOKENS: Final = {Tokens.PROMPT: PROMPT_TOKENS, Tokens.GENERATION: GENERATION_TOKENS}


@dataclass(frozen=True)
class ArmQuery:
    """One instant query, and the figure that each of its rows gives; the row has the label."""

    text: str
    figure: Figure


@dataclass(frozen=True)
class _Series:
    name: str
    part: Part
    of: LatencyMetric | Tokens | Counter | None = None


def arm_queries(pods: Iterable[PodKey], window: float, scope: Scope) -> tuple[ArmQuery, ...]:
    """Return the queries for `pods`, given by namespace and name, over `window` seconds; none without pods.

    Trials whose windows are equal share them.
    """
    keys = sorted(set(pods))
    if not keys:
        return ()
    selector = label_matchers(scope, _one_of(scope.namespace_label, (namespace for namespace, _ in keys)))
    selector += "," + _one_of(scope.pod_label, (name for _, name in keys))
    return tuple(_query(series, selector, window, scope) for series in _series())


def arm_samples(answers: Iterable[tuple[ArmQuery, Iterable[Row]]], scope: Scope) -> Mapping[PodKey, PodArm]:
    """Return the answers joined by pod. A series that comes twice becomes NaN, which nothing is concluded from."""
    pods: dict[PodKey, dict[Figure, float]] = defaultdict(dict)
    for query, rows in answers:
        for row in rows:
            found = pods[row.labels.get(scope.namespace_label, ""), row.labels.get(scope.pod_label, "")]
            figure = _labelled(query.figure, row)
            found[figure] = math.nan if figure in found else row.value
    return dict(pods)


def _series() -> Iterator[_Series]:
    yield _Series(FINISHED_BY_REASON, Part.FINISHED)
    for metric, name in LATENCY_HISTOGRAMS.items():
        yield _Series(f"{name}_bucket", Part.BUCKET, metric)
    for of, name in (LATENCY_HISTOGRAMS | _TOKENS).items():
        yield _Series(f"{name}_sum", Part.SUM, of)
        yield _Series(f"{name}_count", Part.COUNT, of)
    for counter, name in COUNTERS.items():
        yield _Series(name, Part.COUNTER, counter)


def _query(series: _Series, selector: str, window: float, scope: Scope) -> ArmQuery:
    labels = [scope.namespace_label, scope.pod_label, *([_LABELS[series.part]] if series.part in _LABELS else [])]
    text = f"sum by ({', '.join(labels)}) (increase({series.name}{{{selector}}}[{round(window)}s]))"
    return ArmQuery(text, Figure(window, series.part, series.of))


def _one_of(label: str, values: Iterable[str]) -> str:
    """Return a matcher for any of `values`; Prometheus anchors the expression at both ends."""
    return f'{label}=~"{quoted("|".join(_literal(value) for value in sorted(set(values))))}"'


def _literal(text: str) -> str:
    """Return the regular expression (RE2) that matches `text` alone."""
    return re.sub(r"[\\.+*?()|\[\]{}^$]", r"\\\g<0>", text)


def _labelled(figure: Figure, row: Row) -> Figure:
    match figure.part:
        case Part.BUCKET:
            return replace(figure, label=bucket_bound(row))
        case Part.FINISHED:
            return replace(figure, label=row.labels.get("finished_reason", ""))
        case _:
            return figure
