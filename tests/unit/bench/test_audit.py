"""The audit log, as it grows."""

import json
from pathlib import Path

from bench.audit import Follower, Request, requests


def line(name: str, stage: str = "ResponseComplete") -> str:
    entry = {
        "stage": stage,
        "verb": "patch",
        "objectRef": {"resource": "deployments", "namespace": "bench", "name": name},
        "userAgent": "operator",
        "requestReceivedTimestamp": "2026-03-01T12:00:00.000000Z",
        "stageTimestamp": "2026-03-01T12:00:01.500000Z",
        "responseStatus": {"code": 201},
    }
    return json.dumps(entry) + "\n"


def names(found: list[Request]) -> list[str]:
    return [request.name for request in found]


def test_a_request_is_read_with_its_times(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(line("a"))
    (found,) = requests(tmp_path / "log")
    assert (found.verb, found.resource, found.subresource, found.agent) == ("patch", "deployments", "", "operator")
    assert ((found.finished - found.received).total_seconds(), found.status) == (1.5, 201)


def test_only_what_is_answered_counts(tmp_path: Path) -> None:
    no_object = json.dumps({"stage": "ResponseComplete", "verb": "get"}) + "\n"
    (tmp_path / "log").write_text(line("a", "ResponseStarted") + no_object + line("b"))
    assert names(list(requests(tmp_path / "log"))) == ["b"]


def test_each_request_is_given_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(line("a"))
    follower = Follower(log)
    assert names(list(follower.new())) == ["a"]
    assert names(list(follower.new())) == []
    with log.open("a") as more:
        more.write(line("b") + line("c"))
    assert names(list(follower.new())) == ["b", "c"]


def test_a_line_that_is_being_written_waits_for_its_end(tmp_path: Path) -> None:
    log, (head, tail) = tmp_path / "log", (line("a")[:40], line("a")[40:])
    log.write_text(head)
    follower = Follower(log)
    assert names(list(follower.new())) == []
    with log.open("a") as more:
        more.write(tail)
    assert names(list(follower.new())) == ["a"]
