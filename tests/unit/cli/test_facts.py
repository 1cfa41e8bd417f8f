"""`specdecode facts`: what a Job says as its last word."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from specdecode_operator.api.v1alpha1 import FactsReport
from specdecode_operator.cli import main
from specdecode_operator.sizing import facts_found, from_config

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "vocab_size": 1000,
    "max_position_embeddings": 4096,
    "torch_dtype": "bfloat16",
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in ("target", "draft"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "target" / "tokenizer.json").write_text("words")
    return tmp_path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, ["facts", *map(str, words)])


def report(text: str) -> FactsReport:
    return FactsReport.model_validate_json(text)


def test_target_and_draft_are_told_in_one_line_of_facts(models: Path) -> None:
    found = run(f"org/target={models}/target", f"org/draft={models}/draft")
    told = report(found.output)
    digest = hashlib.sha256(b"words").hexdigest()
    assert (found.exit_code, found.output.count("\n"), told.failure) == (0, 1, None)
    assert facts_found(told.models) == {
        "org/target": from_config("org/target", CONFIG, tokenizer=digest),
        "org/draft": from_config("org/draft", CONFIG),
    }


def test_it_fits_into_a_termination_message(models: Path) -> None:
    large = CONFIG | {"layer_types": ["linear_attention"] * 48, "num_hidden_layers": 48}
    for name in ("target", "draft"):
        (models / name / "config.json").write_text(json.dumps(large))
        (models / name / "tokenizer.json").write_text("words")
    found = run(f"org/{'t' * 90}={models}/target", f"org/{'d' * 90}={models}/draft")
    assert report(found.output).failure is None
    assert len(found.output) <= 4096


def test_it_is_written_to_a_file_instead(models: Path, tmp_path: Path) -> None:
    file = tmp_path / "termination-log"
    found = run(f"org/target={models}/target", "--output", file)
    assert (found.output, [model.name for model in report(file.read_text()).models]) == ("", ["org/target"])


FAULTS = [
    (None, "config.json cannot be read: FileNotFoundError"),
    ("{", "config.json cannot be read: JSONDecodeError"),
    ("[]", "config.json is no JSON object; give the model's own config.json"),
    ("{}", "config.json of org/draft has no num_attention_heads, so its size cannot be told; give facts"),
    (json.dumps(CONFIG | {"vocab_size": 0}), "must be a whole number from 1 to 16777216"),
    (json.dumps(CONFIG | {"layer_types": ["linear_attention"] * 400}), "says more of its layers than can be kept"),
]


@pytest.mark.parametrize(("text", "failure"), FAULTS)
def test_a_folder_that_cannot_be_read_is_named_beside_what_could(models: Path, text: str | None, failure: str) -> None:
    config = models / "draft" / "config.json"
    config.unlink() if text is None else config.write_text(text)
    found = run(f"org/target={models}/target", f"org/draft={models}/draft")
    told = report(found.output)
    assert (found.exit_code, [model.name for model in told.models]) == (0, ["org/target"])
    assert failure in (told.failure or "")


@pytest.mark.parametrize("words", [[], ["a=/a", "b=/b", "c=/c"]])
def test_one_or_two_models_are_read(words: list[str]) -> None:
    assert run(*words).exit_code == 2
