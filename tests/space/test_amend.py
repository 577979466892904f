"""Changing rules while a game runs: what each change means, and that no law breaks whatever is changed when."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamekit.game import Event, Join, PlayerId, Rejected, RuleField
from gamekit.space import SpaceGame, SpaceState, check, views
from gamekit.space.commands import AutoTrade, BuyWare, MoveShip, Target
from gamekit.space.events import RulesChanged, ShipDocked, ShipEmerged
from gamekit.space.gates import close_gate
from gamekit.space.model import NEVER
from gamekit.space.rules import table
from tests.game_contract import rule_changes
from tests.space.galaxies import LINE, Play, only
from tests.space.strategies import commands

GAME = SpaceGame()
LIVE = [row for row in table() if not row.at_start]


def change(play: Play, **changes: int) -> list[Event]:
    """Change rules, which must be possible, and check laws and mirrors."""
    answer = play.game.set_rules(play.state, changes)
    assert not isinstance(answer, Rejected), answer
    return play.told(answer)


def busy(seed: int = 1, **rules: int) -> SpaceState:
    """A small galaxy whose companies trade, half an hour on."""
    state = GAME.new({"scenario": "procedural:5", "rules": {"company_percent": 100} | rules}, seed)
    for number in (1, 2):
        GAME.apply(state, PlayerId(f"p{number}"), Join("Ada"))
        GAME.apply(state, PlayerId(f"p{number}"), AutoTrade(f"ship-{number}", on=True))
    GAME.advance(state, 18_000)
    return state


def test_a_jump_under_way_ends_in_its_time_and_the_next_takes_the_new_one() -> None:
    play = Play()
    play.move(sector="east")
    play.run(100)
    [emerged] = [
        row["eta"] for row in play.mirrors[PlayerId("p1")]["ships"]["ship-1"]["queue"] if row["type"] == "jump"
    ][:1]
    change(play, jump_ticks=7)
    assert play.state.ships["ship-1"].due == emerged
    ticks = []
    while len(ticks) < 2:
        due = play.game.next_due(play.state)
        assert due is not None
        ticks += [play.state.tick for _ in only(ShipEmerged, play.run(due - play.state.tick))]
    assert ticks[0] == emerged
    assert ticks[1] - ticks[0] == 180 + 7
    assert {gate["jump_ticks"] for gate in play.mirrors[None]["gates"].values()} == {7}


def test_docking_under_way_ends_in_its_time() -> None:
    play = Play()
    play.move(station="west-mine")
    play.run(55)
    assert play.status()[0] == "waiting"
    due = play.mercury.due
    change(play, dock_ticks=1_000)
    play.run(due - play.state.tick - 1)
    assert only(ShipDocked, play.run(1))


def test_speed_counts_from_the_next_leg() -> None:
    play = Play()
    play.move(sector="west", x=900, y=0)
    play.move(sector="west", x=-900, y=0, append=True)
    play.run(10)
    change(play, ship_speed_mm_per_tick=100_000)
    assert play.etas() == [90, 90 + 18]
    play.run_until_idle()
    assert play.state.tick == 108


def test_a_smaller_hold_keeps_its_cargo_and_takes_no_more() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "ore", 50))
    change(play, ship_capacity=10)
    assert play.mercury.capacity == 150
    assert play.state.ships["ship-2"].capacity == 10
    assert play.refused(BuyWare("ship-1", "ore", 1)) == "hold_full"
    change(play, ship_capacity=500)
    assert play.mercury.capacity == 500


def test_a_cycle_under_way_ends_in_its_time_and_the_next_has_the_new_length() -> None:
    play = Play()
    mine = play.state.stations["west-mine"]
    due = mine.due
    change(play, cycle_percent=50)
    assert mine.due == due
    play.run(due - play.state.tick)
    assert mine.due == due + 300
    change(play, cycle_percent=100)
    assert play.mirrors[None]["stations"]["west-mine"]["recipe"]["cycle_ticks"] == 600


def test_prices_follow_the_spread_at_once() -> None:
    play = Play()
    before = play.mirrors[None]["stations"]["east-town"]["price"]["metals"]
    change(play, price_spread_percent=90, initial_stock_percent=50)
    assert before == 2_800, "half full is the base price"
    assert play.mirrors[None]["stations"]["west-store"]["price"]["food"] == 1_601
    play.accepted(BuyWare("ship-1", "ore", 100))
    assert play.mirrors[None]["stations"]["west-store"]["price"]["ore"] == 1_000 * (190 * 400 - 180 * 100) // 40_000


def test_a_lower_queue_limit_keeps_the_queue_and_refuses_more() -> None:
    play = Play()
    for x in range(5):
        play.move(sector="west", x=100 * x + 100, append=True)
    change(play, queue_limit=3)
    assert len(play.mercury.queue) == 5
    assert play.refused(MoveShip("ship-1", Target(sector="west"), append=True)) == "queue_full"


def test_newcomers_get_the_new_starting_credits_and_others_keep_theirs() -> None:
    play = Play()
    change(play, starting_credits=5)
    play.accepted(Join("Eve"), "p3")
    credits = play.state.ledger.credits
    assert (credits["player:p1"], credits["player:p3"]) == (10_000_000, 5)


def test_storms_can_be_switched_on_and_off() -> None:
    play = Play()
    assert play.game.next_due(play.state) is not None
    change(play, storm_rate=36_000, storm_ticks=50)
    ends = [gate for gate in play.state.gates.values() if gate.due != NEVER]
    assert len(ends) == 2
    while not any(gate.stormy for gate in ends):
        due = play.game.next_due(play.state)
        assert due is not None
        play.run(due - play.state.tick)
    change(play, storm_rate=0)
    raging = [gate for gate in ends if gate.stormy]
    assert all((gate.due != NEVER) == gate.stormy for gate in ends)
    play.run(50)
    assert not any(gate.stormy or gate.due != NEVER for gate in ends)
    assert all(gate.open for gate in play.state.gates.values())
    change(play, storm_rate=36_000)
    assert all(gate.due != NEVER for gate in ends)
    assert raging


def test_a_higher_storm_rate_shortens_the_calm_in_proportion() -> None:
    state = GAME.new({"scenario": LINE, "rules": {"storm_rate": 10}}, 1)
    GAME.advance(state, 1_000)
    before = {gate.id: gate.due for gate in state.gates.values() if gate.due != NEVER}
    assert not isinstance(GAME.set_rules(state, {"storm_rate": 1_000}), Rejected)
    for gate, due in before.items():
        assert state.gates[gate].due == 1_000 + (due - 1_000) // 100


def test_a_shorter_dispatch_period_brings_the_next_round_forward() -> None:
    play = Play(rules={"dispatch_ticks": 36_000})
    play.accepted(AutoTrade("ship-1", on=True))
    assert play.state.players[PlayerId("p1")].due > 20_000
    change(play, dispatch_ticks=10)
    assert play.state.players[PlayerId("p1")].due <= play.state.tick + 20


def test_less_patience_counts_for_those_who_hold_already() -> None:
    state = busy(trade_patience_ticks=1_000_000)
    for gate in list(state.gates):
        close_gate(state, gate)
    GAME.advance(state, state.tick + 2_000)
    holding = [ship for ship in state.ships.values() if ship.job is not None and ship.job.waits != NEVER]
    assert holding
    assert not isinstance(GAME.set_rules(state, {"trade_patience_ticks": 2_500}), Rejected)
    GAME.advance(state, state.tick + 2_499)
    assert not any(ship.blocked for ship in holding if ship.auto_trade)
    check(state)


def test_range_and_load_count_from_the_next_round() -> None:
    state = busy()
    assert any(ship.job is not None for ship in state.ships.values())
    assert not isinstance(GAME.set_rules(state, {"trade_range_jumps": 0, "least_load_percent": 100}), Rejected)
    check(state)
    GAME.advance(state, state.tick + 36_000)
    check(state)
    for ship in state.ships.values():
        if ship.job is not None and ship.job.source is not None:
            assert state.stations[ship.job.source].sector == state.stations[ship.job.target].sector


def test_nothing_happens_when_the_rules_are_in_force_already() -> None:
    play = Play()
    before = play.game.encode(play.state)
    assert change(play, jump_ticks=50, sector_size_m=2_000) == []
    assert play.game.encode(play.state) == before


def test_the_event_tells_what_is_new() -> None:
    assert change(Play(), jump_ticks=50, dock_ticks=3) == [RulesChanged({"dock_ticks": 3})]


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({}, "bad_rule", "at least one"),
        ({"jump_tick": 5}, "bad_rule", "did you mean .*jump_ticks"),
        ({"nonsense": 5}, "bad_rule", "gamekit rules"),
        ({"jump_ticks": 0}, "bad_rule", "ticks from 1 to 36000, got 0"),
        ({"jump_ticks": "20"}, "bad_rule", "whole number"),
        ({"jump_ticks": 2.0}, "bad_rule", "whole number"),
        ({"jump_ticks": True}, "bad_rule", "whole number"),
        ({"dock_ticks": 5, "jump_ticks": 10**30}, "bad_rule", "jump_ticks"),
        ({"sector_size_m": 3_000}, "fixed_rule", "new game"),
        ({"dock_ticks": 5, "company_percent": 50}, "fixed_rule", "company_percent"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_what_is_allowed(changes: dict[str, Any], code: str, words: str) -> None:
    state = busy()
    before = GAME.encode(state)
    answer = GAME.set_rules(state, changes)
    assert isinstance(answer, Rejected)
    assert answer.code == code

    assert re.search(words, answer.message), answer.message
    assert len(answer.message) <= 300
    assert GAME.encode(state) == before


@pytest.mark.parametrize("row", LIVE, ids=lambda row: row.name)
def test_a_running_game_survives_both_ends_of_each_range(row: RuleField) -> None:
    state = busy(storm_rate=3_000, storm_ticks=300)
    for value in (row.low, row.high, row.default):
        assert not isinstance(GAME.set_rules(state, {row.name: value}), Rejected)
        check(state)
        for _ in range(10):
            GAME.advance(state, state.tick + 200)
            check(state)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_the_laws_hold_whatever_is_changed_at_any_tick(data: st.DataObject) -> None:
    state = busy(seed=data.draw(st.integers(0, 3)), storm_rate=data.draw(st.sampled_from([0, 3_000])))
    story: list[Event] = []
    for _ in range(data.draw(st.integers(1, 8))):
        changes = data.draw(rule_changes(GAME))
        answer = GAME.set_rules(state, changes)
        story += [] if isinstance(answer, Rejected) else answer
        check(state, story)
        twin = GAME.decode(GAME.encode(state), GAME.version)
        command = data.draw(commands(GAME.view(state, None)))
        answer = GAME.apply(state, PlayerId("p1"), command)
        assert GAME.apply(twin, PlayerId("p1"), command) == answer
        until = state.tick + data.draw(st.integers(0, 1_500))
        while (due := GAME.next_due(state)) is not None and due <= until:
            story += GAME.advance(state, due)
            check(state, story[-60:])
        GAME.advance(state, until)
        GAME.advance(twin, until)
        assert GAME.encode(twin) == GAME.encode(state)


def test_patch_of_changed_rules_is_drawn_once_for_all_players(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play()
    drawn: list[None] = []
    draw = views.view
    monkeypatch.setattr(views, "view", lambda *given: [drawn.append(None), draw(*given)][1])
    events = change(play, dock_ticks=3)
    drawn.clear()
    patches = [play.game.changes(play.state, viewer, events) for viewer in (None, PlayerId("p1"), PlayerId("p2"))]
    assert len(drawn) == 1
    assert list(patches[1]["ships"]) == ["ship-1"]
    assert list(patches[2]["ships"]) == ["ship-2"]
