"""Every number that a game can reach stays below 2**53, whatever its scenario and rules allow: sums are bounded."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gamekit.errors import ConfigError, HookFailed, InvariantViolated
from gamekit.game import Join, PlayerId, Rejected
from gamekit.space import Rules, SpaceGame, SpaceState, check, ledger, scenario
from gamekit.space.bounds import MOST, MOST_MADE
from gamekit.space.commands import AutoTrade, BuyShip, BuyWare, MoveShip, SellShip, SellWare, Target
from gamekit.space.model import Station, Ware
from tests.space.galaxies import LINE, Play

#: Every field at its limit, or near it.
EXTREME: dict[str, Any] = {
    "units_percent": 100_000,
    "ship_classes": [
        {"id": "freighter", "name": "F", "speed_percent": 10_000, "capacity_percent": 10_000, "price": 10**15},
        {"id": "gift", "name": "G", "speed_percent": 10_000, "capacity_percent": 10_000, "price": 0},
    ],
    "sectors": [{"id": "a", "name": "A", "x": 0, "y": 0}],
    "stations": [
        {"sector": "a", "recipe": "source", "x": 0, "y": 0},
        {"sector": "a", "recipe": "sink", "x": 50, "y": 0},
    ],
    "wares": [{"id": "gold", "name": "Gold", "tier": 1, "volume": 1, "base_price": 1_000_000_000}],
    "recipes": [
        {
            "id": "source",
            "name": "Source",
            "kind": "mine",
            "outputs": {"gold": 1_000_000},
            "cycle_ticks": 1,
            "capacity": {"gold": 1_000_000},
            "shipyard": True,
        },
        {
            "id": "sink",
            "name": "Sink",
            "kind": "habitat",
            "inputs": {"gold": 1_000_000},
            "cycle_ticks": 1,
            "capacity": {"gold": 1_000_000},
        },
    ],
}
RULES = {
    "starting_credits": 10**15,
    "ship_capacity": 10**6,
    "price_spread_percent": 90,
    "dock_ticks": 0,
    "initial_stock_percent": 100,
    "ship_speed_mm_per_tick": 1_000_000,
    "ship_resale_percent": 100,
    "trade_fee_permille": 1,
}
SOURCE, SINK = "a-source", "a-sink"


def largest(plain: Any) -> int:
    """The largest whole number in plain values, without its sign."""
    if isinstance(plain, dict):
        return max((largest(one) for one in plain.values()), default=0)
    if isinstance(plain, list | tuple):
        return max(map(largest, plain), default=0)
    return abs(plain) if isinstance(plain, int) else 0


def countable(play: Play) -> None:
    """All that is saved, shown and kept in the books can be counted exactly."""
    saved = msgspec.structs.replace(play.state.saved(), seed=0)
    assert largest(msgspec.to_builtins(saved)) <= MOST
    assert largest(play.game.view(play.state, PlayerId("p1"))) <= MOST
    play.game.encode(play.state)


def test_credits_stop_at_the_bound_and_nothing_is_lost() -> None:
    play = Play(EXTREME, RULES)
    refused = set()
    for _ in range(12):
        for command in (
            MoveShip("ship-1", Target(station=SOURCE)),
            BuyWare("ship-1", "gold", 10**9),
            MoveShip("ship-1", Target(station=SINK), append=True),
            SellWare("ship-1", "gold", 10**9),
        ):
            answer = play.game.apply(play.state, PlayerId("p1"), command)
            refused.add(answer.code if isinstance(answer, Rejected) else "")
            events = play.told([] if isinstance(answer, Rejected) else answer) + play.run_until_idle()
            refused |= {getattr(event, "limited_by", getattr(event, "code", "")) for event in events}
        countable(play)
    assert "books_full" in refused
    assert max(map(abs, play.state.ledger.credits.values())) == MOST


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([0, 1, 500]),
    st.lists(st.tuples(st.sampled_from(["trade", "buy", "sell", "join", "auto"]), st.integers(1, 10**9)), max_size=12),
)
def test_whatever_players_do_every_sum_can_be_counted(fee: int, steps: list[tuple[str, int]]) -> None:
    play = Play(EXTREME, RULES | {"trade_fee_permille": fee, "ships_limit": 10_000})
    joined = 2
    for step, number in steps:
        ships = list(play.state.ships.values())
        # When all ships are sold there is nothing left to do but to join.
        ship, owner = (
            (ships[number % len(ships)].id, ships[number % len(ships)].owner) if ships else ("", PlayerId("p1"))
        )
        if step == "trade":
            commands: list[Any] = [
                MoveShip(ship, Target(station=SOURCE)),
                BuyWare(ship, "gold", number),
                MoveShip(ship, Target(station=SINK), append=True),
                SellWare(ship, "gold", number),
                MoveShip(ship, Target(station=SOURCE), append=True),
            ]
        elif step == "join":
            joined += 1
            owner = PlayerId(f"p{joined}")
            commands = [Join("Cleo")]
        elif step == "auto":
            commands = [AutoTrade(ship, on=True)]
        else:
            kind = ("freighter", "gift")[number % 2]
            commands = [BuyShip(kind, SOURCE) if step == "buy" else SellShip(ship)]
        for command in commands:
            answer = play.game.apply(play.state, owner, command)
            if isinstance(command, Join) and not isinstance(answer, Rejected):
                play.mirrors.clear()
            play.told([] if isinstance(answer, Rejected) else answer)
        play.run(30)
        countable(play)


def test_newcomers_are_refused_when_the_grants_are_full() -> None:
    play = Play(EXTREME, RULES)
    codes = {play.refused(Join("Cleo"), f"p{number}") for number in range(3, 20) if not _joins(play, number)}
    assert codes == {"books_full"}
    assert len(play.state.players) == MOST // 10**15
    countable(play)


def _joins(play: Play, number: int) -> bool:
    if len(play.state.players) >= MOST // 10**15:
        return False
    play.accepted(Join(f"P {number}"), f"p{number}")
    return True


def test_production_stands_still_when_no_more_can_be_counted() -> None:
    small = [row | {side: {"gold": 10} for side in ("inputs", "outputs") if side in row} for row in EXTREME["recipes"]]
    play = Play(EXTREME | {"recipes": small}, RULES | {"initial_stock_percent": 50})
    state = play.state
    # As if it had worked for months: what was mined was used up as well.
    state.ledger.wares[ledger.MINED]["gold"] -= MOST_MADE
    state.ledger.wares[ledger.CONSUMED]["gold"] += MOST_MADE
    play.run(10)
    told = {(one.status, one.reason) for one in state.stations.values()}
    assert told == {("clogged", "the books hold no more Gold")}
    assert play.game.next_due(state) is None
    check(state)
    countable(play)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {
                "stations": EXTREME["stations"] * 5_000,
                "recipes": [{k: v for k, v in row.items() if k != "capacity"} for row in EXTREME["recipes"]],
            },
            "all stations together store",
        ),
        (
            {"companies": [{"name": "C", "ships": 0, "credits": 10**15}] * 2},
            "they own 2000000000000000 centi-credits together",
        ),
    ],
)
def test_a_definition_whose_sums_are_too_large_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        scenario.definition("own", EXTREME | changes)
    assert told in str(caught.value)


def test_companies_of_a_shipped_scenario_are_added_up_too() -> None:
    rich = [{"name": "C", "ships": 0, "credits": 10**15}] * 9
    with pytest.raises(ConfigError, match="they own 9000000000000000 centi-credits together"):
        SpaceGame().new({"scenario": {"name": "duel", "companies": rich}}, 1)


def test_a_transfer_past_the_bound_changes_nothing() -> None:
    play = Play()
    books = play.state.ledger
    before = dict(books.credits)
    with pytest.raises(InvariantViolated, match="refuse it before"):
        ledger.pay(books, ledger.GRANTS, ledger.player_account(PlayerId("p1")), MOST)
    assert books.credits == before


class Dear(SpaceGame):
    """Everything costs more than can be counted."""

    name = "dear"

    def price(self, station: Station, ware: Ware, stock: int, rules: Rules) -> int:
        """Too much."""
        return 2**63


def test_a_price_of_a_designers_own_that_cannot_be_counted_is_told() -> None:
    state: SpaceState = Dear().new({"scenario": LINE}, 1)
    with pytest.raises(HookFailed, match="the most that is counted is 9007199254740991"):
        Dear().view(state, None)
