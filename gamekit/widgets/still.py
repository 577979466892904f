"""Tables of a view as HTML: what an exported notebook shows where live tables were."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gamekit.client import show
from gamekit.client.position import place_text
from gamekit.game import View

#: The output's metadata by which the front end finds the picture in it, see `js/kept.js`.
METADATA = "gamekit"


def beside(
    shown: tuple[dict[str, Any], dict[str, Any]], pictures: Mapping[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a widget displays, with the picture that stands for it where no kernel is.

    Args:
        shown: the widget's own bundle and its metadata.
        pictures: `{MIME type: text}`; the first one is left in a saved notebook.
    """
    return {**shown[0], **pictures}, {**shown[1], METADATA: {"still": next(iter(pictures))}}


def fleet(view: View, tick: float, player: str | None) -> str:
    """A player's ships, or all of them for a spectator."""
    wares = view.get("wares", {})
    rows = [
        [ship["name"], ship["status"], place_text(view, ship), ship["reason"], _cargo(wares, ship)]
        for ship in view.get("ships", {}).values()
        if player is None or ship["owner"] == player
    ]
    return show.table(f"Ships at tick {int(tick):,}", ["ship", "status", "where", "why", "hold"], rows)


def market(view: View) -> str:
    """Every ware's cheapest seller and best paying buyer, by what a unit earns; the same as `web/js/market.js`."""
    rows = sorted(_offers(view), key=lambda row: -row[-1])
    texts = [
        [ware, _price(ask), ask[1] if ask else None, _price(bid), bid[1] if bid else None, f"{gain / 100:+,.2f}"]
        if ask and bid
        else [ware, _price(ask), ask[1] if ask else None, _price(bid), bid[1] if bid else None, None]
        for ware, ask, bid, gain in rows
    ]
    columns = ["ware", "buy for (cr)", "at", "sell for (cr)", "at", "a unit earns (cr)"]
    return show.table("Best prices in the known galaxy", columns, texts)


def orders(view: View, tick: float, ship_id: str) -> str:
    """One ship's queue."""
    ship = view.get("ships", {}).get(ship_id)
    if ship is None:
        return show.table("No ship is selected.", [], [])
    rows = [
        [number, step["type"], _goal(view, step), step["status"], step.get("eta")]
        for number, step in enumerate(ship.get("queue", ()), 1)
    ]
    caption = f"{ship['name']} at tick {int(tick):,}: {ship['status']}. {ship['reason']}"
    return show.table(caption, ["", "step", "where", "status", "ETA (tick)"] if rows else [], rows)


def _offers(view: View) -> Iterator[tuple[str, tuple[int, str] | None, tuple[int, str] | None, float]]:
    stations = view.get("stations", {}).values()
    for ware, about in view.get("wares", {}).items():
        asks = [
            (one["price"][ware], str(one["name"]))
            for one in stations
            if ware in one["sells"] and ware in one.get("price", {}) and one["stock"].get(ware, 0) > 0
        ]
        bids = [
            (one["price"][ware], str(one["name"]))
            for one in stations
            if ware in one["buys"]
            and ware in one.get("price", {})
            and one["capacity"].get(ware, 0) > one["stock"].get(ware, 0)
        ]
        ask = min(asks, key=lambda offer: offer[0]) if asks else None
        bid = max(bids, key=lambda offer: offer[0]) if bids else None
        if ask or bid:
            yield str(about["name"]), ask, bid, bid[0] - ask[0] if ask and bid else float("-inf")


def _price(offer: tuple[int, str] | None) -> str | None:
    return None if offer is None else f"{offer[0] / 100:,.2f}"


def _cargo(wares: Mapping[str, Any], ship: Mapping[str, Any]) -> str | None:
    if "hold" not in ship:
        return None
    held = [f"{units} {wares.get(ware, {}).get('name', ware)}" for ware, units in ship["hold"].items() if units]
    return ", ".join(held) or "empty"


def _goal(view: View, step: Mapping[str, Any]) -> str:
    for table, key in (("stations", "station"), ("wares", "ware"), ("sectors", "sector")):
        if step.get(key) is not None:
            name = str(view.get(table, {}).get(step[key], {}).get("name", step[key]))
            return f"{step['units']} {name}" if key == "ware" else name
    return str(step.get("gate", ""))
