"""A copy of a part of a database is told from a whole one."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from gamekit.errors import JournalCorrupt
from gamekit.game import GameId
from gamekit.journal import SqliteJournal, SqliteReader, back_up

from .stage import SqliteStage

A = GameId("game-a")


@pytest.fixture
def used(database: SqliteStage) -> SqliteStage:
    """A database in use, with three records in its log."""
    author = database.begin(A)
    for _ in range(3):
        database.write(author.append())
    return database


def copied(path: Path, directory: Path, *suffixes: str) -> Path:
    """A copy of some of a database's files."""
    directory.mkdir()
    for suffix in ("", *suffixes):
        shutil.copy(f"{path}{suffix}", directory)
    return directory / path.name


def records(path: Path) -> int:
    with SqliteReader(path) as reader:
        return len(list(reader.records(A)))


def test_a_copy_of_the_main_file_alone_is_refused_by_all_who_open_it(used: SqliteStage, tmp_path: Path) -> None:
    lone = copied(used.path, tmp_path / "copy")
    for opened in (SqliteReader, SqliteJournal):
        with pytest.raises(JournalCorrupt, match=r"without its log, journal\.db-wal") as refusal:
            opened(lone)
        assert "gamekit backup" in refusal.value.hint
    # As it is said there, a person may go on with what there is.
    with closing(sqlite3.connect(lone, isolation_level=None)) as shell:
        shell.execute("DELETE FROM meta WHERE key = 'in_use'")
    assert records(lone) < 3


def test_a_copy_with_an_empty_log_is_refused_too(used: SqliteStage, tmp_path: Path) -> None:
    lone = copied(used.path, tmp_path / "copy")
    lone.with_name("journal.db-wal").touch()
    with pytest.raises(JournalCorrupt, match="without its log"):
        SqliteReader(lone)


def test_a_copy_of_both_files_is_whole(used: SqliteStage, tmp_path: Path) -> None:
    assert records(copied(used.path, tmp_path / "copy", "-wal")) == 3


KILLED = """
import os, pathlib, signal, sys
from gamekit.journal import SqliteJournal
from tests.journal.stage import game_row, snapshot
journal = SqliteJournal(pathlib.Path(sys.argv[1]))
journal.start(lambda done: None)
journal.create(game_row("game-a"), snapshot("game-a"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_server_left_is_whole_also_after_another_program_has_brought_its_log_in(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "journal.db"
    subprocess.run([sys.executable, "-c", KILLED, path], check=False)
    with SqliteReader(path) as reader:
        assert [row.id for row in reader.games()] == [A]
    with closing(sqlite3.connect(path)) as shell:
        assert shell.execute("SELECT count(*) FROM games").fetchone() == (1,)
    assert not path.with_name("journal.db-wal").exists()
    with SqliteReader(path) as reader:
        assert [row.id for row in reader.games()] == [A]
    with SqliteJournal(path) as journal:
        assert [row.id for row in journal.games()] == [A]
    assert "another program has brought it in" in caplog.text


def test_a_database_that_was_closed_in_order_is_whole_wherever_it_is_copied(used: SqliteStage, tmp_path: Path) -> None:
    used.journal.close()
    assert records(copied(used.path, tmp_path / "copy")) == 3
    with SqliteJournal(tmp_path / "copy" / "journal.db"):
        pass
    assert records(copied(tmp_path / "copy" / "journal.db", tmp_path / "twice")) == 3


def test_a_backup_of_a_database_in_use_is_whole(used: SqliteStage, tmp_path: Path) -> None:
    back_up(used.path, tmp_path / "backup.db")
    assert records(tmp_path / "backup.db") == 3
    assert records(copied(tmp_path / "backup.db", tmp_path / "copy")) == 3


def test_a_backup_that_is_put_beside_another_databases_log_is_refused(used: SqliteStage, tmp_path: Path) -> None:
    back_up(used.path, tmp_path / "backup.db")
    crashed = copied(used.path, tmp_path / "crashed", "-wal")
    os.replace(tmp_path / "backup.db", crashed)
    with pytest.raises(JournalCorrupt, match="of another database") as refusal:
        SqliteJournal(crashed)
    assert "move journal.db-wal" in refusal.value.hint
    crashed.with_name("journal.db-wal").unlink()
    with SqliteJournal(crashed) as journal:
        assert len(list(journal.records(A))) == 3


def test_database_log_index_and_lock_are_their_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with SqliteJournal(tmp_path / "data" / "journal.db"):
            found = {one.name: one.stat().st_mode & 0o777 for one in (tmp_path / "data").iterdir()}
            assert len(found) == 4
            assert set(found.values()) == {0o600}
            assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)
