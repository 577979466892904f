"""A log that grows because a reader stays is warned of, at every doubling, with the reader's process."""

from __future__ import annotations

import logging
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gamekit.journal import growth
from gamekit.journal.growth import LogGrowth

STAYS = """
import sqlite3, sys
reader = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True, isolation_level=None)
reader.execute("begin")
reader.execute("select count(*) from t").fetchone()
print("reads", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[sqlite3.Connection, Path]]:
    """The connection that writes to a database, which begins its log anew only when told to."""
    path = tmp_path / "gamekit.db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma wal_autocheckpoint = 0")
    connection.execute("create table t (x blob)")
    yield connection, path
    connection.close()


def grow(connection: sqlite3.Connection, path: Path, size: int) -> int:
    """Write until the log has a size."""
    log = Path(f"{path}-wal")
    while log.stat().st_size < size:
        connection.execute("insert into t values (zeroblob(20000))")
    return log.stat().st_size


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "gamekit.journal"]


def test_a_reader_that_stays_is_named_once_for_each_doubling(
    written: tuple[sqlite3.Connection, Path], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, path = written
    monkeypatch.setattr(growth, "WARN_BYTES", 1_000_000)
    reader = subprocess.Popen([sys.executable, "-c", STAYS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with reader, caplog.at_level(logging.WARNING):
        assert reader.stdout is not None
        assert reader.stdout.readline() == b"reads\n"
        log = LogGrowth(path)
        for size in (900_000, 1_000_000, 1_500_000, 2_000_000, 2_500_000):
            log.look(connection, grow(connection, path, size))
        said = warnings(caplog)
        assert len(said) == 2
        assert all("read transaction" in line for line in said)
        if Path("/proc/locks").exists():
            assert str(reader.pid) in said[0]
        assert reader.stdin is not None
        reader.stdin.close()
        reader.wait(20)


def test_a_log_that_nothing_holds_is_no_warning(
    written: tuple[sqlite3.Connection, Path], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection, path = written
    monkeypatch.setattr(growth, "WARN_BYTES", 1_000_000)
    with caplog.at_level(logging.WARNING):
        LogGrowth(path).look(connection, grow(connection, path, 1_200_000))
    assert warnings(caplog) == []
