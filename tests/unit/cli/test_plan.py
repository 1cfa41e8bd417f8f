"""`specdecode plan`: everything that is wrong at once, without a cluster."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from specdecode_operator.cli import main
from support.builders import body
from support.faults import FIVE_FAULTS, SOUND

EAGLE3 = {"method": "Eagle3", "draft": {"name": "org/head"}, "numSpeculativeTokens": 3}
FIVE = [
    ("UnknownField", "replica"),
    ("InvalidField", "engine.maxNumSeqs"),
    ("ScheduleUnavailable", "speculation.batchSizeSchedule"),
    ("QuantizationNotInCheckpoint", "model.quantization"),
    ("VocabularyMismatch", "speculation.draft.name"),
]
OFFLINE = """
import os, sys
HEAVY = {"kopf", "kubernetes", "aiohttp", "requests", "prometheus_api_client", "cryptography"}
def watch(event, arguments):
    if event.startswith("socket.") or (event == "import" and arguments[0].split(".")[0] in HEAVY):
        os._exit(3)
sys.addaudithook(watch)
from specdecode_operator.cli import main
main()
"""
"""The command, in a process that ends at its first look at the network, or at what takes long to load."""
CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": 1000,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}


def plan(*bodies: dict[str, Any], words: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(main, ["plan", "-", *words], input=yaml.safe_dump_all(bodies))


def answer(**spec: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(plan(body(**SOUND | spec), words=("-o", "json")).output)
    return found


def write(folder: Path, name: str, **config: Any) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "config.json").write_text(json.dumps(CONFIG | config))


class TestAnswer:
    def test_a_sound_resource(self) -> None:
        found = plan(body(**SOUND), words=("-o", "json"))
        memory = json.loads(found.output)["memory"]
        assert (found.exit_code, json.loads(found.output)["errors"], memory["fits"]) == (0, [], True)
        assert memory["kvCacheTokensWithoutSpeculation"] >= memory["kvCacheTokens"] > 300_000

    def test_the_keys_are_those_of_the_docs(self) -> None:
        assert {
            "gpuTotalGiB", "targetWeightsGiB", "draftWeightsGiB", "kvCacheTokens", "kvCacheTokensWithoutSpeculation",
            "targetSharePercent", "draftSharePercent", "maxModelLenThatFits", "fits",
        } <= set(answer()["memory"])  # fmt: skip

    def test_what_is_not_known_is_said_and_fails_nothing(self) -> None:
        found = plan(body(), words=("-o", "json"))
        codes = {warning["code"] for warning in json.loads(found.output)["warnings"]}
        assert (found.exit_code, json.loads(found.output)["memory"]) == (0, None)
        assert {"FactsUnknown", "MemoryUnknown"} <= codes

    def test_text_names_code_field_and_figures(self) -> None:
        found = plan(body(**SOUND | {"engine": {"maxModelLen": 200_000}}))
        assert found.exit_code == 1
        assert "ERROR    " in found.output
        assert "engine.maxModelLen: " in found.output
        assert "KV cache tokens " in found.output

    def test_five_faults_of_five_kinds_at_once(self) -> None:
        assert [(error["code"], error["field"]) for error in answer(**FIVE_FAULTS)["errors"]] == FIVE

    def test_a_process_says_so_without_a_client_or_the_network(self, tmp_path: Path) -> None:
        """How long it takes is measured by `python -m bench.plan`."""
        file = tmp_path / "chat.yaml"
        file.write_text(yaml.safe_dump(body(**SOUND | FIVE_FAULTS)))
        found = subprocess.run(
            [sys.executable, "-c", OFFLINE, "plan", str(file), "-o", "json"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert found.returncode == 1, found.stderr
        assert [(error["code"], error["field"]) for error in json.loads(found.stdout)["errors"]] == FIVE

    def test_a_fallback_is_checked_and_named(self) -> None:
        rung = {"name": "draft", "triggers": ["Latency"], "speculation": EAGLE3 | {"config": {"nonsense": 1}}}
        assert [error["field"] for error in answer(fallbacks=[rung])["errors"]] == [
            "fallbacks[draft].speculation.config.nonsense"
        ]

    def test_what_a_fallback_shares_with_the_spec_is_said_once(self) -> None:
        rung = {"name": "other", "triggers": ["Latency"], "model": {"name": "org/other"}}
        found = answer(fallbacks=[rung], engine={"maxModelLen": 8192, "extraArgs": ["--swap-space=4"]})
        assert [error["field"] for error in found["errors"]] == ["engine.extraArgs"]


class TestFacts:
    def test_a_folder_of_configs(self, tmp_path: Path) -> None:
        write(tmp_path, "org/target")
        write(tmp_path, "org/draft", vocab_size=999)
        found = plan(body(), words=("-o", "json", "--facts", str(tmp_path)))
        assert [error["code"] for error in json.loads(found.output)["errors"]] == ["VocabularyMismatch"]

    def test_tokenizers_are_compared(self, tmp_path: Path) -> None:
        for name in ("org/target", "org/draft"):
            write(tmp_path, name)
            (tmp_path / name / "tokenizer.json").write_text(name)
        found = plan(body(), words=("-o", "json", "--facts", str(tmp_path)))
        remarks = json.loads(found.output)
        assert "TokenizerMismatch" in {remark["code"] for remark in remarks["errors"] + remarks["warnings"]}

    @pytest.mark.parametrize("text", ["", "[]", "{", '{"vocab_size": -1}', "[" * 100_000])
    def test_a_config_that_cannot_be_read_is_one_sentence(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "org/target").mkdir(parents=True)
        (tmp_path / "org/target/config.json").write_text(text)
        found = plan(body(), words=("--facts", str(tmp_path)))
        assert (found.exit_code, found.output.count("\n")) == (2, 1)
        assert "config.json" in found.output

    def test_a_name_never_leads_out_of_the_folder(self, tmp_path: Path) -> None:
        write(tmp_path, "secret")
        (tmp_path / "facts").mkdir()
        found = plan(body(model={"name": "../secret"}), words=("-o", "json", "--facts", str(tmp_path / "facts")))
        assert "FactsUnknown" in {warning["code"] for warning in json.loads(found.output)["warnings"]}


class TestUsage:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("a: b: c", "is no YAML"),
            ("kind: Pod", "holds no SpecDecodeDeployment"),
            ("kind: SpecDecodeDeployment\napiVersion: v1", "apiVersion and kind are"),
        ],
    )
    def test_what_cannot_be_used(self, text: str, expected: str) -> None:
        found = CliRunner().invoke(main, ["plan", "-"], input=text)
        assert (found.exit_code, expected in found.output) == (2, True)

    def test_one_of_several_is_chosen_by_its_name(self) -> None:
        bodies = body("a", **SOUND), body("b", replicas=-1)
        assert plan(*bodies).exit_code == 2
        assert [plan(*bodies, words=("--name", name)).exit_code for name in "abc"] == [0, 1, 2]

    def test_a_folder_that_is_missing(self) -> None:
        assert plan(body(), words=("--facts", "nowhere")).exit_code == 2


def test_neither_kopf_nor_a_client_is_loaded() -> None:
    """They take longer than the checks themselves."""
    code = (
        "import sys; from click.testing import CliRunner; from specdecode_operator.cli import main;"
        " CliRunner().invoke(main, ['plan', '--help']);"
        " print(sorted({'kopf', 'kubernetes', 'requests', 'aiohttp'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
