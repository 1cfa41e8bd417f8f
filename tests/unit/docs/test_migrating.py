"""The page on migrating shows what the command really says, and tells of every flag that it names."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from specdecode_operator.api.unknown import unknown_fields
from specdecode_operator.api.v1alpha1 import parse
from specdecode_operator.cli import main
from specdecode_operator.engine.migration.known import FORMER, LISTS, SINGLES, SWITCHES
from specdecode_operator.engine.migration.rules import has_rule
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "migrating.md").read_text()
BLOCKS = re.findall(r"^```console\n\$ (specdecode migrate-flags .*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ROWS = re.findall(r"^\| (`.*?) \| (.*?) \|$", PAGE, re.MULTILINE)


def parted(block: str) -> tuple[list[str], str]:
    """The command's words, and the output under it."""
    command, output = block.split("\n---\n", 1)
    return shlex.split(command.replace("\\\n", " ")), f"---\n{output}"


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_command_says_what_the_page_shows(block: str) -> None:
    words, output = parted(block)
    found = CliRunner().invoke(main, words[1:])
    assert found.output == output
    lossy = "\nlost: " in output and "--allow-lossy" not in words
    assert found.exit_code == int(lossy)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_every_resource_on_the_page_renders(block: str) -> None:
    words, _ = parted(block)
    body = yaml.safe_load(CliRunner().invoke(main, words[1:]).stdout)
    resource = parse(body)
    rungs = ladder(resource.spec)
    assert unknown_fields(body) == []
    assert children(resource, Layout(rungs.primary, rungs.primary.hash))


def test_the_page_has_an_example_for_each_of_its_sections() -> None:
    sections = re.findall(r"^## (?!What becomes)", PAGE, re.MULTILINE)
    assert len(BLOCKS) >= len(sections) > 0


def test_the_table_names_only_flags_that_vllm_has_or_had() -> None:
    named = {flag for left, _ in ROWS for flag in re.findall(r"`(--[a-z-]+)`", left)}
    assert [flag for flag in sorted(named) if flag not in SWITCHES | LISTS | SINGLES or not has_rule(flag)] == []


def test_the_table_has_every_former_flag_of_speculation() -> None:
    named = {flag for left, _ in ROWS for flag in re.findall(r"`(--[a-z-]+)`", left)}
    parts = ("specul", "spec-dec", "ngram", "typical")
    speculative = [flag for flag in sorted(FORMER) if any(part in flag for part in parts)]
    assert len(speculative) > 10
    assert [flag for flag in speculative if flag not in named] == []


def test_no_secret_of_the_examples_is_shown() -> None:
    secrets = ("hf_not_shown", "not-shown")
    assert [word for block in BLOCKS for word in secrets if word in parted(block)[1]] == []
