"""Signals with `dryRun`: written down once a day, never acted upon, in nobody's way."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from specdecode_operator.api.v1alpha1 import Decision, Outcome
from specdecode_operator.policy import Finding, Judgement, Note, Severity, Situation, Verdict, decide, notes, signals
from specdecode_operator.policy.brakes.rehearsal import REPEATED_AFTER
from support.builders import (
    ACCEPTANCE,
    ENFORCE,
    LATENCY,
    NOW,
    blocked,
    decision,
    finding,
    judgement,
    operation,
    recorded,
    rung,
    running,
    situation,
    spec_of,
    stamp,
    status_of,
)

SPEC = spec_of(**ENFORCE)
DRY = replace(ACCEPTANCE, dry_run=True)
LOW = finding(Verdict.BREACH, DRY)
SLOW = finding(Verdict.BREACH, LATENCY)


def judged(*acting: Finding, dry: Finding = LOW, confirmed: bool = True) -> Judgement:
    """Return a judgement of signals that count and of one that does not."""
    found = Judgement(rung(SPEC).hash, acting, dry=(dry,))
    names = {one.signal.name for one in acting if one.verdict is Verdict.BREACH}
    again = frozenset({dry.signal.name}) if confirmed else frozenset()
    return replace(found, repeated=frozenset(names), dry_repeated=again)


def dry(*acting: Finding, **changes: Any) -> Situation:
    return situation(SPEC, **({"judgement": judged(*acting)} | changes))


def written(found: Situation) -> list[tuple[str | None, str, bool | None]]:
    return [(one.signal, one.outcome, one.dry_run) for one in decide(found).decisions]


OBSERVED = ("Acceptance", "Observed", True)


def test_the_spec_says_which_signals_are_only_written_down() -> None:
    objectives = [{"metric": "Tpot", "threshold": "50ms"}, {"metric": "Ttft", "threshold": "1s", "dryRun": True}]
    spec = spec_of(policy={"acceptance": {"dryRun": True}, "objectives": objectives})
    assert [(one.name, one.dry_run) for one in signals(spec)] == [
        ("Acceptance", True),
        ("TpotP99", False),
        ("TtftP99", True),
    ]


class TestWritten:
    def test_what_would_be_done_is_written_down_and_not_done(self) -> None:
        plan = decide(dry(finding(Verdict.HEALTHY, LATENCY)))
        [found] = plan.decisions
        assert found == decision(found.id, at=stamp(NOW), outcome=Outcome.OBSERVED, dry_run=True)
        assert (plan.variant, plan.operation, plan.actions) == (rung(SPEC), None, ())

    def test_once_a_day(self) -> None:
        first = dry()
        again = replace(first, status=recorded(first))
        moments = (timedelta(hours=1), REPEATED_AFTER - timedelta(seconds=1), REPEATED_AFTER)
        assert [len(decide(replace(again, now=NOW + later)).decisions) for later in moments] == [1, 1, 2]

    def test_with_another_threshold_it_is_another_question(self) -> None:
        first = dry()
        lower = replace(DRY, threshold=0.4)
        later = replace(first, status=recorded(first), judgement=judged(dry=finding(Verdict.BREACH, lower)))
        assert written(later) == [OBSERVED, OBSERVED]

    @pytest.mark.parametrize(
        "changes",
        [
            {"judgement": judged(confirmed=False)},
            {"judgement": judged(dry=finding(Verdict.HEALTHY, DRY))},
            {"judgement": judged(dry=finding(Verdict.UNKNOWN, DRY))},
            {"judgement": replace(judged(), variant_hash="another")},
            {"judgement": None},
            {"cluster": running(SPEC, updated=0)},
            {"status": status_of(SPEC, blocked=[blocked(SPEC, "no-speculation")])},
        ],
    )
    def test_not_without_a_confirmed_breach_steady_pods_and_a_rung(self, changes: dict[str, Any]) -> None:
        assert written(dry(**changes)) == []

    def test_not_while_a_roll_is_under_way(self) -> None:
        rolling = operation(to_variant="primary", from_variant="no-speculation")
        assert written(dry(status=status_of(SPEC, operation=rolling))) == []

    def test_the_event_says_that_it_is_a_dry_run(self) -> None:
        before = dry()
        assert notes(before.status, recorded(before), ("prod", "chat"))[0] == Note(
            Severity.WARNING,
            "RemediationSuggested",
            "without dryRun of the signal, the operator would roll primary to no-speculation: Acceptance 30% / 40%"
            " over 5m / 30m (300 / 900 requests) is below 50% of the draft tokens accepted",
        )


class TestBeside:
    def test_a_breach_that_counts_is_acted_upon(self) -> None:
        plan = decide(dry(SLOW))
        assert (plan.variant.name, plan.operation and plan.operation.trigger) == ("no-speculation", "Latency")
        assert [(one.signal, one.outcome) for one in plan.decisions] == [
            ("Acceptance", "Observed"),
            ("TpotP99", "Started"),
        ]
        assert len({one.id for one in plan.decisions}) == 2

    def test_one_that_is_unknown_holds_nobody(self) -> None:
        unknown = judged(SLOW, dry=finding(Verdict.UNKNOWN, DRY))
        assert decide(dry(judgement=unknown)).variant.name == "no-speculation"

    def test_a_breach_that_was_found_once_is_not_confirmed_by_it(self) -> None:
        once = replace(judged(SLOW), repeated=frozenset())
        plan = decide(dry(judgement=once))
        assert (plan.variant.name, plan.hold and plan.hold.reason) == ("primary", "BreachUnconfirmed")

    def test_the_objectives_are_met_without_it(self) -> None:
        before = dry(finding(Verdict.HEALTHY, LATENCY))
        found = recorded(before).condition("ObjectivesMet")
        assert found is not None
        assert found.status == "True"

    def test_in_mode_observe_both_are_written_down(self) -> None:
        spec = spec_of()
        found = situation(spec, judgement=judged(SLOW))
        assert [(one.signal, one.dry_run) for one in decide(found).decisions] == [
            ("Acceptance", True),
            ("TpotP99", None),
        ]


def test_a_decision_that_is_read_again_says_so_still() -> None:
    stored = decision(dry_run=True).model_dump(mode="json", by_alias=True, exclude_none=True)
    assert (stored["dryRun"], Decision.model_validate(stored).dry_run) == (True, True)


def test_a_signal_that_counts_is_none() -> None:
    assert judgement(rung(SPEC)).dry_breaches() == ()
