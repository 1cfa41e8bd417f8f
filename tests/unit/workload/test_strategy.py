"""Whether a roll surges or replaces one pod at a time."""

import pytest

from specdecode_operator.api.v1alpha1 import Rollout
from specdecode_operator.policy import ClusterState
from specdecode_operator.workload import replaces

FREE = ClusterState(exists=True)
FULL = ClusterState(exists=True, unschedulable=True)
HALFWAY = ClusterState(exists=True, replacing=True)


@pytest.mark.parametrize(
    ("strategy", "downtime", "replicas", "cluster", "rolled_out", "expected"),
    [
        ("Auto", False, 2, FREE, False, False),
        ("Auto", False, 2, FULL, False, True),
        ("Auto", False, 2, HALFWAY, False, True),
        ("Auto", False, 2, FULL, True, False),
        ("Auto", False, 2, HALFWAY, True, False),
        ("Auto", False, 1, FULL, False, False),
        ("Auto", True, 1, FULL, False, True),
        ("Auto", True, 1, FREE, False, False),
        ("Auto", False, 0, FULL, False, True),
        ("Surge", False, 2, FULL, False, False),
        ("Surge", True, 1, HALFWAY, False, False),
        ("Replace", False, 2, FREE, False, True),
        ("Replace", False, 2, FREE, True, True),
        ("Replace", False, 1, FREE, False, False),
        ("Replace", True, 1, FREE, False, True),
    ],
)
def test_replacing(
    strategy: str,
    downtime: bool,  # noqa: FBT001 - a column of the table
    replicas: int,
    cluster: ClusterState,
    rolled_out: bool,  # noqa: FBT001
    expected: bool,  # noqa: FBT001
) -> None:
    rollout = Rollout.model_validate({"strategy": strategy, "allowDowntime": downtime})
    assert replaces(rollout, cluster, replicas=replicas, rolled_out=rolled_out) is expected
