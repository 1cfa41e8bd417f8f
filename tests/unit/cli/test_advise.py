"""`specdecode advise`: what it prints, and its exit status."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from specdecode_operator.cli import main

LARGE = ("--target", "meta-llama/Llama-3.1-70B-Instruct", "--gpu", "H100")
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "max_position_embeddings": 8192,
}


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["advise", *arguments])


def test_the_text_names_draft_weights_and_next_step() -> None:
    result = run(*LARGE, "--gpus", "2", "--context", "8192")
    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[0] == "meta-llama/Llama-3.1-70B-Instruct on 2 x H100, vLLM 0.33.0, 1 request(s) of 8,192 tokens"
    assert lines[3].split()[:3] == ["1", "DraftModel", "fp8"]
    assert lines[3].endswith("meta-llama/Llama-3.2-1B-Instruct")
    assert lines[4].startswith("    why:  ")
    assert lines[5].startswith("    next: ")
    assert "prior" in lines[-1]


def test_the_json_holds_every_plan() -> None:
    body = json.loads(run(*LARGE, "--gpus", "2", "--context", "8192", "-o", "json").output)
    assert {key: body[key] for key in ("gpu", "gpus", "context", "requests")} == {
        "gpu": "H100",
        "gpus": 2,
        "context": 8192,
        "requests": 1,
    }
    assert body["candidates"][0]["method"] == "DraftModel"
    assert all(candidate["memory"]["fits"] for candidate in body["candidates"])
    assert body["refused"] == []


def test_nothing_that_fits_is_status_1() -> None:
    result = run("--target", "meta-llama/Llama-3.1-405B-Instruct", "--gpu", "L4")
    assert result.exit_code == 1
    assert "Does not fit: None: 0 tokens of KV cache with weights awq, 131,072 needed" in result.output


def test_an_unknown_model_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(CONFIG))
    result = run("--target", "org/own", "--config", str(path), "--gpu", "H100")
    assert result.exit_code == 0
    assert result.output.startswith("org/own on 1 x H100, vLLM 0.33.0, 1 request(s) of 8,192 tokens")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--target", "org/own", "--gpu", "H100"), "org/own is not in the catalog"),
        ((*LARGE[:3], "T4"), "T4 is not in the catalog; choose one of A100-40"),
        ((*LARGE, "--gpus", "3"), "3 does not divide the 64 heads"),
        ((*LARGE, "--gpus", "0"), "0 is not in the range"),
        ((*LARGE, "--context", "-1"), "-1 is not in the range"),
        ((*LARGE, "--engine-version", "newest"), "newest is no version"),
        (LARGE[:2], "Missing option '--gpu'"),
        ((*LARGE, "-o", "xml"), "'xml' is not one of"),
    ],
)
def test_a_question_that_cannot_be_read_is_status_2(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"hidden_size": 1}', "\x00"])
def test_a_file_that_is_no_config_is_status_2(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    result = run("--target", "org/own", "--config", str(path), "--gpu", "H100")
    assert (result.exit_code, "Traceback" in result.output) == (2, False)


def test_help_teaches_by_example() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "specdecode advise --target meta-llama/Llama-3.1-70B-Instruct --gpu H100 --gpus 2" in result.output
    assert "Exit status: 0 something fits, 1 nothing does" in result.output
