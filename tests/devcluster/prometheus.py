"""A real Prometheus that scrapes the pods that ask for it, and can be stopped and started alone."""

from pathlib import Path
from typing import Any

import httpx
import yaml

from devcluster import network
from devcluster.binaries import binary
from devcluster.paths import kubeconfig, run_directory
from devcluster.probes import answers
from devcluster.processes import Daemon

NAME = "prometheus"
URL = f"http://{network.GATEWAY}:9090"
"""The same from this machine and from every pod."""
SCRAPE_INTERVAL = "2s"
ANNOTATION = "__meta_kubernetes_pod_annotation_prometheus_io"


def directory() -> Path:
    """Where Prometheus keeps everything."""
    return run_directory() / "prometheus"


def start() -> None:
    """Start Prometheus and return when it answers; one that runs already is left alone.

    What it knew before an earlier `stop` it knows again.

    Raises:
        NotReadyError: it does not answer within a minute.

    """
    daemon = _daemon()
    if not daemon.is_running():
        directory().mkdir(parents=True, exist_ok=True)
        _configuration_file().write_text(yaml.safe_dump(_configuration(), sort_keys=False))
        daemon.start(lambda: answers(f"{URL}/-/ready"))


def stop() -> None:
    """Stop Prometheus; its data stay until the cluster is removed."""
    Daemon(NAME, directory()).stop()


def is_ready() -> bool:
    """Tell whether Prometheus answers."""
    return answers(f"{URL}/-/ready")


def targets() -> dict[str, str]:
    """What Prometheus scrapes: the health (`up`, `down` or `unknown`) of each pod by `NAMESPACE/POD`.

    Raises:
        httpx.HTTPError: Prometheus does not answer.

    """
    found = _api("/api/v1/targets?state=active")["activeTargets"]
    return {f"{target['labels']['namespace']}/{target['labels']['pod']}": target["health"] for target in found}


def query(expression: str) -> list[dict[str, Any]]:
    """The series of an instant query, each with its `metric` and its `value`.

    Raises:
        httpx.HTTPError: Prometheus does not answer, or does not understand the expression.

    """
    result: list[dict[str, Any]] = _api("/api/v1/query", query=expression)["result"]
    return result


def query_range(expression: str, start: float, end: float, step: float) -> list[tuple[float, float]]:
    """The points of a range query with one series: seconds of the epoch and value; none where there is no series.

    Raises:
        httpx.HTTPError: Prometheus does not answer, or does not understand the expression.

    """
    span = {"start": str(start), "end": str(end), "step": str(step)}
    result = _api("/api/v1/query_range", query=expression, **span)["result"]
    return [(float(at), float(value)) for at, value in result[0]["values"]] if result else []


def _api(path: str, **parameters: str) -> dict[str, Any]:
    response = httpx.get(URL + path, params=parameters or None, trust_env=False)
    data: dict[str, Any] = response.raise_for_status().json()["data"]
    return data


def _configuration_file() -> Path:
    return directory() / "prometheus.yaml"


def _daemon() -> Daemon:
    flags = (
        f"--config.file={_configuration_file()}",
        f"--storage.tsdb.path={directory() / 'data'}",
        f"--web.listen-address={URL.removeprefix('http://')}",
    )
    return Daemon(NAME, directory(), (str(binary(NAME)), *flags))


def _configuration() -> dict[str, Any]:
    pods = {
        "job_name": "pods",
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": str(kubeconfig())}],
        "relabel_configs": _relabelling(),
    }
    return {
        "global": {"scrape_interval": SCRAPE_INTERVAL, "scrape_timeout": SCRAPE_INTERVAL},
        "scrape_configs": [pods],
    }


def _relabelling() -> list[dict[str, Any]]:
    """Keep running pods with `prometheus.io/scrape: "true"`, one target each where a port is annotated."""
    return [
        {"source_labels": [f"{ANNOTATION}_scrape"], "regex": "true", "action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_phase"], "regex": "Running", "action": "keep"},
        {"source_labels": ["__meta_kubernetes_pod_container_init"], "regex": "true", "action": "drop"},
        {"source_labels": [f"{ANNOTATION}_path"], "regex": "(.+)", "target_label": "__metrics_path__"},
        {
            "source_labels": ["__meta_kubernetes_pod_ip", f"{ANNOTATION}_port"],
            "regex": r"(.+);(\d+)",
            "replacement": "$1:$2",
            "target_label": "__address__",
        },
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
    ]
