"""The server's side of the processes that replay for it: started for a rush, gone after it.

One interpreter replays on one core, and the loop wants its share of that. So when many games come back at once, after a
crash, as many processes as there are cores rebuild them from the database, and this one only takes over what they made.
They are a convenience: where they cannot be started, or one dies or says nothing for long, the work is done in threads
as ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from gamekit.journal import GameRow
from gamekit.server.replayer import LENGTH, Order, Rebuilt

#: Most processes, and how many games each must have for it to be worth its start.
MOST_PROCESSES = 8
GAMES_EACH = 25
#: Orders that a process has at a time, so that it need not wait for the next.
ORDERS_EACH = 2
#: How long a process may take to end by itself, in seconds.
END_S = 1.0
#: How long an order may wait for its answer, in seconds: then the process is taken to hang.
SILENT_S = 30.0

log = logging.getLogger("gamekit.server")

_write = msgspec.msgpack.Encoder()
_read = msgspec.msgpack.Decoder(Rebuilt)


class _Process:
    """One replayer, and who waits for its answers, in order."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.waiting: deque[asyncio.Future[Rebuilt | None]] = deque()
        self.reading = asyncio.get_running_loop().create_task(self._read())
        self.over = False

    async def ask(self, order: Order) -> Rebuilt | None:
        """The answer to one order; None when there will be none: then it is asked nothing more."""
        assert self.process.stdin is not None
        answer: asyncio.Future[Rebuilt | None] = asyncio.get_running_loop().create_future()
        self.waiting.append(answer)
        text = _write.encode(order)
        with contextlib.suppress(OSError, RuntimeError):
            self.process.stdin.write(LENGTH.pack(len(text)) + text)
        if self.over:
            return None
        answered, _ = await asyncio.wait([answer], timeout=SILENT_S)
        if not answered:
            log.warning("a process that brings games back does not answer; they are brought back without it")
            self.kill()
            await self.reading
        return answer.result()

    def kill(self) -> None:
        """End what it does; it only reads, so nothing is lost."""
        self.over = True
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        try:
            while True:
                (size,) = LENGTH.unpack(await out.readexactly(LENGTH.size))
                answer = _read.decode(await out.readexactly(size))
                one = self.waiting.popleft()
                if not one.done():
                    one.set_result(answer)
        except (asyncio.IncompleteReadError, OSError, msgspec.MsgspecError, IndexError):
            # It ended, or said what is no answer.
            pass
        finally:
            self.kill()
            for one in self.waiting:
                if not one.done():
                    one.set_result(None)

    async def end(self, *, at_once: bool) -> None:
        """Take no more orders, and be gone."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        if at_once:
            self.kill()
        try:
            await asyncio.wait_for(self.process.wait(), END_S)
        except TimeoutError:
            self.kill()
            await self.process.wait()
        await self.reading


class Replayers:
    """The processes of one server.

    Args:
        database: what they read.
        games: import paths of further games, as the server was given them.
    """

    def __init__(self, database: Path, games: Sequence[str]) -> None:
        # Not what lies in the current directory (-P): the modules are those of this process, in the same order.
        self._command = [sys.executable, "-P", "-m", "gamekit.server.replayer", str(database), *games]
        self._processes: list[_Process] = []
        self._free: asyncio.Queue[_Process] = asyncio.Queue()
        self._closing = False

    @property
    def running(self) -> int:
        """How many there are that answer."""
        return sum(not process.over for process in self._processes)

    async def start(self, games: int) -> None:
        """Start what so many games are worth; none when they are few."""
        count = min(len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1, MOST_PROCESSES)
        # The same modules as here, wherever they came from.
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        pipe = asyncio.subprocess.PIPE
        for _ in range(min(count, games // GAMES_EACH)):
            if self._closing:
                return
            try:
                process = _Process(
                    await asyncio.create_subprocess_exec(*self._command, stdin=pipe, stdout=pipe, env=environment)
                )
            except OSError:
                return
            if self._closing:
                # Closed while it was being started.
                await process.end(at_once=True)
                return
            self._processes.append(process)
            for _ in range(ORDERS_EACH):
                self._free.put_nowait(process)

    async def rebuilt(self, row: GameRow) -> Rebuilt | None:
        """A game that was taken over, rebuilt in one of the processes; None when none of them could.

        A process that gives no answer is over before its order comes back here, and one that is over leaves the queue;
        so this goes round no more often than there are places in it.
        """
        while self.running and not self._closing:
            process = await self._free.get()
            if process.over:
                if not self.running:
                    # Whoever else waits for a free one has to learn that there is none any more.
                    self._free.put_nowait(process)
                continue
            answer = await process.ask(Order(row.id, row.epoch))
            self._free.put_nowait(process)
            if answer is None:
                continue
            return answer if answer.session else None
        return None

    async def close(self, *, at_once: bool = False) -> None:
        """Let all of them end; `at_once` also what they work on, which loses nothing, for they only read."""
        self._closing = True
        processes, self._processes = self._processes, []
        await asyncio.gather(*(process.end(at_once=at_once) for process in processes))
