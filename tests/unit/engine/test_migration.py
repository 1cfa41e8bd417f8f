"""What flags become: fields, further arguments, notes and losses, as tables."""

from typing import Any

import pytest

from specdecode_operator.api.unknown import unknown_fields
from specdecode_operator.api.v1alpha1 import parse
from specdecode_operator.api.v1alpha1.engine import REFUSED_FLAGS, RENDERED_FLAGS
from specdecode_operator.engine.flags import ALIASES, FLAGS, LEGACY_FLAGS
from specdecode_operator.engine.migration import CannotMigrate, MalformedCommand, Migration, migrate
from specdecode_operator.engine.migration.known import FORMER, LISTS, SINGLES, SWITCHES
from specdecode_operator.engine.migration.rules import has_rule
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children

NEWEST = "0.33.0"


def made(*flags: str, version: str = NEWEST) -> Migration:
    return migrate(["vllm", "serve", "org/target", *flags], version=version)


def spec(*flags: str, version: str = NEWEST) -> dict[str, Any]:
    """The spec without what every spec has."""
    found = made(*flags, version=version).resource["spec"]
    assert found["model"].pop("name") == "org/target"
    assert found["engine"].pop("version") == version
    return {section: fields for section, fields in found.items() if fields}


def said(*flags: str, version: str = NEWEST) -> list[str]:
    return [str(finding) for finding in made(*flags, version=version).findings]


def renders(migration: Migration) -> bool:
    resource = parse(migration.resource)
    rungs = ladder(resource.spec)
    found = children(resource, Layout(rungs.primary, rungs.primary.hash))
    return bool(found) and unknown_fields(migration.resource) == []


def test_the_least_is_a_model() -> None:
    assert made() == Migration(
        {
            "apiVersion": "specdecode.dev/v1alpha1",
            "kind": "SpecDecodeDeployment",
            "metadata": {"name": "target"},
            "spec": {"model": {"name": "org/target"}, "engine": {"version": NEWEST}},
        },
        (),
    )


ENGINE = [
    (["--tensor-parallel-size", "4"], {"tensorParallelSize": 4}),
    (["--tensor-parallel-size=4"], {"tensorParallelSize": 4}),
    (["--tensor_parallel_size", "4"], {"tensorParallelSize": 4}),
    (["--tensor_parallel-size=4"], {"tensorParallelSize": 4}),
    (["-tp", "4"], {"tensorParallelSize": 4}),
    (["-tp=4"], {"tensorParallelSize": 4}),
    (["--tensor-parallel", "4"], {"tensorParallelSize": 4}),
    (["-tp", "2", "-tp", "4"], {"tensorParallelSize": 4}),
    (["--dtype", "bfloat16"], {"dtype": "bfloat16"}),
    (["--dtype", "half"], {"dtype": "float16"}),
    (["--dtype", "float"], {"dtype": "float32"}),
    (["--dtype", "auto"], {"dtype": "auto"}),
    (["--max-model-len", "8192"], {"maxModelLen": 8192}),
    (["--max-model-len", "8k"], {"maxModelLen": 8000}),
    (["--max-model-len", "8K"], {"maxModelLen": 8192}),
    (["--max-model-len", "25.6k"], {"maxModelLen": 25600}),
    (["--max-model-len", "1M"], {"maxModelLen": 1048576}),
    (["--max-num-seqs", "128"], {"maxNumSeqs": 128}),
    (["--kv-cache-dtype", "fp8_e5m2"], {"kvCacheDtype": "fp8_e5m2"}),
    (["--gpu-memory-utilization", "0.9"], {"gpuMemoryUtilizationPercent": 90}),
    (["--gpu-memory-utilization", "0.29"], {"gpuMemoryUtilizationPercent": 29}),
    (["--gpu-memory-utilization", ".95"], {"gpuMemoryUtilizationPercent": 95}),
    (["--gpu-memory-utilization", "9e-1"], {"gpuMemoryUtilizationPercent": 90}),
    (["--device-memory-utilization", "0.9"], {"gpuMemoryUtilizationPercent": 90}),
]


@pytest.mark.parametrize(("flags", "engine"), ENGINE)
def test_a_flag_of_the_engine_becomes_its_field(flags: list[str], engine: dict[str, Any]) -> None:
    assert (spec(*flags), said(*flags)) == ({"engine": engine}, [])


MODEL = [
    (["--revision", "abc123"], {"revision": "abc123"}),
    (["--served-model-name", "chat"], {"servedName": "chat"}),
    (["--served-model-name", "org/target"], {}),
    (["--quantization", "fp8"], {"quantization": "fp8"}),
    (["-q", "fp8_per_channel"], {"quantization": "fp8_per_channel"}),
    (["--quantization", "awq"], {"quantization": "awq"}),
]


@pytest.mark.parametrize(("flags", "model"), MODEL)
def test_a_flag_of_the_model_becomes_its_field(flags: list[str], model: dict[str, Any]) -> None:
    assert (spec(*flags), said(*flags)) == ({"model": model} if model else {}, [])


DRAIN = [("300", "5m"), ("90", "90s"), ("3600", "1h"), ("1", "1s"), ("5400", "90m")]


@pytest.mark.parametrize(("seconds", "duration"), DRAIN)
def test_the_shutdown_timeout_becomes_a_drain_timeout(seconds: str, duration: str) -> None:
    assert spec("--shutdown-timeout", seconds) == {"rollout": {"drainTimeout": duration}}


RANKS = [
    (["-pp", "2"], 2, ["-pp", "2"]),
    (["-tp", "4", "--pipeline-parallel-size", "2"], 8, ["--pipeline-parallel-size", "2"]),
    (["-tp", "2", "-pp", "2", "-dp", "3"], 12, ["-pp", "2", "-dp", "3"]),
]


@pytest.mark.parametrize(("flags", "gpus", "extra"), RANKS)
def test_further_parallelism_takes_further_gpus(flags: list[str], gpus: int, extra: list[str]) -> None:
    found = spec(*flags)
    assert (found["resources"], found["engine"]["extraArgs"]) == ({"gpu": {"count": gpus}}, extra)


def test_parallelism_of_one_takes_no_further_gpus() -> None:
    assert spec("-pp", "1") == {"engine": {"extraArgs": ["-pp", "1"]}}


EXTRA = [
    ["--enable-chunked-prefill"],
    ["--no-enable-prefix-caching"],
    ["--trust-remote-code"],
    ["--seed", "-1"],
    ["--max-num-batched-tokens=4096"],
    ["--cudagraph-capture-sizes", "1", "2", "4"],
    ["--compilation-config", '{"level":3}'],
    ["--compilation-config.level", "3"],
    ["-O3"],
    ["-O", "3"],
    ["-cc.mode=3"],
    ["--limit-mm-per-prompt", '{"image":2}'],
    ["--distributed-executor-backend", "mp"],
    ["--reasoning-parser", "qwen3", "--enable-auto-tool-choice", "--tool-call-parser", "hermes"],
    ["--enable-log-requests"],
    ["--per-request-spec-decode-metrics", "summary"],
]


@pytest.mark.parametrize("words", EXTRA)
def test_what_has_no_field_is_passed_on_as_it_stands(words: list[str]) -> None:
    assert (spec(*words), said(*words)) == ({"engine": {"extraArgs": words}}, [])


REWRITTEN = [
    (["--enable-chunked-prefill=False"], ["--no-enable-chunked-prefill"]),
    (["--enable-chunked-prefill", "False"], ["--no-enable-chunked-prefill"]),
    (["--enable-chunked-prefill", "true"], ["--enable-chunked-prefill"]),
    (["--enable_prefix_caching=True"], ["--enable-prefix-caching"]),
    (["--chat-template", ""], ["--chat-template="]),
    (["--guided-decoding-backend", "xgrammar"], ["--structured-outputs-config", '{"backend":"xgrammar"}']),
    (["--worker-use-ray"], ["--distributed-executor-backend", "ray"]),
    (["--disable-mm-preprocessor-cache"], ["--mm-processor-cache-gb", "0"]),
    (["--override-pooler-config", '{"a":1}'], ["--pooler-config", '{"a":1}']),
    (["--cuda-graph-sizes", "8", "16"], ["--cudagraph-capture-sizes", "8", "16"]),
]


@pytest.mark.parametrize(("before", "after"), REWRITTEN)
def test_what_vllm_spells_otherwise_now_is_rewritten(before: list[str], after: list[str]) -> None:
    assert spec(*before) == {"engine": {"extraArgs": after}}
    assert made(*before).losses == ()


NOTES = [
    (["--host", "::"], "--host: the pods listen on all addresses"),
    (["--port", "9000"], "--port: the operator's Service listens on 8000; give clients that port instead of 9000"),
    (["--custom-histogram-buckets", "{}"], "--custom-histogram-buckets: the operator gives the buckets"),
    (["--use-v2-block-manager"], "--use-v2-block-manager: it steered vLLM's V0 engine"),
    (["--num-scheduler-steps", "8"], "--num-scheduler-steps: it steered"),
    (["--num-lookahead-slots", "5"], "--num-lookahead-slots: vLLM takes it from"),
    (["--swap-space", "16"], "--swap-space: vLLM computes preempted requests again"),
    (["--preemption-mode", "swap"], "--preemption-mode: vLLM always computes"),
    (["--speculative-disable-mqa-scorer"], "--speculative-disable-mqa-scorer: vLLM scores all draft tokens in one"),
    (["--disable-logprobs-during-spec-decoding"], "--disable-logprobs-during-spec-decoding: log probabilities are"),
    (["--disable-log-requests"], "--disable-log-requests: vLLM logs requests only with --enable-log-requests"),
    (["--enable-reasoning"], "--enable-reasoning: --reasoning-parser alone"),
    (["-h"], "-h: it asks for help, and starts no server"),
    (["--task", "generate"], "--task: vLLM finds the task itself"),
    (["--device", "cuda"], "--device: the image decides"),
    (["--quantization", "None"], "--quantization: none is what vLLM does"),
    (["--speculative-max-model-len", "2048"], "--speculative-max-model-len: it means nothing without"),
]


@pytest.mark.parametrize(("flags", "note"), NOTES)
def test_what_can_be_left_out_is_a_note_and_no_loss(flags: list[str], note: str) -> None:
    assert (spec(*flags), len(said(*flags))) == ({}, 1)
    assert said(*flags)[0].startswith(f"note: {note}")


KEPT_WITH_NOTE = [
    (["--gpu-memory-utilization", "0.925"], {"gpuMemoryUtilizationPercent": 92}, "rounded down to 92 %"),
    (["--gpu-memory-utilization", "1.0"], {"gpuMemoryUtilizationPercent": 99}, "rounded down to 99 %"),
    (["--tokenizer", "/tok"], {"extraArgs": ["--tokenizer", "/tok"]}, "the file must be in the pod too"),
    (["--chat-template", "./a.jinja"], {"extraArgs": ["--chat-template", "./a.jinja"]}, "the file must be in the pod"),
    (["--lora-modules", "a=/x"], {"extraArgs": ["--lora-modules", "a=/x"]}, "the file must be in the pod too"),
    (["--not-of-vllm", "1"], {"extraArgs": ["--not-of-vllm", "1"]}, "vLLM 0.32 lists no such flag"),
]


@pytest.mark.parametrize(("flags", "engine", "note"), KEPT_WITH_NOTE)
def test_what_is_kept_with_a_difference_says_so(flags: list[str], engine: dict[str, Any], note: str) -> None:
    assert spec(*flags) == {"engine": engine}
    assert [finding.lost for finding in made(*flags).findings] == [False]
    assert said(*flags)[0].startswith(f"note: {flags[0]}: {note}")


LOSSES = [
    (["--quantization", "bitsandbytes"], "it was 4-bit NF4, not INT8", "fp8_per_channel"),
    (["--load-format", "bitsandbytes"], "removed bitsandbytes by 0.28.0", "already quantized"),
    (["--quantization", "gguf"], "vLLM removed gguf by 0.24.0", "already quantized"),
    (["--load-format", "gguf"], "vLLM removed gguf by 0.24.0", "already quantized"),
    (["--max-model-len", "auto"], "no length that vLLM finds itself", "engine.maxModelLen"),
    (["--max-model-len", "-1"], "no length that vLLM finds itself", "engine.maxModelLen"),
    (["--gpu-memory-utilization", "0.05"], "takes 10 to 99 percent", "leave engine.gpuMemoryUtilizationPercent out"),
    (["--shutdown-timeout", "0"], "always finish the requests", "rollout.drainTimeout"),
    (["--api-key", "xyz"], "arguments show secrets", "secretKeyRef"),
    (["--hf-token", "xyz"], "arguments show secrets", "model.tokenSecretRef"),
    (["--hf-token"], "arguments show secrets", "model.tokenSecretRef"),
    (["--auth-token", "xyz"], "arguments show secrets", "secretKeyRef"),
    (["--disable-log-stats"], "no /metrics to judge by", "VLLM_LOGGING_LEVEL"),
    (["--download-dir", "/data"], "a volume of their own", "model.storage.claim"),
    (["--config", "vllm.yaml"], "the file is not read here", "as flags"),
    (["--uds", "/run/vllm.sock"], "by TCP", "leave it out"),
    (["--ssl-keyfile", "/k.pem"], "plain HTTP", "gateway"),
    (["--ssl-certfile", "/c.pem"], "plain HTTP", "gateway"),
    (["--nnodes", "2"], "in one pod", "spec.replicas"),
    (["--headless"], "in one pod", "LeaderWorkerSet"),
    (["-dpe"], "in one pod", "spec.replicas"),
    (["--task", "embed"], "no --task any more", "--runner"),
    (["--device", "cpu"], "no --device any more", "engine.image"),
    (["--guided-decoding-backend", "lm-format-enforcer"], "refuse requests", "--structured-outputs-config"),
    (["--rope-scaling", '{"type":"yarn"}'], "from the model's configuration", "--hf-overrides"),
    (["--enable-prompt-adapter"], "no such adapters", "--enable-lora"),
    (["--qlora-adapter-name-or-path", "a/b"], "no such adapters", "--lora-modules"),
    (["--quantization-param-path", "/kv.json"], "KV scales from the checkpoint", "checkpoint that has them"),
    (["--override-neuron-config", "{}"], "a plugin now", "--additional-config"),
    (["--hf-overrides", "x" * 1025], "too long", "engine.extraArgs"),
    (["--spec-decoding-acceptance-method", "typical_acceptance_sampler"], "gone since vLLM 0.10.0", "Probabilistic"),
    (["--typical-acceptance-sampler-posterior-threshold", "0.09"], "gone since vLLM 0.10.0", "Probabilistic"),
    (["--typical-acceptance-sampler-posterior-alpha", "0.3"], "gone since vLLM 0.10.0", "Probabilistic"),
]


@pytest.mark.parametrize(("flags", "reason", "replacement"), LOSSES, ids=[" ".join(row[0])[:60] for row in LOSSES])
def test_what_has_no_equivalent_is_named_with_reason_and_replacement(
    flags: list[str], reason: str, replacement: str
) -> None:
    found = made(*flags)
    assert (spec(*flags), len(found.findings), len(found.losses)) == ({}, 1, 1)
    sentence = str(found.findings[0])
    assert sentence.startswith(f"lost: {flags[0]}: ")
    assert (reason in sentence, replacement in sentence.split(reason)[1]) == (True, True)


def test_several_served_names_keep_the_first() -> None:
    flags = ("--served-model-name", "chat", "chat-v1", "gpt-4")
    assert spec(*flags) == {"model": {"servedName": "chat"}}
    others = "the resource has one served name, so chat-v1, gpt-4 is not answered"
    assert said(*flags) == [f"lost: --served-model-name: {others}; ask for the first"]


def test_bitsandbytes_is_kept_where_the_version_has_it_with_the_truth_about_it() -> None:
    flags = ("--quantization", "bitsandbytes", "--load-format", "bitsandbytes")
    assert spec(*flags, version="0.26.0") == {
        "model": {"quantization": "bitsandbytes"},
        "engine": {"extraArgs": ["--load-format", "bitsandbytes"]},
    }
    note = "note: --quantization: this is 4-bit NF4, not INT8, and vLLM removed it by 0.28.0"
    assert said(*flags, version="0.26.0") == [note]


@pytest.mark.parametrize(
    ("name", "release", "kept"),
    [
        ("bitsandbytes", "0.27.1", True),
        ("bitsandbytes", "0.28.0", False),
        ("gguf", "0.23.0", True),
        ("gguf", "0.24.0", False),
        ("GGUF", "0.24.0", False),
        ("squeezellm", "0.8.3", False),
        ("awq", "0.33.0", True),
        ("of-a-plugin", "0.33.0", True),
    ],
)
def test_a_quantizer_is_lost_where_the_release_lacks_it(name: str, release: str, *, kept: bool) -> None:
    found = spec("--quantization", name, version=release)
    assert found == ({"model": {"quantization": name}} if kept else {})


@pytest.mark.parametrize("flag", ["--disable-log-stats=False", "--no-enable-reasoning", "--enable-ssl-refresh=false"])
def test_a_switch_that_is_off_says_nothing(flag: str) -> None:
    assert (spec(flag), said(flag)) == ({}, [])


def test_the_port_that_it_is_anyway_says_nothing() -> None:
    assert (spec("--port", "8000"), said("--port", "8000")) == ({}, [])


LOCATIONS = [
    ("/models/llama", {"name": "llama", "servedName": "/models/llama"}, {"hostPath": "/models", "path": "llama"}),
    ("/models/llama/", {"name": "llama", "servedName": "/models/llama/"}, {"hostPath": "/models", "path": "llama"}),
    ("/llama", {"name": "llama", "servedName": "/llama"}, {"hostPath": "/llama", "path": "."}),
    ("/a/b/c", {"name": "c", "servedName": "/a/b/c"}, {"hostPath": "/a/b", "path": "c"}),
]


@pytest.mark.parametrize(("path", "names", "storage"), LOCATIONS)
def test_an_absolute_path_is_a_folder_of_the_node(path: str, names: dict[str, str], storage: dict[str, str]) -> None:
    found = migrate([path])
    assert found.resource["spec"]["model"] == names | {"storage": storage}
    assert [str(finding)[:46] for finding in found.findings] == ["note: MODEL: read from this folder of the node"]
    assert renders(found)


@pytest.mark.parametrize("path", ["./llama", "../llama", "~/llama", "models/org/llama", "s3://bucket/llama"])
def test_a_path_that_no_pod_knows_is_lost(path: str) -> None:
    found = migrate(["--model", path, "--served-model-name", "chat"])
    assert found.resource["spec"]["model"] == {"name": "llama", "servedName": "chat"}
    assert str(found.losses[0]) == (
        "lost: --model: a pod knows neither this folder nor this address; put the weights into a claim, named by"
        " model.storage.claim"
    )


NAMES = [
    ("org/target", [], "target"),
    ("meta-llama/Llama-3.1-70B-Instruct", [], "llama-3-1-70b-instruct"),
    ("gpt2", [], "gpt2"),
    ("org/7B_chat", [], "model-7b-chat"),
    ("org/target", ["--served-model-name", "My Chat".replace(" ", "_")], "my-chat"),
    ("org/" + "a" * 80, [], "a" * 50),
    ("org/" + "a" * 49 + "-b", [], "a" * 49),
    ("org/---", [], "model"),
]


@pytest.mark.parametrize(("model", "flags", "name"), NAMES)
def test_the_resource_is_named_like_the_model_that_clients_ask_for(model: str, flags: list[str], name: str) -> None:
    assert migrate([model, *flags]).resource["metadata"] == {"name": name}


def test_a_name_that_is_given_is_taken() -> None:
    assert migrate(["org/target"], name="chat").resource["metadata"] == {"name": "chat"}


MALFORMED = [
    (["--tensor-parallel-size"], "--tensor-parallel-size needs a value"),
    (["--tensor-parallel-size="], "--tensor-parallel-size needs a value"),
    (["--tensor-parallel-size", "--enforce-eager"], "--tensor-parallel-size needs a value"),
    (["--served-model-name"], "--served-model-name needs a value"),
    (["-tp", "two"], "-tp two: needs a whole number"),
    (["-tp", "0"], "-tp 0: the resource takes 1 to 64"),
    (["-tp", "128"], "-tp 128: the resource takes 1 to 64"),
    (["-pp", "x"], "-pp x: needs a whole number"),
    (["-tp", "32", "-pp", "4"], "the parallel sizes ask for 128 GPUs; a pod of the resource takes up to 64"),
    (["--max-model-len", "8.5K"], "--max-model-len 8.5K: K takes whole numbers; use k"),
    (["--max-model-len", "0"], "--max-model-len 0: the resource takes 1 to 16777216"),
    (["--max-model-len", "1T"], "--max-model-len 1T: the resource takes 1 to 16777216"),
    (["--max-model-len", "eight"], "--max-model-len eight: needs a whole number"),
    (["--gpu-memory-utilization", "90"], "--gpu-memory-utilization 90: needs a share over 0 and up to 1"),
    (["--gpu-memory-utilization", "0"], "--gpu-memory-utilization 0: needs a share over 0 and up to 1"),
    (["--gpu-memory-utilization", "nan"], "--gpu-memory-utilization nan: needs a number"),
    (["--gpu-memory-utilization", "x"], "--gpu-memory-utilization x: needs a number"),
    (["--dtype", "int8"], "--dtype int8: needs one of auto, bfloat16, float16, half, float32, float"),
    (["--max-num-seqs", "9" * 65], "--max-num-seqs: the resource takes 1 to 65536"),
    (["--port", "http"], "--port http: needs a whole number"),
    (["--spec-decoding-acceptance-method", "x"], "--spec-decoding-acceptance-method x: needs one of rejection_sampler"),
    (["--model", "org/other"], "two models are given; give the target once"),
    (["--enforce-eager", "stray"], "a word after --enforce-eager belongs to no flag"),
    (["-tp", "2", "stray"], "a word after -tp belongs to no flag"),
    (["-tp", "2", "--", "stray"], "a word after -tp belongs to no flag"),
    (["second"], "a word after the program belongs to no flag"),
    (["--revision", "$REV"], "--revision holds a shell variable or command; write out its value"),
    (["--revision", "`date`"], "--revision holds a shell variable or command"),
    (["--revision", "${REV:-x}"], "--revision holds a shell variable or command"),
    (["--revision", "with space"], "spec.model.revision: String should match pattern"),
    (["--kv-cache-dtype", "FP8"], "spec.engine.kvCacheDtype: String should match pattern"),
]


@pytest.mark.parametrize(("flags", "sentence"), MALFORMED, ids=[" ".join(row[0]) for row in MALFORMED])
def test_what_cannot_be_read_is_one_sentence(flags: list[str], sentence: str) -> None:
    with pytest.raises(MalformedCommand) as error:
        made(*flags)
    assert str(error.value).startswith(sentence)
    assert "\n" not in str(error.value)


def test_more_words_than_the_resource_takes_are_no_resource() -> None:
    flags = [f"--flag-{number}" for number in range(65)]
    with pytest.raises(CannotMigrate, match=r"^engine\.extraArgs takes 64 words, 65 are left"):
        made(*flags)


EVERY = [row[0] for table in (ENGINE, MODEL, RANKS, REWRITTEN, NOTES, KEPT_WITH_NOTE) for row in table] + EXTRA


@pytest.mark.parametrize("flags", EVERY, ids=[" ".join(flags) for flags in EVERY])
def test_every_resource_can_be_applied_and_renders(flags: list[str]) -> None:
    assert renders(made(*flags))


@pytest.mark.parametrize("flags", [row[0] for row in LOSSES], ids=[" ".join(row[0])[:60] for row in LOSSES])
def test_what_is_left_after_a_loss_renders_too(flags: list[str]) -> None:
    assert renders(made(*flags))


class TestTables:
    def test_every_flag_has_one_arity(self) -> None:
        assert len(SWITCHES | LISTS | SINGLES) == len(SWITCHES) + len(LISTS) + len(SINGLES)

    def test_every_alias_means_a_known_flag(self) -> None:
        assert [flag for flag in ALIASES.values() if flag not in SWITCHES | LISTS | SINGLES] == []

    def test_no_flag_is_passed_on_that_the_resource_refuses_there(self) -> None:
        refused = {ALIASES.get(flag, flag) for flag in (*RENDERED_FLAGS, *REFUSED_FLAGS)}
        assert [flag for flag in sorted(refused) if not has_rule(flag)] == []

    def test_what_the_checks_know_to_be_gone_is_former_here_too(self) -> None:
        gone = {flag for flag, releases in FLAGS.items() if releases.gone} | set(LEGACY_FLAGS)
        assert sorted(gone - FORMER) == []

    def test_every_former_flag_is_told_what_became_of_it(self) -> None:
        assert [flag for flag in sorted(FORMER) if not has_rule(flag)] == []
