"""Where a past comes from: a live game, a capsule, a database, or somebody who has it in hand already."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from gamekit.capsule import only_game, past_of, read_capsule
from gamekit.errors import ConfigError
from gamekit.game import Game, GameId, Tick
from gamekit.journal import Past, SqliteReader
from gamekit.space import SpaceGame


def past_from(source: Any, *, game: str | None = None, tick: Tick | None = None) -> Past:
    """The past that a source means, cut after `tick`.

    Args:
        source: a live game (a handle of `gamekit.Client` with the admin token), the path of a capsule or database, a
            `Past`, or anything with a `past` of its own (a `Replay`, a `Branch`).
        game: which game, when the source is a database of several.
        tick: cut after it; by default all there is, and of a live game all up to now.

    Raises:
        ConfigError: it is none of these.
        JournalError: the past is damaged, or has not come to the tick.
        RequestRefused: the server does not hand the game out.
    """
    if isinstance(source, Past):
        from gamekit.capsule import reader_of

        return past_of(reader_of(source), source.row.id, tick)
    if isinstance(source, str | Path):
        with SqliteReader(Path(source)) as reader:
            return past_of(reader, GameId(game) if game else only_game(reader, Path(source)).id, tick)
    from gamekit.client.blocking import BaseGame

    if isinstance(source, BaseGame):
        with tempfile.TemporaryDirectory(prefix="gamekit-past-") as directory:
            return read_capsule(source.export(Path(directory) / "game.capsule", tick=tick))
    own = getattr(source, "past", None)
    if isinstance(own, Past):
        return past_from(own, tick=tick)
    raise ConfigError(
        f"A past comes from a live game, the path of a capsule or database, a replay or a branch, not from {source!r}."
    )


def rules_for(past: Past, rules: Game[Any] | None) -> Game[Any]:
    """The rules to replay a past by.

    Raises:
        ConfigError: the bundled game is not the one, and no other was given.
    """
    if rules is not None:
        return rules
    if past.row.game != SpaceGame.name:
        raise ConfigError(f"Game {past.row.id} is a {past.row.game!r}; give its rules with rules=.")
    return SpaceGame()
