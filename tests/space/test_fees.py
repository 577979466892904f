"""Fees, minimum stocks, and trades that move less than was asked."""

from __future__ import annotations

import pytest

from gamekit.game import Event
from gamekit.space import ledger
from gamekit.space.commands import AutoTrade, BuyWare, SellWare
from gamekit.space.events import EntryFailed, TradeAssigned, TradeFinished, WareBought, WareSold
from gamekit.space.trading import buying_total, fee_of, selling_total
from tests.space.galaxies import Play, only
from tests.space.test_dispatch import MINE, SMELTER, ready, station
from tests.space.test_economy import refilled
from tests.space.test_trading import DEPOT, credits


def moved(play: Play, command: BuyWare | SellWare) -> WareBought | WareSold:
    """Trade at once; what it says."""
    events = play.accepted(command)
    (trade,) = [*only(WareBought, events), *only(WareSold, events)]
    return trade


def until_assigned(play: Play) -> list[Event]:
    """Let time pass, tick by tick, until somebody gets a job; what happened at that tick."""
    for _ in range(1_000):
        events = play.run(1)
        if only(TradeAssigned, events):
            return events
    raise AssertionError("nobody got a job")


def test_fee_is_rounded_up() -> None:
    assert [fee_of(5, total) for total in (0, 1, 199, 200, 201, 1_000)] == [0, 1, 1, 1, 2, 5]
    assert fee_of(0, 1_000) == 0


def test_owner_pays_a_fee_for_buying_and_for_selling() -> None:
    play = Play(rules={"trade_fee_permille": 20})
    bought = moved(play, BuyWare("ship-1", "ore", 100))
    assert (bought.total, bought.fee) == (107_500, 2_150)
    assert credits(play) == 10_000_000 - 107_500 - 2_150
    sold = moved(play, SellWare("ship-1", "ore", 100))
    assert (sold.total, sold.fee) == (107_500, 2_150)
    assert credits(play) == 10_000_000 - 2 * 2_150
    books = play.state.ledger.credits
    assert books[ledger.FEES] == 2 * 2_150
    assert books[ledger.station_account(DEPOT)] == 0


@pytest.mark.parametrize(("owned", "units"), [(4_092, 3), (4_093, 4), (4_094, 4), (1_025, 1)])
def test_purse_must_pay_for_the_fee_as_well(owned: int, units: int) -> None:
    # Four units are worth 4,012 centi-credits and the fee of 2 per cent for them is 81, rounded up.
    play = Play(rules={"starting_credits": owned, "trade_fee_permille": 20})
    bought = moved(play, BuyWare("ship-1", "ore", 50))
    assert (bought.units, bought.limited_by) == (units, "no_credits")
    assert credits(play) >= 0


def test_purse_that_pays_for_the_ware_but_not_for_the_fee_is_too_small() -> None:
    play = Play(rules={"starting_credits": 1_010, "trade_fee_permille": 20})
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "no_credits"


def test_ship_without_credits_can_sell_because_the_fee_is_less_than_the_price() -> None:
    play = Play(rules={"starting_credits": 4_093, "trade_fee_permille": 500})
    while credits(play) and "ore" not in play.mercury.hold:
        play.accepted(BuyWare("ship-1", "ore", 2))
    before = credits(play)
    sold = moved(play, SellWare("ship-1", "ore", 1))
    assert credits(play) == before + sold.total - sold.fee > before


def test_trade_says_what_was_wanted_and_what_limited_it() -> None:
    play = Play(rules={"ship_capacity": 900})
    told = [
        moved(play, BuyWare("ship-1", "ore", 150)),
        moved(play, BuyWare("ship-1", "ore", 90)),
        moved(play, BuyWare("ship-1", "food", 400)),
        moved(play, BuyWare("ship-1", "metals", 999)),
        moved(play, SellWare("ship-1", "food", 400)),
    ]
    assert [(one.wanted, one.units, one.limited_by) for one in told] == [
        (150, 150, ""),
        (90, 50, "no_stock"),
        (400, 200, "no_stock"),
        (999, 50, "hold_full"),
        (400, 200, "no_cargo"),
    ]


def test_sale_says_that_room_limited_it() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "ore", 100))
    refilled(play, DEPOT, ore=380)
    sold = moved(play, SellWare("ship-1", "ore", 100))
    assert (sold.wanted, sold.units, sold.limited_by) == (100, 20, "no_room")


def test_stations_do_not_sell_below_the_minimum_stock() -> None:
    play = Play(rules={"minimum_stock_percent": 40})
    bought = moved(play, BuyWare("ship-1", "ore", 100))
    assert (bought.wanted, bought.units, bought.limited_by) == (100, 40, "minimum_stock")
    assert play.state.stations[DEPOT].stock["ore"] == 160
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "minimum_stock"
    refilled(play, DEPOT, ore=0)
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "no_stock"


def test_minimum_stock_of_producers_holds_as_well() -> None:
    play = Play(rules={"minimum_stock_percent": 50})
    play.move(station=SMELTER)
    play.run_until_idle()
    smelter = station(play, SMELTER)
    above = smelter.stock["metals"] - smelter.capacity["metals"] // 2
    bought = moved(play, BuyWare("ship-1", "metals", 100))
    assert (bought.units, bought.limited_by) == (above, "minimum_stock")


def test_own_production_may_use_what_is_not_sold() -> None:
    play = Play(rules={"minimum_stock_percent": 90})
    refilled(play, SMELTER, ore=30)
    play.run(6_000)
    assert station(play, SMELTER).status == "starved"
    assert station(play, SMELTER).stock["ore"] < 8


def test_queued_purchase_fails_with_the_minimum_stock_as_the_reason() -> None:
    play = Play(rules={"minimum_stock_percent": 50})
    play.move(station=MINE)
    refilled(play, MINE, ore=0)
    play.accepted(BuyWare("ship-1", "ore", 10))
    play.move(station=DEPOT, append=True)
    refilled(play, MINE, ore=500)
    assert [one.code for one in only(EntryFailed, play.run_until_idle())] == ["minimum_stock"]


def test_dispatcher_reserves_only_what_is_above_the_minimum_stock() -> None:
    play = ready(ore=950, minimum_stock_percent=50)
    size = station(play, MINE).capacity["ore"]
    assert size == 1_680
    play.accepted(AutoTrade("ship-1", on=True))
    play.accepted(AutoTrade("ship-2", on=True), "p2")
    events = play.run(4_000)
    assert station(play, MINE).stock["ore"] >= size // 2
    assert only(WareBought, events)
    assert not only(EntryFailed, events)
    assert all(one.units == one.wanted for one in only(WareBought, events))


def test_dispatcher_counts_the_fees_into_its_bids() -> None:
    play = ready(trade_fee_permille=50)
    play.accepted(AutoTrade("ship-1", on=True))
    (assigned,) = only(TradeAssigned, play.run(100))
    before = credits(play)
    events = play.run_until_idle()
    assert TradeFinished("p1", "ship-1") in events
    # The mine goes on while the ship flies, so it pays a little less than was reckoned with.
    assert credits(play) - before == pytest.approx(assigned.profit, rel=0.1)
    assert sum(one.fee for one in [*only(WareBought, events), *only(WareSold, events)]) > assigned.profit * 0.1


def test_dispatcher_does_not_carry_what_the_fees_would_eat() -> None:
    # Mine and smelter are about 0.46 of a stock apart, a gap of 28 per cent of the base price.
    earning, losing = ready(trade_fee_permille=100), ready(trade_fee_permille=200)
    for play in (earning, losing):
        refilled(play, MINE, ore=1_200)
        refilled(play, SMELTER, ore=station(play, SMELTER).capacity["ore"] // 4)
        play.accepted(AutoTrade("ship-1", on=True))
    assert only(TradeAssigned, earning.run(300))
    assert not only(TradeAssigned, losing.run(300))


def test_job_earns_almost_the_most_that_any_number_of_units_would() -> None:
    play = ready(trade_fee_permille=60, ship_capacity=5_000, least_load_percent=1)
    play.accepted(AutoTrade("ship-1", on=True))
    assigned = only(TradeAssigned, until_assigned(play))
    job = play.mercury.job
    assert job is not None

    def earned(units: int) -> tuple[int, int]:
        """Cost and profit of carrying so many, at the prices of now."""
        spread, permille = play.state.rules.price_spread_percent, play.state.rules.trade_fee_permille
        paid = buying_total(play.state.wares["ore"], spread, station(play, MINE), units)
        got = selling_total(play.state.wares["ore"], spread, station(play, SMELTER), units)
        return paid + fee_of(permille, paid), got - fee_of(permille, got) - paid - fee_of(permille, paid)

    assert (job.cost, assigned[0].profit) == earned(job.units)
    stock = station(play, MINE).stock["ore"]
    room = station(play, SMELTER).capacity["ore"] - station(play, SMELTER).stock["ore"]
    best = max(earned(units)[1] for units in range(1, min(stock, room)))
    assert assigned[0].profit > best * 0.99
    # Without a thought for the fees one would fill the smelter up to the fullness of the mine, and earn less.
    assert assigned[0].profit > earned((stock + station(play, SMELTER).stock["ore"]) // 2)[1]


def test_bid_for_what_a_ship_carries_counts_the_fee() -> None:
    play = Play(rules={"trade_fee_permille": 100})
    play.accepted(BuyWare("ship-1", "metals", 60))
    refilled(play, "east-town", metals=0)
    play.accepted(AutoTrade("ship-1", on=True))
    events = until_assigned(play)
    # It is docked where it sells, so it does so at once.
    (assigned,), (sold,) = only(TradeAssigned, events), only(WareSold, events)
    assert (assigned.source, assigned.profit, sold.fee > 0) == (None, sold.total - sold.fee, True)


def test_trades_say_that_promises_to_others_limited_them() -> None:
    play = Play()
    refilled(play, MINE, ore=140)
    refilled(play, SMELTER, ore=8)
    refilled(play, DEPOT, ore=0)
    play.move(ship="ship-2", station=MINE)
    play.accepted(AutoTrade("ship-1", on=True))
    play.run(100)
    assert play.state.reserved.stock[MINE, "ore"]
    (bought,) = only(WareBought, play.accepted(BuyWare("ship-2", "ore", 120), "p2"))
    assert (bought.limited_by, bought.units < 120) == ("reserved", True)


def test_sales_say_that_room_kept_for_others_limited_them() -> None:
    play = ready(wanted=150)
    play.accepted(BuyWare("ship-2", "ore", 133), "p2")
    play.move(ship="ship-2", station=SMELTER)
    play.run_until_idle("ship-2")
    refilled(play, MINE, ore=1_600)
    play.accepted(AutoTrade("ship-1", on=True))
    play.run(100)
    (sold,) = only(WareSold, play.accepted(SellWare("ship-2", "ore", 133), "p2"))
    assert (sold.limited_by, sold.units < 133) == ("reserved", True)
