"""The machine that the hosts run on: processes start, stand still, are drained, replaced and killed.

The host is the production's `gamekit.server.host.Host` with its runners and sessions; only its clocks, its dice and its
loop are the world's.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from gamekit.errors import JournalError
from gamekit.faultsim.auditor import Auditor, Seat
from gamekit.faultsim.loop import HostLoop
from gamekit.faultsim.network import Link
from gamekit.faultsim.plays import Play
from gamekit.faultsim.ratios import CALM, Ratios
from gamekit.faultsim.store import SimJournal, Store
from gamekit.faultsim.world import World
from gamekit.game import TICK_HZ, Enough, Game, GameId, Tick
from gamekit.journal import GameRow
from gamekit.server.clock import GameClock
from gamekit.server.host import Host
from gamekit.server.lanes import Job
from gamekit.server.openings import Recovered
from gamekit.server.runner import Runner
from gamekit.server.sleep import Bed, Dormitory
from gamekit.server.turns import Turns
from gamekit.server.wall import MAX_CATCH_UP_S
from gamekit.session import ConnectionId, Session

SECOND_US = 1_000_000
#: How long a host leaves an unused game in memory, in seconds: one of these.
SLEEP_AFTER_S = (0.5, 2.0, 2.0, 10.0)


class SimHost(Host):
    """The production host with the world's clocks and dice."""

    def __init__(self, machine: Machine, games: dict[str, Game[Any]]) -> None:
        self.machine = machine
        self.sim_journal = SimJournal(machine.store)
        sleep_after_s = machine.drowsy.choice(SLEEP_AFTER_S)
        super().__init__(self.sim_journal, games, sleep_after_s=sleep_after_s, wall=machine.store.wall_s)
        self.loop = HostLoop(machine.world, machine.chance, machine.failed)
        self.dormitory = SimDormitory(self, sleep_after_s)
        self.turns = SimTurns(self)
        # Work takes no time in this world.
        self.spent_ns = lambda: 0
        self.asked_to_stop = False
        # A monotonic clock begins anywhere.
        self.offset_us = machine.chance.randrange(10**12)

    def now_us(self) -> int:
        """Monotonic, but for the faults."""
        return self.machine.world.now_us + self.offset_us

    def patience(self) -> Enough:
        """Work takes no time in this world; so chance decides when a call has taken enough of it."""
        machine = self.machine

        def enough() -> bool:
            if machine.slices.random() >= machine.ratios.sliced:
                return False
            machine.world.fault("sliced", "a call ends before its work is done")
            return True

        return enough

    def new_id(self) -> GameId:
        """The next id."""
        return self.machine.new_id()

    def rebuilt(self, row: GameRow, job: Job | None = None) -> Recovered:
        """A session is brought back, with the auditor looking on."""
        found = super().rebuilt(row, job)
        session = found.session
        self.machine.world.tell(f"game {row.id} recovered: epoch {session.epoch} at {session.tick}, {session.seq}")
        self.machine.auditor.recovered(session)
        return found


class SimTurns(Turns):
    """The production's turns, with time passing between two of them."""

    def __init__(self, host: SimHost) -> None:
        super().__init__(host.now_us)
        self._chance = host.machine.slices

    def _pause_us(self, turn_us: int) -> int:
        """What is under way may arrive meanwhile."""
        return self._chance.randrange(30_000)


class SimDormitory(Dormitory):
    """The production's dormitory, with the auditor looking on."""

    host: SimHost

    def settled(self, runner: Runner) -> None:
        """A session is dropped."""
        epoch, place = runner.session.epoch, (runner.session.tick, runner.session.seq)
        super().settled(runner)
        self.host.machine.world.tell(f"game {runner.id} sleeps: epoch {epoch} at {place}")
        if not self.host.loop.dead:
            self.host.machine.auditor.slept(runner.id, epoch, place)

    def _read(self, game: GameId, bed: Bed, job: Job) -> Session[Any]:
        session = super()._read(game, bed, job)
        self.host.machine.world.tell(f"game {game} wakes: epoch {session.epoch} at {session.tick}, {session.seq}")
        self.host.machine.auditor.woken(session, (bed.tick, bed.seq))
        return session

    async def make_up(self, session: Session[Any], clock: GameClock, before: Tick | None = None, *, job: Job) -> None:
        """A session lives through what it missed."""
        since = session.tick
        await super().make_up(session, clock, before, job=job)
        most = round(MAX_CATCH_UP_S * TICK_HZ * session.speed)
        if session.tick - since > most:
            text = f"game {session.id} to make up for no more than {most} ticks"
            self.host.machine.world.break_promise(6, text, f"{session.tick - since}")
        if session.tick > since:
            self.host.machine.auditor.made_up(session)


class Machine:
    """Disk, processes, and whoever looks after them."""

    def __init__(self, world: World, ratios: Ratios, play: Play, auditor: Auditor) -> None:
        self.world = world
        self.ratios = ratios
        self.play = play
        self.auditor = auditor
        self.chance = world.chance("machine")
        self.network = world.chance("network")
        self.drowsy = world.chance("sleep")
        self.slices = world.chance("slices")
        self.store = Store(world, ratios, auditor, self._died)
        #: The host that new connections reach; None while none runs.
        self.host: SimHost | None = None
        #: Every host whose process lives; more than one only while a zombie does.
        self.hosts: list[SimHost] = []
        self.links: dict[Link, None] = {}
        #: Called after the file was read and before a host is started over it.
        self.on_boot: Callable[[], None] = lambda: None
        self._numbers = 0
        self.world.at(0, self.start)

    def new_id(self) -> GameId:
        """A game's id."""
        self._numbers += 1
        return GameId(f"g{self._numbers}")

    def new_connection(self) -> ConnectionId:
        """A number for a connection."""
        self._numbers += 1
        return ConnectionId(self._numbers)

    def tell_sent(self, seat: Seat, message: dict[str, Any]) -> None:
        """A host sent something."""
        where = f"{message.get('tick', '')},{message.get('seq', '')}"
        more = f" cid {message['cid']}" if "cid" in message else ""
        code = f" {message['code']}" if "code" in message else ""
        self.world.tell(f"-> {seat.game} {seat.client}: {message['type']} {where}{more}{code}")
        self.auditor.sent(seat, message)

    def failed(self, what: str) -> None:
        """The host's code raised what it should have handled."""
        self.world.break_promise(7, "every error to be handled", what)

    # --- processes --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """A new process, over what is on the disk."""
        if self.host is not None:
            return
        if not self.hosts:
            try:
                self.store.boot()
            except JournalError as error:
                self.world.tell(f"the journal cannot be opened: {error}")
                self.world.after(SECOND_US, self.start)
                return
            self.on_boot()
        self.world.tell("a host starts")
        self.host = host = SimHost(self, {self.play.game.name: self.play.game})
        self.hosts.append(host)
        host.loop.call_soon(host.start)

    def _died(self, where: str) -> None:
        self.world.fault("crash", where)
        self.crash()

    def crash(self) -> None:
        """All processes die at once; a new one is started a little later."""
        power = self.chance.random() < self.ratios.power_loss
        if power:
            self.world.fault("power_loss", "what was not synced is lost")
        for host in list(self.hosts):
            self._gone(host)
        self.host = None
        self.store.crash(power=power)
        self.world.after(self.chance.randrange(10_000, 3_000_000), self.start)

    def _gone(self, host: SimHost) -> None:
        """A process has ended."""
        host.sim_journal.alive = False
        host.loop.die()
        self.hosts.remove(host)
        if self.host is host:
            self.host = None
        if not self.hosts:
            # With the last process goes what its writer had not written yet.
            self.store.crash(power=False)
        for link in [link for link in self.links if link.end.host is host]:
            link.cut()

    def drain(self) -> str:
        """The operator asks the host to stop; the next one is started when it has. A line for the story."""
        host = self.host
        if host is None or host.asked_to_stop:
            return "but no host runs, or it stops already"
        host.asked_to_stop = True

        async def work() -> None:
            await host.drain()
            self.world.tell("drained")
            self.world.after(1_000, ended)

        def ended() -> None:
            if host in self.hosts:
                self._gone(host)
                self.start()

        self.run(host, work())
        return "the host"

    def hand_over(self) -> str:
        """A second host takes over; the first still runs for a while, and knows of nothing. A line for the story."""
        old = self.host
        if old is None or old.draining or len(self.hosts) > 1:
            return "but not one host runs"
        self.host = None
        self.start()

        def end() -> None:
            if old in self.hosts:
                self.world.tell("the old host is gone")
                self._gone(old)

        self.world.after(self.chance.randrange(SECOND_US, 10 * SECOND_US), end)
        return "another host takes over"

    def run(self, host: SimHost, work: Coroutine[Any, Any, None]) -> None:
        """Let a request of a client or an operator be worked on in a host's loop."""

        if host.loop.dead:
            work.close()
        else:
            host.loop.create_task(work)

    def calm(self) -> None:
        """No more faults from here on."""
        self.ratios = self.store.ratios = CALM
        self.store.full_until_us = self.store.slow_until_us = 0
        for link in self.links:
            link.ratios = CALM

    def check_running(self) -> None:
        """Let the auditor look at every session that runs."""
        for host in self.hosts:
            for runner in host.runners.values():
                if runner.ended is None and not runner.asleep and not runner.session.midway:
                    self.auditor.running(runner.session)
