"""What a replay looks like as text, as JSON and as a page."""

import json
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from specdecode_operator.policy import Finding
from specdecode_operator.replay import Evaluation, Replay
from specdecode_operator.replay.document import document
from specdecode_operator.replay.page import to_html
from specdecode_operator.replay.text import duration, share, to_text
from support.builders import TPOT
from support.past_prometheus import Past
from support.recordings import AFTER, POLICY, at, falling, pod, replayed

GOLDEN = Path(__file__).parent / "golden"
VOID = {"meta", "br"}


def rolled() -> Replay:
    """Return a replay of a roll that was followed and taken back, and of a time without scrapes."""
    past = Past(
        [pod(gone=12), pod(AFTER, 11, speculating=False, silent=(at(26), at(28)))],
        acceptance=falling(10),
        slow=lambda moment: 0.4 if at(11) <= moment < at(22) else 0.001,
    )
    return replayed(past)


@pytest.fixture(scope="module")
def found() -> Replay:
    return rolled()


class TestText:
    def test_the_whole_of_it(self, found: Replay) -> None:
        assert to_text(found) + "\n" == (GOLDEN / "replay.txt").read_text()

    @pytest.mark.parametrize(
        ("seconds", "expected"), [(0, "0s"), (45, "45s"), (60, "1m"), (330, "5m 30s"), (3900, "1h 5m"), (90_000, "25h")]
    )
    def test_durations(self, seconds: float, expected: str) -> None:
        assert duration(seconds) == expected

    @pytest.mark.parametrize(("value", "expected"), [(0.0, "0 %"), (1.0, "100 %"), (0.12345, "12.3 %")])
    def test_shares(self, value: float, expected: str) -> None:
        assert share(value) == expected


class TestDocument:
    def test_all_but_the_evaluations(self, found: Replay) -> None:
        body = json.loads(json.dumps(document(found), allow_nan=False))
        evaluations = body.pop("evaluations")
        assert len(evaluations) == body["summary"]["evaluations"]
        assert body == json.loads((GOLDEN / "replay.json").read_text())

    def test_an_evaluation(self, found: Replay) -> None:
        evaluations = {datetime.fromisoformat(one["at"]): one for one in document(found)["evaluations"]}
        assert evaluations[at(10.25)] == {
            "at": "2026-03-01T12:10:15Z",
            "variant": "primary",
            "verdict": "Breach",
            "hold": None,
            "signals": [
                _figures("Acceptance", "Breach", "AcceptanceBelowThreshold", 0.3, 0.5, 1000.0),
                _figures("TpotP99", "Recovered", "WellWithinBudget", 0.001, 0.02, 1000.0),
            ],
        }

    def test_what_is_no_number_is_null(self, found: Replay) -> None:
        evaluations = {datetime.fromisoformat(one["at"]): one for one in document(found)["evaluations"]}
        assert evaluations[at(10.5)]["signals"] == [
            _figures("Acceptance", "NotApplicable", "SpeculationOff", None, None, 0.0),
            _figures("TpotP99", "Insufficient", "NoReadyPods", None, None, 0.0),
        ]


def _figures(
    name: str, verdict: str, reason: str, value: float | None, line: float | None, samples: float
) -> dict[str, Any]:
    """Return the figures of a signal that are the same in both windows, without the last digits of floats."""
    return {
        "signal": name,
        "verdict": verdict,
        "reason": reason,
        "short": value if value is None else pytest.approx(value),
        "long": value if value is None else pytest.approx(value),
        "lineShort": line,
        "lineLong": line,
        "samplesShort": samples,
        "samplesLong": samples,
    }


def _wavering(evaluation: Evaluation, index: int) -> tuple[Finding, ...]:
    return tuple(replace(one, short=0.5 + index % 7 / 100, long=0.5 + index % 11 / 100) for one in evaluation.findings)


class Balance(HTMLParser):
    """Checks that every element is closed in its order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        assert not any(name in ("src", "href", "onload") for name, _ in attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


class TestPage:
    def test_it_is_whole_and_needs_nothing_else(self, found: Replay) -> None:
        page = to_html(found)
        balance = Balance(page)
        assert balance.open == []
        assert balance.seen.count("svg") == 2
        assert not {"script", "link", "img", "iframe"} & set(balance.seen)
        assert not re.search(r"https?://|url\(|@import", page)

    def test_it_is_readable_in_the_dark_too(self, found: Replay) -> None:
        light, dark = re.findall(r":root \{(.*?)\}", to_html(found), re.DOTALL)
        names = [set(re.findall(r"--[a-z-]+(?=:)", block)) for block in (light, dark)]
        assert names[0] == names[1]
        assert set(re.findall(r"var\((--[a-z-]+)\)", to_html(found))) == names[0]

    def test_the_pictures_are_sound_xml(self, found: Replay) -> None:
        for picture in re.findall(r"<svg.*?</svg>", to_html(found), re.DOTALL):
            ET.fromstring(picture)  # noqa: S314 - our own

    def test_decisions_are_marked_and_listed(self, found: Replay) -> None:
        page = to_html(found)
        assert len(found.decisions) == 2
        assert page.count('<g class="decision">') == 4
        for decision in found.decisions:
            assert f"<td>{decision.from_variant}</td><td>{decision.to_variant}</td>" in page

    def test_spans_are_shaded(self, found: Replay) -> None:
        page = to_html(found)
        assert [page.count(f'<rect class="{name}"') for name in ("breach", "unknown", "insufficient")] == [2, 1, 1]

    def test_text_cannot_break_out(self, found: Replay) -> None:
        page = to_html(replace(found, name="<b>", remarks=("<script>",)))
        assert "<b>" not in page
        assert "<script>" not in page

    def test_without_a_decision(self) -> None:
        page = to_html(replayed(Past([pod()]), 5))
        assert Balance(page).open == []
        assert "<p>None.</p>" in page

    def test_of_one_evaluation(self) -> None:
        assert Balance(to_html(replayed(Past([pod()]), 0))).open == []

    def test_where_no_signal_applies(self) -> None:
        page = to_html(replayed(Past([pod(AFTER, speculating=False)]), 5, policy=POLICY | {"objectives": []}))
        assert Balance(page).open == []
        assert "<polyline" not in page

    def test_two_days_stay_small(self, found: Replay) -> None:
        template = found.evaluations[0]
        days = [replace(template, at=at(index / 4), findings=_wavering(template, index)) for index in range(11_520)]
        assert len(to_html(replace(found, evaluations=tuple(days), timeline=()))) < 150_000

    def test_a_line_that_moves_with_the_load(self) -> None:
        costs = [{"concurrency": 1, "target": "10ms", "speculative": "13ms"}]
        policy = POLICY | {"acceptance": {"rule": "BreakEven", "stepCosts": costs}}
        page = to_html(replayed(Past([pod()]), 5, policy=policy))
        assert page.count('<polyline class="threshold"') == 1
        assert Balance(page).seen.count("svg") == 2

    def test_without_an_acceptance_threshold(self) -> None:
        policy = POLICY | {"acceptance": {"disableBelowPercent": 0}, "objectives": [TPOT]}
        assert Balance(to_html(replayed(Past([pod()]), 5, policy=policy))).seen.count("svg") == 1
