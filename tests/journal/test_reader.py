"""Reading without the lock: beside a running server, after a killed one, and where nothing may be written."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gamekit.errors import JournalError, JournalGap
from gamekit.game import GameId
from gamekit.journal import JournalReader, SqliteJournal, SqliteReader
from gamekit.journal.reader import PAGE_ROWS, POOL_SIZE

from .stage import PATIENCE_S, Author, SqliteStage

A = GameId("game-a")


def test_reader_sees_each_record_once_it_is_reported(database: SqliteStage) -> None:
    author = database.begin(A)
    with SqliteJournal.reader(database.path) as reader:
        for number in range(1, 20):
            database.write(author.append())
            assert len(list(reader.records(A))) == number
        assert reader.games() == database.journal.games()
        assert reader.snapshot(A) == database.journal.snapshot(A)


def test_reader_offers_the_reading_half_of_the_contract(database: SqliteStage) -> None:
    reader: JournalReader = SqliteReader(database.path)
    reader.close()
    with pytest.raises(JournalError, match="closed"):
        reader.games()


def test_reader_cannot_write(database: SqliteStage) -> None:
    with (
        SqliteReader(database.path) as reader,
        reader._connection() as connection,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        connection.execute("DELETE FROM games")


def test_half_read_history_stops_neither_writer_nor_checkpoint(database: SqliteStage) -> None:
    author = database.begin(A)
    database.write(*[author.append() for _ in range(PAGE_ROWS + 10)])
    reading = database.journal.records(A)
    assert next(reading).seq == 1
    database.write(author.append())
    with database.raw() as connection:
        busy, pages, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert (busy, pages, moved) == (0, 0, 0)
    assert [record.seq for record in reading] == list(range(2, PAGE_ROWS + 12))


def test_many_threads_read_while_one_writes(database: SqliteStage) -> None:
    author = database.begin(A)
    done = threading.Event()
    lengths: list[list[int]] = [[] for _ in range(2 * POOL_SIZE)]

    def read(seen: list[int]) -> None:
        while not done.is_set():
            seen.append(sum(1 for _ in database.journal.records(A)))

    threads = [threading.Thread(target=read, args=(seen,)) for seen in lengths]
    for thread in threads:
        thread.start()
    for _ in range(50):
        database.write(author.append())
    done.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    for seen in lengths:
        assert seen == sorted(seen)
    assert isinstance(database.journal, SqliteJournal)
    assert 0 < len(database.journal._idle) <= POOL_SIZE


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"nowhere\.db does not exist"):
        SqliteReader(tmp_path / "nowhere.db")
    assert list(tmp_path.iterdir()) == []


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    script = "import sys; from gamekit.journal import SqliteReader; SqliteReader(sys.argv[1])"
    command = [sys.executable, "-c", script, str(tmp_path / "pipe")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "is no file" in done.stderr


@contextmanager
def as_somebody_who_may_not_write(directory: Path) -> Iterator[None]:
    """Make a directory read-only, and if we are the superuser, for whom nothing is, be somebody else meanwhile."""
    for entry in directory.iterdir():
        entry.chmod(0o444)
    directory.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        directory.chmod(0o755)


class TestReadOnlyDirectory:
    """As the module's docstring says."""

    @pytest.fixture
    def shelf(self) -> Iterator[Path]:
        """A directory that anybody may enter."""
        made = Path(tempfile.mkdtemp(prefix="gamekit-shelf-"))
        made.chmod(0o755)
        yield made
        shutil.rmtree(made)

    def copy(self, database: SqliteStage, shelf: Path, *suffixes: str) -> Path:
        for suffix in suffixes:
            shutil.copy(f"{database.path}{suffix}", shelf)
        return shelf / database.path.name

    def test_killed_database_is_read_with_its_log_and_index(self, database: SqliteStage, shelf: Path) -> None:
        database.write(database.begin(A).append())
        path = self.copy(database, shelf, "", "-wal", "-shm")
        with as_somebody_who_may_not_write(shelf), SqliteReader(path) as reader:
            assert len(list(reader.records(A))) == 1

    def test_killed_database_without_its_index_is_refused_not_read_in_part(
        self, database: SqliteStage, shelf: Path
    ) -> None:
        database.write(database.begin(A).append())
        path = self.copy(database, shelf, "", "-wal")
        with as_somebody_who_may_not_write(shelf), pytest.raises(JournalError, match="copy"):
            SqliteReader(path)
        with SqliteReader(path) as reader:
            assert len(list(reader.records(A))) == 1

    def test_cleanly_closed_database_is_read(self, database: SqliteStage, shelf: Path) -> None:
        database.write(database.begin(A).append())
        database.journal.close()
        path = self.copy(database, shelf, "")
        with as_somebody_who_may_not_write(shelf), SqliteReader(path) as reader:
            assert len(list(reader.records(A))) == 1
            with pytest.raises(JournalGap):
                reader.chain(A, 2)
        assert [entry.name for entry in shelf.iterdir()] == ["journal.db"]


def test_database_is_read_beside_its_log_alone(database: SqliteStage, tmp_path: Path) -> None:
    database.write(database.begin(A).append())
    copied = tmp_path / "copy"
    copied.mkdir()
    for suffix in ("", "-wal"):
        shutil.copy(f"{database.path}{suffix}", copied)
    stage = SqliteStage(copied / "journal.db")
    stage.start()
    (record,) = stage.journal.records(A)
    assert [done.error for done in stage.write(Author(stage.journal.open(A), record).append())] == [None]
    stage.journal.close()
