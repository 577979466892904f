"""How games come into memory: asked for one by one, taken over many at a time, and those first that somebody waits for.

Owns what is on its way in: a task for each game, the queue before the journal, and what could not be opened a moment
ago. Whoever asks twice gets the same task. Owns no session: what is brought back goes to the host's runners.

Invariants:

- A game is taken over before its history is read: after that no older run can add to what is read here.
- What cannot be opened is not tried again at once, because every try takes the game over anew, which is a write.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from gamekit.errors import GamekitError, NoSuchGame, ServerBusy, ServerError, SessionError
from gamekit.game import Game, GameId
from gamekit.history import prepare, rebuild, restored, stored
from gamekit.journal import Clock, GameRow, SaveSnapshot
from gamekit.server.lanes import Job
from gamekit.server.runner import Runner
from gamekit.server.settings import RECOVERY_THREADS
from gamekit.session import Session, Ticked
from gamekit.upgrade import check_version

if TYPE_CHECKING:
    from gamekit.server.host import Host
    from gamekit.server.replayer import Rebuilt
    from gamekit.server.replayers import Replayers

log = logging.getLogger("gamekit.server")

#: How long a game that could not be opened is not tried again, in seconds.
RETRY_OPEN_S = 5.0
#: Games that are taken over in one commit. Those who come later wait for no more than a batch or two of others.
BATCH_GAMES = 16
#: Games that were live when the last server died are opened by themselves: those of the latest clocks, at most so many,
#: and none whose time has gone on without it for longer than this, in seconds: it would have much to make up for.
REOPEN_GAMES = 2_000
REOPEN_WITHIN_S = 600.0


class Taken(NamedTuple):
    """A game that was taken over; `older` when it ended in order under an older version of its rules."""

    row: GameRow
    older: bool


class Recovered(NamedTuple):
    """A session as the journal tells it, the chain of its last record, and the journal's clock."""

    session: Session[Any]
    chain: str
    clock: Clock | None


class Openings:
    """The games of one host that are on their way into memory.

    Args:
        host: whose games they are.
        replayers: processes that replay beside this one when many games come back at the start.
    """

    def __init__(self, host: Host, replayers: Replayers | None = None) -> None:
        self.host = host
        self._replayers = replayers
        self._tasks: dict[GameId, asyncio.Task[Runner]] = {}
        self._jobs: dict[GameId, Job] = {}
        #: Games that somebody waits for; the others are opened because they were live, or because something falls due.
        self._asked: set[GameId] = set()
        #: Games that are not taken over yet, in the order in which they came.
        self._waiting: dict[GameId, asyncio.Future[Taken]] = {}
        self._batches: set[asyncio.Task[None]] = set()
        self._reopening: asyncio.Task[None] | None = None
        #: {game: (when to try again, why it could not be opened)}
        self._unreadable: dict[GameId, tuple[float, GamekitError]] = {}

    def under_way(self, game: GameId) -> bool:
        """True while a game is on its way into memory."""
        return game in self._tasks

    def told(self, game: GameId) -> dict[str, Any] | None:
        """How far a game is on its way into memory, for those who wait for it; None when it is not on its way."""
        if game not in self._tasks:
            return None
        absence = self.host.dormitory.absences.get(game)
        if absence is None:
            return {"percent": None, "message": "The game is being brought back; it comes by itself."}
        return {"percent": absence.percent, "message": f"The game {absence.sentence}"}

    def begin(self, game: GameId, *, asked: bool = False, asker: str = "") -> asyncio.Task[Runner]:
        """The task that brings a session into memory, begun if it is not under way.

        Args:
            game: which one.
            asked: somebody waits for it, so it goes before those that nobody waits for.
            asker: who; turns are fair among askers.

        Raises:
            GamekitError: it was tried a moment ago and failed.
        """
        loop = asyncio.get_running_loop()
        known = self._unreadable.get(game)
        if known is not None and loop.time() < known[0]:
            raise known[1]
        task = self._tasks.get(game)
        if asked:
            self._asked.add(game)
            if job := self._jobs.get(game):
                job.asked = True
        if task is None:
            task = self._tasks[game] = loop.create_task(self._open(game, asker))
            task.add_done_callback(lambda done: self._opened(game, done))
        return task

    def _opened(self, game: GameId, task: asyncio.Task[Runner]) -> None:
        self._tasks.pop(game, None)
        self._asked.discard(game)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, ServerError) and self.host.draining:
            return
        if isinstance(error, GamekitError) and not isinstance(error, NoSuchGame):
            self._unreadable[game] = (asyncio.get_running_loop().time() + RETRY_OPEN_S, error)
            if not isinstance(error, ServerBusy):
                log.error("game %s cannot be opened: %s", game, error)

    async def _open(self, game: GameId, asker: str) -> Runner:
        begun = asyncio.get_running_loop().time()
        with self.host.lanes.job(game, asker) as job:
            job.asked = game in self._asked
            self._jobs[game] = job
            try:
                runner = await self._brought_back(game, job)
            finally:
                del self._jobs[game]
        self.host.metrics.wakes.inc()
        if game in self._asked:
            self.host.metrics.recovery.observe(asyncio.get_running_loop().time() - begun)
        return runner

    async def _brought_back(self, game: GameId, job: Job) -> Runner:
        host = self.host
        if sleeper := host.dormitory.sleepers.get(game):
            runner = await host.dormitory.wake(sleeper, job)
        else:
            taken = await self._taken(game)
            session, chain, stored_clock = await self._rebuilt(taken, job)
            clock = host.dormitory.clock_for(game, session, stored_clock)
            await host.dormitory.make_up(session, clock, job=job)
            host.check_running()
            runner = Runner(host, session, chain=chain, clock=clock)
            host.keep(runner)
            if game in self._asked or session.policy.when_empty == "run":
                runner.feed(Ticked())
            else:
                # Nobody is here, so its time stands still; with a snapshot it is as if it had fallen asleep in order.
                runner.settle()
        return runner

    # --- from the journal -------------------------------------------------------------------------------------

    async def _taken(self, game: GameId) -> Taken:
        """A game that was taken over, together with others that were asked for in the same moment."""
        future: asyncio.Future[Taken] = asyncio.get_running_loop().create_future()
        self._waiting[game] = future
        self._go_on()
        return await future

    def _go_on(self) -> None:
        """Begin to take over the next games in the queue, as far as there is room."""
        while self._waiting and len(self._batches) < RECOVERY_THREADS:
            # Those who ask in the same moment come into one batch: it begins when the loop has heard them all.
            task = asyncio.get_running_loop().create_task(self._take())
            self._batches.add(task)
            task.add_done_callback(self._batch_taken)
            if len(self._waiting) <= BATCH_GAMES * len(self._batches):
                return

    def _batch_taken(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._go_on()

    async def _take(self) -> None:
        """Take the next games of the queue over, those first that somebody waits for."""
        games = sorted(self._waiting, key=lambda game: game not in self._asked)[:BATCH_GAMES]
        batch = {game: self._waiting.pop(game) for game in games}
        if not batch:
            return
        found: dict[GameId, Taken | Exception]
        try:
            found = dict(await self.host.in_thread(self._take_over, games))
        except Exception as error:
            found = dict.fromkeys(games, error)
        for game, future in batch.items():
            if future.done():
                continue
            taken = found[game]
            future.set_exception(taken) if isinstance(taken, Exception) else future.set_result(taken)

    def _take_over(self, games: list[GameId]) -> dict[GameId, Taken | GamekitError]:
        """Take over those that can be played here; the others with why they cannot. Nothing is written for these."""
        host = self.host
        host.check_running()
        older: dict[GameId, bool] = {}
        found: dict[GameId, Taken | GamekitError] = {game: NoSuchGame(f"There is no game {game!r}.") for game in games}
        for game in games:
            try:
                if row := host.journal.game(game):
                    older[game] = check_version(host.journal, row, host.rules_of(row))
            except GamekitError as error:
                found[game] = error
        for game, row in host.journal.open_all(list(older)).items():
            found[game] = Taken(row, older[game])
        return found

    async def _rebuilt(self, taken: Taken, job: Job) -> Recovered:
        """Rebuild one game that was taken over, beside the loop."""
        host = self.host
        row, older = taken
        elsewhere = await self._replayers.rebuilt(row) if self._replayers and not older else None
        if elsewhere is not None:
            recovered = await host.lanes.run(job, _restored, elsewhere, row, host.rules_of(row))
        else:
            recovered = await host.lanes.run(job, host.rebuilt, row, job)
        if older:
            await self._upgraded(recovered.session)
        return recovered

    async def _upgraded(self, session: Session[Any]) -> None:
        """Keep a game that ended in order under older rules as these rules have it, before they go on with it."""
        here = stored(session, session.snapshot(), tick=session.tick, seq=session.seq)
        await self.host.stored(SaveSnapshot(here, session.epoch))
        session.kept = (session.tick, 0)
        log.info("game %s is of version %d of its rules now", session.id, session.game.version)

    # --- at the start -----------------------------------------------------------------------------------------

    def reopen(self) -> None:
        """Begin to bring back what was live when the last server died, before anybody asks; others go first."""
        games = self.host.journal.unsettled(self.host.wall_s() - REOPEN_WITHIN_S, REOPEN_GAMES)
        if games:
            self._reopening = asyncio.get_running_loop().create_task(self._reopen(games))

    async def _reopen(self, games: list[GameId]) -> None:
        begun = asyncio.get_running_loop().time()
        if self._replayers is not None:
            await self._replayers.start(len(games))
        tasks = []
        for game in games:
            if game not in self.host.runners:
                with contextlib.suppress(GamekitError):
                    tasks.append(self.begin(game))
        if tasks:
            await asyncio.wait(tasks)
        if self._replayers is not None:
            await self._replayers.close()
        if self.host.draining:
            return
        failed = sum(task.cancelled() or task.exception() is not None for task in tasks)
        took_s = asyncio.get_running_loop().time() - begun
        log.info("%d games that were live when the last server ended are so again, %.1f s", len(tasks) - failed, took_s)

    async def close(self) -> None:
        """Bring no more games back."""
        error = ServerError("The server is shutting down; connect again in a moment.")
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(error)
        for job in self._jobs.values():
            job.stopped = error
        if self._replayers is not None:
            await self._replayers.close(at_once=True)


def _restored(there: Rebuilt, row: GameRow, game: Game[Any]) -> Recovered:
    """What another process rebuilt, in this one; in a thread."""
    session = restored(game, row, there.session, game.version, there.seq)
    session.kept = there.kept
    session.reserved = session.tick
    prepare(session)
    return Recovered(session, there.chain, there.clock)


def rebuilt(host: Host, row: GameRow, job: Job | None = None) -> Recovered:
    """A game that was taken over, as the journal tells it; in a thread.

    Args:
        host: where it is to run.
        row: which game.
        job: what the work counts for; it pauses there.

    Raises:
        JournalError: its history cannot be read.
        SessionError: its rules fail on it.
    """
    host.check_running()
    try:
        pause, weigh = (job.pause, job.weigh) if job else (None, None)
        session = rebuild(host.journal, row, host.rules_of(row), pause=pause, weigh=weigh)
        prepare(session, pause)
        return Recovered(session, host.journal.chain(row.id, session.seq), host.journal.clock(row.id))
    except GamekitError:
        raise
    except Exception as error:
        log.exception("game %s cannot be replayed", row.id)
        text = f"The rules fail on the history of game {row.id} ({error!r}); `gamekit verify` tells where."
        raise SessionError(text) from None
