"""What a recorded run looked like on the way: samples at equal intervals of game time, as long frames.

Numbers are kept in flat lists and become pandas only when a frame is asked for, so that recording costs little.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gamekit.game import Event, Game, Tick
from gamekit.lab.frames.columns import HISTORY_COLUMNS
from gamekit.lab.frames.long import long_frame
from gamekit.lab.frames.state import account_rows
from gamekit.space import SpaceState
from gamekit.space.trading import prices

if TYPE_CHECKING:
    import pandas as pd


class History:
    """Samples of one run, and all events that were told.

    Attributes:
        every: ticks between two samples.
        events: each event with its tick, in order.
    """

    def __init__(self, every: Tick) -> None:
        self.every = every
        self.events: list[tuple[Tick, Event]] = []
        self._columns: dict[str, dict[str, list[Any]]] = {
            kind: {name: [] for name in columns if name != "time"} for kind, columns in HISTORY_COLUMNS.items()
        }

    def passed(self, game: Game[SpaceState], state: SpaceState, until: Tick) -> int:
        """Let time pass to `until`, noting every event and taking the samples that fall due; how many events fell."""
        before = len(self.events)
        if not self._columns["stations"]["tick"]:
            self.sample(state)
        while state.tick < until:
            stop = min(until, (state.tick // self.every + 1) * self.every)
            while (due := game.next_due(state)) is not None and due <= stop:
                self.events += [(due, event) for event in game.advance(state, due)]
            game.advance(state, stop)
            if stop % self.every == 0:
                self.sample(state)
        return len(self.events) - before

    def sample(self, state: SpaceState) -> None:
        """Note how things stand."""
        tick = state.tick
        for station in state.stations.values():
            self._note("stations", tick, station.id, station.status)
            for ware, price in prices(state, station).items():
                stock, capacity = station.stock[ware], station.capacity[ware]
                ratio = price / state.wares[ware].base_price
                self._note("prices", tick, station.id, ware, stock, capacity, price / 100, ratio)
        for account, kind, asset, amount in account_rows(state):
            self._note("ledger", tick, account, kind, asset, amount / 100 if asset == "credits" else float(amount))

    def _note(self, kind: str, *values: Any) -> None:
        for column, value in zip(self._columns[kind].values(), values, strict=True):
            column.append(value)

    @property
    def prices(self) -> pd.DataFrame:
        """Stock and price of every ware at every station, at every sample."""
        return self._frame("prices")

    @property
    def stations(self) -> pd.DataFrame:
        """Every station's status at every sample."""
        return self._frame("stations")

    @property
    def ledger(self) -> pd.DataFrame:
        """Every account at every sample; at each tick the balances of each asset sum to zero."""
        return self._frame("ledger")

    def columns(self, kind: str) -> dict[str, list[Any]]:
        """The values that the frame of this kind is made of, column by column; do not change them."""
        return self._columns[kind]

    def _frame(self, kind: str) -> pd.DataFrame:
        return long_frame(HISTORY_COLUMNS[kind], self._columns[kind])

    def __repr__(self) -> str:
        samples = len(set(self._columns["stations"]["tick"]))
        return f"<History: {samples} samples, {len(self.events):,} events; frames {', '.join(HISTORY_COLUMNS)}>"
