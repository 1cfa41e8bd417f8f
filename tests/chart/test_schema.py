"""Wrong values are refused before anything is rendered."""

import re
from typing import Any

import pytest

from chart import values
from chart.helm import render
from devcluster.errors import CommandError

WRONG: list[tuple[str, Any]] = [
    ("replicas", 2),
    ("image.tga", "1.0.0"),
    ("image.tag", 1.0),
    ("image.digest", "abc"),
    ("image.pullPolicy", "Sometimes"),
    ("imagePullSecrets", ["pull"]),
    ("crds.install", "yes"),
    ("commonLabels", {"team": 1}),
    ("settings.namespace", ["a"]),
    ("settings.namespaces", "a"),
    ("settings.namespaces", ["a", "a"]),
    ("settings.namespaces", ["A"]),
    ("settings.endpoints", {"default": "http://prometheus"}),
    ("settings.endpoints", [{"name": "default"}]),
    ("settings.endpoints", [{"name": "default", "url": "prometheus:9090"}]),
    ("settings.endpoints", [{"name": "default", "url": "http://user:password@prometheus"}]),
    ("settings.endpoints", [{"name": "default", "url": "http://prometheus", "token": "t"}]),
    ("settings.endpoints", [{"name": "default", "url": "http://prometheus", "caFile": "ca.crt"}]),
    ("settings.evaluationIntervalSeconds", "15s"),
    ("settings.evaluationIntervalSeconds", 0),
    ("settings.fleet.stop", "yes"),
    ("settings.fleet.maxConcurrentRolls", 0),
    ("settings.fleet.holdAll.percent", 101),
    ("settings.notifications.url", "https://user:password@hooks.example.com"),
    ("settings.notifications.bearerTokenFile", "token"),
    ("settings.factsJob.enabled", "yes"),
    ("settings.factsJob.deadlineSeconds", 5),
    ("settings.factsJob.claim", "weights"),
    ("settings.workers", 65),
    ("settings.listenPort", 0),
    ("settings.logFormat", "xml"),
    ("settings.logLevel", "trace"),
    ("serviceAccount.create", "true"),
    ("service.type", "Headless"),
    ("service.port", 70000),
    ("webhook.enabled", "yes"),
    ("webhook.failurePolicy", "Maybe"),
    ("webhook.timeoutSeconds", 31),
    ("webhook.port", 0),
    ("webhook.namespaceSelector", {"matchLabel": {"a": "b"}}),
    ("webhook.objectSelector", {"matchLabels": {"a": 1}}),
    ("webhook.certificate.source", "Files"),
    ("webhook.certificate.issuerRef", {"issuer": "x"}),
    ("settings.webhook", {"enabled": True}),
    ("resources.limit", {"memory": "1Gi"}),
    ("tolerations", {"key": "gpu"}),
    ("extraEnv", [{"value": "x"}]),
    ("extraVolumeMounts", [{"name": "ca"}]),
]


@pytest.mark.parametrize(("path", "value"), WRONG, ids=[f"{path}={value}" for path, value in WRONG])
def test_a_wrong_value_is_refused_and_named(path: str, value: Any) -> None:
    section, _, name = path.rpartition(".")
    with pytest.raises(CommandError, match=re.escape(name)) as refusal:
        render(values.nested(path, value))
    assert "values don't meet the specifications of the schema" in str(refusal.value)
    assert section.replace(".", "/") in str(refusal.value)


def test_values_of_a_parent_chart_are_let_through() -> None:
    assert render({"global": {"anything": {"goes": 1}}}) == render()
