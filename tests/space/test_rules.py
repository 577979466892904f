"""The rules as a table."""

from __future__ import annotations

import pytest

from gamekit.errors import ConfigError
from gamekit.space import Rules, SpaceGame
from gamekit.space.rules import RuleField, load, table


def test_every_rule_has_a_unit_a_range_and_a_sentence() -> None:
    assert [row.name for row in table()] == list(Rules.__struct_fields__)
    for row in table():
        assert row.low <= row.default <= row.high
        assert row.unit
        assert row.sentence.endswith(".")


def test_defaults_are_those_of_the_table() -> None:
    assert load({}) == Rules()
    assert SpaceGame().rules(SpaceGame().new({}, 1)) == {row.name: row.default for row in table()}


@pytest.mark.parametrize("row", table(), ids=lambda row: row.name)
def test_both_ends_of_each_range_are_allowed_and_no_more(row: RuleField) -> None:
    for value in (row.low, row.high):
        assert getattr(load({row.name: value}), row.name) == value
    for value in (row.low - 1, row.high + 1):
        with pytest.raises(ConfigError, match=f"rules.{row.name}: .* from {row.low} to {row.high}, got {value}"):
            load({row.name: value})


@pytest.mark.parametrize("row", table(), ids=lambda row: row.name)
def test_game_runs_at_both_ends_of_each_range(row: RuleField) -> None:
    game = SpaceGame()
    for value in (row.low, row.high):
        state = game.new({"scenario": "procedural:2", "rules": {row.name: value}}, 1)
        game.advance(state, 2_000)
        assert game.view(state, None)["stations"]
