"""A replicator that checkpoints beside us is refused where SQLite may lose a commit by it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from gamekit.errors import JournalError
from gamekit.journal import SqliteJournal
from gamekit.journal.neighbours import check_neighbours, may_share


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
        ((4, 0, 0), True),
    ],
)
def test_litestream_is_refused_where_sqlite_may_lose_a_commit(
    tmp_path: Path, version: tuple[int, int, int], safe: bool
) -> None:
    assert may_share(version) is safe
    path = tmp_path / "gamekit.db"
    check_neighbours(path, version)
    (tmp_path / ".gamekit.db-litestream").mkdir()
    if safe:
        check_neighbours(path, version)
    else:
        with pytest.raises(JournalError, match=r"replicated by Litestream.*run gamekit on SQLite 3\.51\.3 or later"):
            check_neighbours(path, version)


def test_a_journal_that_is_replicated_opens_only_where_that_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gamekit.db-litestream").mkdir()
    if may_share():
        SqliteJournal(tmp_path / "gamekit.db").close()
    else:
        with pytest.raises(JournalError, match=sqlite3.sqlite_version):
            SqliteJournal(tmp_path / "gamekit.db")
        assert not (tmp_path / "gamekit.db").exists()
