"""A still picture of a view, as SVG: what an exported notebook shows where the live map was.

Small and plain on purpose: sectors where they are in the galaxy, on one scale, gates as lines, ships and stations as
marks. However many sectors there are, no box covers another, and a name is written only where it meets nothing; every
box tells its name when one points at it. Colours are readable on light and dark ground.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from unicodedata import combining, east_asian_width

from gamekit.client.reading import position_of
from gamekit.game import View

#: Width of the picture; its height follows the galaxy's shape, up to the second.
WIDTH, HEIGHT = 720, 720
_LEAST_HEIGHT = 160
#: Around the middle of the outermost sectors: room for their names.
_MARGIN = 46
#: The largest box, and how much of the way to its nearest neighbour it fills.
_SECTOR_PX, _FILLS = 34.0, 0.75
_FONT_PX = 11
_INK = "#808080"
_OWN, _OTHER, _STATION = "#E69F00", "#56B4E9", "#009E73"
#: What no XML document may hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class _Box(NamedTuple):
    """Where a sector is in the picture: its middle, and its side, in pixels."""

    x: float
    y: float
    side: float


#: Left, top, right, bottom.
_Area = tuple[float, float, float, float]


def picture(view: View, tick: float, player: str | None = None) -> str:
    """The view at a tick, as an SVG document.

    Args:
        view: as a client sees it.
        tick: the moment, for ships under way.
        player: whose ships are marked as own.
    """
    sectors: Mapping[str, Mapping[str, Any]] = view.get("sectors", {})
    boxes, height = _boxes(sectors)
    parts = [*_gates(view, boxes), *_sectors(sectors, boxes), *_stations(view, boxes)]
    parts += [*_ships(view, boxes, tick, player), *_names(sectors, boxes, height)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'font-family="system-ui, sans-serif" font-size="{_FONT_PX}" role="img" aria-label="Map at tick {int(tick)}">'
        + "".join(parts)
        + "</svg>"
    )


def _text(value: object) -> str:
    """Text as it may stand in XML: escaped, and what XML cannot hold replaced."""
    return html.escape(_NOT_XML.sub("\ufffd", str(value)))


def _boxes(sectors: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, _Box], int]:
    """Where each sector's box is in the picture, and the picture's height."""
    if not sectors:
        return {}, _LEAST_HEIGHT
    xs = [sector["x"] for sector in sectors.values()]
    ys = [sector["y"] for sector in sectors.values()]
    left, top = min(xs), min(ys)
    wide, high = max(max(xs) - left, 1), max(max(ys) - top, 1)
    scale = min((WIDTH - 2 * _MARGIN) / wide, (HEIGHT - 2 * _MARGIN) / high)
    height = max(_LEAST_HEIGHT, round(high * scale + 2 * _MARGIN))
    # What is smaller than the picture stands in its middle.
    dx, dy = (WIDTH - wide * scale) / 2, (height - high * scale) / 2
    middles = {
        key: (dx + (sector["x"] - left) * scale, dy + (sector["y"] - top) * scale) for key, sector in sectors.items()
    }
    sides = {key: min(_SECTOR_PX, _FILLS * apart) for key, apart in _nearest(middles).items()}
    return {key: _Box(*middle, sides[key]) for key, middle in middles.items()}, height


def _nearest(middles: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """How far the nearest other sector is, in the larger of x and y."""
    order = sorted(middles, key=lambda key: middles[key])
    found = dict.fromkeys(middles, float("inf"))
    for index, key in enumerate(order):
        x, y = middles[key]
        for other in order[index + 1 :]:
            there = middles[other]
            if there[0] - x >= max(found[key], _SECTOR_PX / _FILLS):
                break
            apart = max(there[0] - x, abs(there[1] - y))
            found[key], found[other] = min(found[key], apart), min(found[other], apart)
    return found


def _within(box: _Box, sector: Mapping[str, Any], x: float, y: float) -> tuple[float, float]:
    """Where a place in a sector is in the picture."""
    scale = box.side / max(sector["size_m"], 1)
    return box.x + x * scale, box.y + y * scale


def _gates(view: View, boxes: Mapping[str, _Box]) -> Iterable[str]:
    for key, gate in view.get("gates", {}).items():
        # Each pair of gates is one line, drawn from the one that comes first.
        if gate["to"] is None or key > gate["to"] or gate["sector"] not in boxes or gate["to_sector"] not in boxes:
            continue
        here, there = boxes[gate["sector"]], boxes[gate["to_sector"]]
        dash = "" if gate["open"] else ' stroke-dasharray="3 3"'
        yield (
            f'<line x1="{here.x:.1f}" y1="{here.y:.1f}" x2="{there.x:.1f}" y2="{there.y:.1f}" stroke="{_INK}" '
            f'stroke-opacity="0.5"{dash}/>'
        )


def _sectors(sectors: Mapping[str, Mapping[str, Any]], boxes: Mapping[str, _Box]) -> Iterable[str]:
    for key, (x, y, side) in boxes.items():
        yield (
            f'<rect x="{x - side / 2:.3f}" y="{y - side / 2:.3f}" width="{side:.3f}" height="{side:.3f}" '
            f'rx="{side / 8:.2f}" fill="{_INK}" fill-opacity="0.15" stroke="{_INK}" '
            f'stroke-width="{min(1.0, side / 12):.2f}"><title>{_text(sectors[key]["name"])}</title></rect>'
        )


def _names(sectors: Mapping[str, Mapping[str, Any]], boxes: Mapping[str, _Box], height: int) -> Iterator[str]:
    """The sectors' names, each below, above or beside its box; those that would meet anything are left out."""
    room = _Room(WIDTH, height)
    for x, y, side in boxes.values():
        room.take((x - side / 2, y - side / 2, x + side / 2, y + side / 2))
    for key, (x, y, side) in boxes.items():
        text = str(sectors[key]["name"])
        wide, reach = _width(text), side / 2 + 3
        for left, top, anchor in (
            (x - wide / 2, y + reach, "middle"),
            (x - wide / 2, y - reach - _FONT_PX, "middle"),
            (x + reach, y - _FONT_PX / 2, "start"),
            (x - reach - wide, y - _FONT_PX / 2, "end"),
        ):
            if room.take((left, top, left + wide, top + _FONT_PX), only_if_free=True):
                at = left + {"middle": wide / 2, "start": 0.0, "end": wide}[anchor]
                yield (
                    f'<text x="{at:.1f}" y="{top + 0.85 * _FONT_PX:.1f}" text-anchor="{anchor}" fill="{_INK}">'
                    f"{_text(text)}</text>"
                )
                break


def _width(text: str) -> float:
    """About how wide a text is, in pixels."""
    wide = sum(1.0 if east_asian_width(one) in "WF" else 0.58 for one in text if not combining(one))
    return _FONT_PX * wide


class _Room:
    """The areas of a picture that are taken, in cells, so that a thousand of them are looked up quickly."""

    _CELL = 48

    def __init__(self, width: float, height: float) -> None:
        self._frame = (0.0, 0.0, width, height)
        self._cells: dict[tuple[int, int], list[_Area]] = {}

    def take(self, area: _Area, *, only_if_free: bool = False) -> bool:
        """Take an area; whether it was taken."""
        left, top, right, bottom = area
        cells = [
            (column, row)
            for column in range(int(left // self._CELL), int(right // self._CELL) + 1)
            for row in range(int(top // self._CELL), int(bottom // self._CELL) + 1)
        ]
        if only_if_free:
            frame = self._frame
            if left < frame[0] or top < frame[1] or right > frame[2] or bottom > frame[3]:
                return False
            for cell in cells:
                for other in self._cells.get(cell, ()):
                    if left < other[2] and right > other[0] and top < other[3] and bottom > other[1]:
                        return False
        for cell in cells:
            self._cells.setdefault(cell, []).append(area)
        return True


def _stations(view: View, boxes: Mapping[str, _Box]) -> Iterable[str]:
    for station in view.get("stations", {}).values():
        if station["sector"] in boxes:
            box = boxes[station["sector"]]
            x, y = _within(box, view["sectors"][station["sector"]], station["x"], station["y"])
            yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{2.2 * box.side / _SECTOR_PX:.2f}" fill="{_STATION}"/>'


def _ships(view: View, boxes: Mapping[str, _Box], tick: float, player: str | None) -> Iterable[str]:
    for ship in view.get("ships", {}).values():
        position = position_of(view, ship, tick)
        if position.sector not in boxes:
            continue
        box = boxes[position.sector]
        x, y = _within(box, view["sectors"][position.sector], position.x, position.y)
        at = ship["at"]
        if at["type"] == "gate" and (far := boxes.get(view["gates"][at["gate"]]["to_sector"])):
            # Inside a gate it is between two sectors.
            along = min(max((tick - at["depart"]) / max(at["arrive"] - at["depart"], 1), 0.0), 1.0)
            x, y = x + (far.x - x) * along, y + (far.y - y) * along
        own = player is not None and ship["owner"] == player
        size = max(box.side / _SECTOR_PX, 0.35)
        yield (
            f'<path d="M{x:.1f} {y - 5 * size:.1f} l{4 * size:.1f} {9 * size:.1f} l{-8 * size:.1f} 0 z" '
            f'fill="{_OWN if own else _OTHER}">'
            f"<title>{_text(ship['name'])}: {_text(ship['status'])}</title></path>"
        )
