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
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gamekit.errors import JournalError

_migrations = Migrations("gamekit")
_known: set[str] = set()


def _migration(step: Callable[[Database], None]) -> None:
    """Register the next step; a step that was released is never changed, only followed by another."""
    _known.add(step.__name__)
    _migrations()(step)


_LATENCY_COLUMNS = {
    "game": str,
    "at_s": float,
    "ticks": int,
    "late_p50_us": int,
    "late_p99_us": int,
    "late_max_us": int,
    "work_p50_us": int,
    "work_p99_us": int,
    "work_max_us": int,
    "commands_us": int,
    "rules_us": int,
    "journal_us": int,
    "fanout_us": int,
}


@_migration
def _first_tables(db: Database) -> None:
    """The tables of gamekit 0.1."""

    def create(
        name: str, columns: dict[str, type], *, pk: str | tuple[str, ...] | None = None, game: bool = True
    ) -> None:
        db.table(name).create(
            columns,
            pk=pk,
            not_null=set(columns),
            foreign_keys=[("game", "games", "id")] if game else [],
            strict=True,
        )

    create(
        "games",
        {
            "id": str,
            "game": str,
            "version": int,
            "name": str,
            "config": str,
            "seed": str,
            "created_s": float,
            "epoch": int,
        },
        pk="id",
        game=False,
    )
    create("commands", {"game": str, "seq": int, "epoch": int, "tick": int, "commands": str, "chain": str})
    db.table("commands").create_index(["game", "seq"], unique=True)
    create(
        "snapshots",
        {"game": str, "tick": int, "seq": int, "digest": str, "version": int, "plain_bytes": int, "data": bytes},
    )
    db.table("snapshots").create_index(["game", "seq", "tick"], unique=True)
    create("players", {"game": str, "player": str, "name": str, "noted_s": float}, pk=("game", "player"))
    create("clock", {"game": str, "tick": int, "wall_s": float}, pk="game")
    create("latency", _LATENCY_COLUMNS, game=False)
    db.table("latency").create_index(["at_s", "game"])
    create("meta", {"key": str, "value": str}, pk="key", game=False)
    db.table("meta").insert_all(
        [{"key": "created_s", "value": repr(time.time())}, {"key": "created_with", "value": release()}]
    )


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
        writing: True when `upgrade` follows, so that an empty file or an older schema is welcome.

    Raises:
        JournalError: it is some other database, or a journal of another version.
    """
    db = Database(connection, recursive_triggers=False, execute_plugins=False)
    applied = {migration.name for migration in _migrations.applied(db)}
    if not applied and (not writing or db.table_names()):
        raise JournalError(
            "open database", f"{path} is not a gamekit journal", hint="give the path of a journal, or of a new file"
        )
    if applied - _known:
        raise JournalError(
            "open database",
            f"{path} was written by a newer gamekit ({', '.join(sorted(applied - _known))})",
            hint="install that version or a later one",
        )
    if _known - applied and not writing:
        raise JournalError(
            "open database",
            f"{path} was written by an older gamekit",
            hint="start the server on it once, which brings it up to date",
        )


def upgrade(connection: sqlite3.Connection) -> None:
    """Make the tables, or bring them up to date, and note who did."""
    db = Database(connection, recursive_triggers=False, execute_plugins=False)
    _migrations.apply(db)
    db.table("meta").upsert_all(
        [
            {"key": "opened_s", "value": repr(time.time())},
            {"key": "opened_with", "value": release()},
            {"key": "sqlite", "value": sqlite3.sqlite_version},
        ],
        pk="key",
    )
