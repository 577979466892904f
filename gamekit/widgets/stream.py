"""One game's news on its way to the front end: once, for all widgets of one game in one notebook.

The stream is a widget model without a view. Widgets name it (`SharedWidget.stream`) and their front ends listen to it,
so that ten views of a game cost as many messages as one. It listens to its feed only while at least one view of any
of its widgets is in sight. Each message carries a number, `n`; a front end that missed one asks for everything anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from gamekit.widgets.bundle import bundle
from gamekit.widgets.feed import Feed, Message
from gamekit.widgets.look import CSS
from gamekit.widgets.shown import Onlookers

#: After this long everything is sent once more, for what a front end missed while it was loading; in seconds.
_SECOND_START_S = 1.0


class Stream(anywidget.AnyWidget):
    """The news of one feed; made by `stream_of`.

    Args:
        feed: whose news it is.
    """

    _esm = bundle(Path(__file__).parent / "js" / "stream.js")
    #: The look of all widgets of the game, which a notebook so holds once.
    _css = CSS

    #: The whole view at the moment of the latest display, so that widgets draw before the first message.
    start = traitlets.Dict().tag(sync=True)

    def __init__(self, feed: Feed) -> None:
        super().__init__(start={**feed.whole(), "n": 0})
        self.feed = feed
        self.numbered = 0
        self._onlookers = Onlookers()
        self._feeding = False
        self.on_msg(self._on_front_end)

    @property
    def feeding(self) -> bool:
        """Whether news is sent, because a view is in sight or about to be."""
        return self._feeding

    def displayed(self) -> None:
        """A widget of this stream is being displayed. From any thread."""
        self.start = {**self.feed.whole(), "n": self.numbered}
        self.feed.io.post(self._displayed)

    # --- on the client's I/O thread ---------------------------------------------------------------------------

    def _displayed(self) -> None:
        self._onlookers.displayed()
        self._follow()
        self.feed.io.later(_SECOND_START_S, self._once_more)

    def _once_more(self) -> None:
        if self._feeding:
            self._tell(self.feed.whole())

    def _follow(self) -> None:
        """Listen to the news while anybody looks."""
        feeding = bool(self._onlookers)
        if feeding and not self._feeding:
            self.feed.add(self._tell)
        elif self._feeding and not feeding:
            self.feed.remove(self._tell)
        self._feeding = feeding

    def _tell(self, message: Message) -> None:
        self.numbered += 1
        self.send({**message, "n": self.numbered})

    def _heard(self, content: dict[str, Any]) -> None:
        if self._onlookers.heard(content):
            self._follow()
        elif content.get("kind") == "whole" and self._feeding:
            self._tell(self.feed.whole())

    # --- on whatever thread the front end's messages come in ---------------------------------------------------

    def _on_front_end(self, _: object, content: dict[str, Any], __: object) -> None:
        self.feed.io.post(self._heard, content)


def stream_of(feed: Feed) -> Stream:
    """The stream of a feed, the same for all its widgets."""
    stream = feed.stream
    if not isinstance(stream, Stream) or stream.comm is None:  # closed, e.g. by `Widget.close_all()`
        stream = feed.stream = Stream(feed)
    return stream
