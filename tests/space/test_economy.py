"""What stations do by themselves: make, use, stop, say why, and go on."""

from __future__ import annotations

from gamekit.space import ledger
from gamekit.space.commands import BuyWare, SellWare
from gamekit.space.events import StationStatusChanged, StockChanged
from gamekit.space.model import NEVER, Station
from tests.space.galaxies import Play, only

MINE, SMELTER, TOWN = "west-mine", "mid-smelter", "east-town"


def station(play: Play, station_id: str) -> Station:
    """A station by id."""
    return play.state.stations[station_id]


def refilled(play: Play, station_id: str, **stock: int) -> None:
    """Set stocks by hand, through the ledger; a cycle under way must still find its inputs and its room."""
    for ware, units in stock.items():
        here = station(play, station_id)
        ledger.supply(play.state.ledger, ledger.INITIAL, here, ware, units - here.stock[ware])
    play.mirrors.clear()


def test_a_cycle_takes_inputs_and_gives_outputs_when_it_ends() -> None:
    play = Play()
    smelter = station(play, SMELTER)
    ore, metals, due = smelter.stock["ore"], smelter.stock["metals"], smelter.due
    play.run(due - play.state.tick - 1)
    assert (smelter.stock["ore"], smelter.stock["metals"]) == (ore, metals)
    assert StockChanged(SMELTER) in play.run(1)
    assert (smelter.stock["ore"], smelter.stock["metals"]) == (ore - 8, metals + 5)
    assert smelter.due == due + 600


def test_cycle_length_follows_the_rules() -> None:
    play = Play(rules={"cycle_percent": 50})
    recipe = station(play, SMELTER).recipe
    assert recipe is not None
    assert recipe.cycle_ticks == 300


def test_mine_clogs_when_full_and_wakes_when_somebody_buys() -> None:
    play = Play()
    mine = station(play, MINE)
    refilled(play, MINE, ore=mine.capacity["ore"] - 20)
    events = play.run(1200)
    clogged = only(StationStatusChanged, events)[0]
    assert clogged == StationStatusChanged(MINE, "clogged", "no room for more Ore", "producing", mine.since)
    assert mine.due == NEVER
    assert mine.stock["ore"] <= mine.capacity["ore"]
    play.move(station=MINE)
    play.run_until_idle()
    events = play.accepted(BuyWare("ship-1", "ore", 20))
    lasted = play.state.tick - clogged.lasted
    assert only(StationStatusChanged, events) == [
        StationStatusChanged(MINE, "producing", "producing", "clogged", lasted)
    ]
    assert mine.since == play.state.tick
    assert mine.due == play.state.tick + 600


def test_smelter_starves_and_goes_on_when_somebody_sells() -> None:
    play = Play()
    smelter = station(play, SMELTER)
    refilled(play, SMELTER, ore=9)
    play.run(1200)
    assert (smelter.status, smelter.reason, smelter.due) == ("starved", "short of Ore", NEVER)
    play.accepted(BuyWare("ship-1", "ore", 20))
    play.move(station=SMELTER)
    play.accepted(SellWare("ship-1", "ore", 20))
    play.run_until_idle()
    assert (smelter.status, smelter.stock["ore"]) == ("producing", 21)


def test_station_that_stands_still_costs_nothing() -> None:
    play = Play()
    refilled(play, SMELTER, ore=8)
    refilled(play, TOWN, metals=2, food=4)
    refilled(play, MINE, ore=station(play, MINE).capacity["ore"] - 14)
    play.run(1200)
    assert play.game.next_due(play.state) is None
    assert play.game.advance(play.state, 10**9) == []


def test_town_short_of_one_ware_still_uses_the_others() -> None:
    play = Play()
    town = station(play, TOWN)
    refilled(play, TOWN, metals=0, food=10)
    play.run(600)
    assert (town.stock["food"], town.status, town.reason) == (6, "starved", "short of Metals")
    play.run(600)
    assert (town.stock["food"], town.reason) == (2, "short of Food, Metals")
    play.run(600)
    assert (town.stock["food"], town.due) == (0, NEVER)


def test_wares_come_from_mines_and_go_where_they_are_used() -> None:
    play = Play()
    play.run(6_000)
    books = play.state.ledger.wares
    assert -books[ledger.MINED]["ore"] == 140
    assert books[ledger.USED]["ore"] == 80
    assert -books[ledger.MADE]["metals"] == 50
    assert books[ledger.CONSUMED] == {"ore": 0, "metals": 20, "food": 40}


def test_stock_begins_as_full_as_the_rules_say() -> None:
    for percent in (0, 50, 100):
        play = Play(rules={"initial_stock_percent": percent})
        for one in play.state.stations.values():
            assert one.stock == {ware: capacity * percent // 100 for ware, capacity in one.capacity.items()}


def test_first_cycles_do_not_all_end_at_once() -> None:
    play = Play("nearest-stars")
    dues = [one.due for one in play.state.stations.values() if one.due != NEVER]
    assert len(set(dues)) > len(dues) // 2
