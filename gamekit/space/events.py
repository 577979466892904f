"""What has happened in the bundled game.

Every event names the things whose shown fields it changed, because a client's patch is made from the events alone
(`views.changes`). Events that carry a `player` and are listed in `PRIVATE` are for that player's eyes only. Ticks are
absolute, lengths are metres, money is centi-credits.
"""

from __future__ import annotations

from typing import TypeAlias

from gamekit.game import Event, PlayerId, Tick


class PlayerJoined(Event, frozen=True, gc=False):
    """A player is new, and so is the ship that comes with the start."""

    player: PlayerId
    name: str
    ship: str


class ShipBought(Event, frozen=True, gc=False):
    """A player has a new ship of a class, docked at `station`, for `price` centi-credits."""

    player: PlayerId
    ship: str
    ship_class: str
    station: str
    price: int


class ShipSold(Event, frozen=True, gc=False):
    """A player gave a ship back at `station` for `price` centi-credits; it is gone, and its id never comes again."""

    player: PlayerId
    ship: str
    station: str
    price: int


class ShipRenamed(Event, frozen=True, gc=False):
    """A ship has another name."""

    ship: str
    name: str


class ShipDeparted(Event, frozen=True, gc=False):
    """A ship began a leg to (x, y) in its sector, where it will be at tick `arrive`."""

    ship: str
    sector: str
    x: int
    y: int
    arrive: Tick


class ShipArrived(Event, frozen=True, gc=False):
    """A ship ended its leg at (x, y)."""

    ship: str
    sector: str
    x: int
    y: int


class ShipStopped(Event, frozen=True, gc=False):
    """A ship broke off what it was doing, by order, and is in space at (x, y)."""

    ship: str
    sector: str
    x: int
    y: int


class ShipJumped(Event, frozen=True, gc=False):
    """A ship entered `gate` and will come out of `exit` at tick `arrive`; None when its owner does not know where."""

    ship: str
    gate: str
    exit: str | None
    arrive: Tick


class ShipEmerged(Event, frozen=True, gc=False):
    """A ship came out of `gate` into `sector`."""

    ship: str
    gate: str
    sector: str


class ShipDocking(Event, frozen=True, gc=False):
    """A ship began to dock and will have docked at tick `arrive`."""

    ship: str
    station: str
    arrive: Tick


class ShipDocked(Event, frozen=True, gc=False):
    """A ship has docked."""

    ship: str
    station: str


class ShipUndocked(Event, frozen=True, gc=False):
    """A ship left its dock."""

    ship: str
    station: str


class ShipHolding(Event, frozen=True, gc=False):
    """A ship cannot go on; `reason` says why. It goes on by itself when it can."""

    ship: str
    reason: str


class OrderAccepted(Event, frozen=True, gc=False):
    """Private: an order went into a ship's queue as `entries` entries."""

    player: PlayerId
    ship: str
    order: int
    entries: int


class AutoTradeSwitched(Event, frozen=True, gc=False):
    """A ship began or ceased to trade by itself."""

    ship: str
    on: bool


class TradeAssigned(Event, frozen=True, gc=False):
    """Private: the dispatcher gave a ship a job, for which it made the best bid.

    `source` is None when the ship sells what it carries; `profit` is what the job would earn at the prices of now,
    without the fees.
    """

    player: PlayerId
    ship: str
    ware: str
    units: int
    source: str | None
    target: str
    profit: int


class TradeFinished(Event, frozen=True, gc=False):
    """Private: a ship has sold what its job was about."""

    player: PlayerId
    ship: str


class TradeAbandoned(Event, frozen=True, gc=False):
    """Private: a ship gave its job up; what was reserved for it is free again."""

    player: PlayerId
    ship: str
    reason: str


class QueueChanged(Event, frozen=True, gc=False):
    """Private: a ship's queue is another one.

    `why` is "stopped", "cancelled", "reordered", "abandoned" (a job given up), "replanned" (another way) or "gate" (a
    gate on the way closed or opened).
    """

    player: PlayerId
    ship: str
    why: str


class EntryDone(Event, frozen=True, gc=False):
    """Private: a queue entry was carried out."""

    player: PlayerId
    ship: str
    entry: int
    order: int


class EntryFailed(Event, frozen=True, gc=False):
    """Private: a queue entry could not be carried out; the ship goes on with the next."""

    player: PlayerId
    ship: str
    entry: int
    order: int
    code: str
    message: str


class WareBought(Event, frozen=True, gc=False):
    """Private: a ship bought `units` of the `wanted` ones for `total`, and its owner paid a `fee` on top.

    `price` is the average a unit, rounded down, without the fee. When fewer were bought than wanted, `limited_by` is
    the code of the refusal that one unit more would have met, such as "no_stock".
    """

    player: PlayerId
    ship: str
    station: str
    ware: str
    units: int
    price: int
    total: int
    wanted: int
    fee: int
    limited_by: str = ""


class WareSold(Event, frozen=True, gc=False):
    """Private: a ship sold `units` of the `wanted` ones for `total`, of which its owner paid a `fee`.

    `price` is the average a unit, rounded down, without the fee; `limited_by` is as in `WareBought`.
    """

    player: PlayerId
    ship: str
    station: str
    ware: str
    units: int
    price: int
    total: int
    wanted: int
    fee: int
    limited_by: str = ""


class StockChanged(Event, frozen=True, gc=False):
    """A station's stock is another one, by production, consumption or trade; its prices moved with it."""

    station: str


class StationStatusChanged(Event, frozen=True, gc=False):
    """A station's status, or the reason for it, is another one.

    `previous` is the status before, which it had for `lasted` ticks. The two are the same when only the reason
    changed; the status then goes on, and `lasted` is how long it has been so far.
    """

    station: str
    status: str
    reason: str
    previous: str
    lasted: Tick


class RulesChanged(Event, frozen=True):
    """Rules were changed while the game runs; `changes` is `{field: new value}`. Much may look different at once."""

    changes: dict[str, int]


class GateClosed(Event, frozen=True, gc=False):
    """A gate lets no ship in any more; ships inside come out."""

    gate: str


class GateOpened(Event, frozen=True, gc=False):
    """A gate lets ships in again."""

    gate: str


class SectorCharted(Event, frozen=True, gc=False):
    """Surveyors charted a sector: from now on everybody knows it."""

    sector: str


class SectorDiscovered(Event, frozen=True, gc=False):
    """Private: a ship of the player's came out into a sector that the player did not know."""

    player: PlayerId
    sector: str
    ship: str


PrivateEvent: TypeAlias = (
    OrderAccepted
    | QueueChanged
    | EntryDone
    | EntryFailed
    | WareBought
    | WareSold
    | TradeAssigned
    | TradeFinished
    | TradeAbandoned
    | SectorDiscovered
)
#: The events that only their `player` may see.
PRIVATE = (
    OrderAccepted,
    QueueChanged,
    EntryDone,
    EntryFailed,
    WareBought,
    WareSold,
    TradeAssigned,
    TradeFinished,
    TradeAbandoned,
    SectorDiscovered,
)
