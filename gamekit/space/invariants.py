"""The laws of the bundled game, checked on a whole state.

Tests call `check` after every step; a server may call it on demand. It only reads, and costs a millisecond or so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from gamekit.errors import InvariantViolated
from gamekit.space import ledger
from gamekit.space.bounds import MOST
from gamekit.space.model import (
    FIRST_SHIP_KEY,
    NEVER,
    Buy,
    Charts,
    Dock,
    Docked,
    Entry,
    Fly,
    Gate,
    InGate,
    InSpace,
    Job,
    Jump,
    OnLeg,
    Player,
    Sell,
    Ship,
    Station,
)
from gamekit.space.orders import refused_name
from gamekit.space.reserved import Reserved
from gamekit.space.state import SpaceState
from gamekit.space.status import status_of
from gamekit.space.trading import hold_used


def check(state: SpaceState, story: Sequence[object] = ()) -> None:
    """Make sure that a state keeps every law.

    Args:
        state: the state.
        story: what led to it, oldest first, to be told when a law is broken.

    Raises:
        InvariantViolated: at least one law is broken; the message names all that are.
    """
    broken = [
        *_of_reservations(state),
        *_of_accounts(state),
        *_of_gates(state),
        *_of_stations(state),
        *_of_ships(state),
        *_of_agenda(state),
        *_of_charts(state),
    ]
    if broken:
        raise InvariantViolated(
            f"at tick {state.tick}: " + "; ".join(broken), story=tuple(str(event) for event in story)
        )


def _of_reservations(state: SpaceState) -> Iterator[str]:
    rebuilt = Reserved(state.ships.values())
    if (rebuilt.stock, rebuilt.room) != (state.reserved.stock, state.reserved.room):
        yield f"reserved is not what the jobs say: {state.reserved.stock}, {state.reserved.room}"
    for (station_id, ware), units in rebuilt.stock.items():
        station = state.stations.get(station_id)
        if station is None or ware not in station.sells or not 0 < units <= station.stock[ware]:
            yield f"{units} {ware} are reserved at {station_id}, which has fewer"
    for (station_id, ware), units in rebuilt.room.items():
        station = state.stations.get(station_id)
        if station is None or ware not in station.buys or not 0 < units <= station.capacity[ware] - station.stock[ware]:
            yield f"room for {units} {ware} is reserved at {station_id}, which has less"
    for ship in state.ships.values():
        if ship.job is not None and not _works_on(ship, ship.job):
            yield f"{ship.id} has a job that it does not do: {ship.job}, {ship.queue}"
    for player in state.players.values():
        yield from _overdue(state, player)
        waiting = any(ship.owner == player.id and ship.auto_trade and not ship.queue for ship in state.ships.values())
        if waiting and player.due == NEVER:
            yield f"{player.id} has ships that wait for a job and nobody looks for one"


def _works_on(ship: Ship, job: Job) -> bool:
    """Whether the queue still buys what is to be bought, and ends with selling it."""
    last = ship.queue[-1] if ship.queue else None
    buys = any(isinstance(entry, Buy) and entry.ware == job.ware for entry in ship.queue)
    return ship.auto_trade and isinstance(last, Sell) and last.ware == job.ware and buys != job.loaded


def _of_accounts(state: SpaceState) -> Iterator[str]:
    books = state.ledger
    expected = {*ledger.CREDIT_FAUCETS, *ledger.CREDIT_SINKS}
    expected |= {ledger.player_account(player) for player in state.players}
    expected |= {ledger.station_account(station) for station in state.stations}
    if set(books.credits) != expected:
        yield f"accounts without an owner, or owners without one: {sorted(set(books.credits) ^ expected)}"
    for player in state.players:
        if ledger.credits_of(books, player) < 0:
            yield f"player {player} owes credits"
    if set(books.wares) != {*ledger.FAUCETS, *ledger.SINKS}:
        yield f"faucets and sinks of wares are others than there should be: {sorted(books.wares)}"
    totals = dict.fromkeys([ledger.CREDITS, *state.wares], 0)
    for row in ledger.rows(books, state.stations.values(), state.ships.values()):
        totals[row.unit] = totals.get(row.unit, 0) + row.balance
        if abs(row.balance) > MOST:
            yield f"account {row.account} is past what is counted: {row.balance} {row.unit}"
        if (row.kind == "faucet" and row.balance > 0) or (row.kind == "sink" and row.balance < 0):
            yield f"account {row.account} flows the wrong way: {row.balance} {row.unit}"
    for unit, total in totals.items():
        if total or (unit not in state.wares and unit != ledger.CREDITS):
            yield f"{unit} is not conserved: all accounts together hold {total}, not 0"


def _of_gates(state: SpaceState) -> Iterator[str]:
    for gate in state.gates.values():
        other = state.gates.get(gate.to)
        if other is None or other.to != gate.id or other.open != gate.open or other.sector != gate.to_sector:
            yield f"gate {gate.id} and its other end disagree"
        if gate.id not in state.sectors[gate.sector].gates:
            yield f"gate {gate.id} is not in its sector"
        if gate.stormy > (gate.due != NEVER and not gate.open):
            yield f"gate {gate.id} has a storm that closes nothing or never ends"
        weather = state.rules.storm_rate > 0 and other is not None and gate.number < other.number
        if not gate.stormy and (gate.due != NEVER) != weather:
            yield f"gate {gate.id} has another weather than the rules want"
        yield from _overdue(state, gate)


def _of_stations(state: SpaceState) -> Iterator[str]:
    for station in state.stations.values():
        if station.sector not in state.sectors or not _within(state, station.x, station.y):
            yield f"station {station.id} is nowhere"
        if list(station.stock) != list(station.capacity):
            yield f"station {station.id} has stock without capacity"
        for ware, units in station.stock.items():
            if not 0 <= units <= station.capacity.get(ware, 0):
                yield f"station {station.id} has {units} {ware} of at most {station.capacity.get(ware, 0)}"
        if not station.reason or (station.status == "producing") > (station.due != NEVER):
            yield f"station {station.id} is {station.status} ({station.reason!r}) with {station.due} due"
        if not 0 <= station.since <= state.tick:
            yield f"station {station.id} has its status since tick {station.since}"
        yield from _overdue(state, station)


def _of_ships(state: SpaceState) -> Iterator[str]:
    keys = [ship.key for ship in state.ships.values()]
    if keys != sorted(set(keys)):
        yield f"the table of ships is out of order, or two share a number: {keys}"
    for ship_id, ship in state.ships.items():
        yield from _overdue(state, ship)
        number = ship.key - FIRST_SHIP_KEY
        made = f"ship-{number + 1}" if number >= 0 else f"{ship.owner}-ship-{ship.id.rpartition('-')[2]}"
        if not ship_id == ship.id == made or number >= state.ships_made:
            yield f"{ship_id} has an id that was never given, or another one's: {ship.id}, number {number}"
        if ship.ship_class not in state.ship_classes or ship.speed < 1 or ship.capacity < 1:
            yield f"{ship.id} is of no class of ships: {ship.ship_class}, {ship.speed}, {ship.capacity}"
        if refused_name(ship.name) is not None and number >= 0:
            yield f"{ship.id} has a name that none may have: {ship.name!r}"
        if ship.owner not in state.players:
            yield f"{ship.id} belongs to nobody"
        if any(units <= 0 for units in ship.hold.values()) or list(ship.hold) != sorted(ship.hold):
            yield f"{ship.id} has a disorderly hold {ship.hold}"
        if hold_used(state, ship) > ship.capacity:
            yield f"{ship.id} carries more than its hold takes"
        ids = [entry.id for entry in ship.queue]
        if len(set(ids)) != len(ids) or max(ids, default=0) > ship.entries:
            yield f"{ship.id} has queue entries that share an id, or were never given: {ids}"
        orders = [entry.order for entry in ship.queue]
        # A jump under way may stand apart from the rest of its order, which was put behind others meanwhile.
        heads = [order for order, _ in groupby(orders[1:] if isinstance(ship.at, InGate) else orders)]
        if len(set(heads)) != len(heads) or max(orders, default=0) > ship.orders:
            yield f"{ship.id} has orders that are torn apart, or were never given: {orders}"
        if not _place_holds(state, ship):
            yield f"{ship.id} is nowhere: {ship.at}"
        elif not _busy_or_excused(state, ship):
            yield f"{ship.id} stands still without a reason: {ship.at}, {ship.queue}, {ship.due}, {ship.blocked!r}"
        elif not all(status_of(state, ship)):
            yield f"{ship.id} has no status or no reason"


def _place_holds(state: SpaceState, ship: Ship) -> bool:
    """Whether the ship's one place exists and is one where it can be at this tick."""
    at = ship.at
    if isinstance(at, InSpace):
        return at.sector in state.sectors and _within(state, at.x, at.y)
    if isinstance(at, OnLeg):
        ends = _within(state, at.from_x, at.from_y) and _within(state, at.to_x, at.to_y)
        return at.sector in state.sectors and ends and at.depart <= state.tick < at.arrive
    if isinstance(at, Docked):
        return at.station in state.stations
    return at.gate in state.gates and state.gates[at.gate].to == at.exit and at.depart <= state.tick < at.arrive


def _busy_or_excused(state: SpaceState, ship: Ship) -> bool:
    """Whether what the ship does, its queue and what is due agree with each other."""
    at, first = ship.at, ship.queue[0] if ship.queue else None
    if isinstance(at, OnLeg):
        aims = isinstance(first, Fly) and (first.sector, first.x, first.y) == (at.sector, at.to_x, at.to_y)
        return aims and ship.due == at.arrive and not ship.blocked
    if isinstance(at, InGate):
        aims = isinstance(first, Jump) and (first.gate, first.exit) == (at.gate, at.exit)
        return aims and ship.due == at.arrive and not ship.blocked
    if ship.due != NEVER:
        return isinstance(first, Dock) and not ship.blocked and _stands_at(state, at, first)
    return (first is None) == (not ship.blocked)


def _stands_at(state: SpaceState, at: InSpace | Docked, dock: Dock) -> bool:
    station = state.stations[dock.station]
    return isinstance(at, InSpace) and (at.sector, at.x, at.y) == (station.sector, station.x, station.y)


def _of_agenda(state: SpaceState) -> Iterator[str]:
    things = {
        thing.key: thing
        for table in (state.stations, state.ships, state.players, state.gates, {"": state.charts})
        for thing in table.values()
    }
    if set(state.agenda.things) != set(things):
        yield "the agenda knows other things than there are"
    held = set(state.agenda.heap)
    for key, thing in things.items():
        if state.agenda.things.get(key) is not thing:
            yield f"the agenda knows another {thing.id}"
        if thing.due != NEVER and (thing.due, key) not in held:
            yield f"the agenda forgot {thing.id}, due at {thing.due}"
    for _tick, key in held:
        if key not in things:
            yield f"the agenda holds key {key}, which is nothing"
    for ship in state.ships.values():
        for entry in ship.queue:
            if not _refers(state, entry):
                yield f"{ship.id} is to do something with what is not there: {entry}"


def _of_charts(state: SpaceState) -> Iterator[str]:
    charted = state.charts.sectors
    yield from _overdue(state, state.charts)
    if len(set(charted)) != len(charted) or not state.sectors.keys() >= set(charted):
        yield f"the charts are not sectors, each once: {charted}"
    for player in state.players.values():
        found = player.discovered
        if len(set(found)) != len(found) or not state.sectors.keys() >= set(found) or (found and player.company):
            yield f"{player.id} cannot have discovered {found}"
    for ship in state.ships.values() if state.rules.fog else ():
        sector = state.atlas.place(ship.at, state.tick).sector
        if not isinstance(ship.at, InGate) and not state.knows(ship.owner, sector):
            yield f"{ship.id} is where its owner knows nothing: {ship.at}"


def _refers(state: SpaceState, entry: Entry) -> bool:
    if isinstance(entry, Fly):
        return entry.sector in state.sectors and _within(state, entry.x, entry.y)
    if isinstance(entry, Jump):
        return entry.gate in state.gates and state.gates[entry.gate].to == entry.exit
    if isinstance(entry, Dock):
        return entry.station in state.stations
    return entry.ware in state.wares and entry.units > 0


def _overdue(state: SpaceState, thing: Station | Ship | Player | Gate | Charts) -> Iterator[str]:
    if thing.due != NEVER and thing.due <= state.tick:
        yield f"{thing.id} had something due at {thing.due}"


def _within(state: SpaceState, x: int, y: int) -> bool:
    half = state.rules.sector_size_m // 2
    return -half <= x <= half and -half <= y <= half
