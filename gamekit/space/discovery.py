"""Charting and discovering: what is known at the start, and how more becomes known.

Charted is what everybody knows. At the start that is everything within `charted_jumps` of the hubs, where newcomers
begin; then surveyors chart one more sector every `discovery_ticks`, always one next to what is charted, drawn from the
seed and the number of sectors charted before, so that a fork charts the same. Discovered is what one player knows
beyond the charts, because a ship of theirs came out of a gate there. Nothing is ever forgotten.

All this happens under fog only; without it everybody knows everything. Companies do not discover: they know it all.
"""

from __future__ import annotations

from gamekit.game import Event
from gamekit.space.events import SectorCharted, SectorDiscovered
from gamekit.space.model import NEVER, Ship
from gamekit.space.rng import STREAM_SURVEYS, draw
from gamekit.space.state import SpaceState


def chart(state: SpaceState) -> None:
    """Draw the charts of tick 0, and send the surveyors out; nothing without fog."""
    rules, charts = state.rules, state.charts
    if not rules.fog:
        return
    homes = [station.sector for station in state.stations.values() if station.kind == "hub"]
    # Without a hub newcomers begin anywhere; each then discovers its own start.
    homes = homes or [station.sector for station in state.stations.values()][:1] or list(state.sectors)[:1]
    near: set[str] = set()
    for home in dict.fromkeys(homes):
        near |= state.atlas.sectors_within(home, rules.charted_jumps)
    charts.sectors = [sector for sector in state.sectors if sector in near]
    state.maps.learned()
    send_surveyors(state)


def survey(state: SpaceState, events: list[Event]) -> None:
    """The surveyors, who are due now, chart one more sector, if there is one next to the charted ones."""
    charts = state.charts
    charts.due = NEVER
    edge = _edge(state)
    if not edge:
        return
    number = draw(state.seed, STREAM_SURVEYS, len(charts.sectors))
    sector = edge[number * len(edge) >> 64]
    charts.sectors.append(sector)
    state.maps.learned()
    events.append(SectorCharted(sector))
    send_surveyors(state)


def arrive(state: SpaceState, ship: Ship, sector: str, events: list[Event]) -> bool:
    """A ship is in `sector` for the first time, perhaps: whether its owner discovers it."""
    if state.knows(ship.owner, sector):
        return False
    state.players[ship.owner].discovered.append(sector)
    state.maps.learned()
    events.append(SectorDiscovered(ship.owner, sector, ship.id))
    return True


def send_surveyors(state: SpaceState) -> None:
    """Let the surveyors chart one more sector in `discovery_ticks` from now; never when the rules want none."""
    state.charts.due = NEVER
    if state.rules.fog and state.rules.discovery_ticks and _edge(state):
        state.agenda.put(state.charts, state.tick + state.rules.discovery_ticks)


def _edge(state: SpaceState) -> list[str]:
    """The sectors next to the charted ones, in the order of their table."""
    charted = set(state.charts.sectors)
    return [
        sector.id
        for sector in state.sectors.values()
        if sector.id not in charted and any(state.gates[gate].to_sector in charted for gate in sector.gates)
    ]
