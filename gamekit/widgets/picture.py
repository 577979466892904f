"""A still picture of a view, as SVG: what an exported notebook shows where the live map was.

Small and plain on purpose: sectors where they are in the galaxy, gates as lines, ships and stations as marks. Colours
are readable on light and dark ground.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

from gamekit.client.reading import position_of
from gamekit.game import View

WIDTH, HEIGHT = 720, 460
_MARGIN = 56
_SECTOR_PX = 34
_INK = "#808080"
_OWN, _OTHER, _STATION = "#E69F00", "#56B4E9", "#009E73"


def picture(view: View, tick: float, player: str | None = None) -> str:
    """The view at a tick, as an SVG document.

    Args:
        view: as a client sees it.
        tick: the moment, for ships under way.
        player: whose ships are marked as own.
    """
    sectors: Mapping[str, Mapping[str, Any]] = view.get("sectors", {})
    places = _places(sectors)
    parts = [*_gates(view, places), *_sectors(sectors, places), *_stations(view, places)]
    parts += _ships(view, places, tick, player)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="system-ui, sans-serif" font-size="11" role="img" aria-label="Map at tick {int(tick)}">'
        + "".join(parts)
        + "</svg>"
    )


def _places(sectors: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Where the middle of each sector is in the picture."""
    if not sectors:
        return {}
    xs = [sector["x"] for sector in sectors.values()]
    ys = [sector["y"] for sector in sectors.values()]
    left, top = min(xs), min(ys)
    wide, high = max(max(xs) - left, 1), max(max(ys) - top, 1)
    return {
        key: (
            _MARGIN + (sector["x"] - left) / wide * (WIDTH - 2 * _MARGIN),
            _MARGIN + (sector["y"] - top) / high * (HEIGHT - 2 * _MARGIN),
        )
        for key, sector in sectors.items()
    }


def _within(place: tuple[float, float], sector: Mapping[str, Any], x: float, y: float) -> tuple[float, float]:
    """Where a place in a sector is in the picture."""
    scale = _SECTOR_PX / max(sector["size_m"], 1)
    return place[0] + x * scale, place[1] + y * scale


def _gates(view: View, places: Mapping[str, tuple[float, float]]) -> Iterable[str]:
    for key, gate in view.get("gates", {}).items():
        # Each pair of gates is one line, drawn from the one that comes first.
        if gate["to"] is None or key > gate["to"] or gate["sector"] not in places or gate["to_sector"] not in places:
            continue
        (x1, y1), (x2, y2) = places[gate["sector"]], places[gate["to_sector"]]
        dash = "" if gate["open"] else ' stroke-dasharray="3 3"'
        yield (
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{_INK}" '
            f'stroke-opacity="0.5"{dash}/>'
        )


def _sectors(sectors: Mapping[str, Mapping[str, Any]], places: Mapping[str, tuple[float, float]]) -> Iterable[str]:
    half = _SECTOR_PX / 2
    for key, (x, y) in places.items():
        yield (
            f'<rect x="{x - half:.1f}" y="{y - half:.1f}" width="{_SECTOR_PX}" height="{_SECTOR_PX}" rx="4" '
            f'fill="{_INK}" fill-opacity="0.15" stroke="{_INK}"/>'
            f'<text x="{x:.1f}" y="{y + half + 12:.1f}" text-anchor="middle" fill="{_INK}">'
            f"{html.escape(str(sectors[key]['name']))}</text>"
        )


def _stations(view: View, places: Mapping[str, tuple[float, float]]) -> Iterable[str]:
    for station in view.get("stations", {}).values():
        if station["sector"] in places:
            sector = view["sectors"][station["sector"]]
            x, y = _within(places[station["sector"]], sector, station["x"], station["y"])
            yield f'<rect x="{x - 2:.1f}" y="{y - 2:.1f}" width="4" height="4" fill="{_STATION}"/>'


def _ships(view: View, places: Mapping[str, tuple[float, float]], tick: float, player: str | None) -> Iterable[str]:
    for ship in view.get("ships", {}).values():
        position = position_of(view, ship, tick)
        if position.sector not in places:
            continue
        x, y = _within(places[position.sector], view["sectors"][position.sector], position.x, position.y)
        at = ship["at"]
        if at["type"] == "gate" and (far := places.get(view["gates"][at["gate"]]["to_sector"])):
            # Inside a gate it is between two sectors.
            along = min(max((tick - at["depart"]) / max(at["arrive"] - at["depart"], 1), 0.0), 1.0)
            x, y = x + (far[0] - x) * along, y + (far[1] - y) * along
        own = player is not None and ship["owner"] == player
        yield (
            f'<path d="M{x:.1f} {y - 5:.1f} l4 9 l-8 0 z" fill="{_OWN if own else _OTHER}">'
            f"<title>{html.escape(str(ship['name']))}: {html.escape(str(ship['status']))}</title></path>"
        )
