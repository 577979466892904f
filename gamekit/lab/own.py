"""Rules of one's own where the lab takes them: a class of a cell, an instance, or an import path."""

from __future__ import annotations

from typing import Any, TypeAlias

from gamekit.errors import ConfigError
from gamekit.game import Game
from gamekit.games import loaded, made
from gamekit.space import SpaceGame

#: How rules are given: a class, an instance, or `"module:Class"`; None is the bundled game.
Own: TypeAlias = Game[Any] | type[Any] | str | None


def rules_of(game: Own) -> Game[Any]:
    """The rules that somebody means.

    Raises:
        ConfigError: it is no game, or cannot be made.
    """
    if game is None:
        return SpaceGame()
    if isinstance(game, str):
        return loaded(game)
    return made("given", game, getattr(game, "__name__", type(game).__name__))


def space_rules_of(game: Own) -> SpaceGame:
    """The rules that somebody means, where only variants of the bundled game will do.

    Raises:
        ConfigError: it is no such game.
    """
    rules = rules_of(game)
    if not isinstance(rules, SpaceGame):
        raise ConfigError(f"game {rules.name}: only subclasses of gamekit.space.SpaceGame can be used here.")
    return rules
