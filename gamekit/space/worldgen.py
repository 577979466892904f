"""Making a new game: from a configuration and a seed to the state at tick 0.

The configuration is `{"scenario": ..., "rules": {...}}`, both optional. A scenario is

- a name: "nearest-stars" (the default), "duel", "lifeline", "crowded", "procedural", or "procedural:40" for so many
  sectors;
- a table with a name and options: `{"name": "procedural", "sectors": 40, "companies": [...]}`;
- a whole definition: `{"sectors": [...], "gates": [...], "stations": [...]}`, shaped like the shipped TOML files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from numbers import Integral
from typing import Any

import msgspec

from gamekit.errors import ConfigError
from gamekit.space import discovery, fleet, ledger, scenario, storms
from gamekit.space.bounds import capacity_of, too_rich
from gamekit.space.economy import TRADING, begin_cycle
from gamekit.space.edge import Edge
from gamekit.space.mistakes import shown
from gamekit.space.model import Gate, Recipe, Saved, Sector, ShipClass, Station, Ware, cycle_length
from gamekit.space.procedural import grown
from gamekit.space.rules import Rules
from gamekit.space.rules import load as load_rules
from gamekit.space.state import SpaceState

#: Stations' first cycles end spread over their length by steps of this many ticks, so that work does not bunch.
_STAGGER_TICKS = 37
#: Most ships that companies may have together: a request of a few bytes must not fill a server's memory.
_MOST_SHIPS = 50_000
#: What ships are called by, which no station may be.
_SHIP_ID = re.compile(r"(c[0-9]+-)?ship-[0-9]+")


def new_state(config: Mapping[str, Any], seed: int) -> SpaceState:
    """The state at tick 0.

    Args:
        config: see the module.
        seed: an integer of 64 bits, signed or not.

    Raises:
        ConfigError: the configuration is wrong; names the key and what is allowed.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(f"config: expected a table with 'scenario' and 'rules', got {config!r}.")
    for key in config:
        if key not in {"scenario", "rules"}:
            raise ConfigError(f"config: unknown key {key!r}; allowed are 'scenario' and 'rules'.")
    seed = int(seed) if isinstance(seed, Integral) and not isinstance(seed, bool) else seed
    if type(seed) is not int or not -(2**63) <= seed < 2**64:
        raise ConfigError(f"seed: expected an integer of 64 bits, got {seed!r}.")
    rules = load_rules(config.get("rules", {}))
    named = config.get("scenario", scenario.NEAREST_STARS)
    definition = resolved(named, seed)
    if definition.rules:
        rules = load_rules({**definition.rules, **config.get("rules", {})})
    if not isinstance(named, Mapping) or "companies" not in named:
        # The shipped scenarios' own companies; those that a configuration names are taken as they are.
        definition = msgspec.structs.replace(definition, companies=_shipped(definition, rules.company_percent))
    ships = sum(row.ships for row in definition.companies)
    if ships > _MOST_SHIPS:
        raise ConfigError(
            f"scenario.companies: they have {ships} ships together, company_percent included; allowed are up to "
            f"{_MOST_SHIPS}."
        )
    if wrong := too_rich(definition.companies):
        raise ConfigError(f"scenario.companies: {wrong}")
    return _built(definition, rules, seed)


def _shipped(definition: scenario.Definition, percent: int) -> tuple[scenario.CompanyRow, ...]:
    """The companies of a shipped scenario with so many percent of their ships; those without ships are left out."""
    rows = (msgspec.structs.replace(row, ships=row.ships * percent // 100) for row in definition.companies)
    return tuple(row for row in rows if row.ships)


def resolved(named: object, seed: int) -> scenario.Definition:
    """The definition that a scenario setting means.

    Raises:
        ConfigError: there is no such scenario, or it has no such option.
    """
    if isinstance(named, str):
        base, colon, count = named.partition(":")
        if base == scenario.PROCEDURAL and (not colon or (count.isascii() and count.isdigit() and len(count) <= 9)):
            return _grown(base, int(count) if colon else None, seed)
        if named in scenario.HAND_MADE + scenario.GROWN:
            return _shipped_definition(named, None, seed)
    elif isinstance(named, Mapping):
        if is_definition(named):
            return scenario.definition("scenario", named)
        name = named.get("name")
        if name in scenario.HAND_MADE + scenario.GROWN:
            options = {"name", "companies"} | ({"sectors"} if name == scenario.PROCEDURAL else set())
            for key in named:
                if key not in options:
                    allowed = ", ".join(sorted(options))
                    raise ConfigError(f"scenario.{key}: unknown key for {name}; allowed are {allowed}.")
            made = _shipped_definition(name, named.get("sectors"), seed)
            if "companies" not in named:
                return made
            rows = scenario.companies("scenario.companies", named["companies"])
            return msgspec.structs.replace(made, companies=rows)
    names = ", ".join(repr(name) for name in scenario.HAND_MADE + scenario.GROWN)
    raise ConfigError(
        f"scenario: {shown(named)} is unknown; allowed are {names}, 'procedural:N' (N sectors), "
        "{'name': 'procedural', 'sectors': N}, or a definition with a list of 'sectors'."
    )


def is_definition(named: Mapping[str, Any]) -> bool:
    """Whether a table is a whole definition and not the name of a shipped scenario with options."""
    if not isinstance(named.get("sectors"), Integral | float | str | None):
        return True
    options = {"name", "companies", "sectors"}
    return not named.keys() <= options and named.get("name") not in scenario.HAND_MADE + scenario.GROWN


def _shipped_definition(name: str, count: object, seed: int) -> scenario.Definition:
    return scenario.hand_made(name) if name in scenario.HAND_MADE else _grown(name, count, seed)


def _grown(name: str, count: object, seed: int) -> scenario.Definition:
    growth = scenario.growth(name)
    if count is None:
        count = growth.default_sectors
    count = int(count) if isinstance(count, Integral) and not isinstance(count, bool) else count
    if type(count) is not int or not growth.least_sectors <= count <= growth.most_sectors:
        raise ConfigError(
            f"scenario.sectors: expected a whole number from {growth.least_sectors} to {growth.most_sectors}, "
            f"got {count!r}."
        )
    return grown(name, count, seed, growth)


def _built(definition: scenario.Definition, rules: Rules, seed: int) -> SpaceState:
    lists = scenario.catalogue_of(definition)
    wares = {row.id: Ware(row.id, row.name, row.tier, row.volume, row.base_price) for row in lists.wares}
    gates = _gates(definition, rules)
    gates_of: dict[str, list[str]] = {row.id: [] for row in definition.sectors}
    for gate in gates.values():
        gates_of[gate.sector].append(gate.id)
    stations = _stations(definition, lists, rules)
    state = SpaceState(
        Saved(
            tick=0,
            seed=seed,
            scenario=definition.name,
            rules=rules,
            wares=wares,
            sectors={
                row.id: Sector(row.id, row.name, row.x, row.y, tuple(gates_of[row.id])) for row in definition.sectors
            },
            gates=gates,
            stations=stations,
            ships={},
            players={},
            ledger=ledger.opened(list(wares), list(stations.values())),
            ships_made=0,
            ship_classes={
                row.id: ShipClass(row.id, row.name, row.speed_percent, row.capacity_percent, row.price)
                for row in definition.ship_classes or scenario.dockyard().classes
            },
        )
    )
    for station in stations.values():
        for ware, capacity in station.capacity.items():
            units = capacity * rules.initial_stock_percent // 100
            ledger.supply(state.ledger, ledger.INITIAL, station, ware, units)
        if station.recipe is not None:
            begin_cycle(state, station, [])
            if station.due > 0:
                state.agenda.put(station, 1 + station.key * _STAGGER_TICKS % station.recipe.cycle_ticks)
    discovery.chart(state)
    fleet.found(state, definition.companies)
    storms.forecast(state)
    return state


def _gates(definition: scenario.Definition, rules: Rules) -> dict[str, Gate]:
    """Both ends of every connection, each at its sector's edge on the side of the neighbour, none where another is."""
    sectors = {row.id: row for row in definition.sectors}
    edge = rules.sector_size_m * 9 // 20
    degree = Counter(end for pair in definition.gates for end in pair)
    edges = {sector: Edge(edge, count) for sector, count in degree.items()}
    gates: dict[str, Gate] = {}
    ends: dict[str, int] = dict.fromkeys(sectors, 0)
    for one, other in definition.gates:
        ids = f"{one}:{other}", f"{other}:{one}"
        if rules.fog:
            # An id that named the other side would tell what lies beyond.
            ends[one] += 1
            ends[other] += 1
            ids = f"{one}:gate-{ends[one]}", f"{other}:gate-{ends[other]}"
        for end, (here, there) in enumerate(((sectors[one], sectors[other]), (sectors[other], sectors[one]))):
            dx, dy = there.x - here.x, there.y - here.y
            longer = max(abs(dx), abs(dy))
            x, y = edges[here.id].free(_scaled(dx, edge, longer), _scaled(dy, edge, longer))
            gate = Gate(
                id=ids[end],
                number=len(gates),
                sector=here.id,
                x=x,
                y=y,
                to=ids[1 - end],
                to_sector=there.id,
                jump_ticks=rules.jump_ticks,
            )
            gates[gate.id] = gate
    return gates


def _stations(definition: scenario.Definition, lists: scenario.Catalogue, rules: Rules) -> dict[str, Station]:
    recipes = {row.id: row for row in lists.recipes}
    sector_names = {row.id: row.name for row in definition.sectors}
    stations: dict[str, Station] = {}
    for key, row in enumerate(definition.stations):
        recipe = recipes[row.recipe]
        station_id = base = f"{row.sector}-{row.recipe}"
        number = 1
        # Another recipe's id may end in the number that comes next; and events tell things apart by their ids alone.
        while station_id in stations or _SHIP_ID.fullmatch(station_id):
            number += 1
            station_id = f"{base}-{number}"
        name = row.name or f"{sector_names[row.sector]} {recipe.name}" + (f" {number}" if number > 1 else "")
        stations[station_id] = _station(station_id, key, name, row, recipe, rules, definition.units_percent)
    return stations


def _station(
    station_id: str,
    key: int,
    name: str,
    row: scenario.StationRow,
    recipe: scenario.RecipeRow,
    rules: Rules,
    percent: int,
) -> Station:
    """A station with empty stocks; `percent` of the units that its recipe says."""
    half = rules.sector_size_m // 2
    cycle = None
    if not recipe.trades:
        cycle_ticks = cycle_length(recipe.cycle_ticks, rules.cycle_percent)
        sized = _sized(recipe.inputs, percent), _sized(recipe.outputs, percent)
        cycle = Recipe(*sized, cycle_ticks, recipe.cycle_ticks)
    dealt_in = sorted(recipe.trades) or [*sorted([*recipe.inputs, *recipe.outputs])]
    capacity = _sized({ware: capacity_of(recipe, ware) for ware in dealt_in}, percent)
    return Station(
        id=station_id,
        key=key,
        name=name,
        kind=recipe.kind,
        sector=row.sector,
        x=_scaled(row.x, half, 1_000),
        y=_scaled(row.y, half, 1_000),
        recipe=cycle,
        stock=dict.fromkeys(capacity, 0),
        capacity=capacity,
        buys=tuple(sorted(recipe.trades or recipe.inputs)),
        sells=tuple(sorted(recipe.trades or recipe.outputs)),
        status=TRADING,
        reason="trading",
        shipyard=recipe.shipyard or recipe.kind == "hub",
    )


def _sized(units: Mapping[str, int], percent: int) -> dict[str, int]:
    """Units of wares, sized by the scenario, rounded up; in the order of ids, not in that of a file."""
    return {ware: -(-units[ware] * percent // 100) for ware in sorted(units)}


def _scaled(value: int, numerator: int, denominator: int) -> int:
    """`value * numerator / denominator` to the nearest integer, halves away from zero."""
    size = (2 * abs(value) * numerator + denominator) // (2 * denominator)
    return size if value >= 0 else -size
