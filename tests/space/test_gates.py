"""What closing and opening gates means for ships under way."""

from __future__ import annotations

from typing import Any

import pytest

from gamekit.game import Join, PlayerId
from gamekit.space import SpaceGame, SpaceState
from gamekit.space.commands import BuyShip, CancelEntry, MoveShip, StopShip, Target
from gamekit.space.events import GateClosed, GateOpened, QueueChanged, ShipHolding, ShipJumped, ShipStopped
from gamekit.space.gates import close_gate, open_gate, switch
from gamekit.space.model import Docked, InGate, InSpace, OnLeg
from gamekit.space.travel import Atlas
from tests.space.galaxies import LINE, RING, Play, only

NO_WAY = "holding: no route to East Town, the gate from Mid to East is closed"

#: The line with a second way from mid to east, over south.
FORK = LINE | {
    "sectors": [*LINE["sectors"], {"id": "south", "name": "South", "x": 0, "y": 300}],
    "gates": [*LINE["gates"], ["mid", "south"], ["south", "east"]],
}


def test_both_ends_close_and_open_together() -> None:
    play = Play()
    assert play.close("mid:east") == [GateClosed("mid:east"), GateClosed("east:mid")]
    assert play.close("east:mid") == []
    assert play.open("east:mid") == [GateOpened("east:mid"), GateOpened("mid:east")]


def test_order_is_planned_around_closed_gates() -> None:
    play = Play(RING)
    play.close("mid:east")
    play.move(station="east-town")
    assert "jump north:west" in play.queue()


def test_order_without_any_route_is_refused() -> None:
    play = Play()
    play.close("mid:east")
    assert play.refused(MoveShip("ship-1", Target(station="east-town"))) == "no_route"
    play.move(station="mid-smelter")


def test_ship_turns_round_when_a_gate_ahead_closes() -> None:
    play = Play(RING)
    play.move(station="east-town")
    play.run(45)
    events = play.close("mid:east")
    assert only(ShipStopped, events) == [ShipStopped("ship-1", "west", 450, 0)]
    assert play.mercury.at == OnLeg("west", 450, 0, 900, -900, 45, 146)
    play.run_until_idle()
    assert play.mercury.at == Docked("east-town")


def test_leg_goes_on_when_the_other_way_begins_with_it_too() -> None:
    play = Play(FORK)
    play.move(station="east-town")
    play.run(45)
    leg, entry = play.mercury.at, play.mercury.queue[0]
    events = play.close("mid:east")
    assert "jump east:south" in play.queue()
    assert (play.mercury.at, play.mercury.queue[0]) == (leg, entry)
    assert not only(ShipStopped, events)
    play.run_until_idle()
    assert play.mercury.at == Docked("east-town")


def test_ship_without_another_way_flies_on_and_holds_before_the_gate() -> None:
    play = Play()
    play.move(station="east-town")
    play.run(45)
    assert not only(ShipHolding, play.close("mid:east"))
    assert play.status() == ("flying", "flying to Mid gate")
    assert play.etas() == [90, 140, 320, None, None, None]
    assert only(ShipHolding, play.run(1000)) == [ShipHolding("ship-1", NO_WAY)]
    assert play.mercury.at == InSpace("mid", 900, 0)
    assert play.status() == ("holding", NO_WAY)
    assert play.etas() == [None, None, None]


def test_holding_ship_goes_on_when_the_gate_opens() -> None:
    play = Play()
    play.move(station="east-town")
    play.close("mid:east")
    play.run(1000)
    assert only(ShipJumped, play.open("mid:east")) == [ShipJumped("ship-1", "mid:east", "east:mid", 1050)]
    play.run_until_idle()
    assert play.mercury.at == Docked("east-town")


def test_holding_ship_takes_another_way_that_opens() -> None:
    play = Play(RING)
    play.close("west:north")
    play.move(station="east-town")
    play.close("mid:east")
    play.run(1000)
    assert play.status() == ("holding", NO_WAY)
    play.open("west:north")
    assert play.queue()[0] == "fly mid -900 0"
    play.run_until_idle()
    assert play.mercury.at == Docked("east-town")


def test_holding_ship_says_so_once() -> None:
    play = Play(RING)
    play.close("west:north")
    play.move(station="east-town")
    play.close("mid:east")
    play.run(1000)
    assert not only(ShipHolding, play.close("north:east"))
    assert not only(ShipHolding, play.open("north:east"))


def test_ship_inside_a_closing_gate_comes_out() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.run(100)
    assert isinstance(play.mercury.at, InGate)
    assert only(QueueChanged, play.close("west:mid")) == [QueueChanged("p1", "ship-1", "gate")]
    play.run_until_idle()
    assert play.mercury.at == Docked("mid-smelter")


def test_ship_inside_a_gate_plans_around_the_next_one() -> None:
    play = Play(RING)
    play.move(station="east-town")
    play.run(100)
    play.close("mid:east")
    assert play.queue()[:3] == ["jump mid:west", "jump west:mid", "fly west 900 -900"]
    play.run_until_idle()
    assert play.mercury.at == Docked("east-town")


def test_queued_order_is_planned_around_a_closed_gate_as_well() -> None:
    play = Play(RING)
    play.move(station="mid-smelter")
    play.move(station="east-town", append=True)
    play.close("mid:east")
    assert play.queue()[4] == "fly mid -900 0"
    play.run_until_idle()
    assert play.mercury.at == Docked("east-town")


def test_queued_order_without_a_way_waits_for_its_turn_and_then_holds() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="east-town", append=True)
    play.close("mid:east")
    play.run(2000)
    assert play.status() == ("holding", NO_WAY)
    play.open("mid:east")
    play.run_until_idle()
    assert play.mercury.at == Docked("east-town")


def test_holding_ship_obeys_other_orders() -> None:
    play = Play()
    play.move(station="east-town")
    play.close("mid:east")
    play.run(1000)
    play.move(sector="east", x=0, y=100, append=True)
    assert play.status() == ("holding", NO_WAY)
    play.accepted(CancelEntry("ship-1", play.mercury.queue[0].id))
    assert play.status() == ("holding", "holding: no route to East, the gate from Mid to East is closed")
    play.move(station="mid-smelter")
    play.run_until_idle()
    assert play.mercury.at == Docked("mid-smelter")


def test_holding_ship_that_is_stopped_is_idle() -> None:
    play = Play()
    play.move(station="east-town")
    play.close("mid:east")
    play.run(1000)
    play.accepted(StopShip("ship-1"))
    assert play.status() == ("idle", "no orders")


def test_cancelling_can_leave_an_order_that_must_hold_at_once() -> None:
    play = Play()
    play.move(station="east-town")
    play.run(380)  # in East
    play.move(station="mid-smelter", append=True)
    play.close("mid:east")
    play.accepted(CancelEntry("ship-1", play.mercury.queue[0].id))
    play.run(500)
    assert play.status() == ("holding", "holding: no route to Mid Smelter, the gate from East to Mid is closed")
    play.open("mid:east")
    play.run_until_idle()
    assert play.mercury.at == Docked("mid-smelter")


def test_order_whose_way_begins_elsewhere_holds_until_a_gate_opens() -> None:
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="east-town", append=True)
    play.close("west:mid")
    play.accepted(CancelEntry("ship-1", play.mercury.queue[0].id))
    assert play.status() == ("holding", "holding: no route to East Town, the gate from West to Mid is closed")
    play.open("west:mid")
    play.run_until_idle()
    assert play.mercury.at == Docked("east-town")


def halves(bridges: list[list[str]], ships: int) -> SpaceState:
    """Two halves of 100 sectors, and ships on their way from a corner of one to everywhere in the other."""
    sectors: list[dict[str, Any]] = []
    gates = [*bridges]
    for half, left in (("a", 0), ("b", 9_000)):
        for i in range(100):
            x, y = left + 300 * (i % 10), 300 * (i // 10)
            sectors.append({"id": f"{half}{i}", "name": f"{half}{i}", "x": x, "y": y})
            gates += [[f"{half}{i}", f"{half}{i + 1}"]] if i % 10 < 9 else []
            gates += [[f"{half}{i}", f"{half}{i + 10}"]] if i < 90 else []
    hub = {"sector": "a0", "recipe": "hub", "x": 0, "y": 0}
    game, ada = SpaceGame(), PlayerId("ada")
    definition = {"name": "halves", "sectors": sectors, "gates": gates, "stations": [hub]}
    rules = {"ships_limit": 10_000, "starting_credits": 10**15}
    state = game.new({"scenario": definition, "rules": rules}, 1)
    game.apply(state, ada, Join("Ada"))
    for _ in range(ships - 1):
        game.apply(state, ada, BuyShip("courier", "a0-hub"))
    for number, ship in enumerate(list(state.ships)):
        game.apply(state, ada, MoveShip(ship, Target(sector=f"b{number % 100}", x=0, y=0)))
    game.advance(state, 500)
    return state


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each search through the galaxy."""
    made: list[None] = []
    search = Atlas._route

    def counted(*arguments: Any, **options: Any) -> Any:
        made.append(None)
        return search(*arguments, **options)

    monkeypatch.setattr(Atlas, "_route", counted)
    return made


def test_gate_that_closes_before_many_ships_makes_none_of_them_search_in_vain(searches: list[None]) -> None:
    state = halves([["a49", "b50"]], 200)
    searches.clear()
    events = close_gate(state, "a49:b50")
    assert len(only(QueueChanged, events)) == 200
    assert not searches
    open_gate(state, "a49:b50")
    assert not searches


def test_many_ships_that_turn_for_another_way_are_planned_together_and_in_parts(searches: list[None]) -> None:
    state = halves([["a49", "b50"], ["a9", "b0"]], 200)
    searches.clear()
    events: list[Any] = []
    parts = sum(1 for _ in switch(state, "a49:b50", events, open_now=False))
    replanned = [event for event in only(QueueChanged, events) if event.why == "replanned"]
    assert len(replanned) > 100
    assert len(searches) < 20
    assert parts >= len(replanned) // 2
