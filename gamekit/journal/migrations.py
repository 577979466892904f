"""The steps that make the tables of a journal and bring older ones up to date, with sqlite-utils.

`schema` imports this module only when a step is missing: sqlite-utils loads pandas where it finds it, and a server that
merely starts again should not wait for that, nor keep it in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

from gamekit.journal.buckets import UNKNOWN
from gamekit.journal.schema import MIGRATION_SET, release

migrations = Migrations(MIGRATION_SET)


def _migration(step: Callable[[Database], None]) -> None:
    """Register the next step; a step that was released is never changed, only followed by another."""
    migrations()(step)


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


@_migration
def _single_ticks(db: Database) -> None:
    """Single ticks in buckets. Rows that are there keep `{}`: SQLite adds such a column without touching a row."""
    for column in ("late_buckets", "work_buckets"):
        db.table("latency").add_column(column, str, not_null_default=UNKNOWN)
