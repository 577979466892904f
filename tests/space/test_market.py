"""The boards of what is worth carrying, kept from round to round, say what boards made anew would say."""

from __future__ import annotations

from typing import Any

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


@pytest.mark.parametrize("begins", [0, 350])
def test_first_round_of_a_prepared_galaxy_finds_its_market_worked_out(
    begins: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = GAME.new({"scenario": "procedural:170", "rules": {"storm_rate": 0}}, 7)
    GAME.advance(begun, begins)
    plain, prepared = (GAME.decode(GAME.encode(begun), GAME.version) for _ in range(2))
    GAME.prepare(prepared)
    pairs = prepared.market.pairs
    assert len(pairs) > 10_000
    asked = 0

    def counted(*arguments: Any) -> Any:
        nonlocal asked
        asked += 1
        return worth(*arguments)

    monkeypatch.setattr("gamekit.space.dispatch.worth", counted)
    GAME.advance(prepared, begins + 100)
    assert prepared.market.pairs is pairs
    asked_of_prepared, asked = asked, 0
    GAME.advance(plain, prepared.tick)
    assert asked - asked_of_prepared > len(pairs) / 2
    assert GAME.encode(plain) == GAME.encode(prepared)
