"""Who may order what, and what a refusal says."""

from __future__ import annotations

import pytest

from gamekit.game import Command, Join
from gamekit.space.commands import CancelEntry, MoveShip, StopShip, Target
from gamekit.space.events import OrderAccepted, PlayerJoined
from gamekit.space.model import Docked, InSpace
from tests.space.galaxies import LINE, Play


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (MoveShip("ship-9", Target(station="east-town")), "unknown_ship"),
        (MoveShip("ship-2", Target(station="east-town")), "not_your_ship"),
        (MoveShip("ship-1", Target(sector="nowhere", x=0, y=0)), "unknown_sector"),
        (MoveShip("ship-1", Target(station="nowhere")), "unknown_station"),
        (MoveShip("ship-1", Target(gate="nowhere")), "unknown_gate"),
        (MoveShip("ship-1", Target(sector="west", x=1_001, y=0)), "outside_sector"),
        (MoveShip("ship-1", Target(sector="west", x=0, y=-(2**70))), "outside_sector"),
        (MoveShip("ship-1", Target()), "bad_target"),
        (MoveShip("ship-1", Target(station="east-town", x=1, y=1)), "bad_target"),
        (MoveShip("ship-1", Target(station="east-town", gate="west:mid")), "bad_target"),
        (StopShip("ship-9"), "unknown_ship"),
        (StopShip("ship-2"), "not_your_ship"),
        (CancelEntry("ship-1", 7), "unknown_entry"),
        (CancelEntry("ship-2", 1), "not_your_ship"),
        (Join("Ada"), "already_joined"),
        (Command(), "unknown_command"),
    ],
)
def test_impossible_command_is_refused_with_a_code(command: Command, code: str) -> None:
    assert Play().refused(command) == code


@pytest.mark.parametrize("name", ["", " ", "x" * 41, "a\nb", "\x00"])
def test_unsuitable_name_is_refused(name: str) -> None:
    assert Play().refused(Join(name), "p3") == "bad_name"


def test_edge_of_a_sector_belongs_to_it() -> None:
    play = Play()
    play.move(sector="west", x=-1_000, y=1_000)
    play.run_until_idle()
    assert play.mercury.at == InSpace("west", -1_000, 1_000)


def test_sector_without_a_point_means_its_centre() -> None:
    play = Play()
    play.move(sector="mid")
    assert play.queue()[-1] == "fly mid 0 0"


def test_joining_brings_credits_and_a_freighter_at_a_hub() -> None:
    play = Play("nearest-stars")
    view = play.game.view(play.state, play.mercury.owner)
    assert view["players"]["p1"] == {"name": "Ada", "joined": 0, "company": False, "credits": 10_000_000}
    ship = view["ships"]["ship-1"]
    assert (ship["name"], ship["class"], ship["owner"], ship["hold"]) == ("Mercury", "freighter", "p1", {})
    assert ship["at"] == {"type": "dock", "station": "sol-hub"}


def test_players_are_spread_over_the_hubs() -> None:
    play = Play("nearest-stars")
    for number in range(3, 6):
        play.accepted(Join("Someone"), f"p{number}")
    homes = [play.state.ships[f"ship-{number}"].at for number in range(1, 6)]
    hubs = ("sol-hub", "lalande-21185-hub", "sirius-hub", "61-cygni-hub", "sol-hub")
    assert homes == [Docked(station) for station in hubs]


def test_players_start_in_space_where_there_is_no_station() -> None:
    play = Play(LINE | {"stations": []})
    assert play.mercury.at == InSpace("west", 0, 0)
    assert play.state.ships["ship-2"].at == InSpace("mid", 0, 0)


def test_late_joiner_is_noted_at_the_tick() -> None:
    play = Play()
    play.run(123)
    assert play.accepted(Join("Cy"), "p3") == [PlayerJoined("p3", "Cy", "ship-3")]
    assert play.game.view(play.state, None)["players"]["p3"] == {"name": "Cy", "joined": 123, "company": False}


def test_ship_names_are_unique() -> None:
    play = Play()
    for number in range(3, 150):
        play.accepted(Join("Someone"), f"p{number}")
    names = [ship.name for ship in play.state.ships.values()]
    assert len(set(names)) == len(names)


def test_order_is_announced_with_its_number_and_length() -> None:
    play = Play()
    assert OrderAccepted("p1", "ship-1", 1, 4) in play.move(station="mid-smelter")


def test_queue_is_limited_but_a_single_order_always_fits() -> None:
    play = Play(rules={"queue_limit": 5})
    play.move(station="east-town")
    assert len(play.mercury.queue) == 6
    assert play.refused(MoveShip("ship-1", Target(sector="east", x=5, y=5), append=True)) == "queue_full"
    play.move(station="mid-smelter")
    play.move(sector="mid", x=5, y=5, append=True)
    assert play.refused(MoveShip("ship-1", Target(sector="mid", x=9, y=9), append=True)) == "queue_full"
