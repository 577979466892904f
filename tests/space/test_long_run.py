"""The laws hold in every scenario with companies, storms and players: at every due tick, and for a hundred hours."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from gamekit.game import Command, Event, Join, PlayerId, Rejected, Tick
from gamekit.space import SpaceGame, SpaceState, check, ledger
from gamekit.space.commands import AutoTrade, BuyShip, RenameShip, SellShip

RULES = {"company_percent": 100, "storm_rate": 600, "minimum_stock_percent": 5, "ships_limit": 3}
HOUR: Tick = 36_000
#: For so long what players buy trades by itself.
SELF_TRADING_HOURS = 3
GAME = SpaceGame()
#: Set by `make long`: all scenarios, each for a hundred hours.
LONG = bool(os.environ.get("GAMEKIT_LONG"))
#: Hours that are looked at in each scenario.
HOURS = (
    {"nearest-stars": 100, "procedural": 100, "duel": 100, "lifeline": 100, "crowded": 100}
    if LONG
    else {"nearest-stars": 24, "duel": 100, "lifeline": 24}
)


def new(scenario: str = "nearest-stars", **rules: int) -> SpaceState:
    """A stormy galaxy with companies and two players whose first ships trade by themselves."""
    state = GAME.new({"scenario": scenario, "rules": {**RULES, **rules}}, 5)
    for number in (1, 2):
        GAME.apply(state, PlayerId(f"p{number}"), Join(f"Player {number}"))
        GAME.apply(state, PlayerId(f"p{number}"), AutoTrade(f"ship-{number}", on=True))
    return state


def managed(state: SpaceState, hour: int) -> list[Event]:
    """Each player buys a ship, renames all, sells those that can be sold, and at first lets the others trade."""
    events: list[Event] = []
    yards = [one.id for one in state.stations.values() if one.shipyard]
    for player in (PlayerId("p1"), PlayerId("p2")):
        own = [ship.id for ship in state.ships.values() if ship.owner == player]
        kind = list(state.ship_classes)[hour % 3]
        commands: list[Command] = [BuyShip(kind, yards[hour % len(yards)], f"{kind} of hour {hour}")]
        for ship in own:
            commands += [RenameShip(ship, f"Hour {hour}"), SellShip(ship)]
        # What carries less finds more to carry, and looking for it takes its time: not for all the hundred hours.
        commands += [AutoTrade(ship, on=True) for ship in own] if hour < SELF_TRADING_HOURS else []
        for command in commands:
            answer = GAME.apply(state, player, command)
            events += [] if isinstance(answer, Rejected) else answer
            check(state, events)
    return events


def kinds(events: list[Event]) -> Counter[str]:
    """How often each event fell."""
    return Counter(type(event).__name__ for event in events)


def test_laws_hold_at_every_due_tick_of_an_hour() -> None:
    # With so little in stock, stations stand still and begin again.
    state = new(initial_stock_percent=3)
    seen: Counter[str] = Counter()
    for minute in range(60):
        if minute % 10 == 0:
            seen += kinds(managed(state, minute // 10))
        until = state.tick + HOUR // 60
        while (due := GAME.next_due(state)) is not None and due <= until:
            events = GAME.advance(state, due)
            check(state, events)
            seen += kinds(events)
        GAME.advance(state, until)
    wanted = {
        "WareBought",
        "WareSold",
        "GateClosed",
        "GateOpened",
        "TradeAssigned",
        "ShipBought",
        "StationStatusChanged",
    }
    assert wanted <= seen.keys()


@pytest.mark.parametrize(("scenario", "hours"), HOURS.items())
def test_laws_hold_hour_after_hour_and_every_account_has_moved(scenario: str, hours: int) -> None:
    state = new(scenario, initial_stock_percent=10)
    seen: Counter[str] = Counter()
    for hour in range(hours):
        seen += kinds(managed(state, hour))
        trades = 0
        for _minute in range(60):
            events = GAME.advance(state, state.tick + HOUR // 60)
            check(state, events[-60:])
            told = kinds(events)
            trades += told["WareSold"]
            seen += told
        assert trades > 0, f"nobody sold anything in hour {hour}"
    assert min(seen["ShipBought"], seen["ShipSold"], seen["ShipRenamed"], seen["StationStatusChanged"]) > 5
    rows = ledger.rows(state.ledger, state.stations.values(), state.ships.values())
    ends = {row.account for row in rows if row.kind in {"faucet", "sink"}}
    assert ends == {row.account for row in rows if row.kind in {"faucet", "sink"} and row.balance}
    for unit in ["credits", *state.wares]:
        assert sum(row.balance for row in rows if row.unit == unit) == 0
