"""What ships under way have spoken for: wares that they will fetch, and room for what they will bring.

An index over the ships' jobs, never saved and always rebuildable; `invariants.check` compares the two. Every trade
leaves alone what others have reserved, so a crate is promised once and a ship that comes for it finds it.
"""

from __future__ import annotations

from collections.abc import Iterable

from gamekit.space.model import Job, Ship


class Reserved:
    """Units by station and ware.

    Attributes:
        stock: `{(station_id, ware_id): units}` that ships will fetch; nothing at zero.
        room: `{(station_id, ware_id): units}` that ships will bring; nothing at zero.
        touched: `{(station_id, ware_id): None}` of all that changed since the market last looked.
    """

    __slots__ = ("room", "stock", "touched")

    def __init__(self, ships: Iterable[Ship]) -> None:
        self.stock: dict[tuple[str, str], int] = {}
        self.room: dict[tuple[str, str], int] = {}
        self.touched: dict[tuple[str, str], None] = {}
        for ship in ships:
            if ship.job is not None:
                self.add(ship.job)

    def add(self, job: Job) -> None:
        """Speak for what a job needs from now on."""
        if job.source is not None and not job.loaded:
            self._moved(self.stock, (job.source, job.ware), job.units)
        self._moved(self.room, (job.target, job.ware), job.units)

    def remove(self, job: Job) -> None:
        """Let go of what `add` took."""
        if job.source is not None and not job.loaded:
            self._moved(self.stock, (job.source, job.ware), -job.units)
        self._moved(self.room, (job.target, job.ware), -job.units)

    def stock_for(self, ship: Ship, station_id: str, ware: str) -> int:
        """Units of a station's stock that are kept for ships other than `ship`."""
        units = self.stock.get((station_id, ware), 0)
        job = ship.job
        mine = units and job is not None and not job.loaded and (job.source, job.ware) == (station_id, ware)
        return units - job.units if mine and job is not None else units

    def room_for(self, ship: Ship, station_id: str, ware: str) -> int:
        """Units of room at a station that are kept for ships other than `ship`."""
        units = self.room.get((station_id, ware), 0)
        job = ship.job
        mine = units and job is not None and (job.target, job.ware) == (station_id, ware)
        return units - job.units if mine and job is not None else units

    def _moved(self, table: dict[tuple[str, str], int], place: tuple[str, str], units: int) -> None:
        self.touched[place] = None
        total = table.get(place, 0) + units
        if total:
            table[place] = total
        else:
            table.pop(place, None)
