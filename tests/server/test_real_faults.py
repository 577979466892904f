"""Real faults under a real server: no room on the disk, a damaged file, a file cut short, a lock, a stalled writer."""

from __future__ import annotations

import asyncio
import os
import resource
import sqlite3
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gamekit.game import GameId
from gamekit.journal import SqliteReader
from tests.live import LiveServer
from tests.rawclient import RawSocket


def order(server: LiveServer, made: dict[str, Any], cid: int) -> tuple[int, dict[str, Any]]:
    """Give one command by HTTP; the status and the answer."""
    [ship, *_] = [key for key, one in made["view"]["ships"].items() if one["owner"] == made["player"]]
    body = {"type": "move", "ship": ship, "to": {"sector": "sol", "x": cid, "y": 0}}
    path = f"/api/game/{made['id']}/commands"
    status, answer = server.call("POST", path, {"cid": cid, "body": body, "client": "c"}, token=made["token"])
    return status, answer


def new_game(server: LiveServer) -> dict[str, Any]:
    """A game with what its player sees."""
    made = server.new_game(seed=1)
    return {**made, "view": server.state(made["id"], made["token"])["view"]}


def stored_cids(database: Path, game: str) -> list[int]:
    """The numbers of the client's commands in the history, in order; also checks every chain."""
    with SqliteReader(database) as reader:
        text = "".join(record.commands for record in reader.records(GameId(game)))
    return [int(part.split(",")[0]) for part in text.split('"client":"c","cid":')[1:]]


def metrics(server: LiveServer, **wanted: float) -> None:
    """Wait until the server's metrics have these values; they are set once a second."""
    until = time.monotonic() + 30
    while True:
        with urllib.request.urlopen(f"{server.url}metrics", timeout=30) as answer:
            lines = dict(line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if line[0] != "#")
        found = {name: float(lines[name]) for name in wanted}
        if found == wanted:
            return
        assert time.monotonic() < until, found


def verified(database: Path) -> tuple[int, str]:
    """The exit status and the verdict of `gamekit verify`."""
    command = [sys.executable, "-m", "gamekit", "verify", str(database)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines()[-1]


def into_database(database: Path) -> None:
    """Bring the log of a killed server into the database file itself."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process")
def test_without_room_a_game_turns_read_only_until_there_is_room_and_keeps_all_it_acknowledged(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    database = server.directory / "gamekit.db"
    with server:
        made = new_game(server)
        done = [cid for cid in range(1, 6) if order(server, made, cid)[0] == 200]
        assert done == [1, 2, 3, 4, 5]
        room = database.with_name("gamekit.db-wal").stat().st_size + 40_000
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        status, answer = 200, {}
        while status == 200:
            status, answer = order(server, made, done[-1] + 1)
            done += [done[-1] + 1] if status == 200 else []
            assert len(done) < 200, "the limit was never reached"
        assert status == 503
        assert answer["code"] == "readonly"
        assert "until it can" in answer["detail"]
        assert "free some room" in answer["detail"]
        # It says so to everybody, goes on being seen, and takes nothing more.
        assert order(server, made, done[-1] + 1)[1]["code"] == "readonly"
        assert server.state(made["id"], made["token"])["view"]["ships"]
        assert server.call("GET", "/healthz")[0] == 200
        assert "free some room" in server.log.read_text()
        status, told = server.call("GET", "/readyz")
        assert (status, told["status"]) == (503, "readonly")
        assert "free some room" in told["detail"]
        metrics(server, gamekit_readonly_sessions=1, gamekit_journal_failing=1)
        # There is room again: the same server takes commands again, and knows those from before.
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        metrics(server, gamekit_readonly_sessions=0, gamekit_journal_failing=0)
        assert server.call("GET", "/readyz") == (200, {"status": "ok"})
        again, answer = order(server, made, done[-1] + 1)
        assert again == 200, answer
        done.append(done[-1] + 1)
        assert order(server, made, done[0])[1]["seq"] >= 1, "a resend gets its old answer"
        server.kill()
    with server:
        assert order(server, made, done[-1])[1]["seq"] >= 1, "a resend gets its old answer"
        assert order(server, made, done[-1] + 1)[0] == 200
    stored = stored_cids(database, made["id"])
    assert stored == sorted(set(stored))
    assert set(done) <= set(stored)
    assert verified(database)[0] == 0


def test_a_flipped_byte_stops_the_game_that_it_is_in_and_no_other(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    database = server.directory / "gamekit.db"
    with server:
        sick, well = new_game(server), new_game(server)
        for cid in range(1, 4):
            assert order(server, sick, cid)[0] == order(server, well, cid)[0] == 200
        server.kill()
    into_database(database)
    content = bytearray(database.read_bytes())
    with SqliteReader(database) as reader:
        record = list(reader.records(GameId(sick["id"])))[2]
    # The chain is stored behind the commands and is found nowhere else.
    at = content.index(record.chain.encode()) - 40
    content[at] ^= 1
    database.write_bytes(content)
    with server:
        status, answer = server.call("GET", f"/api/game/{sick['id']}/state", token=sick["token"])
        assert (status, answer["code"]) == (503, "unavailable")
        assert "record 3" in answer["detail"]
        assert "does not match its chain" in answer["detail"]
        assert "restore the database from a copy" in answer["detail"]
        assert order(server, well, 4)[0] == 200
    status, verdict = verified(database)
    assert status == 1
    assert f"first: {sick['id']}" in verdict


def test_a_database_cut_short_is_refused_as_a_whole_with_what_to_do(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    database = server.directory / "gamekit.db"
    with server:
        new_game(server)
    os.truncate(database, database.stat().st_size - 3 * 4096)
    for command in (["serve", "--port", "0", "--data", str(server.directory)], ["verify", str(database)]):
        done = subprocess.run(
            [sys.executable, "-m", "gamekit", *command], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 1
        assert "malformed" in done.stderr
        assert "restore the database from a copy" in done.stderr
        assert "Traceback" not in done.stderr


def test_a_log_cut_short_is_a_history_that_ends_earlier(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    database = server.directory / "gamekit.db"
    with server:
        made = new_game(server)
        for cid in range(1, 8):
            assert order(server, made, cid)[0] == 200
        server.kill()
    log = database.with_name("gamekit.db-wal")
    # In the middle of a page, some commits before the end.
    os.truncate(log, log.stat().st_size - 30_000)
    with server:
        assert order(server, made, 8)[0] == 200
    stored = stored_cids(database, made["id"])
    assert stored == [*range(1, len(stored)), 8]
    assert 1 < len(stored) < 8
    assert verified(database)[0] == 0


def test_a_directory_that_cannot_be_written_is_refused_with_what_to_do(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0o500)
    # Root may write everywhere but where there is no file system to write to.
    directory = "/proc/gamekit" if os.geteuid() == 0 else str(closed / "data")
    command = [sys.executable, "-m", "gamekit", "serve", "--port", "0", "--data", directory]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert directory in done.stderr
    assert "cannot be made" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_second_server_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    command = [sys.executable, "-m", "gamekit", "serve", "--port", "0", "--data", str(server.directory)]
    with server:
        made = new_game(server)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert f"process {server.pid} has this journal open" in done.stderr
        assert order(server, made, 1)[0] == 200
        server.kill()
        server.start()
        assert order(server, made, 2)[0] == 200


def test_a_stalled_writer_delays_acks_and_nothing_else(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")

    async def play(made: dict[str, Any]) -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"], client="c")
        ships = (await socket.of("snapshot"))["view"]["ships"]
        [ship] = [key for key, row in ships.items() if row["owner"] == made["player"]]
        database = server.directory / "gamekit.db"
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            # Somebody else writes, against all advice: the server's writer waits for the lock.
            other.execute("BEGIN IMMEDIATE")
            body = {"type": "move", "ship": ship, "to": {"sector": "sol", "x": 1, "y": 0}}
            await socket.send(type="command", cid=1, body=body)
            for number in range(5):
                await socket.send(type="ping", t=number)
                await socket.of("pong", t=float(number))
            assert not [one for one in socket.messages if one["type"] == "ack"]
            other.execute("ROLLBACK")
        await socket.of("ack", cid=1)
        await socket.close()

    with server:
        made = server.new_game(seed=1)
        asyncio.run(play(made))
        assert stored_cids(server.directory / "gamekit.db", made["id"]) == [1]


def test_a_wall_clock_that_was_set_back_between_two_runs_lets_no_time_pass(tmp_path: Path) -> None:
    # What the second server finds when its clock was set back by a day: a game's clock that shows tomorrow.
    server = LiveServer(tmp_path / "data")
    with server:
        made = new_game(server)
        assert order(server, made, 1)[0] == 200
        seen = server.state(made["id"])["tick"]
    with closing(sqlite3.connect(tmp_path / "data" / "gamekit.db")) as connection:
        connection.execute("update clock set wall_s = wall_s + 86400")
        connection.commit()
    with server:
        state = server.state(made["id"])
        assert seen <= state["tick"] < seen + 36_000
        assert order(server, made, 1)[1]["cid"] == 1
        assert order(server, made, 2)[0] == 200
    assert stored_cids(tmp_path / "data" / "gamekit.db", made["id"]) == [1, 2]
    assert verified(tmp_path / "data" / "gamekit.db")[0] == 0
