"""Buying, selling and renaming ships: what it takes, what it changes, and what is left of a ship that is sold."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from gamekit.errors import ConfigError
from gamekit.game import Command, PlayerId, merge
from gamekit.space import SpaceGame, check, ledger
from gamekit.space.commands import (
    AutoTrade,
    BuyShip,
    BuyWare,
    CancelEntry,
    MoveShip,
    RenameShip,
    SellShip,
    SellWare,
    SpaceCommand,
    Target,
)
from gamekit.space.events import ShipBought, ShipDeparted, ShipRenamed, ShipSold, TradeFinished
from gamekit.space.model import Docked, Job, Jump
from gamekit.space.scenario import dockyard
from tests.space.galaxies import LINE, Play, only
from tests.space.test_dispatch import MINE
from tests.space.test_economy import refilled
from tests.space.test_trading import DEPOT, credits

ROW = {"id": "freighter", "name": "Freighter", "speed_percent": 100, "capacity_percent": 100, "price": 5}


def rich(**rules: int) -> Play:
    """A game in which credits are no trouble."""
    return Play(rules={"starting_credits": 100_000_000, **rules})


def bought(play: Play, ship_class: str = "courier", name: str | None = None) -> str:
    """Ada buys a ship at the Depot; its id."""
    (event,) = only(ShipBought, play.accepted(BuyShip(ship_class, DEPOT, name)))
    return event.ship


def test_command_says_class_on_the_wire() -> None:
    plain = {"type": "buy_ship", "class": "courier", "station": DEPOT}
    assert msgspec.convert(plain, SpaceCommand) == BuyShip("courier", DEPOT)
    assert msgspec.to_builtins(BuyShip("courier", DEPOT, "Hermes")) == plain | {"name": "Hermes"}


def test_new_ship_waits_docked_and_everybody_sees_it() -> None:
    play = rich()
    before = credits(play)
    events = play.accepted(BuyShip("courier", DEPOT, "Hermes"))
    assert events == [ShipBought("p1", "ship-3", "courier", DEPOT, 6_000_000)]
    assert credits(play) == before - 6_000_000
    assert play.state.ledger.credits[ledger.SHIP_PURCHASES] == 6_000_000
    shown = play.game.view(play.state, None)["ships"]["ship-3"]
    assert (shown["name"], shown["class"], shown["owner"]) == ("Hermes", "courier", "p1")
    assert shown["at"] == {"type": "dock", "station": DEPOT}
    assert (shown["speed"], shown["capacity"]) == (20_000, 120)


def test_new_ship_without_a_name_gets_one_that_no_other_has() -> None:
    play = rich()
    names = [play.state.ships[bought(play)].name for _ in range(3)]
    assert len({*names, *(ship.name for ship in play.state.ships.values())}) == 5


@pytest.mark.parametrize(
    ("ship_class", "speed", "capacity"),
    [("courier", 12_000, 120), ("freighter", 6_000, 400), ("hauler", 3_600, 1_200)],
)
def test_classes_are_relative_to_the_rules(ship_class: str, speed: int, capacity: int) -> None:
    play = rich(ship_speed_mm_per_tick=6_000)
    ship = play.state.ships[bought(play, ship_class)]
    assert (ship.ship_class, ship.speed, ship.capacity) == (ship_class, speed, capacity)
    if ship_class == "freighter":
        assert (play.mercury.ship_class, play.mercury.speed, play.mercury.capacity) == (ship_class, speed, capacity)


def test_no_class_is_ever_without_speed_or_hold() -> None:
    play = rich(ship_capacity=1, ship_speed_mm_per_tick=100)
    assert play.state.ships[bought(play)].capacity == 1


def test_bought_ship_flies_trades_and_trades_by_itself() -> None:
    play = rich()
    ship = bought(play, "hauler")
    play.accepted(BuyWare(ship, "ore", 10))
    play.move(ship=ship, station="mid-smelter")
    play.accepted(SellWare(ship, "ore", 10))
    play.run_until_idle(ship)
    refilled(play, MINE, ore=1_600)
    play.accepted(AutoTrade(ship, on=True))
    assert only(TradeFinished, play.run(4_000))


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (BuyShip("dinghy", DEPOT), "unknown_class"),
        (BuyShip("courier", "nowhere"), "unknown_station"),
        (BuyShip("courier", MINE), "no_shipyard"),
        (BuyShip("courier", DEPOT, ""), "bad_name"),
        (BuyShip("courier", DEPOT, "x" * 41), "bad_name"),
        (BuyShip("hauler", DEPOT), "no_credits"),
        (SellShip("ship-9"), "unknown_ship"),
        (SellShip("ship-2"), "not_your_ship"),
        (RenameShip("ship-9", "Hermes"), "unknown_ship"),
        (RenameShip("ship-2", "Hermes"), "not_your_ship"),
        (RenameShip("ship-1", "  "), "bad_name"),
        (RenameShip("ship-1", "a\nb"), "bad_name"),
        (RenameShip("ship-1", "x" * 41), "bad_name"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(command: Command, code: str) -> None:
    assert Play().refused(command) == code


def test_last_centi_credit_may_go_into_a_ship() -> None:
    assert Play(rules={"starting_credits": 5_999_999}).refused(BuyShip("courier", DEPOT)) == "no_credits"
    play = Play(rules={"starting_credits": 6_000_000})
    bought(play)
    assert credits(play) == 0


def test_no_more_ships_than_the_rules_allow() -> None:
    play = rich(ships_limit=2)
    ship = bought(play)
    assert play.refused(BuyShip("courier", DEPOT)) == "ships_limit"
    play.accepted(SellShip(ship))
    bought(play)


def test_shipyards_are_hubs_and_stations_whose_recipe_says_so() -> None:
    play = Play("nearest-stars")
    yards = {one.id for one in play.state.stations.values() if one.shipyard}
    assert yards == {one.id for one in play.state.stations.values() if one.kind == "hub" or "shipyard" in one.id}
    assert any("shipyard" in one for one in yards)
    shown = play.game.view(play.state, None)["stations"]
    assert {key for key, row in shown.items() if row["shipyard"]} == yards
    yard = next(one for one in yards if "shipyard" in one)
    play.accepted(BuyShip("courier", yard))
    assert play.state.ships["ship-3"].at == Docked(yard)


@pytest.mark.parametrize(("percent", "price"), [(0, 0), (70, 5_600_000), (100, 8_000_000)])
def test_sold_ship_fetches_a_part_of_its_price_and_is_gone(percent: int, price: int) -> None:
    play = Play(rules={"ship_resale_percent": percent})
    before = credits(play)
    events = play.accepted(SellShip("ship-1"))
    assert events == [ShipSold("p1", "ship-1", DEPOT, price)]
    assert play.game.changes(play.state, None, events) == {"ships": {"ship-1": None}}
    assert "ship-1" not in play.state.ships
    assert play.state.ledger.credits["player:p1"] == before + price
    assert play.state.ledger.credits[ledger.SHIP_SALES] == -price
    assert play.refused(MoveShip("ship-1", Target(station=MINE))) == "unknown_ship"


def test_id_of_a_sold_ship_is_never_given_again() -> None:
    play = rich()
    play.accepted(SellShip("ship-1"))
    first = bought(play)
    play.accepted(SellShip(first))
    assert (first, bought(play)) == ("ship-3", "ship-4")
    twin = play.game.decode(play.game.encode(play.state), play.game.version)
    assert play.game.apply(twin, PlayerId("p1"), BuyShip("courier", DEPOT)) == [
        ShipBought("p1", "ship-5", "courier", DEPOT, 6_000_000)
    ]


def test_ship_that_is_not_docked_where_ships_are_sold_is_not_taken() -> None:
    play = Play()
    play.move(station=MINE)
    assert play.refused(SellShip("ship-1")) == "not_docked"
    play.run_until_idle()
    assert play.refused(SellShip("ship-1")) == "no_shipyard"


def test_ship_with_cargo_is_not_taken() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "ore", 1))
    assert play.refused(SellShip("ship-1")) == "has_cargo"
    play.accepted(SellWare("ship-1", "ore", 1))
    play.accepted(SellShip("ship-1"))


def test_ship_on_a_job_is_not_taken() -> None:
    play = Play()
    play.mercury.job = Job("ore", 5, MINE, "mid-smelter", 0, loaded=False)
    assert play.refused(SellShip("ship-1")) == "has_job"


def test_waiting_auto_trader_can_be_sold_and_nobody_looks_for_a_job_for_it() -> None:
    play = Play(LINE | {"stations": LINE["stations"][:1]})
    play.accepted(AutoTrade("ship-1", on=True))
    play.accepted(SellShip("ship-1"))
    assert play.run(10_000) == []
    assert play.game.next_due(play.state) is None


def test_orders_of_a_ship_that_holds_at_the_dock_go_with_it() -> None:
    play = Play()
    play.move(station=MINE)
    play.move(station=DEPOT, append=True)
    play.move(station="mid-smelter", append=True)
    play.move(sector="mid", x=5, y=5, append=True)
    play.close("west:mid")
    to_smelter = next(entry for entry in play.mercury.queue if isinstance(entry, Jump))
    play.accepted(CancelEntry("ship-1", to_smelter.id))
    play.run(500)
    assert (play.status()[0], play.mercury.at) == ("holding", Docked(DEPOT))
    assert play.mercury.queue
    assert len(play.accepted(SellShip("ship-1"))) == 1
    play.open("west:mid")
    play.run(1_000)


def test_agenda_forgets_a_sold_ship_and_the_game_goes_on() -> None:
    play = Play()
    # Old plans of the ship are still in the agenda when it is sold.
    play.move(station=MINE)
    play.move(station=DEPOT)
    play.run_until_idle()
    key = play.mercury.key
    play.accepted(SellShip("ship-1"))
    assert key not in play.state.agenda.things
    assert all(pair[1] != key for pair in play.state.agenda.heap)
    play.run(5_000)


def test_player_without_ships_buys_the_next() -> None:
    play = Play()
    play.accepted(SellShip("ship-1"))
    ship = bought(play, "freighter")
    assert only(ShipDeparted, play.move(ship=ship, station=MINE))


def test_patch_of_several_steps_at_once_is_right_for_ships_that_came_and_went() -> None:
    play = rich()
    game, ada = play.game, play.mercury.owner
    before = game.view(play.state, ada)
    events = play.accepted(BuyShip("courier", DEPOT, "Here"))
    events += play.accepted(MoveShip("ship-3", Target(station=MINE)), "p1")
    events += play.accepted(BuyShip("hauler", DEPOT, "Gone"))
    events += play.accepted(SellShip("ship-4"))
    events += play.accepted(RenameShip("ship-3", "There"))
    events += play.accepted(SellShip("ship-1"))
    merge(before, game.changes(play.state, None, events))
    merge(before, game.changes(play.state, ada, events))
    assert before == game.view(play.state, ada)


def test_renamed_ship_is_shown_under_its_new_name() -> None:
    play = Play()
    events = play.accepted(RenameShip("ship-1", "Гермес 2"))
    assert events == [ShipRenamed("ship-1", "Гермес 2")]
    assert play.game.view(play.state, None)["ships"]["ship-1"]["name"] == "Гермес 2"
    assert play.accepted(RenameShip("ship-1", "Гермес 2")) == []


def test_ship_under_way_and_in_a_gate_can_be_renamed() -> None:
    play = Play()
    play.move(station="mid-smelter")
    for number in range(1, 200, 20):
        play.accepted(RenameShip("ship-1", f"At {number}"))
        play.run(20)
    play.run_until_idle()
    assert play.mercury.at == Docked("mid-smelter")


def test_shipped_classes_are_three_and_the_freighter_is_the_rules_own() -> None:
    rows = {row.id: row for row in dockyard().classes}
    assert list(rows) == ["courier", "freighter", "hauler"]
    assert (rows["freighter"].speed_percent, rows["freighter"].capacity_percent) == (100, 100)
    assert rows["courier"].speed_percent > 100 > rows["hauler"].speed_percent
    assert rows["courier"].capacity_percent < 100 < rows["hauler"].capacity_percent


def test_scenario_may_bring_its_own_classes() -> None:
    tug = ROW | {"id": "tug", "name": "Tug", "capacity_percent": 5}
    play = Play(LINE | {"ship_classes": [ROW, tug]})
    assert play.game.view(play.state, None)["ship_classes"] == {
        "freighter": {"name": "Freighter", "speed_percent": 100, "capacity_percent": 100, "price": 5},
        "tug": {"name": "Tug", "speed_percent": 100, "capacity_percent": 5, "price": 5},
    }
    bought(play, "tug")
    assert play.refused(BuyShip("courier", DEPOT)) == "unknown_class"
    check(play.game.decode(play.game.encode(play.state), play.game.version))


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([ROW | {"id": "tug"}], "ship_classes: expected one with the id 'freighter', got tug"),
        ([ROW, ROW], r"ship_classes\[1\].id: the id 'freighter' is given twice"),
        (
            [ROW | {"speed_percent": 0}],
            r"ship_classes\[0\].speed_percent: expected a whole number .*, got 0",
        ),
        (
            [ROW | {"price": "dear"}],
            r"ship_classes\[0\].price: expected a whole number .*, got 'dear'",
        ),
        ([ROW | {"sails": 3}], "sails.*allowed are id, name, speed_percent, capacity_percent, price"),
        ([{"id": "freighter"}], r"ship_classes\[0\]: name, speed_percent, capacity_percent and price are missing"),
    ],
)
def test_wrong_class_is_told_with_its_key_and_what_is_allowed(rows: list[dict[str, Any]], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        SpaceGame().new({"scenario": LINE | {"ship_classes": rows}}, 1)
