"""What all widgets of a live game have in common: the stream that feeds them, the traits that say how the game stands,
the player's commands, and the picture that is left where no kernel is.

The traits about the game (`tick`, `paused`) are set on both sides by the same message and never sent on their own, so
that links cost no traffic.
"""

from __future__ import annotations

import asyncio
from abc import ABCMeta, abstractmethod
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets
from ipywidgets import widget_serialization

from gamekit.errors import GamekitError
from gamekit.widgets import still
from gamekit.widgets.feed import Feed, Message
from gamekit.widgets.stream import Stream, stream_of

if TYPE_CHECKING:
    from gamekit.client.blocking import BasePlayer

#: Traits that either side takes from the stream, and neither sends.
_TOLD = frozenset({"tick", "paused"})


class _AbstractWidget(type(anywidget.AnyWidget), ABCMeta):  # type: ignore[misc]
    """Widgets have a metaclass of their own; this one knows abstract methods as well."""


class SharedWidget(anywidget.AnyWidget, metaclass=_AbstractWidget):
    """One view of one game, through one pair of eyes.

    Args:
        feed: whose news it shows.
        player: who gives the orders; None for a spectator, who only looks.
        traits: first values of traits.
    """

    stream = traitlets.Instance(Stream).tag(sync=True, **widget_serialization)
    #: The selected ship's id, or "". Links both ways.
    selected = traitlets.Unicode().tag(sync=True)
    #: The game's tick while the widget is in sight; follows the game, setting it does nothing.
    tick = traitlets.Int().tag(sync=True)
    #: Whether game time stands still; follows the game like `tick`.
    paused = traitlets.Bool().tag(sync=True)

    def __init__(self, feed: Feed, player: BasePlayer | None, **traits: Any) -> None:
        # First of all: a widget that could not be made is taken away as well.
        self.feed = feed
        clock = feed.whole()["clock"]
        super().__init__(stream=stream_of(feed), tick=int(clock["tick"]), paused=clock["paused"], **traits)
        self.player = player
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening = False
        self.on_msg(self._on_front_end)

    @abstractmethod
    def still(self) -> dict[str, str]:
        """What stands for the widget where no kernel is: `{MIME type: text}`."""

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        self.feed.io.post(self._listen)
        self.stream.displayed()
        return still.beside(shown, self.still())

    def close(self) -> None:
        """Take the widget away everywhere."""
        self.feed.io.post(self._end)
        super().close()

    def _should_send_property(self, key: str, value: Any) -> bool:
        # Before the widget has a comm its first values are collected by the same question.
        if key in _TOLD and self.comm is not None:
            return False
        return bool(super()._should_send_property(key, value))

    # --- on the client's I/O thread ---------------------------------------------------------------------------

    def _listen(self) -> None:
        if not self._listening:
            self._listening = True
            self.feed.also(self._told)

    def _end(self) -> None:
        self.feed.also_not(self._told)
        for task in self._tasks:
            task.cancel()

    def _told(self, message: Message) -> None:
        """News of the game, while any of its widgets is in sight."""
        clock = message["clock"]
        self.tick, self.paused = int(clock["tick"]), clock["paused"]

    def _heard(self, content: dict[str, Any]) -> None:
        if content.get("kind") == "command":
            self._start(self._command(content.get("key"), content.get("body")))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _command(self, key: Any, body: Any) -> None:
        """Give a command as the player and tell the front end how it stands, step by step."""
        if self.player is None or not isinstance(body, dict):
            text = "Only players give orders; join the game and show this as that player."
            self.send({"kind": "standing", "key": key, "state": "refused", "message": text})
            return
        try:
            given = self.player.inner.submit(body)
            await given.ack()
            self.send({"kind": "standing", "key": key, "state": "acknowledged"})
            await given.result()
        except GamekitError as error:
            self.send({"kind": "standing", "key": key, "state": "refused", "message": str(error)})
        else:
            self.send({"kind": "standing", "key": key, "state": "done"})

    # --- on whatever thread the front end's messages come in ---------------------------------------------------

    def _on_front_end(self, _: object, content: dict[str, Any], __: object) -> None:
        self.feed.io.post(self._heard, content)

    def _state(self) -> tuple[dict[str, Any], float, str | None]:
        """The view now, the tick, and whose eyes it is seen with."""
        whole = self.feed.whole()
        return whole["view"], whole["clock"]["tick"], whole["player"]
