"""Storms on the way: a ship waits or turns round, whichever is sooner by what is known, and turns twice at most."""

from __future__ import annotations

from typing import Any

import pytest

from gamekit.game import Event, Join, PlayerId
from gamekit.space import SpaceGame
from gamekit.space.commands import CancelEntry, MoveShip, Target
from gamekit.space.events import GateOpened, ShipHolding, ShipStopped
from gamekit.space.model import Docked, Jump, OnLeg, SavedWithTurns
from gamekit.space.storms import storm_until
from tests.space.galaxies import LINE, RING, Play, only

GAME = SpaceGame()
#: From a to d there is one way over b, and in the second galaxy one as good over c.
LINE_SECTORS = [("a", -300, 0), ("b", 0, -300), ("d", 300, 0)]
ONE_WAY: dict[str, Any] = {
    "sectors": [{"id": name, "name": name, "x": x, "y": y} for name, x, y in LINE_SECTORS],
    "gates": [["a", "b"], ["b", "d"]],
    "stations": [{"sector": name, "recipe": "hub", "x": 0, "y": 0} for name in "ad"],
}
TWO_WAYS: dict[str, Any] = ONE_WAY | {
    "sectors": [*ONE_WAY["sectors"], {"id": "c", "name": "c", "x": 0, "y": 300}],
    "gates": [*ONE_WAY["gates"], ["a", "c"], ["c", "d"]],
}


def stormy(scenario: Any, ticks: int) -> Play:
    """A galaxy in which a storm rages for so many ticks, when one comes."""
    return Play(scenario, {"storm_ticks": ticks})


def storm(play: Play, gate_id: str) -> list[Event]:
    """Let a storm begin over a passage, as the weather would, or the one that rages there end."""
    ends = play.state.gates[gate_id], play.state.gates[play.state.gates[gate_id].to]
    play.state.agenda.put(min(ends, key=lambda gate: gate.number), play.state.tick + 1)
    return play.run(1)


def test_ship_keeps_its_way_when_the_storm_is_over_before_it_comes() -> None:
    play = stormy(RING, 100)
    play.move(station="east-town")
    play.run(45)
    before = play.queue()
    storm(play, "mid:east")
    assert play.queue() == before
    assert not only(ShipHolding, play.run_until_idle())


def test_ship_waits_for_a_short_storm_and_goes_round_a_long_one() -> None:
    for ticks, turned in ((330, False), (30_000, True)):
        play = stormy(RING, ticks)
        play.move(station="east-town")
        play.run(45)
        events = storm(play, "mid:east")
        assert bool(only(ShipStopped, events)) is turned
        play.run_until_idle()
        assert play.mercury.at == Docked("east-town")
        assert play.state.tick < 1_000


def test_order_is_taken_and_waits_where_a_storm_closes_the_only_way() -> None:
    play = stormy(LINE, 2_000)
    storm(play, "mid:east")
    gate = play.state.gates["mid:east"]
    until = storm_until(play.state, gate)
    play.move(station="east-town")
    events = play.run_until_idle()
    assert [one.reason for one in only(ShipHolding, events)] == [
        "holding: no route to East Town, the gate from Mid to East is closed"
    ]
    assert until is not None
    assert only(GateOpened, events)
    assert until < play.state.tick < until + 300


def test_order_turns_its_ship_twice_and_then_waits() -> None:
    play = stormy(TWO_WAYS, 50_000)
    play.move(station="d-hub")
    stops = 0
    for _ in range(6):
        play.run(20)
        leg = play.mercury.at
        assert isinstance(leg, OnLeg)
        ahead = next(entry.gate for entry in play.mercury.queue if isinstance(entry, Jump))
        stops += len(only(ShipStopped, storm(play, ahead)))
        for other in ("a:b", "a:c"):
            if other != ahead and not play.state.gates[other].open:
                stops += len(only(ShipStopped, storm(play, other)))
    assert stops == 2
    assert play.state.turned["ship-1"].turns == 2


def test_turns_are_counted_over_a_restart_and_for_one_order_only() -> None:
    play = stormy(TWO_WAYS, 50_000)
    play.move(station="d-hub")
    play.run(20)
    storm(play, "a:b")
    twin = GAME.decode(GAME.encode(play.state), GAME.version)
    assert twin.turned == play.state.turned != {}
    assert GAME.advance(twin, 90_000) == GAME.advance(play.state, 90_000)
    assert GAME.encode(twin) == GAME.encode(play.state)
    play = stormy(TWO_WAYS, 50_000)
    play.move(station="d-hub")
    play.run(20)
    storm(play, "a:b")
    play.run_until_idle()
    assert not isinstance(play.state.saved(), SavedWithTurns), "what is done is not kept"


EAST_CLOSED = "holding: no route to East Town, the gate from Mid to East is closed"


def two_orders() -> Play:
    """A ship that flies to Mid, and then to East, which no open gate leads to any more."""
    play = Play()
    play.move(station="mid-smelter")
    play.move(station="east-town", append=True)
    play.run(5)
    play.close("mid:east")
    return play


def test_hold_names_the_closed_gate_when_the_order_before_is_cancelled() -> None:
    play = two_orders()
    play.accepted(CancelEntry("ship-1", play.mercury.queue[0].id))
    assert play.status() == ("holding", EAST_CLOSED)


def trip(scenario: dict[str, Any], rules: dict[str, int], seed: int) -> tuple[int, int]:
    """One order from a to d: when it is done, and how often it turned its ship."""
    state = GAME.new({"scenario": scenario, "rules": rules}, seed)
    ada = PlayerId("ada")
    GAME.apply(state, ada, Join("Ada"))
    [ship] = state.ships.values()
    GAME.apply(state, ada, MoveShip(ship.id, Target(station="d-hub")))
    turns = 0
    while ship.queue:
        due = GAME.next_due(state)
        assert due is not None
        assert due < 20 * 36_000, f"{ship} is under way for ever"
        turns += len(only(ShipStopped, GAME.advance(state, due)))
    return state.tick, turns


@pytest.mark.parametrize(
    ("size_m", "rate", "ticks"),
    [(2_000, 36_000, 100), (20_000, 12_000, 300), (100_000, 500, 3_000), (2_000, 1_000, 3_000)],
)
def test_second_way_makes_a_trip_no_longer(size_m: int, rate: int, ticks: int) -> None:
    rules = {"sector_size_m": size_m, "storm_rate": rate, "storm_ticks": ticks}
    for seed in range(3):
        one, two = (trip(scenario, rules, seed) for scenario in (ONE_WAY, TWO_WAYS))
        assert two[0] <= one[0] + ticks
        assert two[1] <= 2
