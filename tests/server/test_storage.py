"""A database that is locked, removed, replaced or moved under a running server: said, measured, and nothing lost."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gamekit.journal import SqliteJournal
from tests.live import LiveServer, until
from tests.rawclient import RawSocket
from tests.server.test_real_faults import metrics, new_game, order, stored_cids, verified

#: Longer than SQLite waits by itself.
LOCK_S = 8.0


def move(ship: str, x: int) -> dict[str, Any]:
    """The body of a command."""
    return {"type": "move", "ship": ship, "to": {"sector": "sol", "x": x, "y": 0}}


def test_a_lock_of_eight_seconds_delays_acks_is_said_and_costs_nothing(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    database = server.directory / "gamekit.db"

    async def play(made: dict[str, Any], other: sqlite3.Connection) -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"], client="c")
        ships = (await socket.of("snapshot"))["view"]["ships"]
        [ship] = [key for key, row in ships.items() if row["owner"] == made["player"]]
        other.execute("BEGIN EXCLUSIVE")
        until = time.monotonic() + LOCK_S
        for cid in (1, 2, 3):
            await socket.send(type="command", cid=cid, body=move(ship, cid))
        notice = await socket.of("notice", kind="late")
        assert "another program holds the database's lock" in notice["message"]
        number = 0.0
        while time.monotonic() < until:
            # The game goes on meanwhile, as far as its time was reserved.
            number += 1
            await socket.send(type="ping", t=number)
            await socket.of("pong", t=number)
        await asyncio.get_running_loop().run_in_executor(None, lambda: metrics(server, gamekit_journal_late=1))
        status, _ = await asyncio.get_running_loop().run_in_executor(None, server.call, "GET", "/readyz")
        assert status == 200
        assert not [one for one in socket.messages if one["type"] == "ack"]
        other.execute("ROLLBACK")
        for cid in (1, 2, 3):
            await socket.of("ack", cid=cid)
        await socket.of("notice", kind="late_over")
        await socket.send(type="command", cid=4, body=move(ship, 4))
        await socket.of("ack", cid=4)
        await socket.close()

    with server:
        made = server.new_game(seed=1)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            asyncio.run(play(made, other))
        metrics(server, gamekit_journal_late=0, gamekit_readonly_sessions=0)
        assert server.new_game(seed=2)["id"]
        assert server.log.read_text().count("another program holds the database's lock") == 1
    assert stored_cids(database, made["id"]) == [1, 2, 3, 4]
    assert verified(database)[0] == 0


def test_while_a_lock_lasts_who_asks_for_a_new_game_gets_an_answer(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        made = new_game(server)
        with closing(sqlite3.connect(server.directory / "gamekit.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            status, answer = server.call("POST", "/api/game/new", {"seed": 1})
            assert (status, answer["code"]) == (503, "unavailable")
            assert "lock" in answer["detail"]
            other.execute("ROLLBACK")
        assert order(server, made, 1)[0] == 200
        before = {one["id"] for one in server.call("GET", "/api/games", token=server.admin_token)[1]["games"]}
        assert before == {made["id"]}, "what was refused is not made later"


def removed(data: Path) -> None:
    shutil.rmtree(data)


def replaced(data: Path) -> None:
    shutil.copy(data / "gamekit.db", data / "copy")
    (data / "copy").replace(data / "gamekit.db")


def log_removed(data: Path) -> None:
    (data / "gamekit.db-wal").unlink()


def index_removed(data: Path) -> None:
    (data / "gamekit.db-shm").unlink()


def cut_short(data: Path) -> None:
    size = (data / "gamekit.db").stat().st_size
    with (data / "gamekit.db").open("r+b") as file:
        file.truncate(size - 4096)


def overwritten(data: Path) -> None:
    # As `cp backup.db gamekit.db` does: the file stays, and is another database.
    with SqliteJournal(data.parent / "other.db"):
        pass
    (data / "gamekit.db").write_bytes((data.parent / "other.db").read_bytes())


def emptied(data: Path) -> None:
    os.truncate(data / "gamekit.db", 0)


def log_emptied(data: Path) -> None:
    os.truncate(data / "gamekit.db-wal", 0)


def log_cut_short(data: Path) -> None:
    os.truncate(data / "gamekit.db-wal", 3 * 4096)


FAULTS = (removed, replaced, overwritten, log_removed, index_removed, cut_short, emptied)
IN_PLACE = (overwritten, cut_short, emptied, log_emptied, log_cut_short)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)
def test_files_that_are_not_at_their_paths_end_acks_and_everybody_is_told(tmp_path: Path, fault: Any) -> None:
    server = LiveServer(tmp_path / "data")

    async def play(made: dict[str, Any]) -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"], client="c")
        await socket.of("snapshot")
        fault(server.directory)
        notice = await socket.of("notice", kind="readonly")
        assert str(server.directory) in notice["message"]
        await socket.close()

    with server:
        made = new_game(server)
        assert order(server, made, 1)[0] == 200
        assert server.call("GET", "/readyz")[0] == 200
        asyncio.run(play(made))
        status, answer = order(server, made, 2)
        assert (status, answer["code"]) == (503, "readonly")
        assert "restore them from a backup" in answer["detail"]
        status, told = server.call("GET", "/readyz")
        assert (status, told["status"]) == (503, "readonly")
        assert server.call("GET", "/healthz")[0] == 200
        metrics(server, gamekit_readonly_sessions=1, gamekit_journal_failing=1)
        about = server.call("GET", f"/api/game/{made['id']}")[1]
        assert "cannot be written" in about["readonly"]
        status, answer = server.call("POST", "/api/game/new", {"seed": 1})
        assert (status, answer["code"]) == (503, "unavailable")
        assert server.log.read_text().count("what is written now would be lost") >= 1
        assert server.stop() == 1
        assert "not everything is on disk" in server.log.read_text()


@pytest.mark.parametrize("fault", IN_PLACE, ids=lambda one: one.__name__)
def test_what_is_written_after_a_file_was_spoiled_in_place_is_not_acknowledged(tmp_path: Path, fault: Any) -> None:
    """Nor in the second before the next look at the files."""
    with LiveServer(tmp_path / "data") as server:
        made = new_game(server)
        assert order(server, made, 1)[0] == 200
        fault(server.directory)
        assert [order(server, made, cid)[0] for cid in range(2, 8)] == [503] * 6
        assert server.call("GET", "/readyz")[0] == 503
        metrics(server, gamekit_journal_failing=1)
        assert "what is written now would be lost" in server.log.read_text()
        assert server.stop() == 1


def test_another_program_may_bring_the_log_in_and_empty_it(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    with server:
        made = new_game(server)
        for cid in range(1, 6):
            assert order(server, made, cid)[0] == 200
            with closing(sqlite3.connect(server.directory / "gamekit.db", isolation_level=None)) as other:
                # Busy, with nothing done, when it comes upon a commit.
                until(lambda: other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
        assert order(server, made, 6)[0] == 200
        metrics(server, gamekit_readonly_sessions=0, gamekit_journal_failing=0)
        server.kill()
    assert stored_cids(server.directory / "gamekit.db", made["id"]) == [1, 2, 3, 4, 5, 6]


def test_files_that_come_back_are_written_again_and_every_ack_holds(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    with server:
        made = new_game(server)
        assert order(server, made, 1)[0] == 200
        server.directory.rename(tmp_path / "away")
        assert order(server, made, 2)[1]["code"] == "readonly"
        metrics(server, gamekit_readonly_sessions=1, gamekit_journal_failing=1)
        (tmp_path / "away").rename(server.directory)
        metrics(server, gamekit_readonly_sessions=0, gamekit_journal_failing=0)
        # The second was written, though not where it would have been found; it is answered once, now.
        assert order(server, made, 2)[0] == 200
        assert order(server, made, 3)[0] == 200
        server.kill()
    assert stored_cids(server.directory / "gamekit.db", made["id"]) == [1, 2, 3]
    with server:
        assert order(server, made, 4)[0] == 200
    assert verified(server.directory / "gamekit.db")[0] == 0


def test_a_server_whose_database_was_replaced_leaves_the_new_one_alone_when_it_ends(tmp_path: Path) -> None:
    server, other = LiveServer(tmp_path / "data"), LiveServer(tmp_path / "other")
    with other:
        theirs = new_game(other)
        assert order(other, theirs, 1)[0] == 200
        other.kill()
    with server:
        made = new_game(server)
        # A restore under a running server: another database with a log of its own.
        for name in ("gamekit.db", "gamekit.db-wal"):
            shutil.copy(other.directory / name, server.directory / "copy")
            (server.directory / "copy").replace(server.directory / name)
        assert order(server, made, 1)[1]["code"] == "readonly"
        server.stop()
    for name in ("gamekit.db", "gamekit.db-wal"):
        assert (server.directory / name).read_bytes() == (other.directory / name).read_bytes()
    (server.directory / "gamekit.db-shm").unlink()
    assert stored_cids(server.directory / "gamekit.db", theirs["id"]) == [1]


def test_a_lock_file_that_was_removed_is_made_anew_so_that_no_second_server_starts(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        made = new_game(server)
        lock = server.directory / "gamekit.db.lock"
        lock.unlink()
        until = time.monotonic() + 30
        while not lock.exists():
            assert time.monotonic() < until
        until = time.monotonic() + 30
        while "locked anew" not in server.log.read_text():
            assert time.monotonic() < until
        assert order(server, made, 1)[0] == 200
        command = [sys.executable, "-m", "gamekit", "serve", "--port", "0", "--data", str(server.directory)]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1
        assert f"process {server.pid} has this journal open" in second.stderr


def test_a_lock_that_never_ends_does_not_keep_the_server_from_ending(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    database = server.directory / "gamekit.db"

    async def play(made: dict[str, Any]) -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"], client="c")
        ships = (await socket.of("snapshot"))["view"]["ships"]
        [ship] = [key for key, row in ships.items() if row["owner"] == made["player"]]
        await socket.send(type="command", cid=1, body=move(ship, 1))
        await socket.of("ack", cid=1)
        other.execute("BEGIN EXCLUSIVE")
        await socket.send(type="command", cid=2, body=move(ship, 2))
        await socket.of("notice", kind="late")
        # Far less than a lock may last; an orderly end is promised within seconds.
        await asyncio.get_running_loop().run_in_executor(None, server.stop, 20)
        assert [one["cid"] for one in socket.messages if one["type"] == "ack"] == [1]
        await socket.close()

    with server, closing(sqlite3.connect(database, isolation_level=None)) as other:
        asyncio.run(play(server.new_game(seed=1)))
        other.execute("ROLLBACK")
    games = verified(database)
    assert games[0] == 0, games
