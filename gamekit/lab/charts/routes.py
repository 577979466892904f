"""Trade routes on the galaxy's map: the wider, the more was carried."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import altair as alt
import pandas as pd

from gamekit.errors import ConfigError
from gamekit.game import View
from gamekit.lab.charts.style import GREEN, INK, ORANGE, PINK, SKY, Chart, figure

_TIERS = {1: SKY, 2: GREEN, 3: ORANGE, 4: PINK}
#: Points with which a curve is drawn.
_STEPS = 14
#: How far a curve bends aside, as a share of its length; the way back bends to the other side.
_BEND = 0.16


def route_chart(routes: pd.DataFrame, view: View, *, most: int = 60, width: int = 640, height: int = 560) -> Chart:
    """The busiest trade routes as curves from station to station, coloured by the tier of what they carry.

    Args:
        routes: as `gamekit.lab.trade_routes` gives them.
        view: the tables of the game that they are of: its sectors, gates, stations and wares.
        most: how many routes are drawn.
        width, height: in pixels.

    Raises:
        ConfigError: there are no routes.
    """
    if routes.empty:
        raise ConfigError("There are no trade routes: nothing was bought and sold again. Run longer, or add traders.")
    busiest = routes.sort_values("units", ascending=False).head(most)
    size = _box(view["sectors"])
    panel: alt.LayerChart = (_ground(view, size) + _flows(busiest, view, size)).properties(width=width, height=height)
    return figure(panel)


def _x(field: str) -> alt.X:
    return alt.X(field, axis=None, scale=alt.Scale(padding=30, nice=False, zero=False))


def _y(field: str) -> alt.Y:
    return alt.Y(field, axis=None, scale=alt.Scale(padding=30, nice=False, zero=False, reverse=True))


def _ground(view: View, size: float) -> alt.LayerChart:
    """Sectors as boxes with their names, gates as lines between them."""
    half = size / 2
    boxes = pd.DataFrame(
        {"name": one["name"], "x": one["x"], "x1": one["x"] - half, "x2": one["x"] + half, "low": one["y"] + 1.2 * half}
        | {"y1": one["y"] - half, "y2": one["y"] + half}
        for one in view["sectors"].values()
    )
    squares = (
        alt.Chart(boxes)
        .mark_rect(fill=INK, fillOpacity=0.1, stroke=INK, strokeOpacity=0.7, cornerRadius=3)
        .encode(x=_x("x1:Q"), x2="x2:Q", y=_y("y1:Q"), y2="y2:Q")
    )
    names = alt.Chart(boxes).mark_text(color=INK, fontSize=9, baseline="top")
    lines = pd.DataFrame(_passages(view), columns=["line", "x", "y"])
    gates = alt.Chart(lines).mark_line(color=INK, opacity=0.35).encode(x=_x("x:Q"), y=_y("y:Q"), detail="line:N")
    ground: alt.LayerChart = gates + squares + names.encode(x=_x("x:Q"), y=_y("low:Q"), text="name:N")
    return ground


def _flows(routes: pd.DataFrame, view: View, size: float) -> alt.Chart:
    """The routes, wider towards their targets."""
    curves = pd.DataFrame([row for route in routes.itertuples() for row in _curve(route, view, size)])
    tiers = sorted(curves["tier"].unique())
    colours = [_TIERS.get(tier, INK) for tier in tiers]
    flows: alt.Chart = (
        alt.Chart(curves)
        .mark_trail(opacity=0.75)
        .encode(
            x=_x("x:Q"),
            y=_y("y:Q"),
            detail="route:N",
            order="step:Q",
            size=alt.Size("wide:Q", legend=None, scale=alt.Scale(range=[0.5, 9], domainMin=0)),
            color=alt.Color("tier:O", title="tier", scale=alt.Scale(domain=tiers, range=colours)),
        )
    )
    return flows


def _box(sectors: Mapping[str, Mapping[str, Any]]) -> float:
    """The side of a sector's box in map units: small against the galaxy, and no two overlap."""
    places = [(one["x"], one["y"]) for one in sectors.values()]
    apart = [max(abs(a[0] - b[0]), abs(a[1] - b[1])) for index, a in enumerate(places) for b in places[:index]]
    return min(0.75 * min(apart), 0.1 * max(apart)) if apart else 1.0


def _passages(view: View) -> Iterable[dict[str, Any]]:
    sectors = view["sectors"]
    for key, gate in view["gates"].items():
        if key < gate["to"]:
            for end in (gate["sector"], gate["to_sector"]):
                yield {"line": key, "x": sectors[end]["x"], "y": sectors[end]["y"]}


def _curve(route: Any, view: View, size: float) -> Iterable[dict[str, Any]]:
    """A route as points of a curve that grows wider towards its target."""
    (x0, y0), (x1, y1) = (_place(view, station, size) for station in (route.source, route.target))
    bend_x, bend_y = (x0 + x1) / 2 - (y1 - y0) * _BEND, (y0 + y1) / 2 + (x1 - x0) * _BEND
    for step in range(_STEPS + 1):
        share = step / _STEPS
        here, middle, there = (1 - share) ** 2, 2 * share * (1 - share), share**2
        yield {
            "route": f"{route.source} {route.target} {route.ware}",
            "step": step,
            "x": here * x0 + middle * bend_x + there * x1,
            "y": here * y0 + middle * bend_y + there * y1,
            "wide": route.units * (0.3 + 0.7 * share),
            "tier": view["wares"][route.ware]["tier"],
        }


def _place(view: View, station_id: str, size: float) -> tuple[float, float]:
    station = view["stations"][station_id]
    sector = view["sectors"][station["sector"]]
    scale = 0.9 * size / sector["size_m"]
    return sector["x"] + station["x"] * scale, sector["y"] + station["y"] * scale
