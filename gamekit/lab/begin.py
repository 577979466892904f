"""A game of one's own that begins here, without a server: any game that fulfils the contract."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from os import PathLike
from typing import Any

from gamekit.errors import ConfigError
from gamekit.game import Game, GameId
from gamekit.history import first_session, stored
from gamekit.journal import GameRow, Past
from gamekit.lab.branch import Branch
from gamekit.lab.simulate import definition_of
from gamekit.space import SpaceGame


def begin(
    scenario: str | Mapping[str, Any] | PathLike[str] | None = None,
    rules: Mapping[str, Any] | None = None,
    seed: int = 1,
    *,
    game: Game[Any] | type[Any] | None = None,
    name: str = "Headless",
) -> Branch:
    """A new game at tick 0, as a branch: let players in, give commands, let time pass, save it and take it to a server.

    Args:
        scenario: a name, a definition, or the path of a TOML file with one; the game's default when it is not given.
        rules: `{field: value}` for what differs from the defaults.
        seed: an integer of 64 bits.
        game: the rules, a class or an instance; the bundled game when it is not given.
        name: the game's display name.

    Raises:
        ConfigError: scenario, rules or seed are wrong; the message names the field.
    """
    made: Game[Any] = SpaceGame() if game is None else game() if isinstance(game, type) else game
    config: dict[str, Any] = {}
    if scenario is not None:
        config["scenario"] = definition_of(scenario) if isinstance(made, SpaceGame) else scenario
    if rules:
        config["rules"] = dict(rules)
    try:
        text = json.dumps(config)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"scenario and rules must be plain values (text, numbers, lists, mappings): {error}."
        ) from None
    row = GameRow(GameId("headless"), made.name, made.version, name, text, seed, time.time(), 1)
    session = first_session(made, row)
    start = stored(session, session.snapshot(), tick=session.tick, seq=0)
    return Branch(Past(row=row, records=[], snapshots=[start], tick=session.tick), made)
