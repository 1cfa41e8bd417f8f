"""`specdecode migrate-flags`, as a user types it."""

import json
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from specdecode_operator.api.unknown import unknown_fields
from specdecode_operator.api.v1alpha1 import parse
from specdecode_operator.cli import main

ARTICLE = [
    *("python", "-m", "vllm.entrypoints.openai.api_server"),
    *("--model", "meta-llama/Llama-3.1-70B-Instruct"),
    *("--speculative-model", "meta-llama/Llama-3.1-8B-Instruct"),
    *("--num-speculative-tokens", "5"),
    *("--speculative-draft-tensor-parallel-size", "1"),
    *("--tensor-parallel-size", "2"),
    *("--gpu-memory-utilization", "0.95"),
    *("--dtype", "bfloat16"),
]


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, words, input=text)


def migrated(*words: str) -> Result:
    return run("migrate-flags", *words)


def resource(found: Result) -> dict[str, Any]:
    documents = list(yaml.safe_load_all(found.stdout))
    assert len(documents) == 1
    assert isinstance(documents[0], dict)
    return documents[0]


def test_the_article_s_command_becomes_a_resource_that_can_be_applied() -> None:
    found = migrated("--", *ARTICLE)
    body = resource(found)
    assert body == {
        "apiVersion": "specdecode.dev/v1alpha1",
        "kind": "SpecDecodeDeployment",
        "metadata": {"name": "llama-3-1-70b-instruct"},
        "spec": {
            "model": {"name": "meta-llama/Llama-3.1-70B-Instruct"},
            "speculation": {
                "method": "DraftModel",
                "draft": {"name": "meta-llama/Llama-3.1-8B-Instruct"},
                "numSpeculativeTokens": 5,
            },
            "engine": {
                "version": "0.33.0",
                "tensorParallelSize": 2,
                "gpuMemoryUtilizationPercent": 95,
                "dtype": "bfloat16",
            },
        },
    }
    assert (parse(body).metadata.name, unknown_fields(body)) == ("llama-3-1-70b-instruct", [])


def test_what_is_lost_is_on_standard_error_alone_and_the_exit_status_says_so() -> None:
    found = migrated("--", *ARTICLE)
    assert found.exit_code == 1
    assert [line.split(": ")[:2] for line in found.stderr.splitlines()] == [
        ["note", "--speculative-model"],
        ["lost", "--speculative-draft-tensor-parallel-size"],
        ["1 lost; --allow-lossy accepts that"],
    ]
    assert "lost" not in found.stdout


def test_a_loss_can_be_accepted() -> None:
    strict, lossy = migrated("--", *ARTICLE), migrated("--allow-lossy", "--", *ARTICLE)
    assert (lossy.exit_code, lossy.stdout) == (0, strict.stdout)
    assert "lost: --speculative-draft-tensor-parallel-size" in lossy.stderr


def test_notes_alone_are_no_failure() -> None:
    found = migrated("--", "vllm", "serve", "org/target", "--swap-space", "4")
    assert (found.exit_code, found.stderr.count("\n"), found.stderr[:19]) == (0, 1, "note: --swap-space:")


def test_nothing_to_say_says_nothing() -> None:
    found = migrated("--", "vllm", "serve", "org/target", "-tp", "2")
    assert (found.exit_code, found.stderr) == (0, "")


def test_one_quoted_argument_is_the_same_command() -> None:
    quoted = migrated("--", " \\\n  ".join(ARTICLE))
    assert (quoted.exit_code, quoted.output) == (1, migrated("--", *ARTICLE).output)


def test_what_it_writes_can_be_rendered_as_it_is() -> None:
    found = run("render", "-", text=migrated("--", *ARTICLE).stdout)
    assert found.exit_code == 0
    deployment = next(iter(yaml.safe_load_all(found.output)))
    assert deployment["spec"]["template"]["spec"]["containers"][0]["args"][0] == "meta-llama/Llama-3.1-70B-Instruct"


def test_json_is_the_same_resource() -> None:
    found = migrated("-o", "json", "--", *ARTICLE)
    assert json.loads(found.stdout) == resource(migrated("--", *ARTICLE))


def test_the_name_and_the_version_can_be_chosen() -> None:
    found = migrated("--name", "chat", "--version", "0.24.0", "--", "org/target")
    body = resource(found)
    assert (body["metadata"]["name"], body["spec"]["engine"]["version"]) == ("chat", "0.24.0")


def test_the_version_decides_what_is_lost() -> None:
    words = [
        "--speculative-model",
        "[ngram]",
        "--num-speculative-tokens",
        "4",
        "--speculative-disable-by-batch-size",
        "9",
    ]
    exits = [migrated("--version", version, "--", "org/target", *words).exit_code for version in ("0.23.0", "0.24.0")]
    assert exits == [1, 0]


def test_without_a_number_of_tokens_there_is_no_resource() -> None:
    found = migrated("--allow-lossy", "--", "org/target", "--speculative-model", "org/draft")
    assert (found.exit_code, found.stdout, found.stderr) == (
        1,
        "",
        "Error: --num-speculative-tokens: method DraftModel needs it, and vLLM has no default; 3 is a good start\n",
    )


def test_what_the_version_cannot_run_is_written_but_fails() -> None:
    config = '{"method":"draft_model","model":"org/draft","num_speculative_tokens":3}'
    found = migrated("--allow-lossy", "--version", "0.12.0", "--", "org/target", "--speculative-config", config)
    assert (found.exit_code, resource(found)["spec"]["speculation"]["method"]) == (1, "DraftModel")
    assert "Error: vLLM 0.12.0 cannot run this resource: speculation.method: DraftModel does not run" in found.stderr


USAGE = [
    ([], "Missing argument 'FLAGS...'"),
    (["--"], "Missing argument 'FLAGS...'"),
    (["--model", "org/target"], "No such option"),
    (["--version", "new", "--", "m"], "new is no version of vLLM; give it as 0.33.0"),
    (["--version", "0.33", "--", "m"], "0.33 is no version of vLLM"),
    (["--version", "0.6.6", "--", "m"], "engine.version: vLLM before "),
    (["--name", "My Chat", "--", "m"], "My Chat is no name; use up to 50 letters"),
    (["--name", "a" * 51, "--", "m"], "is no name; use up to 50 letters"),
    (["--name", "1st", "--", "m"], "1st is no name"),
    (["-o", "text", "--", "m"], "'text' is not one of 'yaml', 'json'"),
    (["--", "vllm", "serve"], "no model is given; give it after `vllm serve` or as --model"),
    (["--", "vllm", "serve", "m", "-tp"], "-tp needs a value"),
    (["--", "vllm", "serve", "m", "--speculative-config", "{"], "--speculative-config: no JSON at character 2"),
    (["--", "vllm serve 'm"], "a quotation mark or a backslash is left open; close it"),
]


@pytest.mark.parametrize(("words", "sentence"), USAGE, ids=[" ".join(row[0])[:60] for row in USAGE])
def test_wrong_usage_is_exit_status_2_and_one_sentence(words: list[str], sentence: str) -> None:
    found = migrated(*words)
    assert (found.exit_code, found.stdout) == (2, "")
    errors = [line for line in found.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert sentence in errors[0]


def test_a_secret_is_neither_in_the_resource_nor_in_what_is_said() -> None:
    found = migrated("--", "HF_TOKEN=hf_secret", "vllm", "serve", "org/target", "--api-key", "sesame")
    assert found.exit_code == 1
    assert [word for word in ("hf_secret", "sesame") if word in found.output] == []
    first, second, _ = found.stderr.splitlines()
    assert first.endswith("keep it in a Secret, named by model.tokenSecretRef")
    assert second.endswith("keep it in a Secret and give it by podTemplate with a secretKeyRef")


def test_its_help_teaches_by_examples_that_work() -> None:
    text = migrated("--help").output
    examples = [line.split("specdecode ", 1)[1] for line in text.splitlines() if line.startswith("    specdecode ")]
    assert len(examples) == 4
    for example in examples[:2]:
        assert run(*example.split()).exit_code == 0
    assert "Exit status: 0 all kept" in text
