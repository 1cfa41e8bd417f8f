"""Which vLLM version has which feature. Data, read from the wheels' sources."""

from dataclasses import dataclass
from enum import Enum
from typing import Self

__all__ = ["Feature", "Version"]


@dataclass(frozen=True, order=True)
class Version:
    """A release of vLLM, ordered."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the version in `text`, which is `major.minor.patch`."""
        major, minor, patch = (int(part) for part in text.split("."))
        return cls(major, minor, patch)

    def has(self, feature: "Feature") -> bool:
        """Whether this version has `feature`."""
        return self >= feature.value

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


class Feature(Enum):
    """Something that came with a version; the value is the first release that was seen to have it."""

    BATCH_SIZE_SCHEDULE = Version(0, 24, 0)
    """`num_speculative_tokens_per_batch_size` (absent in 0.23.0)."""
    DRAFT_SAMPLING = Version(0, 23, 0)
    """`draft_sample_method: greedy|probabilistic` (0.21.0 called it `gumbel`)."""
    BLOCK_REJECTION = Version(0, 26, 0)
    """`rejection_sample_method: block` (absent in 0.24.0)."""
    CUSTOM_BUCKETS = Version(0, 32, 0)
    """`--custom-histogram-buckets` (absent in 0.30.0)."""
