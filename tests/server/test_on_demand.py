"""A real server opens what is asked for and nothing else, and lets go of what nobody uses."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gamekit
from gamekit.capsule import read_capsule
from gamekit.game import GameId
from gamekit.history import rebuild
from gamekit.journal import SqliteReader, digest_of
from gamekit.space import SpaceGame
from tests.live import LiveServer, until
from tests.rawclient import RawSocket

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="module")
def sleepy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose games fall asleep after a second."""
    directory: Path = tmp_path_factory.mktemp("sleepy") / "data"
    with LiveServer(directory, options=("--sleep-after", "1")) as running:
        yield running
    assert " ERROR " not in running.log.read_text()


def about(server: LiveServer, game: str) -> dict[str, Any]:
    """What is told of a game without waking it."""
    status, answer = server.call("GET", f"/api/game/{game}")
    assert status == 200
    result: dict[str, Any] = answer
    return result


def test_a_game_falls_asleep_and_is_told_of_without_being_woken(sleepy: LiveServer) -> None:
    made = sleepy.new_game(seed=1, name="Owl", player_name="Ada", when_empty="pause", overload="dilate")
    awake = about(sleepy, made["id"])
    assert (awake["state"], awake["when_empty"], awake["overload"]["policy"]) == ("awake", "pause", "dilate")
    assert awake["why_awake"]
    until(lambda: about(sleepy, made["id"])["state"] == "asleep")
    asleep = about(sleepy, made["id"])
    assert asleep["why_awake"] == []
    assert asleep["players"] == awake["players"]
    assert (asleep["when_empty"], asleep["overload"]["policy"]) == ("pause", "dilate")
    assert asleep["epoch"] == awake["epoch"]
    _, page = sleepy.call("GET", "/api/games", token=sleepy.admin_token)
    [listed] = [game for game in page["games"] if game["id"] == made["id"]]
    assert (listed["state"], listed["tick"], listed["seq"]) == ("asleep", asleep["tick"], asleep["seq"])
    state = sleepy.state(made["id"], made["token"])
    assert about(sleepy, made["id"])["state"] == "awake"
    assert state["tick"] < asleep["tick"] + 50, "it stood still"


def test_a_silent_socket_outlives_the_sleep_of_its_game(sleepy: LiveServer) -> None:
    made = sleepy.new_game(seed=2)
    sleepy.admin(made["id"], "pause")

    async def check() -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"], client="c")
        ship = next(iter((await socket.of("snapshot"))["view"]["ships"]))
        await socket.of("heartbeat", tick=None)
        assert (await asyncio.to_thread(about, sleepy, made["id"]))["state"] == "asleep"
        order = {"type": "move", "ship": ship, "to": {"sector": "sol", "x": 5, "y": 5}}
        await socket.send(type="command", cid=1, body=order)
        await socket.of("ack", cid=1)
        await socket.of("delta")
        assert [one["type"] for one in socket.messages].count("snapshot") == 1
        await socket.of("heartbeat", tick=None)
        await socket.send(type="hello", token=made["token"], client="c")
        await socket.of("welcome")
        await socket.of("heartbeat", tick=None)
        await socket.close()

    asyncio.run(check())


def test_games_are_listed_page_by_page(sleepy: LiveServer) -> None:
    for number in range(3):
        sleepy.new_game(seed=number)
    seen: list[str] = []
    after = ""
    while True:
        _, page = sleepy.call("GET", f"/api/games?limit=2&after={after}", token=sleepy.admin_token)
        assert len(page["games"]) <= 2
        seen += [game["id"] for game in page["games"]]
        if not page["next"]:
            break
        after = page["next"]
    assert len(seen) == len(set(seen)) >= 3
    with gamekit.Client(sleepy.url, token=sleepy.admin_token) as client:
        assert [game["id"] for game in client.games()] == seen


def test_the_command_line_and_the_client_say_why_a_game_is_awake(sleepy: LiveServer) -> None:
    with gamekit.Client(sleepy.url, token=sleepy.admin_token) as client:
        game = client.new_game(seed=3, when_empty="pause")
        game.set_policy(overload="dilate")
        assert game.about()["overload"]["policy"] == "dilate"
        assert game.about()["when_empty"] == "pause"
        assert any("it may sleep" in reason for reason in game.why_awake)
        command = [sys.executable, "-m", "gamekit", "why", game.id, "--url", sleepy.url]
        until(lambda: game.about()["state"] == "asleep")
        said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
        assert f"{game.id} is asleep" in said


def test_a_policy_that_is_none_is_refused_with_what_is_allowed(sleepy: LiveServer) -> None:
    status, problem = sleepy.call("POST", "/api/game/new", {"when_empty": "explode"})
    assert (status, problem["code"]) == (400, "bad_request")
    assert "when_empty" in problem["detail"]


def test_a_start_opens_what_was_live_and_no_game_that_sleeps(report: Callable[[str], None]) -> None:
    command = [sys.executable, str(ROOT / "benchmarks" / "sleeping.py"), "--games", "300", "--recover", "20"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["sessions_opened"] == found["journal_writes"] == 0
    assert found["listed"] == 300
    assert found["woken"] == 20
    report(
        f"300 sleeping games: start {found['start_s']} s, {found['resident_mb']} MB (an empty server: "
        f"{found['resident_empty_mb']}); 20 games of 100 commands live {found['all_live_s']} s after the start"
    )


@pytest.mark.parametrize("when_empty", ["run", "pause"])
def test_a_sleeping_game_is_exported_and_forked_without_being_woken(
    sleepy: LiveServer, tmp_path: Path, when_empty: str
) -> None:
    made = sleepy.new_game(seed=4, name="Bear", when_empty=when_empty)
    sleepy.call("POST", f"/api/game/{made['id']}/speed", {"speed": 50}, token=sleepy.admin_token)
    until(lambda: about(sleepy, made["id"])["state"] == "asleep")
    slept_at = about(sleepy, made["id"])["tick"]
    time.sleep(0.3)
    with gamekit.Client(sleepy.url, token=sleepy.admin_token) as client:
        path = client.game(made["id"]).export(tmp_path / "bear.capsule")
        fork = client.game(made["id"]).fork(name="Cub")
    row = about(sleepy, made["id"])
    assert (row["state"], row["tick"], row["epoch"]) == ("asleep", slept_at, about(sleepy, made["id"])["epoch"])
    exported = read_capsule(path)
    if when_empty == "run":
        assert exported.tick >= slept_at + 100, "the time that passed in its sleep is not in the capsule"
    else:
        assert exported.tick == slept_at
    # Awake again it has come through the very state that was exported, and so has the fork.
    sleepy.call("GET", f"/api/game/{made['id']}/state")
    with SqliteReader(sleepy.directory / "gamekit.db") as reader, SqliteReader(path) as capsule:
        digests = {
            digest_of(rebuild(read, row, SpaceGame(), tick=exported.tick, from_start=True).snapshot())
            for read, id in ((reader, made["id"]), (reader, fork.id), (capsule, made["id"]))
            if (row := read.game(GameId(id))) is not None
        }
    assert len(digests) == 1


def test_a_sleeping_game_keeps_its_secrets(sleepy: LiveServer) -> None:
    fog, plain = (sleepy.new_game(seed=6, scenario="procedural:4", rules={"fog": on}) for on in (1, 0))

    def to_the_admin(game: str) -> dict[str, Any]:
        answer: dict[str, Any] = sleepy.call("GET", f"/api/game/{game}", token=sleepy.admin_token)[1]
        return answer

    until(lambda: all(to_the_admin(game["id"])["state"] == "asleep" for game in (fog, plain)))
    assert about(sleepy, plain["id"])["seed"] == 6
    told = about(sleepy, fog["id"])
    assert (told["seed"], told["state"], told["waking"]) == (None, None, None)
    assert to_the_admin(fog["id"])["seed"] == 6
    assert to_the_admin(fog["id"])["state"] == "asleep"
