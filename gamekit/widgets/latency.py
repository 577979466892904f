"""The live chart of tick lateness: is the server keeping its beat?"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from gamekit.client import show
from gamekit.client.game import AsyncGame
from gamekit.client.iothread import IoThread
from gamekit.errors import GamekitError, SessionError
from gamekit.widgets.bundle import bundle
from gamekit.widgets.look import CSS
from gamekit.widgets.shown import Onlookers

#: The server writes a row a second.
_INTERVAL_S = 1.0
#: How far back the chart goes, in seconds.
SPAN_S = 60
_COLUMNS = ("late_p50", "late_p99", "work_p50", "work_p99")


class LatencyWidget(anywidget.AnyWidget):
    """Median and 99th percentile of the tick lateness over the last minute, with the duration of the ticks.

    Args:
        io: the client's I/O thread.
        game: whose ticks.
        height: in pixels.
    """

    _esm = bundle(Path(__file__).parent / "js" / "latency.js")
    _css = CSS

    #: The id of the widget's own model, by which its front end finds it.
    own_id = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(160).tag(sync=True)
    #: `[[Unix time in s, late p50, late p99, work p50, work p99 in ms], ...]`, oldest first.
    rows: traitlets.List[list[float]] = traitlets.List().tag(sync=True)

    def __init__(self, io: IoThread, game: AsyncGame, *, height: int = 160) -> None:
        super().__init__(height=height)
        self._io = io
        self._game = game
        self._onlookers = Onlookers()
        self._task: asyncio.Task[None] | None = None
        self.own_id = str(self.model_id)
        self.on_msg(self._on_front_end)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        self._io.post(self._displayed)
        return {**shown[0], "text/html": self._still()}, shown[1]

    def _still(self) -> str:
        """The last minute as a table, for where no kernel is."""
        try:
            rows = self._io.run(self._game.latency(since_s=time.time() - SPAN_S))
        except GamekitError:
            rows = []
        worst = [max((row[f"{key}_us"] for row in rows), default=0) / 1000 for key in _COLUMNS]
        caption = f"Ticks of the last {len(rows)} seconds: the worst second's"
        return show.table(
            caption, [f"{key.replace('_', ', ')} (ms)" for key in _COLUMNS], [[f"{ms:.2f}" for ms in worst]]
        )

    def close(self) -> None:
        """Take the widget away everywhere."""
        self._io.post(self._stop)
        super().close()

    # --- on the client's I/O thread ---------------------------------------------------------------------------

    def _displayed(self) -> None:
        self._onlookers.displayed()
        self._follow()

    def _heard(self, content: dict[str, Any]) -> None:
        if self._onlookers.heard(content):
            self._follow()

    def _follow(self) -> None:
        if not self._onlookers:
            self._stop()
        elif self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._poll(), name="gamekit latency widget")

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    async def _poll(self) -> None:
        while True:
            try:
                rows = await self._game.latency(since_s=time.time() - SPAN_S)
            except SessionError:
                return  # the client was closed
            except GamekitError:
                pass  # the server is away for a moment; the chart shows that as a gap
            else:
                self.rows = [
                    [
                        row["at_s"],
                        *(row[f"{key}_us"] / 1000 for key in ("late_p50", "late_p99", "work_p50", "work_p99")),
                    ]
                    for row in rows
                ]
            await asyncio.sleep(_INTERVAL_S)

    # --- on whatever thread the front end's messages come in ---------------------------------------------------

    def _on_front_end(self, _: object, content: dict[str, Any], __: object) -> None:
        self._io.post(self._heard, content)
