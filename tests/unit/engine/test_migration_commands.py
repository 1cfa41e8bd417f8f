"""The forms that a command line takes, its environment, and the secrets in it."""

import json

import pytest
import yaml

from specdecode_operator.engine.migration import MalformedCommand, Migration, migrate
from specdecode_operator.engine.migration.command import Command, read_command

FLAGS = ["-tp", "2", "--spec-method", "ngram", "--spec-tokens", "4"]
TEXT = "-tp 2 --spec-method ngram --spec-tokens 4"

FORMS: dict[str, list[str]] = {
    "the new program": ["vllm", "serve", "org/target", *FLAGS],
    "the new program with --model": ["vllm", "serve", "--model", "org/target", *FLAGS],
    "the model after the flags": ["vllm", "serve", *FLAGS, "org/target"],
    "a path of the program": ["/opt/venv/bin/vllm", "serve", "org/target", *FLAGS],
    "the old program": ["python", "-m", "vllm.entrypoints.openai.api_server", "--model", "org/target", *FLAGS],
    "an interpreter with flags": [
        "python3.11",
        "-u",
        "-m",
        "vllm.entrypoints.api_server",
        "--model=org/target",
        *FLAGS,
    ],
    "the module of the command": ["python3", "-m", "vllm.entrypoints.cli.main", "serve", "org/target", *FLAGS],
    "the script": ["python3", "vllm/entrypoints/openai/api_server.py", "--model", "org/target", *FLAGS],
    "no program": ["--model", "org/target", *FLAGS],
    "no program and a positional model": ["org/target", *FLAGS],
    "the model after all": [*FLAGS, "--model", "org/target"],
    "a wrapper": ["nohup", "env", "uv", "run", "vllm", "serve", "org/target", *FLAGS],
    "the model twice, but the same": ["vllm", "serve", "org/target", "--model", "org/target", *FLAGS],
    "left-over continuations": ["vllm", "serve", "org/target", "\\", "-tp", "2", "\n", *FLAGS[2:]],
    "one text": [f"vllm serve org/target {TEXT}"],
    "one text with quotes": ["vllm serve 'org/target' -tp 2 --spec-method \"ngram\" --spec-tokens '4'"],
    "continuations": ["vllm serve org/target \\\n  -tp 2 \\\n  --spec-method ngram --spec-tokens 4\n"],
    "continuations of Windows": ["vllm serve org/target \\\r\n  -tp 2 \\\r\n --spec-method ngram --spec-tokens 4\r\n"],
    "continuations with a trailing space": ["vllm serve org/target \\ \n  -tp 2 --spec-method ngram --spec-tokens 4"],
    "lines without continuations": ["vllm serve org/target\n  -tp 2\n  --spec-method ngram\n  --spec-tokens 4"],
    "a script": [f"#!/bin/sh\nset -e\n\n# the server\ncd /srv && exec vllm serve org/target {TEXT}\n"],
    "a comment at the end": [f"vllm serve org/target {TEXT} # as in the article"],
    "redirections": [f"vllm serve org/target {TEXT} > /tmp/log 2>&1 &"],
    "a pipe": [f"vllm serve org/target {TEXT} 2>&1 | tee server.log"],
    "other commands around": [f"mkdir -p /tmp/x; vllm serve org/target {TEXT}; echo done"],
}


@pytest.mark.parametrize("words", FORMS.values(), ids=FORMS)
def test_every_form_is_the_same_server(words: list[str]) -> None:
    found = migrate(words)
    assert found == Migration(
        {
            "apiVersion": "specdecode.dev/v1alpha1",
            "kind": "SpecDecodeDeployment",
            "metadata": {"name": "target"},
            "spec": {
                "model": {"name": "org/target"},
                "speculation": {
                    "method": "NGram",
                    "numSpeculativeTokens": 4,
                    "promptLookup": {"min": 5, "max": 5},
                },
                "engine": {"version": "0.33.0", "tensorParallelSize": 2},
            },
        },
        (),
    )


@pytest.mark.parametrize("switch", ["--enforce-eager", "--no-enable-prefix-caching", "--disable-log-requests"])
def test_a_switch_leaves_the_word_after_it_to_the_model(switch: str) -> None:
    assert migrate(["vllm", "serve", switch, "org/target"]).resource["spec"]["model"] == {"name": "org/target"}


COMMANDS: list[tuple[list[str], Command]] = [
    (["vllm", "serve", "m"], Command((), ("m",))),
    (["A=1", "B=x=y", "vllm", "serve", "m"], Command((("A", "1"), ("B", "x=y")), ("m",))),
    (["A=1", "m", "--flag"], Command((("A", "1"),), ("m", "--flag"))),
    (["export A=1\nexport B=2 C=3\nvllm serve m"], Command((("A", "1"), ("B", "2"), ("C", "3")), ("m",))),
    (["A=1\nvllm serve m"], Command((("A", "1"),), ("m",))),
    (["A=1 A=2 vllm serve m"], Command((("A", "2"),), ("m",))),
    (["A='x y' vllm serve m"], Command((("A", "x y"),), ("m",))),
    (["vllm serve m --json '{\"a\": 1}'"], Command((), ("m", "--json", '{"a": 1}'))),
    (["vllm serve m --seed 1 > log"], Command((), ("m", "--seed", "1"))),
    (["vllm serve m --name 'a#b' --x"], Command((), ("m", "--name", "a#b", "--x"))),
    (["docker run vllm/vllm-openai:v0.6.6 --model m"], Command((), ("--model", "m"), container=True)),
    (
        ["docker run -e A=1 --env B=2 vllm/vllm-openai --model m"],
        Command((("A", "1"), ("B", "2")), ("--model", "m"), container=True),
    ),
    (["podman run reg:5000/x/vllm-openai@sha256:ab m"], Command((), ("m",), container=True)),
]


@pytest.mark.parametrize(("words", "command"), COMMANDS, ids=[" ".join(row[0]) for row in COMMANDS])
def test_a_command_line_is_read_as_a_shell_reads_it(words: list[str], command: Command) -> None:
    assert read_command(words) == command


def test_a_container_s_own_options_are_named_as_not_read() -> None:
    found = migrate(["docker run --gpus all -p 8000:8000 vllm/vllm-openai:v0.6.6 --model org/target"])
    assert [str(finding) for finding in found.findings] == [
        "note: container: volumes, ports and other options of the container tool are not read"
    ]


MALFORMED = [
    ([""], "the command line is empty"),
    (["vllm", "serve"], "no model is given; give it after `vllm serve` or as --model"),
    (["vllm", "serve", "--enforce-eager"], "no model is given"),
    (["vllm serve 'org/target"], "a quotation mark or a backslash is left open; close it"),
    (['vllm serve org/target --chat-template "x'], "a quotation mark or a backslash is left open; close it"),
    (["vllm serve org/target \\"], "a quotation mark or a backslash is left open; close it"),
    (["python train.py"], "the command starts no vLLM server, but python"),
    (["vllm", "bench", "serve"], "the command starts no vLLM server, but vllm"),
    (["kubectl", "apply", "-f", "x"], "the command starts no vLLM server, but kubectl"),
    (["/usr/bin/docker", "run", "nginx"], "the command starts no vLLM server, but /usr/bin/docker"),
    (["vllm serve a & vllm serve b"], "2 commands are given; give one server at a time"),
    (["echo a; echo b"], "2 commands are given; give one server at a time"),
    (["# nothing but a comment"], "the command line is empty; give `vllm serve MODEL …`"),
    (["A=1 B=2"], "the command line is empty"),
    ([" \n"], "the command line is empty"),
]


@pytest.mark.parametrize(("words", "sentence"), MALFORMED, ids=[" ".join(row[0]) for row in MALFORMED])
def test_what_starts_no_server_is_one_sentence(words: list[str], sentence: str) -> None:
    with pytest.raises(MalformedCommand) as error:
        migrate(words)
    assert str(error.value).startswith(sentence)


def environment(*assignments: str) -> tuple[list[dict[str, str]], list[str]]:
    found = migrate([*assignments, "vllm", "serve", "org/target"])
    return found.resource["spec"]["engine"].get("env", []), [str(finding) for finding in found.findings]


@pytest.mark.parametrize("name", ["VLLM_LOGGING_LEVEL", "VLLM_ATTENTION_BACKEND", "NCCL_DEBUG", "OMP_NUM_THREADS", "X"])
def test_a_variable_is_kept(name: str) -> None:
    assert environment(f"{name}=value") == ([{"name": name, "value": "value"}], [])


def test_a_variable_may_be_empty() -> None:
    assert environment("VLLM_PLUGINS=") == ([{"name": "VLLM_PLUGINS", "value": ""}], [])


VARIABLES = [
    ("CUDA_VISIBLE_DEVICES=0,1", "note: CUDA_VISIBLE_DEVICES: Kubernetes gives each pod its GPUs"),
    ("HF_HOME=/data/hf", "note: HF_HOME: pods keep downloads in a volume of their own"),
    ("VLLM_PORT=5000", "note: VLLM_PORT: the operator gives the port"),
    ("VLLM_USE_V1=1", "note: VLLM_USE_V1: V1 is the only engine"),
    ("VLLM_USE_V1=0", "lost: VLLM_USE_V1: the V0 engine is gone since 0.10.0; leave it out; V1 is what runs"),
    (
        "VLLM_SERVER_DEV_MODE=1",
        "lost: VLLM_SERVER_DEV_MODE: it opens control endpoints without authentication; leave it out",
    ),
    (
        "PYTHONPATH=/srv",
        "lost: PYTHONPATH: it describes the machine, not the image; bake what it points to into engine.image",
    ),
]


@pytest.mark.parametrize(("assignment", "sentence"), VARIABLES)
def test_a_variable_of_the_machine_or_the_operator_is_left_out(assignment: str, sentence: str) -> None:
    assert environment(assignment) == ([], [sentence])


def test_a_variable_that_the_shell_has_yet_to_fill_in_is_refused() -> None:
    with pytest.raises(MalformedCommand, match=r"^VLLM_CACHE holds a shell variable or command"):
        environment("VLLM_CACHE=$HOME/cache")


SECRET = "hf_" + "SeCrEtVaLuE0123456789"
SECRETS = [
    [f"HF_TOKEN={SECRET}"],
    [f"HUGGING_FACE_HUB_TOKEN={SECRET}"],
    [f"VLLM_API_KEY={SECRET}"],
    [f"AWS_SECRET_ACCESS_KEY={SECRET}"],
    [f"DB_PASSWORD={SECRET}"],
    [f"my_token={SECRET}"],
    [f"OTHERWISE={SECRET}"],
    [f"OTHERWISE=x,{SECRET}"],
    ["vllm", "serve", "org/target", "--api-key", SECRET],
    ["vllm", "serve", "org/target", f"--api-key={SECRET}"],
    ["vllm", "serve", "org/target", f"--api_key={SECRET}"],
    ["vllm", "serve", "org/target", "--api-key", SECRET, SECRET],
    ["vllm", "serve", "org/target", "--api-key", f"$({SECRET})"],
    ["vllm", "serve", "org/target", "--hf-token", SECRET],
    ["vllm", "serve", "org/target", "--hf_token", SECRET],
    ["vllm", "serve", "org/target", "--some-password", SECRET],
    ["vllm", "serve", "org/target", "--otlp-headers", f"authorization={SECRET}"],
    ["vllm", "serve", "org/target", "--model-loader-extra-config", json.dumps({"token": SECRET})],
    ["vllm", "serve", "org/target", "--no-such-switch", SECRET],
    ["vllm", "serve", "org/target", "--speculative-config", json.dumps({"method": "suffix", "code_revision": SECRET})],
    ["vllm", "serve", "org/target", "--speculative-config.model", SECRET],
    ["vllm", "serve", "org/target", "--speculative-config", f"{{{SECRET}"],
    ["vllm", "serve", "org/target", "--api-key"],
    [f"docker run -e HF_TOKEN={SECRET} vllm/vllm-openai --model org/target"],
    [f"export HF_TOKEN={SECRET}\nvllm serve org/target"],
    [f"vllm serve org/target --api-key {SECRET} 2>&1 | tee log"],
]


@pytest.mark.parametrize("words", SECRETS)
def test_a_secret_is_lost_and_appears_nowhere(words: list[str]) -> None:
    server = [] if any("vllm" in word for word in words) else ["vllm", "serve", "org/target"]
    found = migrate([*words, *server])
    shown = yaml.safe_dump(found.resource) + "".join(map(str, found.findings))
    assert (SECRET in shown, len(found.losses)) == (False, 1)
    assert "Secret" in str(found.losses[0]) or "secretKeyRef" in str(found.losses[0])


MISPLACED = [
    ["vllm", "serve", "--api-key", SECRET],
    ["vllm", "serve", "org/target", "--enforce-eager", SECRET],
    ["vllm", "serve", "org/target", "-tp", "2", SECRET],
    ["vllm", "serve", "org/target", "-tp", SECRET],
    ["vllm", "serve", "org/target", "--dtype", SECRET],
    ["vllm", "serve", "org/target", "--gpu-memory-utilization", SECRET],
    ["vllm serve org/target --api-key '" + SECRET],
]


@pytest.mark.parametrize("words", MISPLACED)
def test_a_secret_is_in_no_error_either(words: list[str]) -> None:
    with pytest.raises(MalformedCommand) as error:
        migrate(words)
    assert SECRET not in str(error.value)
