"""Games that are brought back: a small one is there at once, whatever else wakes; who waits is told how far it is."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gamekit.game import GameId
from gamekit.journal import SqliteReader
from tests.live import LiveServer, until
from tests.rawclient import RawSocket

#: A galaxy that is much work to live through: an hour of game time takes minutes.
HEAVY = {"scenario": "procedural:300", "rules": {"dispatch_ticks": 1, "cycle_percent": 1, "company_percent": 1000}}
#: How long the heavy games are made to have slept, in seconds.
SLEPT_S = 3600.0


def longer_asleep(directory: Path, games: list[str], by_s: float) -> None:
    """Let games have fallen asleep earlier than they did; no server has the database open."""
    with sqlite3.connect(directory / "gamekit.db") as database:
        for game in games:
            database.execute("UPDATE clock SET wall_s = wall_s - ? WHERE game = ?", (by_s, game))
    database.close()


class Asking:
    """Requests that wait for their games, each in a thread of its own."""

    def __init__(self, server: LiveServer, games: list[str]) -> None:
        self.answers: dict[str, tuple[int, Any]] = {}

        def ask(game: str) -> None:
            # A server that is stopped answers nothing.
            with contextlib.suppress(OSError):
                self.answers[game] = server.call("GET", f"/api/game/{game}/state")

        self.threads = [threading.Thread(target=ask, args=(game,)) for game in games]
        for thread in self.threads:
            thread.start()


@pytest.fixture(scope="module")
def sleepers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], list[str]]:
    """A database with two heavy games and three small ones, all of which have slept for an hour."""
    directory: Path = tmp_path_factory.mktemp("sleepers") / "data"
    with LiveServer(directory, options=("--sleep-after", "0")) as server:
        small = [server.new_game(seed=number)["id"] for number in range(3)]
        heavy = []
        for number in range(2):
            status, made = server.call("POST", "/api/game/new", {"seed": number, **HEAVY}, token=server.admin_token)
            assert status == 201, made
            heavy.append(made["id"])
    longer_asleep(directory, heavy + small, SLEPT_S)
    return directory, heavy, small


@pytest.fixture
def server(sleepers: tuple[Path, list[str], list[str]]) -> Iterator[LiveServer]:
    """A server on it, which nothing has been asked of."""
    with LiveServer(sleepers[0]) as running:
        yield running
    log = running.log.read_text()
    assert "ERROR game" not in log, log
    assert "Traceback" not in log, log


def test_a_small_game_wakes_at_once_while_heavy_ones_are_brought_back(
    server: LiveServer, sleepers: tuple[Path, list[str], list[str]], report: Callable[[str], None]
) -> None:
    _, heavy, small = sleepers
    asking = Asking(server, heavy)
    until(lambda: all(server.call("GET", f"/api/game/{game}")[1]["waking"] for game in heavy))
    took_s = []
    for game in small:
        begun_s = time.monotonic()
        state = server.state(game)
        took_s.append(time.monotonic() - begun_s)
        assert state["tick"] >= SLEPT_S * 10, "it did not live through its sleep"
    assert all(status == 503 for status, _ in asking.answers.values()), "a heavy one came first"
    told = [server.call("GET", f"/api/game/{game}")[1] for game in heavy]
    assert [one["state"] for one in told] == ["asleep", "asleep"]
    report(f"two heavy games on their way: three small ones woke in {', '.join(f'{one:.2f}' for one in took_s)} s")

    # Who waits for long is told how far it is, and when to ask again.
    for thread in asking.threads:
        thread.join(60)
    for status, problem in asking.answers.values():
        assert (status, problem["code"]) == (503, "waking")
        assert "% are done" in problem["detail"]
    assert server.stop() == 0
    for thread in asking.threads:
        thread.join()


def test_a_socket_that_waits_is_told_and_the_owner_can_end_the_wait(
    server: LiveServer, sleepers: tuple[Path, list[str], list[str]]
) -> None:
    _, (game, _), _ = sleepers

    async def check() -> None:
        socket = await RawSocket.open(f"ws://127.0.0.1:{server.port}/api/game/{game}/ws")
        told = await socket.of("notice", kind="waking")
        while "% are done" not in told["message"]:
            del socket.messages[:]
            told = await socket.of("notice", kind="waking")
        status, _ = await asyncio.to_thread(server.call, "POST", f"/api/game/{game}/skip")
        assert status == 401
        status, skipped = await asyncio.to_thread(
            server.call, "POST", f"/api/game/{game}/skip", token=server.admin_token
        )
        assert status == 200
        assert skipped["left_out"] > 0
        await socket.send(type="hello")
        snapshot = await socket.of("snapshot")
        assert skipped["tick"] <= snapshot["tick"] < SLEPT_S * 10
        await socket.close()

    asyncio.run(check())
    status, problem = server.call("POST", f"/api/game/{game}/skip", token=server.admin_token)
    assert (status, problem["code"]) == (409, "nothing_to_skip")


def test_a_start_with_a_wrong_clock_lives_through_nothing_and_says_so(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    year_s = 365 * 86_400.0
    with LiveServer(directory) as server:
        game = server.new_game(seed=1)["id"]
    # As if the clock were a year ahead: the whole database is a year older.
    longer_asleep(directory, [game], year_s)
    with sqlite3.connect(directory / "gamekit.db") as database:
        database.execute("UPDATE meta SET value = value - ? WHERE key = 'alive_s'", (year_s,))
    database.close()
    with server:
        status, about = server.call("GET", f"/api/game/{game}")
        assert (status, about["state"]) == (200, "asleep")
        assert about["missing"]["days"] == pytest.approx(365, abs=0.1)
        state = server.state(game)
        assert state["tick"] < 1_000
        assert "--trust-clock" in state["missing"]["message"]
        command = [sys.executable, "-m", "gamekit", "why", game, "--url", server.url]
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        assert "365.0 days" in said
    assert server.log.read_text().count("365.0 days have passed in which no server ran") == 1
    server.options = ("--skip-missing-time",)
    with server:
        assert server.state(game)["tick"] < 1_000
    server.options = ()
    with server:
        assert server.call("GET", f"/api/game/{game}")[1]["missing"] is None


def test_a_long_absence_can_be_stopped_and_goes_on_from_there(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with LiveServer(directory) as server:
        game = server.new_game(seed=1)["id"]
    longer_asleep(directory, [game], 100 * 86_400.0)
    ticks = []
    for _ in range(2):
        with server:
            asking = Asking(server, [game])
            until(lambda: (server.call("GET", f"/api/game/{game}")[1]["waking"] or {}).get("percent") is not None)
            before = ticks[-1] if ticks else 10
            until(lambda before=before: server.call("GET", f"/api/game/{game}")[1]["tick"] > before)  # type: ignore[misc]
            assert server.stop() == 0
            for thread in asking.threads:
                thread.join()
        with SqliteReader(directory / "gamekit.db") as reader:
            clock = reader.clock(GameId(game))
            assert clock is not None
            ticks.append(clock.tick)
    assert 0 < ticks[0] < ticks[1] < 86_400_000
    assert f"game {game} lives through" in server.log.read_text()
