"""The still picture of a galaxy: readable with two sectors and with a thousand, whatever its names hold."""

from __future__ import annotations

from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import pytest

from gamekit.lab import simulate
from gamekit.widgets.picture import HEIGHT, WIDTH, picture

SVG = "{http://www.w3.org/2000/svg}"
Area = tuple[float, float, float, float]


def grid(columns: int, rows: int, step: int = 300, name: str = "Sector {} {}") -> dict[str, Any]:
    """A galaxy in rows."""
    sectors = [
        {"id": f"s{x}-{y}", "name": name.format(x, y), "x": step * x, "y": step * y}
        for x in range(columns)
        for y in range(rows)
    ]
    return simulate({"name": "grid", "sectors": sectors}, hours=0).view


def boxes_of(root: ElementTree.Element) -> list[Area]:
    """Left, top, right and bottom of every sector's box."""
    found = []
    for rect in root.findall(f"{SVG}rect"):
        x, y, wide, high = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        found.append((x, y, x + wide, y + high))
    return found


def texts_of(root: ElementTree.Element) -> list[Area]:
    """About where every name stands, by a font that is narrower than what is reckoned with."""
    found = []
    for text in root.findall(f"{SVG}text"):
        wide = 0.5 * 11 * len(text.text or "")
        left = float(text.attrib["x"]) - {"start": 0, "middle": wide / 2, "end": wide}[text.attrib["text-anchor"]]
        base = float(text.attrib["y"])
        found.append((left, base - 8, left + wide, base))
    return found


def overlapping(areas: list[Area]) -> list[tuple[Area, Area]]:
    """The pairs of areas that cover each other."""
    return [(a, b) for a, b in combinations(areas, 2) if a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]]


@pytest.mark.parametrize(("columns", "rows"), [(1, 1), (2, 1), (4, 4), (8, 8), (20, 20), (32, 31), (100, 2), (2, 100)])
def test_no_box_covers_another_and_no_name_anything(columns: int, rows: int) -> None:
    root = ElementTree.fromstring(picture(grid(columns, rows), 0))
    boxes, texts = boxes_of(root), texts_of(root)
    assert len(boxes) == columns * rows
    assert overlapping([*boxes, *texts]) == []
    wide, high = float(root.attrib["width"]), float(root.attrib["height"])
    assert (wide, high <= HEIGHT) == (WIDTH, True)
    assert all(a[0] >= 0 and a[2] <= wide and a[1] >= 0 and a[3] <= high for a in [*boxes, *texts])
    assert texts, "some names have room"
    assert len({round(box[2] - box[0], 2) for box in boxes}) == 1, "alike in a grid"


@pytest.mark.parametrize("scenario", ["nearest-stars", "procedural:100", "procedural:1000"])
def test_shipped_galaxies_are_readable(scenario: str) -> None:
    view = simulate(scenario, hours=0).view
    root = ElementTree.fromstring(picture(view, 0))
    assert overlapping([*boxes_of(root), *texts_of(root)]) == []
    assert len(texts_of(root)) >= min(16, len(view["sectors"]))
    titles = {title.text for title in root.iter(f"{SVG}title")}
    assert {sector["name"] for sector in view["sectors"].values()} <= titles, "every box tells its name"


def test_x_and_y_have_one_scale_and_a_crowd_does_not_shrink_the_rest() -> None:
    view = grid(5, 2)
    view["sectors"]["twin"] = view["sectors"]["s0-0"] | {"name": "Twin", "x": 1, "y": 0}
    boxes = boxes_of(ElementTree.fromstring(picture(view, 0)))
    assert overlapping(boxes) == []
    middles = [((a[0] + a[2]) / 2, (a[1] + a[3]) / 2) for a in boxes]
    assert middles[2][0] - middles[0][0] == pytest.approx(middles[1][1] - middles[0][1], abs=0.1)
    sides = [box[2] - box[0] for box in boxes]
    assert min(sides) < 1
    assert max(sides) > 30


def test_names_that_xml_cannot_hold_do_not_break_the_picture() -> None:
    """A server of an older version may have let them in."""
    view = grid(2, 2)
    names = ["For\u0007ge", "\u202ea\u0000b\u001b[2J", "half \ud800 pair", "<&>\"'\ufffe\uffff"]
    for sector, name in zip(view["sectors"].values(), names, strict=True):
        sector["name"] = name
    root = ElementTree.fromstring(picture(view, 0))
    titles = [title.text for title in root.iter(f"{SVG}title")]
    assert titles == ["For\ufffdge", "\u202ea\ufffdb\ufffd[2J", "half \ufffd pair", "<&>\"'\ufffd\ufffd"]
