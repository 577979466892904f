"""Numbers of deltas that tell nothing of what a viewer does not see."""

from __future__ import annotations

from gamekit.game import PlayerId
from gamekit.session import Numbering

ADA, BOB = PlayerId("p1"), PlayerId("p2")


def test_what_one_player_is_shown_moves_no_other_number() -> None:
    numbering = Numbering()
    numbering.for_all()
    before = numbering.latest(BOB)
    numbers = [numbering.for_one(ADA) for _ in range(3)]
    assert numbers == sorted(set(numbers))
    assert numbering.latest(ADA) == numbers[-1]
    assert numbering.latest(BOB) == numbering.latest(None) == before


def test_a_delta_for_all_has_one_number_above_every_former_one() -> None:
    numbering = Numbering()
    former = [numbering.for_all(), numbering.for_one(ADA), numbering.for_one(ADA), numbering.for_one(BOB)]
    number = numbering.for_all()
    assert number > max(former)
    assert numbering.latest(ADA) == numbering.latest(BOB) == numbering.latest(None) == number


def test_how_many_deltas_went_by_unseen_is_not_told() -> None:
    few, many = Numbering(), Numbering()
    few.miss()
    for _ in range(100):
        many.miss()
    assert few.latest(ADA) == many.latest(ADA) > Numbering().latest(ADA)
    assert few.for_all() == many.for_all()


def test_numbers_of_months_fit_into_a_browsers_numbers() -> None:
    numbering = Numbering(public=2**27 - 1, own={ADA: 2**26 - 1})
    assert numbering.latest(ADA) < 2**53
