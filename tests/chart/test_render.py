"""What the chart renders, value by value."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from chart import helm, values
from chart.helm import Manifest, at, find, render
from specdecode_operator.api.crd import custom_resource_definition
from specdecode_operator.controller.settings import Settings, load

POD = "spec.template.spec"
CONTAINER = f"{POD}.containers.0"
ENDPOINT = {"name": "eu", "url": "https://prometheus.eu", "caFile": "/ca/ca.crt", "headers": {"X-Scope-OrgID": "7"}}
TOLERATION = {"key": "dedicated", "operator": "Exists"}
VARIABLE = {"name": "SPECDECODE_WORKERS", "value": "2"}
VOLUME = {"name": "ca", "configMap": {"name": "ca"}}
MOUNT = {"name": "ca", "mountPath": "/ca", "readOnly": True}
AFFINITY: dict[str, Any] = {
    "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}
}
DIGEST = f"sha256:{'0' * 64}"
REPOSITORY = "docker.io/specdecode/specdecode-operator"

VALUES: list[tuple[str, Any, str, str, Any]] = [
    ("nameOverride", "specs", "Service", "metadata.name", "specdecode-operator-specs"),
    ("fullnameOverride", "specs", "Service", "metadata.name", "specs"),
    ("commonLabels", {"team": "ml"}, "Service", "metadata.labels.team", "ml"),
    ("image.repository", "mirror.local/operator", "Deployment", f"{CONTAINER}.image", "mirror.local/operator:0.1.0"),
    ("image.tag", "9.9.9", "Deployment", f"{CONTAINER}.image", f"{REPOSITORY}:9.9.9"),
    ("image.digest", DIGEST, "Deployment", f"{CONTAINER}.image", f"{REPOSITORY}@{DIGEST}"),
    ("image.pullPolicy", "Always", "Deployment", f"{CONTAINER}.imagePullPolicy", "Always"),
    ("imagePullSecrets", [{"name": "pull"}], "Deployment", f"{POD}.imagePullSecrets", [{"name": "pull"}]),
    ("settings.listenPort", 9000, "Deployment", f"{CONTAINER}.ports.0.containerPort", 9000),
    ("serviceAccount.name", "me", "ServiceAccount", "metadata.name", "me"),
    ("serviceAccount.annotations", {"role": "r"}, "ServiceAccount", "metadata.annotations", {"role": "r"}),
    ("service.type", "NodePort", "Service", "spec.type", "NodePort"),
    ("service.port", 80, "Service", "spec.ports.0.port", 80),
    ("service.annotations", {"scrape": "yes"}, "Service", "metadata.annotations", {"scrape": "yes"}),
    ("resources.requests", {"cpu": 1}, "Deployment", f"{CONTAINER}.resources.requests.cpu", 1),
    ("resources.limits", {"cpu": "2"}, "Deployment", f"{CONTAINER}.resources.limits.cpu", "2"),
    ("podSecurityContext", {"runAsUser": 7}, "Deployment", f"{POD}.securityContext.runAsUser", 7),
    ("podAnnotations", {"note": "text"}, "Deployment", "spec.template.metadata.annotations.note", "text"),
    ("podLabels", {"team": "ml"}, "Deployment", "spec.template.metadata.labels.team", "ml"),
    ("priorityClassName", "high", "Deployment", f"{POD}.priorityClassName", "high"),
    ("nodeSelector", {"pool": "cpu"}, "Deployment", f"{POD}.nodeSelector", {"pool": "cpu"}),
    ("tolerations", [TOLERATION], "Deployment", f"{POD}.tolerations", [TOLERATION]),
    ("affinity", AFFINITY, "Deployment", f"{POD}.affinity", AFFINITY),
    ("extraEnv", [VARIABLE], "Deployment", f"{CONTAINER}.env", [VARIABLE]),
    ("extraVolumes", [VOLUME], "Deployment", f"{POD}.volumes.-1", VOLUME),
    ("extraVolumeMounts", [MOUNT], "Deployment", f"{CONTAINER}.volumeMounts.-1", MOUNT),
]
"""A value, what it is set to, and where in which object that shows."""

SWITCHES = [
    ("crds.install", {"CustomResourceDefinition"}),
    ("serviceAccount.create", {"ServiceAccount"}),
    ("rbac.create", {"ClusterRole", "ClusterRoleBinding"}),
]
"""A value that is true by default, and the kinds that are not rendered when it is false."""

FACTS_JOB: dict[str, Any] = {
    "enabled": True,
    "image": "registry/operator:1",
    "deadlineSeconds": 60,
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}},
}

SETTINGS: list[tuple[str, Any]] = [
    ("namespaces", ["team-a", "team-b"]),
    ("endpoints", [ENDPOINT]),
    ("evaluationIntervalSeconds", 2.5),
    ("resyncIntervalSeconds", 86400),
    ("checkEngineVersion", False),
    ("factsJob", FACTS_JOB),
    ("workers", 64),
    ("listenAddress", "127.0.0.1"),
    ("listenPort", 65535),
    ("logFormat", "console"),
    ("logLevel", "debug"),
]

RIGHTS = {
    "specdecodedeployments.specdecode.dev": {"list", "watch"},
    "specdecodedeployments/status.specdecode.dev": {"update"},
    "specdecodedeployments/finalizers.specdecode.dev": {"update"},
    "deployments.apps": {"get", "list", "watch", "create", "patch"},
    "services": {"get", "list", "watch", "create", "patch"},
    "poddisruptionbudgets.policy": {"get", "list", "watch", "create", "patch", "delete"},
    "pods": {"list", "watch"},
    "events": {"create"},
}


def kinds(manifests: list[Manifest]) -> set[str]:
    return {manifest["kind"] for manifest in manifests}


def settings_file(manifests: list[Manifest]) -> str:
    found: str = find(manifests, "ConfigMap")["data"]["settings.yaml"]
    return found


def rights(role: Manifest) -> dict[str, set[str]]:
    """The verbs of a role by resource, which is written as kubectl does."""
    return {
        f"{resource}.{group}".rstrip("."): set(rule["verbs"])
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }


def operator_role(manifests: list[Manifest], kind: str = "ClusterRole") -> Manifest:
    return find([found for found in manifests if found["metadata"]["name"] == helm.RELEASE], kind)


def test_helm_finds_nothing_to_complain_about() -> None:
    assert "1 chart(s) linted, 0 chart(s) failed" in helm.lint()


@pytest.mark.parametrize("given", [None, {"settings": {"namespaces": ["team-a"]}}], ids=["cluster", "namespaces"])
def test_every_object_is_valid_for_kubernetes(given: helm.Values | None) -> None:
    for manifest in render(given):
        kubernetes_validate.validate(manifest, "1.34", strict=True)


@pytest.mark.parametrize(("path", "value", "kind", "place", "shown"), VALUES, ids=[case[0] for case in VALUES])
def test_a_value_shows_where_it_belongs(path: str, value: Any, kind: str, place: str, shown: Any) -> None:
    assert at(find(render(), kind), place) != shown
    assert at(find(render(values.nested(path, value)), kind), place) == shown


@pytest.mark.parametrize(("path", "gone"), SWITCHES)
def test_a_switch_takes_its_objects_away(path: str, gone: set[str]) -> None:
    assert kinds(render()) - kinds(render(values.nested(path, value=False))) == gone


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_a_setting_reaches_the_settings_file(name: str, value: Any) -> None:
    before, after = (yaml.safe_load(settings_file(render(given))) for given in (None, {"settings": {name: value}}))
    assert after == before | {name: value}


def test_every_value_is_tested() -> None:
    tested = (
        {case[0] for case in VALUES} | {path for path, _ in SWITCHES} | {f"settings.{name}" for name, _ in SETTINGS}
    )
    tested = tested - {"settings.factsJob"} | {f"settings.factsJob.{name}" for name in FACTS_JOB}
    assert tested | {"rbac.aggregate"} == values.leaves()


def test_the_operator_accepts_the_settings_file(tmp_path: Path) -> None:
    (tmp_path / "settings.yaml").write_text(settings_file(render({"settings": dict(SETTINGS)})))
    assert load(tmp_path / "settings.yaml") == Settings.from_values(dict(SETTINGS))


def test_the_pod_reads_the_settings_file_and_restarts_with_it() -> None:
    before, after = find(render(), "Deployment"), find(render({"settings": {"workers": 2}}), "Deployment")
    assert at(before, f"{CONTAINER}.args") == ["run", "--config=/etc/specdecode/settings.yaml"]
    assert at(before, f"{CONTAINER}.volumeMounts.0.mountPath") == "/etc/specdecode"
    checksums = [at(found, "spec.template.metadata.annotations.checksum/settings") for found in (before, after)]
    assert checksums[0] != checksums[1]


def test_the_definition_of_the_resource_is_that_of_the_models_and_outlives_the_release() -> None:
    found = find(render({"commonLabels": {"team": "ml"}}), "CustomResourceDefinition")
    assert found["spec"] == custom_resource_definition()["spec"]
    assert found["metadata"]["name"] == custom_resource_definition()["metadata"]["name"]
    assert found["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert found["metadata"]["labels"]["team"] == "ml"


def test_the_operator_has_the_fewest_rights() -> None:
    assert rights(operator_role(render())) == RIGHTS


def test_it_may_create_jobs_only_where_the_settings_allow_them() -> None:
    found = render({"settings": {"factsJob": {"enabled": True}}})
    assert rights(operator_role(found)) == RIGHTS | {"jobs.batch": {"create", "patch"}}


def test_jobs_for_facts_run_the_operators_own_image_unless_another_is_named() -> None:
    image = {"repository": "registry/operator", "tag": "1"}
    jobs: list[dict[str, Any]] = [{"enabled": True}, {"enabled": True, "image": "other:2"}, {"enabled": False}]
    rendered = [render({"image": image, "settings": {"factsJob": job}}) for job in jobs]
    found = [yaml.safe_load(settings_file(manifests))["factsJob"]["image"] for manifests in rendered]
    assert found == ["registry/operator:1", "other:2", ""]


def test_with_namespaces_it_has_them_there_alone() -> None:
    found = render({"settings": {"namespaces": ["team-a", "team-b"]}})
    roles = [manifest for manifest in found if manifest["kind"] in {"Role", "RoleBinding"}]
    assert not kinds(found) & {"ClusterRole", "ClusterRoleBinding"}
    assert [(role["kind"], role["metadata"]["namespace"]) for role in roles] == [
        ("Role", "team-a"),
        ("Role", "team-b"),
        ("RoleBinding", "team-a"),
        ("RoleBinding", "team-b"),
    ]
    assert rights(roles[0]) == rights(roles[1]) == RIGHTS


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "specdecode-operator"),
        ({"name": "me"}, "me"),
        ({"create": False}, "default"),
        ({"create": False, "name": "me"}, "me"),
    ],
)
def test_pod_and_binding_name_the_same_service_account(given: dict[str, Any], name: str) -> None:
    found = render({"serviceAccount": given})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": helm.NAMESPACE}
    assert find(found, "ClusterRoleBinding")["subjects"] == [subject]
    assert at(find(found, "Deployment"), f"{POD}.serviceAccountName") == name


def test_users_get_the_resource_with_the_roles_they_have() -> None:
    found = {manifest["metadata"]["name"]: manifest for manifest in render() if manifest["kind"] == "ClusterRole"}
    edit = rights(found["specdecode-operator-edit"])
    assert edit["specdecodedeployments.specdecode.dev"] == {"create", "update", "patch", "delete", "deletecollection"}
    assert set().union(*rights(found["specdecode-operator-view"]).values()) == {"get", "list", "watch"}
    assert "specdecodedeployments/status.specdecode.dev" not in edit
    without = render({"rbac": {"aggregate": False}})
    assert operator_role(without) == operator_role(render())


def test_the_pod_meets_the_restricted_standard() -> None:
    pod = at(find(render(), "Deployment"), POD)
    container = pod["containers"][0]["securityContext"]
    assert pod["securityContext"] == values.default("podSecurityContext")
    assert container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [next(iter(set(volume) - {"name"})) for volume in pod["volumes"]] == ["configMap"]


def test_there_is_one_operator_at_a_time_and_it_is_probed() -> None:
    spec = find(render(), "Deployment")["spec"]
    container = spec["template"]["spec"]["containers"][0]
    probes = [container[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert probes == [{"path": "/healthz", "port": "http"}] * 3
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 30


def test_our_own_labels_win() -> None:
    selector = find(render(), "Deployment")["spec"]["selector"]["matchLabels"]
    given = dict.fromkeys(selector, "theirs")
    found = find(render({"commonLabels": given, "podLabels": given}), "Deployment")
    assert found["spec"]["selector"]["matchLabels"] == selector
    assert selector.items() <= found["spec"]["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("release", ["a", "a" * 53])
def test_names_fit_for_every_release(release: str) -> None:
    for manifest in render(name=release):
        assert len(manifest["metadata"]["name"]) <= 63
