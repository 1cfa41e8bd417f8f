"""Which variant is active before anything is decided, and what became of the roll in flight."""

from dataclasses import replace
from typing import Any, ClassVar

import pytest

from specdecode_operator.api.v1alpha1 import Frozen, Outcome, Phase, Status
from specdecode_operator.policy import ClusterState, Situation, decide
from specdecode_operator.policy.standing import Standing, stand
from support.builders import (
    NOW,
    blocked,
    decision,
    operation,
    rung,
    running,
    situation,
    spec_of,
    stamp,
    status_of,
    verifying,
)

FP8 = {"name": "fp8", "triggers": ["Latency"], "model": {"quantization": "fp8"}}
SPEC = spec_of(fallbacks=[FP8], policy={"mode": "Enforce"})
CHANGED = spec_of(fallbacks=[FP8], policy={"mode": "Enforce"}, engine={"maxNumSeqs": 64})
"""The same resource after a change that every variant sees."""

ROLL = operation()
STARTED = decision(outcome=Outcome.STARTED)


def rolling(spec: Any = SPEC, **changes: Any) -> Situation:
    """A roll of our own is under way: recorded, and not carried out yet."""
    status = status_of(SPEC, "no-speculation", operation=ROLL, decisions=[STARTED])
    base: dict[str, Any] = {"status": status, "cluster": running(SPEC), "judgement": None}
    return situation(spec, **(base | changes))


class TestActiveVariant:
    @pytest.mark.parametrize("name", ["primary", "fp8", "no-speculation"])
    def test_it_is_the_one_of_the_status(self, name: str) -> None:
        assert stand(situation(SPEC, name)).variant == rung(SPEC, name)

    def test_nothing_known_starts_with_the_primary(self) -> None:
        found = situation(SPEC, status=Status(), cluster=ClusterState())
        assert stand(found) == Standing(rung(SPEC), None, ())

    def test_a_changed_primary_starts_the_ladder_anew(self) -> None:
        found = situation(CHANGED, status=status_of(SPEC, "no-speculation"))
        assert stand(found).variant == rung(CHANGED)

    def test_a_changed_policy_or_size_leaves_the_rung(self) -> None:
        other = spec_of(fallbacks=[FP8], replicas=5, suspend=True)
        assert stand(situation(other, status=status_of(SPEC, "fp8"))).variant == rung(other, "fp8")

    def test_a_rung_that_is_gone_from_the_ladder_falls_back_to_the_primary(self) -> None:
        without = spec_of(policy={"mode": "Enforce"})
        assert stand(situation(without, status=status_of(SPEC, "fp8"))).variant == rung(without)

    def test_a_changed_fallback_stays_active_with_its_new_configuration(self) -> None:
        other = spec_of(fallbacks=[FP8 | {"model": {"quantization": "awq"}}], policy={"mode": "Enforce"})
        assert stand(situation(other, status=status_of(SPEC, "fp8"))).variant == rung(other, "fp8")


class TestLostStatus:
    def test_the_variant_is_adopted_from_the_deployment(self) -> None:
        found = situation(SPEC, status=Status(), cluster=running(SPEC, "no-speculation"))
        assert stand(found).variant == rung(SPEC, "no-speculation")

    def test_adoption_changes_nothing_that_runs(self) -> None:
        found = situation(SPEC, status=Status(), cluster=running(SPEC, "fp8"), judgement=None)
        plan = decide(found)
        assert (plan.variant, plan.operation, plan.decisions) == (rung(SPEC, "fp8"), None, ())

    def test_a_deployment_of_another_primary_is_not_adopted(self) -> None:
        found = situation(CHANGED, status=Status(), cluster=running(SPEC, "no-speculation"))
        assert stand(found).variant == rung(CHANGED)

    @pytest.mark.parametrize(
        "labels",
        [{"variant": "unheard-of"}, {"variant": None}, {"primary_hash": None}, {"variant": None, "primary_hash": None}],
    )
    def test_labels_that_say_nothing_start_with_the_primary(self, labels: dict[str, Any]) -> None:
        cluster = replace(running(SPEC, "fp8"), **labels)
        assert stand(situation(SPEC, status=Status(), cluster=cluster)).variant == rung(SPEC)


class TestOperation:
    def test_it_goes_on_until_every_pod_is_rolled(self) -> None:
        half = running(SPEC, "no-speculation", updated=0, ready=1)
        for cluster in (running(SPEC), half):
            found = stand(rolling(cluster=cluster))
            assert found == Standing(rung(SPEC, "no-speculation"), ROLL, (STARTED,))

    def test_it_is_completed_and_verified_from_then_on_when_every_pod_is_rolled(self) -> None:
        found = stand(rolling(cluster=running(SPEC, "no-speculation")))
        begun = ROLL.model_copy(update={"phase": Phase.VERIFYING, "rolled_at": stamp(NOW)})
        assert found == Standing(rung(SPEC, "no-speculation"), begun, (decision(outcome=Outcome.COMPLETED),))

    @pytest.mark.parametrize("trigger", ["Startup", "Revert"])
    def test_one_that_had_only_to_become_ready_is_over_then(self, trigger: str) -> None:
        roll = ROLL.model_copy(update={"trigger": trigger})
        status = status_of(SPEC, "no-speculation", operation=roll, decisions=[STARTED])
        found = stand(rolling(status=status, cluster=running(SPEC, "no-speculation")))
        assert (found.operation, found.decisions) == (None, (decision(outcome=Outcome.COMPLETED),))

    def test_a_change_of_the_spec_supersedes_the_verification_too(self) -> None:
        status = status_of(SPEC, "no-speculation", operation=verifying(), decisions=[decision()])
        found = stand(rolling(CHANGED, status=status))
        assert found == Standing(rung(CHANGED), None, (decision(outcome=Outcome.SUPERSEDED),))

    def test_a_change_of_the_spec_supersedes_it(self) -> None:
        found = stand(rolling(CHANGED))
        assert found == Standing(rung(CHANGED), None, (decision(outcome=Outcome.SUPERSEDED),))

    def test_a_change_of_its_own_rung_supersedes_it(self) -> None:
        roll = ROLL.model_copy(update={"to_variant": "fp8"})
        status = status_of(SPEC, "fp8", operation=roll, decisions=[STARTED])
        other = spec_of(fallbacks=[FP8 | {"model": {"quantization": "awq"}}], policy={"mode": "Enforce"})
        found = stand(situation(other, status=status, cluster=running(SPEC)))
        assert (found.variant, found.operation) == (rung(other, "fp8"), None)
        assert found.decisions[0].outcome is Outcome.SUPERSEDED

    def test_a_change_of_policy_or_size_leaves_it(self) -> None:
        other = spec_of(fallbacks=[FP8], replicas=3, suspend=True)
        assert stand(rolling(other)).operation == ROLL

    def test_only_its_own_decision_is_closed(self) -> None:
        older = decision("d0", outcome=Outcome.STARTED)
        status = status_of(SPEC, "no-speculation", operation=ROLL, decisions=[older, STARTED])
        found = stand(rolling(status=status, cluster=running(SPEC, "no-speculation")))
        assert [entry.outcome for entry in found.decisions] == [Outcome.STARTED, Outcome.COMPLETED]

    def test_one_whose_decision_is_no_longer_kept_is_closed_all_the_same(self) -> None:
        status = status_of(SPEC, "no-speculation", operation=ROLL, decisions=[decision("other")])
        found = stand(rolling(CHANGED, status=status))
        assert (found.operation, found.decisions) == (None, (decision("other"),))

    def test_a_resource_without_one_stands_as_it_is(self) -> None:
        status = status_of(SPEC, "fp8", decisions=[decision()])
        assert stand(situation(SPEC, status=status)) == Standing(rung(SPEC, "fp8"), None, (decision(),))


class TestMemory:
    """What earlier failures forbid."""

    ICE = Frozen(id="f1", reason="SecondReversal", since="2026-03-01T11:00:00Z")
    KEPT: ClassVar[dict[str, Any]] = {"frozen": ICE, "blocked": [blocked(SPEC, "fp8")], "reversals": 2}

    def test_it_is_kept(self) -> None:
        found = stand(situation(SPEC, status=status_of(SPEC, **self.KEPT)))
        assert (found.frozen, found.blocked, found.reversals) == (self.ICE, (blocked(SPEC, "fp8"),), 2)

    def test_a_changed_primary_forgets_it(self) -> None:
        found = stand(situation(CHANGED, status=status_of(SPEC, **self.KEPT)))
        assert (found.frozen, found.blocked, found.reversals) == (None, (), 0)

    def test_a_changed_policy_or_size_does_not(self) -> None:
        other = spec_of(fallbacks=[FP8], replicas=5)
        assert stand(situation(other, status=status_of(SPEC, **self.KEPT))).frozen == self.ICE

    def test_the_annotation_thaws_and_what_was_taken_back_stays_blocked(self) -> None:
        found = stand(situation(SPEC, status=status_of(SPEC, **self.KEPT), unfreeze="f1"))
        assert (found.frozen, found.blocked, found.reversals) == (None, (blocked(SPEC, "fp8"),), 0)

    @pytest.mark.parametrize("text", [None, "", "f0", "F1", "f1 "])
    def test_any_other_text_does_not(self, text: str | None) -> None:
        assert stand(situation(SPEC, status=status_of(SPEC, **self.KEPT), unfreeze=text)).frozen == self.ICE

    def test_an_annotation_of_an_earlier_freeze_means_nothing_when_nothing_is_frozen(self) -> None:
        status = status_of(SPEC, reversals=1)
        assert stand(situation(SPEC, status=status, unfreeze="f1")).reversals == 1
