"""The ordered checks between a breach and an action; the first that objects wins.

Each is pure and small, after cert-manager's policy chain. `CHAIN` is the order, and the order matters: what is unknown
holds before anything is concluded, and a breach that is not acted upon names the brake that held it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from specdecode_operator.api.names import PIN_ANNOTATION
from specdecode_operator.api.v1alpha1 import Pin
from specdecode_operator.policy.brakes.budget import last, spent
from specdecode_operator.policy.brakes.windows import next_opening, open_now
from specdecode_operator.policy.judging.verdicts import Finding, Verdict, overall
from specdecode_operator.policy.ladder import Variant
from specdecode_operator.policy.record import timestamp
from specdecode_operator.policy.situation import Judgement, Situation
from specdecode_operator.policy.standing import Standing
from specdecode_operator.policy.trials.probe import headroom, next_probe, probed

__all__ = ["BRAKES", "CHAIN", "PROBE_CHAIN", "Case", "Hold", "first_objection", "frozen", "halted", "held", "suspended"]


@dataclass(frozen=True)
class Hold:
    """Why nothing is done."""

    reason: str
    message: str
    until: datetime | None = field(default=None, compare=False)
    """When it ends by itself, where that is known."""


@dataclass(frozen=True)
class Case:
    """What the checks look at."""

    situation: Situation
    standing: Standing

    @property
    def judgement(self) -> Judgement | None:
        """The last evaluation, if it was of the active variant."""
        return self.situation.judged(self.standing.variant.hash)

    @property
    def breach(self) -> Finding | None:
        """The first signal in breach."""
        findings = self.judgement.findings if self.judgement else ()
        return next((finding for finding in findings if finding.verdict is Verdict.BREACH), None)

    @property
    def next_rung(self) -> tuple[Finding, Variant] | None:
        """The first signal that was twice in breach and has a rung left, and that rung."""
        for finding in self.judgement.breaches() if self.judgement else ():
            trigger = finding.signal.trigger
            blocked = self.standing.blocked_hashes(trigger)
            rung = self.situation.ladder.after(self.standing.variant, trigger, blocked)
            if rung is not None:
                return finding, rung
        return None


Check = Callable[[Case], Hold | None]


def not_evaluated(case: Case) -> Hold | None:
    """Nothing is known about this variant yet."""
    return Hold("NotEvaluated", "no evaluation of this variant yet") if case.judgement is None else None


def unknown(case: Case) -> Hold | None:
    """Metrics that cannot be trusted hold everything."""
    if case.judgement is not None and overall(case.judgement.findings) is Verdict.UNKNOWN:
        return Hold("MetricsUnknown", "the metrics cannot be trusted, so nothing is decided on them")
    return None


def no_breach(case: Case) -> Hold | None:
    """No signal is in breach."""
    return Hold("NoBreach", "no signal is in breach") if case.breach is None else None


def unconfirmed(case: Case) -> Hold | None:
    """One evaluation alone proves nothing."""
    if case.judgement is not None and not case.judgement.confirmed:
        return Hold("BreachUnconfirmed", "the breach must be found in two evaluations")
    return None


def frozen(case: Case) -> Hold | None:
    """A person has to say that the operator shall go on."""
    if case.standing.frozen is None:
        return None
    return Hold("Frozen", "two rolls of the operator failed; a person has to unfreeze the resource")


def suspended(case: Case) -> Hold | None:
    """The user stopped actions."""
    if case.situation.spec.suspend:
        return Hold("Suspended", "spec.suspend is true; set it to false to let the operator act")
    return None


def pinned(case: Case) -> Hold | None:
    """A person holds the variant."""
    return None if case.standing.pin is None else held(case.standing.pin)


def held(pin: Pin) -> Hold:
    """Return what a pin says to every action."""
    end = "the annotation goes" if pin.until is None else pin.until
    return Hold("Pinned", f"{PIN_ANNOTATION} holds {pin.variant} until {end}; the operator takes no action of its own")


def fleet_stopped(case: Case) -> Hold | None:
    """An administrator stopped all actions."""
    if case.situation.fleet.stopped:
        return Hold("FleetStopped", "fleet.stop of the operator's settings is true; no resource is acted upon")
    return None


def halted(case: Case) -> Hold | None:
    """What holds even the reversal of a failed roll: a stop of the user's or of the administrator's."""
    return suspended(case) or fleet_stopped(case)


def rolling(case: Case) -> Hold | None:
    """Never during a rollout, a resize or a roll of our own."""
    if case.situation.cluster.rolled_out(case.standing.variant.hash):
        return None
    return Hold("RolloutInProgress", "pods are being rolled or are not all ready")


def verifying(case: Case) -> Hold | None:
    """The last roll has to prove itself first."""
    if case.standing.operation is None:
        return None
    return Hold("Verifying", "the last roll of the operator is being verified")


def exhausted(case: Case) -> Hold | None:
    """No rung is left that names a trigger in breach."""
    if case.next_rung is not None:
        return None
    message = "no fallback below the active variant names the trigger and is not blocked; a person has to decide"
    return Hold("LadderExhausted", message)


def cooling_down(case: Case) -> Hold | None:
    """The last action of the operator is too recent."""
    at, cooldown = _last_action(case.standing), case.situation.spec.policy.budget.cooldown
    until = None if at is None else at + timedelta(seconds=cooldown.seconds)
    if until is None or case.situation.now >= until:
        return None
    return Hold("CoolingDown", f"less than policy.budget.cooldown ({cooldown}) since the last action", until)


def _last_action(standing: Standing) -> datetime | None:
    """Return when the last action began, or its trial ended."""
    trials = (datetime.fromisoformat(one.concluded_at) for one in standing.decisions if one.concluded_at is not None)
    return max((at for at in (last(standing.actions), *trials) if at is not None), default=None)


def budget_spent(case: Case) -> Hold | None:
    """The operator has acted as often as it may."""
    found = spent(case.situation.spec.policy.budget.limits, case.standing.actions, case.situation.now)
    if found is None:
        return None
    limit, from_then = found.limit, timestamp(found.free_at)
    message = f"policy.budget.limits allows {limit.count} actions in {limit.window}; from {from_then} on"
    return Hold("BudgetSpent", message, found.free_at)


def outside_windows(case: Case) -> Hold | None:
    """The user has said when the operator may act, and this is another time."""
    windows, now = case.situation.spec.rollout.windows, case.situation.now
    if open_now(windows, now):
        return None
    opening = next_opening(windows, now)
    then = "none will open" if opening is None else f"the next one opens at {timestamp(opening)}"
    return Hold("OutsideWindow", f"no window of rollout.windows is open; {then}", opening)


def common_cause(case: Case) -> Hold | None:
    """So many resources are in breach that rolling each of them would hardly help any."""
    if not case.situation.fleet.common_cause:
        return None
    message = "as many resources of this endpoint are in breach as fleet.holdAll names; look for a common cause"
    return Hold("FleetHeld", message, case.situation.now + _LOOK_AGAIN)


def fleet_busy(case: Case) -> Hold | None:
    """Other resources are being rolled."""
    if not case.situation.fleet.full:
        return None
    message = "as many resources are being rolled as fleet.maxConcurrentRolls allows; this one waits for one to end"
    return Hold("FleetBusy", message, case.situation.now + _LOOK_AGAIN)


_LOOK_AGAIN: Final = timedelta(seconds=60)
"""How soon a brake is looked at again that other resources let off."""


def nothing_to_probe(case: Case) -> Hold | None:
    """The operator did not switch speculation off, or may not try it again."""
    if probed(case.situation, case.standing) is not None:
        return None
    return Hold("NothingToProbe", "the operator has not switched speculation off, or policy.probe does not let it try")


def pausing(case: Case) -> Hold | None:
    """The pause before the next probe is not over."""
    due = next_probe(case.situation, case.standing)
    if due is None or case.situation.now >= due:
        return None
    return Hold("ProbePause", "the pause before speculation is tried again is not over")


def no_headroom(case: Case) -> Hold | None:
    """A probe costs capacity for a while."""
    if headroom(case.situation, case.standing):
        return None
    return Hold("NoHeadroom", "latencies are not well within their objectives, so speculation is not tried again")


CHAIN: Final[tuple[Check, ...]] = (
    not_evaluated,
    unknown,
    no_breach,
    unconfirmed,
    frozen,
    suspended,
    pinned,
    fleet_stopped,
    rolling,
    verifying,
    exhausted,
    cooling_down,
    budget_spent,
    outside_windows,
    common_cause,
    fleet_busy,
)
"""Before a breach leads to the next rung."""

PROBE_CHAIN: Final[tuple[Check, ...]] = (
    nothing_to_probe,
    pausing,
    no_headroom,
    frozen,
    suspended,
    pinned,
    fleet_stopped,
    rolling,
    verifying,
    cooling_down,
    budget_spent,
    outside_windows,
    common_cause,
    fleet_busy,
)
"""Before speculation is tried again, where no signal is in breach."""

BRAKES: Final[tuple[Check, ...]] = (
    frozen,
    suspended,
    pinned,
    fleet_stopped,
    budget_spent,
    outside_windows,
    common_cause,
    fleet_busy,
)
"""What holds a fall from pods that do not start as well."""


def first_objection(case: Case, chain: tuple[Check, ...] = CHAIN) -> Hold | None:
    """Return the first objection of `chain`, or None where the case calls for an action."""
    return next((hold for check in chain if (hold := check(case)) is not None), None)
