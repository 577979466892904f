"""The state that the rules work on: the saved tables, and the indexes that are rebuilt and never saved."""

from __future__ import annotations

from itertools import chain

from gamekit.space.hooks import NO_HOOKS
from gamekit.space.market import Market
from gamekit.space.model import Saved
from gamekit.space.reserved import Reserved
from gamekit.space.schedule import Agenda
from gamekit.space.travel import Atlas


class SpaceState:
    """One game's state. Mutable, owned by the caller; see `model.Saved` for the tables.

    Attributes:
        agenda: what falls due when.
        atlas: how to get anywhere.
        reserved: what jobs have spoken for.
        market: who sells what to whom.
        hooks: what the state's game does in its own way.
    """

    __slots__ = (
        "agenda",
        "atlas",
        "gates",
        "hooks",
        "ledger",
        "market",
        "players",
        "reserved",
        "rules",
        "scenario",
        "sectors",
        "seed",
        "ship_classes",
        "ships",
        "ships_made",
        "stations",
        "tick",
        "wares",
    )

    def __init__(self, saved: Saved) -> None:
        self.hooks = NO_HOOKS
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
        self.reindex()

    def reindex(self) -> None:
        """Make the indexes anew from the tables, because much of what they are made from has changed."""
        self.agenda = Agenda(
            chain(self.stations.values(), self.ships.values(), self.players.values(), self.gates.values())
        )
        self.atlas = Atlas(self.sectors, self.gates, self.stations)
        self.reserved = Reserved(self.ships.values())
        self.market = Market()

    def saved(self) -> Saved:
        """The tables as they are saved; they are shared with this state, not copied."""
        return Saved(
            tick=self.tick,
            seed=self.seed,
            scenario=self.scenario,
            rules=self.rules,
            wares=self.wares,
            sectors=self.sectors,
            gates=self.gates,
            stations=self.stations,
            ships=self.ships,
            players=self.players,
            ledger=self.ledger,
            ships_made=self.ships_made,
            ship_classes=self.ship_classes,
        )
