"""Prices to the centi-credit, and what limits a trade."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gamekit.space import ledger
from gamekit.space.commands import BuyWare, CancelEntry, SellWare
from gamekit.space.economy import price
from gamekit.space.events import EntryDone, EntryFailed, StockChanged, WareBought, WareSold
from gamekit.space.model import Station, Ware
from gamekit.space.trading import buying_total, selling_total
from tests.space.galaxies import Play, only

DEPOT = "west-store"  # buys and sells ore, metals and food; 400 of each at most, 200 at the start


def credits(play: Play) -> int:
    """What Ada owns."""
    return ledger.credits_of(play.state.ledger, play.mercury.owner)


def shelf(stock: int, capacity: int) -> Station:
    """A station with nothing but a stock of ore."""
    return Station(
        "s", 0, "S", "hub", "west", 0, 0, None, {"ore": stock}, {"ore": capacity}, ("ore",), ("ore",), "trading", "x"
    )


def exact(base: int, spread: int, stock: Fraction, capacity: int) -> Fraction:
    """The price of the design as a fraction: linear from base + spread (empty) to base - spread (full)."""
    return base * (1 + Fraction(spread, 100) - Fraction(2 * spread, 100) * stock / capacity)


def test_price_is_linear_in_stock_around_the_base_price() -> None:
    assert [price(1_000, 30, stock, 400) for stock in (0, 100, 200, 300, 400)] == [1_300, 1_150, 1_000, 850, 700]
    assert [price(1_000, 0, stock, 400) for stock in (0, 400)] == [1_000, 1_000]
    assert price(1, 90, 400, 400) == 1


stocks = st.integers(1, 5_000).flatmap(lambda capacity: st.tuples(st.just(capacity), st.integers(0, capacity)))


@given(stocks, st.integers(1, 50_000), st.integers(0, 90), st.data())
def test_total_is_the_average_price_rounded_against_the_trader(
    limits: tuple[int, int], base: int, spread: int, data: st.DataObject
) -> None:
    capacity, stock = limits
    ware = Ware("ore", "Ore", 1, 1, base)
    station = shelf(stock, capacity)
    if stock:
        units = data.draw(st.integers(1, stock))
        assert buying_total(ware, spread, station, units) == ceil(
            units * exact(base, spread, stock - Fraction(units, 2), capacity)
        )
    if stock < capacity:
        units = data.draw(st.integers(1, capacity - stock))
        assert selling_total(ware, spread, station, units) == floor(
            units * exact(base, spread, stock + Fraction(units, 2), capacity)
        )


@given(stocks, st.integers(1, 50_000), st.integers(0, 90), st.data())
def test_nothing_is_gained_by_splitting_or_going_back_and_forth(
    limits: tuple[int, int], base: int, spread: int, data: st.DataObject
) -> None:
    capacity, stock = limits
    ware = Ware("ore", "Ore", 1, 1, base)
    if stock < 2:
        return
    units = data.draw(st.integers(2, stock))
    first = data.draw(st.integers(1, units - 1))
    whole = buying_total(ware, spread, shelf(stock, capacity), units)
    parts = buying_total(ware, spread, shelf(stock, capacity), first)
    parts += buying_total(ware, spread, shelf(stock - first, capacity), units - first)
    assert whole <= parts <= whole + 1
    assert whole - 1 <= selling_total(ware, spread, shelf(stock - units, capacity), units) <= whole


def test_docked_idle_ship_buys_at_once() -> None:
    play = Play()
    events = play.accepted(BuyWare("ship-1", "ore", 100))
    # 100 units from 200 to 100 of 400: the price at 150 is 1,000 * (1.3 - 0.6 * 150 / 400) = 1,075.
    assert only(WareBought, events) == [WareBought("p1", "ship-1", DEPOT, "ore", 100, 1_075, 107_500, 100, 0)]
    assert only(StockChanged, events) == [StockChanged(DEPOT)]
    assert len(only(EntryDone, events)) == 1
    assert play.mercury.hold == {"ore": 100}
    assert play.state.stations[DEPOT].stock["ore"] == 100
    assert credits(play) == 10_000_000 - 107_500


def test_selling_back_returns_what_was_paid() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "ore", 100))
    sold = only(WareSold, play.accepted(SellWare("ship-1", "ore", 1_000)))
    assert sold == [WareSold("p1", "ship-1", DEPOT, "ore", 100, 1_075, 107_500, 1_000, 0, "no_cargo")]
    assert play.mercury.hold == {}
    assert credits(play) == 10_000_000


def test_fractions_are_rounded_against_the_trader() -> None:
    play = Play()
    # Food costs 1,601; one unit from 200 to 199 is worth 1,601 * (1.3 - 0.6 * 199.5 / 400) = 1,602.20...
    assert only(WareBought, play.accepted(BuyWare("ship-1", "food", 1)))[0].total == 1_603
    assert only(WareSold, play.accepted(SellWare("ship-1", "food", 1)))[0].total == 1_602
    assert play.state.ledger.credits[ledger.station_account(DEPOT)] == 1


def test_purchase_is_limited_by_the_hold() -> None:
    play = Play()
    assert only(WareBought, play.accepted(BuyWare("ship-1", "ore", 999)))[0].units == 133  # of 3 in 400
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "hold_full"
    assert only(WareBought, play.accepted(BuyWare("ship-1", "food", 999)))[0].units == 1


def test_purchase_is_limited_by_the_stock() -> None:
    play = Play(rules={"ship_capacity": 10_000})
    assert only(WareBought, play.accepted(BuyWare("ship-1", "ore", 999)))[0].units == 200
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "no_stock"


@pytest.mark.parametrize("asked", [4, 5, 6, 999])
def test_purchase_is_limited_by_the_credits(asked: int) -> None:
    play = Play(rules={"starting_credits": 5_000})
    bought = only(WareBought, play.accepted(BuyWare("ship-1", "ore", asked)))
    # Four units are worth 4 * 1,003 and five 5 * 1,003.75, rounded up.
    assert [(event.units, event.total) for event in bought] == [(4, 4_012)]
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "no_credits"


def test_purchase_may_take_the_last_centi_credit() -> None:
    play = Play(rules={"starting_credits": 4_012})
    play.accepted(BuyWare("ship-1", "ore", 4))
    assert credits(play) == 0


def test_sale_is_limited_by_the_room() -> None:
    play = Play(rules={"ship_capacity": 10_000})
    play.accepted(BuyWare("ship-1", "ore", 200))
    play.move(station="mid-smelter")
    play.run_until_idle()
    room = play.state.stations["mid-smelter"].capacity["ore"] - play.state.stations["mid-smelter"].stock["ore"]
    play.state.stations["mid-smelter"].stock["ore"] += room - 50
    play.state.ledger.wares[ledger.INITIAL]["ore"] -= room - 50
    play.mirrors.clear()
    assert only(WareSold, play.accepted(SellWare("ship-1", "ore", 200)))[0].units == 50
    assert play.refused(SellWare("ship-1", "ore", 1)) == "no_room"
    assert play.mercury.hold == {"ore": 150}


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (SellWare("ship-1", "ore", 1), "no_cargo"),
        (BuyWare("ship-1", "gold", 1), "unknown_ware"),
        (BuyWare("ship-1", "ore", 0), "bad_units"),
        (SellWare("ship-1", "ore", -5), "bad_units"),
        (BuyWare("ship-1", "ore", 2**70), "bad_units"),
        (BuyWare("ship-2", "ore", 1), "not_your_ship"),
        (BuyWare("ship-9", "ore", 1), "unknown_ship"),
    ],
)
def test_impossible_trade_is_refused_with_a_code(command: BuyWare | SellWare, code: str) -> None:
    assert Play().refused(command) == code


def test_station_deals_only_in_its_wares() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.run_until_idle()
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "not_traded"
    assert play.refused(SellWare("ship-1", "metals", 1)) == "not_traded"
    play.accepted(BuyWare("ship-1", "metals", 1))


def test_ship_in_space_cannot_trade() -> None:
    play = Play()
    play.move(sector="west", x=10, y=10)
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "not_docked"
    assert play.refused(BuyWare("ship-1", "ore", 1, append=False)) == "not_docked"
    play.run_until_idle()
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "not_docked"


def test_queued_trades_are_carried_out_on_arrival() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "ore", 60))
    play.move(station="mid-smelter")
    play.accepted(SellWare("ship-1", "ore", 50))
    play.accepted(BuyWare("ship-1", "metals", 10))
    play.move(station="west-store", append=True)
    play.accepted(SellWare("ship-1", "metals", 10))
    assert play.refused(BuyWare("ship-1", "gold", 10)) == "unknown_ware"
    events = play.run_until_idle()
    assert [event.units for event in only(WareSold, events)] == [50, 10]
    assert play.mercury.hold == {"ore": 10}


def test_queued_trade_that_nobody_will_deal_in_is_refused_at_once() -> None:
    play = Play()
    play.move(station="mid-smelter")
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "not_traded"


def test_queued_trade_that_can_move_nothing_fails_and_the_ship_goes_on() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.accepted(SellWare("ship-1", "ore", 50))
    play.move(station="west-store", append=True)
    failed = only(EntryFailed, play.run_until_idle())
    assert [(event.code, event.player) for event in failed] == [("no_cargo", "p1")]
    assert play.status() == ("docked", "docked at Depot")


def test_trade_whose_dock_was_cancelled_fails() -> None:
    play = Play()
    play.move(sector="west", x=100, y=0)
    play.move(station="west-mine", append=True)
    play.accepted(BuyWare("ship-1", "ore", 50))
    play.accepted(CancelEntry("ship-1", play.mercury.queue[1].id))
    assert [event.code for event in only(EntryFailed, play.run_until_idle())] == ["not_docked"]


def test_trade_in_place_of_other_orders() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.run_until_idle()
    play.close("mid:east")
    play.accepted(BuyWare("ship-1", "metals", 5, append=False))
    assert play.mercury.hold == {"metals": 5}


def test_hold_keeps_the_order_of_ware_ids() -> None:
    play = Play()
    for ware in ("ore", "food", "metals"):
        play.accepted(BuyWare("ship-1", ware, 5))
    assert list(play.mercury.hold) == ["food", "metals", "ore"]
