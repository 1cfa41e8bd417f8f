"""The administrator's settings, from a file and from the environment."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from specdecode_operator.clients import Connection
from specdecode_operator.controller import InvalidSettings, Settings, load
from specdecode_operator.controller.settings import (
    FactsJob,
    FleetSettings,
    HoldAll,
    NotificationSettings,
    WebhookSettings,
)
from specdecode_operator.policy import FleetRules, Scope
from specdecode_operator.workload import FactsJobOptions

ENDPOINT = {"name": "default", "url": "http://prometheus.monitoring:9090"}
OWN = {"namespace": "system", "serviceName": "hook", "configurationName": "release", "secretName": "hook"}
URL_PATTERN = "String should match pattern '^https?://[^\\s?#@]+$'"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.yaml"


class TestFile:
    def test_without_one_the_defaults_count(self) -> None:
        assert load(None) == Settings(
            namespaces=(),
            endpoints=(),
            evaluation_interval_seconds=15,
            resync_interval_seconds=600,
            fleet=FleetSettings(
                stop=False, max_concurrent_rolls=5, hold_all=HoldAll(count=3, percent=20, window_seconds=300)
            ),
            check_engine_version=True,
            notifications=NotificationSettings(url="", bearer_token_file=None, ca_file=None, timeout_seconds=10),
            facts_job=FactsJob(),
            workers=8,
            listen_address="0.0.0.0",  # noqa: S104 - the default
            listen_port=8080,
            log_format="json",
            log_level="info",
            webhook=WebhookSettings(),
        )

    def test_an_empty_one_is_fine(self, file: Path) -> None:
        file.write_text("# nothing yet\n")
        assert load(file) == load(None)

    def test_names_are_camel_case(self, file: Path) -> None:
        file.write_text("evaluationIntervalSeconds: 5\nworkers: 2\nnamespaces: [a, b]\n")
        found = load(file)
        assert (found.evaluation_interval_seconds, found.workers, found.namespaces) == (5.0, 2, ("a", "b"))

    def test_what_holds_the_fleet(self, file: Path) -> None:
        file.write_text(
            "fleet: {stop: true, maxConcurrentRolls: 2, holdAll: {count: 4, percent: 50, windowSeconds: 60}}"
        )
        found = load(file).fleet
        assert (found.rules, found.hold_all.window_seconds) == (FleetRules(True, 2, 4, 50), 60.0)  # noqa: FBT003

    def test_where_decisions_are_posted_to(self, file: Path) -> None:
        file.write_text(
            "notifications: {url: 'https://hooks.example.com/x', bearerTokenFile: /t, caFile: '', timeoutSeconds: 3}"
        )
        assert load(file).notifications == NotificationSettings(
            url="https://hooks.example.com/x", bearer_token_file=Path("/t"), ca_file=None, timeout_seconds=3
        )

    def test_an_endpoint_in_full(self, file: Path) -> None:
        file.write_text(
            """
            endpoints:
            - name: thanos
              url: https://thanos.example.com/prometheus
              scrapeIntervalSeconds: 60
              timeoutSeconds: 20
              caFile: /etc/ca.pem
              bearerTokenFile: /etc/token
              headers: {X-Scope-OrgID: tenant}
              namespaceLabel: ns
              podLabel: pod_name
              matchers: {cluster: eu}
            """
        )
        endpoint = load(file).endpoints[0]
        assert endpoint.connection == Connection(
            url="https://thanos.example.com/prometheus",
            timeout=20.0,
            ca_file=Path("/etc/ca.pem"),
            bearer_token_file=Path("/etc/token"),
            headers={"X-Scope-OrgID": "tenant"},
        )
        assert (endpoint.scope, endpoint.scrape_interval_seconds) == (Scope("ns", "pod_name", {"cluster": "eu"}), 60.0)

    def test_a_webhook_with_its_own_certificate(self, file: Path) -> None:
        file.write_text(yaml.safe_dump({"webhook": {"enabled": True, "listenPort": 9444, **OWN}}))
        assert load(file).webhook == WebhookSettings(
            enabled=True,
            listen_port=9444,
            certificate="SelfSigned",
            namespace="system",
            service_name="hook",
            configuration_name="release",
            secret_name="hook",  # noqa: S106 - a name
        )

    def test_a_webhook_with_files(self, file: Path) -> None:
        paths = {"certFile": "/tls/tls.crt", "keyFile": "/tls/tls.key"}
        file.write_text(yaml.safe_dump({"webhook": {"enabled": True, "certificate": "Files", **paths}}))
        found = load(file).webhook
        assert (found.cert_file, found.key_file) == (Path("/tls/tls.crt"), Path("/tls/tls.key"))

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("- a\n- b\n", "settings: {} must hold a mapping"),
            ("just text", "settings: {} must hold a mapping"),
            ("a: [", "settings: {} cannot be read: ParserError"),
            ("a: !!python/object:os.system {}", "settings: {} cannot be read: ConstructorError"),
            (b"\xff\xfe\x00", "settings: {} cannot be read: UnicodeDecodeError"),
        ],
    )
    def test_one_that_is_no_mapping_is_refused(self, file: Path, text: str | bytes, sentence: str) -> None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(InvalidSettings) as caught:
            load(file)
        assert str(caught.value) == sentence.format(file)

    @pytest.mark.parametrize("text", ["1: x\n", "on: true\n", "null: x\n"])
    def test_a_name_that_is_no_text_is_refused_in_one_sentence(self, file: Path, text: str) -> None:
        file.write_text(text)
        with pytest.raises(InvalidSettings, match=r"^settings: [^\n]+$"):
            load(file)

    def test_one_that_is_missing_is_named(self, file: Path) -> None:
        with pytest.raises(InvalidSettings) as caught:
            load(file)
        assert str(caught.value) == f"settings: {file} cannot be read: FileNotFoundError"


class TestFactsJob:
    def test_there_is_none_by_default(self) -> None:
        assert load(None).facts_job.options is None

    def test_in_full(self, file: Path) -> None:
        file.write_text(
            """
            factsJob:
              enabled: true
              image: registry/operator:1
              deadlineSeconds: 60
              resources: {limits: {cpu: "1"}}
            """
        )
        options = FactsJobOptions("registry/operator:1", 60, {"limits": {"cpu": "1"}})
        assert load(file).facts_job.options == options

    def test_it_has_modest_limits_unless_others_are_given(self) -> None:
        options = Settings.from_values({"factsJob": {"enabled": True, "image": "operator"}}).facts_job.options
        assert options is not None
        assert options.resources["limits"] == {"cpu": "500m", "memory": "256Mi"}

    def test_it_can_be_allowed_by_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SPECDECODE_FACTS_JOB", '{"enabled": true, "image": "operator:1"}')
        assert load(None).facts_job.enabled


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"worker": 2}, "settings: worker: Extra inputs are not permitted"),
        ({"workers": 0}, "settings: workers: Input should be greater than or equal to 1"),
        ({"workers": 65}, "settings: workers: Input should be less than or equal to 64"),
        (
            {"factsJob": {"enabled": True}},
            "settings: factsJob: Value error, factsJob.image: it must have the command specdecode; name one",
        ),
        (
            {"factsJob": {"deadlineSeconds": 5}},
            "settings: factsJob.deadlineSeconds: Input should be greater than or equal to 10",
        ),
        ({"listenPort": 70000}, "settings: listenPort: Input should be less than or equal to 65535"),
        ({"logFormat": "xml"}, "settings: logFormat: Input should be 'json' or 'console'"),
        ({"evaluationIntervalSeconds": 0}, "settings: evaluationIntervalSeconds: Input should be greater than 0"),
        ({"endpoints": [{"name": "x"}]}, "settings: endpoints.0.url: Field required"),
        (
            {"fleet": {"maxConcurrentRolls": 0}},
            "settings: fleet.maxConcurrentRolls: Input should be greater than or equal to 1",
        ),
        (
            {"fleet": {"holdAll": {"percent": 101}}},
            "settings: fleet.holdAll.percent: Input should be less than or equal to 100",
        ),
        ({"fleet": {"pause": True}}, "settings: fleet.pause: Extra inputs are not permitted"),
        (
            {"endpoints": [ENDPOINT | {"insecure": True}]},
            "settings: endpoints.0.insecure: Extra inputs are not permitted",
        ),
        (
            {"endpoints": [ENDPOINT, ENDPOINT]},
            "settings: endpoints: Value error, endpoints: two have the same name; names must differ",
        ),
        (
            {"webhook": {"enabled": True, "namespace": "system"}},
            "settings: webhook: Value error, certificate SelfSigned needs serviceName, configurationName, secretName",
        ),
        (
            {"webhook": {"enabled": True, "certificate": "Files", "certFile": "/tls.crt", **OWN}},
            "settings: webhook: Value error, certificate Files needs keyFile",
        ),
        (
            {"webhook": {"certificate": "CertManager"}},
            "settings: webhook.certificate: Input should be 'SelfSigned' or 'Files'",
        ),
        ({"webhook": {"port": 1}}, "settings: webhook.port: Extra inputs are not permitted"),
        (
            {"endpoints": [ENDPOINT | {"podLabel": 'pod"}'}]},
            "settings: endpoints.0.podLabel: String should match pattern '^[a-zA-Z_][a-zA-Z0-9_]*$'",
        ),
    ],
)
def test_what_is_wrong_is_named(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_values(values)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "url",
    [
        "http://admin:hunter2@prometheus:9090",
        "https://hunter2@prometheus",
        "prometheus:9090",
        "ftp://prometheus",
        "file:///etc/hunter2",
        "http://",
        "http://prometheus?token=hunter2",
        "http://prometheus#hunter2",
        "http://prometheus hunter2",
        "http://prometheus\n",
        "",
    ],
)
def test_an_address_that_is_no_address_or_holds_a_secret_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        Settings.from_values({"endpoints": [ENDPOINT | {"url": url}]})
    assert str(caught.value) == f"settings: endpoints.0.url: {URL_PATTERN}"
    if url:
        with pytest.raises(InvalidSettings) as caught:
            Settings.from_values({"notifications": {"url": url}})
        assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["http://prometheus:9090", "https://thanos.example.com/api/prometheus/", "http://[::1]:9090", "http://10.0.0.1"],
)
def test_addresses_that_are_fine(url: str) -> None:
    assert Settings.from_values({"endpoints": [ENDPOINT | {"url": url}]}).endpoints[0].url == url


class TestEnvironment:
    def test_it_wins_over_the_file(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text("workers: 2\nlogLevel: error\n")
        monkeypatch.setenv("SPECDECODE_WORKERS", "3")
        found = load(file)
        assert (found.workers, found.log_level) == (3, "error")

    def test_a_name_of_several_words(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SPECDECODE_EVALUATION_INTERVAL_SECONDS", "7")
        assert load(None).evaluation_interval_seconds == 7.0

    def test_a_setting_within_a_setting(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text("fleet: {maxConcurrentRolls: 2}")
        monkeypatch.setenv("SPECDECODE_FLEET__STOP", "true")
        monkeypatch.setenv("SPECDECODE_FLEET__HOLD_ALL__COUNT", "9")
        found = load(file).fleet
        assert (found.stop, found.max_concurrent_rolls, found.hold_all.count) == (True, 2, 9)

    def test_endpoints_are_json(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SPECDECODE_ENDPOINTS", '[{"name": "default", "url": "http://prometheus:9090"}]')
        assert [endpoint.url for endpoint in load(None).endpoints] == ["http://prometheus:9090"]

    def test_a_part_of_the_webhook(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file.write_text(yaml.safe_dump({"webhook": {"enabled": True, **OWN}}))
        monkeypatch.setenv("SPECDECODE_WEBHOOK__LISTEN_PORT", "9444")
        found = load(file).webhook
        assert (found.enabled, found.listen_port, found.service_name) == (True, 9444, "hook")

    def test_what_is_wrong_there_is_named_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SPECDECODE_WORKERS", "many")
        with pytest.raises(InvalidSettings, match=r"^settings: workers: Input should be a valid integer"):
            load(None)

    def test_endpoints_that_are_no_json_are_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SPECDECODE_ENDPOINTS", "[{")
        with pytest.raises(InvalidSettings, match=r"^settings: [^\n]*endpoints[^\n]*$"):
            load(None)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("WORKERS", "3"),
            ("NAMESPACES", "[]"),
            ("LOG_LEVEL", "debug"),
            ("logLevel", "debug"),
            ("SPECDECODE_LOGLEVEL", "debug"),
        ],
    )
    def test_no_other_spelling_is_read(
        self, file: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        file.write_text("workers: 5\nnamespaces: [a]\nlogLevel: error\n")
        monkeypatch.setenv(name, value)
        found = load(file)
        assert (found.workers, found.namespaces, found.log_level) == (5, ("a",), "error")
