"""Changing rules is a journaled command: it has a tick, an outcome and an event, and replays hold."""

from __future__ import annotations

from gamekit import wire
from tests.counter_game import CounterMoved, RulesChanged
from tests.session.world import World


def events_of(world: World, connection: int) -> list[object]:
    """All events that a connection was sent."""
    return [event for delta in world.viewers[connection].of(wire.Delta) for event in delta.events]  # type: ignore[index]


def test_changed_rules_are_told_to_everybody_and_count_from_their_tick() -> None:
    world = World({"rules": {"every_ticks": 1_000}})
    player, spectator = world.connect(world.join()), world.connect()
    world.durable()
    ticket = world.admin(type="set_rules", changes={"every_ticks": 2})
    world.pass_ticks(20)
    assert world.settled[ticket].code is None
    assert world.session.game.rules(world.session.state)["every_ticks"] == 2
    for connection in (player, spectator):
        events = events_of(world, connection)
        assert RulesChanged({"every_ticks": 2}) in events
        assert sum(isinstance(event, CounterMoved) for event in events) >= 9
        view = world.viewers[connection].view
        assert view["rules"]["every_ticks"] == {"value": 2}
        assert view["counters"] == world.session.game.view(world.session.state, None)["counters"]
    later = world.connect()
    assert world.viewers[later].of(wire.Welcome)[0].rules["every_ticks"] == 2


def test_refused_changes_say_why_and_leave_everything_as_it_was() -> None:
    world = World()
    connection = world.connect()
    world.durable()
    before = world.session.game.rules(world.session.state)
    for changes, code in (
        ({"every_ticks": -1}, "bad_rule"),
        ({"nonsense": 1}, "bad_rule"),
        ({"max_add": 5, "step": 7}, "fixed_rule"),
    ):
        ticket = world.admin(type="set_rules", changes=changes)
        world.pass_ticks(2)
        assert world.settled[ticket].code == code
        assert world.settled[ticket].message
    assert world.session.game.rules(world.session.state) == before
    assert not any(isinstance(event, RulesChanged) for event in events_of(world, connection))
    ticket = world.admin(type="set_rules", changes=3)
    assert world.settled[ticket].code == "bad_command"


def test_players_cannot_change_rules() -> None:
    world = World()
    connection = world.connect(world.join())
    world.durable()
    world.send(connection, 1, type="set_rules", changes={"max_add": 5})
    world.durable()
    world.pass_ticks(2)
    [error] = world.viewers[connection].of(wire.Error)
    assert error.code == "bad_command"
    assert world.session.game.rules(world.session.state)["max_add"] == 100


def test_a_recovered_session_has_the_changed_rules_and_the_same_state() -> None:
    world = World({"rules": {"every_ticks": 7}})
    world.connect(world.join())
    world.durable()
    for every in (3, 11, 5):
        world.admin(type="set_rules", changes={"every_ticks": every})
        world.admin(type="set_rules", changes={"step": 9})
        world.pass_ticks(40)
    for use_snapshots in (True, False):
        twin = world.recovered(use_snapshots=use_snapshots)
        assert twin.game.rules(twin.state)["every_ticks"] == 5
        world.session.run_to(twin.tick)
        assert twin.snapshot() == world.session.snapshot()


def test_rules_can_be_changed_while_the_game_is_paused() -> None:
    world = World({"rules": {"every_ticks": 1}})
    connection = world.connect()
    world.durable()
    world.admin(type="pause")
    world.pass_ticks(3)
    held_at = world.session.tick
    ticket = world.admin(type="set_rules", changes={"max_add": 7})
    world.pass_ticks(3)
    assert world.settled[ticket].code is None
    assert world.session.tick == held_at
    assert world.viewers[connection].view["rules"]["max_add"] == {"value": 7}
