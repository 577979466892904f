"""The frames of a past: of a replay, a branch, or a game in a database. Nothing of them needs a server.

Commands and latency are read; ships, stations, prices and books are those of the tick looked at; trades and events are
what fell up to it, for which the past is played once from its beginning (some 50,000 events a second) and then known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from gamekit.game import Event, Game, Tick
from gamekit.journal import LatencyRow
from gamekit.lab.frames.long import commands_frame, latency_frame
from gamekit.lab.frames.state import StateFrames

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.lab.replay import Replay


class PastFrames(StateFrames):
    """The frames of a past at one tick.

    Args:
        replay: gives the past looked at at that tick, when a frame needs the state; it may have to find the rules.
        records: gives seq, tick, epoch and the commands' JSON text of every record, in order.
        latency: gives the measured tick times, where they were kept.
    """

    def __init__(
        self,
        replay: Callable[[], Replay],
        records: Callable[[], Iterable[tuple[int, Tick, int, str]]],
        latency: Callable[[], Sequence[LatencyRow]] = lambda: (),
    ) -> None:
        self._replay = replay
        self._records = records
        self._measured = latency
        self._known: tuple[Tick, list[tuple[Tick, Event]]] | None = None

    def _now(self) -> tuple[Game[Any], Any]:
        looked_at = self._replay()
        return looked_at.rules, looked_at.state

    def _told(self) -> Sequence[tuple[Tick, Event]]:
        looked_at = self._replay()
        if self._known is None or self._known[0] != looked_at.tick:
            from gamekit.lab.replay import Replay

            again = Replay(looked_at.past, looked_at.rules).seek(0)
            self._known = (looked_at.tick, list(again.events(looked_at.tick)))
        return self._known[1]

    @property
    def commands(self) -> pd.DataFrame:
        """The whole history: every command that was journaled, in order."""
        return commands_frame(self._records())

    @property
    def latency(self) -> pd.DataFrame:
        """How late ticks began and how long they took, a row a second; empty where nobody measured."""
        return latency_frame(self._measured())
