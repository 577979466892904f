"""Views and patches under fog: what `views` makes, without what the viewer does not know.

A viewer knows sectors: a spectator the charted ones, a player also those that they discovered. What lies in any other
is not there for them: sectors, gates, stations, other owners' ships. A gate into the unknown has no `to` and no
`to_sector`, nor has a queue entry through it an `exit`. Ships of others go out of sight (None) and come back whole.

As without fog the public part of a patch is made once for all. What a player sees beyond it goes into the private
part, which is merged after it: rows of discovered sectors, and the player's own ships, always whole.

Others do not learn from a ship where it wants to go, because its goal may lie where they know nothing: its `reason` is
told to them in general words only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from gamekit.game import Changes, Event, PlayerId, View
from gamekit.space import views
from gamekit.space.events import PlayerJoined, SectorCharted, SectorDiscovered, ShipEmerged, ShipJumped, ShipSold
from gamekit.space.hooks import OwnEvent
from gamekit.space.model import Gate, Jump, Ship
from gamekit.space.sight import audience, knows_all, sees, whereabouts
from gamekit.space.state import SpaceState
from gamekit.space.status import FLYING, HOLDING, JUMPING
from gamekit.space.views import Fields


def view(state: SpaceState, player: PlayerId | None) -> View:
    """All that `player` may see; None is a spectator."""
    known = state.known_to(player)
    if known is None:
        return views.view(state, player)
    return {
        "sectors": {key: views.sector_row(state, one) for key, one in state.sectors.items() if key in known},
        "gates": {key: _gate(state, known, gate) for key, gate in state.gates.items() if gate.sector in known},
        "stations": {key: views.station_row(state, one) for key, one in state.stations.items() if one.sector in known},
        "ships": {
            key: _ship(state, player, ship)
            for key, ship in state.ships.items()
            if ship.owner == player or knows_all(known, whereabouts(state, ship))
        },
    } | views.no_place(state, player)


def changes(state: SpaceState, player: PlayerId | None, events: Sequence[Event]) -> Changes:
    """The patch that `events` made: the public part for None, else what `player` sees beyond it."""
    if any(views.redraws(event) and not isinstance(event, _ABOUT_MAPS) for event in events):
        return _redrawn(state, player, events)
    tables: dict[str, dict[str, Any]] = {"sectors": {}, "gates": {}, "stations": {}, "ships": {}, "players": {}}
    if player is None:
        _public(state, events, tables)
    elif (known := state.known_to(player)) is not None:
        _private(state, player, known, events, tables)
    return {table: rows for table, rows in tables.items() if rows}


def _redrawn(state: SpaceState, player: PlayerId | None, events: Sequence[Event]) -> Changes:
    """Everything as a patch, for events that may have changed anything."""
    public = view(state, None)
    if player is None:
        return public | {"ships": {**dict.fromkeys(_vanished(state, None, events)), **public["ships"]}}
    patch = views.beyond(public, view(state, player))
    for key in _vanished(state, player, events):
        patch.setdefault("ships", {})[key] = None
    return patch


def _vanished(state: SpaceState, player: PlayerId | None, events: Sequence[Event]) -> list[str]:
    """The ships that a viewer may have seen before the events and does not see now.

    No others: the id alone of a ship that was never in sight would tell that there is one.
    """
    if player is None and any(isinstance(event, OwnEvent) and event.touches is None for event in events):
        # A designer's event that does not say what it touches may have moved any ship anywhere.
        gone = list(state.ships)
    else:
        known = state.known_to(player)
        gone = _gone(state, player, known, frozenset(), events) if known is not None else []
        gone += [named for event in events if isinstance(event, OwnEvent) for named in _touched(state, event)]
    gone += [
        event.ship
        for event in events
        if isinstance(event, ShipSold) and state.knows(player, state.stations[event.station].sector)
    ]
    return [key for key in gone if key not in state.ships or not sees(state, player, state.ships[key])]


def _touched(state: SpaceState, event: OwnEvent) -> list[str]:
    """The ships that a designer's event names as touched."""
    named = (getattr(event, field) for field in event.touches or ())
    return [key for key in named if key in state.ships]


def _public(state: SpaceState, events: Sequence[Event], tables: dict[str, dict[str, Any]]) -> None:
    charted = state.known_to(None)
    assert charted is not None, "there is fog"
    told = [event for event in events if _shows(state, charted, event)]
    patch = views.changes(state, None, told)
    for table in ("gates", "stations", "players"):
        tables[table] |= patch.get(table, {})
    ships = tables["ships"]
    for key, row in patch.get("ships", {}).items():
        ship = state.ships.get(key)
        if ship is None:
            ships[key] = row
        elif sees(state, None, ship):
            ships[key] = _in_general(state, ship, row)
    for event in events:
        if isinstance(event, ShipEmerged) and event.ship in ships:
            ships[event.ship] = _ship(state, None, state.ships[event.ship])
    for key in _gone(state, None, charted, frozenset(), events):
        ships[key] = None
    _reveal(state, None, charted, frozenset(), _news(None, events), tables)


def _private(
    state: SpaceState, player: PlayerId, known: frozenset[str], events: Sequence[Event], tables: dict[str, Any]
) -> None:
    charted = state.known_to(None)
    assert charted is not None, "there is fog"
    news = _news(player, events)
    own = views.changes(state, player, [event for event in events if not isinstance(event, _ABOUT_MAPS)])
    tables["players"] |= own.get("players", {})
    ships = tables["ships"]
    mine = [ship.id for ship in state.ships.values() if ship.owner == player] if news else own.get("ships", {})
    beyond = [
        event
        for event in events
        if not isinstance(event, PlayerJoined) and not _shows(state, charted, event) and _shows(state, known, event)
    ]
    patch = views.changes(state, None, beyond)
    for table in ("gates", "stations"):
        tables[table] |= patch.get(table, {})
    for key, row in patch.get("ships", {}).items():
        ships[key] = _ship(state, player, state.ships[key]) if key in state.ships else row
    for key in _gone(state, player, known, charted, events):
        ships[key] = None
    _reveal(state, player, known, charted, news, tables)
    for key in mine:
        ships[key] = _ship(state, player, state.ships[key]) if key in state.ships else None


#: What changes knowledge and nothing else.
_ABOUT_MAPS = (SectorCharted, SectorDiscovered)


def _news(player: PlayerId | None, events: Iterable[Event]) -> list[str]:
    """The sectors that a viewer has come to know by the events."""
    return [
        event.sector
        for event in events
        if isinstance(event, SectorCharted) or (isinstance(event, SectorDiscovered) and event.player == player)
    ]


def _shows(state: SpaceState, known: frozenset[str], event: Any) -> bool:
    """Whether the thing that an event changed is now where everybody who knows `known` sees it."""
    if isinstance(event, _ABOUT_MAPS):
        return False
    fields = event.__struct_fields__
    if isinstance(event, PlayerJoined):
        return True
    if "ship" in fields:
        ship = state.ships.get(event.ship)
        return knows_all(known, whereabouts(state, ship)) if ship is not None else audience(state, event) is None
    place = state.gates[event.gate] if "gate" in fields else state.stations[event.station]
    return place.sector in known


def _gone(
    state: SpaceState, player: PlayerId | None, known: frozenset[str], others: frozenset[str], events: Sequence[Event]
) -> list[str]:
    """The ships that went out of sight through a gate in a sector of `known`, but not one of `others`.

    What the viewer came to know only later in the same events was not in sight before.
    """
    later, later_for_others = _news(player, events), _news(None, events)
    gone = []
    for event in events:
        if isinstance(event, _ABOUT_MAPS):
            for list_ in (later, later_for_others):
                if event.sector in list_:
                    list_.remove(event.sector)
        elif isinstance(event, ShipJumped):
            sector = state.gates[event.gate].sector
            seen = sector in known and sector not in later
            told = sector in others and sector not in later_for_others
            ship = state.ships.get(event.ship)
            if seen and not told and (ship is None or not sees(state, player, ship)):
                gone.append(event.ship)
    return gone


def _reveal(
    state: SpaceState,
    player: PlayerId | None,
    known: frozenset[str],
    public: frozenset[str],
    news: list[str],
    tables: dict[str, Any],
) -> None:
    """Whole rows of what has come into sight with new sectors, as far as it is not public anyway."""
    if not news:
        return
    for key in news:
        sector = state.sectors[key]
        if key not in public:
            tables["sectors"][key] = views.sector_row(state, sector)
            for station in state.stations.values():
                if station.sector == key:
                    tables["stations"][station.id] = views.station_row(state, station)
        for gate_id in sector.gates:
            gate = state.gates[gate_id]
            tables["gates"][gate.id] = _gate(state, known, gate)
            if gate.to_sector in known:
                tables["gates"][gate.to] = _gate(state, known, state.gates[gate.to])
    for ship in state.ships.values():
        where = whereabouts(state, ship)
        if knows_all(known, where) and not knows_all(public, where) and any(sector in news for sector in where):
            tables["ships"][ship.id] = _ship(state, player, ship)


def _gate(state: SpaceState, known: frozenset[str], gate: Gate) -> Fields:
    row = views.gate_row(state, gate)
    return row if gate.to_sector in known else row | {"to": None, "to_sector": None}


def _ship(state: SpaceState, player: PlayerId | None, ship: Ship) -> Fields:
    """A ship that the viewer sees, whole."""
    own = ship.owner == player
    row = views.ship_row(state, ship, own=own)
    if not own:
        return _in_general(state, ship, row)
    if row["at"]["type"] == "gate" and not state.knows(player, state.gates[row["at"]["exit"]].sector):
        row["at"]["exit"] = None
    for entry, shown in zip(ship.queue, row["queue"], strict=True):
        if isinstance(entry, Jump) and not state.knows(player, state.gates[entry.exit].sector):
            shown["exit"] = None
    return row


def _in_general(state: SpaceState, ship: Ship, row: Fields) -> Fields:
    """A row of somebody else's ship, its reason without where it wants to go."""
    status = row.get("status")
    if status == FLYING:
        row["reason"] = "flying"
    elif status == HOLDING:
        row["reason"] = "holding: its way is closed"
    elif status == JUMPING:
        # Seen only by those who know both sides.
        row["reason"] = f"in transit to {state.sectors[whereabouts(state, ship)[1]].name}"
    return row
