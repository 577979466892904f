"""Who knows which sectors under fog, and where they trade: an index over charts and discoveries, never saved.

Whoever adds to either calls `learned`; whoever opens or closes a gate calls `forget`, as with the whole atlas.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gamekit.game import PlayerId
from gamekit.space.market import Market
from gamekit.space.model import Gate, Sector, Station
from gamekit.space.travel import Atlas

#: So many markets are kept: one of a galaxy that somebody knows well takes some ten megabytes.
_MARKETS = 4


class Maps:
    """What each player knows, as a set and as an atlas of its own; players who know the same share them."""

    __slots__ = ("_atlases", "_gates", "_known", "_markets", "_sectors", "_stations")

    def __init__(
        self, sectors: Mapping[str, Sector], gates: Mapping[str, Gate], stations: Mapping[str, Station]
    ) -> None:
        self._sectors = sectors
        self._gates = gates
        self._stations = stations
        #: {player, or None for spectators: the sectors they know}; sets are for membership only
        self._known: dict[PlayerId | None, frozenset[str]] = {}
        self._atlases: dict[frozenset[str], Atlas] = {}
        #: Those that were asked for last, the last one at the end.
        self._markets: dict[frozenset[str], Market] = {}

    def known(self, player: PlayerId | None, charted: Iterable[str], discovered: Iterable[str]) -> frozenset[str]:
        """The sectors that a player knows, from the two tables that say so; worked out once."""
        try:
            return self._known[player]
        except KeyError:
            known = self._known[player] = frozenset(charted).union(discovered)
            return known

    def atlas(self, known: frozenset[str]) -> Atlas:
        """How to get anywhere through known sectors only."""
        atlas = self._atlases.get(known)
        if atlas is None:
            atlas = self._atlases[known] = Atlas(self._sectors, self._gates, self._stations, known)
        return atlas

    def market(self, known: frozenset[str]) -> Market:
        """What those who know these sectors can carry between them; whoever holds a round looks at it first."""
        market = self._markets.pop(known, None) or Market(self.atlas(known), known)
        self._markets[known] = market
        if len(self._markets) > _MARKETS:
            del self._markets[next(iter(self._markets))]
        return market

    def learned(self) -> None:
        """Somebody knows more than before."""
        self._known.clear()
        self._atlases.clear()
        self._markets.clear()

    def forget(self, *, joined: bool = True) -> None:
        """Drop the travel times that were kept, because a gate opened or closed; see `Atlas.forget`."""
        for atlas in self._atlases.values():
            atlas.forget(joined=joined)

    def storm_begins(self) -> None:
        """A passage that was closed already will open now; see `Atlas.storm_begins`."""
        for atlas in self._atlases.values():
            atlas.storm_begins()
