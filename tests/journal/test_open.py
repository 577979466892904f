"""What an earlier process left behind is safe before anything is built on it."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from gamekit.journal import SqliteJournal
from tests.journal.stage import SqliteStage


def test_the_log_of_a_killed_process_is_brought_into_the_database_at_the_start(tmp_path: Path) -> None:
    live, found = tmp_path / "live.db", tmp_path / "found.db"
    stage = SqliteStage(live)
    stage.start()
    author = stage.begin("game-1")
    assert [done.error for done in stage.write(author.append())] == [None]
    for suffix in ("", "-wal"):
        shutil.copy(f"{live}{suffix}", f"{found}{suffix}")
    stage.journal.close()

    with closing(SqliteJournal(found)):
        # Without its log: only what is in the database itself is read.
        alone = tmp_path / "alone.db"
        shutil.copy(found, alone)
        with closing(sqlite3.connect(alone)) as connection:
            assert connection.execute("SELECT count(*) FROM commands").fetchone() == (1,)
