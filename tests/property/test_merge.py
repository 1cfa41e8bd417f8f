"""Laws of the merge of `podTemplate`."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from specdecode_operator.workload.merge import merge

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.one_of(st.integers(0, 9), st.booleans(), st.sampled_from(["x", "y"]))


def keyed(key: str, fields: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    entry = st.builds(lambda name, rest: {key: name} | rest, NAMES, fields)
    return st.lists(entry, max_size=3, unique_by=lambda found: str(found[key]))


LABELS = st.dictionaries(NAMES, st.sampled_from(["x", "y"]), max_size=3)
CONTAINERS = st.fixed_dictionaries(
    {},
    optional={
        "image": SCALARS,
        "command": st.lists(SCALARS, max_size=2),
        "env": keyed("name", st.fixed_dictionaries({}, optional={"value": SCALARS})),
        "volumeMounts": keyed("mountPath", st.fixed_dictionaries({}, optional={"name": SCALARS})),
        "securityContext": LABELS,
    },
)
PODS = st.fixed_dictionaries(
    {},
    optional={
        "nodeSelector": LABELS,
        "tolerations": st.lists(LABELS, max_size=2),
        "containers": keyed("name", CONTAINERS),
        "volumes": keyed("name", st.fixed_dictionaries({}, optional={"emptyDir": LABELS})),
        "priorityClassName": SCALARS,
    },
)


@given(PODS)
def test_nothing_over_a_pod_and_a_pod_over_nothing_is_the_pod(pod: dict[str, Any]) -> None:
    assert (merge(pod, {}), merge({}, pod)) == (pod, pod)


@settings(max_examples=100)
@given(PODS, PODS)
def test_merging_twice_is_merging_once(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    once = merge(base, overlay)
    assert merge(once, overlay) == once


@settings(max_examples=100)
@given(PODS, PODS, PODS)
def test_overlays_can_be_merged_among_themselves_first(
    base: dict[str, Any], first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert merge(merge(base, first), second) == merge(base, merge(first, second))


@settings(max_examples=100)
@given(PODS, PODS)
def test_every_container_of_both_is_there_once(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    names = [found["name"] for found in merge(base, overlay).get("containers", [])]
    wanted = {found["name"] for side in (base, overlay) for found in side.get("containers", [])}
    assert (set(names), len(names)) == (wanted, len(wanted))


@settings(max_examples=100)
@given(PODS, PODS)
def test_scalars_of_the_overlay_win(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    merged = merge(base, overlay)
    expected = overlay.get("priorityClassName", base.get("priorityClassName"))
    assert merged.get("priorityClassName") == expected


@settings(max_examples=100)
@given(PODS, PODS)
def test_neither_side_is_changed(base: dict[str, Any], overlay: dict[str, Any]) -> None:
    before = repr((base, overlay))
    merge(base, overlay)
    assert repr((base, overlay)) == before


@settings(max_examples=100)
@given(PODS, st.data())
def test_a_null_removes_its_field_and_nothing_else(pod: dict[str, Any], data: st.DataObject) -> None:
    names = data.draw(st.sets(st.sampled_from(["containers", "volumes", "nodeSelector", "priorityClassName"])))
    assert merge(pod, dict.fromkeys(names)) == {name: value for name, value in pod.items() if name not in names}
