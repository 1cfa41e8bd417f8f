"""`specdecode record` and `specdecode replay`, against a Prometheus on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest
import yaml
from click.testing import CliRunner, Result

from specdecode_operator.cli import main
from specdecode_operator.clients import Kubernetes, Unavailable
from specdecode_operator.replay import read_pods
from support.builders import body
from support.fake_kubernetes import FakeKubernetes
from support.http_double import HttpDouble
from support.past_prometheus import Past, served
from support.recordings import AFTER, POLICY, STABLE, falling, pod

TIMES = ("--from", "2026-03-01T12:00:00Z", "--to", "2026-03-01T12:30:00Z", "--scrape-interval", "15s")


@pytest.fixture(scope="module")
def prometheus() -> Iterator[HttpDouble]:
    past = Past([pod(gone=12), pod(AFTER, 11, speculating=False)], acceptance=falling(10))
    with served(past) as found:
        yield found


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    return written(tmp_path, "chat.yaml")


@pytest.fixture
def folder(prometheus: HttpDouble, spec: Path, tmp_path: Path) -> Path:
    assert record(prometheus, "--spec", str(spec), str(tmp_path / "data")).exit_code == 0
    return tmp_path / "data"


def written(folder: Path, file: str, *names: str, **changes: Any) -> Path:
    """Write a file of resources, by default one called chat."""
    path = folder / file
    path.write_text(yaml.safe_dump_all(body(name, **{"policy": POLICY} | changes) for name in names or ("chat",)))
    return path


def call(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def record(prometheus: HttpDouble, *words: str) -> Result:
    return call("record", "--prometheus", prometheus.url, *TIMES, *words)


def decided(found: Result) -> list[tuple[str, str, str]]:
    decisions = json.loads(found.stdout)["decisions"]
    return [(one["at"], one["to"], one["outcome"]) for one in decisions]


ROLLED = [("2026-03-01T12:10:15Z", "no-speculation", "Verified")]


class TestRecord:
    def test_it_says_what_it_wrote(self, prometheus: HttpDouble, spec: Path, tmp_path: Path) -> None:
        found = record(prometheus, "--spec", str(spec), str(tmp_path / "data"))
        assert (found.exit_code, found.stdout) == (0, "")
        assert found.stderr.endswith(f"{tmp_path / 'data'}: 121 evaluations of 2 pods\n")
        assert (tmp_path / "data" / "recording.json").exists()

    def test_progress_is_on_standard_error(self, prometheus: HttpDouble, spec: Path, tmp_path: Path) -> None:
        found = record(prometheus, "--spec", str(spec), str(tmp_path / "data"))
        assert found.stderr.startswith("asking Prometheus")

    def test_several_specs_in_one_recording(self, prometheus: HttpDouble, spec: Path, tmp_path: Path) -> None:
        other = written(tmp_path, "slow.yaml", policy=POLICY | {"window": {"short": "2m", "long": "8m"}})
        data = str(tmp_path / "data")
        assert record(prometheus, "--spec", str(spec), "--spec", str(other), data).exit_code == 0
        outcomes = [call("replay", "--spec", str(file), "--data", data).exit_code for file in (spec, other)]
        assert outcomes == [0, 0]

    def test_nothing_is_written_over(self, prometheus: HttpDouble, spec: Path, folder: Path) -> None:
        found = record(prometheus, "--spec", str(spec), str(folder))
        assert (found.exit_code, "is not empty; name a directory that is new" in found.stderr) == (2, True)

    def test_a_time_without_pods(self, prometheus: HttpDouble, tmp_path: Path) -> None:
        file = written(tmp_path, "code.yaml", "code")
        found = record(prometheus, "--spec", str(file), str(tmp_path / "data"))
        assert (found.exit_code, (tmp_path / "data").exists()) == (1, False)
        assert "Prometheus has no samples of pods of prod/code in that time; check --from" in found.stderr

    def test_a_prometheus_that_cannot_be_reached(self, spec: Path, tmp_path: Path) -> None:
        url = "http://127.0.0.1:1"
        found = call("record", "--prometheus", url, *TIMES, "--spec", str(spec), str(tmp_path / "data"))
        assert found.exit_code == 1
        assert f"Error: {url} cannot be used: the endpoint cannot be asked: ConnectionError" in found.stderr

    def test_the_cluster_says_what_pods_ran(
        self, prometheus: HttpDouble, spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        kubernetes = FakeKubernetes()
        labels = {"specdecode.dev/variant-hash": "0a1b2c3d4e"}
        metadata = {"namespace": "prod", "name": STABLE.rpartition("-")[0], "labels": labels}
        kubernetes.put({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata})
        monkeypatch.setattr(Kubernetes, "connect", AsyncMock(return_value=kubernetes))
        monkeypatch.setattr(FakeKubernetes, "close", AsyncMock())
        data = tmp_path / "data"
        assert record(prometheus, "--spec", str(spec), "--cluster", str(data)).exit_code == 0
        assert [pod.variant_hash for pod in read_pods(data / "pods.csv")] == ["0a1b2c3d4e", None]
        assert kubernetes.listed == [("ReplicaSet", "prod", None)]

    def test_a_cluster_that_cannot_be_asked(
        self, prometheus: HttpDouble, spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Kubernetes, "connect", AsyncMock(side_effect=Unavailable("no cluster")))
        found = record(prometheus, "--spec", str(spec), "--cluster", str(tmp_path / "data"))
        assert (found.exit_code, found.stderr.splitlines()[-1]) == (1, "Error: no cluster")


class TestReplay:
    def test_a_recording(self, spec: Path, folder: Path) -> None:
        found = call("replay", "--spec", str(spec), "--data", str(folder), "-o", "json")
        assert (found.exit_code, decided(found)) == (0, ROLLED)

    def test_straight_from_prometheus(self, prometheus: HttpDouble, spec: Path) -> None:
        found = call("replay", "--spec", str(spec), "--prometheus", prometheus.url, *TIMES, "-o", "json")
        assert (found.exit_code, decided(found)) == (0, ROLLED)

    def test_both_are_the_same(self, prometheus: HttpDouble, spec: Path, folder: Path) -> None:
        recorded = call("replay", "--spec", str(spec), "--data", str(folder))
        asked = call("replay", "--spec", str(spec), "--prometheus", prometheus.url, *TIMES)
        assert recorded.stdout == asked.stdout != ""

    @pytest.mark.parametrize(("output", "start"), [("text", "prod/chat, mode Enforce: "), ("html", "<!DOCTYPE html>")])
    def test_outputs(self, spec: Path, folder: Path, output: str, start: str) -> None:
        found = call("replay", "--spec", str(spec), "--data", str(folder), "-o", output)
        assert (found.exit_code, found.stdout.startswith(start)) == (0, True)
        assert found.stderr.startswith("replaying")

    def test_one_resource_of_a_file(self, folder: Path, tmp_path: Path) -> None:
        several = written(tmp_path, "all.yaml", "chat", "code")
        words = ("replay", "--spec", str(several), "--data", str(folder))
        assert [call(*words, *more).exit_code for more in ((), ("--name", "chat"), ("--name", "code"))] == [2, 0, 1]

    def test_a_corrected_list_of_pods(self, folder: Path, tmp_path: Path) -> None:
        ngram = {"method": "NGram", "numSpeculativeTokens": 4}
        rung = {"name": "ngram", "triggers": ["Acceptance"], "speculation": ngram}
        file = written(tmp_path, "ladder.yaml", fallbacks=[rung])
        pods = tmp_path / "pods.csv"
        lines = (folder / "pods.csv").read_text().splitlines()
        lines[2] = lines[2].replace("stable,,", "stable,ngram,")
        pods.write_text("\n".join(lines) + "\n")
        words = ("replay", "--spec", str(file), "--data", str(folder), "-o", "json")
        found = [[one[1:] for one in decided(call(*words, *more))] for more in ((), ("--pods", str(pods)))]
        assert found == [[("ngram", "Started")], [("ngram", "Completed")]]

    def test_a_manifest_without_a_namespace(self, folder: Path, tmp_path: Path) -> None:
        bare = yaml.safe_load(written(tmp_path, "bare.yaml").read_text())
        del bare["metadata"]["namespace"]
        (tmp_path / "bare.yaml").write_text(yaml.safe_dump(bare))
        words = ("replay", "--spec", str(tmp_path / "bare.yaml"), "--data", str(folder))
        assert [call(*words, *more).exit_code for more in ((), ("-n", "prod"))] == [1, 0]

    def test_a_rung_that_preflight_refuses_is_never_chosen(self, folder: Path, tmp_path: Path) -> None:
        rung = {"name": "bad", "triggers": ["Acceptance"], "model": {"name": "org/x", "quantization": "nonsense"}}
        file = written(tmp_path, "bad.yaml", fallbacks=[rung])
        found = call("replay", "--spec", str(file), "--data", str(folder), "-o", "json")
        assert decided(found) == ROLLED


SETTINGS = {"endpoints": [{"name": "default", "url": "http://prometheus:9090", "scrapeIntervalSeconds": 15}]}
USAGE: list[tuple[tuple[str, ...], str]] = [
    ((), "say which Prometheus to ask: either --prometheus URL, or --settings FILE"),
    (("--prometheus", "http://p", "--settings", "SETTINGS", "--from", "1h"), "say which Prometheus to ask: either"),
    (("--prometheus", "http://p"), "say with --from which time to look at, as 2026-03-01T12:00:00Z or 6h"),
    (("--prometheus", "http://p", "--from", "1h", "--to", "2h"), "--from lies after --to; exchange them"),
    (("--prometheus", "http://p", "--from", "365d"), "evaluations are more than 200,000; shorten the time"),
    (("--prometheus", "ftp://p", "--from", "1h"), "url of the endpoint: String should match pattern"),
    (("--prometheus", "http://p", "--from", "1h", "--matcher", "eu-1"), "--matcher takes a name, an equals sign and"),
    (("--prometheus", "http://p", "--from", "1h", "--header", "=x"), "--header takes a name, an equals sign and"),
    (("--prometheus", "http://p", "--from", "1h", "--pod-label", "a b"), "pod_label of the endpoint: String should"),
    (("--prometheus", "http://p", "--from", "1h", "--pod-names", "("), "--pod-names is no regular expression:"),
    (
        ("--settings", "SETTINGS", "--from", "1h", "--endpoint", "eu"),
        "has no endpoint eu; choose with --endpoint one of:",
    ),
    (("--settings", "SPEC", "--from", "1h"), "settings:"),
    (
        ("--data", "DATA", "--prometheus", "http://p"),
        "the metrics come from --data or from a Prometheus, not from both",
    ),
    (("--data", "."), "holds no recording.json; name a directory of specdecode record"),
    (("--data", "DATA", "--pods", "SPEC"), "has other columns than namespace, resource, pod, role"),
]


@pytest.mark.parametrize(("words", "message"), USAGE)
def test_wrong_usage_is_one_sentence(
    spec: Path, folder: Path, tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(yaml.safe_dump(SETTINGS))
    places = {"SPEC": str(spec), "DATA": str(folder), "SETTINGS": str(settings)}
    found = call("replay", "--spec", str(spec), *(places.get(word, word) for word in words))
    error = found.stderr.split("Error: ")[-1]
    assert (found.exit_code, message in error, error.count("\n")) == (2, True, 1)


class TestEndpoint:
    def asked(self, prometheus: HttpDouble, spec: Path, *words: str) -> tuple[Result, dict[str, str], str]:
        before = len(prometheus.asked)
        found = call("replay", "--spec", str(spec), *words)
        asked = prometheus.asked[before]
        return found, asked.headers, asked.body.decode()

    def test_everything_that_settings_know_can_be_an_option(
        self, prometheus: HttpDouble, spec: Path, tmp_path: Path
    ) -> None:
        token = tmp_path / "token"
        token.write_text("secret\n")
        words = ("--bearer-token-file", str(token), "--header", "X-Scope-OrgID=platform", "--matcher", "cluster=eu-1")
        found, headers, form = self.asked(prometheus, spec, "--prometheus", prometheus.url, *TIMES, *words)
        assert found.exit_code == 0
        assert (headers["Authorization"], headers["X-Scope-OrgID"]) == ("Bearer secret", "platform")
        assert "cluster%3D%22eu-1%22" in form
        assert "secret" not in found.output

    def test_an_endpoint_of_the_settings(self, prometheus: HttpDouble, spec: Path, tmp_path: Path) -> None:
        endpoint = {"name": "eu", "url": prometheus.url, "scrapeIntervalSeconds": 15, "headers": {"X-Scope-OrgID": "a"}}
        file = tmp_path / "settings.yaml"
        file.write_text(yaml.safe_dump({"endpoints": [endpoint], "evaluationIntervalSeconds": 30}))
        words = ("--settings", str(file), "--endpoint", "eu", *TIMES[:4], "-o", "json")
        found, headers, form = self.asked(prometheus, spec, *words)
        assert (json.loads(found.stdout)["stepSeconds"], headers["X-Scope-OrgID"]) == (30, "a")
        assert "step=30" in form

    def test_an_option_wins_over_the_settings(self, prometheus: HttpDouble, spec: Path, tmp_path: Path) -> None:
        file = tmp_path / "settings.yaml"
        file.write_text(yaml.safe_dump({"endpoints": [{"name": "default", "url": prometheus.url}]}))
        words = ("--settings", str(file), *TIMES, "--step", "60s", "-o", "json")
        found = json.loads(call("replay", "--spec", str(spec), *words).stdout)
        assert (found["stepSeconds"], found["scrapeIntervalSeconds"]) == (60, 15.0)


@pytest.mark.parametrize("command", ["record", "replay"])
def test_help_teaches_with_examples(command: str) -> None:
    found = call(command, "--help")
    assert (found.exit_code, "Examples:" in found.output, "Exit status:" in found.output) == (0, True, True)
