"""What a designer's game does instead of the bundled one, as the rules see it.

A state knows the hooks of its game by its attribute `hooks`, which is never saved: `new` and `decode` attach them. A
hook that is None is not set, and the rules then do what they always do, without any detour. How a subclass of
`SpaceGame` says what it wants is in `designed`; that module also makes these out of it, with every answer checked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from gamekit.errors import HookFailed
from gamekit.game import Event
from gamekit.space.model import Player, Ship, Station, Ware

if TYPE_CHECKING:
    from gamekit.space.state import SpaceState


class OwnEvent(Event, frozen=True):
    """Base of the events that a designer's commands give.

    Attributes:
        private: whether only the player in the event's field `player` may see it.
        touches: which of its fields hold ids of ships, stations, gates or players whose changing fields look different
            now; None when the event may change anything, and everybody's picture is drawn anew.
    """

    private: ClassVar[bool] = False
    touches: ClassVar[tuple[str, ...] | None] = None


class Prospect(NamedTuple):
    """A trade that a ship could be sent on.

    Attributes:
        ware, units: what to carry.
        source: where to buy it; None when the ship has it on board.
        target: where to sell it.
        cost: what buying would take, in centi-credits.
        profit: what the trade would earn, in centi-credits, at the prices of now.
        ticks: how long it would take, the way to the source and docking included.
    """

    ware: Ware
    units: int
    source: Station | None
    target: Station
    cost: int
    profit: int
    ticks: int


class Assignment(NamedTuple):
    """What a designer's dispatcher sends a ship to do: ids, and units."""

    ship: str
    ware: str
    units: int
    target: str
    source: str | None = None


class Hooks(NamedTuple):
    """The hooks of one game; None where the game has nothing of its own.

    Attributes:
        price: what the unit that comes on top of `stock` units costs, in centi-credits.
        total: what the `units` that come on top of `stock` units cost together.
        auction: the auction among an owner's waiting ships, at prices or by bids of the game's own.
        whole_round: a round of the game's own; False when it leaves the round to the auction.
    """

    price: Callable[[SpaceState, Station, Ware, int], int] | None = None
    total: Callable[[SpaceState, Station, Ware, int, int], int] | None = None
    auction: Callable[[SpaceState, Player, list[Ship], list[Event]], None] | None = None
    whole_round: Callable[[SpaceState, Player, list[Ship], list[Event]], bool] | None = None


NO_HOOKS = Hooks()


def guarded(game: str, hook: str, call: Callable[..., Any], *arguments: Any) -> Any:
    """What a hook answers.

    Raises:
        HookFailed: it raised; the message names the game, the hook and what went wrong.
    """
    try:
        return call(*arguments)
    except HookFailed:
        raise
    except Exception as error:
        raise HookFailed(game, hook, f"raised {type(error).__name__}: {error}") from error


def whole(game: str, hook: str, answer: object, least: int | None) -> int:
    """The answer of a hook that must give a whole number, `least` or more.

    Raises:
        HookFailed: it is none.
    """
    if type(answer) is not int or (least is not None and answer < least):
        wanted = "a whole number" if least is None else f"a whole number from {least} on"
        raise HookFailed(game, hook, f"returned {_shown(answer)}; it must return {wanted} (use //, not /)")
    return answer


def _shown(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 60 else text[:57] + "..."
