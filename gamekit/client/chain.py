"""Orders one after the other: `ship.go("Sirius").then().sell("ore", 100)`, and how far such a chain has come.

Every order leaves at once, so a chain works offline too; each but the first is appended to the ship's queue. A step
that fails does not stop those behind it, because they are in the ship's queue already; whoever waits for any later step
is told which one failed, and why.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gamekit.client.actions import Happened, Redrawn
from gamekit.client.order import OrderState
from gamekit.errors import CommandFailed

if TYPE_CHECKING:
    from gamekit.client.places import Station
    from gamekit.client.reading import ShipReading

OrderT = TypeVar("OrderT", bound=OrderState)

#: Orders and failures that are remembered for whoever waits for a step.
REMEMBERED = 512
#: Orders whose entries are remembered, of all ships together.
ENTRIES_REMEMBERED = 8192
#: In the place of an order's number: a command that put nothing into its ship's queue, such as a new name.
NOT_QUEUED = 0


class Then(Generic[OrderT]):
    """What a ship shall do after an order; each verb gives the next order of the chain."""

    def __init__(self, ship: ShipReading[OrderT], before: OrderT) -> None:
        self._ship = ship
        self._before = before

    def go(
        self,
        place: str | Station | None = None,
        /,
        *,
        x: float | None = None,
        y: float | None = None,
        through: bool = False,
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

    The entries of an order have rising ids and leave the queue from the front as they are done. An order whose last
    entry went without having been done was dropped: other orders took its place, or the ship was stopped.
    """

    def __init__(self, player: str) -> None:
        self._player = player
        self._sent: deque[OrderState] = deque(maxlen=REMEMBERED)
        self._failed: dict[tuple[str, int], CommandFailed] = {}
        #: {(ship, order): the id of its last entry in the queue}, for orders that were seen to begin or to wait
        self._last: dict[tuple[str, int], int] = {}
        #: {(ship, order): the id of the entry that was done, or failed, last}
        self._done: dict[tuple[str, int], int] = {}

    def sent(self, order: OrderState) -> None:
        """An order is on its way."""
        self._sent.append(order)

    def listen(self, news: object, client: str | None) -> None:
        """What happened; `client` is the id under which this client's commands are numbered."""
        if isinstance(news, Redrawn):
            # What happened in between is not known, so nothing of before is said to have been dropped.
            self._last.clear()
            self._done.clear()
            self._queues(news.view)
        if not isinstance(news, Happened):
            return
        accepted: int | None = None
        for event in news.events:
            if event.get("player") != self._player:
                continue
            match event.get("type"):
                case "OrderAccepted":
                    accepted = int(event["order"])
                    # An entry's id is at least 1.
                    self._last.setdefault((event["ship"], accepted), 1)
                case "CommandDone" | "CommandFailed":
                    if event.get("client") == client:
                        self._number(event["cid"], accepted or NOT_QUEUED)
                    accepted = None
                case "EntryDone":
                    self._done[event["ship"], event["order"]] = event["entry"]
                case "EntryFailed":
                    self._done[event["ship"], event["order"]] = event["entry"]
                    self._failed[event["ship"], event["order"]] = CommandFailed(event["code"], event["message"])
        self._queues(news.changes)
        for known, most in (
            (self._failed, REMEMBERED),
            (self._last, ENTRIES_REMEMBERED),
            (self._done, ENTRIES_REMEMBERED),
        ):
            while len(known) > most:
                del known[next(iter(known))]

    def _queues(self, tables: Mapping[str, Any]) -> None:
        """Note the last entry of every order in the queues that a view or its changes tell of."""
        for ship, row in (tables.get("ships") or {}).items():
            for entry in (row or {}).get("queue") or ():
                # Taken out first, so that the order that was heard of last is forgotten last.
                self._last.pop((ship, entry["order"]), None)
                self._last[ship, entry["order"]] = entry["id"]

    def _number(self, cid: int, number: int) -> None:
        for order in self._sent:
            if order.cid == cid:
                order.number = number

    def over(self, order: OrderState, ship: ShipReading[Any]) -> bool:
        """Whether a decided order has nothing left in its ship's queue.

        Args:
            order: an order to a ship that the rules took.
            ship: the ship.

        Raises:
            CommandFailed: a step of it failed, it was dropped, or the ship holds and cannot go on.
            UnknownName: the ship is gone.
        """
        if order.number == NOT_QUEUED:
            return True
        key = (ship.id, order.number or NOT_QUEUED)
        if failure := self._failed.get(key):
            raise failure
        fields = ship.fields
        queue = fields.get("queue") or []
        left = [entry for entry in queue if order.number is None or entry.get("order") == order.number]
        if left and fields["status"] == "holding":
            raise CommandFailed("holding", f"{fields['name']} holds: {fields['reason']}")
        if not left and self._done.get(key, 0) < self._last.get(key, 0):
            text = f"{fields['name']} was stopped, or given other orders in place of this; `append=True` adds to them."
            raise CommandFailed("dropped", text)
        return not left


def failed_step(steps: list[OrderState], number: int, error: CommandFailed) -> CommandFailed:
    """The failure of one step of a chain, in words that say which one."""
    if len(steps) == 1:
        return error
    rest = " The steps behind it are in the ship's queue and go on." if number < len(steps) else ""
    text = f"Step {number} of {len(steps)} ({steps[number - 1].text}) failed: {error.message}{rest}"
    return CommandFailed(error.code, text, error.cid)
