"""The frames that show one moment, of a picture of it: a live game's, or all that there is in a state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from gamekit.lab.frames.export import Exporting
from gamekit.lab.frames.rows import frame, gate_row, price_rows, sector_rows, ship_row, station_row, table

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.client.seen import Seen


class MomentFrames(Exporting, ABC):
    """What stands where, and at which prices."""

    @abstractmethod
    def _picture(self) -> Seen:
        """The moment, as whoever looks sees it."""

    @property
    def ships(self) -> pd.DataFrame:
        """All ships that are seen, a row each; what nobody tells of them, such as cargo, is missing."""
        seen = self._picture()
        return frame("ships", (ship_row(seen, key, ship) for key, ship in table(seen, "ships").items()), seen)

    @property
    def stations(self) -> pd.DataFrame:
        """All stations that are seen, a row each."""
        seen = self._picture()
        return frame("stations", (station_row(key, row) for key, row in table(seen, "stations").items()), seen)

    @property
    def sectors(self) -> pd.DataFrame:
        """All sectors that are known, a row each."""
        return frame("sectors", sector_rows(seen := self._picture()), seen)

    @property
    def gates(self) -> pd.DataFrame:
        """All gates that are seen, a row each, with the storms that close them."""
        seen = self._picture()
        return frame("gates", (gate_row(key, row) for key, row in table(seen, "gates").items()), seen)

    @property
    def prices(self) -> pd.DataFrame:
        """What every station pays and asks, a row for each station and ware."""
        seen = self._picture()
        return frame("prices", price_rows(seen), seen)
