"""One seed from its first event to the verdict."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from gamekit.faultsim.auditor import Auditor
from gamekit.faultsim.clients import SimClient
from gamekit.faultsim.machine import SECOND_US, Machine
from gamekit.faultsim.mishaps import Mishaps
from gamekit.faultsim.plays import PLAYS, Play
from gamekit.faultsim.ratios import Ratios
from gamekit.faultsim.requests import Requests
from gamekit.faultsim.world import World
from gamekit.game import GameId

#: How long all clients may take, once there are no more faults, to get all their answers, in virtual seconds.
CALM_S = 120
#: Of so many seeds one plays the bundled game, which is slower; the others play the tiny one.
SPACE_EVERY = 5


class Verdict(msgspec.Struct, frozen=True):
    """What came of one seed.

    Attributes:
        seed, steps, play: what was run; steps are events of the simulated world.
        digest: of the whole trace; the same seed and steps give the same on every machine.
        virtual_s: how much time passed in the world, in seconds.
        faults: how often each fault happened.
        checks: how often each kind of check was made.
        promise: the number of the promise that was broken; 0 when all is well.
        expected, seen: what should have been, and what was.
        story: the last lines before it, oldest first.
    """

    seed: int
    steps: int
    play: str
    digest: str
    virtual_s: float
    faults: dict[str, int]
    checks: dict[str, int]
    promise: int = 0
    expected: str = ""
    seen: str = ""
    story: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """True when every promise was kept."""
        return self.promise == 0


class Simulation:
    """One world with everything in it.

    Args:
        seed: decides everything.
        ratios: of faults, before the seed mixes them.
        play: "tally" or "space"; by default the seed decides.
        mixed: False to take the ratios as they are.
    """

    def __init__(self, seed: int, ratios: Ratios, play: str | None = None, *, mixed: bool = True) -> None:
        self.world = World(seed)
        chance = self.world.chance("simulation")
        self.play = play or ("space" if seed % SPACE_EVERY == 0 else "tally")
        self.auditor = Auditor(self.world)
        self.machine = Machine(self.world, ratios.mixed(chance) if mixed else ratios, PLAYS[self.play], self.auditor)
        self.requests = Requests(self.machine)
        Mishaps(self.machine)
        self.clients: list[SimClient] = []
        self.games: list[GameId] = []
        self._chance = chance
        self._resting = False
        for _ in range(chance.randrange(1, 3 if self.play == "space" else 5)):
            self.world.after(chance.randrange(SECOND_US), lambda: self.requests.new_game(self._made))
        self.world.after(SECOND_US, self._administer)

    def run(self, steps: int) -> Verdict:
        """Run so many events, then let everybody come to rest, and look at what is there."""
        with self._listening():
            while self.world.broken is None and self.world.steps < steps and self.world.step():
                pass
            if self.world.broken is None:
                self._rest()
        for host in list(self.machine.hosts):
            host.sim_journal.alive = False
            host.loop.die()
        world = self.world
        broken = world.broken
        return Verdict(
            seed=world.seed,
            steps=steps,
            play=self.play,
            digest=world.digest,
            virtual_s=world.now_us / 1e6,
            faults=world.faults,
            checks=self.auditor.checks,
            promise=broken.promise if broken else 0,
            expected=broken.expected if broken else "",
            seen=broken.seen if broken else "",
            story=tuple(world.story) if broken else (),
        )

    def _rest(self) -> None:
        """No more faults: everybody gets their answers, and every session is what its history says."""
        self.world.tell("no more faults")
        self.machine.calm()
        self._resting = True
        for client in self.clients:
            client.rest()
        for game in self.games:
            self.requests.admin(game, {"type": "resume"})
        deadline_us = self.world.now_us + CALM_S * SECOND_US
        while self.world.broken is None and self.world.now_us < deadline_us and self.world.step():
            if self.world.steps % 64 == 0 and not self._waiting():
                break
        for who, what in self._waiting():
            self.world.break_promise(3, f"every command answered within {CALM_S} s of calm", f"{who}: {what}")
        self.machine.check_running()

    def _waiting(self) -> list[tuple[str, str]]:
        """Which clients still wait, and for what."""
        waiting = []
        for one in self.clients:
            if not one.welcomed:
                waiting.append((f"{one.game} {one.name}", "no welcome"))
            elif one.unanswered:
                waiting.append((f"{one.game} {one.name}", f"no answer to {list(one.unanswered)}"))
        return waiting

    def _made(self, game: GameId, player: str) -> None:
        """A game was made: its players come."""
        self.games.append(game)
        self._seat(game, player, "c1")
        if self._chance.random() < 0.5:
            self._seat(game, player, "c2")
        if self._chance.random() < 0.3:
            self._seat(game, None, "watcher")
        for number in range(self._chance.randrange(3)):
            name = f"d{number}"
            self.world.after(
                self._chance.randrange(20 * SECOND_US),
                lambda name=name: self.requests.join(game, lambda one: self._seat(game, one, name)),  # type: ignore[misc]
            )

    def _seat(self, game: GameId, player: str | None, name: str) -> None:
        client = SimClient(self.requests, game, player, name)
        client.calm = self._resting
        self.clients.append(client)

    def _administer(self) -> None:
        """Now and then somebody pauses a game, lets it go on, steps it, or sets its speed, its policy or its rules."""
        self.world.after(self._chance.randrange(SECOND_US // 4, 4 * SECOND_US), self._administer)
        if self.games and not self._resting:
            game = self._chance.choice(self.games)
            self.requests.admin(game, _control(self._chance, self.machine.play))

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Hear what the production logs, and keep it from everybody else."""
        log = logging.getLogger("gamekit")
        listener, propagate = _Listener(self.machine), log.propagate
        log.addHandler(listener)
        log.propagate = False
        try:
            yield
        finally:
            log.removeHandler(listener)
            log.propagate = propagate


class _Listener(logging.Handler):
    """Hears what the production code logs: an error with a traceback is a fault of its code."""

    def __init__(self, machine: Machine) -> None:
        super().__init__(logging.ERROR)
        self._machine = machine

    def emit(self, record: logging.LogRecord) -> None:
        """One line of the log."""
        if record.exc_info and record.exc_info[1] is not None:
            self._machine.failed(f"{record.getMessage()}: {record.exc_info[1]!r}")
        else:
            self._machine.world.tell(f"log: {record.getMessage()}")


def _control(chance: random.Random, play: Play) -> dict[str, object]:
    kind = chance.choice(
        ("pause", "resume", "resume", "resume", "step", "set_speed", "set_speed", "set_policy", "set_rules")
    )
    if kind == "set_policy":
        overload = chance.choice((None, "catch-up", "dilate"))
        return {"type": kind, "when_empty": chance.choice(("run", "pause")), "overload": overload}
    if kind == "set_rules":
        return {"type": kind, "changes": play.changes(chance)}
    if kind == "step":
        return {"type": "step", "ticks": chance.choice((1, 7, 300))}
    if kind == "set_speed":
        return {"type": "set_speed", "speed": chance.choice((0.1, 1.0, 1.0, 3.0, 20.0, 100.0, 100.0))}
    return {"type": kind}


def simulate_faults(
    seed: int, steps: int, ratios: Ratios | None = None, play: str | None = None, *, mixed: bool = True
) -> Verdict:
    """Run one seed.

    Args:
        seed: decides everything.
        steps: how many events of the world, before everybody comes to rest.
        ratios: of faults; the usual ones by default.
        play: "tally" or "space"; by default the seed decides.
        mixed: False to take the ratios as they are, instead of letting the seed mix them.
    """
    return Simulation(seed, ratios or Ratios(), play, mixed=mixed).run(steps)
