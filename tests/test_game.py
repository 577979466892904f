"""`advance_some` for games that have none of their own, and whose `advance` counts where both are there."""

from __future__ import annotations

from typing import Any

import pytest

from gamekit.game import Event, Progress, Tick, advance_some
from tests.counter_game import CounterGame


class InParts(CounterGame):
    """Stops inside every tick."""

    def advance_some(self, state: Any, to_tick: Tick, enough: Any) -> Progress:
        """Say that it was here."""
        return Progress([], inside=True)


class Quicker(InParts):
    """Overrides `advance` alone."""

    def advance(self, state: Any, to_tick: Tick) -> list[Event]:
        """Let time pass."""
        return super().advance(state, to_tick)


class Wrapper:
    """Looks at what `advance` does, and passes all else on."""

    def __init__(self, game: Any) -> None:
        self.game = game

    def __getattr__(self, name: str) -> Any:
        return getattr(self.game, name)

    def advance(self, state: Any, to_tick: Tick) -> list[Event]:
        """Let time pass."""
        return list(self.game.advance(state, to_tick))


def test_a_game_without_parts_stops_between_due_ticks_after_one_at_least() -> None:
    game = CounterGame()
    state = game.new({"rules": {"every_ticks": 7}}, 1)
    asked: list[Tick] = []

    def enough() -> bool:
        asked.append(state.tick)
        return len(asked) % 2 == 0

    first = advance_some(game, state, 30, enough)
    assert (len(first.events), first.inside, state.tick) == (2, False, 14)
    second = advance_some(game, state, 30, enough)
    assert (len(second.events), state.tick, asked) == (2, 28, [7, 14, 21, 28])
    assert advance_some(game, state, 30, enough) == Progress([])
    assert (state.tick, len(asked)) == (30, 4), "at the end nobody is asked"
    assert advance_some(game, state, 30, enough) == Progress([]), "it may be asked for a tick where the state stands"


@pytest.mark.parametrize("game", [Quicker(), Wrapper(InParts())], ids=["overridden", "wrapped"])
def test_whoever_overrides_or_wraps_advance_alone_is_asked_by_it(game: Any) -> None:
    state = CounterGame().new({}, 1)
    assert len(advance_some(game, state, 30, lambda: False).events) == 3
    assert advance_some(InParts(), state, 40, lambda: False).inside


def test_an_advance_put_on_the_object_itself_counts() -> None:
    game = InParts()
    game.advance = lambda state, to_tick: []  # type: ignore[method-assign]
    state = game.new({}, 1)
    assert advance_some(game, state, 5, lambda: False) == Progress([])
