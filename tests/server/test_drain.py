"""An orderly stop: clients are told, what is under way is finished, and the next start begins exactly there."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gamekit.game import GameId
from gamekit.history import first_session, stored
from gamekit.journal import GameRow, SqliteJournal
from tests.counter_game import CounterGame
from tests.live import LiveServer
from tests.rawclient import RawSocket


async def last_tick_shown(server: LiveServer, made: dict[str, Any], ship: str, number: int) -> int:
    """Give an order, send the signal, and watch until the server has said goodbye."""
    client = await RawSocket.open(made["ws_url"], token=made["token"], client="c")
    await client.of("snapshot")
    order = {"type": "move", "ship": ship, "to": {"sector": "sirius", "x": 0, "y": 0}}
    await client.send(type="command", cid=1, body=order)
    await client.of("ack", cid=1)
    os.kill(server.pid, number)
    await client.of("notice", kind="drain")
    assert await client.closed() == 1001
    return max(message.get("tick", 0) for message in client.messages if message["type"] != "ack")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_and_the_next_start_continues_at_the_same_tick(tmp_path: Path, number: int) -> None:
    server = LiveServer(tmp_path / "data")
    with server:
        # Its time stands still while the server is down, so that what a stop skips can be told from what passes.
        made = server.new_game(seed=1, when_empty="pause")
        ship = "ship-1"
        shown = asyncio.run(last_tick_shown(server, made, ship, number))
        assert server.stop() == 0
    assert "drained: every game is safe on disk" in server.log.read_text()

    with server:
        server.admin(made["id"], "pause")
        state = server.state(made["id"], made["token"])
        assert state["tick"] >= shown
        assert state["tick"] < shown + 100, "an orderly stop must not skip the reserved ticks"
        assert state["view"]["ships"][ship]["queue"], "the order was lost"


def test_impatient_supervisor_does_not_turn_a_drain_into_a_death(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        server.new_game(seed=1)
        pid, log = server.pid, server.log
        while True:  # until it is gone: `stop` gives the status of a process that has ended
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                break
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
        assert server.stop() == 0
    assert "drained: every game is safe on disk" in log.read_text()


def test_a_game_that_is_long_in_coming_back_does_not_hold_up_the_end(tmp_path: Path) -> None:
    began = tmp_path / "began"
    (tmp_path / "lengthy.py").write_text(
        "import pathlib, time\nfrom tests.counter_game import CounterGame\nclass Lengthy(CounterGame):\n"
        f"    name = 'lengthy'\n    def decode(self, data, version):\n        pathlib.Path({str(began)!r}).touch()\n"
        "        time.sleep(120)\n"
    )
    server = LiveServer(tmp_path / "data", options=("--game", "lengthy:Lengthy"))
    row = GameRow(GameId("g"), "lengthy", CounterGame.version, "Long", "{}", 1, 0.0)
    journal = SqliteJournal(tmp_path / "data" / "gamekit.db")
    journal.start(lambda done: None)
    first = first_session(CounterGame(), row)
    journal.create(row, stored(first, first.snapshot(), tick=0, seq=0))
    journal.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), *sys.path]))
        server.start()
    with socket.create_connection(("127.0.0.1", server.port)) as asking:
        asking.sendall(b"GET /api/game/g/state HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        while not began.exists():
            server.call("GET", "/healthz")
        assert server.stop(timeout_s=60) == 0
    assert "drained: every game is safe on disk" in server.log.read_text()


def test_a_second_server_on_the_same_data_is_refused_and_says_who_has_it(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        command = [sys.executable, "-m", "gamekit", "serve", "--port", "0", "--data", str(tmp_path / "data")]
        second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert second.returncode == 1
        assert f"process {server.pid}" in second.stderr
        assert "Traceback" not in second.stderr
        assert server.call("GET", "/healthz")[0] == 200


def test_a_taken_port_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        command = [sys.executable, "server.py", "--port", port, "--data", str(tmp_path / "data")]
        result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 1
    assert f"Port {port}" in result.stderr
    assert "--port" in result.stderr
    assert "Traceback" not in result.stderr


#: Runs a server and writes down which answer to a signal is put in the place of which.
WATCHING = """
import signal, sys
really = signal.signal
def watched(number, answer):
    print("signal", int(number), answer is signal.SIG_DFL, file=sys.stderr, flush=True)
    return really(number, answer)
signal.signal = watched
sys.argv = ["gamekit", *sys.argv[1:]]
from gamekit.cli import main
main()
"""


def test_no_signal_is_left_to_its_default_for_a_moment(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WATCHING, "serve", "--port", "0", "--data", str(tmp_path), "--exit-with-parent"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert "gamekit server at" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    told = [line.split() for line in said.splitlines() if line.startswith("signal")]
    # Each is answered by the server, and at last by nobody.
    assert {(number, default) for _, number, default in told} == {("2", "False"), ("15", "False")}
