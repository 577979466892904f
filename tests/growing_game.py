"""One game in three versions, for tests of upgrades: the counter, and what its author made of it.

Version 2 notes the highest value that there ever was; its rules are those of version 1, so it reproduces what version 1
lived. Version 3 moves the counter by twice as much, so it does not; and it knows no command `reset` any more, so it
cannot even read all of what was commanded before. Each brings states of the versions before it up.
"""

from __future__ import annotations

from typing import Any

import msgspec

from gamekit.errors import ConfigError
from gamekit.game import Event, Tick
from tests.counter_game import Add, CounterGame, CounterMoved, CounterState


class GrowingV1(CounterGame):
    """As it was released first."""

    name = "growing"
    version = 1

    def decode(self, data: bytes, version: int) -> Any:
        """The state from its bytes, brought up from older versions."""
        if not 1 <= version <= self.version:
            raise ConfigError(f"version: growing states of version {version} are unknown; here it is {self.version}.")
        tree = msgspec.msgpack.decode(data)
        if version < 2 <= self.version:
            # What the highest value was nobody noted; the present one is at least that of now.
            tree["highest"] = tree["value"]
        return msgspec.convert(tree, self._state_type)

    @property
    def _state_type(self) -> type[CounterState]:
        return CounterState


class StateV2(CounterState):
    """With the highest value there ever was since version 2."""

    highest: int = 0


class GrowingV2(GrowingV1):
    """Notes the highest value."""

    version = 2

    @property
    def _state_type(self) -> type[CounterState]:
        return StateV2

    def new(self, config: Any, seed: int) -> Any:
        """The state at tick 0."""
        made = super().new(config, seed)
        return StateV2(seed=made.seed, rules=made.rules, value=made.value, highest=made.value)

    def advance(self, state: Any, to_tick: Tick) -> list[Event]:
        """Let time pass."""
        events = super().advance(state, to_tick)
        state.highest = max([state.highest, *(one.value for one in events if isinstance(one, CounterMoved))])
        return events

    def apply(self, state: Any, player: Any, command: Any) -> Any:
        """Carry out one command."""
        done = super().apply(state, player, command)
        state.highest = max(state.highest, state.value)
        return done


class GrowingV3(GrowingV2):
    """Moves by twice as much, and cannot be reset."""

    version = 3
    command_type: Any = Add

    def advance(self, state: Any, to_tick: Tick) -> list[Event]:
        """Let time pass."""
        rules = state.rules
        state.rules = msgspec.structs.replace(rules, step=2 * rules.step)
        try:
            return super().advance(state, to_tick)
        finally:
            state.rules = rules
