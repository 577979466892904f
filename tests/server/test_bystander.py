"""The costliest game that a stranger may make, at its worst, beside a small one: what it takes of the loop at a time.

Counted in CPU time of single calls and in calls, for a wall clock on a busy machine tells of other programs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gamekit.game import PlayerId
from gamekit.server.app import Server
from gamekit.server.runner import Runner
from gamekit.server.settings import Settings
from gamekit.session import Attached, ConnectionId
from tests.virtual import FakeSocket

SHIPS = 5_000
#: Rules and a scenario as `docs/operations.md` lets anybody send them.
COSTLIEST = {
    "scenario": {
        "name": "procedural",
        "sectors": 24,
        "companies": [{"name": "Many", "ships": SHIPS, "credits": 10_000_000}],
    },
    "rules": {"dispatch_ticks": 1},
}
SMALL = {"scenario": "duel"}
#: What a bystander may wait for another game, in CPU milliseconds; and for how much of the heavy game's work we look.
MOST_MS, CALLS = 100, 400
#: A generous deadline for what must not hang, in seconds.
DEADLINE_S = 60


class Deaf(FakeSocket):
    """It counts what it is sent and reads nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = 0

    def deliver(self, framed: bytes) -> None:
        """One more."""
        self.frames += 1


async def until(wanted: Callable[[], bool]) -> None:
    """Wait for something that the loop does."""
    async with asyncio.timeout(DEADLINE_S):
        while not wanted():
            await asyncio.sleep(0.01)


def test_the_costliest_game_of_a_stranger_takes_little_of_the_loop_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Callable[[str], None]
) -> None:
    #: (game, CPU milliseconds) of each call into a game, in the order in which they were.
    calls: list[tuple[str, float]] = []
    feed = Runner._feed

    def counted(runner: Runner, *arguments: Any, **more: Any) -> None:
        begun_ns = time.thread_time_ns()
        feed(runner, *arguments, **more)
        calls.append((runner.id, (time.thread_time_ns() - begun_ns) / 1e6))

    monkeypatch.setattr(Runner, "_feed", counted)

    async def check() -> None:
        server = Server(Settings(port=0, directory=tmp_path))
        await server.start()
        host = server.host
        small, _ = await host.new_game(SMALL, 1, "Small", "Bob")
        heavy, player = await host.new_game(COSTLIEST, 3, "Heavy", "Ada")
        assert len(heavy.session.state.ships) > SHIPS
        calls.clear()
        bystander, watchers = Deaf(), [Deaf() for _ in range(5)]
        small.attach(Attached(ConnectionId(1), None, "c", None), bystander)
        for number, watcher in enumerate(watchers, 2):
            heavy.attach(Attached(ConnectionId(number), PlayerId(player), f"c{number}", None), watcher)
        await host.admin(small, {"type": "set_speed", "speed": 100.0})
        assert (await host.admin(heavy, {"type": "set_speed", "speed": 1000.0})).code is None
        await until(lambda: sum(game == heavy.id for game, _ in calls) >= CALLS)
        assert all(watcher.frames >= 2 for watcher in watchers), "somebody was not welcomed"

        # The small game has its ticks between the turns of the heavy one.
        between = [sum(1 for _ in run) for run in _runs([game for game, _ in calls], heavy.id)]
        assert len(between) > 5, "the small game had no tick for long"

        # The owner's remedy: a deadline for the machine, and a count for the game.
        reached, lead = heavy.session.reached, heavy.session.lead
        assert lead is not None
        async with asyncio.timeout(DEADLINE_S):
            outcome = await host.admin(heavy, {"type": "pause"})
        assert outcome.code is None
        assert outcome.tick - reached <= 4 * lead + 2, "it waited for the backlog"
        assert heavy.session.paused
        longest_ms = max(cpu_ms for game, cpu_ms in calls if game == heavy.id)
        begun_ns = time.thread_time_ns()
        await server.drain()
        drain_ms = (time.thread_time_ns() - begun_ns) / 1e6
        assert not host.unclosed
        report(
            f"{SHIPS} ships at speed 1,000: the longest call {longest_ms:.1f} ms of CPU, the drain {drain_ms:.0f} ms"
        )
        assert longest_ms < MOST_MS

    asyncio.run(check())


def _runs(games: list[str], heavy: str) -> list[list[str]]:
    """The stretches of calls of one game that are not interrupted by another's."""
    runs: list[list[str]] = [[]]
    for game in games:
        if game == heavy:
            runs[-1].append(game)
        elif runs[-1]:
            runs.append([])
    return runs
