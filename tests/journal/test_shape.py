"""The tables that are expected of a file are those that the migrations make."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gamekit.errors import JournalError
from gamekit.journal import SqliteJournal, SqliteReader, shape


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal without a game."""
    SqliteJournal(tmp_path / "journal.db").close()
    return tmp_path / "journal.db"


def test_expected_tables_and_columns_are_those_of_the_migrations(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        made = {
            name: {str(row[1]): str(row[2]) for row in connection.execute(f"PRAGMA table_info({name})")}
            for name in names
        }
    assert made == shape.TABLES
    SqliteReader(journal, strict=True).close()


def test_a_users_view_does_not_keep_a_server_from_starting_but_is_not_taken_in(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("CREATE VIEW names AS SELECT name FROM games")
    SqliteJournal(journal).close()
    SqliteReader(journal).close()
    with pytest.raises(JournalError, match="it has the view 'names'"):
        SqliteReader(journal, strict=True)


def test_a_view_in_the_place_of_a_table_is_refused_by_all(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("DROP TABLE players")
        connection.execute("CREATE VIEW players AS SELECT 1 AS game")
    for opened in (SqliteJournal, SqliteReader):
        with pytest.raises(JournalError, match="its table players is a view"):
            opened(journal)


def test_a_read_that_does_not_end_is_given_up(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gamekit.journal.reader.READ_S", 0.1)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with SqliteReader(journal) as reader, pytest.raises(JournalError, match="does not end"):
        reader._rows(endless)
