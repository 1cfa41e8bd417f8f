"""What is decided does not depend on the order in which resources are evaluated."""

from random import Random

from hypothesis import event, given
from hypothesis import strategies as st

from specdecode_operator.controller.evaluator import Evaluator
from specdecode_operator.controller.fleet import Fleet
from specdecode_operator.controller.metrics import Metrics
from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.reading import Reader
from specdecode_operator.controller.settings import FleetSettings, HoldAll
from specdecode_operator.controller.store import Key, Store
from specdecode_operator.policy import Judgement, Verdict, decide
from support.builders import ENFORCE, NOW, finding, judgement, rung, situation, spec_of

SPEC = spec_of(**ENFORCE)
RULES = st.builds(HoldAll, count=st.integers(1, 4), percent=st.sampled_from([0, 20, 50, 100]))
VERDICTS = st.lists(
    st.tuples(st.sampled_from([Verdict.BREACH, Verdict.BREACH, *Verdict]), st.booleans()), min_size=1, max_size=8
)


def decided(judged: dict[Key, Judgement], rules: HoldAll) -> dict[Key, tuple[str, str | None]]:
    """Return what is decided on each resource: the variant that shall run, and what holds it there."""
    store, metrics = Store(), Metrics()
    fleet = Fleet(FleetSettings(hold_all=rules), store, metrics)
    evaluator = Evaluator(store, Reader(), WorkQueue(), metrics, {}, lambda: NOW, fleet)
    evaluator._keep_all("default", judged)
    plans = {
        key: decide(situation(SPEC, judgement=evaluator.judgement(key), fleet=fleet.state(key, "default")))
        for key in judged
    }
    return {key: (plan.variant.name, plan.hold.reason if plan.hold else None) for key, plan in plans.items()}


@given(VERDICTS, RULES, st.randoms(use_true_random=False))
def test_in_any_order_the_same_is_decided(found: list[tuple[Verdict, bool]], rules: HoldAll, chance: Random) -> None:
    judged = [
        (("prod", f"r{index}"), judgement(rung(SPEC), finding(verdict), confirmed=confirmed))
        for index, (verdict, confirmed) in enumerate(found)
    ]
    shuffled = judged.copy()
    chance.shuffle(shuffled)
    first = decided(dict(judged), rules)
    assert decided(dict(shuffled), rules) == first
    reasons = {reason for _, reason in first.values()}
    event("held" if "FleetHeld" in reasons else "rolled" if None in reasons else "nothing to do")
