"""Releases of vLLM, and ranges of them. Data, read from the sources of the releases in `READ`.

A boundary lies between two releases that were both read, so `first` is the first release that was seen to have
something and `gone` the first that was seen without it again; a release between two read ones may already differ.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

__all__ = ["ALWAYS", "NEWEST", "OLDEST", "READ", "Feature", "Span", "Version", "span"]


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
        return self in feature.value

    @property
    def known(self) -> bool:
        """Whether rules for this version exist: it is not from a later series than the newest that was read."""
        return (self.major, self.minor) <= (NEWEST.major, NEWEST.minor)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"


OLDEST: Final = Version(0, 8, 3)
"""The first release that takes `--speculative-config` and no longer the flags before it (0.8.2 took both)."""

NEWEST: Final = Version(0, 33, 0)
"""The newest release that was read; its rules hold for what comes later."""

_READ: Final = """
0.8.3 0.8.5 0.9.0 0.9.2 0.10.0 0.10.1 0.10.2 0.11.0 0.11.2 0.12.0 0.13.0 0.14.0 0.15.0 0.16.0 0.17.0 0.18.0 0.19.0
0.20.0 0.20.2 0.21.0 0.22.0 0.22.1 0.23.0 0.24.0 0.25.0 0.25.1 0.26.0 0.27.1 0.28.0 0.29.0 0.30.0 0.31.0 0.32.0 0.33.0
"""
READ: Final = tuple(Version.parse(text) for text in _READ.split())
"""The releases whose sources the tables come from, ascending."""


@dataclass(frozen=True)
class Span:
    """The releases that have something."""

    first: Version = OLDEST
    """First release that was seen to have it."""
    gone: Version | None = None
    """First release that was seen without it again; None where the newest has it."""

    def __contains__(self, version: Version) -> bool:
        return self.first <= version and (self.gone is None or version < self.gone)

    def __str__(self) -> str:
        return f"{self.first} and later" if self.gone is None else f"{self.first} to before {self.gone}"


ALWAYS: Final = Span()
"""All supported releases."""


def span(first: str = str(OLDEST), gone: str | None = None) -> Span:
    """Return the span from `first` up to, and without, `gone`."""
    return Span(Version.parse(first), None if gone is None else Version.parse(gone))


class Feature(Enum):
    """Something of the server that came with a release."""

    CUSTOM_BUCKETS = span("0.32.0")
    """`--custom-histogram-buckets` (absent in 0.31.0)."""
    SHUTDOWN_TIMEOUT = span("0.18.0")
    """`--shutdown-timeout` (absent in 0.17.0)."""
    GRAPH_MEMORY_COUNTED = span("0.20.0")
    """An estimate of the CUDA graphs' memory is taken from the KV cache's share unless the environment says otherwise.

    Default of `VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS` in `vllm/envs.py`; vLLM's own log says 0.21.0.
    """
    SPECULATION_COUNTERS = span("0.8.5")
    """`vllm:spec_decode_num_drafts_total` and its kin, in engine V1."""
