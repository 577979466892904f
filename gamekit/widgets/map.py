"""The live map: the player page's renderer in a notebook."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import traitlets

from gamekit.widgets.bundle import bundle
from gamekit.widgets.feed import Feed
from gamekit.widgets.picture import picture
from gamekit.widgets.shared import SharedWidget

if TYPE_CHECKING:
    from gamekit.client.blocking import BasePlayer


class MapWidget(SharedWidget):
    """A map of one game, through one pair of eyes.

    With a player, a click on one of their ships and then on a place sends the ship there; with shift after what it
    has to do already.

    Args:
        feed: whose news it shows.
        player: who gives the orders; None for a spectator, who only looks.
        height: in pixels.
    """

    _esm = bundle(Path(__file__).parent / "js" / "map.js")

    height = traitlets.Int(480).tag(sync=True)

    def __init__(self, feed: Feed, player: BasePlayer | None, *, height: int = 480) -> None:
        super().__init__(feed, player, height=height)

    def still(self) -> dict[str, str]:
        """A picture of the galaxy as it is now."""
        return {"image/svg+xml": picture(*self._state())}
