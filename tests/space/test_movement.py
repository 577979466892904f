"""How ships fly, jump, dock, change their minds, and never stand still without a reason."""

from __future__ import annotations

import pytest

from gamekit.space.commands import AutoTrade, BuyWare, CancelEntry, StopShip
from gamekit.space.events import EntryDone, ShipStopped, ShipUndocked
from gamekit.space.model import Docked, InGate, InSpace, OnLeg
from gamekit.space.travel import leg_ticks
from tests.space.galaxies import RING, Play, only


def test_order_across_sectors_is_a_visible_queue() -> None:
    play = Play()
    play.move(station="east-town")
    assert play.queue() == [
        "fly west 900 0",
        "jump mid:west",
        "fly mid 900 0",
        "jump east:mid",
        "fly east 0 0",
        "dock east-town",
    ]
    assert play.etas() == [90, 140, 320, 370, 460, 470]


def test_entries_are_done_exactly_at_their_etas() -> None:
    play = Play()
    play.move(station="east-town")
    etas = play.etas()
    done = []
    while play.mercury.queue:
        events = play.run(1)
        done += [play.state.tick] * len(only(EntryDone, events))
    assert done == etas
    assert play.mercury.at == Docked("east-town")


def test_status_and_reason_follow_the_ship() -> None:
    play = Play()
    seen = [play.status()]
    play.move(station="mid-smelter")
    seen.append(play.status())
    while play.mercury.queue:
        play.run(1)
        if play.status() not in seen:
            seen.append(play.status())
    assert seen == [
        ("docked", "docked at Depot"),
        ("flying", "flying to Mid gate"),
        ("jumping", "in transit to Mid"),
        ("flying", "flying to Mid Smelter"),
        ("waiting", "docking at Mid Smelter"),
        ("docked", "docked at Mid Smelter"),
    ]


def test_a_trader_that_waits_at_a_dock_says_for_what() -> None:
    play = Play(rules={"initial_stock_percent": 0, "least_load_percent": 100})
    assert play.status() == ("docked", "docked at Depot")
    play.accepted(AutoTrade("ship-1", on=True))
    assert play.status() == ("docked", "docked at Depot; waiting for a trade worth its while")
    play.run(1_000)
    assert play.status() == ("docked", "docked at Depot; waiting for a trade worth its while")
    play.accepted(AutoTrade("ship-1", on=False))
    assert play.status() == ("docked", "docked at Depot")


def test_flight_to_a_point_says_where_it_goes_and_ends_idle() -> None:
    play = Play()
    play.move(sector="west", x=300, y=-400)
    assert play.status() == ("flying", "flying to (300, -400) in West")
    play.run_until_idle()
    assert (play.state.tick, play.mercury.at) == (50, InSpace("west", 300, -400))
    assert play.status() == ("idle", "no orders")


def test_move_to_a_gate_waits_in_front_of_it() -> None:
    play = Play()
    play.move(gate="west:mid")
    play.run_until_idle()
    assert play.mercury.at == InSpace("west", 900, 0)


def test_docked_ship_undocks_to_fly() -> None:
    play = Play()
    events = play.move(sector="west", x=0, y=100)
    assert only(ShipUndocked, events) == [ShipUndocked("ship-1", "west-store")]


def test_new_order_redirects_from_where_the_ship_is() -> None:
    play = Play()
    play.move(gate="west:mid")
    play.run(33)
    play.move(sector="west", x=330, y=-100)
    assert play.mercury.at == OnLeg("west", 330, 0, 330, -100, 33, 43)


def test_position_on_a_leg_is_rounded_to_the_nearest_metre() -> None:
    play = Play(rules={"ship_speed_mm_per_tick": 3_000})
    play.move(sector="west", x=-10, y=10)  # 14,142 mm: five ticks
    play.run(1)
    play.accepted(StopShip("ship-1"))
    assert play.mercury.at == InSpace("west", -2, 2)
    play.move(sector="west", x=-3, y=2)
    play.run_until_idle()
    assert play.state.tick == 2


def test_appended_order_follows_the_first() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="west-store", append=True)
    assert play.queue()[-4:] == ["fly mid -900 0", "jump west:mid", "fly west 0 0", "dock west-store"]
    assert [entry.order for entry in play.mercury.queue] == [1] * 4 + [2] * 4
    play.run_until_idle()
    assert play.mercury.at == Docked("west-store")


def test_order_to_where_the_ship_is_docked_is_done_at_once() -> None:
    play = Play()
    events = play.move(station="west-store")
    assert only(EntryDone, events)
    assert (play.mercury.queue, play.mercury.at) == ([], Docked("west-store"))


def test_order_to_where_the_ship_floats_is_done_at_once() -> None:
    play = Play()
    play.move(sector="west", x=10, y=10)
    play.run_until_idle()
    assert only(EntryDone, play.move(sector="west", x=10, y=10))
    assert play.status() == ("idle", "no orders")


def test_ship_that_is_stopped_stays_where_it_is() -> None:
    play = Play()
    play.move(gate="west:mid")
    play.run(45)
    assert only(ShipStopped, play.accepted(StopShip("ship-1"))) == [ShipStopped("ship-1", "west", 450, 0)]
    assert play.status() == ("idle", "no orders")
    assert play.accepted(StopShip("ship-1")) == []


@pytest.mark.parametrize("order", ["stop", "replace"])
def test_ship_inside_a_gate_comes_out_first(order: str) -> None:
    play = Play()
    play.move(station="east-town")
    play.run(100)
    assert isinstance(play.mercury.at, InGate)
    if order == "stop":
        play.accepted(StopShip("ship-1"))
        assert play.queue() == ["jump mid:west"]
    else:
        play.move(station="west-store")
        assert play.queue() == ["jump mid:west", "jump west:mid", "fly west 0 0", "dock west-store"]
    play.run(40)
    play.run_until_idle()
    assert play.mercury.at == (InSpace("mid", -900, 0) if order == "stop" else Docked("west-store"))


def test_docking_can_be_broken_off() -> None:
    play = Play()
    play.move(station="west-mine")
    play.run(55)
    assert play.status() == ("waiting", "docking at West Mine")
    play.accepted(StopShip("ship-1"))
    assert play.mercury.at == InSpace("west", 0, 500)
    assert play.status() == ("idle", "no orders")


def test_cancelling_an_order_plans_the_next_one_from_here() -> None:
    play = Play()
    play.move(station="east-town")
    play.move(station="west-mine", append=True)
    play.run(30)
    play.accepted(CancelEntry("ship-1", play.mercury.queue[3].id))
    assert play.queue() == ["fly west 0 500", "dock west-mine"]
    play.run_until_idle()
    assert play.mercury.at == Docked("west-mine")


def test_cancelling_a_later_order_leaves_the_first_alone() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="west-store", append=True)
    play.move(station="west-mine", append=True)
    leg = play.mercury.at
    play.accepted(CancelEntry("ship-1", play.mercury.queue[5].id))
    assert play.mercury.at == leg
    assert play.queue()[4:] == ["fly mid -900 0", "jump west:mid", "fly west 0 500", "dock west-mine"]


def test_cancelling_inside_a_gate_takes_back_what_follows_only() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.run(100)
    assert play.refused(CancelEntry("ship-1", play.mercury.queue[0].id)) == "in_gate"
    play.accepted(CancelEntry("ship-1", play.mercury.queue[1].id))
    assert play.queue() == ["jump mid:west"]


def test_cancelling_a_trade_leaves_the_way_alone() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.accepted(BuyWare("ship-1", "metals", 5))
    play.accepted(CancelEntry("ship-1", play.mercury.queue[-1].id))
    assert play.queue() == ["fly west 900 0", "jump mid:west", "fly mid 0 0", "dock mid-smelter"]


def test_route_takes_the_way_of_least_time() -> None:
    play = Play(RING)
    play.move(station="east-town")
    assert "jump mid:west" in play.queue()
    # In front of the gate to North: 180 ticks of flight that way, 360 by Mid.
    play.move(sector="west", x=900, y=-900)
    play.run_until_idle()
    play.move(sector="east", x=-900, y=-900)
    assert play.queue() == ["jump north:west", "fly north 900 900", "jump east:north"]


@pytest.mark.parametrize("speed", [100, 500, 700, 6_000])
@pytest.mark.parametrize("goal", [(330, 1000), (-499, 3), (10, 0)])
def test_the_same_order_given_again_neither_hastens_nor_holds_up_a_ship(speed: int, goal: tuple[int, int]) -> None:
    once, again = (Play(rules={"ship_speed_mm_per_tick": speed}) for _ in range(2))
    for play in (once, again):
        play.move(sector="west", x=goal[0], y=goal[1])
    while once.mercury.queue:
        once.run(1)
        again.run(1)
        if again.mercury.queue:
            again.move(sector="west", x=goal[0], y=goal[1])
    assert not again.mercury.queue
    assert again.mercury.at == once.mercury.at == InSpace("west", *goal)


@pytest.mark.parametrize("speed", [1_500, 6_000])
def test_changing_ones_mind_is_never_a_short_cut(speed: int) -> None:
    play = Play(rules={"ship_speed_mm_per_tick": speed})
    straight = leg_ticks(speed, 900, 333)
    play.move(sector="west", x=900, y=333)
    ticks = 0
    while play.mercury.queue:
        play.run(1)
        ticks += 1
        if play.mercury.queue:
            play.move(sector="west", x=900 - ticks % 2, y=333)
    assert ticks >= straight - 2
