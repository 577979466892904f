"""The costliest game that a stranger may make, at its worst, beside a small one: what it takes of the loop at a time.

Counted in CPU time of single calls and in calls, for a wall clock on a busy machine tells of other programs.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from gamekit.cli.serve import GC_THRESHOLDS
from gamekit.game import PlayerId
from gamekit.server.app import Server
from gamekit.server.runner import Runner
from gamekit.server.settings import Settings
from gamekit.session import Attached, ConnectionId
from gamekit.session.audience import Audience
from gamekit.wire import Snapshot, encode
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


class Counted:
    """Each call into a game, and each picture that was made for somebody who came."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        #: (game, CPU milliseconds) in their order; those with a picture in them are apart.
        self.calls: list[tuple[str, float]] = []
        self.views: list[float] = []
        self._pictures = 0
        feed, picture = Runner._feed, Audience._snapshot

        def fed(runner: Runner, *arguments: Any, **more: Any) -> None:
            begun_ns, before = time.thread_time_ns(), self._pictures
            feed(runner, *arguments, **more)
            cpu_ms = (time.thread_time_ns() - begun_ns) / 1e6
            assert self._pictures <= before + 1, "two pictures were made in one call"
            if self._pictures > before:
                self.views.append(cpu_ms)
            else:
                self.calls.append((runner.id, cpu_ms))

        def pictured(audience: Audience[Any], viewer: Any) -> Any:
            self._pictures += 1
            return picture(audience, viewer)

        monkeypatch.setattr(Runner, "_feed", fed)
        monkeypatch.setattr(Audience, "_snapshot", pictured)

    def of(self, game: str) -> list[float]:
        """A game's calls."""
        return [cpu_ms for one, cpu_ms in self.calls if one == game]


def picture_ms(runner: Runner) -> float:
    """What one picture of a game takes, for rules and codec."""
    session = runner.session
    begun_ns = time.thread_time_ns()
    view = session.game.view(session.state, None)
    frame = encode(Snapshot(tick=0, seq=0, n=0, outcomes=(), view=view), binary=False)
    assert len(frame) > 100 * SHIPS
    return (time.thread_time_ns() - begun_ns) / 1e6


class Deaf(FakeSocket):
    """It counts what it is sent and reads nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = 0

    def deliver(self, framed: bytes) -> None:
        """One more."""
        self.frames += 1


@pytest.fixture
def garbage_as_in_a_server() -> Iterator[None]:
    """Garbage is looked for as `gamekit serve` does, and not among all that the tests hold."""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


async def until(wanted: Callable[[], bool]) -> None:
    """Wait for something that the loop does."""
    async with asyncio.timeout(DEADLINE_S):
        while not wanted():
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("garbage_as_in_a_server")
def test_the_costliest_game_of_a_stranger_takes_little_of_the_loop_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, report: Callable[[str], None]
) -> None:
    counted = Counted(monkeypatch)

    async def check() -> None:
        server = Server(Settings(port=0, directory=tmp_path))
        await server.start()
        host = server.host
        small, _ = await host.new_game(SMALL, 1, "Small", "Bob")
        heavy, player = await host.new_game(COSTLIEST, 3, "Heavy", "Ada")
        assert len(heavy.session.state.ships) > SHIPS
        watchers = [Deaf() for _ in range(5)]
        small.attach(Attached(ConnectionId(1), None, "c", None), Deaf())
        for number, watcher in enumerate(watchers, 2):
            heavy.attach(Attached(ConnectionId(number), PlayerId(player), f"c{number}", None), watcher)
        await host.admin(small, {"type": "set_speed", "speed": 100.0})
        assert (await host.admin(heavy, {"type": "set_speed", "speed": 1000.0})).code is None
        counted.calls.clear()
        await until(lambda: len(counted.of(heavy.id)) >= CALLS)
        assert all(watcher.frames >= 2 for watcher in watchers), "somebody was not welcomed"
        # The small game has its ticks between the turns of the heavy one.
        games = [game for game, _ in counted.calls]
        assert sum(one != heavy.id == before for before, one in pairwise(games)) > 5

        # The owner's remedy: a deadline for the machine, and a count for the game.
        reached, lead = heavy.session.reached, heavy.session.lead
        assert lead is not None
        async with asyncio.timeout(DEADLINE_S):
            outcome = await host.admin(heavy, {"type": "pause"})
        assert outcome.code is None
        assert outcome.tick - reached <= 4 * lead + 2, "it waited for the backlog"
        assert heavy.session.paused
        longest_ms, view_ms, one_ms = max(counted.of(heavy.id)), max(counted.views), picture_ms(heavy)
        await server.drain()
        assert not host.unclosed
        report(f"{SHIPS} ships at speed 1,000: the longest call {longest_ms:.1f} ms of CPU, a welcome {view_ms:.1f} ms")
        assert longest_ms < MOST_MS
        # A picture is made in one piece: as long as the rules and the codec take for it, and no longer.
        assert view_ms < 3 * one_ms + MOST_MS / 10

    asyncio.run(check())
