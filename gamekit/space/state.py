"""The state that the rules work on: the saved tables, and the indexes that are rebuilt and never saved."""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

from gamekit.game import Event, PlayerId
from gamekit.space.hooks import NO_HOOKS
from gamekit.space.maps import Maps
from gamekit.space.market import Market
from gamekit.space.model import Saved, SavedWithTurns, Turned
from gamekit.space.parts import Parts
from gamekit.space.reserved import Reserved
from gamekit.space.schedule import Agenda
from gamekit.space.travel import Atlas


class Rest(NamedTuple):
    """Work broken off between two parts, and what happened since time was last asked to pass."""

    parts: Parts[None]
    events: list[Event]


class SpaceState:
    """One game's state. Mutable, owned by the caller; see `model.Saved` for the tables.

    Attributes:
        agenda: what falls due when.
        atlas: how to get anywhere.
        reserved: what jobs have spoken for.
        market: who sells what to whom.
        hooks: what the state's game does in its own way.
        maps: who knows which sectors, under fog.
        turned: how often the orders under way turned their ships; those that are done or gone do not count.
        rest: what is left of the work under way when time was broken off inside a tick, else None; never saved.
    """

    __slots__ = (
        "agenda",
        "atlas",
        "charts",
        "gates",
        "hooks",
        "ledger",
        "maps",
        "market",
        "players",
        "reserved",
        "rest",
        "rules",
        "scenario",
        "sectors",
        "seed",
        "ship_classes",
        "ships",
        "ships_made",
        "stations",
        "tick",
        "turned",
        "wares",
    )

    def __init__(self, saved: Saved) -> None:
        self.hooks = NO_HOOKS
        self.rest: Rest | None = None
        self.tick = saved.tick
        self.seed = saved.seed
        self.scenario = saved.scenario
        self.rules = saved.rules
        self.wares = saved.wares
        self.sectors = saved.sectors
        self.gates = saved.gates
        self.stations = saved.stations
        self.ships = saved.ships
        self.players = saved.players
        self.ledger = saved.ledger
        self.ships_made = saved.ships_made
        self.ship_classes = saved.ship_classes
        self.charts = saved.charts
        self.turned: dict[str, Turned] = saved.turned if isinstance(saved, SavedWithTurns) else {}
        self.reindex()

    def reindex(self) -> None:
        """Make the indexes anew from the tables, because much of what they are made from has changed."""
        self.agenda = Agenda(
            chain(
                self.stations.values(),
                self.ships.values(),
                self.players.values(),
                self.gates.values(),
                (self.charts,),
            )
        )
        self.atlas = Atlas(self.sectors, self.gates, self.stations)
        self.reserved = Reserved(self.ships.values())
        self.market = Market(self.atlas)
        self.maps = Maps(self.sectors, self.gates, self.stations)

    def saved(self) -> Saved:
        """The tables as they are saved; they are shared with this state, not copied."""
        tables = (
            self.tick,
            self.seed,
            self.scenario,
            self.rules,
            self.wares,
            self.sectors,
            self.gates,
            self.stations,
            self.ships,
            self.players,
            self.ledger,
            self.ships_made,
            self.ship_classes,
            self.charts,
        )
        turned = self._turned_now() if self.turned else {}
        return SavedWithTurns(*tables, turned) if turned else Saved(*tables)

    def _turned_now(self) -> dict[str, Turned]:
        """The turns of orders that are still under way, in the order of ships."""
        ships = [self.ships[ship_id] for ship_id in self.turned if ship_id in self.ships]
        live = [ship for ship in ships if any(entry.order == self.turned[ship.id].order for entry in ship.queue)]
        return {ship.id: self.turned[ship.id] for ship in sorted(live, key=lambda ship: ship.key)}

    def known_to(self, player: PlayerId | None) -> frozenset[str] | None:
        """The sectors that a player knows, or a spectator (None); None when they know all there are.

        Companies know everything, as their pilots are old hands: so trade does not depend on what players find.
        """
        if not self.rules.fog:
            return None
        one = self.players.get(player) if player is not None else None
        if one is not None and one.company:
            return None
        return self.maps.known(player, self.charts.sectors, one.discovered if one is not None else ())

    def knows(self, player: PlayerId | None, sector: str) -> bool:
        """Whether a player, or a spectator (None), knows a sector."""
        if not self.rules.fog:
            return True
        known = self.known_to(player)
        return known is None or sector in known

    def called(self, player: PlayerId | None, sector: str) -> str:
        """What a player calls a sector: its name, when it is known."""
        return self.sectors[sector].name if self.knows(player, sector) else "the unknown"

    def atlas_of(self, player: PlayerId) -> Atlas:
        """How to get anywhere by what a player knows."""
        if not self.rules.fog:
            return self.atlas
        known = self.known_to(player)
        return self.atlas if known is None else self.maps.atlas(known)
