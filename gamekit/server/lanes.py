"""Whose turn it is to compute beside the loop: games that are brought back, made, exported, forked.

Every piece of work begins in the short lane. What is done within half a second of computing ends there; what is
not goes on in the long lane, where it takes turns with others of its kind. So a small game is awake at once, however
many large ones are on their way, and no estimate of anybody's size has to be right. Turns are fair by *owner* (an
address, or the game itself), then by game: who has computed least goes first.

The work says `pause` between its parts; there it gives its turn up, or learns that it shall stop. A part that goes on
for long without a pause does not hold the others up: after a while its turn is given to the next as well.

Owns no work and no game. Knows of threads: `pause` waits in the thread that works, everything else is the loop's.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from gamekit.errors import ServerBusy
from gamekit.server.guard import contained

T = TypeVar("T")

#: How many compute at a time in each lane. More would only take turns with the loop: the work is Python.
SHORT_TURNS = 2
LONG_TURNS = 1
#: What may be computed in the short lane, and in one turn of the long one, in CPU seconds.
SHORT_S = 0.5
#: A game with a larger snapshot than this belongs into the long lane without being tried, in bytes: a galaxy of 16
#: sectors with its 18 ships has 30 kB.
LARGE_BYTES = 200_000
SLICE_S = 0.05
#: After this much computing in the long lane the thread rests for this share of it, in CPU seconds. The loop has the
#: interpreter meanwhile: without that it waits for whoever holds it each time that it reads or writes, and on a busy
#: machine for that thread to be given a core (pings beside two large games, at a load of 8 on two cores: 95 % within 80
#: ms, and within 10 ms with rests).
REST_AFTER_S = 0.002
MOST_REST_S = 0.02
REST_SHARE = 0.5
#: While the short lane computes the long one does not, for they have one interpreter; but no longer than this at a
#: time, in seconds, so that many short ones do not hold it up for ever.
YIELD_S = 0.25
#: A part of work that takes longer than this without a pause does not count as having the turn any more, in seconds;
#: and how many such parts may be under way while another has the turn.
OVERSTAY_S = 0.2
MOST_OVERSTAYED = 4
#: Works in the long lane that have begun: each holds a game in memory. Where one comes beyond them, the one that has
#: computed most makes room, if it has had so many CPU seconds; else the new one is refused for now.
MOST_LONG = 16
FAIR_SHARE_S = 10.0
BUSY = "Too many large games are being brought back just now; try again in a moment."


class Job:
    """One piece of work, from its first step to its last; several calls may belong to it.

    Args:
        lanes: where it is done.
        name: what it is about, e.g. the game's id.
        owner: who wants it; turns are fair among owners.
    """

    def __init__(self, lanes: Lanes, name: str, owner: str) -> None:
        self.lanes = lanes
        self.name = name
        self.owner = owner
        #: Whether somebody waits for it; what nobody waits for comes after all that somebody does.
        self.asked = True
        #: True once it has computed more than the short lane allows.
        self.long = False
        #: True when it is known to be large.
        self.large = False
        #: CPU seconds that it has computed.
        self.used_s = 0.0
        #: Why it shall stop, if so: raised at its next pause.
        self.stopped: Exception | None = None
        #: When its present turn began on the lanes' clock, in seconds; None while it has none.
        self.since_s: float | None = None
        self._measured_s = 0.0
        self._rested_s = 0.0
        self._begin: Callable[[], None] = _nothing

    def pause(self) -> bool:
        """Called between two parts of the work, in the thread that does it; others may have their turn here.

        Returns:
            False: the work goes on. So it may be asked where a game asks whether it is enough.

        Raises:
            Exception: the work is to stop; this is why.
        """
        self.lanes.paused(self)
        return False

    def measure(self) -> float:
        """Count what the present thread has computed since the last time; in seconds."""
        now_s = time.thread_time()
        part_s, self._measured_s = now_s - self._measured_s, now_s
        self.used_s += part_s
        return part_s

    def weigh(self, size: int) -> None:
        """Told how large a game is, in bytes, before it is worked on: a large one goes to the long lane at once."""
        self.large = size > LARGE_BYTES
        self.pause()

    def computed_s(self) -> float:
        """CPU seconds that it has computed until now; asked in the thread that does the work."""
        if self.lanes.inline:
            return self.used_s
        return self.used_s + time.thread_time() - self._measured_s

    def begin_turn(self) -> None:
        """The present thread computes for this job from here on."""
        self._measured_s = self._rested_s = time.thread_time()

    def rest(self) -> None:
        """Let the loop have the interpreter for a moment, if this is long work that has computed for a while."""
        if not self.long:
            return
        computed_s = time.thread_time() - self._rested_s
        if computed_s >= REST_AFTER_S:
            time.sleep(min(computed_s * REST_SHARE, MOST_REST_S))
            self._rested_s = time.thread_time()


def _nothing() -> None:
    """There is nothing to begin."""


class Lanes:
    """The lanes of one host; call inside its loop.

    Args:
        now_us: the host's clock.
    """

    def __init__(self, now_us: Callable[[], int]) -> None:
        self._now_us = now_us
        self._lock = threading.Lock()
        #: Jobs that have a turn, in each lane: False for the short one, True for the long one.
        self._turns: dict[bool, list[Job]] = {False: [], True: []}
        #: Jobs that wait for one.
        self._waiting: dict[bool, list[Job]] = {False: [], True: []}
        #: {owner: CPU seconds}, of those who have work.
        self._used: dict[str, float] = {}
        self._owners: dict[str, int] = {}
        #: Jobs in the long lane, from their coming there until they end.
        self._long: set[Job] = set()
        #: When the long lane last had a turn, or no short work stood before it.
        self._held_since_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._loop_thread = threading.get_ident()
        self._pool = ThreadPoolExecutor(SHORT_TURNS + 2 * MOST_LONG, thread_name_prefix="gamekit-lane")

    @property
    def inline(self) -> bool:
        """Whether the present thread is the loop's, as on a loop that does its threads' work itself.

        There is no other work then whose turn it could be, and no CPU time that would decide anything.
        """
        return threading.get_ident() == self._loop_thread

    @property
    def long(self) -> int:
        """How many works are in the long lane."""
        return len(self._long)

    @contextlib.contextmanager
    def job(self, name: str, owner: str = "") -> Iterator[Job]:
        """A new piece of work; it ends with the block."""
        job = Job(self, name, owner or name)
        with self._lock:
            least = min(self._used.values(), default=0.0)
            self._used.setdefault(job.owner, least)
            self._owners[job.owner] = self._owners.get(job.owner, 0) + 1
        try:
            yield job
        finally:
            with self._lock:
                self._long.discard(job)
                self._owners[job.owner] -= 1
                if not self._owners[job.owner]:
                    del self._owners[job.owner], self._used[job.owner]

    async def run(self, job: Job, work: Callable[..., T], *arguments: Any) -> T:
        """Do a part of a job beside the loop, when it is its turn.

        Raises:
            ServerBusy: too many long works have begun already.
            Exception: what the work raises.
        """
        loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        turn: asyncio.Future[None] | None = None
        with self._lock:
            if not self._room(job.long) or self._waiting[job.long]:
                turn = loop.create_future()
                job._begin = partial(_begin, loop, turn)
                self._waiting[job.long].append(job)
                self._fill()
            else:
                self._give(job)
        if turn is not None:
            try:
                self._look_again(loop)
                await turn
            except BaseException:
                self._leave(job)
                raise
        return await loop.run_in_executor(self._pool, self._work, job, work, arguments)

    def close(self) -> None:
        """Wait for nothing; what is at work stops at its next pause, if its job is stopped."""
        self._pool.shutdown(wait=False)

    # --- in the thread that works -------------------------------------------------------------------------------

    def _work(self, job: Job, work: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        job.begin_turn()
        try:
            if job.stopped is not None:
                raise job.stopped
            return contained(work, *arguments)
        finally:
            self._leave(job)

    def paused(self, job: Job) -> None:
        """A job is between two parts; see `Job.pause`."""
        if job.stopped is not None:
            raise job.stopped
        if self.inline:
            return
        job.rest()
        part_s = time.thread_time() - job._measured_s
        moves = not job.long and (job.large or job.used_s + part_s >= SHORT_S)
        if part_s < SLICE_S and not moves:
            return
        with self._lock:
            self._count(job)
            if not moves and not self._waiting[job.long] and not (job.long and self._turns[False]):
                job.since_s = self._now_us() / 1e6
                return
            if moves:
                self._make_room()
                self._long.add(job)
            self._give_up(job)
            job.long = job.long or moves
            ready = threading.Event()
            job._begin = ready.set
            self._waiting[job.long].append(job)
            self._fill()
        while not ready.wait(OVERSTAY_S):
            with self._lock:
                self._fill()
        job.begin_turn()
        if job.stopped is not None:
            raise job.stopped

    # --- with the lock ------------------------------------------------------------------------------------------

    def _count(self, job: Job) -> None:
        part_s = job.measure()
        if job.owner in self._used:
            self._used[job.owner] += part_s

    def _make_room(self) -> None:
        """Let one of the long works stop where there are too many.

        Raises:
            ServerBusy: none has had its fair share yet.
        """
        if len(self._long) < MOST_LONG:
            return
        going = [one for one in self._long if one.stopped is None]
        first = max(going, key=lambda one: (self._used.get(one.owner, 0.0), one.used_s), default=None)
        if first is None or first.used_s < FAIR_SHARE_S:
            raise ServerBusy(BUSY)
        first.stopped = ServerBusy(BUSY)
        self._long.discard(first)

    def _leave(self, job: Job) -> None:
        with self._lock:
            if job.since_s is not None and not self.inline:
                self._count(job)
            if job in self._waiting[job.long]:
                self._waiting[job.long].remove(job)
            self._give_up(job)
            self._fill()

    def _give_up(self, job: Job) -> None:
        job.since_s = None
        for turns in self._turns.values():
            if job in turns:
                turns.remove(job)

    def _give(self, job: Job) -> None:
        job.since_s = self._now_us() / 1e6
        if job.long:
            self._held_since_s = job.since_s
        self._turns[job.long].append(job)

    def _room(self, long: bool) -> bool:
        """Whether one more may compute; those that do not pause do not count after a while, and belong to the long."""
        now_s = self._now_us() / 1e6
        turns = self._turns[long]
        overstayed = [one for one in turns if one.since_s is None or now_s - one.since_s >= OVERSTAY_S]
        if long:
            if self._room(False) and not self._turns[False]:
                self._held_since_s = now_s
            elif now_s - self._held_since_s < YIELD_S:
                return False
            return len(turns) - len(overstayed) < LONG_TURNS and len(overstayed) < MOST_OVERSTAYED
        stuck = [one for one in self._turns[True] if one.since_s is None or now_s - one.since_s >= OVERSTAY_S]
        if overstayed and len(stuck) + len(overstayed) > 2 * MOST_OVERSTAYED:
            # However many parts never end: not all threads at once, or the loop would wait for each of them.
            return False
        for one in overstayed:
            turns.remove(one)
            one.long = True
            self._turns[True].append(one)
            self._long.add(one)
        return len(turns) < SHORT_TURNS

    def _fill(self) -> None:
        """Give turns to those who wait, as far as there is room: first to those who have computed least."""
        for long, waiting in self._waiting.items():
            while waiting and self._room(long):
                job = min(waiting, key=lambda one: (not one.asked, self._used.get(one.owner, 0.0), one.used_s))
                waiting.remove(job)
                self._give(job)
                job._begin()

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        """While somebody waits, look now and then whether a turn was overstayed."""
        if self._timer is None:
            self._timer = loop.call_later(OVERSTAY_S, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        with self._lock:
            self._fill()
            waits = any(self._waiting.values())
        if waits:
            self._look_again(loop)


def _begin(loop: asyncio.AbstractEventLoop, turn: asyncio.Future[None]) -> None:
    with contextlib.suppress(RuntimeError):
        # A loop that is closed has nothing more to do.
        loop.call_soon_threadsafe(_resolve, turn)


def _resolve(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_result(None)
