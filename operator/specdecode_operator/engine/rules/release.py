"""What the release itself has: the method, its runner, flags, and what the operator relies on."""

import re
from collections.abc import Iterator
from typing import Final

from specdecode_operator.api.remarks import Remark, advice, error, warning
from specdecode_operator.api.v1alpha1 import Method
from specdecode_operator.engine.flags import FLAGS, LEGACY_FLAGS
from specdecode_operator.engine.methods import METHODS, NAME_WORDS, V0_GONE, Runner
from specdecode_operator.engine.rules.setup import V2_SWITCH, Setup, needs
from specdecode_operator.engine.versions import NEWEST, Feature, Version, span

__all__ = [
    "acceptance_measured",
    "counts_acceptance",
    "drained",
    "flags_exist",
    "graphs_of_the_draft",
    "image_agrees",
    "known",
    "measured_across_engines",
    "method_runs",
    "method_stands",
    "package_there",
    "runner_fits",
]

_TAG: Final = re.compile(r"(?P<name>[^/]*):v?(?P<version>\d{1,3}\.\d{1,3}\.\d{1,3})(?:[^0-9@][^@]*)?(?:@.*)?$")
_OLDEST_IMAGE: Final = Version(0, 6, 0)
_HEADS_STAND: Final = Version(0, 8, 5)
_EAGLES: Final = frozenset({Method.EAGLE, Method.EAGLE3})
_V1_FIRST: Final = frozenset({Method.DRAFT_MODEL, Method.NGRAM, Method.SUFFIX})
"""Methods that V2 did not run, even when asked to, before it ran them by default."""

_V2_SCHEDULES: Final = Version(0, 25, 0)
_ONE_ENGINE_COUNTED: Final = span("0.10.0", "0.11.0")


def known(setup: Setup) -> Iterator[Remark]:
    """A release newer than the tables is judged by the newest rules."""
    if not setup.version.known:
        yield warning(
            "EngineVersionUnknown",
            "engine.version",
            f"the rules are known up to vLLM {NEWEST} and are applied to {setup.version} as they stand; compare with"
            " its release notes",
        )


def image_agrees(setup: Setup) -> Iterator[Remark]:
    """The tag `vX.Y.Z` of a vLLM image is its version; of another image it may be the image's own."""
    found = _TAG.search(setup.engine.image_reference)
    if found is None or Version.parse(found["version"]) == setup.version:
        return
    plausible = Version.parse(found["version"]) >= _OLDEST_IMAGE and found["version"].startswith("0.")
    say = error if "vllm" in found["name"].lower() and plausible else warning
    yield say(
        "ImageVersionMismatch",
        "engine.image",
        f"the tag says {found['version']}, engine.version {setup.version}; flags and metric names follow"
        " engine.version, so make the two agree",
    )


def drained(setup: Setup) -> Iterator[Remark]:
    """`--shutdown-timeout` is absent in 0.17.0; without it SIGTERM aborts requests (`vllm/config/vllm.py`)."""
    if not setup.version.has(Feature.SHUTDOWN_TIMEOUT):
        yield warning(
            "RequestsNotDrained",
            "rollout.drainTimeout",
            f"vLLM {setup.version} cannot drain and aborts running requests when a pod stops; upgrade to"
            f" {Feature.SHUTDOWN_TIMEOUT.value.first} or later",
        )


def counts_acceptance(setup: Setup) -> bool:
    """Whether the counters of drafts are there and right; the last release with V0 was before 0.10.0."""
    if setup.version >= V0_GONE:
        return True
    return setup.runner is not Runner.V0 and setup.version.has(Feature.SPECULATION_COUNTERS)


def acceptance_measured(setup: Setup) -> Iterator[Remark]:
    """V0 counts accepted tokens wrongly (`vllm/engine/metrics.py` 0.9.2); V1 counts from 0.8.5 on."""
    if setup.active and not counts_acceptance(setup):
        yield warning(
            "AcceptanceNotMeasured",
            "engine.version",
            f"in vLLM {setup.version} {setup.method} runs in engine {setup.runner}, whose counters do not tell the"
            " acceptance rate, so it is never judged; use a later release",
        )


def measured_across_engines(setup: Setup) -> Iterator[Remark]:
    """`NotImplementedError` in `vllm/v1/metrics/loggers.py` of 0.10.0 to 0.10.2."""
    ranks = setup.flags.number("--data-parallel-size") or 1
    if setup.active and ranks > 1 and setup.version in _ONE_ENGINE_COUNTED:
        yield error(
            "DataParallelMetrics",
            "engine.extraArgs",
            f"vLLM {setup.version} does not start with --data-parallel-size {ranks} and speculation, since it cannot"
            f" count for several engines; upgrade to {_ONE_ENGINE_COUNTED.gone} or later",
        )


def method_runs(setup: Setup) -> Iterator[Remark]:
    """See `methods.METHODS`."""
    found = METHODS.get(setup.method)
    if found is None or any(setup.version in releases for releases in found.runs):
        return
    later = [str(releases.first) for releases in found.runs if releases.first > setup.version]
    runs = ", ".join(str(releases) for releases in found.runs)
    advice = f"set engine.version to {later[0]} or later" if later else "choose another engine.version"
    yield error(
        "MethodUnavailable",
        "speculation.method",
        f"{setup.method} does not run in vLLM {setup.version} but in {runs}; {advice}, or choose another method",
    )


def method_stands(setup: Setup) -> Iterator[Remark]:
    """See `methods.NAME_WORDS`; `SpeculativeConfig.__post_init__` in `vllm/config/speculative.py`."""
    draft = setup.speculation.draft
    if draft is None or (setup.method in _EAGLES and setup.version >= _HEADS_STAND):
        return
    path = (draft.storage.path if draft.storage else None) or draft.name
    words = [word for word, releases in NAME_WORDS.items() if setup.version in releases and word in path.lower()]
    if setup.method in _EAGLES and not words:
        message = f"vLLM {setup.version} takes {path} for a draft model, since eagle- is not in its name; upgrade"
        yield error("MethodOverridden", "speculation.draft.name", message)
    elif setup.method not in _EAGLES and words:
        message = (
            f"{path} has {words[0]} in its name, by which vLLM takes it for a head whatever speculation.method says;"
            f" rename it, or choose another method than {setup.method}"
        )
        yield error("MethodOverridden", "speculation.draft.name", message)


def package_there(setup: Setup) -> Iterator[Remark]:
    """`_validate_suffix_decoding` in `vllm/config/speculative.py`: an ImportError before the start."""
    if setup.method is Method.SUFFIX:
        yield advice(
            "MethodNeedsPackage",
            "engine.image",
            "Suffix needs the package arctic-inference in the image, which vLLM's own does not promise; without it"
            " the engine does not start",
        )


def graphs_of_the_draft(setup: Setup) -> Iterator[Remark]:
    """`vllm/v1/worker/gpu/spec_decode/standalone_ar/speculator.py` 0.33.0, `draft_model/speculator.py` 0.31.0."""
    eager = setup.flags.on("--enforce-eager") or setup.variable(V2_SWITCH) is not None
    if setup.method is Method.DRAFT_MODEL and setup.runner is Runner.V2 and not eager:
        yield advice(
            "DraftWithoutCudaGraphs",
            "engine.env",
            f"the V2 model runner of vLLM {setup.version} runs a draft model without CUDA graphs; measure it against"
            f" {V2_SWITCH}=0, and set the variable to the better one",
        )


def runner_fits(setup: Setup) -> Iterator[Remark]:
    """`_validate_v2_model_runner` and its V1 counterpart in `vllm/config/vllm.py` (from 0.22.0 on)."""
    if not setup.active or setup.version < Version(0, 22, 0):
        return
    for what, field, runner in _demands(setup):
        if setup.runner is not runner:
            yield error(
                "RunnerUnsupported",
                field,
                f"{what} runs in model runner {runner} alone, and {setup.runner} carries this variant out; remove it,"
                f" or {V2_SWITCH} from engine.env",
            )


def _demands(setup: Setup) -> Iterator[tuple[str, str, Runner]]:
    v2 = METHODS[setup.method].v2
    if setup.method in _V1_FIRST and (v2 is None or setup.version < v2):
        yield str(setup.method), "speculation.method", Runner.V1
    if setup.speculation.batch_size_schedule is not None and setup.version < _V2_SCHEDULES:
        yield "a schedule", "speculation.batchSizeSchedule", Runner.V1
    for key in ("parallel_drafting", "use_heterogeneous_vocab"):
        if setup.key(key):
            yield key, f"speculation.config.{key}", Runner.V1
    for key in ("enable_adaptive_verification", "draft_lm_head_quantization"):
        if setup.key(key):
            yield key, f"speculation.config.{key}", Runner.V2


def flags_exist(setup: Setup) -> Iterator[Remark]:
    """An unknown flag ends vLLM with exit code 2."""
    for given in setup.flags.values:
        flag = given.partition(".")[0]
        if flag in LEGACY_FLAGS:
            yield error(
                "FlagRemoved",
                "engine.extraArgs",
                f"vLLM removed {flag} in 0.8.3; in its place stands {LEGACY_FLAGS[flag]}",
            )
        elif flag in FLAGS and (reason := needs(FLAGS[flag], setup.version)):
            code = "FlagUnavailable" if setup.version < FLAGS[flag].first else "FlagRemoved"
            yield error(code, "engine.extraArgs", f"{flag}: {reason}")
