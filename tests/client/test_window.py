"""The client's window: refusals that pass are sent again in order, against the production session and no socket."""

from __future__ import annotations

import random

import msgspec
import pytest

from gamekit.client.actions import Acknowledged, Action, Decided, PutOff, Transmit, Turned
from gamekit.client.core import Core
from gamekit.client.order import Order
from gamekit.errors import NotTaken
from gamekit.session import intake
from gamekit.wire import PASSING_REFUSALS, Ack, Command, Error, ToClient
from tests.client.sketch import delta, done, welcome
from tests.client.test_core import MOVE, attached, cids, kinds
from tests.session.world import World


@pytest.mark.parametrize("code", sorted(PASSING_REFUSALS))
def test_what_is_refused_for_a_reason_that_passes_is_kept_and_goes_out_again_first(code: str) -> None:
    core = attached()
    tickets = [core.submit(MOVE)[0] for _ in range(3)]
    core.received(Ack(cid=1, tick=12, seq=2), 0.0)
    refusal = Error(code=code, message="Later.", cid=2)
    assert core.received(refusal, 0.0) == [PutOff(tickets[1], 2, code, "Later.")]
    assert core.submit(MOVE)[1] == [], "nothing overtakes it"
    assert core.try_again() == [], "the answer to 3 is still to come"
    core.received(Error(code=code, message="Later.", cid=3), 0.0)
    assert core.put_off
    assert cids(core.try_again()) == [2, 3, 4]
    assert not core.put_off
    assert core.pending == 4


def test_an_outcome_makes_room_for_what_was_put_off() -> None:
    core = attached()
    core.submit(MOVE)
    core.submit(MOVE)
    core.received(Ack(cid=1, tick=12, seq=2), 0.0)
    core.received(Error(code="too_many_pending", message="Later.", cid=2), 0.0)
    assert cids(core.received(delta(1, done(1)), 0.0)) == [2]


def test_a_new_connection_sends_everything_again_and_puts_nothing_off() -> None:
    core = attached()
    for _ in range(3):
        core.submit(MOVE)
    core.received(Error(code="too_many_pending", message="Later.", cid=1), 0.0)
    core.disconnected()
    core.connected()
    assert cids(core.received(welcome(), 0.0)) == [1, 2, 3]
    assert not core.put_off


def test_a_final_refusal_is_final() -> None:
    core = attached()
    core.submit(MOVE)
    assert kinds(core.received(Error(code="bad_command", message="No.", cid=1), 0.0)) == [Turned]


@pytest.mark.parametrize("seed", range(8))
def test_everything_is_carried_out_once_and_in_order_although_the_window_is_smaller_than_told(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MAX_PENDING_COMMANDS", 20)
    chance = random.Random(seed)
    world = World()
    player = world.join()
    core = Core("token", "c")
    decided: list[int] = []
    put_off = given = heard = 0
    connection = world.connect(player, "c")

    def act(actions: list[Action]) -> None:
        nonlocal put_off
        for action in actions:
            if isinstance(action, Transmit) and isinstance(action.message, Command):
                world.send(connection, action.message.cid, **action.message.body)
            elif isinstance(action, Decided):
                decided.append(action.ticket)
            elif isinstance(action, PutOff):
                put_off += 1
            assert not isinstance(action, Turned), action

    def listen() -> None:
        nonlocal heard
        messages = world.viewers[connection].messages
        while heard < len(messages):
            heard += 1
            message = messages[heard - 1]
            act(core.received(msgspec.convert(msgspec.to_builtins(message), ToClient), 0.0))  # type: ignore[arg-type]

    core.connected()
    listen()
    for _ in range(300):
        draw = chance.random()
        if draw < 0.3 and given < 500:
            for _ in range(chance.randrange(60)):
                given += 1
                act(core.submit({"type": "add", "n": 1})[1])
        elif draw < 0.5:
            world.pass_ticks(1, durable=chance.random() < 0.5)
        elif draw < 0.7:
            act(core.try_again())
        elif draw < 0.75:
            core.disconnected()
            world.disconnect(connection)
            connection, heard = world.connect(player, "c"), 0
            core.connected()
            listen()
        else:
            listen()
    for _ in range(100):
        world.durable()
        world.pass_ticks(2)
        listen()
        act(core.try_again())
    assert given > 100
    assert put_off > 10
    assert decided == list(range(1, given + 1))
    assert core.pending == 0


def test_who_waits_for_a_command_that_is_not_taken_is_told_why_when_the_time_is_over() -> None:
    order = Order({"type": "stop", "ship": "ship-1"})
    with pytest.raises(TimeoutError, match="it stays on its way"):
        order.ack(0.01)
    order.take(PutOff(1, 7, "readonly", "The journal cannot be written (no room)."))
    with pytest.raises(NotTaken, match=r"no room.*has no answer within 0\.01 s; it is sent again by itself"):
        order.ack(0.01)
    order.take(Acknowledged(1, Ack(7, 3, 1)))
    assert order.ack(0.01).tick == 3
