"""Which method runs where, what it is called there, and what carries it out."""

import pytest

from specdecode_operator.api.v1alpha1 import Engine, Method, Model, Speculation
from specdecode_operator.engine.methods import METHODS, Runner, default_runner, method_word
from specdecode_operator.engine.rules.setup import Setup
from specdecode_operator.engine.versions import NEWEST, READ, Version


def version(text: str) -> Version:
    return Version.parse(text)


def test_every_method_but_none_is_in_the_table() -> None:
    assert set(METHODS) == set(Method) - {Method.NONE}


def runs(method: Method) -> list[str]:
    return [str(release) for release in READ if any(release in releases for releases in METHODS[method].runs)]


def test_a_draft_model_was_gone_with_the_first_engine_and_came_back() -> None:
    gone = {str(release) for release in READ} - set(runs(Method.DRAFT_MODEL))
    assert gone == {"0.10.0", "0.10.1", "0.10.2", "0.11.0", "0.11.2", "0.12.0", "0.13.0", "0.14.0"}


@pytest.mark.parametrize(
    ("method", "first"),
    [
        (Method.NGRAM, "0.8.3"),
        (Method.EAGLE, "0.8.3"),
        (Method.MTP, "0.9.0"),
        (Method.EAGLE3, "0.9.2"),
        (Method.SUFFIX, "0.11.2"),
    ],
)
def test_a_method_that_came_stayed(method: Method, first: str) -> None:
    assert runs(method) == [str(release) for release in READ if release >= version(first)]


@pytest.mark.parametrize("method", METHODS)
def test_the_newest_release_runs_every_method(method: Method) -> None:
    assert str(NEWEST) in runs(method)


def test_words_are_those_of_the_newest_release_unless_an_older_one_is_asked_about() -> None:
    assert [method_word(method, NEWEST) for method in METHODS] == [
        "draft_model",
        "ngram",
        "eagle",
        "eagle3",
        "mtp",
        "suffix",
    ]
    assert method_word(Method.MTP, version("0.10.2")) == "deepseek_mtp"


RUNNERS = [
    (Method.DRAFT_MODEL, "0.9.2", Runner.V0),
    (Method.DRAFT_MODEL, "0.10.0", Runner.V1),
    (Method.DRAFT_MODEL, "0.30.0", Runner.V1),
    (Method.DRAFT_MODEL, "0.31.0", Runner.V2),
    (Method.NGRAM, "0.8.5", Runner.V0),
    (Method.NGRAM, "0.9.0", Runner.V1),
    (Method.NGRAM, "0.31.0", Runner.V1),
    (Method.NGRAM, "0.32.0", Runner.V2),
    (Method.EAGLE, "0.8.3", Runner.V0),
    (Method.EAGLE3, "0.24.0", Runner.V1),
    (Method.EAGLE3, "0.25.0", Runner.V2),
    (Method.MTP, "0.25.0", Runner.V2),
    (Method.SUFFIX, "0.11.2", Runner.V1),
    (Method.SUFFIX, "0.33.0", Runner.V1),
    (Method.NONE, "0.24.0", Runner.V1),
    (Method.NONE, "0.25.0", Runner.V2),
]


@pytest.mark.parametrize(("method", "text", "runner"), RUNNERS)
def test_a_method_has_a_runner_by_default(method: Method, text: str, runner: Runner) -> None:
    assert default_runner(method, version(text)) is runner


@pytest.mark.parametrize(
    ("method", "text", "runner"),
    [
        (Method.NONE, "0.28.0", Runner.V1),
        (Method.NONE, "0.29.0", Runner.V2),
        (Method.MTP, "0.28.0", Runner.V1),
        (Method.MTP, "0.29.0", Runner.V2),
        (Method.DRAFT_MODEL, "0.30.0", Runner.V1),
        (Method.DRAFT_MODEL, "0.31.0", Runner.V2),
        (Method.NGRAM, "0.9.0", Runner.V1),
    ],
)
def test_mixtures_of_experts_came_to_v2_later(method: Method, text: str, runner: Runner) -> None:
    assert default_runner(method, version(text), mixture=True) is runner


def setup(text: str, env: dict[str, str], *args: str, **speculation: object) -> Setup:
    made = {"method": "DraftModel", "draft": {"name": "org/draft"}, "numSpeculativeTokens": 3} | speculation
    engine = {"version": text, "env": [{"name": name, "value": value} for name, value in env.items()]}
    return Setup(
        Model(name="org/target"),
        Speculation.model_validate(made),
        Engine.model_validate(engine | {"extraArgs": list(args)}),
    )


V2 = "VLLM_USE_V2_MODEL_RUNNER"
CHOICES = [
    ("0.33.0", {}, Runner.V2),
    ("0.33.0", {V2: "0"}, Runner.V1),
    ("0.33.0", {V2: "false"}, Runner.V1),
    ("0.33.0", {V2: ""}, Runner.V2),
    ("0.33.0", {"OTHER": "0"}, Runner.V2),
    ("0.24.0", {V2: "1"}, Runner.V2),
    ("0.24.0", {V2: "True"}, Runner.V2),
    ("0.11.2", {V2: "1"}, Runner.V1),
    ("0.9.2", {"VLLM_USE_V1": "1"}, Runner.V0),
    ("0.9.2", {V2: "1"}, Runner.V0),
    ("0.16.0", {"VLLM_USE_V1": "0"}, Runner.V1),
]


@pytest.mark.parametrize(("text", "env", "runner"), CHOICES)
def test_the_environment_may_choose_another_runner(text: str, env: dict[str, str], runner: Runner) -> None:
    assert setup(text, env).runner is runner


@pytest.mark.parametrize(("env", "runner"), [({}, Runner.V0), ({"VLLM_USE_V1": "1"}, Runner.V1)])
def test_early_releases_run_heads_and_ngrams_in_v1_when_asked_to(env: dict[str, str], runner: Runner) -> None:
    assert setup("0.8.5", env, method="NGram", draft=None).runner is runner


@pytest.mark.parametrize(
    "speculation", [{"config": {"parallel_drafting": True}}, {"config": {"use_heterogeneous_vocab": "true"}}]
)
def test_what_v2_lacks_falls_back_to_v1(speculation: dict[str, object]) -> None:
    assert (setup("0.33.0", {}, **speculation).runner, setup("0.33.0", {V2: "1"}, **speculation).runner) == (
        Runner.V1,
        Runner.V2,
    )


def test_double_batches_fall_back_to_v1() -> None:
    assert setup("0.33.0", {}, "--enable-dbo").runner is Runner.V1


def test_a_key_is_read_as_the_engine_reads_it_and_not_at_all_where_it_refuses_it() -> None:
    config = {"draft_tensor_parallel_size": "2", "max_model_len": "many", "fly_window_size": 3}
    asked = setup("0.32.0", {}, config=config)
    keys = ("draft_tensor_parallel_size", "max_model_len", "fly_window_size", "enforce_eager")
    assert [asked.key(name) for name in keys] == [2, None, None, None]


def test_a_variant_that_proposes_nothing_has_no_keys() -> None:
    assert setup("0.33.0", {}, method="None", draft=None, numSpeculativeTokens=None).config == {}
