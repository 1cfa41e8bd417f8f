"""A null in `podTemplate` takes something away, wherever it stands."""

from specdecode_operator.workload.pod import pod_template
from support.builders import resource, rung


def test_null_labels_leave_those_that_the_operator_works_with() -> None:
    found = resource(podTemplate={"metadata": {"labels": None}})
    labels = pod_template(found, rung(found.spec))["metadata"]["labels"]
    assert labels["specdecode.dev/name"] == found.metadata.name


def test_a_null_under_something_new_does_not_reach_the_pod() -> None:
    found = resource(podTemplate={"spec": {"affinity": {"nodeAffinity": None}}})
    assert pod_template(found, rung(found.spec))["spec"]["affinity"] == {}


def test_a_fallback_that_changes_nothing_is_the_same_configuration() -> None:
    model = {"name": "t", "storage": {"claim": "w"}, "quantization": "fp8"}
    same = {"name": "x", "triggers": ["Latency"], "model": {"quantization": "fp8"}}
    spec = resource(model=model, fallbacks=[same]).spec
    assert rung(spec, "x").hash == rung(spec).hash
