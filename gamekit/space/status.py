"""What a ship is doing, in a word and in a sentence, read from its place and its queue.

Neither is stored, so neither can be out of date; and no ship is without either.
"""

from __future__ import annotations

from gamekit.space.model import NEVER, Dock, Docked, Fly, InGate, Jump, OnLeg, Ship
from gamekit.space.state import SpaceState

IDLE = "idle"
FLYING = "flying"
JUMPING = "jumping"
DOCKED = "docked"
WAITING = "waiting"
HOLDING = "holding"

_IN_VAIN = "waiting for a trade worth its while"


def status_of(state: SpaceState, ship: Ship) -> tuple[str, str]:
    """A ship's status and the reason for it, in the words of its owner.

    Returns:
        One of "idle", "flying", "jumping", "docked", "waiting" (docking), "holding"; and a sentence, never empty.
    """
    at = ship.at
    if ship.blocked:
        return HOLDING, ship.blocked
    if isinstance(at, OnLeg):
        return FLYING, f"flying to {_aim(state, ship)}"
    if isinstance(at, InGate):
        return JUMPING, f"in transit to {state.called(ship.owner, state.gates[at.exit].sector)}"
    if isinstance(at, Docked):
        # A ship in auto-trade without a queue waits for its dispatcher, here as in open space.
        waits = f"; {_IN_VAIN}" if ship.auto_trade and not ship.queue else ""
        return DOCKED, f"docked at {state.stations[at.station].name}{waits}"
    if ship.due != NEVER:
        entry = ship.queue[0]
        assert isinstance(entry, Dock), "at rest, only docking takes time"
        return WAITING, f"docking at {state.stations[entry.station].name}"
    return IDLE, _IN_VAIN if ship.auto_trade else "no orders"


def _aim(state: SpaceState, ship: Ship) -> str:
    """What the leg under way leads to."""
    queue = ship.queue
    fly = queue[0]
    following = queue[1] if len(queue) > 1 else None
    if isinstance(following, Jump) and following.order == fly.order:
        beyond = state.gates[following.gate].to_sector
        known = state.knows(ship.owner, beyond)
        return f"{state.sectors[beyond].name} gate" if known else "the gate to the unknown"
    if isinstance(following, Dock) and following.order == fly.order:
        return state.stations[following.station].name
    assert isinstance(fly, Fly), "a leg belongs to an entry to fly"
    return f"({fly.x}, {fly.y}) in {state.sectors[fly.sector].name}"
