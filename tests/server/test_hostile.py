"""Capsules that no server writes are refused soon and without much memory, and the lists still work."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.hostile import good, hostile
from tests.live import LiveServer

#: What one refusal may cost the server, in seconds of CPU, and all of them, in bytes of memory.
CPU_S = 2.0
MEMORY_BYTES = 200 << 20


def cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_bytes(pid: int) -> int:
    """The most memory that a process ever had."""
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells what another process uses")
def test_every_hostile_capsule_is_refused_and_the_lists_still_work(tmp_path: Path) -> None:
    refused: dict[str, str] = {}
    with LiveServer(tmp_path / "data") as server:
        made = server.new_game(seed=1)
        body = good(tmp_path / "first.capsule").read_bytes()
        assert server.call("POST", "/api/games/import?new_id=1", body, token=server.admin_token)[0] == 201
        before = server.call("GET", "/api/games", token=server.admin_token)[1]["games"]
        started = peak_bytes(server.pid)
        for name, path in hostile(tmp_path):
            spent = cpu_s(server.pid)
            status, answer = server.call("POST", "/api/games/import", path.read_bytes(), token=server.admin_token)
            spent = cpu_s(server.pid) - spent
            assert status == 422, f"{name}: {status} {answer}"
            assert answer["code"] in {"damaged", "bad_past", "unknown_game"}, (name, answer)
            assert spent <= CPU_S, f"{name} cost {spent:.1f} s"
            refused[name] = answer["detail"]
        grown = peak_bytes(server.pid) - started
        assert grown <= MEMORY_BYTES, f"{grown / 2**20:.0f} MB"
        assert len(refused) >= 25
        after = server.call("GET", "/api/games", token=server.admin_token)[1]["games"]
        assert [one["id"] for one in after] == [one["id"] for one in before]
        assert server.state(made["id"])["tick"] >= 0
        assert server.call("POST", "/api/games/import", body, token=server.admin_token)[0] == 201
        assert "Traceback" not in server.log.read_text()


LOOKED_AT = """
import contextlib, io, resource, sys, time
from pathlib import Path
from click.testing import CliRunner
from gamekit.cli import main
import gamekit.lab
from tests.hostile import good, hostile

directory = Path(sys.argv[1])
assert CliRunner().invoke(main, ["verify", str(good(directory / "first.capsule"))]).exit_code == 0
assert CliRunner().invoke(main, ["fork", str(directory / "first.capsule"), str(directory / "x")]).exit_code == 0
base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
peak = base
for name, path in hostile(directory):
    # What making it took does not count.
    base += max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak)
    for command in (["verify", path], ["ls", "--db", path], ["fork", path, directory / "fork"]):
        spent = time.process_time()
        done = CliRunner().invoke(main, [str(one) for one in command])
        spent = time.process_time() - spent
        broke = done.exception is not None and not isinstance(done.exception, SystemExit)
        print(f"{name}|{command[0]}|{done.exit_code}|{spent:.2f}|{repr(done.exception) if broke else ''}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(f"memory|{(peak - base) * 1024}")
"""


def test_who_looks_at_a_hostile_capsule_gets_a_sentence_and_no_copy(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LOOKED_AT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    *lines, memory = done.stdout.splitlines()
    for line in lines:
        _, verb, status, spent, broke = line.split("|")
        assert not broke, line
        assert float(spent) <= CPU_S, line
        # Listing says what is wrong with each game, and a copy is judged when it is played.
        assert verb != "verify" or int(status) != 0, line
    assert int(memory.split("|")[1]) <= MEMORY_BYTES


#: Rows of a database that was damaged, or that an older server let in: {what: SQL}. They are done to the second game.
ROWS = {
    "clock": "UPDATE clock SET tick = 9000000000000000000 WHERE game = :game",
    "wall": "UPDATE clock SET wall_s = 9e999 WHERE game = :game",
    "configuration": "UPDATE games SET config = '[]' WHERE id = :game",
    "nested configuration": "UPDATE games SET config = '{\"scenario\": ' || replace(hex(zeroblob(60000)), '00', '[') "
    "|| replace(hex(zeroblob(60000)), '00', ']') || '}' WHERE id = :game",
    "seed": "UPDATE games SET seed = 'nan' WHERE id = :game",
    "epoch": "UPDATE games SET epoch = 9223372036854775807 WHERE id = :game",
    "name": "UPDATE games SET name = cast(x'ff41ff' AS text) WHERE id = :game",
    "created": "UPDATE games SET created_s = 9e999 WHERE id = :game",
    "snapshot": "UPDATE snapshots SET data = x'00', plain_bytes = 9223372036854775807 WHERE game = :game",
}


def test_a_server_whose_database_holds_such_rows_starts_lists_them_and_plays_the_others(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "data")
    with server:
        well = server.new_game(seed=1)
        games = {what: server.new_game(seed=1)["id"] for what in ROWS}
        # Live when it dies, so that the next server opens them by itself.
        server.kill()
    with closing(sqlite3.connect(server.directory / "gamekit.db", isolation_level=None)) as connection:
        for what, sql in ROWS.items():
            connection.execute(sql, {"game": games[what]})
    for _ in range(2):
        with server:
            status, answer = server.call("GET", "/api/games", token=server.admin_token)
            assert status == 200, answer
            told = {one["id"]: one["damaged"] for one in answer["games"]}
            assert set(told) == {well["id"], *games.values()}
            assert told[well["id"]] is None
            assert told[games["configuration"]] == "its configuration is no JSON object"
            for what in ("nested configuration", "seed", "epoch", "name", "created"):
                assert told[games[what]], what
            for what, game in games.items():
                status, problem = server.call("GET", f"/api/game/{game}/state")
                assert status == 503, (what, problem)
                status, about = server.call("GET", f"/api/game/{game}")
                assert status in (200, 503), (what, about)
            assert server.state(well["id"])["tick"] >= 0
            assert server.call("GET", "/readyz")[0] == 200
            assert "Traceback" not in server.log.read_text()
    done = subprocess.run(
        [sys.executable, "-m", "gamekit", "ls", "--db", str(server.directory / "gamekit.db")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("damaged: ") >= len(ROWS) - 2
    assert well["id"] in done.stdout
