"""The boards of what is worth carrying, kept from round to round, say what boards made anew would say."""

from __future__ import annotations

import pytest

from gamekit.space import SpaceGame
from gamekit.space.dispatch import worth
from gamekit.space.market import Market

GAME = SpaceGame()


@pytest.mark.parametrize(
    ("scenario", "rules"),
    [
        ("lifeline", {"storm_rate": 500, "storm_ticks": 3_000}),
        ("nearest-stars", {"cycle_percent": 40}),
        ("procedural:9", {"trade_range_jumps": 2, "least_load_percent": 60, "storm_rate": 1_000}),
    ],
)
def test_kept_board_says_what_a_new_one_says(scenario: str, rules: dict[str, int]) -> None:
    state = GAME.new({"scenario": scenario, "rules": rules}, 3)
    compared = 0
    while state.tick < 36_000:
        GAME.advance(state, state.tick + 700)
        state.market.look(state)
        made = Market(state.atlas)
        made.look(state)
        assert [pair[:3] for pair in made.pairs] == [pair[:3] for pair in state.market.pairs]
        ship = next(iter(state.ships.values()))
        boards = []
        for market in (state.market, made):
            board = market.board(ship.capacity, ship.speed)
            board.renew(state, market, worth)
            boards.append(board)
        kept, new = boards
        assert kept.order == new.order == sorted(new.order)
        assert {number: offer[:4] for number, offer in kept.offers.items()} == {
            number: offer[:4] for number, offer in new.offers.items()
        }
        compared += len(new.offers)
    assert compared > 100
