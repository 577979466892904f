"""The window: how many commands of one client are under way, and that later numbers never overtake refused ones."""

from __future__ import annotations

import random

import msgspec
import pytest

from gamekit import wire
from gamekit.session import ConnectionId
from gamekit.session.turned import CLIENTS_KEPT, NUMBERS_KEPT, TurnedAway
from tests.session.world import World

WINDOW = wire.MAX_PENDING_COMMANDS


def playing(client: str = "c") -> tuple[World, ConnectionId]:
    """A world, and one player's connection in it."""
    world = World()
    player = world.join()
    connection = world.connect(player, client)
    world.durable()
    return world, connection


def refused(world: World, connection: ConnectionId) -> list[tuple[str, int]]:
    """The refusals since this was asked last, as (code, cid)."""
    viewer = world.viewers[connection]
    found = [(one.code, one.cid) for one in viewer.of(wire.Error)]
    viewer.messages = [one for one in viewer.messages if not isinstance(one, wire.Error)]
    return found


def history(world: World, client: str = "c") -> list[int]:
    """The numbers of one client's commands in the journal."""
    found = []
    for record in world.records:
        for entry in msgspec.json.decode(record.commands):
            if entry.get("client") == client:
                found.append(entry["cid"])
    return found


def test_the_welcome_tells_the_window() -> None:
    world, connection = playing()
    [welcome] = world.viewers[connection].of(wire.Welcome)
    assert welcome.window == WINDOW


def test_the_window_counts_what_is_not_applied_yet_and_not_what_has_no_ack() -> None:
    world, connection = playing()
    for cid in range(1, WINDOW + 1):
        world.send(connection, cid, type="add", n=1)
    world.durable()
    assert len(world.viewers[connection].of(wire.Ack)) == WINDOW
    world.send(connection, WINDOW + 1, type="add", n=1)
    assert refused(world, connection) == [("too_many_pending", WINDOW + 1)]
    world.pass_ticks(2)
    world.send(connection, WINDOW + 1, type="add", n=1)
    assert refused(world, connection) == []


def test_later_numbers_are_refused_until_the_refused_one_came_again() -> None:
    world, connection = playing()
    for cid in range(1, WINDOW + 3):
        world.send(connection, cid, type="add", n=1)
    world.durable()
    world.pass_ticks(2)
    assert refused(world, connection) == [("too_many_pending", WINDOW + 1), ("too_many_pending", WINDOW + 2)]
    for cid in (WINDOW + 2, WINDOW + 3, WINDOW + 9):
        world.send(connection, cid, type="add", n=1)
        assert refused(world, connection) == [("too_many_pending", cid)], "there is room, but an earlier one waits"
    for cid in (WINDOW + 1, WINDOW + 2, WINDOW + 3, WINDOW + 9, WINDOW + 10):
        world.send(connection, cid, type="add", n=1)
    assert refused(world, connection) == []
    world.durable()
    assert history(world) == [*range(1, WINDOW + 4), WINDOW + 9, WINDOW + 10]


def test_what_comes_again_and_is_refused_for_good_holds_nothing_back() -> None:
    world, connection = playing()
    for cid in range(1, WINDOW + 2):
        world.send(connection, cid, type="add", n=1)
    world.durable()
    world.pass_ticks(2)
    refused(world, connection)
    world.send(connection, WINDOW + 1, type="no such command")
    assert refused(world, connection) == [("bad_command", WINDOW + 1)]
    world.send(connection, WINDOW + 2, type="add", n=1)
    assert refused(world, connection) == []


def test_one_client_does_not_hold_back_another() -> None:
    world, connection = playing()
    other = world.connect(next(iter(world.players)), "other")
    for cid in range(1, WINDOW + 2):
        world.send(connection, cid, type="add", n=1)
    world.send(other, 1, type="add", n=1)
    assert refused(world, other) == []


def test_a_question_by_http_keeps_the_same_rule() -> None:
    world, connection = playing()
    player = next(iter(world.players))
    for cid in range(1, WINDOW + 2):
        world.send(connection, cid, type="add", n=1)
    world.durable()
    world.pass_ticks(2)
    ahead = world.submit(player, {"type": "add", "n": 1}, cid=WINDOW + 2, client="c")
    assert world.settled[ahead].code == "too_many_pending"
    world.submit(player, {"type": "add", "n": 1}, cid=WINDOW + 1, client="c")
    again = world.submit(player, {"type": "add", "n": 1}, cid=WINDOW + 2, client="c")
    world.durable()
    world.pass_ticks(2)
    assert world.settled[again].code is None
    assert history(world) == list(range(1, WINDOW + 3))


def test_a_client_that_begins_anew_is_not_held_back_but_two_connections_of_it_are() -> None:
    world, connection = playing()
    player = next(iter(world.players))
    for cid in range(1, WINDOW + 2):
        world.send(connection, cid, type="add", n=1)
    world.durable()
    world.pass_ticks(2)
    second = world.connect(player)
    world.send(second, WINDOW + 2, type="add", n=1)
    assert refused(world, second) == [("too_many_pending", WINDOW + 2)], "the first may be sending it just now"
    world.disconnect(connection)
    world.disconnect(second)
    third = world.connect(player)
    world.send(third, WINDOW + 2, type="add", n=1)
    assert refused(world, third) == [], "it knows from the welcome what it must send, and gave that up"


def test_what_is_remembered_of_refusals_is_bounded() -> None:
    turned = TurnedAway()
    for client in range(2 * CLIENTS_KEPT):
        for cid in range(1, 2 * NUMBERS_KEPT):
            turned.add(f"p1/{client}", cid, "readonly")
    held = turned._by_client.values()
    assert len(held) == CLIENTS_KEPT
    assert all(len(one) == NUMBERS_KEPT for one in held)


@pytest.mark.parametrize("seed", range(5))
def test_a_client_that_sends_everything_again_that_has_no_ack_keeps_all_in_order(seed: int) -> None:
    """Any mixture of bursts, ticks, reconnections and resends in order carries all out, in the order given."""
    chance = random.Random(seed)
    world, connection = playing()
    player = next(iter(world.players))
    open_cids: set[int] = set()
    given = 0
    heard = 0

    def listen() -> None:
        nonlocal heard
        messages = world.viewers[connection].messages
        for message in messages[heard:]:
            if isinstance(message, wire.Ack):
                open_cids.discard(message.cid)
            elif isinstance(message, wire.Error):
                assert message.code in wire.PASSING_REFUSALS, message
        heard = len(messages)

    for _ in range(120):
        draw = chance.random()
        if draw < 0.4 and given < 600:
            for _ in range(chance.randrange(1, 90)):
                given += 1
                open_cids.add(given)
                world.send(connection, given, type="add", n=1)
        elif draw < 0.6:
            world.pass_ticks(chance.randrange(3), durable=chance.random() < 0.7)
        elif draw < 0.8:
            listen()
            for cid in sorted(open_cids):
                world.send(connection, cid, type="add", n=1)
        elif draw < 0.9:
            world.durable(chance.randrange(3))
        else:
            listen()
            world.disconnect(connection)
            connection, heard = world.connect(player), 0
            for cid in sorted(open_cids):
                world.send(connection, cid, type="add", n=1)
    for _ in range(20):
        world.durable()
        world.pass_ticks(2)
        listen()
        for cid in sorted(open_cids):
            world.send(connection, cid, type="add", n=1)
    assert given > WINDOW
    assert not open_cids
    assert history(world) == list(range(1, given + 1))
