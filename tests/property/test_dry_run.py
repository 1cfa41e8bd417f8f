"""A signal with `dryRun` changes what is written down, and nothing else."""

from dataclasses import replace

from hypothesis import event, given
from hypothesis import strategies as st

from specdecode_operator.api.v1alpha1 import Outcome
from specdecode_operator.policy import Verdict, decide
from support.builders import ACCEPTANCE, LATENCY, finding, judgement, rung, running, situation, spec_of

MODES = st.sampled_from(["Observe", "Recommend", "Enforce"])
VERDICTS = st.sampled_from([Verdict.BREACH, *Verdict])


@given(MODES, st.tuples(VERDICTS, st.booleans()), st.tuples(VERDICTS, st.booleans()), st.sampled_from([0, 1]))
def test_with_it_or_without_it_the_same_is_done(
    mode: str, counting: tuple[Verdict, bool], rehearsed: tuple[Verdict, bool], updated: int
) -> None:
    (counts, confirmed), (dry, dry_confirmed) = counting, rehearsed
    spec = spec_of(policy={"mode": mode})
    acting = judgement(rung(spec), finding(counts, LATENCY), confirmed=confirmed)
    rehearsal = finding(dry, replace(ACCEPTANCE, dry_run=True))
    names = frozenset({"Acceptance"}) if dry_confirmed else frozenset[str]()
    both = replace(acting, dry=(rehearsal,), dry_repeated=names)
    cluster = running(spec, updated=updated)
    without, beside = (decide(situation(spec, judgement=found, cluster=cluster)) for found in (acting, both))
    assert replace(beside, decisions=without.decisions) == without
    extra = [one for one in beside.decisions if one not in without.decisions]
    event(f"{len(extra)} written down")
    assert all((one.outcome, one.dry_run, one.signal) == (Outcome.OBSERVED, True, "Acceptance") for one in extra)
