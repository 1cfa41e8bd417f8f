"""The user's own flags are read as vLLM's parser reads them."""

import json

import pytest

from specdecode_operator.api.v1alpha1.engine import REFUSED_FLAGS, RENDERED_FLAGS
from specdecode_operator.engine.flags import FLAGS, LEGACY_FLAGS, Flags
from specdecode_operator.engine.versions import OLDEST

READINGS: list[tuple[list[str], dict[str, str | None]]] = [
    ([], {}),
    (["--enable-lora"], {"--enable-lora": None}),
    (["--seed", "1"], {"--seed": "1"}),
    (["--seed=1"], {"--seed": "1"}),
    (["--enable_lora", "--max_num_batched_tokens=8k"], {"--enable-lora": None, "--max-num-batched-tokens": "8k"}),
    (["--enable-lora", "--seed", "1"], {"--enable-lora": None, "--seed": "1"}),
    (["-dp", "2"], {"--data-parallel-size": "2"}),
    (["-pp=4"], {"--pipeline-parallel-size": "4"}),
    (["-cc", "{}"], {"--compilation-config": "{}"}),
    (["-cc.mode", "3"], {"--compilation-config.mode": "3"}),
    (["--seed", "-1"], {"--seed": "-1"}),
    (["--offset", "-0.5", "--x"], {"--offset": "-0.5", "--x": None}),
    (["--lora-modules", "a=b", "c=d"], {"--lora-modules": "a=b"}),
    (["--a.b_c.d=e=f"], {"--a.b_c.d": "e=f"}),
    (["--seed", "1", "--seed", "2"], {"--seed": "2"}),
    (["stray", "1"], {}),
    (["--", "-"], {}),
]


@pytest.mark.parametrize(("words", "values"), READINGS)
def test_words_become_flags_and_their_values(words: list[str], values: dict[str, str | None]) -> None:
    assert Flags.read(words).values == values


NUMBERS = [
    ("8192", 8192),
    ("8k", 8000),
    ("8K", 8192),
    ("25.6k", 25600),
    ("2m", 2_000_000),
    ("1M", 1_048_576),
    (" 7 ", 7),
    ("auto", None),
    ("-1", None),
    ("", None),
    ("8kb", None),
]


@pytest.mark.parametrize(("text", "number"), NUMBERS)
def test_numbers_are_written_as_people_write_them(text: str, number: int | None) -> None:
    assert Flags({"--n": text}).number("--n") == number


def test_a_flag_that_is_not_given_has_no_value() -> None:
    flags = Flags.read(["--a"])
    assert (flags.on("--a"), flags.on("--b"), flags.text("--a"), flags.text("--b"), flags.number("--b")) == (
        True,
        False,
        None,
        None,
        None,
    )


SETTINGS: list[tuple[list[str], object]] = [
    (["--o", '{"backend": "xgrammar"}'], "xgrammar"),
    (['--o={"backend": 3}'], 3),
    (["--o.backend", "guidance"], "guidance"),
    (["--o.backend=guidance", "--o", '{"backend": "xgrammar"}'], "guidance"),
    (["--o", "{}"], None),
    (["--o", "not json"], None),
    (["--o", "[1]"], None),
    (["--other", '{"backend": "xgrammar"}'], None),
    ([], None),
]


@pytest.mark.parametrize(("words", "value"), SETTINGS)
def test_a_key_of_an_object_is_found_in_both_ways_of_writing(words: list[str], value: object) -> None:
    assert Flags.read(words).setting("--o", "backend") == value


def test_an_object_survives_as_it_was_written() -> None:
    config = {"cudagraph_mode": "FULL", "sizes": [1, 2]}
    assert json.loads(Flags.read(["--compilation-config", json.dumps(config)]).text("--compilation-config") or "") == (
        config
    )


@pytest.mark.parametrize("flag", [*FLAGS, *LEGACY_FLAGS])
def test_every_flag_of_the_tables_is_in_its_long_form(flag: str) -> None:
    assert Flags.read([flag]).values == {flag: None}


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_is_in_the_table_because_some_release_lacks_it(flag: str) -> None:
    releases = FLAGS[flag]
    assert releases.first > OLDEST or releases.gone is not None


def test_old_and_changed_flags_are_apart_and_none_is_one_that_the_operator_keeps_to_itself() -> None:
    assert set(FLAGS) & set(LEGACY_FLAGS) == set()
    assert (set(FLAGS) | set(LEGACY_FLAGS)) & {*RENDERED_FLAGS, *REFUSED_FLAGS} == {"--custom-histogram-buckets"}
