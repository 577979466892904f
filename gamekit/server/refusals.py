"""What the server itself submits is asked about before it is journaled: what would be refused leaves no record.

The journal keeps records for ever, and each refused join would use up a player's id. The rules have the last word all
the same: what is let through here and refused at its tick is answered then, and stays in the journal as any command.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gamekit.game import Game, Join, PlayerId, Rejected
from gamekit.session import Session
from gamekit.wire import Outcome


def outcome(refused: Rejected) -> Outcome:
    """A refusal as the outcome of a command that never came to be."""
    return Outcome(cid=0, tick=0, seq=0, code=refused.code, message=refused.message)


def of_join(session: Session[Any], coming: Sequence[str], name: str, most: int | None) -> Rejected | None:
    """Why a player cannot join; None as far as can be told before it is tried.

    A game's own `admitted` is asked. A game that has none, or refuses joins somewhere else, is tried on a copy, after
    those who are about to join.

    Args:
        session: the game.
        coming: the names of those who are about to join as well.
        name: of the new player.
        most: how many players the game may have; None for any number.
    """
    if most is not None and len(session.players) + len(coming) >= most:
        text = (
            f"This game has {len(session.players)} players, and without the admin token {most} are allowed here; join "
            "another, or ask the server's owner, who can raise this with `gamekit serve --limit players=N`."
        )
        return Rejected("game_full", text)
    if session.midway:
        # Nothing may be read of it now; the rules are asked at its tick.
        return None
    game, join = session.game, Join(name=name)
    if _asks_first(game):
        answer = game.admitted(session.state, _newcomer(0), join)  # type: ignore[attr-defined]
        return answer if isinstance(answer, Rejected) else None
    copy = game.decode(game.encode(session.state), game.version)
    for number, other in enumerate(coming, 1):
        game.apply(copy, _newcomer(number), Join(name=other))
    refused = game.apply(copy, _newcomer(0), join)
    return refused if isinstance(refused, Rejected) else None


def of_rules(session: Session[Any], changes: Mapping[str, Any]) -> Rejected | None:
    """Why rules cannot be changed so, in the game's own words; None as far as its table tells."""
    table = {row.name: row for row in session.game.rule_table()}

    def fits(name: str, value: Any) -> bool:
        row = table.get(name)
        return row is not None and not row.at_start and type(value) is int and row.low <= value <= row.high

    if session.midway or (changes and all(fits(name, value) for name, value in changes.items())):
        return None
    game = session.game
    refused = game.set_rules(game.decode(game.encode(session.state), game.version), changes)
    return refused if isinstance(refused, Rejected) else None


def _newcomer(number: int) -> PlayerId:
    """A player's id that is in no game."""
    return PlayerId(f"p{10**9 + number}")


def _asks_first(game: Game[Any]) -> bool:
    """Whether a game's `admitted` speaks for its `apply`: nothing overrides that below it."""
    for kind in type(game).__mro__:
        if "admitted" in vars(kind):
            return True
        if "apply" in vars(kind):
            return False
    return False
