"""A database of games, or a capsule, opened for reading: `lab.open("data/gamekit.db").games["Friday"].frame.prices`.

Read-only, also while a server uses the file; no server and no lock is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gamekit.capsule import past_of
from gamekit.client import show
from gamekit.client.named import Named
from gamekit.errors import ConfigError
from gamekit.game import Game, Tick
from gamekit.journal import GameRow, Past, SqliteReader
from gamekit.journal.reader import connect_read_only
from gamekit.lab.branch import Branch, fork
from gamekit.lab.own import Own, rules_of
from gamekit.lab.replay import Replay, replay

if TYPE_CHECKING:
    from gamekit.lab.frames.past import PastFrames


class StoredGame:
    """One game of a database; the frames of a game that goes on show it as it was when they were first asked for.

    Attributes:
        row: the game's row of the catalogue: name, rules, configuration, seed.
    """

    def __init__(self, path: Path, row: GameRow, rules: Game[Any] | None) -> None:
        self.row = row
        self._path = path
        self._rules = rules
        self._looked_at: Replay | None = None

    @property
    def id(self) -> str:
        """The game's id."""
        return self.row.id

    @property
    def name(self) -> str:
        """The game's display name."""
        return self.row.name

    @property
    def rules(self) -> Game[Any] | None:
        """The rules that were given for it; None when they are the bundled game's."""
        return self._rules

    @property
    def past(self) -> Past:
        """All that is durable of it; what `lab.replay`, `lab.fork` and `lab.diff` take as well."""
        with SqliteReader(self._path) as reader:
            return past_of(reader, self.row.id)

    def replay(self, tick: Tick | None = None) -> Replay:
        """Look at it at a tick; at its end by default."""
        return replay(self.past, tick, rules=self._rules)

    def fork(self, tick: Tick | None = None) -> Branch:
        """A branch that goes on here from a tick; from its end by default."""
        return fork(self.past, tick, rules=self._rules)

    @property
    def frame(self) -> PastFrames:
        """The game at its end, and all that happened in it, as data frames; see `gamekit.lab.frames`."""
        from gamekit.lab.frames.past import PastFrames

        def looked_at() -> Replay:
            made = self._looked_at
            if made is None:
                self._looked_at = made = self.replay()
            return made

        def measured() -> Sequence[Any]:
            with SqliteReader(self._path) as reader:
                return reader.latency(self.row.id)

        return PastFrames(looked_at, self._records, measured)

    def _records(self) -> Sequence[tuple[int, Tick, int, str]]:
        """The history as it stands there; that its chain holds is checked by `past` and `gamekit verify`, not here."""
        asked = "SELECT seq, tick, epoch, commands FROM commands WHERE game = ? ORDER BY seq"
        with closing(connect_read_only(self._path)) as connection:
            rows: list[tuple[int, Tick, int, str]] = connection.execute(asked, (self.row.id,)).fetchall()
        return rows

    def __repr__(self) -> str:
        return f"<StoredGame {self.name} ({self.id}), {self.row.game}>"


class Games(Named[StoredGame]):
    """The games of a database by id; `[...]` takes names as well."""

    def __init__(self, database: Database) -> None:
        super().__init__("game")
        self._database = database

    def _table(self) -> dict[str, dict[str, Any]]:
        return {key: {"name": row.name} for key, row in self._database.rows.items()}

    def _item(self, key: str) -> StoredGame:
        row = self._database.rows[key]
        return StoredGame(self._database.path, row, self._database.rules.get(row.game))


class Database:
    """A journal's file.

    Args:
        path: the database or capsule.
        rules: designers' games by name, for those that are not the bundled one.

    Raises:
        JournalError: there is no such file, or it is no journal.
    """

    def __init__(self, path: Path, rules: Mapping[str, Game[Any]]) -> None:
        self.path = path
        self.rules = dict(rules)
        _ = self.rows

    @property
    def rows(self) -> dict[str, GameRow]:
        """The catalogue: `{game id: its row}`, oldest first."""
        with SqliteReader(self.path) as reader:
            return {row.id: row for row in reader.games()}

    @property
    def games(self) -> Games:
        """The games, by id or name."""
        return Games(self)

    @property
    def game(self) -> StoredGame:
        """The only game of it, as in a capsule.

        Raises:
            ConfigError: there are several, or none.
        """
        if len(rows := self.rows) != 1:
            names = ", ".join(row.name for row in list(rows.values())[:8])
            raise ConfigError(f"{self.path} has {len(rows)} games; choose one with .games[name]: {names or 'none'}.")
        return self.games[next(iter(rows))]

    @property
    def latency(self) -> Any:
        """The measured tick times of the server as a whole, as a data frame."""
        from gamekit.lab.frames import latency_frame

        with SqliteReader(self.path) as reader:
            return latency_frame(reader.latency(""))

    def __repr__(self) -> str:
        return f"<Database {self.path}, {len(self.rows)} games>"

    def _repr_html_(self) -> str:
        with SqliteReader(self.path) as reader:
            cards = reader.catalogue(limit=200)
        rows = [
            [card.row.id, card.row.name, card.row.game, f"{card.tick:,}", show.time_text(card.tick), card.seq]
            for card in cards
        ]
        return show.table(str(self.path), ["id", "name", "rules", "tick", "game time", "records"], rows)


def open(path: str | PathLike[str], *, rules: Sequence[Own] = ()) -> Database:
    """Open a database of games, or a capsule, for reading; also while a server uses it.

    Args:
        path: the file, e.g. "data/gamekit.db".
        rules: designers' games, classes or instances, for games that are not the bundled one.

    Raises:
        JournalError: there is no such file, or it is no journal.
    """
    made = [rules_of(one) for one in rules]
    return Database(Path(path), {one.name: one for one in made})
