"""What is special to the SQLite backend: shared commits, failures, the lock, and what its file looks like."""

from __future__ import annotations

import json
import os
import sqlite3
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlite_utils

from gamekit.errors import JournalCorrupt, JournalError, JournalFull
from gamekit.game import GameId
from gamekit.journal import Append, Completion, PutLatency, SqliteJournal, Write
from gamekit.journal.statements import LATENCY_KEPT_S
from gamekit.journal.writer import MAX_BATCH_WRITES

from .stage import PATIENCE_S, WALL_S, Author, SqliteStage, game_row, latency_row, snapshot

A, B = GameId("game-a"), GameId("game-b")


def transactions_in_log(path: Path) -> int:
    """How many commits the write-ahead log holds, counted in its frames (sqlite.org/fileformat2.html#walformat)."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    page_bytes, salts = struct.unpack(">8xI4x8s", log[:24])
    count = 0
    for offset in range(32, len(log), 24 + page_bytes):
        _, pages_after_commit, frame_salts = struct.unpack(">II8s", log[offset : offset + 16])
        count += frame_salts == salts and pages_after_commit > 0
    return count


def connection_of(stage: SqliteStage) -> sqlite3.Connection:
    """The writing connection, to provoke what a disk does; only while nothing is being written."""
    assert isinstance(stage.journal, SqliteJournal)
    return stage.journal._write_connection


@contextmanager
def writer_held_up(stage: SqliteStage) -> Iterator[None]:
    """Keep the writer busy reporting a commit for the length of the block, so that what is submitted gathers."""
    reached, go_on = threading.Event(), threading.Event()
    note = stage.note

    def hold(completions: Sequence[Completion]) -> None:
        if not reached.is_set():
            reached.set()
            assert go_on.wait(PATIENCE_S)
        note(completions)

    # The journal was given the bound method; a new journal is given this one.
    stage.note = hold  # type: ignore[method-assign]
    stage.restart()
    author = stage.begin("held-up")
    stage.submit(author.append())
    assert reached.wait(PATIENCE_S)
    yield
    go_on.set()
    stage.settle()


class TestGroupCommit:
    def test_what_gathers_during_a_commit_shares_the_next(self, database: SqliteStage) -> None:
        authors = [database.begin(f"game-{number}") for number in range(100)]
        held: list[Author] = []
        with writer_held_up(database):
            held = [Author(author_row) for author_row in [game_row(author.game) for author in authors]]
            before = transactions_in_log(database.path)
            for author in held:
                database.submit(PutLatency((latency_row(author.game, WALL_S),)))
            database.submit(*[PutLatency((latency_row("", WALL_S + second),)) for second in range(100)])
        assert database.calls == [1, 200]
        assert transactions_in_log(database.path) == before + 1

    def test_records_of_all_games_share_one_fsync(self, database: SqliteStage) -> None:
        names = [f"game-{number}" for number in range(100)]
        for name in names:
            database.begin(name)
        with writer_held_up(database):
            before = transactions_in_log(database.path)
            authors = [self.author_of(database, name) for name in names]
            for author in authors:
                database.submit(author.append(), author.reserve(50))
        assert database.calls == [1, 200]
        assert transactions_in_log(database.path) == before + 1
        assert all(done.error is None for done in database.completions)
