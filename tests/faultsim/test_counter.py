"""The simulator plays any game that fulfils the contract: here the tests' own."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gamekit.faultsim import simulate_faults
from gamekit.faultsim.plays import PLAYS
from tests.counter_game import CounterGame
from tests.faultsim import CI_STEPS


class CounterPlay:
    """The counter with somebody who counts."""

    game: Any = CounterGame()

    def config(self, chance: random.Random) -> dict[str, Any]:
        """Every pace there is."""
        return {"rules": {"every_ticks": chance.choice((0, 3, 10, 100))}}

    def command(self, chance: random.Random, view: dict[str, Any], player: str) -> dict[str, Any]:
        """Add, too much now and then, or reset."""
        return {"type": "add", "n": chance.choice((1, 5, 1000))} if chance.random() < 0.9 else {"type": "reset"}

    def changes(self, chance: random.Random) -> dict[str, Any]:
        """Another pace, or a rule that is fixed."""
        return chance.choice(({"every_ticks": chance.choice((0, 3, 100))}, {"step": 2}))

    def check(self, state: Any) -> None:
        """Nothing is conserved in a counter."""


@pytest.mark.parametrize("seed", range(1, 9))
def test_the_counter_keeps_every_promise(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PLAYS, "counter", CounterPlay())
    verdict = simulate_faults(seed, CI_STEPS, play="counter")
    assert verdict.ok, f"{verdict.expected}; {verdict.seen}\n" + "\n".join(verdict.story)
    assert verdict.checks["records"] > 10
