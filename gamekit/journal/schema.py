"""The tables of a journal in SQLite, made and brought up to date by migrations.

`docs/database.md` describes every table and column; a test compares the two. Numbers that need more than SQLite's
signed 64 bits (seeds) are decimal text, never reals. Commands stay JSON text, so that the file can be read with
`sqlite-utils`, Datasette or pandas and nothing of ours. Foreign keys are declared, for tools that follow them, but not
enforced: every write has been checked before, and the check would cost a look-up a row.

`commands` is an ordinary rowid table with one index. With `(game, seq)` as a clustered key instead, rows of many games
land all over the file, at half the speed and ten times the bytes written. The index of `latency` starts with the time
for the same reason: a second's rows of a thousand games touch one page, not a thousand.
"""

from __future__ import annotations

import sqlite3
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gamekit.errors import JournalError
from gamekit.journal.shape import MIGRATIONS_TABLE, check_tables

#: Under which sqlite-utils notes which steps were applied.
MIGRATION_SET = "gamekit"
#: The names of all steps in `gamekit.journal.migrations`, in order; a test compares the two.
STEPS = ("_first_tables", "_single_ticks")
#: The steps that only add columns of measurements: a file that lacks them is read as it is, without bringing it up.
MEASUREMENTS = frozenset({"_single_ticks"})


def release() -> str:
    """The version of gamekit that is running."""
    try:
        return version("gamekit")
    except PackageNotFoundError:
        return "unknown"


def check(connection: sqlite3.Connection, path: Path, *, writing: bool) -> None:
    """Make sure that the file is a journal that this version of gamekit understands.

    Args:
        connection: any connection to it.
        path: its path, for the messages.
        writing: True when `upgrade` follows, so that an empty file or any older schema is welcome.

    Raises:
        JournalError: it is some other database, or a journal of another version.
    """
    tables = _tables(connection)
    applied = _applied(connection, tables)
    if not applied and (not writing or tables):
        raise JournalError(
            "open database", f"{path} is not a gamekit journal", hint="give the path of a journal, or of a new file"
        )
    if applied - set(STEPS):
        raise JournalError(
            "open database",
            f"{path} was written by a newer gamekit ({', '.join(sorted(applied - set(STEPS)))})",
            hint="install that version or a later one",
        )
    if set(STEPS) - applied - MEASUREMENTS and not writing:
        raise JournalError(
            "open database",
            f"{path} was written by an older gamekit",
            hint="start the server on it once, which brings it up to date",
        )
    if applied:
        check_tables(connection, path)


def upgrade(connection: sqlite3.Connection) -> None:
    """Make the tables, or bring them up to date, and note who did. The connection is in autocommit mode."""
    if set(STEPS) - _applied(connection, _tables(connection)):
        from sqlite_utils import Database

        from gamekit.journal.migrations import migrations

        migrations.apply(Database(connection, recursive_triggers=False, execute_plugins=False))
    notes = {"opened_s": repr(time.time()), "opened_with": release(), "sqlite": sqlite3.sqlite_version}
    marks = ", ".join(["(?, ?)"] * len(notes))
    values = [value for note in notes.items() for value in note]
    connection.execute(f"INSERT OR REPLACE INTO meta (key, value) VALUES {marks}", values)


def _tables(connection: sqlite3.Connection) -> set[str]:
    return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _applied(connection: sqlite3.Connection, tables: set[str]) -> set[str]:
    """The steps that sqlite-utils has noted in its own table."""
    if MIGRATIONS_TABLE not in tables:
        return set()
    rows = connection.execute(f"SELECT name FROM {MIGRATIONS_TABLE} WHERE migration_set = ?", (MIGRATION_SET,))
    return {name for (name,) in rows}
