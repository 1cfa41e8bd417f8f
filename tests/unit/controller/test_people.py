"""What people say by annotations, from the resource to the pods."""

from datetime import timedelta

from support.world import World

RECOMMEND = {"policy": {"mode": "Recommend", "trial": {"mode": "Never"}}}
ENFORCE = {"policy": {"mode": "Enforce"}}


async def test_a_proposal_is_carried_out_when_it_is_approved() -> None:
    world = World(**RECOMMEND)
    await world.serving()
    world.breach()
    assert await world.reconcile() == 30 * 60.0
    [proposal] = world.status.decisions
    assert (world.variant, world.state("RemediationBlocked")[:2]) == ("primary", ("True", "AwaitingApproval"))
    [event] = world.kubernetes.events
    command = f"kubectl annotate sdd chat -n prod --overwrite specdecode.dev/approve={proposal.id}"
    assert (event["reason"], event["message"].endswith(command)) == ("RemediationProposed", True)

    world.now += timedelta(minutes=1)
    world.annotate({"specdecode.dev/approve": proposal.id})
    await world.reconcile()
    assert (world.variant, world.reasons()[1:]) == ("no-speculation", ["RemediationStarted"])
    assert [(one.id, one.outcome) for one in world.status.decisions] == [(proposal.id, "Started")]


async def test_a_proposal_that_nobody_approves_expires_by_itself() -> None:
    world = World(**RECOMMEND)
    await world.serving()
    world.breach()
    again = await world.reconcile()
    assert again is not None
    world.evaluator._judgements.clear()
    world.now += timedelta(seconds=again)
    await world.reconcile()
    assert ([one.outcome for one in world.status.decisions], world.variant) == (["Expired"], "primary")


async def test_a_pin_rolls_the_pods_and_its_end_rolls_them_back() -> None:
    world = World(**ENFORCE)
    await world.serving()
    world.annotate({"specdecode.dev/pin": "no-speculation@2026-03-01T13:00:00Z"})
    again = await world.reconcile()
    assert (world.variant, again) == ("no-speculation", 3600.0)
    assert world.reasons() == ["PinStarted", "Pinned"]
    world.roll_out()
    await world.reconcile()
    world.now += timedelta(hours=1)
    await world.reconcile()
    assert (world.variant, world.status.pin) == ("primary", None)
    assert [(one.trigger, one.outcome) for one in world.status.decisions] == [
        ("Pin", "Completed"),
        ("Unpin", "Started"),
    ]


async def test_a_pin_that_cannot_be_followed_changes_nothing_and_is_said_once() -> None:
    world = World(**ENFORCE)
    await world.serving()
    world.annotate({"specdecode.dev/pin": "fp9"})
    await world.reconcile()
    await world.reconcile()
    assert (world.variant, world.reasons()) == ("primary", ["PinIgnored"])
