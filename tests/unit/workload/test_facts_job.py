"""The Job that reads config.json: which models, from where, and with which rights."""

from typing import Any

import kubernetes_validate
import pytest

from specdecode_operator.workload import FactsJobOptions, Source, digest, facts_job, facts_labels, sources
from specdecode_operator.workload.labels import selector_labels
from support.builders import DRAFT_MODEL, resource, rung

CLAIM, DRAFTS, HOST = {"claim": "weights"}, {"claim": "drafts"}, {"hostPath": "/srv/models"}
OPTIONS = FactsJobOptions("registry/operator:1", 90, {"limits": {"cpu": "1", "memory": "256Mi"}})
FACTS = {
    "modelType": "llama",
    "hiddenSize": 64,
    "layers": 2,
    "attentionHeads": 2,
    "intermediateSize": 64,
    "vocabularySize": 100,
    "contextLength": 100,
}
TARGET = Source("org/target", None, "weights", "/models/org/target")
DRAFT = Source("org/draft", None, "weights", "/models/org/draft")
NGRAM = {"speculation": {"method": "NGram", "numSpeculativeTokens": 4}}


def model(**fields: Any) -> dict[str, Any]:
    return {"name": "org/target"} | fields


def drafted(**fields: Any) -> dict[str, Any]:
    return DRAFT_MODEL | {"draft": {"name": "org/draft"} | fields}


def nothing(_: str) -> None:
    """A catalog without a model."""


WANTED = [
    ({"model": model()}, ()),
    ({"model": model(storage=HOST)}, ()),
    ({"model": model(storage=CLAIM)}, (TARGET, DRAFT)),
    ({"model": model(storage=CLAIM)} | NGRAM, (TARGET,)),
    ({"model": model(storage=CLAIM, facts=FACTS)}, (DRAFT,)),
    ({"model": model(storage=CLAIM), "speculation": drafted(facts=FACTS)}, (TARGET,)),
    ({"model": model(storage=CLAIM, facts=FACTS), "speculation": drafted(facts=FACTS)}, ()),
    (
        {"model": model(storage=CLAIM | {"path": "t"}, revision="v2")} | NGRAM,
        (Source("org/target", "v2", "weights", "/models/t"),),
    ),
    (
        {"model": model(storage=CLAIM), "speculation": drafted(storage=CLAIM | {"path": "d"}, revision="v3")},
        (TARGET, Source("org/draft", "v3", "weights", "/models/d")),
    ),
    (
        {"model": model(storage=CLAIM), "speculation": drafted(storage=DRAFTS)},
        (TARGET, Source("org/draft", None, "drafts", "/draft-models/org/draft")),
    ),
    (
        {"model": model(storage=HOST), "speculation": drafted(storage=DRAFTS)},
        (Source("org/draft", None, "drafts", "/draft-models/org/draft"),),
    ),
    (
        {"model": model(), "speculation": drafted(storage=DRAFTS)},
        (Source("org/draft", None, "drafts", "/draft-models/org/draft"),),
    ),
]


@pytest.mark.parametrize(("spec", "wanted"), WANTED)
def test_what_is_neither_given_nor_known_is_read_where_a_claim_holds_it(
    spec: dict[str, Any], wanted: tuple[Source, ...]
) -> None:
    assert sources(rung(resource(**spec).spec), nothing) == wanted


@pytest.mark.parametrize(
    ("known", "wanted"),
    [({"org/target"}, (DRAFT,)), ({"org/draft"}, (TARGET,)), ({"org/target", "org/draft"}, ())],
)
def test_what_the_catalog_knows_is_not_read(known: set[str], wanted: tuple[Source, ...]) -> None:
    found = sources(rung(resource(model=model(storage=CLAIM)).spec), lambda name: True if name in known else None)
    assert found == wanted


def test_a_variant_without_the_draft_does_not_ask_for_it() -> None:
    spec = resource(model=model(storage=CLAIM)).spec
    assert sources(rung(spec, "no-speculation"), nothing) == (TARGET,)


@pytest.mark.parametrize(
    "other",
    [
        (DRAFT,),
        (TARGET, DRAFT),
        (Source("org/target", "v2", "weights", "/models/org/target"),),
        (Source("org/target", None, "others", "/models/org/target"),),
        (Source("org/target", None, "weights", "/models/t"),),
    ],
)
def test_the_digest_changes_with_anything_that_would_be_read(other: tuple[Source, ...]) -> None:
    assert (digest((TARGET,)) == digest((TARGET,)), digest(other) == digest((TARGET,))) == (True, False)


def test_nothing_has_no_digest() -> None:
    assert digest(()) is None


def made(**spec: Any) -> dict[str, Any]:
    found = resource(metadata={"uid": "u1"}, **{"model": model(storage=CLAIM)} | spec)
    primary = rung(found.spec)
    return facts_job(found, primary, sources(primary, nothing), OPTIONS)


def test_the_whole_job() -> None:
    identity = digest((TARGET, DRAFT))
    labels = {
        "app.kubernetes.io/managed-by": "specdecode-operator",
        "specdecode.dev/facts-of": "chat",
        "specdecode.dev/facts-of-digest": identity,
        "specdecode.dev/role": "facts",
    }
    owner = {
        "apiVersion": "specdecode.dev/v1alpha1",
        "kind": "SpecDecodeDeployment",
        "name": "chat",
        "uid": "u1",
        "controller": True,
        "blockOwnerDeletion": True,
    }
    container = {
        "name": "facts",
        "image": "registry/operator:1",
        "args": [
            "facts",
            "--output=/dev/termination-log",
            "org/target=/models/org/target",
            "org/draft=/models/org/draft",
        ],
        "resources": {"limits": {"cpu": "1", "memory": "256Mi"}},
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "models", "mountPath": "/models", "readOnly": True}],
    }
    pod = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [container],
        "volumes": [{"name": "models", "persistentVolumeClaim": {"claimName": "weights", "readOnly": True}}],
    }
    assert made() == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"chat-facts-{identity}",
            "namespace": "prod",
            "labels": labels,
            "ownerReferences": [owner],
        },
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": 90,
            "ttlSecondsAfterFinished": 600,
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


@pytest.mark.parametrize("spec", [{}, NGRAM, {"speculation": drafted(storage=DRAFTS)}])
def test_kubernetes_would_take_it(spec: dict[str, Any]) -> None:
    kubernetes_validate.validate(made(**spec), "1.34", strict=True)


def test_each_claim_is_mounted_once_and_no_other_volume() -> None:
    pod = made(model=model(storage=HOST), speculation=drafted(storage=DRAFTS))["spec"]["template"]["spec"]
    assert pod["volumes"] == [
        {"name": "draft-models", "persistentVolumeClaim": {"claimName": "drafts", "readOnly": True}}
    ]
    assert pod["containers"][0]["volumeMounts"] == [
        {"name": "draft-models", "mountPath": "/draft-models", "readOnly": True}
    ]


def test_it_runs_where_the_engine_may_and_takes_nothing_else_of_its_template() -> None:
    placement = {
        "nodeSelector": {"pool": "gpu"},
        "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "imagePullSecrets": [{"name": "registry"}],
    }
    taken = {"serviceAccountName": "admin", "hostNetwork": True, "runtimeClassName": "nvidia", "volumes": []}
    pod = made(podTemplate={"spec": placement | taken})["spec"]["template"]["spec"]
    assert {name: pod[name] for name in placement} == placement
    assert not {"serviceAccountName", "hostNetwork", "runtimeClassName"} & set(pod)


def test_its_pods_are_selected_as_no_engine() -> None:
    found = resource(model=model(storage=CLAIM))
    labels = facts_labels(found, (TARGET,))
    assert not set(selector_labels(found).items()) <= set(labels.items())
    assert "specdecode.dev/name" not in labels


def test_the_longest_name_leaves_room_for_its_own() -> None:
    found = resource("n" * 50, metadata={"uid": "u1"}, model=model(storage=CLAIM))
    primary = rung(found.spec)
    job = facts_job(found, primary, sources(primary, nothing), OPTIONS)
    assert len(job["metadata"]["name"]) == 63
