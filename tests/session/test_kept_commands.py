"""A command that could not be read again from the journal is refused before it gets there."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from gamekit import wire
from gamekit.game import Command, Event, PlayerId, Rejected
from tests.counter_game import CounterGame, CounterState
from tests.session.world import World


class Tune(Command, frozen=True, tag="tune"):
    """Something of a designer's own, with a number that is not whole and values of any kind."""

    by: float = 0.0
    more: dict[str, Any] = msgspec.field(default_factory=dict)


class TunedGame(CounterGame):
    """A counter that can be tuned."""

    command_type: Any = Tune

    def apply(self, state: CounterState, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Count the tunings."""
        if not isinstance(command, Tune):
            return super().apply(state, player, command)
        state.value += 1
        return []


@pytest.mark.parametrize(
    "body",
    [
        {"by": math.nan},
        {"by": math.inf},
        {"by": -math.inf},
        {"more": {"a": msgspec.msgpack.Ext(1, b"x")}},
        {"more": {"a": {(1, 2): 3}}},
    ],
)
def test_what_json_cannot_hold_is_refused_and_the_game_goes_on(body: dict[str, Any]) -> None:
    world = World(game=TunedGame())
    player = world.join()
    connection = world.connect(player)
    world.durable()
    before = world.session.state.value
    world.send(connection, 1, type="tune", **body)
    [error] = world.viewers[connection].of(wire.Error)
    assert (error.code, error.cid) == ("bad_command", 1)
    world.send(connection, 2, type="tune", by=0.5, more={"a": [1, None, "x"]})
    world.durable()
    world.pass_ticks(3)
    assert world.session.state.value - before >= 1
    assert world.recovered().seq == world.session.seq
