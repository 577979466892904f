"""What the tables of a journal look like, and whether those of a file do.

A file may come from a stranger. What SQLite runs when a table is read is in the file: a view by the name of a table, a
generated column or an index over an expression can compute for ever, a trigger writes. So the tables must be those that
the migrations make, and in a capsule there must be nothing else.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from gamekit.errors import JournalError

#: Where sqlite-utils notes which steps were applied.
MIGRATIONS_TABLE = "_sqlite_migrations"
#: {table: its columns with their types, in order; columns that came later may be missing in an older file}
TABLES: dict[str, dict[str, str]] = {
    "games": {
        "id": "TEXT",
        "game": "TEXT",
        "version": "INTEGER",
        "name": "TEXT",
        "config": "TEXT",
        "seed": "TEXT",
        "created_s": "REAL",
        "epoch": "INTEGER",
    },
    "commands": {
        "game": "TEXT",
        "seq": "INTEGER",
        "epoch": "INTEGER",
        "tick": "INTEGER",
        "commands": "TEXT",
        "chain": "TEXT",
    },
    "snapshots": {
        "game": "TEXT",
        "tick": "INTEGER",
        "seq": "INTEGER",
        "digest": "TEXT",
        "version": "INTEGER",
        "plain_bytes": "INTEGER",
        "data": "BLOB",
    },
    "players": {"game": "TEXT", "player": "TEXT", "name": "TEXT", "noted_s": "REAL"},
    "clock": {"game": "TEXT", "tick": "INTEGER", "wall_s": "REAL"},
    "latency": {
        "game": "TEXT",
        "at_s": "REAL",
        **dict.fromkeys(
            (
                "ticks",
                "late_p50_us",
                "late_p99_us",
                "late_max_us",
                "work_p50_us",
                "work_p99_us",
                "work_max_us",
                "commands_us",
                "rules_us",
                "journal_us",
                "fanout_us",
            ),
            "INTEGER",
        ),
        "late_buckets": "TEXT",
        "work_buckets": "TEXT",
    },
    "meta": {"key": "TEXT", "value": "TEXT"},
    MIGRATIONS_TABLE: {"id": "INTEGER", "migration_set": "TEXT", "name": "TEXT", "applied_at": "TEXT"},
}
#: Columns that an older file may lack.
LATER = frozenset({"late_buckets", "work_buckets"})
#: {table: the columns of its indexes, without those of a primary key}
INDEXES: dict[str, set[tuple[str, ...]]] = {
    "commands": {("game", "seq")},
    "snapshots": {("game", "seq", "tick")},
    "latency": {("at_s", "game")},
    MIGRATIONS_TABLE: {("migration_set", "name")},
}


def check_tables(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that our tables are plain tables with our columns, whatever else is in the file.

    Raises:
        JournalError: one is missing, or something else by its name.
    """
    kinds = {name: kind for _, name, kind, *_ in connection.execute("PRAGMA main.table_list")}
    for table, columns in TABLES.items():
        if kinds.get(table) != "table":
            what = f"is a {kinds[table]}" if table in kinds else "is missing"
            raise _foreign(path, f"its table {table} {what}")
        rows = connection.execute(f"PRAGMA main.table_xinfo({table})").fetchall()
        if hidden := [row[1] for row in rows if row[6]]:
            raise _foreign(path, f"the column {hidden[0]} of its table {table} is computed")
        found = {str(row[1]): str(row[2]).upper() for row in rows}
        wanted = {name: kind for name, kind in columns.items() if name in found or name not in LATER}
        # The table of steps is of sqlite-utils' making, and has had other columns.
        if found != wanted and table != MIGRATIONS_TABLE:
            odd = sorted(found.items() ^ wanted.items())
            raise _foreign(path, f"the columns of its table {table} are others ({odd[0][0]})")


def check_nothing_else(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that there is nothing but our tables and their indexes.

    Raises:
        JournalError: there is a view, a trigger, a virtual table, or a table or index that is not ours.
    """
    for kind, name, table, text in connection.execute("SELECT type, name, tbl_name, sql FROM main.sqlite_master"):
        if kind not in ("table", "index") or (text is not None and str(text).upper().startswith("CREATE VIRTUAL")):
            raise _foreign(path, f"it has the {'virtual table' if kind == 'table' else kind} {str(name)[:40]!r}")
        if table not in TABLES and not str(name).startswith("sqlite_"):
            raise _foreign(path, f"it has the {kind} {str(name)[:40]!r}")
    for table in TABLES:
        for _, index, _, origin, partial in connection.execute(f"PRAGMA main.index_list({table})").fetchall():
            quoted = str(index).replace('"', '""')
            parts = connection.execute(f'PRAGMA main.index_info("{quoted}")').fetchall()
            columns = tuple(str(part[2]) for part in parts)
            if origin != "pk" and (partial or columns not in INDEXES.get(table, set())):
                raise _foreign(path, f"it has the index {str(index)[:40]!r} on {table}")


def check_pages(connection: sqlite3.Connection, path: Path) -> None:
    """Make sure that the file's pages hang together, so that reading it ends.

    Raises:
        JournalError: they do not.
    """
    (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise _foreign(path, f"it is malformed: {str(said)[:200]}")


def _foreign(path: Path, what: str) -> JournalError:
    return JournalError(
        "open database",
        f"{path} is not as gamekit makes it: {what}",
        hint="take a capsule or database that gamekit has written and no other program has changed",
    )
