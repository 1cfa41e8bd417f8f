"""Logs: one JSON object a line, on standard error."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from specdecode_operator.controller import Settings, configure


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_our_messages_are_objects(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings())
    structlog.get_logger("test").warning("prometheus gives no usable answer", endpoint="default")
    found = json.loads(capsys.readouterr().err)
    assert found.pop("timestamp").endswith("Z")
    assert found == {
        "event": "prometheus gives no usable answer",
        "endpoint": "default",
        "level": "warning",
        "logger": "test",
    }


def test_those_of_libraries_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings())
    logging.getLogger("kopf.objects").error("lost %s", "the watch")
    found = json.loads(capsys.readouterr().err)
    assert (found["event"], found["level"], found["logger"]) == ("lost the watch", "error", "kopf.objects")


def test_a_fault_is_shown_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings())
    try:
        raise ZeroDivisionError  # noqa: TRY301 - any fault
    except ZeroDivisionError:
        structlog.get_logger("test").exception("reconcile failed")
    assert "ZeroDivisionError" in json.loads(capsys.readouterr().err)["exception"]


@pytest.mark.parametrize(("level", "lines"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_less_severe_lines_are_left_out(capsys: pytest.CaptureFixture[str], level: str, lines: int) -> None:
    configure(Settings.from_values({"logLevel": level}))
    logger = structlog.get_logger("test")
    for severity in ("debug", "info", "warning", "error"):
        getattr(logger, severity)("x")
    assert len(capsys.readouterr().err.splitlines()) == lines


@pytest.mark.parametrize("library", ["kopf", "aiohttp", "urllib3", "kubernetes", "prometheus_api_client"])
def test_libraries_are_quiet_even_in_debug(capsys: pytest.CaptureFixture[str], library: str) -> None:
    configure(Settings.from_values({"logLevel": "debug"}))
    logging.getLogger(library).info("a token perhaps")
    assert capsys.readouterr().err == ""


def test_people_may_have_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    configure(Settings.from_values({"logFormat": "console"}))
    structlog.get_logger("test").info("started")
    found = capsys.readouterr().err
    assert ("started" in found, found.startswith("{")) == (True, False)
