"""The catalog of GPUs, and the names that mean them."""

import pytest

from specdecode_operator.sizing import GPUS, find_gpu


@pytest.mark.parametrize(
    ("product", "name"),
    [
        ("H100", "H100"),
        ("h100-80gb", "H100"),
        ("NVIDIA-H100-80GB-HBM3", "H100"),
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA-H100-PCIe", "H100"),
        ("NVIDIA-H200", "H200"),
        ("H200-141GB", "H200"),
        ("NVIDIA-A100-SXM4-80GB", "A100-80"),
        ("NVIDIA-A100-80GB-PCIe", "A100-80"),
        ("NVIDIA-A100-SXM4-40GB", "A100-40"),
        ("NVIDIA-A100-PCIE-40GB", "A100-40"),
        ("A100-80", "A100-80"),
        ("NVIDIA-L4", "L4"),
        ("NVIDIA-L40S", "L40S"),
        ("NVIDIA-B200", "B200"),
        ("AMD-Instinct-MI300X-OAM", "MI300X"),
        ("AMD Instinct MI300X", "MI300X"),
    ],
)
def test_names_and_labels_are_known(product: str, name: str) -> None:
    gpu = find_gpu(product)
    assert gpu is not None
    assert gpu.name == name


@pytest.mark.parametrize(
    "product",
    [
        "",
        "A100",
        "L40",
        "NVIDIA-H100-NVL",
        "NVIDIA-GH200-480GB",
        "NVIDIA-A100-SXM4-80GB-MIG-1g.10gb",
        "NVIDIA-H100-80GB-HBM3-SHARED",
        "Tesla-T4",
        "H" * 10_000,
    ],
)
def test_slices_shares_and_strangers_are_not(product: str) -> None:
    assert find_gpu(product) is None


def test_every_gpu_finds_itself_and_names_its_source() -> None:
    assert [find_gpu(gpu.name) for gpu in GPUS] == list(GPUS)
    assert all(gpu.source for gpu in GPUS)


def test_the_driver_keeps_a_part_of_the_memory() -> None:
    h100, h200 = find_gpu("H100"), find_gpu("H200")
    assert h100 is not None
    assert h200 is not None
    assert (h100.visible_bytes, h200.visible_bytes >> 20) == (85_017_493_504, 143_155)


def test_only_large_gpus_that_are_no_a100_have_the_larger_defaults() -> None:
    assert [gpu.name for gpu in GPUS if gpu.large] == ["H100", "H200", "B200", "MI300X"]
