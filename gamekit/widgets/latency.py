"""The live chart of tick lateness: is the server keeping its beat?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from gamekit.client import show
from gamekit.client.game import AsyncGame
from gamekit.client.iothread import IoThread
from gamekit.errors import GamekitError, SessionError
from gamekit.journal.buckets import UNKNOWN, merged, percentile
from gamekit.widgets import still
from gamekit.widgets.bundle import bundle
from gamekit.widgets.look import CSS
from gamekit.widgets.shown import Onlookers

#: The server writes a row a second.
_INTERVAL_S = 1.0
#: How far back the chart goes, in seconds.
SPAN_S = 60
#: What so many percent of the minute's single ticks did not exceed; 100 is the worst.
PERCENTS = (50, 90, 99, 100)
_MEASURES = ("late", "work")


def percentiles_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the rows' single ticks come to, as the trait `percentiles` has it; empty when they tell of none."""
    found: dict[str, Any] = {}
    for measure in _MEASURES:
        counts = merged(row.get(f"{measure}_buckets", UNKNOWN) for row in rows)
        if not counts:
            return {}
        worst_us = max(row[f"{measure}_max_us"] for row in rows)
        # A bucket may say a little more than the worst tick, which is known exactly.
        found[measure] = [min(percentile(counts, percent), worst_us) / 1000 for percent in PERCENTS]
        found["ticks"] = sum(counts.values())
    return found


class LatencyWidget(anywidget.AnyWidget):
    """Median and 99th percentile of the tick lateness over the last minute, with the duration of the ticks.

    Below the chart: what the single ticks of the whole minute come to.

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
    #: How many single ticks the minute had (`ticks`), and of their lateness (`late`) and work (`work`) the
    #: milliseconds for each of PERCENTS; empty when none are known.
    percentiles: traitlets.Dict[str, Any] = traitlets.Dict().tag(sync=True)

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
        return still.beside(shown, {"text/html": self._still()})

    def _still(self) -> str:
        """The last minute as a table, for where no kernel is."""
        try:
            rows = self._io.run(self._game.latency(since_s=time.time() - SPAN_S))
        except GamekitError:
            rows = []
        found = percentiles_of(rows)
        table = [
            [name, *(f"{ms:.2f}" for ms in found.get(measure, ()))]
            for measure, name in zip(_MEASURES, ("lateness", "duration"), strict=True)
        ]
        heads = ["worst" if percent == 100 else f"{percent} %" for percent in PERCENTS]
        caption = f"The {found.get('ticks', 0)} ticks of the last {len(rows)} seconds, in ms"
        return show.table(caption, ["", *heads], table)

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
                self.percentiles = percentiles_of(rows)
            await asyncio.sleep(_INTERVAL_S)

    # --- on whatever thread the front end's messages come in ---------------------------------------------------

    def _on_front_end(self, _: object, content: dict[str, Any], __: object) -> None:
        self._io.post(self._heard, content)
