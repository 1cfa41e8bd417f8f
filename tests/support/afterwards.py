"""What the product's own replay says of a story that has just been played."""

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from devcluster import prometheus
from specdecode_operator.cli import main
from support import stage
from support.observation import Watched

Route = tuple[str, str, str]


def route(decision: dict[str, Any]) -> Route:
    """Return from where to where a decision led, and why."""
    return decision["from"], decision["to"], decision["trigger"]


def replayed(watched: Watched, folder: Path) -> list[Route]:
    """Record the life of a resource from the real Prometheus, replay it, and return the decisions."""
    live = stage.read("sdd", watched.name, f"--namespace={watched.namespace}")
    spec, data = folder / "spec.yaml", str(folder / "data")
    spec.write_text(json.dumps(live))
    endpoint = ("--prometheus", prometheus.URL, "--scrape-interval", "2s", "--step", "5s")
    times = ("--from", live["metadata"]["creationTimestamp"])
    _call("record", "--spec", str(spec), *endpoint, *times, data)
    found = json.loads(_call("replay", "--spec", str(spec), "--data", data, "--output", "json"))
    return [route(decision) for decision in found["decisions"]]


def _call(*words: str) -> str:
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    return result.stdout
