"""Who sees what under fog: where ships are seen, and who learns of an event.

A sector is seen whole by those who know it. A ship is seen by its owner, and by those who know the sector it is in;
inside a gate, by those who know both sides. Without fog everybody sees everything but what is private.
"""

from __future__ import annotations

from typing import Any

from gamekit.game import Event, PlayerId
from gamekit.space.events import PRIVATE, PlayerJoined, ShipHolding, ShipJumped
from gamekit.space.hooks import OwnEvent
from gamekit.space.model import Docked, InGate, Ship
from gamekit.space.state import SpaceState


def whereabouts(state: SpaceState, ship: Ship) -> tuple[str, ...]:
    """The sectors that must be known to see a ship: the one it is in, or both sides of the gate it is in."""
    at = ship.at
    if isinstance(at, InGate):
        return state.gates[at.gate].sector, state.gates[at.exit].sector
    return (state.stations[at.station].sector,) if isinstance(at, Docked) else (at.sector,)


def sees(state: SpaceState, player: PlayerId | None, ship: Ship) -> bool:
    """Whether a player, or a spectator (None), sees a ship now."""
    return ship.owner == player or knows_all(state.known_to(player), whereabouts(state, ship))


def knows_all(known: frozenset[str] | None, sectors: tuple[str, ...]) -> bool:
    """Whether all the sectors are among the known ones."""
    return known is None or all(sector in known for sector in sectors)


def audience(state: SpaceState, event: Event) -> tuple[PlayerId, ...] | None:
    """The players who may see an event that has just fallen, in the order of their table; None for everybody."""
    if isinstance(event, PRIVATE):
        return (event.player,)
    if isinstance(event, OwnEvent) and event.private:
        owner_of_it: PlayerId = getattr(event, "player")  # noqa: B009 - the field is the subclass's own
        return (owner_of_it,)
    if not state.rules.fog:
        return None
    ship = state.ships.get(getattr(event, "ship", ""))
    owner = ship.owner if ship is not None else None
    if isinstance(event, ShipHolding):
        # Its reason names where the ship wants to go.
        return (owner,) if owner is not None else ()
    where = scene(state, event)
    if knows_all(state.known_to(None), where):
        return None
    return tuple(
        player.id
        for player in state.players.values()
        if player.id == owner or (not player.company and knows_all(state.known_to(player.id), where))
    )


def scene(state: SpaceState, event: Any) -> tuple[str, ...]:
    """The sectors in which an event took place; none for one that has no place.

    Read from the event where it says so, and else from where its ship is now.
    """
    if isinstance(event, ShipJumped):
        gate = state.gates[event.gate]
        return gate.sector, gate.to_sector
    fields = event.__struct_fields__
    if isinstance(event, PlayerJoined):
        # Who plays is no secret; what a newcomer's ship shows is in the patch, or not.
        return ()
    if "sector" in fields:
        # Charting makes a sector known, so it is there for everybody to see.
        return (event.sector,)
    if "station" in fields and event.station in state.stations:
        return (state.stations[event.station].sector,)
    if "gate" in fields and event.gate in state.gates:
        return (state.gates[event.gate].sector,)
    return whereabouts(state, state.ships[event.ship]) if "ship" in fields and event.ship in state.ships else ()
