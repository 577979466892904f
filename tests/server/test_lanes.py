"""What computes beside the loop takes turns: the small is done before the large, however many large ones there are."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from gamekit.errors import ServerBusy, ServerError
from gamekit.server import lanes
from gamekit.server.lanes import MOST_LONG, Job, Lanes

#: A deadline for what must come, on however busy a machine, in seconds.
SOON_S = 60


def now_us() -> int:
    """A monotonic clock."""
    return time.monotonic_ns() // 1000


def burn(cpu_s: float, job: Job | None = None, *, until: Callable[[], bool] = lambda: False) -> None:
    """Compute, with a pause every few milliseconds when there is a job to pause."""
    begun_s = last_s = time.thread_time()
    while time.thread_time() - begun_s < cpu_s and not until():
        if job is not None and time.thread_time() - last_s > 0.002:
            last_s = time.thread_time()
            job.pause()


def check(main: Callable[[Lanes], Any]) -> None:
    """Run a coroutine over lanes of its own."""

    async def bounded() -> None:
        these = Lanes(now_us)
        try:
            await asyncio.wait_for(main(these), SOON_S)
        finally:
            these.close()

    asyncio.run(bounded())


async def work(these: Lanes, name: str, cpu_s: float, done: list[str], owner: str = "", **how: Any) -> None:
    """One piece of work; its name is noted when it is done."""
    with these.job(name, owner) as job:
        await these.run(job, lambda: burn(cpu_s, job, **how))
    done.append(name)


async def in_the_long_lane(these: Lanes, count: int) -> None:
    """Wait until so many works are there."""
    while these.long < count:
        await asyncio.sleep(0.01)


def test_small_work_is_done_before_the_large_that_came_first() -> None:
    async def main(these: Lanes) -> None:
        done: list[str] = []
        over = threading.Event()
        large = [asyncio.create_task(work(these, f"large {n}", SOON_S, done, until=over.is_set)) for n in range(3)]
        await in_the_long_lane(these, 3)
        await asyncio.gather(*(work(these, f"small {number}", 0.02, done) for number in range(10)))
        assert len(done) == 10
        over.set()
        await asyncio.gather(*large)
        assert these.long == 0

    check(main)


def test_turns_are_fair_among_owners_and_not_among_games() -> None:
    async def main(these: Lanes) -> None:
        done: list[str] = []
        over = threading.Event()
        many = [asyncio.create_task(work(these, f"his {n}", SOON_S, done, "him", until=over.is_set)) for n in range(6)]
        await in_the_long_lane(these, 6)
        his = [job for job in these._long if job.owner == "him"]
        before_s = sum(job.used_s for job in his)
        await work(these, "hers", 0.6, done, "her")
        # One of six by games would let him compute six times as much as her.
        assert sum(job.used_s for job in his) - before_s <= 2 * 0.6
        over.set()
        await asyncio.gather(*many)

    check(main)


def test_what_somebody_waits_for_goes_before_what_nobody_does() -> None:
    async def main(these: Lanes) -> None:
        done: list[str] = []

        async def unasked(number: int) -> None:
            with these.job(f"unasked {number}") as job:
                job.asked = False
                await these.run(job, lambda: burn(0.05, job))
            done.append("unasked")

        rest = [asyncio.create_task(unasked(number)) for number in range(12)]
        await asyncio.sleep(0)
        await work(these, "asked", 0.01, done)
        assert len(done) <= 6
        await asyncio.gather(*rest)

    check(main)


def test_a_part_that_never_pauses_holds_up_no_small_work() -> None:
    async def main(these: Lanes) -> None:
        done: list[str] = []
        free = threading.Event()

        def stubborn() -> None:
            free.wait(SOON_S)

        async def hold(number: int) -> None:
            with these.job(f"stubborn {number}") as job:
                await these.run(job, stubborn)

        holds = [asyncio.create_task(hold(number)) for number in range(4)]
        await asyncio.sleep(0)
        await work(these, "small", 0.01, done)
        assert not any(task.done() for task in holds)
        assert these.long >= 2, "what overstays is long"
        free.set()
        await asyncio.gather(*holds)
        assert these.long == 0

    check(main)


def test_the_long_lane_takes_so_many_and_tells_the_others_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "SHORT_S", 0.01)
    monkeypatch.setattr(lanes, "SLICE_S", 0.01)
    enough = threading.Event()

    async def main(these: Lanes) -> None:
        done: list[str] = []
        tasks = [
            asyncio.create_task(work(these, str(number), SOON_S, done, until=enough.is_set))
            for number in range(MOST_LONG + 3)
        ]
        busy = 0
        while busy < 3:
            over, running = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            assert all(isinstance(task.exception(), ServerBusy) for task in over)
            busy += len(over)
            tasks = list(running)
        await in_the_long_lane(these, MOST_LONG)
        enough.set()
        await asyncio.gather(*tasks)
        assert len(done) == MOST_LONG

    check(main)


def test_where_the_long_lane_is_full_the_one_that_had_most_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SHORT_S", 0.01), ("SLICE_S", 0.01), ("MOST_LONG", 3), ("FAIR_SHARE_S", 0.2)):
        monkeypatch.setattr(lanes, name, value)
    enough = threading.Event()

    async def main(these: Lanes) -> None:
        done: list[str] = []
        first = [asyncio.create_task(work(these, str(n), SOON_S, done, until=enough.is_set)) for n in range(3)]
        await in_the_long_lane(these, 3)
        while max(job.used_s for job in these._long) < 0.3:
            await asyncio.sleep(0.01)
        newcomer = asyncio.create_task(work(these, "newcomer", SOON_S, done, until=enough.is_set))
        over, _ = await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        [gone] = over
        assert isinstance(gone.exception(), ServerBusy)
        assert not newcomer.done()
        enough.set()
        await newcomer
        await asyncio.gather(*first, return_exceptions=True)
        assert len(done) == 3

    check(main)


def test_work_that_shall_stop_does_so_at_its_next_pause() -> None:
    async def main(these: Lanes) -> None:
        with these.job("stopped") as job:
            task = asyncio.create_task(these.run(job, lambda: burn(SOON_S, job)))
            await in_the_long_lane(these, 1)
            job.stopped = ServerError("The server is shutting down.")
            with pytest.raises(ServerError, match="shutting down"):
                await task
            with pytest.raises(ServerError):
                await these.run(job, burn, 0.0)

    check(main)
