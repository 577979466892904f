"""Names that look the same get a number; those that look different do not."""

from __future__ import annotations

import pytest

from gamekit.names import Looks, told_apart


@pytest.mark.parametrize(
    "twin",
    [
        "Ada",
        "ADA",
        "\u0410da",
        "\u0410d\u0430",
        "\uff21\uff44\uff41",
        "Ad\u0430",
        "\u0391da",
        "ada",
        "\U0001d400da",
    ],
)
def test_what_looks_like_ada_gets_a_number(twin: str) -> None:
    assert told_apart(twin, ["Ada"], 40) == f"{twin} 2"
    assert told_apart(twin, ["Ada", "Ada 2"], 40) == f"{twin} 3"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ida", "lda"),
        ("Bob 10", "Bob lO"),
        ("Com", "Corn"),
        ("\u041c\u0410\u0420\u0421", "MAPC"),
        ("Zoe\u0308", "Zo\u00eb"),
    ],
)
def test_shapes_that_are_taken_for_one_another_are_alike(one: str, other: str) -> None:
    assert other in Looks([one])
    assert one in Looks([other])


@pytest.mark.parametrize(
    ("one", "other"), [("Ada", "Ade"), ("Zoe", "Zo\u00eb"), ("Al", "Ai"), ("\u041d\u0438\u043d\u0430", "Nina")]
)
def test_names_that_differ_stay_as_they_are(one: str, other: str) -> None:
    assert told_apart(other, [one], 40) == other


def test_a_long_name_makes_room_for_its_number() -> None:
    assert told_apart("x" * 40, ["x" * 40], 40) == "x" * 38 + " 2"
    many = Looks()
    for _ in range(12):
        name = told_apart("y" * 40, many, 40)
        assert name not in many
        assert len(name) <= 40
        many.add(name)
    assert name == "y" * 37 + " 12"
