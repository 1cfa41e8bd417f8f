"""GPUs: memory that vLLM sees, bandwidth, generation. Data."""

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["GPUS", "Gpu", "find_gpu"]

_SYSTEMS: Final = "bandwidth: NVIDIA aiconfigurator-core 0.12 systems"
_MEASURED: Final = f"memory: nvidia-smi and torch 2.11 on the GPU, driver 580.159.04; {_SYSTEMS}"
_SHEET: Final = "bandwidth: the maker's data sheet, from memory"
_SCALED: Final = "memory: nvidia-smi, from memory; the driver's share is that of the H100 (0.6 %)"


@dataclass(frozen=True)
class Gpu:
    """One kind of GPU."""

    name: str
    memory_mib: int
    """What `nvidia-smi` calls the total."""
    reserved_mib: int
    """Part of it that the driver keeps: CUDA, and so vLLM, sees the total without it."""
    bandwidth_tb_s: float
    """Memory bandwidth, TB/s."""
    capability: tuple[int, int] | None
    """CUDA compute capability; None for AMD."""
    pattern: str
    """Names that mean this GPU, as a regular expression over capitals and single blanks."""
    source: str

    @property
    def visible_bytes(self) -> int:
        """Memory of one GPU that vLLM's `gpu_memory_utilization` is a share of."""
        return (self.memory_mib - self.reserved_mib) * 2**20

    @property
    def large(self) -> bool:
        """Whether vLLM's larger defaults hold: 70 GiB or more, and no A100.

        Source: `EngineArgs.get_batch_defaults` in `vllm/engine/arg_utils.py`.
        """
        return self.visible_bytes >= _LARGE_BYTES and not self.name.startswith("A100")


_LARGE_BYTES: Final = 70 * 2**30

GPUS: Final = (
    Gpu("A100-40", 40960, 241, 1.555, (8, 0), r"A100 (SXM4 |PCIE )?40(GB)?", f"{_SCALED}; {_SHEET}"),
    Gpu(
        "A100-80",
        81920,
        482,
        2.039,
        (8, 0),
        r"A100 (SXM4 |SXM |PCIE )?80(GB)?( PCIE| SXM4?)?",
        f"{_SCALED}; {_SYSTEMS}",
    ),
    Gpu("L4", 23034, 136, 0.300, (8, 9), r"L4", f"{_SCALED}; {_SHEET}"),
    Gpu("L40S", 46068, 271, 0.864, (8, 9), r"L40S( 48(GB)?)?", f"{_SCALED}; {_SYSTEMS}"),
    Gpu("H100", 81559, 480, 3.35, (9, 0), r"H100( SXM5?)?( 80(GB)?)?( HBM3)?|H100 PCIE", _MEASURED),
    Gpu("H200", 143771, 616, 4.80, (9, 0), r"H200( SXM| NVL)?( 141(GB)?)?", _MEASURED),
    Gpu("B200", 183359, 1079, 7.7, (10, 0), r"B200( 180(GB)?)?", f"{_SCALED}; {_SYSTEMS}"),
    Gpu("MI300X", 196592, 0, 5.3, None, r"MI300X( OAM)?( 192(GB)?)?", f"memory: from memory; {_SHEET}"),
)
"""Every GPU that the memory plan knows."""

_MAKERS: Final = re.compile(r"^(NVIDIA |AMD |INSTINCT |TESLA )+")


def find_gpu(product: str) -> Gpu | None:
    """Return the GPU that `product` names, or None where it is not known or not whole.

    Takes names of the catalog (`H100`, `A100-80`) and values of the labels that the vendors' Kubernetes plugins set
    (`nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3`). MIG slices and shared GPUs have less memory than their name says
    and are not known, nor are variants of other memory (`H100 NVL`); a bare `A100` could be either of two.
    """
    words = _MAKERS.sub("", " ".join(re.split(r"[^A-Z0-9]+", product.upper())).strip())
    return next((gpu for gpu in GPUS if re.fullmatch(gpu.pattern, words)), None)
