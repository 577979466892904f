"""Draws belong to their place."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from gamekit.space.rng import Stream, draw


def test_draws_are_what_they_always_were() -> None:
    assert [draw(seed, 1, 0) for seed in (0, 1, -1)] == [
        13013912499580732898,
        12100477452831230990,
        6439281475881623082,
    ]
    assert draw(0, 1, 1) != draw(0, 2, 0)


@given(st.integers(-(2**63), 2**64 - 1), st.integers(0, 100), st.integers(0, 2**40))
def test_draw_is_a_number_of_64_bits_and_repeatable(seed: int, stream: int, counter: int) -> None:
    assert 0 <= draw(seed, stream, counter) < 2**64
    assert draw(seed, stream, counter) == draw(seed, stream, counter)


def test_seeds_and_streams_are_independent() -> None:
    numbers = {draw(seed, stream, counter) for seed in range(20) for stream in range(20) for counter in range(20)}
    assert len(numbers) == 8_000


def test_draws_are_evenly_spread() -> None:
    stream = Stream(5, 1)
    counts = Counter(stream.below(10) for _ in range(10_000))
    assert sorted(counts) == list(range(10))
    assert all(850 <= count <= 1_150 for count in counts.values())


def test_between_includes_both_ends() -> None:
    stream = Stream(5, 1)
    assert {stream.between(-1, 1) for _ in range(100)} == {-1, 0, 1}


def test_shuffle_keeps_what_it_shuffles() -> None:
    items = list(range(50))
    Stream(5, 1).shuffle(items)
    assert items != list(range(50))
    assert sorted(items) == list(range(50))
