"""Ships and their owners as they enter and leave a game: those of players, and those of the scenario's companies."""

from __future__ import annotations

from gamekit.game import PlayerId
from gamekit.space import jobs, ledger
from gamekit.space.model import (
    FIRST_COMPANY_SHIP_KEY,
    FIRST_PLAYER_KEY,
    FIRST_SHIP_KEY,
    FREIGHTER,
    Docked,
    InSpace,
    Player,
    Ship,
    ShipClass,
)
from gamekit.space.names import ship_name
from gamekit.space.rules import Rules
from gamekit.space.scenario import CompanyRow
from gamekit.space.state import SpaceState


def enter(state: SpaceState, player: PlayerId, name: str, credits: int, *, company: bool = False) -> None:
    """Let an owner of ships enter, with `credits` centi-credits from the grants."""
    owner = Player(player, name, state.tick, FIRST_PLAYER_KEY + len(state.players), company)
    state.players[player] = owner
    state.agenda.add(owner)
    ledger.grant(state.ledger, player, credits)


def found(state: SpaceState, rows: tuple[CompanyRow, ...]) -> None:
    """Found the scenario's companies at tick 0: their ships wait at the hubs in turn and trade by themselves."""
    made, docks = 0, _docks(state)
    for number, row in enumerate(rows, start=1):
        player = PlayerId(f"c{number}")
        enter(state, player, row.name, row.credits, company=True)
        for index in range(1, row.ships + 1):
            key, name = FIRST_COMPANY_SHIP_KEY + made, f"{row.name} {index}"
            ship = _built(state, f"{player}-ship-{index}", key, name, player, _berth(state, docks, made), FREIGHTER)
            ship.auto_trade = True
            jobs.call_if_free(state, ship)
            made += 1


def commission(
    state: SpaceState, player: PlayerId, at: InSpace | Docked, ship_class: str = FREIGHTER, name: str | None = None
) -> Ship:
    """A new ship for a player, with a name of its own when none is given."""
    number = state.ships_made
    state.ships_made += 1
    return _built(
        state, f"ship-{number + 1}", FIRST_SHIP_KEY + number, name or ship_name(number), player, at, ship_class
    )


def decommission(state: SpaceState, ship: Ship) -> None:
    """Take a ship out of the game: an empty one without a job, so nothing is reserved for it."""
    assert not ship.hold, "what a ship carries would vanish with it"
    assert ship.job is None, "what is reserved for a job would stay so"
    del state.ships[ship.id]
    state.turned.pop(ship.id, None)
    state.agenda.remove(ship)


def outfit(rules: Rules, kind: ShipClass) -> tuple[int, int]:
    """The hold in volume units, and the speed in millimetres per tick, of a ship of some class under some rules."""
    capacity = rules.ship_capacity * kind.capacity_percent // 100
    return max(1, capacity), max(1, rules.ship_speed_mm_per_tick * kind.speed_percent // 100)


def home(state: SpaceState, number: int) -> InSpace | Docked:
    """Where the `number`-th newcomer starts: the hubs in turn, or the next best thing."""
    return _berth(state, _docks(state), number)


def _docks(state: SpaceState) -> list[str]:
    """The stations where newcomers start: hubs, or any where there is no hub."""
    hubs = [station.id for station in state.stations.values() if station.kind == "hub"]
    return hubs or list(state.stations)


def _berth(state: SpaceState, docks: list[str], number: int) -> InSpace | Docked:
    if docks:
        return Docked(docks[number % len(docks)])
    sectors = list(state.sectors)
    return InSpace(sectors[number % len(sectors)], 0, 0)


def _built(
    state: SpaceState, ship_id: str, key: int, name: str, owner: PlayerId, at: InSpace | Docked, ship_class: str
) -> Ship:
    capacity, speed = outfit(state.rules, state.ship_classes[ship_class])
    ship = Ship(
        id=ship_id,
        key=key,
        name=name,
        owner=owner,
        ship_class=ship_class,
        capacity=capacity,
        speed=speed,
        at=at,
    )
    state.ships[ship.id] = ship
    state.agenda.add(ship)
    return ship
