"""States for those who poll are made once per tick and paid for; large answers are handed over in pieces."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gamekit.game import GameId, PlayerId
from gamekit.server.budgets import BURST_S, Budgets
from gamekit.server.views import KEPT_BYTES, STALE_S, Views
from tests.large import large_game, memory_kb
from tests.live import LiveServer
from tests.server.test_connections import cpu_s


class Clock:
    """A clock that only goes on when somebody waits."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """Just enough of a host, a runner and a session to count the views that are made."""

    def __init__(self, size: int = 10) -> None:
        self.id = GameId("g")
        self.readers = 0
        self.size = size
        self.session = SimpleNamespace(epoch=1, tick=0, seq=0, state=None, game=self)

    async def readable(self, runner: Any) -> None:
        await asyncio.sleep(0)

    def read(self, ask: Callable[[], Any]) -> Any:
        return ask()

    def view(self, state: Any, player: PlayerId | None) -> dict[str, str]:
        return {"player": player or "", "filler": "x" * self.size}


def views(watched: Watched, clock: Clock) -> tuple[Views, Budgets]:
    """States of a watched game, under a clock."""
    budgets = Budgets(clock)
    return Views(watched, budgets, clock), budgets  # type: ignore[arg-type]


def test_however_many_poll_a_tick_is_seen_once_for_each_player() -> None:
    watched, clock = Watched(), Clock()
    made, _ = views(watched, clock)

    async def check() -> None:
        for tick in range(3):
            watched.session.tick = tick
            for player in (None, PlayerId("p1")):
                answers = await asyncio.gather(*(made.of(watched, player, "a") for _ in range(20)))  # type: ignore[arg-type]
                assert len({answer.view for answer in answers}) == 1
                assert answers[0].tick == tick
        assert made.made == 6
        # A command at the same tick is another state.
        watched.session.seq = 1
        assert (await made.of(watched, None, "a")).seq == 1  # type: ignore[arg-type]
        assert made.made == 7

    asyncio.run(check())


def test_where_the_budget_is_used_up_an_old_state_is_shown_but_never_without_a_command() -> None:
    watched, clock = Watched(), Clock()
    made, budgets = views(watched, clock)

    async def check() -> None:
        first = await made.of(watched, None, "a")  # type: ignore[arg-type]
        budgets.charge([("game", "g")], 2 * BURST_S)
        watched.session.tick = 50
        assert await made.of(watched, None, "a") is first  # type: ignore[arg-type]
        # Not for ever, and not when something was commanded since: then it waits for its turn.
        for change in ({"seq": 1}, {}):
            vars(watched.session).update(change)
            if not change:
                clock.now += STALE_S
                budgets.charge([("game", "g")], 20 * BURST_S)
                watched.session.tick = 60
            waiting = asyncio.ensure_future(made.of(watched, None, "a"))  # type: ignore[arg-type]
            await asyncio.sleep(0.01)
            assert not waiting.done()
            assert watched.readers == 1
            waiting.cancel()
        await asyncio.sleep(0)
        assert watched.readers == 0

    asyncio.run(check())


def test_what_is_kept_is_bounded() -> None:
    watched, clock = Watched(KEPT_BYTES // 4), Clock()
    made, _ = views(watched, clock)

    async def check() -> None:
        for number in range(20):
            clock.now += 60
            await made.of(watched, PlayerId(f"p{number}"), "a")  # type: ignore[arg-type]
        assert sum(len(seen.view) for seen in made._kept.values()) == made._bytes <= KEPT_BYTES

    asyncio.run(check())


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LiveServer, dict[str, Any]]]:
    """A server with a game whose state is 5.4 MB."""
    directory: Path = tmp_path_factory.mktemp("views") / "data"
    with LiveServer(directory) as server:
        yield server, large_game(server)


def test_a_large_state_comes_whole_and_not_again_when_nothing_changed(
    heavy: tuple[LiveServer, dict[str, Any]],
) -> None:
    server, made = heavy
    server.admin(made["id"], "pause")
    path = f"/api/game/{made['id']}/state"
    state = server.state(made["id"])
    assert len(state["view"]["ships"]) > 30_000

    def head(*more: str) -> tuple[int, str]:
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
            lines = [f"GET {path} HTTP/1.1", "Host: localhost", "Connection: close", *more, "", ""]
            line.sendall("\r\n".join(lines).encode())
            answer = line.makefile("rb").read()
        first, _, _ = answer.partition(b"\r\n\r\n")
        [tag] = [one[6:] for one in first.decode().split("\r\n") if one.lower().startswith("etag: ")]
        return int(first.split()[1]), tag

    status, tag = head()
    assert status == 200
    assert head(f"If-None-Match: {tag}") == (304, tag)
    assert head('If-None-Match: "1.0.0."')[0] == 200
    server.admin(made["id"], "step", ticks=1)
    assert head(f"If-None-Match: {tag}")[0] == 200


def test_pollers_that_do_not_read_hold_little_memory(heavy: tuple[LiveServer, dict[str, Any]]) -> None:
    server, made = heavy
    server.state(made["id"])
    before = memory_kb(server.pid)
    lines = []
    for _ in range(40):
        line = socket.socket()
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", server.port))
        line.sendall(f"GET /api/game/{made['id']}/state HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        lines.append(line)
    most = 0
    for _ in range(10):
        server.call("GET", "/healthz")
        server.state(made["id"])
        most = max(most, memory_kb(server.pid))
    # Whole answers were 216 MB.
    assert most - before < 80_000
    for line in lines:
        line.close()


def test_what_is_read_of_a_sleeping_game_is_paid_for(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        made = large_game(server)
    with LiveServer(tmp_path / "data") as server:
        # It sleeps: each look at it decodes its snapshot anew.
        looks = 0
        began_s, work_s = time.monotonic(), cpu_s(server.pid)
        while time.monotonic() - began_s < 4:
            status, about = server.call("GET", f"/api/game/{made['id']}")
            assert (status, about["state"]) == (200, "asleep")
            looks += 1
        # A burst, and a share of the time after that; all of the time were what many askers may take.
        assert looks > 1
        assert cpu_s(server.pid) - work_s < 2.5
