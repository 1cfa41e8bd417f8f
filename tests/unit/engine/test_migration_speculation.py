"""How every way of configuring speculation, old and new, becomes `spec.speculation`."""

import json
from typing import Any

import pytest

from specdecode_operator.api.unknown import unknown_fields
from specdecode_operator.api.v1alpha1 import parse
from specdecode_operator.engine.migration import CannotMigrate, MalformedCommand, migrate

NEWEST = "0.33.0"
DRAFT = {"method": "DraftModel", "draft": {"name": "org/draft"}, "numSpeculativeTokens": 5}
LEGACY = ["--speculative-model", "org/draft", "--num-speculative-tokens", "5"]
GUESS = "note: --speculative-model: read as method DraftModel; set speculation.method where it is another"


def speculation(*flags: str, version: str = NEWEST) -> tuple[dict[str, Any] | None, list[str]]:
    """The speculation, and what is said about it."""
    found = migrate(["org/target", *flags], version=version)
    assert unknown_fields(found.resource) == []
    assert parse(found.resource).spec.model.name == "org/target"
    return found.resource["spec"].get("speculation"), [str(finding) for finding in found.findings]


def config(**keys: Any) -> list[str]:
    return ["--speculative-config", json.dumps(keys)]


PAIR = {"method": "draft_model", "model": "org/draft", "num_speculative_tokens": 5}

SAME = {
    "JSON": config(**PAIR),
    "JSON after an equals sign": [f"--speculative-config={json.dumps(PAIR)}"],
    "underscores": [f"--speculative_config={json.dumps(PAIR)}"],
    "the short flag": ["-sc", json.dumps(PAIR)],
    "dashes in keys": ["-sc", json.dumps({name.replace("_", "-"): value for name, value in PAIR.items()})],
    "a number in quotes": config(**PAIR | {"num_speculative_tokens": "5"}),
    "nulls": config(**PAIR, revision=None, quantization=None),
    "shorthands": ["--spec-method", "draft_model", "--spec-model", "org/draft", "--spec-tokens", "5"],
    "shorthands beside JSON": [*config(method="draft_model", model="org/draft"), "--spec-tokens", "5"],
    "dotted": [
        "--speculative-config.method=draft_model",
        *("--speculative-config.model", "org/draft"),
        *("--speculative-config.num_speculative_tokens", "5"),
    ],
    "dotted with the short flag and dashes": [
        "-sc.method=draft_model",
        "-sc.model=org/draft",
        "-sc.num-speculative-tokens=5",
    ],
}


@pytest.mark.parametrize("flags", SAME.values(), ids=SAME)
def test_every_modern_spelling_is_the_same_pair(flags: list[str]) -> None:
    assert speculation(*flags) == (DRAFT, [])


def test_the_old_flags_are_the_same_pair_with_a_guessed_method() -> None:
    assert speculation(*LEGACY) == (DRAFT, [GUESS])


def test_the_word_none_was_no_draft_and_no_quantization() -> None:
    assert speculation("--speculative-model", "None") == (None, [])
    assert speculation(*LEGACY, "--speculative-model-quantization", "None") == (DRAFT, [GUESS])


METHODS = [
    ("org/draft", "DraftModel"),
    ("yuhuili/EAGLE-LLaMA3-Instruct-70B", "Eagle"),
    ("yuhuili/EAGLE3-LLaMA3.1-Instruct-8B", "Eagle3"),
    ("AngelSlim/Qwen3-8B_eagle3", "Eagle3"),
]


@pytest.mark.parametrize(("draft", "method"), METHODS)
def test_without_a_method_the_draft_s_name_tells_it_as_in_vllm(draft: str, method: str) -> None:
    found, notes = speculation("--speculative-model", draft, "--num-speculative-tokens", "5")
    assert found == DRAFT | {"method": method, "draft": {"name": draft}}
    assert notes == [GUESS.replace("DraftModel", method)]


NAMED = [
    ("eagle", "Eagle"),
    ("eagle3", "Eagle3"),
    ("mtp", "Mtp"),
    ("deepseek_mtp", "Mtp"),
    ("qwen3_next_mtp", "Mtp"),
]


@pytest.mark.parametrize(("word", "method"), NAMED)
def test_a_method_with_a_head_keeps_it(word: str, method: str) -> None:
    found, notes = speculation(*config(**PAIR | {"method": word}))
    assert (found, notes) == (DRAFT | {"method": method}, [])


def test_heads_within_the_target_need_neither_draft_nor_tokens() -> None:
    assert speculation(*config(method="mtp")) == ({"method": "Mtp"}, [])


def test_suffix_needs_nothing_and_takes_its_own_keys() -> None:
    keys = {"suffix_decoding_max_tree_depth": 16}
    assert speculation(*config(method="suffix", **keys)) == ({"method": "Suffix", "config": keys}, [])


LOOKUP = [
    (["--ngram-prompt-lookup-max", "4"], {"min": 1, "max": 4}),
    (["--ngram_prompt_lookup_max=4"], {"min": 1, "max": 4}),
    (["--ngram-prompt-lookup-max", "4", "--ngram-prompt-lookup-min", "2"], {"min": 2, "max": 4}),
    (["--ngram-prompt-lookup-min", "2"], {"min": 2, "max": 2}),
    ([], {"min": 5, "max": 5}),
]


@pytest.mark.parametrize("word", ["[ngram]", "ngram"])
@pytest.mark.parametrize(("flags", "lookup"), LOOKUP)
def test_ngram_was_a_model_with_a_lookup_that_began_at_one(word: str, flags: list[str], lookup: dict[str, int]) -> None:
    found = speculation("--speculative-model", word, "--num-speculative-tokens", "4", *flags)
    assert found == ({"method": "NGram", "numSpeculativeTokens": 4, "promptLookup": lookup}, [])


MODERN_LOOKUP: list[tuple[dict[str, int], dict[str, int]]] = [
    ({"prompt_lookup_max": 4}, {"min": 4, "max": 4}),
    ({"prompt_lookup_min": 2}, {"min": 2, "max": 2}),
    ({"prompt_lookup_min": 2, "prompt_lookup_max": 4}, {"min": 2, "max": 4}),
    ({}, {"min": 5, "max": 5}),
]


@pytest.mark.parametrize(("keys", "lookup"), MODERN_LOOKUP)
def test_ngram_is_a_method_whose_lengths_stand_for_each_other(keys: dict[str, int], lookup: dict[str, int]) -> None:
    found = speculation(*config(method="ngram", num_speculative_tokens=4, **keys))
    assert found == ({"method": "NGram", "numSpeculativeTokens": 4, "promptLookup": lookup}, [])


def test_lookup_lengths_mean_nothing_to_another_method() -> None:
    found, notes = speculation(*LEGACY, "--ngram-prompt-lookup-max", "4")
    assert (found, notes) == (DRAFT, [GUESS, "note: --ngram-prompt-lookup-max: method DraftModel looks no n-grams up"])


DRAFT_WEIGHTS = [
    ([*LEGACY, "--speculative-model-quantization", "fp8"], {"name": "org/draft", "quantization": "fp8"}),
    (config(**PAIR, quantization="fp8_per_tensor"), {"name": "org/draft", "quantization": "fp8_per_tensor"}),
    (config(**PAIR, revision="v2"), {"name": "org/draft", "revision": "v2"}),
    (
        config(**PAIR | {"model": "/models/draft"}),
        {"name": "draft", "storage": {"hostPath": "/models", "path": "draft"}},
    ),
]


@pytest.mark.parametrize(("flags", "draft"), DRAFT_WEIGHTS)
def test_the_draft_s_weights_have_fields_of_their_own(flags: list[str], draft: dict[str, Any]) -> None:
    found, notes = speculation(*flags)
    assert found == DRAFT | {"draft": draft}
    assert all(note.startswith("note: ") for note in notes)


def test_a_draft_in_bitsandbytes_is_lost_but_its_model_stays() -> None:
    found, notes = speculation(*LEGACY, "--speculative-model-quantization", "bitsandbytes")
    assert found == DRAFT
    assert notes[1].startswith("lost: --speculative-model-quantization: vLLM removed bitsandbytes by 0.28.0")


def test_a_draft_of_the_hub_cannot_stand_beside_a_target_in_a_folder() -> None:
    found = migrate(["/models/target", *config(**PAIR)])
    reason = "a draft of the hub cannot stand beside a target in a folder"
    advice = "download it to org/draft beside the target"
    assert [str(finding) for finding in found.losses] == [f"lost: --speculative-config.model: {reason}; {advice}"]


def test_a_pair_in_one_folder_stays_together() -> None:
    found = migrate(["/models/target", *config(**PAIR | {"model": "/models/draft"})])
    spec = parse(found.resource).spec
    assert spec.speculation.draft is not None
    assert spec.speculation.draft.storage is not None
    assert (spec.speculation.draft.storage.path, found.losses) == ("draft", ())


def test_a_draft_that_no_pod_knows_is_lost() -> None:
    _, notes = speculation(*config(**PAIR | {"model": "./draft"}))
    reason = "a pod knows neither this folder nor this address"
    advice = "put the weights into a claim, named by speculation.draft.storage.claim"
    assert notes == [f"lost: --speculative-config.model: {reason}; {advice}"]


PARALLEL = [
    ([], 1, None),
    (["-tp", "1"], 1, None),
    (["-tp", "4"], 4, None),
    (["-tp", "4"], 1, "lost: --speculative-draft-tensor-parallel-size: vLLM shards the draft over the target's 4 GPUs"),
    (["-tp", "4"], 2, "lost: --speculative-draft-tensor-parallel-size: vLLM shards the draft over the target's 4 GPUs"),
    ([], 2, "lost: --speculative-draft-tensor-parallel-size: vLLM shards the draft over the target's 1 GPUs"),
]


@pytest.mark.parametrize(("target", "size", "loss"), PARALLEL)
def test_the_draft_s_parallelism_is_the_target_s_or_lost(target: list[str], size: int, loss: str | None) -> None:
    found, notes = speculation(*LEGACY, *target, "--speculative-draft-tensor-parallel-size", str(size))
    start = loss or f"note: --speculative-draft-tensor-parallel-size: {size} is what the draft has anyway"
    assert (found, notes[1].startswith(start), len(notes)) == (DRAFT, True, 2)


@pytest.mark.parametrize("flag", ["-spec-draft-tp", "--speculative_draft_tensor_parallel_size"])
def test_the_draft_s_parallelism_in_other_spellings(flag: str) -> None:
    assert speculation(*LEGACY, flag, "1")[1][1].startswith(f"note: {flag}: 1 is what")


OFF = "from 32 requests in one step on nothing is proposed; a draft model stays in memory"
LIMITED = [
    ([*LEGACY, "--speculative-disable-by-batch-size", "32"], "--speculative-disable-by-batch-size"),
    (config(**PAIR, disable_by_batch_size=32), "--speculative-config.disable_by_batch_size"),
]


@pytest.mark.parametrize(("flags", "flag"), LIMITED)
def test_a_batch_size_that_turned_speculation_off_becomes_a_schedule(flags: list[str], flag: str) -> None:
    found, notes = speculation(*flags, version="0.24.0")
    assert found == DRAFT | {"batchSizeSchedule": [{"upTo": 31, "tokens": 5}, {"tokens": 0}]}
    assert notes[-1] == f"note: {flag}: {OFF}"


@pytest.mark.parametrize(("flags", "flag"), LIMITED)
def test_before_0_24_it_is_lost(flags: list[str], flag: str) -> None:
    found, notes = speculation(*flags, version="0.23.0")
    assert found == DRAFT
    assert notes[-1] == (
        f"lost: {flag}: this version cannot speculate less under load, which needs vLLM 0.24.0 or later; choose a later"
        " version, or let a latency objective in policy.objectives turn speculation off"
    )


def test_a_limit_of_one_never_proposes() -> None:
    found, _ = speculation(*LEGACY, "--speculative-disable-by-batch-size", "1")
    assert found == DRAFT | {"batchSizeSchedule": [{"tokens": 0}]}


def test_a_limit_without_a_number_of_tokens_is_lost() -> None:
    found, notes = speculation(*config(method="mtp", disable_by_batch_size=8))
    assert found == {"method": "Mtp"}
    assert notes[0].startswith(
        "lost: --speculative-config.disable_by_batch_size: the number of tokens is the model's own"
    )


SCHEDULES = [
    ([[1, 8, 5], [9, 64, 0]], [{"upTo": 8, "tokens": 5}, {"tokens": 0}]),
    ([[1, 8, 5], [17, 64, 0]], [{"upTo": 16, "tokens": 5}, {"tokens": 0}]),
    ([[1, 1, 3]], [{"tokens": 3}]),
    ([[1, 4, 5], [5, 8, 3], [9, 9, 1]], [{"upTo": 4, "tokens": 5}, {"upTo": 8, "tokens": 3}, {"tokens": 1}]),
]


@pytest.mark.parametrize(("ranges", "schedule"), SCHEDULES)
def test_ranges_of_batch_sizes_become_a_schedule_whose_gaps_and_end_go_on(ranges: list[Any], schedule: Any) -> None:
    found = speculation(*config(**PAIR, num_speculative_tokens_per_batch_size=ranges))
    assert found == (DRAFT | {"batchSizeSchedule": schedule}, [])


def test_ranges_of_more_tokens_than_are_drafted_are_cut_as_in_vllm() -> None:
    found, notes = speculation(*config(**PAIR, num_speculative_tokens_per_batch_size=[[1, 8, 9], [9, 64, 2]]))
    assert found == DRAFT | {"batchSizeSchedule": [{"upTo": 8, "tokens": 5}, {"tokens": 2}]}
    cut = "ranges of more than 5 tokens are cut to num_speculative_tokens, as vLLM does"
    assert notes == [f"note: --speculative-config.num_speculative_tokens_per_batch_size: {cut}"]


def test_ranges_say_more_than_a_limit() -> None:
    keys: dict[str, Any] = {"num_speculative_tokens_per_batch_size": [[1, 9, 2]], "disable_by_batch_size": 4}
    found, notes = speculation(*config(**PAIR, **keys))
    assert found == DRAFT | {"batchSizeSchedule": [{"tokens": 2}]}
    better = "--speculative-config.num_speculative_tokens_per_batch_size says it more exactly"
    assert notes == [f"note: --speculative-config.disable_by_batch_size: {better}"]


def test_ranges_before_0_24_are_lost() -> None:
    ranges = config(**PAIR, num_speculative_tokens_per_batch_size=[[1, 8, 5]])
    found, notes = speculation(*ranges, version="0.23.0")
    assert (found, notes[0][:5]) == (DRAFT, "lost:")


SAMPLING = [
    ({"draft_sample_method": "probabilistic"}, {"draft": "Probabilistic"}),
    ({"draft_sample_method": "gumbel"}, {"draft": "Probabilistic"}),
    ({"draft_sample_method": "greedy"}, {"draft": "Greedy"}),
    ({"rejection_sample_method": "block"}, {"rejection": "Block"}),
    ({"rejection_sample_method": "standard"}, {"rejection": "Standard"}),
    ({"rejection_sample_method": "probabilistic"}, {"draft": "Probabilistic"}),
    (
        {"draft_sample_method": "greedy", "rejection_sample_method": "block"},
        {"draft": "Greedy", "rejection": "Block"},
    ),
]


@pytest.mark.parametrize(("keys", "sampling"), SAMPLING)
def test_sampling_has_fields(keys: dict[str, str], sampling: dict[str, str]) -> None:
    assert speculation(*config(**PAIR, **keys)) == (DRAFT | {"sampling": sampling}, [])


SAMPLING_LEFT_OUT = [
    ("0.33.0", {"rejection_sample_method": "strict"}, "note: --speculative-config.rejection_sample_method: strict is"),
    ("0.20.2", {"rejection_sample_method": "standard"}, "note: --speculative-config.rejection_sample_method: standard"),
    (
        "0.20.2",
        {"draft_sample_method": "greedy"},
        "note: --speculative-config.draft_sample_method: a greedy draft is what this version has",
    ),
    (
        "0.33.0",
        {"acceptance_method": "rejection_sampler"},
        "note: --speculative-config.acceptance_method: rejection sampling is what",
    ),
    (
        "0.33.0",
        {"rejection_sample_method": "fly"},
        "lost: --speculative-config.rejection_sample_method: fly: it changes",
    ),
    (
        "0.33.0",
        {"rejection_sample_method": "synthetic"},
        "lost: --speculative-config.rejection_sample_method: synthetic",
    ),
    ("0.24.0", {"rejection_sample_method": "block"}, "lost: --speculative-config.rejection_sample_method: block needs"),
    ("0.21.0", {"draft_sample_method": "gumbel"}, "lost: --speculative-config.draft_sample_method: gumbel needs vLLM"),
    (
        "0.33.0",
        {"acceptance_method": "typical_acceptance_sampler"},
        "lost: --speculative-config.acceptance_method: typical",
    ),
    (
        "0.33.0",
        {"posterior_threshold": 0.09},
        "lost: --speculative-config.posterior_threshold: typical acceptance is gone",
    ),
    ("0.33.0", {"posterior_alpha": 0.3}, "lost: --speculative-config.posterior_alpha: typical acceptance is gone"),
    ("0.33.0", {"fly_window_size": 3}, "note: --speculative-config.fly_window_size: it belongs to a sampler"),
    ("0.33.0", {"synthetic_acceptance_length": 2}, "note: --speculative-config.synthetic_acceptance_length: it bel"),
    ("0.33.0", {"disable_mqa_scorer": True}, "note: --speculative-config.disable_mqa_scorer: vLLM scores"),
    ("0.33.0", {"disable_logprobs": True}, "note: --speculative-config.disable_logprobs: log probabilities"),
    (
        "0.33.0",
        {"num_speculative_heads": 3},
        "lost: --speculative-config.num_speculative_heads: speculation.config",
    ),
]


@pytest.mark.parametrize(("version", "keys", "sentence"), SAMPLING_LEFT_OUT)
def test_what_the_version_does_not_do_is_said(version: str, keys: dict[str, Any], sentence: str) -> None:
    found, notes = speculation(*config(**PAIR, **keys), version=version)
    assert (found, len(notes)) == (DRAFT, 1)
    assert notes[0].startswith(sentence)


def test_the_default_sampler_of_the_article_is_no_loss() -> None:
    _, notes = speculation(*LEGACY, "--spec-decoding-acceptance-method", "rejection_sampler")
    assert notes == [GUESS, "note: --spec-decoding-acceptance-method: rejection sampling is what vLLM does"]


def test_further_keys_are_kept_together() -> None:
    keys = {"kv_cache_dtype": "fp8", "use_heterogeneous_vocab": True}
    assert speculation(*config(**PAIR, **keys)) == (DRAFT | {"config": keys}, [])


def test_dotted_keys_of_one_object_are_merged() -> None:
    flags = [f"-sc.{name}={value}" for name, value in PAIR.items()]
    found, _ = speculation(*flags, "-sc.draft_load_config.load_format=dummy", "-sc.draft_load_config.device=cpu")
    assert found == DRAFT | {"config": {"draft_load_config": {"load_format": "dummy", "device": "cpu"}}}


@pytest.mark.parametrize(
    "flags", [[*LEGACY, "--speculative-max-model-len", "2048"], config(**PAIR, max_model_len=2048)]
)
def test_the_draft_s_length_is_kept_with_a_warning_of_what_it_does_now(flags: list[str]) -> None:
    found, notes = speculation(*flags)
    assert found == DRAFT | {"config": {"max_model_len": 2048}}
    assert notes[-1].endswith(
        "vLLM's V2 runner lowers the length of all requests to it, where V0 only stopped drafting"
    )


UNSUPPORTED = [
    (config(method="medusa", model="a/b", num_speculative_tokens=3), "medusa: vLLM 0.33 has no Medusa heads any more"),
    (config(method="mlp_speculator", model="a/b"), "mlp_speculator: vLLM's V1 engine does not run MLP speculators"),
    (config(method="dflash", model="a/b", num_speculative_tokens=3), "dflash: the resource has no method for it"),
    (config(method="dspark"), "dspark: the resource has no method for it"),
    (config(method="custom_class", model="a.b.C"), "custom_class: the resource has no method for it"),
    (config(method="extract_hidden_states"), "extract_hidden_states: it speeds nothing up"),
]


@pytest.mark.parametrize(("flags", "reason"), UNSUPPORTED)
def test_a_method_without_an_equivalent_is_lost_as_a_whole(flags: list[str], reason: str) -> None:
    found, notes = speculation(*flags)
    assert (found, len(notes)) == (None, 1)
    assert notes[0].startswith(f"lost: --speculative-config.method: {reason}")


@pytest.mark.parametrize("draft", ["abhigoyal/vllm-medusa-llama-68m-random", "ibm-ai-platform/llama3-8b-accelerator"])
def test_drafts_of_methods_that_are_gone_are_told_by_their_names(draft: str) -> None:
    found, notes = speculation("--speculative-model", draft, "--num-speculative-tokens", "3")
    assert (found, notes[0][:25]) == (None, "lost: --speculative-model")


def test_ngrams_on_the_gpu_become_ngrams_with_a_loss() -> None:
    found, notes = speculation(*config(method="ngram_gpu", num_speculative_tokens=3))
    assert found == {"method": "NGram", "numSpeculativeTokens": 3, "promptLookup": {"min": 5, "max": 5}}
    assert notes == [
        "lost: --speculative-config.method: ngram_gpu: the resource looks n-grams up on the CPU; use NGram"
    ]


MISSING = [
    (["--speculative-model", "org/draft"], "DraftModel"),
    (["--speculative-model", "[ngram]"], "NGram"),
    (config(method="eagle3", model="org/draft"), "Eagle3"),
    (["--spec-method", "ngram"], "NGram"),
]


@pytest.mark.parametrize(("flags", "method"), MISSING)
def test_a_missing_number_of_tokens_is_no_resource(flags: list[str], method: str) -> None:
    with pytest.raises(CannotMigrate) as error:
        speculation(*flags)
    assert str(error.value) == (
        f"--num-speculative-tokens: method {method} needs it, and vLLM has no default; 3 is a good start"
    )


MALFORMED = [
    (["--num-speculative-tokens", "5"], "--num-speculative-tokens: needs a draft or a method beside it"),
    (["--speculative-config", "{bad"], "--speculative-config: no JSON at character 2 ("),
    (["--speculative-config", "[1]"], "--speculative-config: needs a JSON object such as"),
    (["--speculative-config"], "--speculative-config needs a value"),
    (["--speculative-config", "{}", "-sc.method", "ngram"], "--speculative-config: given as JSON and dotted"),
    (["--spec-tokens", "5", *config(**PAIR)], "--speculative-config.num_speculative_tokens: --spec-tokens gives"),
    ([*config(**PAIR), "--spec_tokens=5"], "--spec_tokens: --speculative-config.num_speculative_tokens gives it too"),
    (
        [*config(**PAIR), "--spec-tokens", "5"],
        "--spec-tokens: --speculative-config.num_speculative_tokens gives it too",
    ),
    (config(method="warp", model="a/b"), "--speculative-config.method: vLLM has no method warp; known ones are"),
    (
        config(method="draft_model", num_speculative_tokens=5),
        "--speculative-config.method: method DraftModel needs a draft",
    ),
    (config(method=5), "--speculative-config.method: needs a text"),
    (config(**PAIR | {"model": ""}), "--speculative-config.model: needs a text"),
    (config(**PAIR | {"num_speculative_tokens": 0}), "--speculative-config.num_speculative_tokens: needs a whole"),
    (config(**PAIR | {"num_speculative_tokens": 65}), "--speculative-config.num_speculative_tokens: needs a whole"),
    (config(**PAIR | {"num_speculative_tokens": 2.5}), "--speculative-config.num_speculative_tokens: needs a whole"),
    (config(**PAIR | {"num_speculative_tokens": True}), "--speculative-config.num_speculative_tokens: needs a whole"),
    (config(**PAIR, draft_sample_method="x"), "--speculative-config.draft_sample_method: needs one of greedy"),
    (config(**PAIR, rejection_sample_method=["x"]), "--speculative-config.rejection_sample_method: needs one of"),
    (config(**PAIR, disable_by_batch_size=0), "--speculative-config.disable_by_batch_size: needs a whole number"),
    (config(**PAIR, disable_by_batch_size=True), "--speculative-config.disable_by_batch_size: needs a whole number"),
    (
        config(method="ngram", num_speculative_tokens=3, prompt_lookup_min=4, prompt_lookup_max=2),
        "--speculative-config.prompt_lookup_min: 4 exceeds the maximum of 2",
    ),
    ([*LEGACY, "--num-speculative-tokens", "x"], "--num-speculative-tokens x: needs a whole number"),
]


@pytest.mark.parametrize(("flags", "sentence"), MALFORMED)
def test_what_vllm_would_refuse_is_one_sentence(flags: list[str], sentence: str) -> None:
    with pytest.raises(MalformedCommand) as error:
        speculation(*flags)
    assert str(error.value).startswith(sentence)


BAD_RANGES: list[Any] = [
    [],
    "1-8",
    [[1, 8]],
    [[1, 8, 2, 3]],
    [["1", 8, 2]],
    [[1, 8, True]],
    [[2, 8, 3]],
    [[8, 1, 3]],
    [[0, 8, 3]],
    [[1, 8, -1]],
    [[1, 8, 3], [8, 9, 1]],
    [[1, 8, 3], [4, 6, 1]],
    [{"first": 1}],
]


@pytest.mark.parametrize("ranges", BAD_RANGES)
def test_ranges_that_stop_vllm_at_start_are_refused(ranges: Any) -> None:
    with pytest.raises(
        MalformedCommand, match=r"^--speculative-config\.num_speculative_tokens_per_batch_size: (needs|m)"
    ):
        speculation(*config(**PAIR, num_speculative_tokens_per_batch_size=ranges))
