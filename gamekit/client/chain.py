"""Orders one after the other: `ship.go("Sirius").then().sell("ore", 100)`, and how far such a chain has come.

Every order leaves at once, so a chain works offline too; each but the first is appended to the ship's queue. A step
that fails does not stop those behind it, because they are in the ship's queue already; whoever waits for any later step
is told which one failed, and why.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gamekit.client.actions import Happened
from gamekit.client.order import OrderState
from gamekit.errors import CommandFailed

if TYPE_CHECKING:
    from gamekit.client.reading import ShipReading

OrderT = TypeVar("OrderT", bound=OrderState)

#: Orders and failures that are remembered for whoever waits for a step.
REMEMBERED = 512


class Then(Generic[OrderT]):
    """What a ship shall do after an order; each verb gives the next order of the chain."""

    def __init__(self, ship: ShipReading[OrderT], before: OrderT) -> None:
        self._ship = ship
        self._before = before

    def go(
        self, place: str | None = None, /, *, x: int | None = None, y: int | None = None, through: bool = False
    ) -> OrderT:
        """Then go somewhere; see `ship.go`. x and y are metres from the sector's centre."""
        return self._behind(self._ship.go(place, x=x, y=y, through=through, append=True))

    def buy(self, ware: str, units: int) -> OrderT:
        """Then buy up to so many units of a ware, at the station where the ship is docked by then."""
        return self._behind(self._ship.buy(ware, units, append=True))

    def sell(self, ware: str, units: int) -> OrderT:
        """Then sell up to so many units of a ware, at the station where the ship is docked by then."""
        return self._behind(self._ship.sell(ware, units, append=True))

    def _behind(self, order: OrderT) -> OrderT:
        order.before = self._before
        return order

    def __repr__(self) -> str:
        return f"<after {self._before!r}: go, buy or sell>"


class Progress:
    """Which entries of a ship's queue belong to which of one client's orders, and which of them failed.

    A command is known by its `cid`, the entries that it made by the order's number in the ship's queue; the event
    `OrderAccepted`, which comes right before the command's `CommandDone`, says which number it got. A client that was
    away may have missed both: then the number stays unknown.
    """

    def __init__(self, player: str) -> None:
        self._player = player
        self._sent: deque[OrderState] = deque(maxlen=REMEMBERED)
        self._failed: dict[tuple[str, int], CommandFailed] = {}

    def sent(self, order: OrderState) -> None:
        """An order is on its way."""
        self._sent.append(order)

    def listen(self, news: object, client: str | None) -> None:
        """What happened; `client` is the id under which this client's commands are numbered."""
        if not isinstance(news, Happened):
            return
        accepted: int | None = None
        for event in news.events:
            if event.get("player") != self._player:
                continue
            match event.get("type"):
                case "OrderAccepted":
                    accepted = int(event["order"])
                case "CommandDone" | "CommandFailed":
                    if event.get("client") == client and accepted is not None:
                        self._number(event["cid"], accepted)
                    accepted = None
                case "EntryFailed":
                    self._failed[event["ship"], event["order"]] = CommandFailed(event["code"], event["message"])
                    if len(self._failed) > REMEMBERED:
                        del self._failed[next(iter(self._failed))]

    def _number(self, cid: int, number: int) -> None:
        for order in self._sent:
            if order.cid == cid:
                order.number = number

    def over(self, order: OrderState, fields: dict[str, Any]) -> bool:
        """Whether a decided order has nothing left in its ship's queue.

        Args:
            order: an order to a ship that the rules took.
            fields: the ship's row of the view.

        Raises:
            CommandFailed: a step of it failed, or the ship holds and cannot go on.
        """
        queue = fields.get("queue") or []
        if order.number is not None and (failure := self._failed.get((str(order.body.get("ship")), order.number))):
            raise failure
        left = [entry for entry in queue if order.number is None or entry.get("order") == order.number]
        if left and fields["status"] == "holding":
            raise CommandFailed("holding", f"{fields['name']} holds: {fields['reason']}")
        return not left


def failed_step(steps: list[OrderState], number: int, error: CommandFailed) -> CommandFailed:
    """The failure of one step of a chain, in words that say which one."""
    if len(steps) == 1:
        return error
    rest = " The steps behind it are in the ship's queue and go on." if number < len(steps) else ""
    text = f"Step {number} of {len(steps)} ({steps[number - 1].text}) failed: {error.message}{rest}"
    return CommandFailed(error.code, text, error.cid)
