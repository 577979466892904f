"""How fast the SQLite journal makes commands durable, and at what cost.

    python benchmarks/journal.py --games 500 --commands-per-s 1000 --seconds 5
    python benchmarks/journal.py --games 500 --rows 100000

The first form sends single records of random games at an even rate, as a server's event loop does, every 10 ms; the
second as many as the journal takes, with at most one record of each game under way. Prints one line of JSON:

- `ack_p50_ms`, `ack_p99_ms`, `ack_max_ms`: from `submit` to the call of `on_commit`, in milliseconds
- `commits_per_s`, `rows_per_commit`, `rows_per_s`: over the measured time
- `cpu_s`: CPU seconds of the whole process, and `cpu_us_per_row`
- `digest`: over the chains of all games, read back and checked; the same arguments give the same digest

`--busy 0.5` keeps the submitting thread busy for half of the time with plain Python, as a loaded event loop is. That is
what the writer's few and large SQL statements are for: every call into SQLite gives up the interpreter's lock and has
to wait for it. `--fsync-probe` also reports what one fsynced commit of one row costs on this disk, to compare with.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gamekit.game import GameId
from gamekit.journal import Append, Completion, GameRow, Record, SqliteJournal, StoredSnapshot, chain_of, digest_of

STEP_S = 0.01
COMMANDS = (
    '[{"player":"p1","client":"8c1f0f6e","cid":1,"body":'
    '{"type":"move","ship":"ship-1","to":{"sector":"sirius","x":120,"y":-340},"append":false}}]'
)


class Load:
    """Some games in one journal, each with a record under way at times, and how long each took."""

    def __init__(self, path: Path, games: int) -> None:
        self.journal = SqliteJournal(path)
        self.journal.start(self._note)
        self.games = [GameId(f"game-{number:05d}") for number in range(games)]
        self._chains = dict.fromkeys(self.games, "")
        self._seqs = dict.fromkeys(self.games, 0)
        self._sent_s: dict[Append, float] = {}
        self.acks_s: list[float] = []
        self._changed = threading.Condition()
        self._under_way = 0
        for game in self.games:
            first = StoredSnapshot(game, 0, 0, digest_of(b""), b"", 1)
            self.journal.create(GameRow(game, "space", 1, game, "{}", 1, 0.0), first)
            self.journal.open(game)

    def send(self, game: GameId) -> None:
        """Submit the next record of a game."""
        seq = self._seqs[game] + 1
        chain = chain_of(self._chains[game], game, 1, seq, seq, COMMANDS)
        write = Append(Record(game, 1, seq, seq, COMMANDS, chain))
        self._seqs[game], self._chains[game] = seq, chain
        with self._changed:
            self._under_way += 1
        self._sent_s[write] = time.perf_counter()
        self.journal.submit([write])

    def wait_below(self, limit: int) -> None:
        """Wait until fewer than `limit` records are under way."""
        with self._changed:
            self._changed.wait_for(lambda: self._under_way < limit)

    def digest(self) -> str:
        """A digest of all histories as they are on disk, each record checked."""
        whole = hashlib.blake2b(digest_size=16)
        for game in self.games:
            for record in self.journal.records(game):
                whole.update(record.chain.encode())
        return whole.hexdigest()

    def _note(self, completions: Sequence[Completion]) -> None:
        now_s = time.perf_counter()
        for done in completions:
            if done.error is not None:
                raise done.error
            assert isinstance(done.write, Append)
            self.acks_s.append(now_s - self._sent_s.pop(done.write))
        with self._changed:
            self._under_way -= len(completions)
            self._changed.notify()


def send_evenly(load: Load, commands_per_s: float, seconds: float, busy: float, chance: random.Random) -> None:
    """Send at an even rate, every 10 ms what has become due, and keep this thread busy for a part of the time."""
    began_s, sent = time.perf_counter(), 0
    for step in range(round(seconds / STEP_S)):
        due = round((step + 1) * STEP_S * commands_per_s)
        for _ in range(due - sent):
            load.send(chance.choice(load.games))
        sent = due
        busy_until_s = time.perf_counter() + busy * STEP_S
        while time.perf_counter() < busy_until_s:
            sum(range(200))
        time.sleep(max(0.0, began_s + (step + 1) * STEP_S - time.perf_counter()))


def send_as_fast_as_possible(load: Load, rows: int) -> None:
    """Send `rows` records to the games in turn, one of each under way."""
    for number in range(rows):
        load.wait_below(len(load.games))
        load.send(load.games[number % len(load.games)])


def one_row_commit_ms(directory: Path, commits: int = 50) -> float:
    """Median milliseconds of an fsynced commit of one row by itself."""
    connection = sqlite3.connect(directory / "probe.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE probe (text TEXT)")
    times_s = []
    for _ in range(commits):
        began_s = time.perf_counter()
        connection.execute("INSERT INTO probe VALUES (?)", (COMMANDS,))
        times_s.append(time.perf_counter() - began_s)
    connection.close()
    return sorted(times_s)[commits // 2] * 1000


def measure(arguments: argparse.Namespace, directory: Path) -> dict[str, Any]:
    """One run in an empty directory."""
    load = Load(directory / "benchmark.db", arguments.games)
    stats = load.journal.stats
    commits_before, cpu_before_s, began_s = stats.commits, time.process_time(), time.perf_counter()
    if arguments.rows:
        send_as_fast_as_possible(load, arguments.rows)
    else:
        chance = random.Random(arguments.seed)
        send_evenly(load, arguments.commands_per_s, arguments.seconds, arguments.busy, chance)
    load.wait_below(1)
    elapsed_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_before_s
    commits, rows = stats.commits - commits_before, len(load.acks_s)
    acks_ms = sorted(ack_s * 1000 for ack_s in load.acks_s)
    result = {
        "mode": "rows" if arguments.rows else "paced",
        "games": arguments.games,
        "rows": rows,
        "seconds": round(elapsed_s, 3),
        "rows_per_s": round(rows / elapsed_s),
        "commits_per_s": round(commits / elapsed_s, 1),
        "rows_per_commit": round(rows / commits, 2),
        "ack_p50_ms": round(acks_ms[rows // 2], 3),
        "ack_p99_ms": round(acks_ms[rows * 99 // 100], 3),
        "ack_max_ms": round(acks_ms[-1], 3),
        "cpu_s": round(cpu_s, 3),
        "cpu_us_per_row": round(cpu_s / rows * 1e6, 1),
        "digest": load.digest(),
        "busy": arguments.busy,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    load.journal.close()
    if arguments.fsync_probe:
        result["one_row_commit_ms"] = round(one_row_commit_ms(directory), 3)
    return result


def main(words: Sequence[str]) -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--games", type=int, default=500, help="how many games share the journal")
    parser.add_argument(
        "--commands-per-s", type=float, default=1000.0, help="rate of single-command records, of all games"
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="how long to send")
    parser.add_argument("--rows", type=int, default=0, help="send this many records as fast as possible instead")
    parser.add_argument("--busy", type=float, default=0.0, help="part of the time the sending thread is busy, 0 to 1")
    parser.add_argument("--seed", type=int, default=1, help="which games are chosen")
    parser.add_argument("--fsync-probe", action="store_true", help="also time an fsynced commit of one row")
    parser.add_argument(
        "--data", type=Path, default=None, help="directory on the disk to measure (default: a temporary one)"
    )
    arguments = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="gamekit-benchmark-", dir=arguments.data) as directory:
        print(json.dumps(measure(arguments, Path(directory))))


if __name__ == "__main__":
    main(sys.argv[1:])
