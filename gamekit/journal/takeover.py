"""Taking games over for writing, many at a time, within a transaction of the caller's.

Few statements, for the reason that `statements` gives: after every call into SQLite, Python's lock must be won back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from gamekit.game import GameId
from gamekit.journal.contract import GameRow, Record
from gamekit.journal.reader import SELECT_GAMES
from gamekit.journal.rows import game_row

#: Games in one statement: far below the 999 values that the oldest SQLite takes.
STATEMENT_GAMES = 256


def take_over(connection: sqlite3.Connection, games: Sequence[GameId]) -> list[tuple[GameRow, Record | None]]:
    """Raise the epochs of these games; the new row of each that there is, and its last record."""
    taken: list[tuple[GameRow, Record | None]] = []
    for part in _parts(games):
        among = f"({', '.join('?' * len(part))})"
        connection.execute(f"UPDATE games SET epoch = epoch + 1 WHERE id IN {among}", part)
        columns = ", ".join(f"commands.{name}" for name in Record.__struct_fields__)
        last = {
            row[0]: Record(*row)
            for row in connection.execute(
                f"SELECT {columns} FROM games JOIN commands ON commands.game = games.id AND commands.seq = "
                f"(SELECT max(seq) FROM commands AS own WHERE own.game = games.id) WHERE games.id IN {among}",
                part,
            ).fetchall()
        }
        for row in connection.execute(f"{SELECT_GAMES} WHERE id IN {among}", part).fetchall():
            found = game_row(row)
            taken.append((found, last.get(found.id)))
    return taken


def _parts(games: Sequence[GameId]) -> Iterator[list[GameId]]:
    different = list(dict.fromkeys(games))
    for start in range(0, len(different), STATEMENT_GAMES):
        yield different[start : start + STATEMENT_GAMES]
