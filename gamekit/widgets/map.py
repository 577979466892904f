"""The live map: the player page's renderer in a notebook."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from gamekit.errors import GamekitError
from gamekit.widgets.bundle import bundle
from gamekit.widgets.feed import Feed, Message
from gamekit.widgets.picture import picture
from gamekit.widgets.shown import Onlookers

if TYPE_CHECKING:
    from gamekit.client.blocking import BasePlayer

#: After this long everything is sent once more, for what a front end missed while it was loading; in seconds.
_SECOND_START_S = 1.0


class MapWidget(anywidget.AnyWidget):
    """A map of one game, through one pair of eyes.

    With a player, a click on one of their ships and then on a place sends the ship there; with shift after what it
    has to do already. However many places show the widget, each piece of news is sent once.

    Args:
        feed: whose news it shows.
        player: who gives the orders; None for a spectator, who only looks.
        height: in pixels.
    """

    _esm = bundle(Path(__file__).parent / "js" / "map.js")

    height = traitlets.Int(480).tag(sync=True)
    #: The whole view at the moment of the latest display, so that the map draws before the first message.
    start = traitlets.Dict().tag(sync=True)

    def __init__(self, feed: Feed, player: BasePlayer | None, *, height: int = 480) -> None:
        super().__init__(height=height, start=feed.whole())
        self._feed = feed
        self._player = player
        self._onlookers = Onlookers()
        self._feeding = False
        self.on_msg(self._on_front_end)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        link = self._feed.link
        self.start = self._feed.whole()
        self._feed.io.post(self._displayed)
        player = link.welcome.player if link.welcome else None
        view = link.seen.view if link.seen else {}
        drawn = picture(view, link.clock.at(time.monotonic()), player)
        return {**shown[0], "image/svg+xml": drawn}, shown[1]

    def close(self) -> None:
        """Take the widget away everywhere."""
        self._feed.io.post(self._feed.remove, self._tell)
        super().close()

    # --- on the client's I/O thread ---------------------------------------------------------------------------

    def _displayed(self) -> None:
        self._onlookers.displayed()
        self._follow()
        self._feed.io.later(_SECOND_START_S, self._once_more)

    def _once_more(self) -> None:
        if self._feeding:
            self._tell(self._feed.whole())

    def _follow(self) -> None:
        """Listen to the news while anybody looks."""
        if self._onlookers and not self._feeding:
            self._feed.add(self._tell)
        elif self._feeding and not self._onlookers:
            self._feed.remove(self._tell)
        self._feeding = bool(self._onlookers)

    def _tell(self, message: Message) -> None:
        self.send(message)

    def _heard(self, content: dict[str, Any]) -> None:
        if self._onlookers.heard(content):
            was_feeding = self._feeding
            self._follow()
            if was_feeding and content.get("kind") == "shown":
                self._tell(self._feed.whole())
        elif content.get("kind") == "order":
            self._order(content.get("order"))

    def _order(self, order: Any) -> None:
        if self._player is None or not isinstance(order, dict):
            self._refused("Only players give orders; join the game and show its map as that player.")
            return
        try:
            given = self._player.inner.submit({"type": "move", **order})
        except GamekitError as error:
            self._refused(str(error))
        else:
            given.when_failed(lambda error: self._refused(str(error)))

    def _refused(self, text: str) -> None:
        self._tell({"kind": "refused", "message": text})

    # --- on whatever thread the front end's messages come in ---------------------------------------------------

    def _on_front_end(self, _: object, content: dict[str, Any], __: object) -> None:
        self._feed.io.post(self._heard, content)
