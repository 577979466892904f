"""Whole pasts into a database: entering one beside others, writing one into a file of its own, copying all of them.

The counterpart of reading: what `Past` holds is stored here as if it had been written bit by bit.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from gamekit.errors import JournalError
from gamekit.journal import schema
from gamekit.journal.admission import check_past
from gamekit.journal.contract import Past
from gamekit.journal.mark import unmark
from gamekit.journal.reader import connect_read_only
from gamekit.journal.statements import INSERT_COMMANDS, INSERT_GAME, INSERT_PLAYERS, SET_CLOCKS, snapshot_statement

#: Database pages that a backup copies between two calls of its progress callback.
BACKUP_PAGES = 2_000


def insert_past(connection: sqlite3.Connection, past: Past, wall_s: float) -> None:
    """Store a past, within the caller's transaction.

    Raises:
        JournalError: there is a game with its id already.
    """
    row = past.row
    if connection.execute("SELECT 1 FROM games WHERE id = ?", (row.id,)).fetchone():
        raise JournalError("adopt", f"there is a game {row.id} already", hint="give it a new id")
    values = (row.id, row.game, row.version, row.name, row.config, str(row.seed), row.created_s, row.epoch)
    connection.execute(INSERT_GAME, values)
    records = [(one.game, one.epoch, one.seq, one.tick, one.commands, one.chain) for one in past.records]
    players = [(row.id, player, name, wall_s) for player, name in past.players.items()]
    for statement in (
        *INSERT_COMMANDS.statements(records),
        *map(snapshot_statement, past.snapshots),
        *SET_CLOCKS.statements([(row.id, past.tick, wall_s)]),
        *INSERT_PLAYERS.statements(players),
    ):
        connection.execute(*statement)


def write_past(path: Path, past: Past, wall_s: float) -> None:
    """Make a database that holds this game and nothing else, in one file, durable on return.

    Args:
        path: an empty or new file.
        past: what to write.
        wall_s: when its time is to go on from its tick, as Unix time in seconds: the time in between never passed.

    Raises:
        JournalError: the past is not whole.
        sqlite3.Error: the file cannot be written.
    """
    check_past(past)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = EXTRA")
        schema.upgrade(connection)
        connection.execute("BEGIN")
        insert_past(connection, past, wall_s)
        connection.execute("COMMIT")


def back_up(source: Path, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """Copy a database as it stands at one moment, while a server goes on writing it; durable on return.

    The source is only read, within one transaction, so that what is written meanwhile does not begin the copy anew.

    Args:
        source: the database.
        target: a new file.
        progress: told the pages done and the pages in all, every now and then.

    Raises:
        sqlite3.Error: one cannot be read, or the other not be written.
    """
    with closing(connect_read_only(source)) as reading, closing(sqlite3.connect(target)) as writing:
        reading.execute("BEGIN")
        reading.execute("SELECT 1 FROM sqlite_master").fetchone()

        def told(_: int, remaining: int, total: int) -> None:
            if progress is not None:
                progress(total - remaining, total)

        reading.backup(writing, pages=BACKUP_PAGES, progress=told, sleep=0)
        writing.isolation_level = None
        unmark(writing)
        # A log beside the copy would be a second file to lose.
        writing.execute("PRAGMA journal_mode = DELETE")
    with target.open("rb") as copied:
        os.fsync(copied.fileno())
