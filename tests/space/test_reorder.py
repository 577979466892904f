"""Orders of a queue in another sequence: what is planned anew, what goes on, what is refused."""

from __future__ import annotations

import pytest

from gamekit.space import courses
from gamekit.space.commands import BuyWare, ReorderQueue, SellWare
from gamekit.space.events import QueueChanged, ShipStopped
from gamekit.space.model import Docked, OnLeg
from tests.space.galaxies import LINE, Play, only


def orders(play: Play) -> list[int]:
    """The numbers of the orders in Mercury's queue, in its sequence."""
    return list(dict.fromkeys(entry.order for entry in play.mercury.queue))


def reorder(play: Play, *numbers: int) -> list[QueueChanged]:
    """Put Mercury's orders into this sequence."""
    return only(QueueChanged, play.accepted(ReorderQueue("ship-1", numbers)))


def test_ways_are_planned_anew_in_the_new_sequence_and_all_goals_are_reached() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="west-mine", append=True)
    play.move(station="east-town", append=True)
    play.run(30)
    changed = reorder(play, 3, 1, 2)
    assert [event.why for event in changed] == ["reordered"]
    assert orders(play) == [3, 1, 2]
    docks = [entry for entry in play.queue() if entry.startswith("dock")]
    assert docks == ["dock east-town", "dock mid-smelter", "dock west-mine"]
    play.run_until_idle()
    assert play.mercury.at == Docked("west-mine")


def test_what_is_under_way_and_stays_first_goes_on() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="west-mine", append=True)
    play.move(station="west-store", append=True)
    play.run(30)
    leg = play.mercury.at
    events = play.accepted(ReorderQueue("ship-1", (1, 3, 2)))
    assert play.mercury.at == leg
    assert not only(ShipStopped, events)
    assert orders(play) == [1, 3, 2]


def test_a_leg_with_which_the_new_sequence_begins_as_well_is_not_broken_off() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="east-town", append=True)
    play.run(30)
    leg = play.mercury.at
    assert isinstance(leg, OnLeg)
    reorder(play, 2, 1)
    assert play.mercury.at == leg
    assert orders(play) == [2, 1]


def test_the_same_sequence_changes_nothing() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="east-town", append=True)
    assert reorder(play, 1, 2) == []
    assert reorder(play, 1) == []


def test_orders_that_are_done_are_left_out_and_unnamed_ones_follow() -> None:
    play = Play()
    play.move(station="west-mine")
    play.move(station="mid-smelter", append=True)
    play.move(station="east-town", append=True)
    play.move(station="west-store", append=True)
    play.run(65)
    assert orders(play) == [2, 3, 4]
    reorder(play, 4, 1, 4)
    assert orders(play) == [4, 2, 3]


def test_a_jump_under_way_is_finished_first() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="west-mine", append=True)
    play.run(100)
    assert play.queue()[0] == "jump mid:west"
    reorder(play, 2, 1)
    assert play.queue()[0] == "jump mid:west"
    assert [entry.order for entry in play.mercury.queue][:2] == [1, 2]
    play.run_until_idle()
    assert play.mercury.at == Docked("mid-smelter")


def test_trades_move_with_the_stations_that_deal_in_their_ware() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "food", 5))
    play.move(station="mid-smelter")
    play.accepted(BuyWare("ship-1", "metals", 5))
    play.move(station="east-town", append=True)
    play.accepted(SellWare("ship-1", "food", 5))
    assert orders(play) == [2, 3, 4, 5]
    assert play.refused(ReorderQueue("ship-1", (2, 5))) == "not_traded"
    assert play.refused(ReorderQueue("ship-1", (5,))) == "not_docked"
    reorder(play, 4, 5, 2, 3)
    play.run_until_idle()
    assert dict(play.mercury.hold) == {"metals": 5}


def test_a_trade_in_space_is_refused() -> None:
    play = Play()
    play.move(sector="west", x=100, y=100)
    play.move(station="mid-smelter", append=True)
    play.accepted(BuyWare("ship-1", "metals", 5))
    assert play.refused(ReorderQueue("ship-1", (1, 3, 2))) == "not_docked"


@pytest.mark.parametrize(
    ("ship", "numbers", "code"),
    [
        ("ship-9", (1,), "unknown_ship"),
        ("ship-2", (1,), "not_your_ship"),
        ("ship-1", (2, 1), "unknown_order"),
        ("ship-1", (0,), "unknown_order"),
    ],
)
def test_impossible_sequence_is_refused_with_a_code(ship: str, numbers: tuple[int, ...], code: str) -> None:
    play = Play()
    play.move(station="mid-smelter")
    assert play.refused(ReorderQueue(ship, numbers)) == code


def test_a_sequence_without_a_way_is_refused() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="east-town", append=True)
    play.close("mid:east")
    assert play.refused(ReorderQueue("ship-1", (2, 1))) == "no_route"


def test_a_sequence_that_needs_more_than_the_queue_holds_is_refused() -> None:
    play = Play(LINE, {"queue_limit": 8})
    play.move(station="west-mine")
    play.move(station="west-store", append=True)
    play.move(station="mid-smelter", append=True)
    assert len(play.queue()) == 8
    assert play.refused(ReorderQueue("ship-1", (1, 3, 2))) == "queue_full"


def test_a_sequence_that_is_too_long_is_refused_before_all_its_ways_are_looked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    play = Play(LINE, {"queue_limit": 40})
    for sector in ("west", "mid"):
        for x in range(12):
            play.move(sector=sector, x=x, y=50, append=True)
    planned: list[None] = []
    plan = courses.planned_again
    monkeypatch.setattr(courses, "planned_again", lambda *given: [planned.append(None), plan(*given)][1])
    alternating = tuple(order for pair in zip(range(1, 13), range(13, 25), strict=True) for order in pair)
    assert play.refused(ReorderQueue("ship-1", alternating)) == "queue_full"
    assert 5 < len(planned) < 20
