"""Stations as handles: what they trade, at which prices, and how they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gamekit.client import show
from gamekit.client.named import Named
from gamekit.client.names import find
from gamekit.errors import UnknownName

if TYPE_CHECKING:
    from gamekit.client.reading import Watching


class Station:
    """One station, as it is in the latest picture."""

    def __init__(self, eyes: Watching, station: str) -> None:
        self._eyes = eyes
        self.id = station

    @property
    def fields(self) -> dict[str, Any]:
        """The station's row of the view. Do not change it.

        Raises:
            UnknownName: it is not seen any more.
        """
        stations = self._eyes.view.get("stations", {})
        if self.id not in stations:
            raise UnknownName(f"The station {self.id!r} is not seen.")
        fields: dict[str, Any] = stations[self.id]
        return fields

    @property
    def name(self) -> str:
        """The station's name."""
        return str(self.fields["name"])

    @property
    def sector(self) -> str:
        """The id of the sector that it is in."""
        return str(self.fields["sector"])

    @property
    def status(self) -> str:
        """producing, starved, clogged, trading and so on."""
        return str(self.fields["status"])

    @property
    def reason(self) -> str:
        """Why it is so, as a sentence."""
        return str(self.fields["reason"])

    @property
    def buys(self) -> list[str]:
        """The ids of the wares that it buys."""
        return list(self.fields["buys"])

    @property
    def sells(self) -> list[str]:
        """The ids of the wares that it sells."""
        return list(self.fields["sells"])

    @property
    def stock(self) -> dict[str, int]:
        """`{ware id: units}`."""
        return dict(self.fields["stock"])

    def price(self, ware: str) -> float:
        """What one unit costs there now, in credits.

        Raises:
            UnknownName: it does not deal in such a ware.
        """
        return int(self.fields["price"][find(self._wares(), ware, "ware here")]) / 100

    def _wares(self) -> dict[str, dict[str, Any]]:
        wares = self._eyes.view.get("wares", {})
        return {ware: {"name": wares.get(ware, {}).get("name", ware)} for ware in self.fields["price"]}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Station) and (self.id, self._eyes) == (other.id, other._eyes)

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"<Station {self.name} ({self.id}), {self.status} in {self.sector}: {self.reason}>"

    def _repr_html_(self) -> str:
        row = self.fields
        names = self._wares()
        rows = [
            [
                names[ware]["name"],
                " and ".join(word for word in ("buys", "sells") if ware in row[word]) or "uses",
                row["stock"].get(ware, 0),
                row["capacity"].get(ware),
                show.credits_text(price),
            ]
            for ware, price in row["price"].items()
        ]
        caption = f"{self.name} in {self.sector}: {self.status}. {self.reason}"
        return show.table(caption, ["ware", "the station", "stock", "room", "price of one"], rows)


class Stations(Named[Station]):
    """All stations that are seen, by id; `stations[...]` and `in` take names as well."""

    def __init__(self, eyes: Watching) -> None:
        super().__init__("station")
        self._eyes = eyes

    def _table(self) -> dict[str, dict[str, Any]]:
        table: dict[str, dict[str, Any]] = self._eyes.view.get("stations", {})
        return table

    def _item(self, key: str) -> Station:
        return Station(self._eyes, key)

    def __repr__(self) -> str:
        return f"<Stations {', '.join(str(row['name']) for row in self._table().values()) or 'none'}>"

    def _repr_html_(self) -> str:
        rows = [
            [key, row["name"], row["kind"], row["sector"], row["status"], row["reason"]]
            for key, row in self._table().items()
        ]
        return show.table(
            f"Stations at tick {self._eyes.tick:,}", ["id", "name", "kind", "sector", "status", "reason"], rows
        )
