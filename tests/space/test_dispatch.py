"""Auto-trade: who gets which job, what is reserved meanwhile, and how a job ends."""

from __future__ import annotations

import pytest

from gamekit.space import SpaceGame, ledger
from gamekit.space.commands import AutoTrade, BuyWare, CancelEntry, MoveShip, SellWare, StopShip, Target
from gamekit.space.events import (
    AutoTradeSwitched,
    EntryFailed,
    ShipHolding,
    TradeAbandoned,
    TradeAssigned,
    TradeFinished,
    WareBought,
    WareSold,
)
from gamekit.space.model import Station
from tests.space.galaxies import LINE, RING, Play, only
from tests.space.test_economy import refilled

MINE, SMELTER, DEPOT = "west-mine", "mid-smelter", "west-store"
#: The only trade is ore from a mine to a smelter. Ada starts at the smelter, Bob at the mine.
PAIR = LINE | {"stations": [row for row in reversed(LINE["stations"]) if row["recipe"] in {"mine", "smelter"}]}


def station(play: Play, station_id: str) -> Station:
    """A station by id."""
    return play.state.stations[station_id]


def ready(scenario: object = None, ore: int = 1_600, wanted: int = 0, **rules: int) -> Play:
    """A full mine and an empty smelter, and nothing else worth carrying."""
    play = Play(scenario or PAIR, rules)
    refilled(play, MINE, ore=ore)
    refilled(play, SMELTER, ore=max(8, station(play, SMELTER).capacity["ore"] - wanted) if wanted else 8)
    return play


def on(play: Play, ship: str = "ship-1") -> None:
    """Switch auto-trade on."""
    play.accepted(AutoTrade(ship, on=True), play.state.ships[ship].owner)


def test_ship_in_auto_trade_carries_what_earns_and_shows_it() -> None:
    play = ready()
    on(play)
    assigned = only(TradeAssigned, play.run(100))
    assert [(one.ship, one.ware, one.units, one.source, one.target) for one in assigned] == [
        ("ship-1", "ore", 133, MINE, SMELTER)
    ]
    own = play.game.view(play.state, play.mercury.owner)["ships"]["ship-1"]
    assert own["auto_trade"] is True
    assert own["job"] == {"ware": "ore", "units": 133, "source": MINE, "target": SMELTER, "loaded": False}
    assert [row.split()[0] for row in play.queue()][-6:] == ["buy", "fly", "jump", "fly", "dock", "sell"]
    before = ledger.credits_of(play.state.ledger, play.mercury.owner)
    events = play.run(600)
    assert len(only(WareBought, events)) == 1
    assert only(WareSold, events)[0].units == 133
    assert TradeFinished("p1", "ship-1") in events
    earned = ledger.credits_of(play.state.ledger, play.mercury.owner) - before
    assert earned == pytest.approx(assigned[0].profit, rel=0.05)


def test_best_bid_is_that_of_the_nearer_ship() -> None:
    play = ready()
    for ship in ("ship-1", "ship-2"):
        play.state.ships[ship].owner = play.mercury.owner
    play.mirrors.clear()
    on(play)
    on(play, "ship-2")
    assert only(TradeAssigned, play.run(100))[0].ship == "ship-2"


def test_two_ships_never_chase_the_same_crate() -> None:
    play = ready(ore=200)
    on(play)
    on(play, "ship-2")
    promised = only(TradeAssigned, play.run(100))
    assert 0 < sum(one.units for one in promised) <= 200 + 14
    assert play.state.reserved.stock.get((MINE, "ore"), 0) <= station(play, MINE).stock["ore"]
    events = play.run(3_000)
    assert not only(EntryFailed, events)
    assert not only(TradeAbandoned, events)


def test_what_is_reserved_is_not_sold_to_others() -> None:
    play = Play()
    refilled(play, MINE, ore=140)
    refilled(play, SMELTER, ore=8)
    refilled(play, DEPOT, ore=0)
    play.move(ship="ship-2", station=MINE)
    on(play)
    play.run(100)
    promised = play.state.reserved.stock[MINE, "ore"]
    left = station(play, MINE).stock["ore"] - promised
    assert promised > 0
    assert play.state.ships["ship-2"].queue == []
    bought = only(WareBought, play.accepted(BuyWare("ship-2", "ore", 400), "p2")) if left else []
    assert sum(one.units for one in bought) == left
    assert play.refused(BuyWare("ship-2", "ore", 1), "p2") == "reserved"


def test_room_that_is_reserved_is_not_filled_by_others() -> None:
    play = ready(wanted=150)
    play.accepted(BuyWare("ship-2", "ore", 133), "p2")
    play.move(ship="ship-2", station=SMELTER)
    play.run_until_idle("ship-2")
    refilled(play, MINE, ore=1_600)
    on(play)
    play.run(100)
    room = station(play, SMELTER).capacity["ore"] - station(play, SMELTER).stock["ore"]
    kept = play.state.reserved.room[SMELTER, "ore"]
    assert 0 < room - kept < 133
    sold = only(WareSold, play.accepted(SellWare("ship-2", "ore", 133), "p2"))
    assert [one.units for one in sold] == [room - kept]
    assert play.refused(SellWare("ship-2", "ore", 1), "p2") == "reserved"


@pytest.mark.parametrize(
    "command",
    [
        MoveShip("ship-1", Target(sector="west", x=5, y=5)),
        MoveShip("ship-1", Target(sector="west", x=5, y=5), append=True),
        StopShip("ship-1"),
        AutoTrade("ship-1", on=False),
    ],
)
def test_manual_order_ends_auto_trade_and_releases_what_was_reserved(command: MoveShip | StopShip | AutoTrade) -> None:
    play = ready()
    on(play)
    play.run(100)
    assert play.state.reserved.stock
    events = play.accepted(command)
    assert AutoTradeSwitched("ship-1", on=False) in events
    assert len(only(TradeAbandoned, events)) == 1
    assert (play.mercury.auto_trade, play.mercury.job) == (False, None)
    assert not play.state.reserved.stock
    assert not play.state.reserved.room


def test_cancelling_an_entry_of_a_job_ends_auto_trade() -> None:
    play = ready()
    on(play)
    play.run(100)
    play.accepted(CancelEntry("ship-1", play.mercury.queue[-1].id))
    assert (play.mercury.auto_trade, play.mercury.job) == (False, None)


def test_refused_order_leaves_auto_trade_on() -> None:
    play = ready()
    on(play)
    play.run(100)
    assert play.refused(MoveShip("ship-1", Target(station="nowhere"))) == "unknown_station"
    assert play.mercury.auto_trade


def test_switching_what_is_switched_already_is_nothing() -> None:
    play = ready()
    assert play.accepted(AutoTrade("ship-1", on=False)) == []
    on(play)
    assert play.accepted(AutoTrade("ship-1", on=True)) == []
    assert play.refused(AutoTrade("ship-2", on=True)) == "not_your_ship"


def test_ship_that_holds_too_long_gives_up_and_sells_elsewhere() -> None:
    play = ready(trade_patience_ticks=500)
    on(play)
    play.run(100)
    while not (play.mercury.job and play.mercury.job.loaded):
        play.run(10)
    held = only(ShipHolding, play.close("west:mid") + play.run(400))
    assert held
    events = play.run(600)
    assert [one.reason.split(",")[0] for one in only(TradeAbandoned, events)] == ["waited too long"]
    assert play.mercury.hold == {"ore": 133}
    assert not play.state.reserved.room
    assert play.mercury.auto_trade
    # Nothing can be reached, so it waits; when the gate opens it sells what it carries.
    play.run(2_000)
    assert play.mercury.job is None
    play.open("west:mid")
    sold = only(WareSold, play.run(2_000))
    assert sold[0].units == 133


def test_ship_whose_gate_opens_again_in_time_goes_on() -> None:
    play = ready(trade_patience_ticks=500)
    on(play)
    play.run(100)
    play.close("west:mid")
    play.run(300)
    play.open("west:mid")
    events = play.run(1_500)
    assert not only(TradeAbandoned, events)
    assert only(WareSold, events)


def test_job_goes_another_way_when_a_gate_closes() -> None:
    play = ready(RING | {"stations": PAIR["stations"]})
    on(play)
    play.run(100)
    play.close("west:mid")
    assert only(WareSold, play.run(2_000))


def test_poor_owner_carries_what_is_affordable_and_never_owes() -> None:
    play = ready(starting_credits=60_000)
    on(play)
    bought = only(WareBought, play.run(1_000))
    assert 0 < bought[0].units < 133
    assert ledger.credits_of(play.state.ledger, play.mercury.owner) >= 0


def test_little_is_not_worth_a_flight() -> None:
    play = ready(ore=30)
    refilled(play, MINE, ore=30)
    on(play)
    assert not only(TradeAssigned, play.run(100))
    assert play.state.players[play.mercury.owner].due > play.state.tick


def test_far_stations_are_out_of_range() -> None:
    play = ready(trade_range_jumps=0)
    on(play)
    assert not only(TradeAssigned, play.run(1_000))


def test_game_without_ships_in_auto_trade_has_no_round_due() -> None:
    play = ready()
    play.run(1_000)
    assert all(player.due == -1 for player in play.state.players.values())


@pytest.mark.parametrize(("scenario", "ships"), [("nearest-stars", 18), ("procedural:12", 15)])
def test_shipped_scenario_is_alive_for_ten_hours(scenario: str, ships: int) -> None:
    game = SpaceGame()
    state = game.new({"scenario": scenario}, 1)
    assert len(state.ships) == ships
    for _hour in range(10):
        events = game.advance(state, state.tick + 36_000)
        assert len(only(WareSold, events)) > 50
        for ware in state.wares:
            rooms = [(one.stock[ware], one.capacity[ware]) for one in state.stations.values() if ware in one.stock]
            assert any(stock > 0 for stock, _ in rooms), f"{ware} is nowhere"
            assert any(stock < capacity for stock, capacity in rooms), f"{ware} is full everywhere"
    for player in state.players:
        assert ledger.credits_of(state.ledger, player) > 50_000_000


def test_shipped_companies_come_in_the_asked_strength_and_in_full_by_default() -> None:
    game = SpaceGame()
    for percent, ships in ((0, 0), (50, 9), (100, 18)):
        assert len(game.new({"rules": {"company_percent": percent}}, 1).ships) == ships
    state = game.new({}, 1)
    assert len(state.ships) == 18
    assert all(state.players[ship.owner].company for ship in state.ships.values())
