"""Rules in a notebook: read as a table, changed while the game runs, and those of a designer's own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

import gamekit
from gamekit.errors import CommandFailed, RequestRefused, ServerError, UnknownName
from gamekit.lab.launch import Launched
from gamekit.space.rules import table


@pytest.fixture(scope="module")
def client() -> Iterator[Launched]:
    """A private server that hosts the example game as well."""
    with gamekit.launch(games=["tests.designer_game:FoodFirst"]) as running:
        yield running


def test_rules_are_a_mapping_that_prints_as_a_table(client: Launched) -> None:
    rules = client.new_game(seed=1, rules={"jump_ticks": 33}).rules
    assert dict(rules) == {row.name: row.default for row in table()} | {"jump_ticks": 33}
    assert rules["jump_ticks"] == 33
    assert "sector_size_m" in rules
    assert rules.fields["jump_ticks"].unit == "ticks"
    for row in table():
        assert row.sentence in repr(rules)
        assert row.name in rules._repr_html_()
    assert re.search(r"jump_ticks</td><td[^>]*>33</td><td[^>]*>50</td>", rules._repr_html_())
    with pytest.raises(UnknownName, match=r"did you mean .*jump_ticks"):
        rules["jump_tick"]


def test_rules_are_changed_while_the_game_runs_and_everybody_sees_it(client: Launched) -> None:
    game = client.new_game(seed=1)
    ada = game.join("Ada")
    tick = game.set_rules(jump_ticks=20, price_spread_percent=40)
    assert tick >= 0
    assert (game.rules["jump_ticks"], game.rules["price_spread_percent"]) == (20, 40)
    assert ada.view["rules"]["jump_ticks"] == {"value": 20}
    assert {gate["jump_ticks"] for gate in ada.view["gates"].values()} == {20}
    assert ada.view["gates"] == game.view["gates"]


def test_what_cannot_be_changed_is_an_error_that_says_what_is_allowed(client: Launched) -> None:
    game = client.new_game(seed=1)
    for changes, words in (
        ({"jump_ticks": 0}, "from 1 to 36000"),
        ({"jump_tick": 5}, "did you mean .*jump_ticks"),
        ({"sector_size_m": 500}, "make a new game"),
        ({}, "at least one"),
    ):
        with pytest.raises(RequestRefused, match=words):
            game.set_rules(**changes)
    assert dict(game.rules) == {row.name: row.default for row in table()}
    with pytest.raises(RequestRefused, match="admin token"), gamekit.Client(client.url) as stranger:
        stranger.game(game.id).set_rules(jump_ticks=20)


def test_the_async_client_does_the_same(client: Launched) -> None:
    async def play() -> None:
        async with await gamekit.connect(client.url, token=client.admin_token) as inner:
            game = await inner.new_game(seed=1, game="food-first")
            await game.watch()
            await game.set_rules(dock_ticks=2)
            assert game.view["rules"]["dock_ticks"] == {"value": 2}
            assert (await game.rules())["dock_ticks"] == 2
            assert (await game.about())["game"] == "food-first"

    asyncio.run(play())


def test_a_game_of_ones_own_is_made_and_its_commands_are_given(client: Launched) -> None:
    game = client.new_game(game="food-first", seed=1)
    ada, bob = game.join("Ada"), game.join("Bob")
    ada.submit({"type": "donate", "to": bob.id, "credits": 100}).result(20)
    assert ada.credits == 99_999
    with pytest.raises(CommandFailed, match="Name another player"):
        ada.submit({"type": "donate", "to": "nobody", "credits": 100}).result(20)
    with pytest.raises(RequestRefused, match="allowed are space, food-first"):
        client.new_game(game="nothing")


def test_a_launch_with_a_game_that_is_not_there_says_so() -> None:
    with pytest.raises(ServerError, match="there is no module 'nowhere'"):
        gamekit.launch(games=["nowhere:Game"])
