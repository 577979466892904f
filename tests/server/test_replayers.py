"""Processes that bring games back: what is asked of them is answered or done without them, whatever becomes of them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sleeping import make
from gamekit.errors import ServerBusy
from gamekit.history import rebuild
from gamekit.journal import GameRow, SqliteReader
from gamekit.server import replayer, replayers
from gamekit.server.replayer import LENGTH, Order, carried_out
from gamekit.server.replayers import GAMES_EACH, Replayers
from gamekit.session import Session
from gamekit.space import SpaceGame

GAME = SpaceGame()


@pytest.fixture
def rows(tmp_path: Path) -> list[GameRow]:
    """Games of a database."""
    make(tmp_path, 4)
    with SqliteReader(tmp_path / "gamekit.db") as reader:
        return list(reader.games())


async def all_of(helpers: Replayers, rows: list[GameRow]) -> list[Any]:
    """Ask for more than the processes take at a time."""
    answers: list[Any] = await asyncio.gather(*(helpers.rebuilt(row) for row in rows * 20))
    return answers


def test_a_process_that_hangs_is_given_up(
    tmp_path: Path, rows: list[GameRow], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(replayers, "SILENT_S", 0.05)

    async def check() -> None:
        helpers = Replayers(tmp_path / "gamekit.db", [])
        await helpers.start(2 * GAMES_EACH)
        processes = [one.process for one in helpers._processes]
        for process in processes:
            process.send_signal(signal.SIGSTOP)
        assert await asyncio.wait_for(all_of(helpers, rows), 20) == 80 * [None]
        for process in processes:
            # asyncio may find that its transport has reaped the process before it, and then does not know how it ended.
            await process.wait()
            with pytest.raises(ProcessLookupError):
                os.kill(process.pid, 0)
        await helpers.close()

    asyncio.run(check())
    assert "does not answer" in caplog.text
    caplog.clear()


@pytest.mark.parametrize("says", ["", "print('Welcome!')", "sys.stdout.buffer.write(bytes(4)); sys.stdin.read()"])
def test_a_process_that_gives_no_answers_is_asked_a_few_times_only(
    tmp_path: Path, rows: list[GameRow], says: str
) -> None:
    async def check() -> None:
        helpers = Replayers(tmp_path / "gamekit.db", [])
        helpers._command = [sys.executable, "-c", f"import sys; {says}"]
        await helpers.start(2 * GAMES_EACH)
        assert await asyncio.wait_for(all_of(helpers, rows), 20) == 80 * [None]
        await helpers.close()

    asyncio.run(check())


def test_a_game_that_the_process_does_not_have_is_left_to_the_server(
    tmp_path: Path, rows: list[GameRow], capfd: pytest.CaptureFixture[str]
) -> None:
    async def check() -> None:
        helpers = Replayers(tmp_path / "gamekit.db", ["pickle:/is/gone", "tests.counter_game:CounterGame"])
        await helpers.start(GAMES_EACH)
        (row, *_) = rows
        other = await helpers.rebuilt(GameRow("none", "counter", 1, "", "{}", 1, 0.0))  # type: ignore[arg-type]
        assert other is None
        back = await helpers.rebuilt(row)
        assert back is not None
        session = Session.restore(
            GAME, back.session, GAME.version, id=row.id, name=row.name, epoch=row.epoch, seq=back.seq
        )
        with SqliteReader(tmp_path / "gamekit.db") as reader:
            assert session.snapshot() == rebuild(reader, row, GAME).snapshot()
        await helpers.close()

    asyncio.run(check())
    assert capfd.readouterr().err == ""


def test_a_game_that_takes_long_is_left_to_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, 1, 3)
    with SqliteReader(tmp_path / "gamekit.db") as reader:
        (row,) = reader.games()
        games: dict[str, Any] = {GAME.name: GAME}
        assert carried_out(Order(row.id, row.epoch), reader, games).session
        monkeypatch.setattr(replayer, "MOST_S", -1.0)
        with pytest.raises(ServerBusy):
            carried_out(Order(row.id, row.epoch), reader, games)


def test_processes_that_are_being_started_when_all_is_closed_end(tmp_path: Path, rows: list[GameRow]) -> None:
    async def check() -> None:
        helpers = Replayers(tmp_path / "gamekit.db", [])
        begun: list[asyncio.subprocess.Process] = []
        really = asyncio.create_subprocess_exec

        async def create(*command: Any, **how: Any) -> asyncio.subprocess.Process:
            process = await really(*command, **how)
            begun.append(process)
            await helpers.close(at_once=True)
            return process

        asyncio.create_subprocess_exec = create
        try:
            await helpers.start(2 * GAMES_EACH)
        finally:
            asyncio.create_subprocess_exec = really
        assert len(begun) == 1
        assert begun[0].returncode is not None
        assert helpers.running == 0

    asyncio.run(check())


def test_a_process_ends_with_its_server_whatever_it_is_at(tmp_path: Path, rows: list[GameRow]) -> None:
    (tmp_path / "endless.py").write_text(
        "from tests.counter_game import CounterGame\nclass Endless(CounterGame):\n"
        "    name = 'space'\n    def decode(self, *_):\n        while True: print('still at it', flush=True)\n"
    )
    run = (
        "import gamekit.server.replayer as here, endless\n"
        "here._known = lambda paths: {'space': endless.Endless()}\nhere.main()"
    )
    order = replayers._write.encode(Order(rows[0].id, rows[0].epoch))
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", run, str(tmp_path / "gamekit.db")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(LENGTH.pack(len(order)) + order)
        process.stdin.flush()
        assert process.stderr.readline() == b"still at it\n"
        process.stdin.close()
        process.stderr.read()
        assert process.wait(20) == 0
