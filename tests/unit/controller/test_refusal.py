"""What pre-flight refuses is never rolled out, and what runs is never stopped by it."""

from typing import Any

import pytest

from specdecode_operator.api.remarks import Level, Remark
from specdecode_operator.controller import reading
from specdecode_operator.sizing import Examination
from support.builders import ENFORCE
from support.world import DEPLOYMENT, KEY, STATUS, World

LLAMA_8B, QWEN = "meta-llama/Llama-3.1-8B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct"
MISMATCH: dict[str, Any] = {"method": "DraftModel", "draft": {"name": QWEN}, "numSpeculativeTokens": 4}
MISFIT: dict[str, Any] = {"model": {"name": LLAMA_8B}, "speculation": MISMATCH}
ON_H100: dict[str, Any] = {"gpu": {"product": "H100"}}
BROKEN = Remark(Level.ERROR, "Broken", "speculation.method", "a newer operator knows better")


async def test_a_pair_that_cannot_run_makes_nothing_and_says_why() -> None:
    world = World(**MISFIT)
    assert await world.reconcile() is None
    status, reason, message = world.state("Stalled")
    assert (status, reason) == ("True", "VocabularyMismatch")
    assert "151936" in message
    assert (world.kubernetes.writes(), world.reasons()) == ([STATUS], ["VocabularyMismatch"])


async def test_every_error_is_in_the_message() -> None:
    world = World(**MISFIT | {"speculation": MISMATCH | {"config": {"nonsense": 1}}})
    await world.reconcile()
    message = world.state("Stalled")[2]
    assert "speculation.config.nonsense: " in message
    assert "speculation.draft.name: " in message


async def test_a_change_that_cannot_run_leaves_the_pods() -> None:
    world = World(model={"name": LLAMA_8B})
    await world.serving()
    before = world.kubernetes.objects["Deployment", *KEY]
    world.change(**MISFIT)
    await world.reconcile()
    assert (world.state("Stalled")[:2], world.state("Ready")[0]) == (("True", "VocabularyMismatch"), "True")
    assert (world.kubernetes.writes(), world.kubernetes.objects["Deployment", *KEY]) == ([STATUS], before)


async def test_a_spec_that_is_corrected_goes_on() -> None:
    world = World(**MISFIT)
    await world.reconcile()
    world.change(model={"name": LLAMA_8B})
    await world.reconcile()
    assert world.state("Stalled")[0] == "False"
    assert DEPLOYMENT in world.kubernetes.writes()


async def test_what_runs_already_goes_on_whatever_a_newer_operator_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    await world.serving()
    monkeypatch.setattr(reading, "preflight", lambda *_, **__: Examination((BROKEN,)))
    world.start()
    world.change(replicas=3)
    await world.reconcile()
    assert world.state("Stalled")[0] == "False"
    assert world.kubernetes.objects["Deployment", *KEY]["spec"]["replicas"] == 3


async def test_a_fallback_that_cannot_run_is_passed_over_and_named() -> None:
    rung = {"name": "draft", "triggers": ["Acceptance"], "speculation": MISMATCH}
    head = {"method": "NGram", "numSpeculativeTokens": 4}
    world = World(**ENFORCE, model={"name": LLAMA_8B}, speculation=head, fallbacks=[rung])
    await world.serving()
    world.breach()
    await world.reconcile()
    assert world.variant == "no-speculation"
    assert world.status.plan is not None
    assert [(found.code, found.field) for found in world.status.plan.warnings] == [
        ("VocabularyMismatch", "fallbacks[draft].speculation.draft.name")
    ]


async def test_a_warning_is_an_event_once() -> None:
    draft = {"method": "DraftModel", "draft": {"name": "meta-llama/Llama-3.2-1B-Instruct"}, "numSpeculativeTokens": 4}
    world = World(model={"name": LLAMA_8B}, speculation=draft)
    await world.reconcile()
    world.roll_out()
    await world.reconcile()
    assert world.reasons().count("DraftModelForSmallTarget") == 1


async def test_the_memory_plan_is_that_of_the_variant_that_runs() -> None:
    head = {"method": "NGram", "numSpeculativeTokens": 4}
    world = World(model={"name": LLAMA_8B}, speculation=head, resources=ON_H100, engine={"maxModelLen": 8192})
    await world.reconcile()
    assert world.status.plan is not None
    memory = world.status.plan.memory
    assert memory is not None
    assert memory.kv_cache_tokens_without_speculation >= memory.kv_cache_tokens > 300_000
