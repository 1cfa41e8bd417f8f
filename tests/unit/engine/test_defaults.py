"""What vLLM does where nothing is said depends on the release."""

import pytest

from specdecode_operator.engine import Version, gpu_memory_utilization


@pytest.mark.parametrize(
    ("version", "share"), [("0.8.3", 0.9), ("0.19.0", 0.9), ("0.20.0", 0.92), ("0.33.0", 0.92), ("1.0.0", 0.92)]
)
def test_the_share_of_memory_grew_once(version: str, share: float) -> None:
    assert gpu_memory_utilization(Version.parse(version)) == share
