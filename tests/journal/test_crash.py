"""A real process is killed, or runs out of room: what it reported durable is there."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path

from gamekit.game import GameId
from gamekit.journal import SqliteReader

from .stage import Author, SqliteStage

APPENDER = Path(__file__).with_name("appender.py")


def check_reported(path: Path, reported: dict[str, int]) -> None:
    """Every reported record, and all before it, can be read, and the chains hold."""
    with SqliteReader(path) as reader:
        for game, seq in reported.items():
            found = [record.seq for record in reader.records(GameId(game))]
            assert found == list(range(1, len(found) + 1))
            assert len(found) >= seq, f"{game}: record {seq} was reported, the last one there is {len(found)}"


def take(line: str, reported: dict[str, int]) -> None:
    """Note one line of the appender."""
    game, seq = line.split()
    assert int(seq) == reported.get(game, int(seq) - 1) + 1
    reported[game] = int(seq)


def test_what_was_reported_survives_kill_9_five_times_in_a_row(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    chance = random.Random(2)
    reported: dict[str, int] = {}
    for _ in range(5):
        # Records that were durable, but whose report died with the process, do not count as reported.
        this_life: dict[str, int] = {}
        with subprocess.Popen([sys.executable, APPENDER, path], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(50, 800)):
                take(process.stdout.readline(), this_life)
            process.kill()
            # The pipe keeps what was said before the end; its last line may be torn.
            for line in process.stdout:
                if line.endswith("\n"):
                    take(line, this_life)
        assert process.returncode == -9
        reported |= this_life
        assert path.with_name("journal.db-wal").stat().st_size > 0
        check_reported(path, reported)
    assert len(reported) == 8
    assert sum(reported.values()) > 250


def test_full_disk_is_reported_as_such_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    limit = 600_000
    process = subprocess.run(
        [sys.executable, APPENDER, path, str(limit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert process.returncode == 0, process.stderr
    *lines, last = process.stdout.splitlines()
    assert last == "failed JournalFull"
    reported: dict[str, int] = {}
    for line in lines:
        take(line, reported)
    assert sum(reported.values()) > 100
    check_reported(path, reported)

    # With room again, the games go on where they were.
    stage = SqliteStage(path)
    stage.start()
    game = GameId("game-0")
    records = list(stage.journal.records(game))
    author = Author(stage.journal.open(game), records[-1])
    assert [done.error for done in stage.write(author.append())] == [None]
    stage.journal.close()
