"""The benchmarks' model as one would write it in Mesa: by steps, and by events. Needs the extra `bench`.

Both use the functions of `swarm` that say where a ship flies, so what differs is who calls them and when. Ships are
agents and nothing else: no space, no data collector, no positions, none of which the model needs.
Source: Mesa's introductory tutorial, and the heads of `mesa.model` and `mesa.experimental.devs.simulator`.
"""

from __future__ import annotations

from collections.abc import Callable

from mesa import Agent, Model

from gamekit.bench.swarm import Leg, first_leg, random_leg
from gamekit.game import Tick


class Ship(Agent):
    """A ship that starts its next leg in the step in which it arrives."""

    def __init__(self, model: Swarm, number: int) -> None:
        super().__init__(model)
        self.number = number
        self.leg: Leg = first_leg(model.swarm_seed, number, 0)
        self.begun = 1

    def step(self) -> None:
        """Once a tick."""
        model = self.model
        if self.leg[5] <= model.steps:
            self.next_leg(model.steps)

    def next_leg(self, tick: Tick) -> None:
        """Go on to the next place."""
        leg = self.leg
        self.leg = random_leg(self.model.swarm_seed, self.number, self.begun, leg[2], leg[3], tick)
        self.begun += 1


class Swarm(Model):
    """What both ways have in common: the ships.

    Args:
        ships: how many.
        seed: of their ways, and of Mesa's own chance, which nothing here uses.
    """

    kind: type[Ship] = Ship

    def __init__(self, ships: int, seed: int) -> None:
        super().__init__(rng=seed)
        self.swarm_seed = seed
        #: In the order of their numbers.
        self.ships = [self.kind(self, number) for number in range(ships)]

    def legs(self) -> list[Leg]:
        """The leg of every ship."""
        return [ship.leg for ship in self.ships]

    def begun(self) -> int:
        """How many legs were begun on the way."""
        return sum(ship.begun - 1 for ship in self.ships)


class Stepped(Swarm):
    """Every ship is asked at every tick."""

    def step(self) -> None:
        """One tick; Mesa counts it."""
        self.agents.do("step")


class EventShip(Ship):
    """A ship that schedules its own arrival."""

    def arrive(self) -> None:
        """The leg has ended."""
        self.next_leg(self.leg[5])
        self.model.at(self.leg[5], self.arrive)


class Scheduled(Swarm):
    """Nothing is done between arrivals.

    Mesa's models have an event list of their own since 3.5, which runs on Python 3.12 and newer; before, and on Python
    3.11, a simulator brings it.
    """

    kind = EventShip

    def __init__(self, ships: int, seed: int) -> None:
        super().__init__(ships, seed)
        self.simulator = None
        if not hasattr(Model, "schedule_event"):
            from mesa.experimental.devs import DEVSimulator

            self.simulator = DEVSimulator()
            self.simulator.setup(self)
        for ship in self.ships:
            self.at(ship.leg[5], ship.arrive)

    def at(self, tick: Tick, call: Callable[[], None]) -> None:
        """Let something happen at a tick."""
        if self.simulator is None:
            self.schedule_event(call, at=tick)
        else:
            self.simulator.schedule_event_absolute(call, tick)

    def play(self, until: Tick) -> None:
        """Let time pass, the last tick included."""
        (self.simulator or self).run_until(until)
