"""What players ask for. Each command names one ship of the player who sends it, or buys one.

The shapes only; `orders.py` and `shipyard.py` carry them out. On the wire a command is an object whose `type` is its
tag.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from gamekit.game import Command


class Target(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where to go: exactly one of a place in a sector, a station, or a gate.

    Attributes:
        sector: a sector's id; then `x` and `y` are metres from its centre (0, 0 when not given).
        x, y: metres; x to the right, y down.
        station: a station's id: fly there and dock.
        gate: a gate's id: fly there and wait in front of it.
        through: with a gate: go through it and come out on the other side, known or not.
    """

    sector: str | None = None
    x: int | None = None
    y: int | None = None
    station: str | None = None
    gate: str | None = None
    through: bool = False


class MoveShip(Command, frozen=True, tag="move"):
    """Go to `to`, over as many gates as it takes; after the orders given before when `append`, else instead of them."""

    ship: str
    to: Target
    append: bool = False


class BuyWare(Command, frozen=True, tag="buy"):
    """Buy up to `units` at the station where the ship is docked then: after its other orders, or now."""

    ship: str
    ware: str
    units: int
    append: bool = True


class SellWare(Command, frozen=True, tag="sell"):
    """Sell up to `units` at the station where the ship is docked then: after its other orders, or now."""

    ship: str
    ware: str
    units: int
    append: bool = True


class StopShip(Command, frozen=True, tag="stop"):
    """Forget all orders and stay; a ship inside a gate comes out first."""

    ship: str


class CancelEntry(Command, frozen=True, tag="cancel"):
    """Take back the order that the queue entry `entry` belongs to; later orders are re-planned."""

    ship: str
    entry: int


class ReorderQueue(Command, frozen=True, tag="reorder"):
    """Carry out the orders with these numbers in this sequence, and then those that are not named."""

    ship: str
    orders: tuple[int, ...]


class AutoTrade(Command, frozen=True, tag="auto_trade"):
    """Let a ship trade by itself whenever it has no orders, or no longer; its queue stays as it is."""

    ship: str
    on: bool


class BuyShip(Command, frozen=True, tag="buy_ship", rename={"ship_class": "class"}):
    """Buy a ship of a class, which then waits docked at `station`, a hub or a shipyard.

    Attributes:
        ship_class: the id of a class, as in the view's `ship_classes`; `class` on the wire.
        name: what to call it; None for a name from the list.
    """

    ship_class: str
    station: str
    name: str | None = None


class SellShip(Command, frozen=True, tag="sell_ship"):
    """Give back a ship that is docked at a hub or a shipyard, empty and not on a job; its orders go with it."""

    ship: str


class RenameShip(Command, frozen=True, tag="rename_ship"):
    """Call a ship something else."""

    ship: str
    name: str


SpaceCommand: TypeAlias = (
    MoveShip | BuyWare | SellWare | StopShip | CancelEntry | ReorderQueue | AutoTrade | BuyShip | SellShip | RenameShip
)
