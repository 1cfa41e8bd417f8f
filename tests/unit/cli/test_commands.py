"""The offline commands, as a user types them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from specdecode_operator import __version__
from specdecode_operator.api.crd import custom_resource_definition
from specdecode_operator.cli import main
from specdecode_operator.policy import ladder
from specdecode_operator.workload import Layout, children
from support.builders import body, resource

REPOSITORY = Path(__file__).parents[3]


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, words, input=text)


def render(*manifests: dict[str, Any], words: tuple[str, ...] = ()) -> Result:
    return run("render", "-", *words, text=yaml.safe_dump_all(manifests))


def expected(variant: str = "primary", **spec: Any) -> list[dict[str, Any]]:
    found = resource(**spec)
    rungs = ladder(found.spec)
    chosen = rungs.find(variant)
    assert chosen is not None
    return children(found, Layout(chosen, rungs.primary.hash))


class TestRender:
    def test_yaml(self) -> None:
        found = render(body(replicas=2))
        assert (found.exit_code, list(yaml.safe_load_all(found.output))) == (0, expected(replicas=2))

    def test_json_is_a_list_of_kubernetes(self) -> None:
        found = render(body(), words=("-o", "json"))
        assert json.loads(found.output) == {"apiVersion": "v1", "kind": "List", "items": expected()}

    def test_a_rung_of_the_ladder(self) -> None:
        found = render(body(), words=("--variant", "no-speculation"))
        assert list(yaml.safe_load_all(found.output)) == expected("no-speculation")

    def test_several_resources_among_other_kinds(self) -> None:
        other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
        found = render(body("a"), other, body("b"))
        names = [child["metadata"]["name"] for child in yaml.safe_load_all(found.output)]
        assert names == ["a", "a", "b", "b"]

    def test_a_file(self, tmp_path: Path) -> None:
        file = tmp_path / "chat.yaml"
        file.write_text(yaml.safe_dump(body()))
        assert run("render", str(file)).output == render(body()).output

    def test_nothing_is_abbreviated_by_anchors(self) -> None:
        assert not any(sign in render(body(replicas=2)).output for sign in ("&id", "*id"))

    def test_the_order_of_fields_is_that_of_people(self) -> None:
        assert render(body()).output.startswith("---\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n")

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "- holds no SpecDecodeDeployment"),
            ("apiVersion: v1\nkind: Pod\n", "- holds no SpecDecodeDeployment"),
            ("just text", "- holds no SpecDecodeDeployment"),
            ("a: [", "- is no YAML: "),
            ("a: !!python/object:os.system {}", "- is no YAML: "),
        ],
    )
    def test_what_holds_no_resource(self, text: str, sentence: str) -> None:
        found = run("render", "-", text=text)
        assert found.exit_code == 1
        assert found.output.replace("<stdin>", "-").startswith(f"Error: {sentence}")

    @pytest.mark.parametrize(
        ("manifest", "words", "sentence"),
        [
            (body(model={}), (), "spec.model.name: Field required"),
            (body() | {"apiVersion": "specdecode.dev/v1"}, (), "apiVersion and kind are specdecode.dev/v1 and"),
            (body(modell={"name": "x"}), (), "unknown field spec.modell; see kubectl explain sdd.spec"),
            (body() | {"specs": {}}, (), "unknown field specs; see kubectl explain sdd.spec"),
            (body(), ("--variant", "fp8"), "chat has no variant fp8; it has primary, no-speculation"),
            (
                body(speculation={"method": "Suffix", "config": {"method": "x"}}),
                (),
                "speculation.config.method: it has a field of its own; use speculation.method",
            ),
            (
                body(podTemplate={"spec": {"containers": [{}]}}),
                (),
                "podTemplate.spec.containers[0]: needs name, by which the entry is merged",
            ),
        ],
    )
    def test_a_mistake_is_one_sentence_and_no_output(
        self, manifest: dict[str, Any], words: tuple[str, ...], sentence: str
    ) -> None:
        found = render(manifest, words=words)
        assert (found.exit_code, found.output.count("\n")) == (1, 1)
        assert found.output.startswith(f"Error: {sentence}")

    def test_a_file_that_is_missing(self) -> None:
        found = run("render", "nowhere.yaml")
        assert (found.exit_code, "No such file" in found.output) == (2, True)

    def test_one_mistake_among_several_resources_renders_none(self) -> None:
        found = render(body("a"), body("b", model={}))
        assert (found.exit_code, "kind: Deployment" in found.output) == (1, False)


class TestCrds:
    def test_it_is_what_the_models_say(self) -> None:
        assert yaml.safe_load(run("crds").output) == custom_resource_definition()

    def test_the_file_in_the_repository_is_up_to_date(self) -> None:
        assert (REPOSITORY / "crds" / "specdecodedeployments.yaml").read_text() == run("crds").output


def paths(schema: dict[str, Any], prefix: str = "") -> list[str]:
    found = []
    for name, child in schema.get("properties", {}).items():
        items = child.get("items")
        found += [f"{prefix}{name}", *paths(child, f"{prefix}{name}.")]
        found += paths(items, f"{prefix}{name}[].") if isinstance(items, dict) else []
    return found


class TestReference:
    @pytest.mark.parametrize("part", ["spec", "status"])
    def test_every_field_has_a_row(self, part: str) -> None:
        version = custom_resource_definition()["spec"]["versions"][0]
        section = run("reference").output.split(f"## `{part}`\n")[1].split("\n## ")[0]
        rows = [line.split("`")[1] for line in section.splitlines() if line.startswith("| `")]
        assert rows == paths(version["schema"]["openAPIV3Schema"]["properties"][part])

    def test_every_row_has_four_cells(self) -> None:
        rows = [line for line in run("reference").output.splitlines() if line.startswith("| `")]
        assert {line.replace("\\|", "").count("|") for line in rows} == {5}

    @pytest.mark.parametrize(
        "row",
        [
            "| `model` | object | required | The target model. |",
            "| `suspend` | boolean | `false` | Stops the operator's own actions, not its evaluation;",
            "| `policy.mode` | `Observe` \\| `Recommend` \\| `Enforce` | `Observe` |",
            "| `policy.objectives[].percentile` | `50` \\| `90` \\| `95` \\| `99` \\| `99.9` | `99` |",
            "| `speculation.numSpeculativeTokens` | integer ≥ 1 ≤ 64 |  | Tokens proposed a step.",
        ],
    )
    def test_a_row(self, row: str) -> None:
        assert any(line.startswith(row) for line in run("reference").output.splitlines())


class TestMain:
    def test_the_version(self) -> None:
        assert run("--version").output.strip().endswith(__version__)

    def test_every_command_explains_itself(self) -> None:
        for name, command in main.commands.items():
            found = run(name, "--help")
            assert (found.exit_code, command.help and command.help.strip() != "") == (0, True)

    def test_settings_that_cannot_be_used_are_one_sentence(self, tmp_path: Path) -> None:
        file = tmp_path / "settings.yaml"
        file.write_text("worker: 3\n")
        found = run("run", "--config", str(file))
        assert (found.exit_code, found.output) == (1, "Error: settings: worker: Extra inputs are not permitted\n")

    def test_a_settings_file_that_is_missing_is_named(self, tmp_path: Path) -> None:
        found = run("run", "--config", str(tmp_path / "nowhere.yaml"))
        assert (found.exit_code, "FileNotFoundError" in found.output) == (1, True)
