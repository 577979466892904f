"""Connections: welcomed, resumed from what they missed, spared when they are slow."""

from __future__ import annotations

import gc

import pytest

from gamekit import wire
from gamekit.game import PlayerId
from gamekit.session import Attached, CaughtUp, ConnectionId, Detached, FellBehind, Received, Ticked
from gamekit.session.core import LINGER_TICKS
from gamekit.session.stream import DELTAS_KEPT, LEAVERS_KEPT, Stream, told
from gamekit.space import SpaceGame
from gamekit.wire import Resume
from tests.counter_game import CounterGame
from tests.session.world import World
from tests.space.galaxies import LINE


def test_a_new_connection_gets_welcome_and_snapshot_then_deltas_that_keep_its_mirror_true() -> None:
    world = World({"rules": {"every_ticks": 3}})
    player = world.join()
    connection = world.connect(player)
    world.durable()
    viewer = world.viewers[connection]
    assert [type(m) for m in viewer.messages[:2]] == [wire.Welcome, wire.Snapshot]
    world.pass_ticks(30)
    assert len(viewer.of(wire.Delta)) >= 10
    assert viewer.view == world.session.game.view(world.session.state, player)


def test_a_delta_over_many_ticks_tells_the_tick_of_each_event() -> None:
    world = World({"rules": {"every_ticks": 7}})
    connection = world.connect()
    world.durable()
    world.now += 50
    world.feed(Ticked())
    world.durable()
    assert [tick for delta in world.viewers[connection].of(wire.Delta) for tick in delta.at] == list(range(7, 51, 7))


def test_a_client_that_resumes_gets_exactly_what_it_missed() -> None:
    world = World({"rules": {"every_ticks": 3}})
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.pass_ticks(10)
    before = world.viewers[connection]
    world.disconnect(connection)
    world.pass_ticks(10)
    world.submit(player, {"type": "add", "n": 4}, cid=1, client="other")
    world.durable()
    world.pass_ticks(10)
    world.feed(Ticked())
    again = world.connect(player, resume=Resume(before.epoch, before.n))
    after = world.viewers[again]
    assert after.of(wire.Snapshot) == []
    for message in after.messages:
        if isinstance(message, wire.Delta):
            before.take(message)
    assert before.view == world.session.game.view(world.session.state, player)
    assert before.view["players"][player]["score"] == 4, "private changes were missed"


def test_a_gap_that_is_too_large_is_closed_by_a_snapshot() -> None:
    world = World({"rules": {"every_ticks": 1}})
    connection, other = world.connect(), world.connect()
    world.durable()
    world.pass_ticks(3)
    position = Resume(1, world.viewers[connection].n)
    world.disconnect(connection)
    world.pass_ticks(DELTAS_KEPT + 5)
    again = world.connect(resume=position)
    assert len(world.viewers[again].of(wire.Snapshot)) == 1
    assert world.viewers[again].view == world.viewers[other].view


def test_exactly_the_deltas_that_are_kept_can_be_resumed() -> None:
    world = World({"rules": {"every_ticks": 1}})
    watcher = world.connect()
    world.durable()
    world.pass_ticks(DELTAS_KEPT + 50)
    newest = world.viewers[watcher].n
    oldest_useful = newest - DELTAS_KEPT
    at_edge = world.connect(resume=Resume(1, oldest_useful))
    deltas = world.viewers[at_edge].of(wire.Delta)
    assert [delta.n for delta in deltas] == list(range(oldest_useful + 1, newest + 1))
    beyond = world.connect(resume=Resume(1, oldest_useful - 1))
    assert len(world.viewers[beyond].of(wire.Snapshot)) == 1


def test_a_position_of_another_epoch_or_of_the_future_gets_a_snapshot() -> None:
    world = World()
    world.connect()
    world.durable()
    world.pass_ticks(20)
    for resume in (Resume(99, 1), Resume(1, 10**9), Resume(1, -5)):
        again = world.connect(resume=resume)
        assert len(world.viewers[again].of(wire.Snapshot)) == 1


def test_nobody_there_for_long_means_no_deltas_are_made() -> None:
    world = World({"rules": {"every_ticks": 10}})
    connection = world.connect()
    world.durable()
    world.pass_ticks(20)
    position = Resume(1, world.viewers[connection].n)
    world.disconnect(connection)
    for _ in range(5):
        world.now += LINGER_TICKS
        world.feed(Ticked())
        world.durable()
    again = world.connect(resume=position)
    assert len(world.viewers[again].of(wire.Snapshot)) == 1


def test_a_slow_connection_gets_no_deltas_until_it_has_read_and_then_a_snapshot() -> None:
    world = World({"rules": {"every_ticks": 1}})
    slow, quick = world.connect(), world.connect()
    world.durable()
    world.pass_ticks(3)
    world.feed(FellBehind(slow))
    had = len(world.viewers[slow].messages)
    world.pass_ticks(20)
    assert len(world.viewers[slow].messages) == had
    world.feed(CaughtUp(slow))
    world.pass_ticks(5)
    assert isinstance(world.viewers[slow].messages[had], wire.Snapshot)
    assert world.viewers[slow].view == world.viewers[quick].view


def test_heartbeats_go_to_connections_without_news() -> None:
    world = World({"rules": {"every_ticks": 0}})
    connection = world.connect()
    world.durable()
    world.now += 10
    world.feed(Ticked(heartbeat=True))
    assert [h.tick for h in world.viewers[connection].of(wire.Heartbeat)] == [10]


def test_a_ping_is_answered_with_the_client_s_own_time() -> None:
    world = World()
    connection = world.connect()
    world.durable()
    world.now += 3
    world.feed(Received(connection, wire.Ping(t=12.5)))
    assert world.viewers[connection].of(wire.Pong) == [wire.Pong(t=12.5, tick=3)]


def test_a_snapshot_tells_the_outcomes_that_the_client_may_have_missed() -> None:
    world = World()
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.send(connection, 1, type="add", n=1)
    world.send(connection, 2, type="add", n=100000)
    world.durable()
    world.feed(Detached(connection))
    world.pass_ticks(2)
    world.crash()
    again = world.connect(player)
    [snapshot] = world.viewers[again].of(wire.Snapshot)
    assert [(one.cid, one.code) for one in snapshot.outcomes] == [(1, None), (2, "bad_number")]


def test_one_delta_object_serves_all_who_see_the_same() -> None:
    world = World({"rules": {"every_ticks": 1}})
    connections = [world.connect() for _ in range(20)]
    world.durable()
    world.pass_ticks(3)
    last = {id(world.viewers[connection].of(wire.Delta)[-1]) for connection in connections}
    assert len(last) == 1


def test_deltas_are_not_made_for_ever_for_players_who_left() -> None:
    world = World({"rules": {"every_ticks": 1}})
    players = [world.join(f"P{number}") for number in range(LEAVERS_KEPT + 5)]
    for player in players:
        world.disconnect(world.connect(player))
    world.connect()
    world.durable()
    stream = world.session.audience.stream
    assert len(stream._followed_since) == LEAVERS_KEPT
    world.pass_ticks(DELTAS_KEPT + 5)
    assert stream._followed_since == {}


def _deltas(world: World, connections: list[ConnectionId], ticks: int) -> list[set[int]]:
    """Let time pass; for each delta number the different messages, each of which is encoded once."""
    made: dict[int, set[int]] = {}
    world.pass_ticks(ticks)
    for connection in connections:
        for delta in world.viewers[connection].of(wire.Delta):
            made.setdefault(delta.n, set()).add(id(delta))
    return list(made.values())


def _watched(rules: dict[str, int], players: int) -> tuple[World, list[ConnectionId]]:
    """A space game in which stations and companies work, watched by its players."""
    companies = {"companies": [{"name": "Old Hands", "ships": 2, "credits": 10_000_000}]}
    world = World({"scenario": LINE | companies, "rules": rules}, game=SpaceGame())
    connections = [world.connect(world.join(f"P{number}")) for number in range(players)]
    world.durable()
    return world, connections


def test_without_fog_one_message_serves_all_players() -> None:
    world, connections = _watched({}, players=12)
    made = _deltas(world, connections, 1_500)
    assert len(made) > 10
    assert all(len(messages) == 1 for messages in made)


def test_in_fog_who_knows_no_more_than_the_charts_shares_one_message() -> None:
    world, connections = _watched({"fog": 1}, players=12)
    made = _deltas(world, connections, 1_500)
    assert len(made) > 5
    assert all(len(messages) == 1 for messages in made)


def test_in_fog_a_client_that_resumes_gets_its_own_deltas_and_no_other() -> None:
    world, (ada, bob) = _watched({"fog": 1, "jump_ticks": 5, "ship_speed_mm_per_tick": 100_000}, players=2)
    before, position = world.viewers[ada], Resume(1, world.viewers[ada].n)
    world.disconnect(ada)
    to = {"gate": "west:gate-1", "through": True}
    world.submit(PlayerId("p1"), {"type": "move", "ship": "ship-1", "to": to}, cid=1, client="c")
    world.durable()
    world.pass_ticks(60)
    again = world.viewers[world.connect(PlayerId("p1"), resume=position)]
    assert again.of(wire.Snapshot) == []
    for delta in again.of(wire.Delta):
        before.take(delta)
    assert before.view == world.session.game.view(world.session.state, PlayerId("p1"))
    assert "mid" in before.view["sectors"]
    assert "mid" not in world.viewers[bob].view["sectors"]
    assert world.viewers[bob].view == world.session.game.view(world.session.state, PlayerId("p2"))
    assert all(
        type(event).__name__ != "SectorDiscovered" for d in world.viewers[bob].of(wire.Delta) for event in d.events
    )
    spectator = world.viewers[world.connect(resume=position)]
    assert b"mid-smelter" not in wire.encode(spectator.messages[-1], binary=False)


@pytest.mark.parametrize("binary", [False, True], ids=["json", "msgpack"])
@pytest.mark.parametrize("fog", [0, 1])
def test_what_was_missed_comes_byte_for_byte_as_it_would_have_come_live(fog: int, binary: bool) -> None:
    rules = {"fog": fog, "jump_ticks": 5, "ship_speed_mm_per_tick": 100_000, "cycle_percent": 10}
    world, (ada, _bob) = _watched(rules, players=2)
    position = Resume(1, world.viewers[ada].n)
    had = len(world.viewers[ada].messages)
    to = {"gate": "west:gate-1", "through": True}
    world.submit(PlayerId("p1"), {"type": "move", "ship": "ship-1", "to": to}, cid=1, client="c")
    world.durable()
    world.pass_ticks(100)
    live = [one for one in world.viewers[ada].messages[had:] if isinstance(one, wire.Delta)]
    late = world.viewers[world.connect(PlayerId("p1"), resume=position)].of(wire.Delta)
    assert len(late) > 5
    assert [wire.encode(one, binary=binary) for one in late] == [wire.encode(one, binary=binary) for one in live]


def test_deltas_that_are_kept_are_no_work_for_the_garbage_collector() -> None:
    game = CounterGame()
    state = game.new({"rules": {"every_ticks": 1}}, 1)
    stream = Stream(game)

    def pass_ticks(first: int, last: int) -> None:
        for tick in range(first, last):
            events = game.advance(state, tick)
            stream.add(state, told(game, state, tick, events), tick=tick, seq=0)

    pass_ticks(1, 10)
    gc.collect()
    before = len(gc.get_objects())
    pass_ticks(10, 10 + DELTAS_KEPT // 2)
    gc.collect()
    assert len(gc.get_objects()) - before < DELTAS_KEPT // 4
    assert len(stream.since(9, None) or []) == DELTAS_KEPT // 2


def test_audience_is_that_of_the_moment_an_event_fell() -> None:
    """One call lets much time pass; what happened in a sector before a player knew it stays untold."""
    world, (ada, _bob) = _watched({"fog": 1, "ship_speed_mm_per_tick": 10_000, "cycle_percent": 3}, players=2)
    to = {"gate": "west:gate-1", "through": True}
    world.send(ada, 1, type="move", ship="ship-1", to=to)
    world.durable()
    world.pass_ticks(2)
    world.now += 290  # less than what is reserved
    world.feed(Ticked())
    world.durable()
    deltas = world.viewers[ada].of(wire.Delta)
    told = [pair for delta in deltas for pair in zip(delta.at, delta.events, strict=True)]
    [found] = [tick for tick, event in told if type(event).__name__ == "SectorDiscovered"]
    beyond = [tick for tick, event in told if getattr(event, "station", "") == "mid-smelter"]
    assert beyond
    assert min(beyond) >= found


def test_many_hellos_as_different_players_leave_only_the_last_followed() -> None:
    world = World({"rules": {"every_ticks": 3}})
    players = [world.join() for _ in range(50)]
    world.durable()
    staying = world.connect(players[0])
    connection = world.connect(players[0])
    for player in players:
        world.feed(Attached(connection, player, "c", None))
    world.durable()
    assert set(world.session.audience.stream._followed_since) == {players[0], players[-1]}
    world.disconnect(staying)
    world.pass_ticks(5)
    assert world.viewers[connection].of(wire.Delta)
