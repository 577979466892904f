"""A host on virtual time: hours pass in a moment, in one thread, and every run of the same test is the same.

The production `Host`, `Runner` and `Session` run on it; only the loop's clock, threads and sockets are not real.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from gamekit import wire
from gamekit.game import Enough, Game, GameId, PlayerId, merge
from gamekit.history import first_session, stored
from gamekit.journal import Completion, GameRow, MemoryJournal
from gamekit.server.host import Host
from gamekit.server.runner import Runner
from gamekit.server.settings import SLICE_US
from gamekit.session import Attached, ConnectionId, Received
from gamekit.wire import Outcome, Resume
from tests.counter_game import CounterGame

T = TypeVar("T")

#: Unix time at second 0 of the virtual clock.
EPOCH_S = 1_800_000_000.0
ID = GameId("g")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time passes when nothing else is left to do; work for threads is done at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 1000.0

    def time(self) -> float:
        """Virtual seconds."""
        return self.now_s

    def _run_once(self) -> None:
        if not self._ready:  # type: ignore[attr-defined]
            coming = [one.when() for one in self._scheduled if not one.cancelled()]  # type: ignore[attr-defined]
            self.now_s = max(self.now_s, min(coming, default=self.now_s))
        super()._run_once()  # type: ignore[misc]

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Do it here and now."""
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except BaseException as error:
            done.set_exception(error)
        return done


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on a virtual loop of its own, for at most a day of its time."""

    async def bounded() -> T:
        return await asyncio.wait_for(main(), 86_400)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(bounded())


class VirtualHost(Host):
    """A host whose clock is its loop's."""

    def now_us(self) -> int:
        """Virtual microseconds."""
        return round(self._loop.time() * 1e6)

    def patience(self) -> Enough:
        """By virtual time too."""
        until_us = self.now_us() + SLICE_US
        return lambda: self.now_us() >= until_us


class FakeSocket:
    """A connection that keeps what it was sent, and the mirror of the game that a client keeps."""

    binary = False
    parts = False

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.view: dict[str, Any] = {}
        self.dismissed: str | None = None

    def deliver(self, framed: bytes) -> None:
        """Take one text frame of up to 64 kB."""
        size = framed[1]
        message = json.loads(framed[4:] if size == 126 else framed[10:] if size == 127 else framed[2:])
        self.messages.append(message)
        if message["type"] == "snapshot":
            self.view = message["view"]
        elif message["type"] == "delta":
            merge(self.view, message["changes"])

    def dismiss(self, why: str) -> None:
        """The session has ended."""
        self.dismissed = why

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The messages of one type."""
        return [message for message in self.messages if message["type"] == kind]


class Place:
    """One game on one host, over a journal that outlives it. Begin inside a virtual loop."""

    def __init__(
        self,
        *,
        sleep_after_s: float = 60.0,
        config: Mapping[str, Any] | None = None,
        game: Game[Any] | None = None,
        journal: MemoryJournal | None = None,
    ) -> None:
        self.game: Game[Any] = game or CounterGame()
        self.sleep_after_s = sleep_after_s
        self.config = dict(config or {})
        self.loop = asyncio.get_running_loop()
        self.journal = journal or MemoryJournal(wall=self.wall)
        self.commits: list[Completion] = []
        self.sockets: dict[ConnectionId, FakeSocket] = {}
        self.connections = 0
        self.host = self._host()
        if journal is None:
            row = GameRow(ID, self.game.name, self.game.version, "Test", json.dumps(self.config), 1, self.wall())
            first = first_session(self.game, row)
            self.journal.create(row, stored(first, first.snapshot(), tick=0, seq=0))

    def wall(self) -> float:
        """Virtual Unix time."""
        return EPOCH_S + self.loop.time()

    def _host(self) -> VirtualHost:
        host = VirtualHost(self.journal, {self.game.name: self.game}, sleep_after_s=self.sleep_after_s, wall=self.wall)
        # What takes time here is work.
        host.spent_ns = lambda: host.now_us() * 1000
        host.start()
        return host

    @property
    def asleep(self) -> bool:
        """True while the session is not in memory."""
        return ID not in self.host.runners

    async def runner(self) -> Runner:
        """The session's runner, awake."""
        return await self.host.runner(ID)

    async def now(self) -> Runner:
        """The runner with its session brought to now."""
        runner = await self.runner()
        await self.host.catch_up(runner)
        return runner

    async def admin(self, **body: Any) -> Outcome:
        """One of the session's own commands."""
        return await self.host.admin(await self.runner(), body)

    async def join(self, name: str = "Ada") -> PlayerId:
        """A new player."""
        player, outcome = await self.host.join(await self.runner(), name)
        assert player is not None, outcome
        return player

    async def connect(self, player: PlayerId | None = None, resume: Resume | None = None) -> ConnectionId:
        """A new connection that has said hello."""
        self.connections += 1
        connection = ConnectionId(self.connections)
        socket = self.sockets[connection] = FakeSocket()
        (await self.runner()).attach(Attached(connection, player, "c", resume), socket)
        return connection

    def disconnect(self, connection: ConnectionId) -> None:
        """A connection is gone; what it has received stays."""
        for runner in [*self.host.runners.values(), *self.host.dormitory.sleepers.values()]:
            runner.detach(connection)

    async def send(self, connection: ConnectionId, cid: int, **body: Any) -> None:
        """A command from a connection; as a real socket does, it wakes the game first."""
        (await self.runner()).feed(Received(connection, wire.Command(cid=cid, body=body)))

    def send_now(self, runner: Runner, connection: ConnectionId, cid: int) -> None:
        """A command of the counter from a connection, at this instant."""
        runner.feed(Received(connection, wire.Command(cid=cid, body={"type": "add", "n": 1})))

    def crash(self) -> None:
        """The process is killed, and another begins at once."""
        self.stop()
        self.journal = self.journal.crash()
        self.host = self._host()

    def stop(self) -> None:
        """Let the host do nothing more."""
        host = self.host
        if host._every_second is not None:
            host._every_second.cancel()
        if host._timer is not None:
            host._timer.cancel()
        host._heap.clear()
        host.turns.close()
        host.draining = True
