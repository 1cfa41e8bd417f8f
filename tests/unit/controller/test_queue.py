"""The work queue: each key at most once at a time, and nothing that was marked is lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from specdecode_operator.controller.queue import WorkQueue
from specdecode_operator.controller.store import Key

A, B, C = ("n", "a"), ("n", "b"), ("n", "c")


class Worker:
    """A handler whose runs begin and end when a test says so."""

    def __init__(self) -> None:
        self.begun: list[Key] = []
        self.running: set[Key] = set()
        self.overlaps = 0
        self.again: float | None = None
        self._gate = asyncio.Semaphore(0)

    async def __call__(self, key: Key) -> float | None:
        self.overlaps += key in self.running
        self.begun.append(key)
        self.running.add(key)
        await self._gate.acquire()
        self.running.discard(key)
        return self.again

    def finish(self, runs: int = 1) -> None:
        for _ in range(runs):
            self._gate.release()


@pytest.fixture
async def queue() -> WorkQueue:
    return WorkQueue()


@pytest.fixture
async def worker() -> Worker:
    return Worker()


@asynccontextmanager
async def working(queue: WorkQueue, worker: Worker, hands: int = 2) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(queue.work(worker)) for _ in range(hands)]
    yield
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def settle() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_marked_keys_are_worked_on_in_their_order(queue: WorkQueue, worker: Worker) -> None:
    for key in (C, A, B):
        queue.mark(key)
    worker.finish(3)
    async with working(queue, worker, hands=1):
        await settle()
    assert (worker.begun, len(queue)) == ([C, A, B], 0)


async def test_a_key_that_is_marked_twice_is_worked_on_once(queue: WorkQueue, worker: Worker) -> None:
    queue.mark(A)
    queue.mark(A)
    assert len(queue) == 1
    worker.finish(2)
    async with working(queue, worker):
        await settle()
    assert worker.begun == [A]


async def test_several_keys_are_worked_on_side_by_side(queue: WorkQueue, worker: Worker) -> None:
    for key in (A, B, C):
        queue.mark(key)
    async with working(queue, worker, hands=2):
        await settle()
        assert worker.running == {A, B}
        worker.finish(3)
        await settle()
    assert worker.begun == [A, B, C]


async def test_one_key_never_twice_at_a_time(queue: WorkQueue, worker: Worker) -> None:
    queue.mark(A)
    async with working(queue, worker, hands=4):
        for _ in range(5):
            await settle()
            queue.mark(A)
        assert worker.begun == [A]
        worker.finish(9)
        await settle()
    assert (worker.begun, worker.overlaps) == ([A, A], 0)


async def test_a_key_that_is_marked_while_it_runs_runs_once_more(queue: WorkQueue, worker: Worker) -> None:
    queue.mark(A)
    async with working(queue, worker):
        await settle()
        queue.mark(A)
        queue.mark(A)
        worker.finish()
        await settle()
        assert worker.begun == [A, A]
        worker.finish()
        await settle()
    assert (worker.begun, len(queue)) == ([A, A], 0)


async def test_a_key_comes_back_when_the_handler_asks_for_it(queue: WorkQueue, worker: Worker) -> None:
    worker.again = 0.0
    queue.mark(A)
    async with working(queue, worker):
        await settle()
        worker.finish()
        await settle()
        assert worker.begun == [A, A]
        worker.again = None
        worker.finish()
        await settle()
    assert worker.begun == [A, A]


async def test_a_mark_comes_before_a_later_one(queue: WorkQueue, worker: Worker) -> None:
    queue.mark_later(A, 3600)
    queue.mark(A)
    worker.finish(2)
    async with working(queue, worker):
        await settle()
    assert (worker.begun, queue._timers) == ([A], {})


async def test_the_first_of_several_later_marks_counts(queue: WorkQueue) -> None:
    queue.mark_later(A, 3600)
    first = queue._timers[A]
    queue.mark_later(A, 1)
    assert queue._timers == {A: first}
    first.cancel()


async def test_a_key_that_is_marked_needs_no_later_mark(queue: WorkQueue) -> None:
    queue.mark(A)
    queue.mark_later(A, 3600)
    assert queue._timers == {}


async def test_a_later_mark_marks(queue: WorkQueue) -> None:
    queue.mark_later(A, 0)
    await settle()
    assert (len(queue), queue._timers) == (1, {})


async def test_the_age_of_the_oldest_run_is_known(queue: WorkQueue, worker: Worker) -> None:
    assert queue.longest_run() == 0.0
    queue.mark(A)
    async with working(queue, worker):
        await settle()
        assert queue.longest_run() > 0.0
        worker.finish()
        await settle()
        assert queue.longest_run() == 0.0


async def test_a_run_that_is_cancelled_is_over(queue: WorkQueue, worker: Worker) -> None:
    queue.mark(A)
    async with working(queue, worker):
        await settle()
    assert queue.longest_run() == 0.0
