"""The boards of what is worth carrying, kept from round to round, say what boards made anew would say."""

from __future__ import annotations

from typing import Any

import pytest

from gamekit.game import Join, PlayerId, Rejected
from gamekit.space import SpaceGame, SpaceState
from gamekit.space.commands import AutoTrade
from gamekit.space.dispatch import worths
from gamekit.space.market import Market
from gamekit.space.parts import at_once

GAME = SpaceGame()


def offers(state: SpaceState, kept: Market, made: Market) -> int:
    """How many offers a kept market and a new one make to a freighter; they must make the same."""
    boards = []
    for market in (kept, made):
        market.look(state)
        board = market.board(400, 6_000)
        at_once(board.renew(state, market, worths))
        boards.append(board)
    assert [pair[:3] for pair in made.pairs] == [pair[:3] for pair in kept.pairs]
    orders = [list(board.order) for board in boards]
    assert orders[0] == orders[1] == sorted(orders[1])
    said = [{number: offer[:4] for number, offer in board.offers.items()} for board in boards]
    assert said[0] == said[1]
    return len(said[0])


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
        compared += offers(state, state.market, Market(state.atlas))
    assert compared > 100


def test_market_kept_for_those_who_know_a_part_says_what_a_new_one_says() -> None:
    rules = {"fog": 1, "charted_jumps": 1, "storm_rate": 2_000, "storm_ticks": 2_000, "discovery_ticks": 12_000}
    state = GAME.new({"scenario": "procedural:24", "rules": rules}, 3)
    ada = PlayerId("ada")
    assert not isinstance(GAME.apply(state, ada, Join(name="Ada")), Rejected)
    ship = next(one for one in state.ships.values() if one.owner == ada)
    assert not isinstance(GAME.apply(state, ada, AutoTrade(ship=ship.id, on=True)), Rejected)

    def compare() -> tuple[Market, int]:
        known = state.known_to(ada)
        assert known is not None
        assert 0 < len(known) < len(state.sectors)
        kept = state.maps.market(known)
        assert kept.atlas is state.maps.atlas(known), "an atlas that nobody keeps hears of no storm"
        return kept, offers(state, kept, Market(kept.atlas, known))

    seen: list[Market] = []
    let_go = compared = 0
    while state.tick < 30_000:
        GAME.advance(state, state.tick + 700)
        market, count = compare()
        compared += count
        if not seen or seen[-1] is not market:
            seen.append(market)
        job = next((one.job for one in state.ships.values() if one.job and one.job.source and not one.job.loaded), None)
        if job is not None:
            # As when patience ends: nothing has moved, but the wares can be had again.
            state.reserved.remove(job)
            let_go += 1
            compare()
            state.reserved.add(job)
    assert 2 <= len(seen) <= 4, "kept from round to round, until somebody learns more"
    state.maps.learned()
    compare()
    assert let_go > 10
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

    def counted(state: Any, pairs: Any, numbers: Any, load: Any) -> Any:
        nonlocal asked
        asked += len(numbers)
        return worths(state, pairs, numbers, load)

    monkeypatch.setattr("gamekit.space.dispatch.worths", counted)
    GAME.advance(prepared, begins + 100)
    assert prepared.market.pairs is pairs
    asked_of_prepared, asked = asked, 0
    GAME.advance(plain, prepared.tick)
    assert asked - asked_of_prepared > len(pairs) / 2
    assert GAME.encode(plain) == GAME.encode(prepared)
