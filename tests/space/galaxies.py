"""Small galaxies with easy numbers, and a way to play in them that checks the laws at every step.

In each of them a sector is 2,000 m wide, gates stand 900 m from its centre, ships fly 10 m a tick (so 90 ticks from
the centre to a gate), a jump takes 50 ticks and docking 10. Trades cost no fee unless a test asks for one.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from gamekit.errors import InvariantViolated
from gamekit.game import Command, Event, Join, PlayerId, Rejected, Tick, View, merge
from gamekit.lab.failures import Recorder
from gamekit.space import SpaceGame, SpaceState, check
from gamekit.space.commands import MoveShip, Target
from gamekit.space.gates import close_gate, open_gate
from gamekit.space.model import Ship
from gamekit.space.status import status_of

E = TypeVar("E", bound=Event)

RULES = {"ship_speed_mm_per_tick": 10_000, "initial_stock_percent": 50, "trade_fee_permille": 0}

#: Three sectors in a row: west, mid, east. All that is made and used lies between ore and metals.
LINE: dict[str, Any] = {
    "sectors": [
        {"id": "west", "name": "West", "x": -300, "y": 0},
        {"id": "mid", "name": "Mid", "x": 0, "y": 0},
        {"id": "east", "name": "East", "x": 300, "y": 0},
    ],
    "gates": [["west", "mid"], ["mid", "east"]],
    "stations": [
        {"sector": "west", "recipe": "store", "x": 0, "y": 0, "name": "Depot"},
        {"sector": "west", "recipe": "mine", "x": 0, "y": 500},
        {"sector": "mid", "recipe": "smelter", "x": 0, "y": 0},
        {"sector": "east", "recipe": "town", "x": 0, "y": 0},
    ],
    "wares": [
        {"id": "ore", "name": "Ore", "tier": 1, "volume": 3, "base_price": 1_000},
        {"id": "metals", "name": "Metals", "tier": 2, "volume": 2, "base_price": 2_800},
        {"id": "food", "name": "Food", "tier": 2, "volume": 1, "base_price": 1_601},
    ],
    "recipes": [
        {"id": "store", "name": "Store", "kind": "hub", "trades": ["ore", "metals", "food"]},
        {"id": "mine", "name": "Mine", "kind": "mine", "outputs": {"ore": 14}, "cycle_ticks": 600},
        {
            "id": "smelter",
            "name": "Smelter",
            "kind": "refinery",
            "inputs": {"ore": 8},
            "outputs": {"metals": 5},
            "cycle_ticks": 600,
        },
        {
            "id": "town",
            "name": "Town",
            "kind": "habitat",
            "inputs": {"metals": 2, "food": 4},
            "cycle_ticks": 600,
        },
    ],
}

#: The same with a way round: west and east are joined over north as well, which takes longer.
RING: dict[str, Any] = LINE | {
    "sectors": [*LINE["sectors"], {"id": "north", "name": "North", "x": 0, "y": -300}],
    "gates": [*LINE["gates"], ["west", "north"], ["north", "east"]],
}


class Play:
    """One game, played by Ada (p1) and Bob (p2), who start docked at the Depot with Mercury and Venus.

    After every step the invariants hold, and the mirrors of Ada, Bob and a spectator are what their views are. When one
    does not hold, what was played is in a capsule that the error names; what a test did to the state by itself is not.
    """

    def __init__(self, scenario: Any = None, rules: dict[str, int] | None = None) -> None:
        made = {"scenario": scenario or LINE, "rules": RULES | (rules or {})}
        self.recorder = Recorder(SpaceGame(), made["scenario"], made["rules"], 1)
        self.game = cast("SpaceGame", self.recorder)
        self.state: SpaceState = self.game.new(made, 1)
        self.story: list[Event] = []
        self.mirrors: dict[PlayerId | None, View] = {}
        for number, name in enumerate(("Ada", "Bob"), start=1):
            self.accepted(Join(name), f"p{number}")

    @property
    def mercury(self) -> Ship:
        """Ada's ship."""
        return self.state.ships["ship-1"]

    def status(self, ship: str = "ship-1") -> tuple[str, str]:
        """A ship's status and reason."""
        return status_of(self.state, self.state.ships[ship])

    def queue(self, ship: str = "ship-1") -> list[str]:
        """A ship's queue as its owner sees it, a word or two an entry."""
        owner = self.state.ships[ship].owner
        rows = self.game.view(self.state, owner)["ships"][ship]["queue"]
        fields = {"fly": ("sector", "x", "y"), "jump": ("exit",), "dock": ("station",)}
        return [" ".join([row["type"], *(str(row[f]) for f in fields.get(row["type"], ("ware",)))]) for row in rows]

    def etas(self, ship: str = "ship-1") -> list[Tick | None]:
        """When each entry of a ship's queue will be done."""
        owner = self.state.ships[ship].owner
        return [row["eta"] for row in self.game.view(self.state, owner)["ships"][ship]["queue"]]

    def accepted(self, command: Command, player: str = "p1") -> list[Event]:
        """Give a command that must be carried out."""
        answer = self.game.apply(self.state, PlayerId(player), command)
        assert not isinstance(answer, Rejected), answer
        return self.told(answer)

    def refused(self, command: Command, player: str = "p1") -> str:
        """Give a command that must be refused and change nothing; returns the code."""
        before = self.game.encode(self.state)
        answer = self.game.apply(self.state, PlayerId(player), command)
        assert isinstance(answer, Rejected), answer
        assert self.game.encode(self.state) == before
        return answer.code

    def move(self, *, append: bool = False, ship: str = "ship-1", **target: Any) -> list[Event]:
        """Send a ship to `sector, x, y`, `station` or `gate`."""
        return self.accepted(MoveShip(ship, Target(**target), append), self.state.ships[ship].owner)

    def run(self, ticks: Tick) -> list[Event]:
        """Let time pass, stopping at every due tick to check."""
        until = self.state.tick + ticks
        events: list[Event] = []
        while (due := self.game.next_due(self.state)) is not None and due <= until:
            events += self.told(self.game.advance(self.state, due))
        return events + self.told(self.game.advance(self.state, until))

    def run_until_idle(self, ship: str = "ship-1") -> list[Event]:
        """Let time pass until a ship has nothing more to do."""
        events: list[Event] = []
        while self.state.ships[ship].queue:
            due = self.game.next_due(self.state)
            assert due is not None, f"{ship} waits for ever: {self.state.ships[ship]}"
            assert due < 100_000, f"{ship} takes for ever: {self.state.ships[ship]}"
            events += self.told(self.game.advance(self.state, due))
        return events

    def run_to_hold(self, ship: str = "ship-1") -> list[Event]:
        """Let time pass until a ship holds."""
        events: list[Event] = []
        while not self.state.ships[ship].blocked:
            due = self.game.next_due(self.state)
            assert due is not None, f"{ship} never holds: {self.state.ships[ship]}"
            assert due < 100_000, f"{ship} never holds: {self.state.ships[ship]}"
            events += self.told(self.game.advance(self.state, due))
        return events

    def close(self, gate: str) -> list[Event]:
        """Close a passage."""
        return self.told(close_gate(self.state, gate))

    def open(self, gate: str) -> list[Event]:
        """Open a passage."""
        return self.told(open_gate(self.state, gate))

    def told(self, events: list[Event]) -> list[Event]:
        """Check the laws and every mirror after `events`."""
        self.story = [*self.story, *events][-60:]
        try:
            check(self.state, self.story)
        except InvariantViolated as broken:
            self.recorder.keep(self.state, broken)
            raise
        for viewer in (None, PlayerId("p1"), PlayerId("p2")):
            view = self.game.view(self.state, viewer)
            mirror = self.mirrors.setdefault(viewer, view)
            merge(mirror, self.game.changes(self.state, None, events))
            if viewer is not None:
                merge(mirror, self.game.changes(self.state, viewer, events))
            assert mirror == view, (viewer, events)
        return events


def only(kind: type[E], events: list[Event]) -> list[E]:
    """The events of one kind."""
    return [event for event in events if isinstance(event, kind)]
