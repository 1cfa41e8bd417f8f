"""The pod: probes, times, environment, resources, and what `podTemplate` may change."""

from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import SpecDecodeDeployment
from specdecode_operator.policy import ladder
from specdecode_operator.workload import InvalidPodTemplate
from specdecode_operator.workload.pod import ENDPOINT_REMOVAL, TEARDOWN, pod_template
from support.builders import resource, rung

Manifest = dict[str, Any]

NAMELESS = "podTemplate.spec.containers[0]: needs name, by which the entry is merged"


def template(found: SpecDecodeDeployment, variant: str = "primary") -> Manifest:
    return pod_template(found, rung(found.spec, variant))


def pod_spec(**spec: Any) -> Manifest:
    found: Manifest = template(resource(**spec))["spec"]
    return found


def engine(**spec: Any) -> Manifest:
    found: Manifest = pod_spec(**spec)["containers"][0]
    return found


def environment(**spec: Any) -> dict[str, Any]:
    return {entry["name"]: entry.get("value", entry.get("valueFrom")) for entry in engine(**spec)["env"]}


class TestLifecycle:
    @pytest.mark.parametrize(("drain", "seconds"), [("5m", 300), ("1s", 1), ("2h", 7200)])
    def test_the_grace_period_holds_endpoint_removal_drain_and_teardown(self, drain: str, seconds: int) -> None:
        found = pod_spec(rollout={"drainTimeout": drain})
        container = found["containers"][0]
        stop = container["args"][container["args"].index("--shutdown-timeout") + 1]
        sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert (sleep, int(stop), found["terminationGracePeriodSeconds"]) == (
            ENDPOINT_REMOVAL,
            seconds,
            ENDPOINT_REMOVAL + seconds + TEARDOWN,
        )

    @pytest.mark.parametrize(("timeout", "attempts"), [("30m", 360), ("1s", 1), ("7s", 2), ("10s", 2), ("2h", 1440)])
    def test_the_start_may_take_as_long_as_the_ready_timeout(self, timeout: str, attempts: int) -> None:
        probe = engine(rollout={"readyTimeout": timeout})["startupProbe"]
        assert (probe["failureThreshold"], probe["periodSeconds"]) == (attempts, 5)

    def test_every_probe_asks_for_health(self) -> None:
        found = engine()
        asked = [found[name]["httpGet"] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
        assert asked == [{"path": "/health", "port": "http"}] * 3

    def test_a_busy_server_is_taken_out_of_service_long_before_it_is_restarted(self) -> None:
        found = engine()
        patience = [
            found[name]["periodSeconds"] * found[name]["failureThreshold"]
            for name in ("readinessProbe", "livenessProbe")
        ]
        assert patience == [15, 60]

    def test_the_port_that_is_probed_is_the_one_that_vllm_listens_on(self) -> None:
        found = engine()
        port = found["ports"][0]
        assert (port["name"], str(port["containerPort"])) == ("http", found["args"][found["args"].index("--port") + 1])


class TestSafety:
    def test_a_service_called_vllm_cannot_break_the_engine(self) -> None:
        assert pod_spec()["enableServiceLinks"] is False

    def test_the_server_has_no_rights_in_the_cluster(self) -> None:
        assert pod_spec()["automountServiceAccountToken"] is False

    def test_it_cannot_gain_privileges(self) -> None:
        assert engine()["securityContext"] == {"allowPrivilegeEscalation": False}

    def test_shared_memory_holds_the_rings_of_the_workers(self) -> None:
        found = pod_spec()
        assert {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "4Gi"}} in found["volumes"]
        assert {"name": "shm", "mountPath": "/dev/shm"} in found["containers"][0]["volumeMounts"]  # noqa: S108 - see there

    def test_the_entrypoint_of_the_image_stays(self) -> None:
        assert "command" not in engine()


class TestEnvironment:
    def test_caches_timeout_and_silence(self) -> None:
        assert environment() == {
            "HF_HOME": "/cache/huggingface",
            "VLLM_CACHE_ROOT": "/cache/vllm",
            "VLLM_ENGINE_READY_TIMEOUT_S": "1800",
            "VLLM_NO_USAGE_STATS": "1",
        }

    def test_weights_that_lie_in_volumes_need_no_hub(self) -> None:
        assert environment(model={"name": "m", "storage": {"claim": "c"}})["HF_HUB_OFFLINE"] == "1"

    def test_variables_of_the_user_win(self) -> None:
        mine = [{"name": "HF_HOME", "value": "/mine"}, {"name": "VLLM_USE_V2_MODEL_RUNNER", "value": "0"}]
        found = environment(engine={"env": mine})
        assert (found["HF_HOME"], found["VLLM_USE_V2_MODEL_RUNNER"]) == ("/mine", "0")

    def test_a_variable_is_named_once(self) -> None:
        names = [entry["name"] for entry in engine(engine={"env": [{"name": "HF_HOME", "value": "/mine"}]})["env"]]
        assert len(names) == len(set(names))

    def test_the_token_of_the_secret_is_the_only_one(self) -> None:
        mine = {"env": [{"name": "HF_TOKEN", "value": "x"}]}
        found = engine(engine=mine, model={"name": "m", "tokenSecretRef": {"name": "hub"}})["env"]
        assert [entry.get("valueFrom") for entry in found if entry["name"] == "HF_TOKEN"] == [
            {"secretKeyRef": {"name": "hub", "key": "token"}}
        ]

    def test_without_a_secret_a_token_of_the_user_stays(self) -> None:
        mine = {"name": "HF_TOKEN", "value": "x"}
        assert mine in engine(engine={"env": [mine]})["env"]

    @pytest.mark.parametrize(("reference", "key"), [({"name": "hub"}, "token"), ({"name": "hub", "key": "hf"}, "hf")])
    def test_the_token_is_a_reference_that_the_operator_never_reads(self, reference: dict[str, str], key: str) -> None:
        found = environment(model={"name": "m", "tokenSecretRef": reference})
        assert found["HF_TOKEN"] == {"secretKeyRef": {"name": "hub", "key": key}}


class TestResources:
    @pytest.mark.parametrize(
        ("spec", "requests", "limits"),
        [
            ({}, {"nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "1"}),
            ({"engine": {"tensorParallelSize": 4}}, {"nvidia.com/gpu": "4"}, {"nvidia.com/gpu": "4"}),
            ({"resources": {"gpu": {"count": 2}}}, {"nvidia.com/gpu": "2"}, {"nvidia.com/gpu": "2"}),
            ({"resources": {"gpu": {"resourceName": "amd.com/gpu"}}}, {"amd.com/gpu": "1"}, {"amd.com/gpu": "1"}),
            (
                {"resources": {"requests": {"cpu": 4}, "limits": {"memory": "64Gi"}}},
                {"cpu": "4", "nvidia.com/gpu": "1"},
                {"memory": "64Gi", "nvidia.com/gpu": "1"},
            ),
        ],
    )
    def test_gpus_are_asked_for_and_limited(
        self, spec: dict[str, Any], requests: dict[str, str], limits: dict[str, str]
    ) -> None:
        assert engine(**spec)["resources"] == {"requests": requests, "limits": limits}


class TestScraping:
    def test_annotations_tell_prometheus_where_to_look(self) -> None:
        assert template(resource())["metadata"]["annotations"] == {
            "prometheus.io/scrape": "true",
            "prometheus.io/port": "8000",
            "prometheus.io/path": "/metrics",
        }

    def test_or_nothing_does(self) -> None:
        assert template(resource(metrics={"scrape": "None"}))["metadata"]["annotations"] == {}


class TestImage:
    @pytest.mark.parametrize(
        ("fields", "image"),
        [
            ({}, "docker.io/vllm/vllm-openai:v0.33.0"),
            ({"version": "0.30.0"}, "docker.io/vllm/vllm-openai:v0.30.0"),
            ({"image": "registry.local/vllm@sha256:abc"}, "registry.local/vllm@sha256:abc"),
        ],
    )
    def test_it_is_that_of_the_version_unless_given(self, fields: dict[str, str], image: str) -> None:
        assert engine(engine=fields)["image"] == image


class TestPodTemplate:
    def test_the_pod_may_be_placed(self) -> None:
        placed = {"nodeSelector": {"gpu": "h100"}, "runtimeClassName": "nvidia", "priorityClassName": "high"}
        found = pod_spec(podTemplate={"spec": placed})
        assert {name: found[name] for name in placed} == placed

    def test_the_container_is_merged_by_its_name(self) -> None:
        mine = {
            "name": "engine",
            "env": [{"name": "A", "value": "1"}, {"name": "HF_HOME", "value": "/mine"}],
            "securityContext": {"runAsNonRoot": True},
            "livenessProbe": {"failureThreshold": 10},
        }
        found = engine(podTemplate={"spec": {"containers": [mine]}})
        variables = {entry["name"]: entry["value"] for entry in found["env"]}
        assert (variables["A"], variables["HF_HOME"], len(found["env"])) == ("1", "/mine", len(engine()["env"]) + 1)
        assert found["securityContext"] == {"allowPrivilegeEscalation": False, "runAsNonRoot": True}
        assert found["livenessProbe"] == engine()["livenessProbe"] | {"failureThreshold": 10}

    def test_a_sidecar_comes_after_the_engine(self) -> None:
        found = pod_spec(podTemplate={"spec": {"containers": [{"name": "proxy", "image": "p"}]}})
        assert [container["name"] for container in found["containers"]] == ["engine", "proxy"]

    def test_labels_and_annotations_are_added(self) -> None:
        extra = {"labels": {"team": "a"}, "annotations": {"b": "c"}}
        found = template(resource(podTemplate={"metadata": extra}))["metadata"]
        assert (found["labels"]["team"], found["annotations"]["b"], len(found["annotations"])) == ("a", "c", 4)

    @pytest.mark.parametrize(
        "label",
        [
            "specdecode.dev/name",
            "specdecode.dev/role",
            "specdecode.dev/variant-hash",
            "app.kubernetes.io/name",
            "app.kubernetes.io/managed-by",
        ],
    )
    def test_labels_that_the_operator_works_with_cannot_be_changed(self, label: str) -> None:
        mine = resource(podTemplate={"metadata": {"labels": {label: "mine"}}})
        assert template(mine)["metadata"]["labels"][label] != "mine"

    def test_the_rendered_pod_is_not_touched_by_the_merge(self) -> None:
        mine = resource(podTemplate={"metadata": {"labels": {"team": "a"}}, "spec": {"nodeSelector": {"a": "b"}}})
        before = mine.model_dump(mode="json")
        template(mine)
        assert mine.model_dump(mode="json") == before

    @pytest.mark.parametrize("field", ["args", "command"])
    def test_the_command_line_is_the_operators(self, field: str) -> None:
        with pytest.raises(InvalidPodTemplate) as caught:
            pod_spec(podTemplate={"spec": {"containers": [{"name": "engine", field: ["x"]}]}})
        assert str(caught.value) == (
            f"podTemplate.spec.containers[engine].{field}: the operator renders it;"
            " use engine.extraArgs or engine.image"
        )

    def test_dev_mode_cannot_come_in_here_either(self) -> None:
        env = [{"name": "A", "value": "1"}, {"name": "VLLM_SERVER_DEV_MODE", "value": "1"}]
        with pytest.raises(InvalidPodTemplate) as caught:
            pod_spec(podTemplate={"spec": {"containers": [{"name": "engine", "env": env}]}})
        assert str(caught.value) == (
            "podTemplate.spec.containers[engine].env: VLLM_SERVER_DEV_MODE opens unauthenticated control endpoints;"
            " remove it"
        )

    def test_the_cache_may_be_moved_to_a_claim(self) -> None:
        claim = {"persistentVolumeClaim": {"claimName": "c"}}
        found = pod_spec(podTemplate={"spec": {"volumes": [{"name": "cache", "emptyDir": None} | claim]}})
        assert [volume for volume in found["volumes"] if volume["name"] == "cache"] == [{"name": "cache"} | claim]

    def test_a_sidecar_has_a_command_line_of_its_own(self) -> None:
        found = pod_spec(podTemplate={"spec": {"containers": [{"name": "proxy", "command": ["x"], "args": ["y"]}]}})
        assert found["containers"][1] == {"name": "proxy", "command": ["x"], "args": ["y"]}

    @pytest.mark.parametrize(
        ("overlay", "sentence"),
        [
            ({"containers": [{"image": "x"}]}, NAMELESS),
            ({"containers": {"name": "engine"}}, "podTemplate.spec.containers: must be a list"),
            ({"containers": ["engine"]}, NAMELESS),
            ({"containers": [None]}, NAMELESS),
            ({"containers": [{"name": ["engine"]}]}, NAMELESS),
            ({"containers": [{"name": {}}]}, NAMELESS),
            (
                {"containers": [{"name": "engine", "resources": "all"}]},
                "podTemplate.spec.containers[engine].resources: must be an object",
            ),
            (
                {"containers": [{"name": "engine", "volumeMounts": [{"name": "x"}]}]},
                "podTemplate.spec.containers[engine].volumeMounts[0]: needs mountPath, by which the entry is merged",
            ),
            ({"volumes": ["data"]}, "podTemplate.spec.volumes[0]: needs name, by which the entry is merged"),
        ],
    )
    def test_what_cannot_be_merged_is_named(self, overlay: dict[str, Any], sentence: str) -> None:
        with pytest.raises(InvalidPodTemplate) as caught:
            pod_spec(podTemplate={"spec": overlay})
        assert str(caught.value) == sentence


def test_a_variant_without_speculation_runs_where_the_primary_cannot() -> None:
    found = resource(speculation={"method": "Suffix", "config": {"nope": 1}})
    assert "--speculative-config" not in template(found, "no-speculation")["spec"]["containers"][0]["args"]


def test_every_variant_of_a_ladder_has_a_pod_of_its_own() -> None:
    fallbacks = [{"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}}]
    found = resource(fallbacks=fallbacks)
    pods = [pod_template(found, variant) for variant in ladder(found.spec).rungs]
    assert len({str(pod["spec"]) for pod in pods}) == 3
