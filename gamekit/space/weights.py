"""What of a game costs its server something: how much of it there is in a state, and how much is harmless.

The measure of work is *happenings*: production cycles that end, legs that are flown and storms, in a second at speed 1.
One costs up to 0.17 ms with all that follows from it (a dispatcher that is called, a trade, a plan), so a game at the
limit takes about a sixth of a core; the shipped scenarios have 2 (nearest-stars), 54 (procedural:1000) and 120
(crowded).
"""

from __future__ import annotations

from collections.abc import Mapping

from gamekit.game import TICK_HZ, Weight
from gamekit.space.state import SpaceState

#: A storm rate is told in storms in so many seconds.
STORM_RATE_S = 100 * 3_600
#: Sectors whose surroundings are looked at, and how many of the pairs of stations in range trade with each other.
SAMPLE, TRADING_SHARE = 16, 3

WEIGHTS = (
    Weight("sectors", 1_000, "sectors", "Sectors of a galaxy.", 300),
    Weight("stations", 5_000, "stations", "Stations of a galaxy.", 1_200),
    Weight("ships", 5_000, "ships", "Ships of a scenario's own companies.", 1_200),
    Weight(
        "trade_pairs",
        200_000,
        "pairs",
        "Stations that trade with each other within trade_range_jumps, estimated: each takes 400 bytes.",
        50_000,
    ),
    Weight("ships_a_player", 40, "ships", "The rule ships_limit: what each player may own by buying more."),
    Weight(
        "queue_ways",
        64_000,
        "ways",
        "Sectors times the rule queue_limit: what is planned anew when a ship's orders are put in another sequence.",
    ),
    Weight(
        "happenings",
        1_000,
        "in a second",
        "Production cycles, legs and storms, from what there is and cycle_percent, speeds, distances, storm_rate.",
        250,
    ),
)


def weigh(state: SpaceState) -> dict[str, int]:
    """How much there is of each of `WEIGHTS`."""
    rules = state.rules
    cycles = sum(TICK_HZ / one.recipe.cycle_ticks for one in state.stations.values() if one.recipe is not None)
    half_mm = rules.sector_size_m * 500
    flying = sum(TICK_HZ / max(half_mm / max(ship.speed, 1) + rules.dock_ticks, 1.0) for ship in state.ships.values())
    storms = len(state.gates) * rules.storm_rate / STORM_RATE_S
    return {
        "sectors": len(state.sectors),
        "stations": len(state.stations),
        "ships": len(state.ships),
        "trade_pairs": _pairs(state),
        "ships_a_player": rules.ships_limit,
        "queue_ways": len(state.sectors) * rules.queue_limit,
        "happenings": round(cycles + flying + storms),
    }


def _pairs(state: SpaceState) -> int:
    """About how many pairs of stations trade: from the surroundings of some sectors."""
    stations: dict[str, int] = {}
    for station in state.stations.values():
        stations[station.sector] = stations.get(station.sector, 0) + 1
    ways: dict[str, set[str]] = {sector: set() for sector in state.sectors}
    for gate in state.gates.values():
        ways[gate.sector].add(gate.to_sector)
    sectors = sorted(state.sectors)
    sample = sectors[:: max(len(sectors) // SAMPLE, 1)]
    pairs = sum(
        stations.get(sector, 0) * _within(sector, state.rules.trade_range_jumps, ways, stations) for sector in sample
    )
    return pairs * len(sectors) // (len(sample) * TRADING_SHARE)


def _within(start: str, jumps: int, ways: Mapping[str, set[str]], stations: Mapping[str, int]) -> int:
    """How many stations there are within so many jumps."""
    seen = edge = {start}
    for _ in range(jumps):
        edge = {there for sector in edge for there in ways[sector]} - seen
        if not edge:
            break
        seen = seen | edge
    return sum(stations.get(sector, 0) for sector in seen)
