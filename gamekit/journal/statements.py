"""Turns admitted writes into as few SQL statements as possible.

Why few: Python lets go of its global lock in every call into SQLite and has to win it back afterwards. Beside a busy
event loop that takes a whole switch interval (5 ms), so a hundred single inserts take half a second, while one insert
of a hundred rows takes 6 ms. Rows of one table therefore go into one statement of up to 128 rows, and a batch that
needs one statement only is run without BEGIN and COMMIT: SQLite commits it by itself.

A statement's text must not depend on the number of rows, or each would be compiled anew: there are five sizes, and
what is left over is filled up with rows of NULL that the statement itself skips.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from msgspec.structs import astuple

from gamekit.game import GameId, Tick
from gamekit.journal.contract import (
    Append,
    LatencyRow,
    PutLatency,
    PutPlayer,
    Record,
    Reserve,
    SaveSnapshot,
    StoredSnapshot,
    Write,
)
from gamekit.journal.thinning import Retention

Statement: TypeAlias = tuple[str, Sequence[Any]]

#: Measured tick times older than the newest by more than this are deleted.
LATENCY_KEPT_S = 7 * 24 * 3600.0
#: What stays where nobody says otherwise.
RETENTION = Retention()
#: zlib's level for snapshots: 1 is three times as fast as the default, for a quarter more bytes.
COMPRESSION_LEVEL = 1


class RowsInsert:
    """`INSERT` of many rows in few statements. The first column must never be null: it tells filler from rows."""

    SIZES = (1, 4, 16, 64, 128)

    def __init__(self, table: str, columns: Sequence[str], on_conflict: str = "") -> None:
        self._width = len(columns)
        row = "(" + ", ".join("?" * self._width) + ")"
        names = ", ".join(columns)
        self._texts = {
            size: f"WITH given ({names}) AS (VALUES {', '.join([row] * size)}) "
            f"INSERT INTO {table} ({names}) SELECT * FROM given WHERE {columns[0]} IS NOT NULL {on_conflict}"
            for size in self.SIZES
        }

    def statements(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[Statement]:
        """The statements that insert `rows`, in order."""
        for start in range(0, len(rows), self.SIZES[-1]):
            part = rows[start : start + self.SIZES[-1]]
            size = next(size for size in self.SIZES if size >= len(part))
            values = [value for row in part for value in row]
            values.extend([None] * ((size - len(part)) * self._width))
            yield self._texts[size], values


INSERT_COMMANDS = RowsInsert("commands", Record.__struct_fields__)
INSERT_LATENCY = RowsInsert("latency", LatencyRow.__struct_fields__)
AT_S = LatencyRow.__struct_fields__.index("at_s")
INSERT_PLAYERS = RowsInsert(
    "players",
    ("game", "player", "name", "noted_s"),
    "ON CONFLICT (game, player) DO UPDATE SET name = excluded.name",
)
_MOVE_CLOCK = "ON CONFLICT (game) DO UPDATE SET tick = excluded.tick, wall_s = excluded.wall_s"
ADVANCE_CLOCKS = RowsInsert("clock", ("game", "tick", "wall_s"), f"{_MOVE_CLOCK} WHERE excluded.tick >= clock.tick")
SET_CLOCKS = RowsInsert("clock", ("game", "tick", "wall_s"), _MOVE_CLOCK)

INSERT_GAME = (
    "INSERT INTO games (id, game, version, name, config, seed, created_s, epoch) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
INSERT_SNAPSHOT = """
INSERT OR REPLACE INTO snapshots (game, tick, seq, digest, version, plain_bytes, data) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
#: `gamekit.journal.thinning.drops`, in SQL: the snapshot that has just left the latest goes, if the one kept before it
#: is of the same hour of game time and the same version.
THIN_SNAPSHOTS = """
DELETE FROM snapshots WHERE rowid = (
    SELECT candidate.rowid
    FROM (SELECT rowid, tick, version FROM snapshots WHERE game = ?1
          ORDER BY seq DESC, tick DESC LIMIT 1 OFFSET ?2) AS candidate,
         (SELECT tick, version FROM snapshots WHERE game = ?1
          ORDER BY seq DESC, tick DESC LIMIT 1 OFFSET ?2 + 1) AS before
    WHERE candidate.tick / ?3 = before.tick / ?3
        AND candidate.version = before.version)
"""
#: Deletes at most twice as many rows as were just added, so that the table shrinks without ever stopping the writer.
DROP_OLD_LATENCY = """
DELETE FROM latency WHERE rowid IN (SELECT rowid FROM latency WHERE at_s < ? ORDER BY at_s LIMIT ?)
"""


def statements_for(writes: Iterable[Write], wall_s: float, keep: Retention = RETENTION) -> list[Statement]:
    """The statements that store these writes, all to be run in one transaction.

    Args:
        writes: admitted writes, in order of submission.
        wall_s: Unix time in seconds, noted with clocks and players.
        keep: how many snapshots stay.
    """
    records: list[tuple[Any, ...]] = []
    players: list[tuple[Any, ...]] = []
    latency: list[tuple[Any, ...]] = []
    snapshots: list[StoredSnapshot] = []
    clocks: dict[GameId, tuple[Tick, bool, float]] = {}
    for write in writes:
        if isinstance(write, Append):
            records.append(astuple(write.record))
        elif isinstance(write, Reserve):
            clocks[write.game] = _moved(clocks.get(write.game), write, wall_s)
        elif isinstance(write, SaveSnapshot):
            snapshots.append(write.snapshot)
        elif isinstance(write, PutPlayer):
            players.append((write.game, write.player, write.name, wall_s))
        elif isinstance(write, PutLatency):
            latency.extend(map(astuple, write.rows))
    result = list(INSERT_COMMANDS.statements(records))
    result += ADVANCE_CLOCKS.statements([(game, tick, at) for game, (tick, final, at) in clocks.items() if not final])
    result += SET_CLOCKS.statements([(game, tick, at) for game, (tick, final, at) in clocks.items() if final])
    result += INSERT_PLAYERS.statements(players)
    for snapshot in snapshots:
        result += [snapshot_statement(snapshot), (THIN_SNAPSHOTS, (snapshot.game, keep.latest, keep.every_ticks))]
    if latency:
        result += INSERT_LATENCY.statements(latency)
        newest_s = max(row[AT_S] for row in latency)
        result.append((DROP_OLD_LATENCY, (newest_s - LATENCY_KEPT_S, 2 * len(latency))))
    return result


def snapshot_statement(snapshot: StoredSnapshot) -> Statement:
    """The statement that stores one snapshot; compresses it here and now."""
    return (
        INSERT_SNAPSHOT,
        (
            snapshot.game,
            snapshot.tick,
            snapshot.seq,
            snapshot.digest,
            snapshot.version,
            len(snapshot.data),
            zlib.compress(snapshot.data, COMPRESSION_LEVEL),
        ),
    )


def _moved(before: tuple[Tick, bool, float] | None, write: Reserve, wall_s: float) -> tuple[Tick, bool, float]:
    """A clock's (tick, whether it may move back, when it is that tick) within one batch after one more `Reserve`."""
    at_s = wall_s if write.at_s is None else write.at_s
    if write.final or before is None:
        return write.tick, write.final, at_s
    return (write.tick, before[1], at_s) if write.tick >= before[0] else before
