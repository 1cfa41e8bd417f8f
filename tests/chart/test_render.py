"""What the chart renders, value by value."""

from functools import reduce
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
    ("fleet.stop", True),
    ("fleet.maxConcurrentRolls", 10000),
    ("fleet.holdAll.count", 10),
    ("fleet.holdAll.percent", 100),
    ("fleet.holdAll.windowSeconds", 60.5),
    ("checkEngineVersion", False),
    ("notifications.url", "https://hooks.example.com/specdecode"),
    ("notifications.bearerTokenFile", "/etc/hooks/token"),
    ("notifications.caFile", "/etc/hooks/ca.crt"),
    ("notifications.timeoutSeconds", 5),
    ("factsJob", FACTS_JOB),
    ("workers", 64),
    ("listenAddress", "127.0.0.1"),
    ("listenPort", 65535),
    ("logFormat", "console"),
    ("logLevel", "debug"),
]

ENABLED: helm.Values = {"webhook": {"enabled": True}}
CERT_MANAGER: helm.Values = {"webhook": {"enabled": True, "certificate": {"source": "CertManager"}}}
HOOK = "specdecode-operator-webhook"
SELECTOR = {"matchLabels": {"team": "ml"}}
ISSUER = {"kind": "ClusterIssuer", "name": "company"}
CONFIGURATION = "ValidatingWebhookConfiguration"

WEBHOOK: list[tuple[str, Any, str, str, Any]] = [
    ("failurePolicy", "Fail", CONFIGURATION, "webhooks.0.failurePolicy", "Fail"),
    ("timeoutSeconds", 3, CONFIGURATION, "webhooks.0.timeoutSeconds", 3),
    ("port", 9444, "Deployment", f"{CONTAINER}.ports.1.containerPort", 9444),
    ("namespaceSelector", SELECTOR, CONFIGURATION, "webhooks.0.namespaceSelector", SELECTOR),
    ("objectSelector", SELECTOR, CONFIGURATION, "webhooks.0.objectSelector", SELECTOR),
]
"""A value of the webhook, what it is set to, and where in which object that shows."""

HOOK_RIGHTS = {
    "secrets": {"get", "update"},
    "validatingwebhookconfigurations.admissionregistration.k8s.io": {"get", "patch"},
}

RIGHTS = {
    "specdecodedeployments.specdecode.dev": {"list", "watch"},
    "specdecodedeployments/status.specdecode.dev": {"update"},
    "specdecodedeployments/finalizers.specdecode.dev": {"update"},
    "deployments.apps": {"get", "list", "watch", "create", "patch", "delete"},
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


@pytest.mark.parametrize(
    "given",
    [None, {"settings": {"namespaces": ["team-a"]}}, ENABLED, CERT_MANAGER],
    ids=["cluster", "namespaces", "webhook", "cert-manager"],
)
def test_every_object_is_valid_for_kubernetes(given: helm.Values | None) -> None:
    for manifest in render(given):
        if not manifest["apiVersion"].startswith("cert-manager.io/"):
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
    given = values.nested(name, value)
    before, after = (yaml.safe_load(settings_file(render({"settings": found}))) for found in ({}, given))
    assert after == values.merged(before, given)


def test_every_value_is_tested() -> None:
    tested = (
        {case[0] for case in VALUES} | {path for path, _ in SWITCHES} | {f"settings.{name}" for name, _ in SETTINGS}
    )
    tested = tested - {"settings.factsJob"} | {f"settings.factsJob.{name}" for name in FACTS_JOB}
    tested |= {f"webhook.{case[0]}" for case in WEBHOOK}
    elsewhere = {"rbac.aggregate", "webhook.enabled", "webhook.certificate.source", "webhook.certificate.issuerRef"}
    assert tested | elsewhere == values.leaves()


def test_the_operator_accepts_the_settings_file(tmp_path: Path) -> None:
    given = reduce(values.merged, (values.nested(name, value) for name, value in SETTINGS))
    (tmp_path / "settings.yaml").write_text(settings_file(render({"settings": given})))
    assert load(tmp_path / "settings.yaml") == Settings.from_values(given)


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


def hook(manifests: list[Manifest], kind: str, name: str = HOOK) -> Manifest:
    return find([found for found in manifests if found["metadata"]["name"] == name], kind)


class TestWebhook:
    def test_there_is_none_by_default(self) -> None:
        assert not kinds(render()) & {CONFIGURATION, "Secret", "Certificate", "Issuer"}
        assert "webhook" not in yaml.safe_load(settings_file(render()))

    @pytest.mark.parametrize(("name", "value", "kind", "place", "shown"), WEBHOOK, ids=[case[0] for case in WEBHOOK])
    def test_a_value_shows_where_it_belongs(self, name: str, value: Any, kind: str, place: str, shown: Any) -> None:
        assert at(find(render(ENABLED), kind), place) != shown
        assert at(find(render({"webhook": {"enabled": True, name: value}}), kind), place) == shown

    @pytest.mark.parametrize("given", [ENABLED, CERT_MANAGER], ids=["self-signed", "cert-manager"])
    def test_it_is_asked_for_new_and_changed_specs_alone_and_says_so_to_the_api_server(
        self, given: helm.Values
    ) -> None:
        [webhook] = find(render(given), CONFIGURATION)["webhooks"]
        assert webhook["rules"] == [
            {
                "apiGroups": ["specdecode.dev"],
                "apiVersions": ["v1alpha1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["specdecodedeployments"],
                "scope": "Namespaced",
            }
        ]
        assert [condition["name"] for condition in webhook["matchConditions"]] == [
            "new-or-changed-spec",
            "not-being-deleted",
        ]
        assert (webhook["sideEffects"], webhook["failurePolicy"]) == ("None", "Ignore")

    @pytest.mark.parametrize("given", [ENABLED, CERT_MANAGER], ids=["self-signed", "cert-manager"])
    def test_the_bundle_is_not_the_charts(self, given: helm.Values) -> None:
        [webhook] = find(render(given), CONFIGURATION)["webhooks"]
        assert webhook["clientConfig"] == {
            "service": {"name": HOOK, "namespace": helm.NAMESPACE, "path": "/validate", "port": 443}
        }

    def test_its_service_leads_to_its_port_in_the_pod(self) -> None:
        found = render(ENABLED)
        [port] = hook(found, "Service")["spec"]["ports"]
        assert (port["port"], port["targetPort"]) == (443, "webhook")
        assert at(find(found, "Deployment"), f"{CONTAINER}.ports.1") == {
            "name": "webhook",
            "containerPort": 9443,
            "protocol": "TCP",
        }
        assert (
            hook(found, "Service")["spec"]["selector"].items()
            <= at(find(found, "Deployment"), "spec.template.metadata.labels").items()
        )

    def test_the_operators_own_certificate_has_an_empty_secret_and_the_rights_to_two_objects(self) -> None:
        found = render(ENABLED)
        roles = [hook(found, "Role"), hook(found, "ClusterRole")]
        assert "data" not in hook(found, "Secret")
        assert rights(roles[0]) | rights(roles[1]) == HOOK_RIGHTS
        assert [role["rules"][0]["resourceNames"] for role in roles] == [[HOOK], [helm.RELEASE]]
        assert find(found, CONFIGURATION)["metadata"]["name"] == helm.RELEASE
        for binding in (hook(found, "RoleBinding"), hook(found, "ClusterRoleBinding")):
            assert binding["subjects"] == operator_role(found, "ClusterRoleBinding")["subjects"]

    def test_its_rights_are_the_same_where_only_some_namespaces_are_watched(self) -> None:
        found = render(ENABLED | {"settings": {"namespaces": ["team-a"]}})
        assert rights(hook(found, "Role")) | rights(hook(found, "ClusterRole")) == HOOK_RIGHTS
        assert [found["metadata"]["name"] for found in found if found["kind"] == "ClusterRole"] == [HOOK]

    def test_without_roles_of_the_release_there_are_none_of_these_either(self) -> None:
        found = kinds(render(ENABLED | {"rbac": {"create": False}}))
        assert not found & {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}

    def test_only_the_namespaces_that_are_watched_are_asked_for(self) -> None:
        given = {"enabled": True, "namespaceSelector": SELECTOR}
        [webhook] = find(render({"webhook": given, "settings": {"namespaces": ["a", "b"]}}), CONFIGURATION)["webhooks"]
        watched = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["a", "b"]}
        assert webhook["namespaceSelector"] == SELECTOR | {"matchExpressions": [watched]}

    def test_with_cert_manager_an_authority_that_lasts_signs_the_certificate(self) -> None:
        found = render(CERT_MANAGER)
        issuers = {name: hook(found, "Issuer", name)["spec"] for name in (HOOK, f"{HOOK}-root")}
        authority, serving = (hook(found, "Certificate", name)["spec"] for name in (f"{HOOK}-ca", HOOK))
        assert issuers == {HOOK: {"ca": {"secretName": f"{HOOK}-ca"}}, f"{HOOK}-root": {"selfSigned": {}}}
        assert (authority["secretName"], authority["isCA"]) == (f"{HOOK}-ca", True)
        assert (serving["secretName"], serving["dnsNames"], serving["issuerRef"]) == (
            HOOK,
            [f"{HOOK}.{helm.NAMESPACE}.svc"],
            {"kind": "Issuer", "name": HOOK},
        )
        assert find(found, CONFIGURATION)["metadata"]["annotations"] == {
            "cert-manager.io/inject-ca-from": f"{helm.NAMESPACE}/{HOOK}"
        }

    def test_and_the_operator_has_no_further_rights_and_reads_files(self) -> None:
        found = render(CERT_MANAGER)
        assert not kinds(found) & {"Secret", "Role"}
        assert HOOK not in {role["metadata"]["name"] for role in found if role["kind"] == "ClusterRole"}
        pod = at(find(found, "Deployment"), POD)
        assert {"name": "webhook", "secret": {"secretName": HOOK, "optional": True}} in pod["volumes"]
        assert pod["containers"][0]["volumeMounts"][1]["mountPath"] == "/etc/specdecode-webhook"

    def test_an_issuer_of_ones_own_takes_the_place_of_the_releases(self) -> None:
        certificate = {"source": "CertManager", "issuerRef": ISSUER}
        found = render({"webhook": {"enabled": True, "certificate": certificate}})
        assert "Issuer" not in kinds(found)
        assert find(found, "Certificate")["spec"]["issuerRef"] == ISSUER

    @pytest.mark.parametrize("given", [ENABLED, CERT_MANAGER], ids=["self-signed", "cert-manager"])
    def test_the_operator_accepts_the_settings_and_restarts_with_them(self, given: helm.Values, tmp_path: Path) -> None:
        found = render(given)
        (tmp_path / "settings.yaml").write_text(settings_file(found))
        settings = load(tmp_path / "settings.yaml").webhook
        assert (settings.enabled, settings.listen_port) == (True, 9443)
        assert settings.service_name in {"", HOOK}
        checksums = [
            at(find(manifests, "Deployment"), "spec.template.metadata.annotations.checksum/settings")
            for manifests in (render(), found)
        ]
        assert checksums[0] != checksums[1]

    @pytest.mark.parametrize("given", [ENABLED, CERT_MANAGER], ids=["self-signed", "cert-manager"])
    def test_the_probes_are_those_without_it(self, given: helm.Values) -> None:
        with_it, without = (at(find(render(found), "Deployment"), CONTAINER) for found in (given, None))
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            assert with_it[probe] == without[probe]

    @pytest.mark.parametrize("given", [ENABLED, CERT_MANAGER], ids=["self-signed", "cert-manager"])
    def test_names_fit_for_every_release(self, given: helm.Values) -> None:
        assert max(len(manifest["metadata"]["name"]) for manifest in render(given, name="a" * 53)) <= 63
