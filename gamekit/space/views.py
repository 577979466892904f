"""What players see: the view, and the patches that keep a client's copy of it true.

Tables of entities by id, plain values only. A patch is made from events alone: each event names the things it
changed, `_SHOWS` says which of their fields, and the fields are read from the state after the events. Public fields
go to everybody, once; what only an owner sees (a ship's hold and queue, a player's credits) goes to the owner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from gamekit.game import Changes, Event, PlayerId, Tick, View
from gamekit.space import events as happened
from gamekit.space import ledger
from gamekit.space.courses import place_before
from gamekit.space.hooks import OwnEvent
from gamekit.space.model import (
    Buy,
    Dock,
    Docked,
    Entry,
    Fly,
    Gate,
    InSpace,
    Job,
    Jump,
    OnLeg,
    Player,
    Recipe,
    Sector,
    Ship,
    ShipClass,
    Station,
    Ware,
)
from gamekit.space.state import SpaceState
from gamekit.space.status import status_of
from gamekit.space.storms import storm_until
from gamekit.space.trading import prices
from gamekit.space.travel import leg_ticks

Fields: TypeAlias = dict[str, Any]


#: Groups of fields that change together, as bits.
_MOTION, _QUEUE, _HOLD, _STOCK, _STATUS, _OPEN, _SELF = 1, 2, 4, 8, 16, 32, 64
_OF_SHIPS = _MOTION | _QUEUE | _HOLD | _SELF

#: {event: what it changed of the ship, station or gate that it names}; who joins and which ship goes is seen to apart.
_SHOWS: dict[type[Event], int] = {
    happened.PlayerJoined: 0,
    happened.ShipSold: 0,
    happened.ShipBought: _SELF | _MOTION | _QUEUE | _HOLD,
    happened.ShipRenamed: _SELF,
    happened.ShipDeparted: _MOTION | _QUEUE,
    happened.ShipArrived: _MOTION | _QUEUE,
    happened.ShipStopped: _MOTION | _QUEUE,
    happened.ShipJumped: _MOTION | _QUEUE,
    happened.ShipEmerged: _MOTION | _QUEUE,
    happened.ShipDocking: _MOTION | _QUEUE,
    happened.ShipDocked: _MOTION | _QUEUE,
    happened.ShipUndocked: _MOTION | _QUEUE,
    happened.ShipHolding: _MOTION | _QUEUE,
    # The reason that everybody sees is read from the queue.
    happened.OrderAccepted: _MOTION | _QUEUE,
    happened.AutoTradeSwitched: _MOTION | _QUEUE | _HOLD,
    happened.TradeAssigned: _QUEUE | _HOLD,
    happened.TradeFinished: _QUEUE | _HOLD,
    happened.TradeAbandoned: _QUEUE | _HOLD,
    happened.QueueChanged: _MOTION | _QUEUE,
    happened.EntryDone: _QUEUE,
    happened.EntryFailed: _QUEUE,
    happened.WareBought: _QUEUE | _HOLD,
    happened.WareSold: _QUEUE | _HOLD,
    happened.StockChanged: _STOCK,
    happened.StationStatusChanged: _STATUS,
    happened.GateClosed: _OPEN,
    happened.GateOpened: _OPEN,
}


def view(state: SpaceState, player: PlayerId | None) -> View:
    """All that `player` may see; None is a spectator."""
    return {
        "sectors": {sector.id: sector_row(state, sector) for sector in state.sectors.values()},
        "gates": {gate.id: gate_row(state, gate) for gate in state.gates.values()},
        "stations": {station.id: station_row(state, station) for station in state.stations.values()},
        "ships": {ship.id: ship_row(state, ship, own=ship.owner == player) for ship in state.ships.values()},
    } | no_place(state, player)


def no_place(state: SpaceState, player: PlayerId | None) -> View:
    """The part of a view that is of no place: players, and what the game is made of."""
    players = {one.id: _player(one) for one in state.players.values()}
    if player in players:
        players[player] |= _purse(state, player)
    return {
        "players": players,
        "wares": {ware.id: _ware(ware) for ware in state.wares.values()},
        "rules": {name: {"value": value} for name, value in msgspec.structs.asdict(state.rules).items()},
        "ship_classes": {kind.id: _ship_class(kind) for kind in state.ship_classes.values()},
    }


def ship_row(state: SpaceState, ship: Ship, *, own: bool) -> Fields:
    """A ship with all its fields, as its owner or as others see it."""
    row = _ship(ship) | _motion(state, ship)
    return row | _queue(state, ship) | _hold(ship) if own else row


def gate_row(state: SpaceState, gate: Gate) -> Fields:
    """A gate with all its fields."""
    return _gate(gate) | _weather(state, gate)


def station_row(state: SpaceState, station: Station) -> Fields:
    """A station with all its fields."""
    return _station(station) | _stock(state, station) | _standing(station)


def changes(state: SpaceState, player: PlayerId | None, events: Sequence[Event]) -> Changes:
    """The patch that `events` made: the public part for None, else what `player` sees beyond it."""
    shown: dict[str, int] = {}
    apart: list[Any] = []
    purses: set[PlayerId] = set()
    redraw = False
    for event in events:
        shows = _SHOWS.get(type(event))
        if shows is None:
            if isinstance(event, OwnEvent) and event.private and player not in {None, getattr(event, "player", None)}:
                continue
            if isinstance(event, OwnEvent) and event.touches is not None:
                _touch(state, event, shown, purses)
            else:
                redraw = True
        elif not shows:
            apart.append(event)
        else:
            named = _named(event, shows)
            shown[named] = shown.get(named, 0) | shows
    if redraw:
        return redrawn(state, player, gone=[event.ship for event in apart if event.ship not in state.ships])
    patch = _public(state, shown, apart) if player is None else _private(state, player, shown, apart)
    if player is not None and player in purses:
        patch["players"] = {player: _purse(state, player)}
    return patch


def _touch(state: SpaceState, event: OwnEvent, shown: dict[str, int], purses: set[PlayerId]) -> None:
    """What an event of a designer's own changed: all that changes of the things that it names."""
    for field in event.touches or ():
        named = getattr(event, field)
        if named in state.players:
            purses.add(named)
        kinds = ((state.ships, _OF_SHIPS), (state.stations, _STOCK | _STATUS), (state.gates, _OPEN))
        for table, shows in kinds:
            if named in table:
                shown[named] = shown.get(named, 0) | shows


def redrawn(state: SpaceState, player: PlayerId | None, gone: Sequence[str] = ()) -> Changes:
    """Everything as a patch: the public part for None, else what `player` sees beyond it.

    For what happens seldom and may touch anything.

    Args:
        gone: the ships that have left the game.
    """
    if player is None:
        public = view(state, None)
        return public | {"ships": {**public["ships"], **dict.fromkeys(gone)}}
    # Only what is a player's own is beyond what everybody sees.
    own = [ship for ship in state.ships.values() if ship.owner == player]
    ships = {ship.id: _queue(state, ship) | _hold(ship) for ship in own}
    patch: Changes = {"ships": ships} if ships else {}
    return patch | ({"players": {player: _purse(state, player)}} if player in state.players else {})


def beyond(public: View, own: View) -> Changes:
    """What one view shows beyond another that it holds all of, as a patch."""
    patch: Changes = {}
    for table, entities in own.items():
        known = public.get(table, {})
        for key, fields in entities.items():
            old = known.get(key, {})
            more = {name: value for name, value in fields.items() if name not in old or old[name] != value}
            if more:
                patch.setdefault(table, {})[key] = more
    return patch


def redraws(event: Event) -> bool:
    """Whether an event may have changed anything, or things that only its own fields name."""
    return type(event) not in _SHOWS


def _named(event: Any, shows: int) -> str:
    named: str = event.ship if shows & _OF_SHIPS else event.gate if shows & _OPEN else event.station
    return named


def _public(state: SpaceState, shown: dict[str, int], apart: list[Any]) -> Changes:
    patch: Changes = {}
    for named, shows in shown.items():
        if shows & _OF_SHIPS:
            # A ship that is sold by now is seen to below.
            if shows & (_MOTION | _SELF) and named in state.ships:
                ship = state.ships[named]
                fields = _motion(state, ship) if shows & _MOTION else {}
                patch.setdefault("ships", {})[named] = fields | (_ship(ship) if shows & _SELF else {})
        elif shows & _OPEN:
            patch.setdefault("gates", {})[named] = _weather(state, state.gates[named])
        else:
            station = state.stations[named]
            fields = _stock(state, station) if shows & _STOCK else {}
            patch.setdefault("stations", {})[named] = fields | (_standing(station) if shows & _STATUS else {})
    for event in apart:
        if isinstance(event, happened.PlayerJoined):
            patch.setdefault("players", {})[event.player] = _player(state.players[event.player])
        new = state.ships.get(event.ship)
        patch.setdefault("ships", {})[event.ship] = _ship(new) | _motion(state, new) if new is not None else None
    return patch


def _private(state: SpaceState, player: PlayerId, shown: dict[str, int], apart: list[Any]) -> Changes:
    patch: Changes = {}
    for named, shows in shown.items():
        ship = state.ships.get(named) if shows & _OF_SHIPS else None
        if ship is None or ship.owner != player:
            continue
        fields = _queue(state, ship)
        if shows & _HOLD:
            fields |= _hold(ship)
            patch["players"] = {player: _purse(state, player)}
        patch.setdefault("ships", {})[named] = fields
    for event in apart:
        if event.player == player:
            patch["players"] = {player: _purse(state, player)}
            if event.ship in state.ships:
                ship = state.ships[event.ship]
                patch.setdefault("ships", {})[event.ship] = _queue(state, ship) | _hold(ship)
    return patch


def sector_row(state: SpaceState, sector: Sector) -> Fields:
    """A sector with all its fields."""
    return {
        "name": sector.name,
        "x": sector.x,
        "y": sector.y,
        "size_m": state.rules.sector_size_m,
        "gates": list(sector.gates),
    }


def _gate(gate: Gate) -> Fields:
    return {
        "sector": gate.sector,
        "x": gate.x,
        "y": gate.y,
        "to": gate.to,
        "to_sector": gate.to_sector,
        "jump_ticks": gate.jump_ticks,
    }


def _weather(state: SpaceState, gate: Gate) -> Fields:
    until = storm_until(state, gate)
    reason = "open" if gate.open else "closed" if until is None else "closed by a storm"
    return {"open": gate.open, "reason": reason, "storm_until": until}


def _ware(ware: Ware) -> Fields:
    return {"name": ware.name, "tier": ware.tier, "volume": ware.volume, "base_price": ware.base_price}


def _ship_class(kind: ShipClass) -> Fields:
    return {
        "name": kind.name,
        "speed_percent": kind.speed_percent,
        "capacity_percent": kind.capacity_percent,
        "price": kind.price,
    }


def _player(player: Player) -> Fields:
    return {"name": player.name, "joined": player.joined, "company": player.company}


def _purse(state: SpaceState, player: PlayerId) -> Fields:
    return {"credits": ledger.credits_of(state.ledger, player)}


def _station(station: Station) -> Fields:
    return {
        "name": station.name,
        "kind": station.kind,
        "sector": station.sector,
        "x": station.x,
        "y": station.y,
        "owner": station.owner,
        "recipe": _recipe(station.recipe) if station.recipe is not None else None,
        "capacity": dict(station.capacity),
        "buys": list(station.buys),
        "sells": list(station.sells),
        "shipyard": station.shipyard,
    }


def _recipe(recipe: Recipe) -> Fields:
    return {"inputs": dict(recipe.inputs), "outputs": dict(recipe.outputs), "cycle_ticks": recipe.cycle_ticks}


def _stock(state: SpaceState, station: Station) -> Fields:
    return {"stock": dict(station.stock), "price": prices(state, station)}


def _standing(station: Station) -> Fields:
    return {"status": station.status, "reason": station.reason, "since": station.since}


def _ship(ship: Ship) -> Fields:
    return {
        "name": ship.name,
        "owner": ship.owner,
        "class": ship.ship_class,
        "capacity": ship.capacity,
        "speed": ship.speed,
    }


def _motion(state: SpaceState, ship: Ship) -> Fields:
    status, reason = status_of(state, ship)
    return {"at": _at(ship), "status": status, "reason": reason}


def _at(ship: Ship) -> Fields:
    at = ship.at
    if isinstance(at, OnLeg):
        return {
            "type": "leg",
            "sector": at.sector,
            "from": [at.from_x, at.from_y],
            "to": [at.to_x, at.to_y],
            "depart": at.depart,
            "arrive": at.arrive,
        }
    if isinstance(at, InSpace):
        return {"type": "space", "sector": at.sector, "x": at.x, "y": at.y}
    if isinstance(at, Docked):
        return {"type": "dock", "station": at.station}
    return {"type": "gate", "gate": at.gate, "exit": at.exit, "depart": at.depart, "arrive": at.arrive}


def _hold(ship: Ship) -> Fields:
    job = _job(ship.job) if ship.job is not None else None
    return {"hold": dict(ship.hold), "auto_trade": ship.auto_trade, "job": job}


def _queue(state: SpaceState, ship: Ship) -> Fields:
    rows = []
    etas = _etas(state, ship)
    for index, (entry, eta) in enumerate(zip(ship.queue, etas, strict=True)):
        status = "queued" if index else "waiting" if ship.blocked else "active"
        rows.append(_entry(entry) | {"status": status, "eta": eta})
    return {"queue": rows}


def _job(job: Job) -> Fields:
    return {"ware": job.ware, "units": job.units, "source": job.source, "target": job.target, "loaded": job.loaded}


def _entry(entry: Entry) -> Fields:
    head: Fields = {"id": entry.id, "order": entry.order}
    if isinstance(entry, Fly):
        return head | {"type": "fly", "sector": entry.sector, "x": entry.x, "y": entry.y}
    if isinstance(entry, Jump):
        return head | {"type": "jump", "gate": entry.gate, "exit": entry.exit}
    if isinstance(entry, Dock):
        return head | {"type": "dock", "station": entry.station}
    return head | {"type": "buy" if isinstance(entry, Buy) else "sell", "ware": entry.ware, "units": entry.units}


def _etas(state: SpaceState, ship: Ship) -> list[Tick | None]:
    """When each entry will be done: exact while no gate on the way closes; None from where the way is not open."""
    if ship.blocked:
        return [None] * len(ship.queue)
    etas: list[Tick | None] = []
    eta: Tick | None = ship.due
    for index, entry in enumerate(ship.queue):
        if index and eta is not None:
            eta = _eta(state, ship, index, entry, eta)
        etas.append(eta)
    return etas


def _eta(state: SpaceState, ship: Ship, index: int, entry: Entry, begins: Tick) -> Tick | None:
    if isinstance(entry, Fly):
        here = place_before(state, ship, index)
        if here.sector != entry.sector:
            return None
        return begins + leg_ticks(ship.speed, entry.x - here.x, entry.y - here.y)
    if isinstance(entry, Jump):
        gate = state.gates[entry.gate]
        return begins + gate.jump_ticks if gate.open else None
    if isinstance(entry, Dock) and place_before(state, ship, index).station != entry.station:
        return begins + state.rules.dock_ticks
    return begins
