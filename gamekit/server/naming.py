"""Names at the door: checked, and told apart from those in use, before anything of them is written down.

What a journal holds is taken as it is, so that every history replays the same; so the rule for names, which asks for
what can be seen (`gamekit.names`), is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gamekit.names import PLAYER_CHARS, as_typed, told_apart, unfit
from gamekit.server.api import Problem
from gamekit.session import Session

#: Longest name of a game, in characters.
GAME_CHARS = 80


def wrong_player_name(name: str) -> str | None:
    """What is wrong with a player's name, as a sentence; None when nothing is."""
    return unfit(as_typed(name), PLAYER_CHARS)


def player_name(session: Session[Any], coming: Iterable[str], name: str) -> str:
    """The name under which somebody joins: what they chose, with a number behind it when it looks like one in use.

    Args:
        session: the game. It may say with a method `called(state)` who is in it beside its players.
        coming: the names of those who are about to join as well.
        name: what they chose.
    """
    called = getattr(session.game, "called", None)
    used = [*session.players.values(), *coming, *(called(session.state) if called is not None else ())]
    return told_apart(as_typed(name), used, PLAYER_CHARS)


def game_name(chosen: str | None, otherwise: str) -> str:
    """The name of a game: as it was chosen, or another one when none was.

    Raises:
        Problem: it cannot be seen.
    """
    if chosen is None or not chosen.strip():
        return otherwise
    name = as_typed(as_typed(chosen)[:GAME_CHARS])
    if wrong := unfit(name, GAME_CHARS):
        raise Problem(422, "bad_name", wrong.replace("a name", "a name for the game", 1))
    return name
