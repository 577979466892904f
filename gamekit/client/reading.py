"""What handles tell about the game, and the orders a ship takes: the part that is the same for both faces.

Nothing here waits. A handle holds no state of its own: it reads the latest picture each time, so it never gets old.
Every reading is of one moment; two readings in a row may be of two.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Generic, TypeVar

from gamekit.client import show
from gamekit.client.named import Named
from gamekit.client.names import destination, find
from gamekit.client.numbers import metres, whole
from gamekit.client.order import OrderState
from gamekit.client.places import Station, Stations
from gamekit.client.position import Position as Position  # noqa: PLC0414 - many import it from here
from gamekit.client.position import place_text
from gamekit.client.position import position_of as position_of  # noqa: PLC0414
from gamekit.client.seen import Clock, Seen
from gamekit.errors import ConfigError, UnknownName
from gamekit.game import GameId, PlayerId, Tick, View

OrderT = TypeVar("OrderT", bound=OrderState)
ShipT = TypeVar("ShipT", bound="ShipReading[Any]")


class Watching(ABC):
    """Whoever has a picture of the game before them."""

    @property
    @abstractmethod
    def seen(self) -> Seen:
        """The latest picture, one moment of the game."""

    @property
    @abstractmethod
    def clock(self) -> Clock:
        """The game's clock as last heard of."""

    @property
    def view(self) -> View:
        """The tables of the latest picture: `{table: {id: {field: value}}}`. Do not change it."""
        return self.seen.view

    @property
    def stations(self) -> Stations:
        """The stations that are seen, by id or name: `me.stations["Sol Hub"].price("food")`, in credits."""
        return Stations(self)

    @property
    def tick(self) -> Tick:
        """The latest tick that the server has told; see `now` for the estimate between two words."""
        return self.seen.tick

    @property
    def now(self) -> float:
        """The estimated tick at this instant, with fraction."""
        return self.clock.at(time.monotonic())

    @property
    def paused(self) -> bool:
        """True while game time stands still."""
        return self.clock.paused


class ShipReading(Generic[OrderT]):
    """One of a player's ships. Orders return at once; what became of them is in the order that they return."""

    def __init__(self, player: PlayerReading[Any, OrderT], ship: str) -> None:
        self.player = player
        self.id = ship

    # --- what it does -----------------------------------------------------------------------------------------

    def go(
        self,
        place: str | Station | None = None,
        /,
        *,
        x: float | None = None,
        y: float | None = None,
        append: bool = False,
        through: bool = False,
    ) -> OrderT:
        """Send the ship somewhere; it finds its own way through the gates.

        Args:
            place: a sector, station or gate, by name or id, or a station's handle; None for the sector the ship is in.
            x, y: where in the sector, in metres from its centre (y points down), rounded to whole ones; the centre by
                default.
            append: after what the ship has in its queue, instead of in place of it.
            through: with a gate: jump through it, also when nobody knows what is beyond.

        Raises:
            UnknownName: there is no such place.
            ConfigError: coordinates were given for a station or gate, `through` without a gate, or nothing at all.
        """
        to: dict[str, Any]
        if place is None:
            if x is None and y is None:
                raise ConfigError("Say where to: a sector, station or gate by name, or x and y in metres.")
            to = {"sector": self.position.sector}
        else:
            to = {**destination(self.player.view, place)}
        if "sector" in to:
            to.update(x=metres(x, "x"), y=metres(y, "y"))
        elif x is not None or y is not None:
            raise ConfigError(f"{place!r} is a {next(iter(to))}; x and y go with a sector only.")
        if through:
            if "gate" not in to:
                raise ConfigError("Only a gate leads through; name one, or leave `through` out.")
            to["through"] = True
        return self._give({"type": "move", "to": to, "append": append})

    def buy(self, ware: str, units: int, *, append: bool = True) -> OrderT:
        """Buy wares at the station where the ship is docked, or will be when its queue gets here.

        Args:
            ware: by name or id.
            units: how many, a whole number.
            append: after what the ship has in its queue, instead of in place of it.

        Raises:
            UnknownName: there is no such ware.
            ConfigError: `units` is no whole number.
        """
        return self._trade("buy", ware, units, append)

    def sell(self, ware: str, units: int, *, append: bool = True) -> OrderT:
        """Sell wares at the station where the ship is docked, or will be; see `buy`."""
        return self._trade("sell", ware, units, append)

    def auto_trade(self, on: bool = True) -> OrderT:
        """Let the ship trade by itself whenever it has no orders, or no longer."""
        return self._give({"type": "auto_trade", "on": bool(on)})

    def stop(self) -> OrderT:
        """Drop the whole queue and stop where the ship is."""
        return self._give({"type": "stop"})

    def cancel(self, entry: int) -> OrderT:
        """Drop one entry of the queue, by its `id` in `queue`."""
        return self._give({"type": "cancel", "entry": whole(entry, "an entry")})

    def sell_ship(self) -> OrderT:
        """Give the ship back for a part of its price, at a hub or a shipyard, empty and on no job.

        Once the order is carried out the ship is gone: its handle then only tells so.
        """
        return self._give({"type": "sell_ship"})

    def rename(self, name: str) -> OrderT:
        """Call the ship something else.

        Args:
            name: 1 to 40 characters that can be seen; one that looks like another player's gets a number behind it.
        """
        return self._give({"type": "rename_ship", "name": name})

    def reorder(self, *orders: int) -> OrderT:
        """Carry the ship's orders out in this sequence, by the `order` of the entries in `queue`; others follow."""
        return self._give({"type": "reorder", "orders": [whole(order, "an order") for order in orders]})

    def _trade(self, verb: str, ware: str, units: int, append: bool) -> OrderT:
        ware_id = find(self.player.view.get("wares", {}), ware, "ware")
        return self._give({"type": verb, "ware": ware_id, "units": whole(units, "units"), "append": append})

    def _give(self, command: dict[str, Any]) -> OrderT:
        """Give a command to this ship; the order that comes back knows the ship, for `then`."""
        order = self.player.submit({"type": command.pop("type"), "ship": self.id, **command})
        order.ship = self
        return order

    # --- what it is -------------------------------------------------------------------------------------------

    @property
    def fields(self) -> dict[str, Any]:
        """The ship's row of the view. Do not change it.

        Raises:
            UnknownName: the ship is gone.
        """
        ships = self.player.view.get("ships", {})
        if self.id not in ships:
            raise UnknownName(f"The ship {self.id!r} is not there any more.")
        fields: dict[str, Any] = ships[self.id]
        return fields

    @property
    def name(self) -> str:
        """The ship's name."""
        return str(self.fields["name"])

    @property
    def status(self) -> str:
        """idle, flying, jumping, docked, waiting or holding."""
        return str(self.fields["status"])

    @property
    def reason(self) -> str:
        """Why the ship does what it does, as a sentence."""
        return str(self.fields["reason"])

    @property
    def doing(self) -> str:
        """What it does and why, in words; also when it is the game that stands still."""
        if self.id not in self.player.view.get("ships", {}):
            return "the ship is gone"
        still = ". The game is paused: nothing moves until `game.resume()`" if self.player.paused else ""
        return f"{self.status}. {self.reason}{still}"

    @property
    def position(self) -> Position:
        """Where the ship is at this instant, by the estimated clock."""
        return position_of(self.player.view, self.fields, self.player.now)

    @property
    def sector(self) -> str:
        """The id of the sector that the ship is in; in a gate, of the one it comes from."""
        return self.position.sector

    @property
    def station(self) -> str | None:
        """The id of the station where the ship is docked, or None."""
        at = self.fields["at"]
        return str(at["station"]) if at["type"] == "dock" else None

    @property
    def queue(self) -> list[dict[str, Any]]:
        """What the ship will do, step by step, as the view gives it."""
        return list(self.fields.get("queue", ()))

    @property
    def hold(self) -> dict[str, int]:
        """The cargo: `{ware id: units}`."""
        return dict(self.fields.get("hold", {}))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShipReading) and (self.id, self.player) == (other.id, other.player)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        if self.id not in self.player.view.get("ships", {}):
            return f"<Ship {self.id}, gone>"
        return f"<Ship {self.name} ({self.id}), {self.status} in {self.sector}: {self.reason}>"

    def _repr_html_(self) -> str:
        if self.id not in self.player.view.get("ships", {}):
            return show.table(f"{self.id} is gone: it was sold.", [], [])
        rows: list[list[object]] = [
            [number, step["type"], step["status"], _step_text(step), step.get("eta")]
            for number, step in enumerate(self.queue, 1)
        ]
        caption = f"{self.name}: {self.status} in {self.sector}. {self.reason}"
        return show.table(caption, ["", "step", "status", "", "ETA (tick)"] if rows else [], rows)


class Ships(Named[ShipT]):
    """A player's ships, by id; `ships[...]` and `in` take names as well."""

    def __init__(self, player: PlayerReading[ShipT, Any]) -> None:
        super().__init__("ship")
        self._player = player

    def _table(self) -> dict[str, dict[str, Any]]:
        ships: dict[str, dict[str, Any]] = self._player.view.get("ships", {})
        return {key: ship for key, ship in ships.items() if ship.get("owner") == self._player.id}

    def _item(self, key: str) -> ShipT:
        return self._player.handle_of(key)

    def __repr__(self) -> str:
        return f"<Ships {', '.join(repr(ship) for ship in self.values()) or 'none'}>"

    def _repr_html_(self) -> str:
        rows = [
            [key, ship["name"], ship["status"], place_text(self._player.view, ship), ship["reason"]]
            for key, ship in self._table().items()
        ]
        return show.table(f"Ships at tick {self._player.tick:,}", ["id", "name", "status", "where", "reason"], rows)


class PlayerReading(Watching, Generic[ShipT, OrderT]):
    """One player in one game.

    Attributes:
        id: the player's id, e.g. "p1".
        token: what proves who plays; keep it to come back.
    """

    id: PlayerId
    token: str

    @abstractmethod
    def submit(self, body: Mapping[str, Any]) -> OrderT:
        """Give any command of the game, as plain values with its `type`.

        Raises:
            LocalProtocolError: it is too large or not made of plain values; nothing was sent.
        """

    @abstractmethod
    def handle_of(self, ship: str) -> ShipT:
        """The handle of the ship with this id, whether it is there or not."""

    @property
    @abstractmethod
    def connected(self) -> bool:
        """True while the server is talked to; without it orders queue up and leave later, in order."""

    @property
    @abstractmethod
    def pending(self) -> int:
        """How many orders are given and not decided yet."""

    def buy_ship(self, ship_class: str, station: str | Station, name: str | None = None) -> OrderT:
        """Buy a ship, which then waits docked at the station, among `ships`.

        Args:
            ship_class: by name or id, one of the view's `ship_classes`.
            station: by name, id or handle, a hub or a shipyard.
            name: what to call it, 1 to 40 characters that can be seen; one from the game's list by default.

        Raises:
            UnknownName: there is no such class or station.
        """
        body = {
            "type": "buy_ship",
            "class": find(self.view.get("ship_classes", {}), ship_class, "class of ships"),
            "station": find(self.view.get("stations", {}), station, "station"),
        }
        return self.submit(body if name is None else body | {"name": name})

    @property
    def ships(self) -> Ships[ShipT]:
        """The player's ships, by id or name."""
        return Ships(self)

    @property
    def ship(self) -> ShipT:
        """The player's first ship.

        Raises:
            UnknownName: the player has none.
        """
        for ship in self.ships.values():
            return ship
        raise UnknownName(f"{self.name} has no ship.")

    @property
    def name(self) -> str:
        """The player's name."""
        return str(self.view.get("players", {}).get(self.id, {}).get("name", self.id))

    @property
    def credits(self) -> float:
        """The player's money, in credits."""
        return int(self.view["players"][self.id]["credits"]) / 100

    def __repr__(self) -> str:
        link = "connected" if self.connected else "offline"
        return f"<Player {self.name} ({self.id}), {len(self.ships)} ships, {self.pending} orders pending, {link}>"

    def _repr_html_(self) -> str:
        centi_credits = self.view.get("players", {}).get(self.id, {}).get("credits")
        link = "connected" if self.connected else "offline"
        row = [self.id, self.name, show.credits_text(centi_credits), len(self.ships), self.pending, link]
        columns = ["id", "player", "credits", "ships", "orders pending", "link"]
        return show.table(f"At tick {self.tick:,}", columns, [row])


class GameReading(Watching):
    """One game.

    Attributes:
        id: the game's id.
        name: its display name.
    """

    id: GameId
    name: str

    @property
    def players(self) -> dict[str, str]:
        """Who plays: `{player id: name}`."""
        return {key: str(player["name"]) for key, player in self.view.get("players", {}).items()}

    def __repr__(self) -> str:
        return f"<Game {self.name} ({self.id})>"

    def _repr_html_(self) -> str:
        pace = "paused" if self.paused else f"speed {self.clock.speed:g}"
        view = self.view
        row = [self.id, self.name, f"{self.tick:,}", show.time_text(self.tick), pace]
        row += [str(len(view.get(table, {}))) for table in ("sectors", "stations", "ships", "players")]
        columns = ["id", "game", "tick", "game time", "pace", "sectors", "stations", "ships", "players"]
        return show.table("Game", columns, [row])


def _step_text(step: Mapping[str, Any]) -> str:
    known = {"id", "order", "type", "status", "eta"}
    return ", ".join(f"{key} {value}" for key, value in step.items() if key not in known)
