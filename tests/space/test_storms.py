"""Storms: passages close and open by themselves, and ships find their way all the same."""

from __future__ import annotations

from collections import Counter

from gamekit.space import SpaceGame
from gamekit.space.events import EntryFailed, GateClosed, GateOpened, ShipHolding, WareSold
from gamekit.space.model import Docked
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
