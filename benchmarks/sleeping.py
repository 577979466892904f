"""What games cost that sleep, how fast they come back, and what silent sockets cost.

    python benchmarks/sleeping.py --games 10000                 # start-up and memory with so many sleeping games
    python benchmarks/sleeping.py --recover 1000 --commands 100 # from a killed server to so many sessions that are live
    python benchmarks/sleeping.py --recover 1000 --ask          # the same, and clients ask for all of them at once
    python benchmarks/sleeping.py --silent 2000 --seconds 30    # CPU of sockets that say nothing, awake and asleep

One JSON line. The databases are written directly, copies of one game, so that making them takes no time. Memory is
resident memory; CPU is from the operating system's accounting. Wall times are noisy on a shared machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sqlite3
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from gamekit.bench.processes import cpu_s, resident_kb
from gamekit.history import first_session, stored
from gamekit.journal import Append, GameRow, Record, Reserve, SqliteJournal, chain_of
from gamekit.space import SpaceGame
from tests.live import LiveServer
from tests.rawclient import RawSocket

GAME = SpaceGame()
#: How long games get to fall asleep under their sockets: the server's default and some more.
SETTLE_S = 75.0


def make(directory: Path, games: int, commands: int = 0) -> list[str]:
    """A database of so many games, each with so many commands after its snapshot; their ids."""
    path = directory / "gamekit.db"
    journal = SqliteJournal(path)
    journal.start(lambda done: None)
    ids = [f"game{number:06}" for number in range(games)]
    for game in ids:
        row = GameRow(game, "space", GAME.version, "Sleeping", "{}", 1, time.time())  # type: ignore[arg-type]
        first = first_session(GAME, row)
        if game == ids[0]:
            journal.create(row, stored(first, first.snapshot(), tick=0, seq=0))
            break
    journal.close()
    with sqlite3.connect(path) as db:
        columns = {
            name: [row[1] for row in db.execute(f"pragma table_info({name})")] for name in ("games", "snapshots")
        }
        for table, key in (("games", "id"), ("snapshots", "game")):
            [one] = db.execute(f"select * from {table}").fetchall()
            at = columns[table].index(key)
            marks = ",".join("?" * len(one))
            db.executemany(
                f"insert into {table} values ({marks})", ((*one[:at], game, *one[at + 1 :]) for game in ids[1:])
            )
        db.executemany("insert into clock values (?, 0, ?)", ((game, time.time()) for game in ids))
    db.close()
    if commands:
        append_commands(path, ids, commands)
    return ids


def reserved_after(commands: int) -> int:
    """The tick that is reserved when a game with so many commands is killed: half a minute after the last."""
    return 5 * commands + 300


def append_commands(path: Path, ids: list[str], commands: int) -> None:
    """A join and so many orders for each game, as a server would have journaled them, without a later snapshot."""
    sectors = list(GAME.view(GAME.new({}, 1), None)["sectors"])
    bodies = [{"player": "p1", "client": "@server", "cid": 0, "body": {"type": "join", "name": "Ada"}}]
    for number in range(commands - 1):
        to = {"sector": sectors[number % len(sectors)], "x": number, "y": 0}
        body = {"type": "move", "ship": "ship-1", "to": to}
        bodies.append({"player": "p1", "client": "c", "cid": number + 1, "body": body})
    texts = [json.dumps([body]) for body in bodies]
    journal = SqliteJournal(path)
    journal.start(lambda done: None)
    for game in ids:
        epoch, chain = journal.open(game).epoch, ""  # type: ignore[arg-type]
        writes: list[Any] = []
        for at, text in enumerate(texts):
            seq, tick = at + 1, 1 + 5 * at
            chain = chain_of(chain, game, epoch, seq, tick, text)  # type: ignore[arg-type]
            writes.append(Append(Record(game, epoch, seq, tick, text, chain)))  # type: ignore[arg-type]
        writes.append(Reserve(game, epoch, reserved_after(commands), at_s=time.time()))  # type: ignore[arg-type]
        journal.submit(writes)
    journal.close()


def children(pid: int) -> list[int]:
    """The processes that a process has started and not seen the end of."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def cpu_of_ended(pid: int) -> float:
    """CPU seconds of the processes that it has started and seen the end of."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def metric(server: LiveServer, name: str) -> float:
    """One number of `/metrics`."""
    with urllib.request.urlopen(server.url + "metrics") as answer:
        text = answer.read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines() if line.startswith(name + " "))


def started(directory: Path) -> tuple[float, int, dict[str, float]]:
    """Start a server and look at it: seconds until it answers, resident kB, what it did by itself."""
    begun = time.monotonic()
    with LiveServer(directory) as server:
        took = time.monotonic() - begun
        time.sleep(2)
        counted = {"sessions": metric(server, "gamekit_sessions"), "wakes": metric(server, "gamekit_wakes_total")}
        return took, resident_kb(server.pid), counted


def sleeping(games: int) -> dict[str, Any]:
    """Start-up and memory of a server with sleeping games, beside those of an empty one."""
    with tempfile.TemporaryDirectory() as place:
        # Twice: the first start of a database makes its tables, for which it loads much that no other start needs.
        started(Path(place) / "empty")
        empty_s, empty_kb, _ = started(Path(place) / "empty")
        full = Path(place) / "full"
        make(full, games)
        full_s, full_kb, counted = started(full)
        with sqlite3.connect(full / "gamekit.db") as db:
            epochs, clocks = db.execute("select max(epoch), (select max(tick) from clock) from games").fetchone()
        db.close()
        with LiveServer(full) as server:
            begun, listed, after = time.monotonic(), 0, ""
            while True:
                page = server.call("GET", f"/api/games?after={after}", token=server.admin_token)[1]
                listed += len(page["games"])
                if not page["next"]:
                    break
                after = page["next"]
            list_s = time.monotonic() - begun
    return {
        "start_s": round(full_s, 2),
        "start_empty_s": round(empty_s, 2),
        "resident_mb": round(full_kb / 1024, 1),
        "resident_empty_mb": round(empty_kb / 1024, 1),
        "sessions_opened": counted["sessions"] + counted["wakes"],
        "journal_writes": epochs + clocks,
        "listed": listed,
        "list_s": round(list_s, 2),
    }


def recover(games: int, commands: int, asking: bool) -> dict[str, Any]:
    """Start a server on games with commands since their snapshots, as a killed one leaves them.

    A game is live when the journal holds a tick that no run before had reserved: that is what lets it go on.

    Args:
        games: how many.
        commands: how many each.
        asking: clients ask for all of them at once, and a game is live when its client has its snapshot.
    """
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "data"
        ids = make(directory, games, commands)
        begun = time.monotonic()
        with LiveServer(directory) as server:
            ready_s = time.monotonic() - begun
            times = (
                asyncio.run(ask_for(server, ids, begun))
                if asking
                else watched(directory, games, reserved_after(commands), begun)
            )
            deadline = time.monotonic() + 60
            while children(server.pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            cpu, beside = cpu_s(server.pid), cpu_of_ended(server.pid)
            woken = metric(server, "gamekit_wakes_total")
    return {
        "ready_s": round(ready_s, 2),
        "first_live_s": round(times[0], 2),
        "half_live_s": round(times[len(times) // 2], 2),
        "all_live_s": round(times[-1], 2),
        "server_cpu_s": round(cpu, 2),
        "replayers_cpu_s": round(beside, 2),
        "cpu_ms_per_game": round((cpu + beside) * 1000 / games, 2),
        "woken": woken,
    }


async def ask_for(server: LiveServer, ids: list[str], begun: float) -> list[float]:
    """When each client had its snapshot."""
    base = server.url.replace("http", "ws")
    limit = asyncio.Semaphore(200)

    async def one(game: str) -> float:
        async with limit:
            socket = await RawSocket.open(f"{base}api/game/{game}/ws", token="")
            await socket.of("snapshot", 120)
            return time.monotonic() - begun

    return sorted(await asyncio.gather(*map(one, ids)))


def watched(directory: Path, games: int, reserved: int, begun: float) -> list[float]:
    """When each game was live, to a twentieth of a second."""
    times: list[float] = []
    with sqlite3.connect(f"file:{directory}/gamekit.db?mode=ro", uri=True) as db:
        while len(times) < games and time.monotonic() - begun < 120:
            time.sleep(0.05)
            [[live]] = db.execute("select count(*) from clock where tick > ?", (reserved,)).fetchall()
            times += [time.monotonic() - begun] * (live - len(times))
    db.close()
    return times


def silent(sockets: int, seconds: float) -> dict[str, Any]:
    """Sockets that say nothing, ten a game: what they cost at first, and when their games have had time to fall asleep.

    The games are paused, for a galaxy in which stations work has news for its sockets in every second.
    """
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / "data"
        ids = make(directory, max(sockets // 10, 1))
        with LiveServer(directory) as server:

            async def hold() -> dict[str, Any]:
                base = server.url.replace("http", "ws")
                held = [await RawSocket.open(f"{base}api/game/{ids[n % len(ids)]}/ws?token=") for n in range(sockets)]
                for game in ids:
                    await asyncio.to_thread(server.admin, game, "pause")
                reading = [asyncio.create_task(socket.closed(1e6)) for socket in held]
                found = {}
                for name in ("first", "later"):
                    cpu, wall = cpu_s(server.pid), time.monotonic()
                    received = sum(len(socket.messages) for socket in held)
                    await asyncio.sleep(seconds)
                    wall = time.monotonic() - wall
                    found[f"{name}_cpu_per_s"] = round((cpu_s(server.pid) - cpu) / wall, 4)
                    messages = sum(len(socket.messages) for socket in held) - received
                    found[f"{name}_messages_per_s"] = round(messages / wall, 1)
                    found[f"{name}_asleep"] = await asyncio.to_thread(asleep, server)
                    await asyncio.sleep(SETTLE_S if name == "first" else 0)
                for task in reading:
                    task.cancel()
                return found

            return asyncio.run(hold())


def asleep(server: LiveServer) -> float:
    """How many games sleep under their sockets; nan for a server that knows no sleep."""
    try:
        return metric(server, "gamekit_sleepers")
    except (OSError, IndexError):
        return float("nan")


def main() -> None:
    """Measure once and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", type=int, default=0)
    parser.add_argument("--recover", type=int, default=0, help="sessions to bring back")
    parser.add_argument("--commands", type=int, default=100, help="commands since each snapshot")
    parser.add_argument("--ask", action="store_true", help="clients ask for all of them, instead of nobody")
    parser.add_argument("--silent", type=int, default=0, help="sockets that say nothing")
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to look at silent sockets")
    asked = parser.parse_args()
    result: dict[str, Any] = {"benchmark": "sleeping", "python": platform.python_version(), "cpus": os.cpu_count()}
    if asked.games:
        result |= {"games": asked.games, **sleeping(asked.games)}
    if asked.recover:
        result |= {
            "recover": asked.recover,
            "commands": asked.commands,
            **recover(asked.recover, asked.commands, asked.ask),
        }
    if asked.silent:
        result |= {"silent": asked.silent, **silent(asked.silent, asked.seconds)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
