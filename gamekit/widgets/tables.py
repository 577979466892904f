"""Ships and prices as live tables, and the orders of one ship beside a map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import traitlets

from gamekit.widgets import still
from gamekit.widgets.bundle import bundle
from gamekit.widgets.feed import Feed
from gamekit.widgets.look import panel_markup
from gamekit.widgets.picture import picture
from gamekit.widgets.shared import SharedWidget

if TYPE_CHECKING:
    from gamekit.client.blocking import BasePlayer

_JS = Path(__file__).parent / "js"


class FleetWidget(SharedWidget):
    """A table of ships: what each does, where, why, and what it carries. A player's own, or everybody's."""

    _esm = bundle(_JS / "fleet.js")

    def still(self) -> dict[str, str]:
        """The table as it is now."""
        return {"text/html": still.fleet(*self._state())}


class MarketWidget(SharedWidget):
    """Every ware's best prices, how they went since the widget was shown, and what a unit earns."""

    _esm = bundle(_JS / "market.js")

    #: The id of the station that was clicked last, or "".
    station = traitlets.Unicode().tag(sync=True)

    def still(self) -> dict[str, str]:
        """The table as it is now."""
        return {"text/html": still.market(self._state()[0])}


class OrdersWidget(SharedWidget):
    """The player page's panel of ships and orders, with a map beside it: queue, destination, trade, auto-trade.

    Args:
        feed: what the player sees.
        player: who gives the orders.
        ship: the id of the ship that is selected first, or "".
        height: in pixels.
    """

    _esm = bundle(_JS / "orders.js")

    #: The panel's elements, as on the player page.
    markup = traitlets.Unicode().tag(sync=True)
    #: In pixels; in a narrow cell the map and the panel have it each.
    height = traitlets.Int(440).tag(sync=True)

    def __init__(self, feed: Feed, player: BasePlayer, ship: str, *, height: int = 440) -> None:
        super().__init__(feed, player, selected=ship, height=height, markup=panel_markup())

    def still(self) -> dict[str, str]:
        """The ship's queue as it is now, under a picture of the map."""
        view, tick, player = self._state()
        return {"text/html": picture(view, tick, player) + still.orders(view, tick, self.selected)}
