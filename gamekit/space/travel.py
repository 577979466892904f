"""Routes: which gates lead somewhere soonest, and how long it takes. Everything here only reads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from heapq import heappop, heappush

from gamekit.game import Tick
from gamekit.space.geometry import Place, along, leg_ticks
from gamekit.space.model import Docked, Gate, InGate, InSpace, OnLeg, Sector, Station
from gamekit.space.trees import START, Tree, soonest

__all__ = ["Atlas", "Place", "along", "leg_ticks"]

_GOAL = START
#: So many ways from one sector are looked for one by one; from then on they are read off trees that all share.
_ALONE = 4
_MOST_TREES = 64
#: From so many places of one speed it is remembered how far it is to the gates.
_MOST_REACHES = 4_096
#: So many ways are remembered, by their gates and by their lengths.
_MOST_ROUTES = 1 << 14
_MOST_WAYS = 1 << 19


class _Reach:
    """How far it is from a place to the gates around it, as far as somebody asked.

    Attributes:
        reached: `{number of a gate: ticks}` to those whose soonest way is known.
        ahead: a heap of `(ticks, number of a gate)` to those that come next (Dijkstra, broken off and taken up again).
    """

    __slots__ = ("ahead", "reached")

    def __init__(self) -> None:
        self.reached: dict[int, Tick] = {}
        self.ahead: list[tuple[Tick, int]] = []


class Atlas:
    """How to get from anywhere to anywhere. An index over gates and stations: never saved, always rebuildable.

    One made for `known` sectors knows no way through others. Ways between stations, and how far it is from a place to
    the gates, are kept: who opens or closes a gate lets the atlas `forget`.
    """

    __slots__ = (
        "_asked",
        "_docks",
        "_fronts",
        "_gates",
        "_joined",
        "_known",
        "_numbered",
        "_of_sector",
        "_onward",
        "_reaches",
        "_routes",
        "_stations",
        "_trees",
        "changes",
    )

    def __init__(
        self,
        sectors: Mapping[str, Sector],
        gates: Mapping[str, Gate],
        stations: Mapping[str, Station],
        known: Collection[str] | None = None,
    ) -> None:
        self._gates = gates
        self._stations = stations
        #: {station_id or gate_id: its dock, or the point in front of it}
        self._docks: dict[str, Place] = {}
        self._fronts: dict[str, Place] = {}
        self._numbered = list(gates.values())
        within = sectors if known is None else known
        self._of_sector = {
            sector.id: [gates[gate] for gate in sector.gates if gates[gate].to_sector in within]
            for sector in sectors.values()
            if sector.id in within
        }
        #: How often gates opened or closed since this was made, for who keeps what depends on it.
        self.changes = 0
        #: {speed: for each gate's number, (ticks of the jump and the leg to the next gate, that gate's number)}
        self._onward: dict[int, list[list[tuple[Tick, int]]]] = {}
        #: {(speed, station, station): ticks, or None when there is no way}
        self._known: dict[tuple[int, str, str], Tick | None] = {}
        #: {(speed, from, to, whether through open gates only): the way, where no storm has a part in it}
        self._routes: dict[tuple[int, Place, Place, bool], list[Gate] | None] = {}
        #: {(speed, sector): how many ways were looked for from there}
        self._asked: dict[tuple[int, str], int] = {}
        #: {(speed, number of a gate): the ways from there}
        self._trees: dict[tuple[int, int], Tree] = {}
        #: {sector: the number of those that hang together}; empty when it is to be found anew.
        self._joined: dict[str, int] = {}
        #: {speed: {place: how far it is from there to the gates}}
        self._reaches: dict[int, dict[Place, _Reach]] = {}

    def place(self, at: InSpace | OnLeg | Docked | InGate, tick: Tick) -> Place:
        """Where a ship is at `tick`; inside a gate it counts as where it will come out."""
        if isinstance(at, InSpace):
            return Place(at.sector, at.x, at.y)
        if isinstance(at, OnLeg):
            return Place(at.sector, *along(at, tick))
        if isinstance(at, Docked):
            return self.at_station(at.station)
        return self.at_gate(at.exit)

    def at_station(self, station_id: str) -> Place:
        """The dock of a station."""
        dock = self._docks.get(station_id)
        if dock is None:
            station = self._stations[station_id]
            dock = self._docks[station_id] = Place(station.sector, station.x, station.y, station_id)
        return dock

    def at_gate(self, gate_id: str) -> Place:
        """In front of a gate."""
        front = self._fronts.get(gate_id)
        if front is None:
            gate = self._gates[gate_id]
            front = self._fronts[gate_id] = Place(gate.sector, gate.x, gate.y)
        return front

    def route(self, speed: int, start: Place, goal: Place, depart: Tick | None = None) -> list[Gate] | None:
        """The gates to enter, in order, on the way that takes least time; None when there is no way.

        Within one sector the way is straight, without any gate. Of ways that take equally long the one with fewer
        jumps is taken, then the one whose gates have smaller numbers (Dijkstra over gates).

        Args:
            speed: millimetres per tick.
            start, goal: from where to where.
            depart: when; then storms whose end is known are waited for before their gates, where that is soonest.
                Without it the way leads through open gates only.
        """
        if start.sector == goal.sector:
            return []
        if not self.joined(start.sector, goal.sector):
            return None
        pair = (speed, start, goal, depart is None)
        try:
            return self._routes[pair]
        except KeyError:
            asked = self._asked[speed, start.sector] = self._asked.get((speed, start.sector), 0) + 1
            if asked <= _ALONE:
                route, timed = self._route(speed, start, goal, depart)
            else:
                route, timed = self._shared(speed, start, goal, depart)
            # What depends on the storms of now is another way at another tick.
            if not timed:
                if len(self._routes) >= _MOST_ROUTES:
                    self._routes.clear()
                self._routes[pair] = route
            return route

    def way(self, speed: int, start: Place, goal: Place) -> list[Gate] | None:
        """The gates on the way that takes least time if all were open; None when no gates lead there."""
        return [] if start.sector == goal.sector else self._route(speed, start, goal, None, through_all=True)[0]

    def opens(self, gate: Gate) -> Tick | None:
        """When the storm that rages over a closed passage ends, asked at either end; None when nobody can tell."""
        other = self._gates[gate.to]
        first = gate if gate.number < other.number else other
        return first.due if first.stormy else None

    def joined(self, sector: str, other: str) -> bool:
        """Whether gates that are open, or will open at a known time, lead from one sector to another."""
        if not self._joined:
            self._join()
        # What is not known here is joined with nothing.
        return self._joined.get(sector, -1) == self._joined.get(other, -2)

    def _join(self) -> None:
        """Number the sectors by which of them hang together."""
        joined = self._joined
        for number, first in enumerate(self._of_sector):
            if first in joined:
                continue
            joined[first] = number
            edge = [first]
            while edge:
                for gate in self._of_sector[edge.pop()]:
                    if gate.to_sector not in joined and (gate.open or self.opens(gate) is not None):
                        joined[gate.to_sector] = number
                        edge.append(gate.to_sector)

    def _route(
        self, speed: int, start: Place, goal: Place, depart: Tick | None, *, through_all: bool = False
    ) -> tuple[list[Gate] | None, bool]:
        """The way, and whether a storm had a part in finding it."""
        onward = self._onward.get(speed) or self._measure(speed)
        numbered = self._numbered
        came_from: dict[int, int] = {}
        heap: list[tuple[Tick, int, int, int]] = []
        timed = False
        for gate in self._of_sector.get(start.sector, ()):
            if gate.open or through_all or (depart is not None and self.opens(gate) is not None):
                heappush(heap, (leg_ticks(speed, gate.x - start.x, gate.y - start.y), 1, gate.number, _GOAL))
        while heap:
            ticks, jumps, number, before = heappop(heap)
            if number in came_from:
                continue
            came_from[number] = before
            if number == _GOAL:
                return self._walked_back(came_from), timed
            gate = numbered[number]
            if not gate.open and not through_all and depart is not None:
                timed = True
                ticks = max(ticks, (self.opens(gate) or 0) - depart)
            if gate.to_sector == goal.sector:
                exit_gate = self._gates[gate.to]
                last = gate.jump_ticks + leg_ticks(speed, goal.x - exit_gate.x, goal.y - exit_gate.y)
                heappush(heap, (ticks + last, jumps, _GOAL, number))
            for more, following in onward[number]:
                if following not in came_from:
                    ahead = numbered[following]
                    if ahead.open or through_all or (depart is not None and self.opens(ahead) is not None):
                        heappush(heap, (ticks + more, jumps + 1, following, number))
        return None, timed

    def _shared(self, speed: int, start: Place, goal: Place, depart: Tick | None) -> tuple[list[Gate] | None, bool]:
        """What `_route` finds, read off trees that are kept for all who are planned from this sector."""
        onward = self._onward.get(speed) or self._measure(speed)
        roots: list[tuple[Tick, Tree]] = []
        storms: list[Tick] = []
        for gate in self._of_sector.get(start.sector, ()):
            leg = leg_ticks(speed, gate.x - start.x, gate.y - start.y)
            if gate.open:
                roots.append((leg, self._tree(speed, gate.number)))
            elif self.opens(gate) is not None:
                storms.append(leg)
        lasts = {}
        for out in self._of_sector.get(goal.sector, ()):
            into = self._gates[out.to]
            lasts[into.number] = into.jump_ticks + leg_ticks(speed, goal.x - out.x, goal.y - out.y)
        way, ticks = soonest(roots, lasts, onward, self._numbered, lambda gate: self.opens(gate) is not None)
        storms += [leg + tree.storm for leg, tree in roots if tree.storm is not None]
        if depart is not None and storms and (ticks is None or min(storms) < ticks):
            return self._route(speed, start, goal, depart)
        return way, False

    def _tree(self, speed: int, number: int) -> Tree:
        tree = self._trees.get((speed, number))
        if tree is None:
            if len(self._trees) >= _MOST_TREES:
                self._trees.clear()
            tree = self._trees[speed, number] = Tree(number)
        return tree

    def forget(self, *, joined: bool = True) -> None:
        """Drop what was kept of ways and travel times, because a gate opened or closed.

        Args:
            joined: whether other sectors may hang together now; not where a storm begins or ends.
        """
        self._known.clear()
        self._routes.clear()
        self._reaches.clear()
        self._trees.clear()
        self._asked.clear()
        if joined:
            self._joined.clear()
        self.changes += 1

    def storm_begins(self) -> None:
        """Drop what was kept because a storm rages over a passage that was closed already: it will open now."""
        self._joined.clear()
        self._routes.clear()
        self._trees.clear()

    def travel_ticks(self, speed: int, start: Place, goal: Place) -> Tick | None:
        """How long a ship flies and jumps from one place to another, without docking; None when there is no way."""
        if start.station is None or goal.station is None:
            return self._travel_ticks(speed, start, goal)
        pair = (speed, start.station, goal.station)
        try:
            return self._known[pair]
        except KeyError:
            if len(self._known) >= _MOST_WAYS:
                self._known.clear()
            ticks = self._known[pair] = self._travel_ticks(speed, start, goal)
            return ticks

    def _travel_ticks(self, speed: int, start: Place, goal: Place) -> Tick | None:
        if start.sector == goal.sector:
            return leg_ticks(speed, goal.x - start.x, goal.y - start.y)
        return self._extended(self._reach(speed, start), speed, goal)

    def _reach(self, speed: int, start: Place) -> _Reach:
        """How far it is from a place to the gates around it, as it is kept."""
        reaches = self._reaches.setdefault(speed, {})
        reach = reaches.get(start)
        if reach is None:
            if len(reaches) >= _MOST_REACHES:
                reaches.clear()
            reach = reaches[start] = _Reach()
            for gate in self._of_sector.get(start.sector, ()):
                if gate.open:
                    ticks = leg_ticks(speed, gate.x - start.x, gate.y - start.y)
                    heappush(reach.ahead, (ticks, gate.number))
        return reach

    def outward(self, speed: int, start: Place) -> Iterator[tuple[Tick, Gate]]:
        """The gates that one comes out of on the ways from a place, and when at the soonest; nearest first.

        No way is asked for meanwhile.
        """
        reach, numbered, gates = self._reach(speed, start), self._numbered, self._gates
        onward = self._onward.get(speed) or self._measure(speed)
        for number, ticks in reach.reached.items():
            gate = numbered[number]
            yield ticks + gate.jump_ticks, gates[gate.to]
        reached, ahead = reach.reached, reach.ahead
        while ahead:
            ticks, number = heappop(ahead)
            if number in reached:
                continue
            reached[number] = ticks
            for more, following in onward[number]:
                if following not in reached and numbered[following].open:
                    heappush(ahead, (ticks + more, following))
            gate = numbered[number]
            yield ticks + gate.jump_ticks, gates[gate.to]

    def _extended(self, reach: _Reach, speed: int, goal: Place) -> Tick | None:
        """How long it takes to a place in another sector: look as far as that takes, and go on from there next time."""
        reached, ahead, numbered = reach.reached, reach.ahead, self._numbered
        onward = self._onward.get(speed) or self._measure(speed)
        #: {number of a gate into the goal's sector: ticks from entering it to the goal}
        last: dict[int, Tick] = {}
        best: Tick | None = None
        for out in self._of_sector.get(goal.sector, ()):
            into = self._gates[out.to]
            ticks = into.jump_ticks + leg_ticks(speed, goal.x - out.x, goal.y - out.y)
            last[into.number] = ticks
            if into.number in reached and (best is None or reached[into.number] + ticks < best):
                best = reached[into.number] + ticks
        while ahead and (best is None or ahead[0][0] < best):
            ticks, number = heappop(ahead)
            if number in reached:
                continue
            reached[number] = ticks
            if number in last and (best is None or ticks + last[number] < best):
                best = ticks + last[number]
            for more, following in onward[number]:
                if following not in reached and numbered[following].open:
                    heappush(ahead, (ticks + more, following))
        return best

    def sectors_within(self, sector: str, jumps: int) -> set[str]:
        """The sectors at most so many jumps away, whether their gates are open or not; for membership tests only."""
        found = {sector}
        edge = [sector]
        for _ in range(jumps):
            edge = list({gate.to_sector: None for here in edge for gate in self._of_sector[here]}.keys() - found)
            if not edge:
                break
            found.update(edge)
        return found

    def _walked_back(self, came_from: Mapping[int, int]) -> list[Gate]:
        gates = []
        number = came_from[_GOAL]
        while number != _GOAL:
            gates.append(self._numbered[number])
            number = came_from[number]
        gates.reverse()
        return gates

    def _measure(self, speed: int) -> list[list[tuple[Tick, int]]]:
        """Learn the times between gates for ships of one speed, once."""
        measured = []
        for gate in self._numbered:
            out = self._gates[gate.to]
            measured.append(
                [
                    (gate.jump_ticks + leg_ticks(speed, other.x - out.x, other.y - out.y), other.number)
                    for other in self._of_sector.get(gate.to_sector, ())
                    if other is not out
                ]
            )
        self._onward[speed] = measured
        return measured
