"""A counter whose every bump takes several parts, and that does not let itself be looked at in the middle of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gamekit.game import Changes, Command, Enough, Event, PlayerId, Progress, Rejected, Tick, View
from tests.counter_game import CounterGame, CounterMoved, CounterState


class PartsState(CounterState):
    """`done` counts the parts of the bump under way; 0 between ticks."""

    done: int = 0


def whole(state: CounterState) -> None:
    """Fail when the state stands inside a tick."""
    assert isinstance(state, PartsState)
    assert not state.done, "the state was used in the middle of a tick"


class PartsGame(CounterGame):
    """`advance_some` stops between any two of the `parts` of a bump; everything else refuses a state that is inside."""

    parts = 3

    def new(self, config: Mapping[str, Any], seed: int) -> PartsState:
        """The state at tick 0."""
        made = super().new(config, seed)
        return PartsState(seed=made.seed, rules=made.rules, value=made.value)

    def advance(self, state: CounterState, to_tick: Tick) -> list[Event]:
        """All parts at once."""
        return self.advance_some(state, to_tick, lambda: False).events

    def advance_some(self, state: CounterState, to_tick: Tick, enough: Enough) -> Progress:
        """Part by part."""
        assert isinstance(state, PartsState)
        events: list[Event] = []
        while True:
            if not state.done:
                due = super().next_due(state)
                if due is None or due > to_tick:
                    state.tick = max(state.tick, to_tick)
                    return Progress(events)
                state.tick = due
            state.done += 1
            if state.done > self.parts:
                state.done = 0
                state.bumps += 1
                if enough():
                    return Progress(events)
                continue
            state.value += state.rules.step
            events.append(CounterMoved(state.value))
            if enough():
                return Progress(events, inside=True)

    def next_due(self, state: CounterState) -> Tick | None:
        """The next bump."""
        whole(state)
        return super().next_due(state)

    def apply(self, state: CounterState, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out one command."""
        whole(state)
        return super().apply(state, player, command)

    def set_rules(self, state: CounterState, changes: Mapping[str, Any]) -> list[Event] | Rejected:
        """Change rules."""
        whole(state)
        return super().set_rules(state, changes)

    def view(self, state: CounterState, player: PlayerId | None) -> View:
        """What is seen."""
        whole(state)
        return super().view(state, player)

    def rules(self, state: CounterState) -> dict[str, Any]:
        """The rules in force."""
        whole(state)
        return {name: getattr(state.rules, name) for name in ("every_ticks", "step", "max_add")}

    def changes(self, state: CounterState, player: PlayerId | None, events: Sequence[Event]) -> Changes:
        """The patch."""
        whole(state)
        return super().changes(state, player, events)

    def audience(self, state: CounterState, event: Event) -> tuple[PlayerId, ...] | None:
        """Who may see an event."""
        whole(state)
        return super().audience(state, event)

    def encode(self, state: CounterState) -> bytes:
        """The state's bytes."""
        whole(state)
        return super().encode(state)

    def decode(self, data: bytes, version: int) -> PartsState:
        """The state from its bytes."""
        read = super().decode(data, version)
        return PartsState(
            seed=read.seed, rules=read.rules, value=read.value, bumps=read.bumps, tick=read.tick, players=read.players
        )
