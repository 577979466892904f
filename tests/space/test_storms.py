"""Storms: passages close and open by themselves, and ships find their way all the same."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from gamekit.game import Event
from gamekit.space import SpaceGame
from gamekit.space.events import (
    EntryFailed,
    GateClosed,
    GateOpened,
    ShipDocked,
    ShipEmerged,
    ShipHolding,
    ShipJumped,
    WareSold,
)
from gamekit.space.model import Docked, InGate
from tests.space.galaxies import LINE, RING, Play, only


def test_no_storm_comes_unless_the_rules_want_some() -> None:
    play = Play()
    play.run(36_000)
    assert not only(GateClosed, play.story)
    assert all(gate.due < 0 for gate in play.state.gates.values())


def test_storm_closes_both_ends_for_its_time_and_opens_them_again() -> None:
    play = Play(rules={"storm_rate": 1_000, "storm_ticks": 77})
    gate = next(gate for gate in play.state.gates.values() if gate.due >= 0)
    begins = gate.due
    events = play.run(begins - play.state.tick)
    assert {one.gate for one in only(GateClosed, events)} >= {gate.id, gate.to}
    assert (gate.open, gate.stormy, gate.due) == (False, True, begins + 77)
    events = play.run(77)
    assert {one.gate for one in only(GateOpened, events)} >= {gate.id, gate.to}
    assert (gate.open, gate.stormy) == (True, False)
    assert gate.due > play.state.tick


def test_storms_are_as_frequent_as_the_rules_say_everywhere() -> None:
    game = SpaceGame()
    state = game.new({"scenario": LINE, "rules": {"storm_rate": 3_600, "storm_ticks": 1}}, 5)
    closed = Counter(one.gate for one in only(GateClosed, game.advance(state, 360_000)))
    assert set(closed) == set(state.gates)
    # A storm in 1,000 ticks on average, and one of rage.
    assert all(320 < times < 400 for times in closed.values())
    assert closed["west:mid"] == closed["mid:west"]


def test_weather_follows_the_seed() -> None:
    game = SpaceGame()
    config = {"scenario": LINE, "rules": {"storm_rate": 100}}
    dues = [[gate.due for gate in game.new(config, seed).gates.values()] for seed in (1, 1, 2)]
    assert dues[0] == dues[1] != dues[2]
    assert dues[0][0] != dues[0][2], "each passage has its own"
    assert dues[0][1] == -1, "the other end has none"


def test_ship_holds_in_a_storm_and_arrives_after_it() -> None:
    play = Play(rules={"storm_rate": 36_000, "storm_ticks": 400})
    for goal in ("east-town", "west-store", "east-town", "west-store"):
        play.move(station=goal, append=True)
    events = play.run_until_idle()
    assert only(ShipHolding, events)
    assert not only(EntryFailed, events)
    assert play.mercury.at == Docked("west-store")


def test_ship_takes_another_way_round_a_storm() -> None:
    play = Play(RING, {"storm_rate": 2_000, "storm_ticks": 500})
    for _trip in range(3):
        play.move(station="east-town")
        play.run_until_idle()
        play.move(station="west-store")
        play.run_until_idle()
    assert play.mercury.at == Docked("west-store")


def test_trade_goes_on_in_bad_weather() -> None:
    game = SpaceGame()
    state = game.new({"rules": {"storm_rate": 300, "storm_ticks": 6_000, "company_percent": 100}}, 1)
    for _hour in range(3):
        assert len(only(WareSold, game.advance(state, state.tick + 36_000))) > 50


def test_decoded_game_has_the_same_weather() -> None:
    game = SpaceGame()
    state = game.new({"scenario": LINE, "rules": {"storm_rate": 2_000, "storm_ticks": 50}}, 3)
    game.advance(state, 5_000)
    twin = game.decode(game.encode(state), game.version)
    assert game.advance(state, 20_000) == game.advance(twin, 20_000)
    assert game.encode(state) == game.encode(twin)


def test_gate_shows_why_it_is_closed_and_until_when() -> None:
    play = Play(rules={"storm_rate": 1_000, "storm_ticks": 77})
    gate = next(gate for gate in play.state.gates.values() if gate.due >= 0)
    shown = lambda: [play.game.view(play.state, None)["gates"][end] for end in (gate.id, gate.to)]  # noqa: E731
    assert [(row["reason"], row["storm_until"]) for row in shown()] == [("open", None)] * 2
    begins = gate.due
    play.run(begins - play.state.tick)
    assert [(row["reason"], row["storm_until"]) for row in shown()] == [("closed by a storm", begins + 77)] * 2
    play.run(77)
    assert [(row["reason"], row["storm_until"]) for row in shown()] == [("open", None)] * 2


def test_storm_over_a_closed_gate_is_told_and_opens_it_in_the_end() -> None:
    play = Play(rules={"storm_rate": 1_000, "storm_ticks": 77})
    gate = next(gate for gate in play.state.gates.values() if gate.due >= 0)
    play.close(gate.id)
    row = lambda: play.game.view(play.state, None)["gates"][gate.id]  # noqa: E731
    assert (row()["reason"], row()["storm_until"]) == ("closed", None)
    play.run(gate.due - play.state.tick)  # the mirrors are checked on the way
    assert (row()["reason"], row()["storm_until"]) == ("closed by a storm", gate.due)
    play.run(77)
    assert row()["open"]


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_ship_inside_a_closing_gate_comes_out_exactly_once(data: st.DataObject) -> None:
    """Whenever which gates close and open: what enters a gate comes out of its other end, once, on time."""
    play = Play(data.draw(st.sampled_from([LINE, RING])))
    for goal in ("east-town", "west-store"):
        play.move(station=goal, append=True)
    gates = st.sampled_from(list(play.state.gates))
    # Legs to a gate take 90 ticks and jumps 50: around these all the edges lie.
    waits = st.integers(0, 200) | st.sampled_from([1, 49, 50, 51, 89, 90, 91, 139, 140, 141])
    events: list[Event] = []
    for wait, gate in data.draw(st.lists(st.tuples(waits, gates), max_size=12)):
        events += play.run(wait)
        events += play.close(gate) if play.state.gates[gate].open else play.open(gate)
    for gate in play.state.gates:
        events += play.open(gate)
    events += play.run_until_idle()
    assert play.mercury.at == Docked("west-store")
    crossings = [one for one in events if isinstance(one, ShipJumped | ShipEmerged)]
    pairs = list(zip(crossings[::2], crossings[1::2], strict=True))
    assert pairs
    for jumped, emerged in pairs:
        assert isinstance(jumped, ShipJumped)
        assert isinstance(emerged, ShipEmerged)
        assert (jumped.ship, jumped.exit) == (emerged.ship, emerged.gate)


@settings(max_examples=40, deadline=None)
@given(closes=st.integers(90, 140), opens=st.none() | st.integers(90, 200))
def test_ship_in_transit_comes_out_on_its_tick_whenever_the_gate_closes(closes: int, opens: int | None) -> None:
    play = Play()
    play.move(station="mid-smelter")
    switches = sorted([(closes, play.close), *([(opens, play.open)] if opens is not None else [])], key=lambda s: s[0])
    events: list[Event] = []
    for tick, switch in switches:
        events += play.run(tick - play.state.tick)
        events += switch("west:mid")
    events += play.run(400)
    assert len(only(ShipEmerged, events)) == 1
    assert only(ShipDocked, events) == [ShipDocked("ship-1", "mid-smelter")]
    assert play.mercury.at == Docked("mid-smelter")


def test_nobody_stands_still_without_a_reason_in_a_stormy_galaxy() -> None:
    """Play checks after every event that each ship is under way or says why not; here with many ships and storms."""
    companies = {"companies": [{"name": "Storm Riders", "ships": 6, "credits": 100_000_000}]}
    stormy = {"storm_rate": 9_000, "storm_ticks": 300, "trade_patience_ticks": 500}
    play = Play(RING | companies, stormy | {"cycle_percent": 20, "least_load_percent": 5})
    events = play.run(15_000)
    entered = Counter(one.ship for one in only(ShipJumped, events))
    left = Counter(one.ship for one in only(ShipEmerged, events))
    for ship in play.state.ships.values():
        assert entered[ship.id] - left[ship.id] == isinstance(ship.at, InGate)
    assert sum(entered.values()) > 20
