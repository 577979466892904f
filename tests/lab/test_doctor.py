"""The doctor: each thing that can be wrong is found, with its cause along the chain and what would help."""

from __future__ import annotations

from typing import Any

import pytest

import gamekit
from gamekit.errors import ConfigError
from gamekit.game import Join, PlayerId
from gamekit.lab import begin, doctor, replay, simulate
from gamekit.lab.doctor import COLUMNS, Finding, examine
from gamekit.lab.doctor.findings import SEVERITIES
from gamekit.lab.frames.state import everything
from gamekit.space import Rules, SpaceGame, SpaceState, ledger
from gamekit.space.commands import AutoTrade, BuyWare
from gamekit.space.model import Station, Ware
from tests.designer_game import FoodFirst
from tests.space.galaxies import LINE, RING, Play
from tests.space.test_economy import refilled
from tests.space.test_prospects import CITY_OF_HENS, ring

SMELTER, MINE, TOWN, DEPOT = "mid-smelter", "west-mine", "east-town", "west-store"


def findings(play: Play, kind: str) -> list[Finding]:
    """What is found of one kind."""
    seen = everything(play.game, play.state)
    return [one for one in examine(seen.view, play.game.rules(play.state)) if one.kind == kind]


def standing(play: Play, station: str, status: str) -> None:
    """Let a station stand still."""
    play.state.stations[station].status = status
    play.mirrors.clear()


def test_ware_that_nobody_makes_is_an_error_at_whoever_lacks_it() -> None:
    play = Play()
    refilled(play, DEPOT, food=0)
    refilled(play, TOWN, food=0)
    standing(play, TOWN, "starved")
    [found] = findings(play, "starved station")
    assert (found.severity, found.subject, found.sector) == ("error", TOWN, "east")
    assert "short of Food: Food is sold out and nobody makes it" in found.cause
    assert found.remedy == "add a station that makes Food"


def test_cause_is_followed_down_the_chain_to_where_it_begins() -> None:
    play = Play()
    for station in (DEPOT, SMELTER, TOWN):
        refilled(play, station, metals=0)
    for station in (DEPOT, SMELTER, MINE):
        refilled(play, station, ore=0)
    standing(play, TOWN, "starved")
    standing(play, SMELTER, "starved")
    town = next(one for one in findings(play, "starved station") if one.subject == TOWN)
    assert "short of Metals: Mid Smelter is out of Metals, because it lacks Ore: Ore is sold out for now" in town.cause


def test_wares_that_lie_about_want_a_ship() -> None:
    play = Play()
    refilled(play, TOWN, metals=0)
    standing(play, TOWN, "starved")
    found = next(one for one in findings(play, "starved station") if "Metals" in one.cause)
    assert found.severity == "warning"
    assert "1 gate away, but no ship brings it" in found.cause
    assert found.remedy.startswith("switch ships to auto-trade")


def test_too_small_a_load_names_the_rule_and_the_value_that_would_do() -> None:
    play = Play(rules={"least_load_percent": 100})
    play.accepted(AutoTrade("ship-1", on=True))
    refilled(play, SMELTER, ore=0)
    refilled(play, DEPOT, ore=0)
    refilled(play, MINE, ore=30)
    standing(play, SMELTER, "starved")
    [found] = findings(play, "starved station")
    # Both hold as much as they make or use in two hours: 1,680 and 960 units. 133 units fill a freighter.
    worth = 30 * 960 // (1_680 + 960)
    assert f"{worth} are worth moving, and no trader leaves with less than 133" in found.cause
    assert f"least_load_percent to {100 * worth // 133}" in found.remedy


def test_what_is_on_its_way_is_only_noted() -> None:
    play = Play()
    refilled(play, SMELTER, ore=8)
    refilled(play, MINE, ore=1_600)
    play.accepted(AutoTrade("ship-1", on=True))
    play.run(200)
    job = play.mercury.job
    assert job is not None
    refilled(play, job.target, **{job.ware: 0})
    standing(play, job.target, "starved")
    found = next(one for one in findings(play, "starved station") if one.subject == job.target)
    assert (found.severity, found.remedy) == ("note", "wait")
    assert f"{job.units} " in found.cause


def test_closed_gates_are_a_warning_and_missing_ones_an_error() -> None:
    play = Play()
    play.close("mid:east")
    refilled(play, TOWN, metals=0)
    standing(play, TOWN, "starved")
    metals = next(one for one in findings(play, "starved station") if "Metals" in one.cause)
    assert metals.severity == "warning"
    assert "behind closed gates" in metals.cause
    [sector] = findings(play, "unreachable sector")
    assert (sector.severity, sector.subject) == ("warning", "east")
    apart = Play(LINE | {"gates": [["west", "mid"]]})
    refilled(apart, TOWN, metals=0)
    standing(apart, TOWN, "starved")
    assert {one.severity for one in findings(apart, "starved station")} == {"error"}
    [sector] = findings(apart, "unreachable sector")
    assert (sector.severity, sector.cause) == ("error", "no gates lead to most other sectors")
    more = [{"id": f"more-{at}", "name": f"More {at}", "x": -300, "y": 300 * at} for at in (1, 2)]
    joined = [["west", "mid"], ["west", "more-1"], ["more-2", "east"]]
    [island] = findings(Play(LINE | {"sectors": [*LINE["sectors"], *more], "gates": joined}), "unreachable sector")
    assert (island.subject, island.name) == ("east", "East and 1 more")
    assert island.cause == "2 sectors (East, More 2) hang together; no gates lead to most other sectors"


def test_what_fog_hides_is_no_missing_gate() -> None:
    east_hub = {"sector": "east", "recipe": "store", "x": 500, "y": 0}
    play = Play(LINE | {"stations": [*LINE["stations"], east_hub]}, {"fog": 1})
    view, rules = play.game.view(play.state, PlayerId("p1")), play.game.rules(play.state)
    assert list(view["sectors"]) == ["west", "east"]
    [island] = [one for one in examine(view, rules) if one.kind == "unreachable sector"]
    assert (island.severity, island.remedy) == ("note", "explore the gates into the unknown")
    view["stations"][TOWN] |= {"status": "starved", "stock": {"metals": 0, "food": 9}}
    view["stations"]["east-store"]["sells"] = []
    [town] = [one for one in examine(view, rules) if one.kind == "starved station" and "Metals" in one.cause]
    assert (town.severity, town.remedy) == ("warning", "explore the gates into the unknown")


def test_clogged_station_is_told_whether_nobody_buys_all_are_full_or_no_ship_comes() -> None:
    play = Play()
    for station in (SMELTER, DEPOT):
        refilled(play, station, ore=play.state.stations[station].capacity["ore"])
    refilled(play, MINE, ore=play.state.stations[MINE].capacity["ore"])
    standing(play, MINE, "clogged")
    [full] = findings(play, "clogged station")
    assert full.cause.startswith("full of Ore: all 2 buyers of Ore in reach are full; 840 an hour can be made")
    refilled(play, SMELTER, ore=0)
    [fetch] = findings(play, "clogged station")
    assert "but no ship fetches it" in fetch.cause
    lonely = Play(LINE | {"stations": [one for one in LINE["stations"] if one["recipe"] == "mine"]})
    refilled(lonely, MINE, ore=lonely.state.stations[MINE].capacity["ore"])
    standing(lonely, MINE, "clogged")
    [nobody] = findings(lonely, "clogged station")
    assert (nobody.severity, nobody.cause) == ("error", "full of Ore: nobody buys Ore")


def test_prices_at_which_nobody_can_ever_earn_are_an_inversion() -> None:
    assert findings(Play(), "price inversion") == []
    inverted = findings(Play(rules={"price_spread_percent": 0}), "price inversion")
    assert {one.subject for one in inverted} == {"ore", "metals", "food"}
    assert all(one.severity == "error" for one in inverted)


class Flat(SpaceGame):
    """Everything costs the same everywhere, whatever the rules say about the spread."""

    name = "flat"

    def price(self, station: Station, ware: Ware, stock: int, rules: Rules) -> int:
        """The base price."""
        return ware.base_price


@pytest.mark.parametrize(("game", "spread", "inverted"), [(Flat(), 30, True), (FoodFirst(), 0, False)])
def test_prices_of_a_games_own_are_those_that_are_looked_at(game: SpaceGame, spread: int, inverted: bool) -> None:
    run = simulate(LINE, {"price_spread_percent": spread}, hours=0, game=game)
    for found in (doctor(run), doctor(run.state)):
        assert ("price inversion" in set(found["kind"])) == inverted


def test_worth_moving_at_prices_of_a_games_own_is_reckoned_unit_by_unit() -> None:
    run = simulate(LINE, {"price_spread_percent": 0, "least_load_percent": 100}, hours=0, game=FoodFirst())
    run.game.apply(run.state, PlayerId("p1"), Join("Ada"))
    run.game.apply(run.state, PlayerId("p1"), AutoTrade("ship-1", on=True))
    smelter, mine = run.state.stations[SMELTER], run.state.stations[MINE]
    smelter.stock["ore"], mine.stock["ore"], run.state.stations[DEPOT].stock["ore"] = 0, 300, 0
    smelter.status = "starved"
    [cause] = doctor(run.state)[lambda found: found["kind"] == "starved station"]["cause"]
    # Equal shares of 1,680 and of 960 units cost the same; a fee of half a percent at both ends stops a little earlier.
    worth = 300 * 960 // (1_680 + 960)
    assert any(f"{units} are worth moving, and no trader" in cause for units in range(worth - 8, worth + 1)), cause


def test_minimum_stock_is_not_for_sale() -> None:
    play = Play(rules={"minimum_stock_percent": 40})
    play.accepted(AutoTrade("ship-1", on=True))
    refilled(play, TOWN, metals=0)
    for station in (SMELTER, DEPOT):
        refilled(play, station, metals=play.state.stations[station].capacity["metals"] * 40 // 100)
    standing(play, TOWN, "starved")
    found = next(one for one in findings(play, "starved station") if "Metals" in one.cause)
    assert found.cause == "short of Metals: what is left of Metals in reach is the sellers' minimum stock of 40 %"
    assert found.remedy.startswith("lower minimum_stock_percent")
    refilled(play, SMELTER, metals=play.state.stations[SMELTER].stock["metals"] + 5)
    found = next(one for one in findings(play, "starved station") if "Metals" in one.cause)
    assert "Mid Smelter has 5 Metals, 1 gate away, but no ship brings it" in found.cause


def test_owner_of_traders_without_credits_is_a_cause() -> None:
    play = Play(rules={"starting_credits": 100})
    play.accepted(AutoTrade("ship-1", on=True))
    refilled(play, TOWN, metals=0)
    standing(play, TOWN, "starved")
    found = next(one for one in findings(play, "starved station") if "Metals" in one.cause)
    assert "no owner of traders has so much" in found.cause
    assert found.remedy == "sell a ship, or raise starting_credits"


def test_range_of_auto_trade_is_counted_over_closed_gates_too() -> None:
    longer = RING | {
        "sectors": [*RING["sectors"], {"id": "far", "name": "Far", "x": 200, "y": -300}],
        "gates": [*LINE["gates"], ["west", "north"], ["north", "far"], ["far", "east"]],
    }
    play = Play(longer, {"trade_range_jumps": 2, "least_load_percent": 1})
    play.accepted(AutoTrade("ship-1", on=True))
    refilled(play, SMELTER, metals=0)
    refilled(play, TOWN, metals=0)
    standing(play, TOWN, "starved")
    # To the depot in the west it is two gates, or three while the direct way is closed.
    play.close("mid:east")
    found = next(one for one in findings(play, "starved station") if "Metals" in one.cause)
    assert "3 gates away" in found.cause
    assert "beyond" not in found.cause


def test_stranded_cargo_holding_ships_and_idle_traders_are_told() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "ore", 20))
    [cargo] = findings(play, "stranded cargo")
    assert (cargo.severity, cargo.subject) == ("note", "ship-1")
    assert "carries 20 Ore and has no orders" in cargo.cause
    for station in (DEPOT, SMELTER):
        refilled(play, station, ore=play.state.stations[station].capacity["ore"])
    assert findings(play, "stranded cargo")[0].cause == "nobody in reach has room for 20 Ore"
    play.move(ship="ship-2", station=TOWN)
    play.close("west:mid")
    play.run_to_hold("ship-2")
    [holding] = findings(play, "holding ship")
    assert holding.subject == "ship-2"
    assert "is closed" in holding.cause
    play.accepted(AutoTrade("ship-1", on=True))
    idle = Play(rules={"trade_range_jumps": 0, "least_load_percent": 100})
    idle.accepted(AutoTrade("ship-1", on=True))
    for station in idle.state.stations.values():
        station.stock.update(dict.fromkeys(station.stock, 0))
    [waiting] = findings(idle, "idle ships")
    assert (waiting.subject, waiting.cause) == ("p1", "1 of 1 traders wait for a trade worth their while")


def test_traders_behind_closed_gates_are_not_told_to_be_fewer() -> None:
    # The mine and the depot stand in one sector; without it every seller is apart from its buyers.
    stations = [row for row in LINE["stations"] if row["recipe"] != "mine"]
    play = Play(LINE | {"stations": stations})
    play.accepted(AutoTrade("ship-1", on=True))
    for gate in ("west:mid", "mid:east"):
        play.close(gate)
    [waiting] = findings(play, "idle ships")
    assert waiting.cause.endswith("; closed gates part every seller from its buyers")
    assert waiting.remedy == "open the gates, or wait for them"
    apart = Play(LINE | {"stations": stations, "gates": []})
    apart.accepted(AutoTrade("ship-1", on=True))
    [waiting] = findings(apart, "idle ships")
    assert waiting.cause.endswith("; no gates lead from any seller to a buyer")


def test_frame_has_the_worst_first_and_is_empty_when_all_is_well() -> None:
    run = simulate(rules={"company_percent": 0}, hours=10)
    frame = doctor(run)
    assert tuple(frame.columns) == COLUMNS
    assert len(frame) > 10
    ranks = [SEVERITIES.index(severity) for severity in frame["severity"]]
    assert ranks == sorted(ranks)
    assert frame.equals(doctor(run.state))
    assert (frame[["cause", "remedy", "name"]].map(len) > 0).all(axis=None)
    fresh: SpaceState = simulate(hours=0).state
    assert len(doctor(fresh)[lambda one: one["kind"] == "clogged station"]) == 0
    with pytest.raises(ConfigError, match="not at 7"):
        doctor(7)


def test_a_past_is_looked_at_where_it_stands() -> None:
    branch = begin("nearest-stars", {"company_percent": 0})
    branch.advance(hours=3)
    assert len(doctor(branch)) > 0
    assert doctor(branch).equals(doctor(branch.state))
    assert len(doctor(replay(branch, 0))) == 0


def test_a_live_game_is_examined_through_the_eyes_of_whoever_asks() -> None:
    with gamekit.launch() as client:
        game = client.new_game(seed=7)
        red = game.join("Red")
        red.ship.buy(red.view["stations"][red.ship.station]["sells"][0], 5).result()
        kinds: Any = doctor(red)["kind"]
        assert list(kinds).count("stranded cargo") == 1
        assert "stranded cargo" not in set(doctor(game)["kind"])


def told(galaxy: dict[str, Any], hours: float = 5) -> list[tuple[str, str, str]]:
    """Severity, cause and remedy of all that is found when a galaxy has been played."""
    found = doctor(simulate(galaxy, hours=hours))
    return list(zip(found["severity"], found["cause"], found["remedy"], strict=True))


@pytest.mark.parametrize("count", [2, 3, 7])
def test_makers_that_wait_for_each_other_are_an_error_with_all_of_them_named(count: int) -> None:
    found = told(ring(count))
    makers = [one for one in found if "wait for each other" in one[1]]
    assert len(makers) == count + 1, "every maker, and the one that waits for them"
    for severity, cause, remedy in makers:
        assert severity == "error"
        assert sum(f"lacks W{at}" in cause for at in range(count)) == min(count, 6)
        assert "Toys lacks" not in cause
        assert remedy.startswith("begin with stock (initial_stock_percent), or add a station that makes one of W")
    assert any("no ware can be had any more" in cause for _, cause, _ in found)


def test_a_circle_with_something_left_or_on_board_is_not_given_up() -> None:
    assert not [one for one in told(ring(3, stock=50)) if "wait for each other" in one[1]]
    run = simulate(ring(3), hours=0)
    play = Play(ring(3), {"initial_stock_percent": 0})
    assert [one for one in doctor(run)["cause"] if "wait for each other" in one]
    ledger.supply(play.state.ledger, ledger.MINED, play.state.stations["one-shop"], "w1", 50)
    play.mirrors.clear()
    assert not [one for one in doctor(play.state)["cause"] if "wait for each other" in one]
    play.move(station="one-shop")
    play.run_until_idle()
    play.accepted(BuyWare("ship-1", "w1", 50))
    assert play.state.stations["one-shop"].stock["w1"] == 0
    assert not [one for one in doctor(play.state)["cause"] if "wait for each other" in one], "a ship carries some"


def test_a_ware_that_no_hold_takes_wants_larger_ships_and_not_more_of_them() -> None:
    large = CITY_OF_HENS | {"wares": [CITY_OF_HENS["wares"][0] | {"volume": 500}]}
    found = told(large)
    assert {(severity, remedy) for severity, cause, remedy in found if "no ship" in cause} == {
        ("error", "larger ships (Hauler, 1,200), or raise ship_capacity")
    }
    assert all(
        "one unit takes 500, and no trader's hold has more than 400" in one[1] for one in found if "no ship" in one[1]
    )
    huge = CITY_OF_HENS | {"wares": [CITY_OF_HENS["wares"][0] | {"volume": 5_000}]}
    assert {remedy for _, cause, remedy in told(huge) if "no ship" in cause} == {"raise ship_capacity"}
    # Without traders the classes that there are decide.
    alone = CITY_OF_HENS | {"companies": [], "wares": [CITY_OF_HENS["wares"][0] | {"volume": 5_000}]}
    assert {remedy for _, cause, remedy in told(alone) if "no ship" in cause} == {"raise ship_capacity"}


def test_fees_that_eat_every_profit_want_no_smaller_ships() -> None:
    rules = {"minimum_stock_percent": 90, "trade_fee_permille": 500, "least_load_percent": 100}
    found = told(CITY_OF_HENS | {"rules": rules})
    assert {remedy for _, _, remedy in found} == {
        "raise price_spread_percent or lower the fee",
        "lower the fee, or raise price_spread_percent",
    }
    assert any("not one unit is worth moving" in cause for _, cause, _ in found)
    assert any("traders wait for a trade worth their while; no ware can earn anything" in one[1] for one in found)


def test_owners_whose_purse_is_too_small_are_told_so() -> None:
    poor = CITY_OF_HENS | {"companies": [{"name": "Co", "ships": 2, "credits": 1_000}]}
    [cause] = [cause for _, cause, _ in told(poor) if "traders wait" in cause]
    assert cause.endswith("their owner cannot pay the cheapest load, 350.00 credits")
