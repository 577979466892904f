"""Storms: they close a passage for a while, again and again, at times that depend on the seed alone.

The weather of a passage belongs to the end with the smaller number; only that one ever has something due. Draws are
counted per passage, so one passage's storms do not move another's, and a fork has the same weather.
"""

from __future__ import annotations

from gamekit.game import Event, Tick
from gamekit.space.events import GateClosed
from gamekit.space.gates import switch
from gamekit.space.model import NEVER, Gate
from gamekit.space.parts import Parts
from gamekit.space.rng import STREAM_STORMS, draw
from gamekit.space.state import SpaceState

#: `storm_rate` is storms in this time: 100 hours.
_RATE_TICKS = 3_600_000
#: More draws than any passage needs.
_DRAWS = 1 << 32


def forecast(state: SpaceState) -> None:
    """Let the first storm of every calm passage come, at tick 0 or when the rules begin to want storms."""
    if state.rules.storm_rate:
        for gate in state.gates.values():
            if gate.number < state.gates[gate.to].number and not gate.stormy:
                state.agenda.put(gate, state.tick + _calm(state, gate))


def turn(state: SpaceState, gate: Gate, events: list[Event]) -> Parts[None]:
    """A storm begins, or the one that rages ends."""
    if gate.stormy:
        gate.stormy = False
        gate.due = NEVER
        if state.rules.storm_rate:
            state.agenda.put(gate, state.tick + _calm(state, gate))
        yield from switch(state, gate.id, events, open_now=True, storm=True)
        return
    gate.stormy = True
    state.agenda.put(gate, state.tick + state.rules.storm_ticks)
    if not (yield from switch(state, gate.id, events, open_now=False, storm=True)):
        # A passage that was closed already now has another reason, which is told as well.
        events += [GateClosed(gate.id), GateClosed(gate.to)]
        state.atlas.storm_begins()
        state.maps.storm_begins()


def storm_until(state: SpaceState, gate: Gate) -> Tick | None:
    """When the storm that keeps a passage closed will end, asked at either end; None when there is none."""
    first = min(gate, state.gates[gate.to], key=lambda end: end.number)
    return first.due if first.stormy and not gate.open else None


def _calm(state: SpaceState, gate: Gate) -> Tick:
    """How long until the next storm: from one tick to twice the mean, evenly distributed."""
    number = draw(state.seed, STREAM_STORMS, gate.number * _DRAWS + gate.storms)
    gate.storms += 1
    return 1 + (number * (2 * _RATE_TICKS // state.rules.storm_rate) >> 64)
