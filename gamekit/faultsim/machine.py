"""The machine that the hosts run on: processes start, stand still, are drained, replaced and killed.

The host is the production's `gamekit.server.host.Host` with its runners and sessions; only its clocks, its dice and its
loop are the world's.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar, cast

from msgspec.structs import replace

from gamekit.errors import GamekitError, JournalError
from gamekit.faultsim.auditor import Auditor, Seat
from gamekit.faultsim.clients import SimClient
from gamekit.faultsim.loop import HostLoop
from gamekit.faultsim.network import Link
from gamekit.faultsim.plays import Play
from gamekit.faultsim.ratios import CALM, Ratios
from gamekit.faultsim.store import SimJournal, Store
from gamekit.faultsim.world import World
from gamekit.game import Game, GameId, PlayerId
from gamekit.journal.memory import Book
from gamekit.server.host import Host
from gamekit.session import ConnectionId

T = TypeVar("T")

SECOND_US = 1_000_000


class _Ordered(set[T]):
    """A set that is gone through in the order in which things came, not by where they lie in memory."""

    def __init__(self) -> None:
        super().__init__()
        self._order: dict[T, None] = {}

    def add(self, one: T) -> None:
        super().add(one)
        self._order[one] = None

    def discard(self, one: object) -> None:
        super().discard(one)
        self._order.pop(cast(T, one), None)

    def clear(self) -> None:
        super().clear()
        self._order.clear()

    def __iter__(self) -> Iterator[T]:
        return iter(self._order)


class SimHost(Host):
    """The production host with the world's clocks and dice."""

    def __init__(self, machine: Machine, games: dict[str, Game[Any]]) -> None:
        self.machine = machine
        self.sim_journal = SimJournal(machine.store)
        super().__init__(self.sim_journal, games)
        self.loop = HostLoop(machine.world, machine.chance, machine.failed)
        self.watched = _Ordered()
        self.measured = _Ordered()
        # A monotonic clock begins anywhere.
        self.offset_us = machine.chance.randrange(10**12)

    def now_us(self) -> int:
        """Monotonic, but for the faults."""
        return self.machine.world.now_us + self.offset_us

    def wall_s(self) -> float:
        """The wall clock."""
        return self.machine.store.wall_s()

    def new_id(self) -> GameId:
        """The next id."""
        return self.machine.new_id()

    def _recover(self, game: GameId) -> tuple[Any, str]:
        session, chain = super()._recover(game)
        self.machine.world.tell(f"game {game} recovered: epoch {session.epoch} at {session.tick}, {session.seq}")
        self.machine.auditor.recovered(session)
        return session, chain


class Machine:
    """Disk, processes, and whoever looks after them."""

    def __init__(self, world: World, ratios: Ratios, play: Play, auditor: Auditor) -> None:
        self.world = world
        self.ratios = ratios
        self.play = play
        self.auditor = auditor
        self.chance = world.chance("machine")
        self.network = world.chance("network")
        self.store = Store(world, ratios, auditor, self._died)
        #: The host that new connections reach; None while none runs.
        self.host: SimHost | None = None
        #: Every host whose process lives; more than one only while a zombie does.
        self.hosts: list[SimHost] = []
        self.links: dict[Link, None] = {}
        self.clients: list[SimClient] = []
        self._numbers = 0
        self._mended_at_us: dict[GameId, int] = {}
        self.world.at(0, self.start)
        self.world.after(SECOND_US, self._every_second)

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
            self._rot()
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
        for link in [link for link in self.links if link.end.host is host]:
            link.cut()

    def drain(self) -> str:
        """The operator asks the host to stop; the next one is started when it has. A line for the story."""
        host = self.host
        if host is None or host.draining:
            return "but no host runs"

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

    # --- faults of every second -------------------------------------------------------------------------------

    def _every_second(self) -> None:
        self.world.after(SECOND_US, self._every_second)
        chance, ratios, now_us = self.chance, self.ratios, self.world.now_us
        faults: list[tuple[str, float, Callable[[], str]]] = [
            ("disk_full", ratios.disk_full, self._fill),
            ("disk_slow", ratios.disk_slow, self._slow),
            ("clock_forward", ratios.clock_forward, lambda: self._jump(chance.randrange(60 * SECOND_US))),
            ("clock_back", ratios.clock_back, lambda: self._jump(-chance.randrange(10 * SECOND_US))),
            ("wall_moved", ratios.wall_moved, self._move_wall),
            ("stalled", ratios.stalled, self._stall),
            ("drained", ratios.drained, self.drain),
            ("zombie", ratios.zombie, self.hand_over),
        ]
        for name, ratio, happen in faults:
            if self.hosts and chance.random() < ratio:
                self.world.fault(name, happen())
        if self.hosts and chance.random() < ratios.crash:
            self.world.fault("crash", "between two events")
            self.crash()
        self._look_after(now_us)

    def _fill(self) -> str:
        self.store.full_until_us = self.world.now_us + self.chance.randrange(10 * SECOND_US)
        return f"until {self.store.full_until_us / 1e6:.1f} s"

    def _slow(self) -> str:
        self.store.slow_until_us = self.world.now_us + self.chance.randrange(20 * SECOND_US)
        return f"until {self.store.slow_until_us / 1e6:.1f} s"

    def _jump(self, by_us: int) -> str:
        for host in self.hosts:
            host.offset_us += by_us
        return f"by {by_us / 1e6:.1f} s"

    def _move_wall(self) -> str:
        by_s = self.chance.randrange(-86_400, 86_400)
        self.store.move_wall(by_s)
        return f"by {by_s} s"

    def _stall(self) -> str:
        duration_us = self.chance.randrange(10 * SECOND_US)
        self.chance.choice(self.hosts).loop.stall(duration_us)
        return f"for {duration_us / 1e6:.1f} s"

    def _rot(self) -> None:
        """A byte of a record that recovery will read is not what was written."""
        for chronicle in self.auditor.chronicles.values():
            chronicle.damaged = False
        if self.chance.random() >= self.ratios.rotten:
            return
        books = self.store.storage.books
        for game, book in books.items():
            kept = max((one.seq for one in book.snapshots), default=0)
            if later := [index for index, record in enumerate(book.records) if record.seq > kept]:
                self._damage(game, book, self.chance.choice(later))
                return

    def _damage(self, game: GameId, book: Book, index: int) -> None:
        """Change a byte of a record, until somebody restores it from a copy."""
        whole, chronicle = book.records[index], self.auditor.chronicles[game]
        at = self.chance.randrange(len(whole.commands))
        other = "7" if whole.commands[at] != "7" else "3"
        book.records[index] = replace(whole, commands=f"{whole.commands[:at]}{other}{whole.commands[at + 1 :]}")
        chronicle.damaged = True
        self.world.fault("rotten", f"record {whole.seq} of game {game}, byte {at}")

        def mend() -> None:
            if self.store.storage.books.get(game) is book:
                chronicle.damaged = False
                book.records[index] = whole

        self.world.after(self.chance.randrange(5 * SECOND_US, 20 * SECOND_US), mend)

    # --- the operator -----------------------------------------------------------------------------------------

    def _look_after(self, now_us: int) -> None:
        """Restart a host whose sessions were stopped by a fault."""
        host = self.host
        if host is None or host.draining:
            return
        stopped = [one for one in host.runners.values() if one.ended or one.session.readonly]
        if stopped and self.chance.random() < 0.3:
            self.world.tell(f"the operator restarts the host: {len(stopped)} games take nothing more")
            if self.chance.random() < 0.5:
                self.drain()
            else:
                self.crash()

    def check_running(self) -> None:
        """Let the auditor look at every session that runs."""
        for host in self.hosts:
            for runner in host.runners.values():
                if runner.ended is None:
                    self.auditor.running(runner.session)

    # --- requests ---------------------------------------------------------------------------------------------

    def post(self, client: SimClient, cid: int, body: dict[str, Any]) -> None:
        """A client sends a command by HTTP."""
        host, player = self.host, PlayerId(client.player or "")
        if host is None:
            return

        async def work() -> None:
            try:
                runner = await host.runner(client.game)
            except GamekitError:
                return
            outcome = await host.command(runner, player, client.name, cid, body)
            self.world.tell(
                f"-> {client.game} {client.name}: answer {outcome.tick},{outcome.seq} cid {cid} {outcome.code}"
            )
            self.auditor.settled(client.game, runner.session.epoch, player, client.name, outcome)
            if self.network.random() >= self.ratios.lost:
                client.answered(cid, outcome.code)

        self.run(host, work())

    def new_game(self, then: Callable[[GameId, str], None]) -> None:
        """Somebody makes a game; again, until it works."""
        config, seed = self.play.config(self.chance), self.chance.getrandbits(63)

        async def attempt(host: SimHost) -> bool:
            runner, player = await host.new_game(config, seed, "Simulated", "Player 1")
            then(runner.id, player)
            return True

        self._until_it_works(attempt)

    def join(self, game: GameId, then: Callable[[str], None]) -> None:
        """Somebody joins a game; again, until it works."""

        async def attempt(host: SimHost) -> bool:
            runner = await host.runner(game)
            player, outcome = await host.join(runner, "Another")
            if player is None:
                return False
            self.auditor.settled(game, runner.session.epoch, player, "@server", outcome)
            then(player)
            return True

        self._until_it_works(attempt)

    def _until_it_works(self, attempt: Callable[[SimHost], Coroutine[Any, Any, bool]]) -> None:
        """Ask the host of now, and again when it refuses or is gone before it answers."""
        host = self.host
        worked = False

        async def work(host: SimHost) -> None:
            nonlocal worked
            try:
                worked = await attempt(host)
            except GamekitError as error:
                self.world.tell(f"refused: {error}")

        def again() -> None:
            if not worked:
                self._until_it_works(attempt)

        if host is not None and not host.draining:
            self.run(host, work(host))
        self.world.after(self.chance.randrange(5 * SECOND_US, 10 * SECOND_US), again)

    def admin(self, game: GameId, body: dict[str, Any]) -> None:
        """The operator pauses, resumes, steps or speeds up a game."""
        host = self.host
        if host is None or host.draining:
            return

        async def work() -> None:
            try:
                runner = await host.runner(game)
            except GamekitError:
                return
            outcome = await host.admin(runner, body)
            self.world.tell(f"admin {game} {body['type']}: {outcome.code}")
            self.auditor.settled(game, runner.session.epoch, "@admin", "@server", outcome)

        self.run(host, work())

    def calm(self) -> None:
        """No more faults from here on."""
        self.ratios = self.store.ratios = CALM
        self.store.full_until_us = self.store.slow_until_us = 0
        for link in self.links:
            link.ratios = CALM


class Listener(logging.Handler):
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
