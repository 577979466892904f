"""Hosts many sessions in one IOLoop: one clock, one journal, one timer for all of them.

Owns: the catalogue of open sessions, the heap of who ticks next, the way from the journal's thread back to the loop,
the drain. Does not own sockets or routes.

The timer is a 10 Hz grid in ten phases: each session ticks in its own slot of the 100 ms, computed from the monotonic
clock, and a session with nothing due is not in the heap at all, so it costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import logging
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any

from gamekit.errors import GamekitError, JournalError, NoSuchGame, ServerError, SessionError
from gamekit.game import Game, GameId, Join, PlayerId
from gamekit.history import first_session, rebuild, stored
from gamekit.journal import Append, Completion, GameRow, Journal, PutLatency
from gamekit.server.clock import SLOTS_PER_TICK
from gamekit.server.measure import Metrics, TickTimes
from gamekit.server.runner import Runner
from gamekit.server.settings import DRAIN_S, HEARTBEAT_S
from gamekit.session import ADMIN, Submitted, Ticked, TicketId
from gamekit.wire import Outcome

log = logging.getLogger("gamekit.server")

#: How long a game that could not be opened is not tried again, in seconds.
RETRY_OPEN_S = 5.0


class Host:
    """All sessions of one server process.

    Args:
        journal: where everything durable goes; the host starts and closes it.
        games: the rules by name; the first is the default for new games.
    """

    def __init__(self, journal: Journal, games: Mapping[str, Game[Any]]) -> None:
        self.journal = journal
        self.games = games
        self.metrics = Metrics()
        self.runners: dict[GameId, Runner] = {}
        #: Runners with a connection; they get heartbeats.
        self.watched: set[Runner] = set()
        #: Runners that ticked in this second.
        self.measured: set[Runner] = set()
        self.draining = False
        self._loop: asyncio.AbstractEventLoop
        self._opening: dict[GameId, asyncio.Task[Runner]] = {}
        self._heap: list[tuple[int, int, Runner]] = []
        self._heap_order = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_us = 0
        self._tickets = 0
        self._all_times = TickTimes()
        self._every_second: asyncio.Task[None] | None = None
        self._opening_all: asyncio.Task[None] | None = None
        #: {game: (when to try again, why it could not be opened)}
        self._unreadable: dict[GameId, tuple[float, GamekitError]] = {}
        #: Done at the next commit of the journal.
        self._next_commit: asyncio.Future[None]

    def start(self) -> None:
        """Begin to accept work; call inside the running loop."""
        self._loop = asyncio.get_running_loop()
        self._next_commit = self._loop.create_future()
        self.journal.start(self._on_commit)
        self._every_second = self._loop.create_task(self._seconds())
        self._opening_all = self._loop.create_task(self._open_all())

    def now_us(self) -> int:
        """The host's clock: monotonic, in microseconds."""
        return time.monotonic_ns() // 1000

    def wall_s(self) -> float:
        """The wall clock: Unix time in seconds. Only for people to read; nothing is decided by it."""
        return time.time()

    def new_id(self) -> GameId:
        """An id for a new game."""
        return GameId(secrets.token_hex(5))

    def new_ticket(self) -> TicketId:
        """A number for a question."""
        self._tickets += 1
        return TicketId(self._tickets)

    # --- games ------------------------------------------------------------------------------------------------

    async def new_game(self, config: Mapping[str, Any], seed: int, name: str, player_name: str) -> tuple[Runner, str]:
        """Make a game with its first player; durable on return.

        Returns:
            The session's runner and the player's id.

        Raises:
            ConfigError: the configuration is wrong.
            JournalError: it could not be stored.
        """
        game = next(iter(self.games.values()))
        row = GameRow(
            id=self.new_id(),
            game=game.name,
            version=game.version,
            name=name,
            config=json.dumps(config),
            seed=seed,
            created_s=self.wall_s(),
        )
        await self._loop.run_in_executor(None, self._create, game, row)
        runner = await self.runner(row.id)
        player, outcome = await self.join(runner, player_name)
        if player is None:
            raise ServerError(outcome.message or "The first player could not join.")
        return runner, player

    def _create(self, game: Game[Any], row: GameRow) -> None:
        session = first_session(game, row)
        self.journal.create(row, stored(session, session.snapshot(), tick=0, seq=0))

    async def runner(self, game: GameId) -> Runner:
        """The running session of a game; recovers it from the journal when it is not in memory.

        Raises:
            NoSuchGame: there is none with this id.
            SessionError: it failed, or its history cannot be replayed; other games are not touched by that.
            JournalError: its history cannot be read.
            ServerError: the server is shutting down.
        """
        if runner := self.runners.get(game):
            if runner.ended is not None:
                raise SessionError(runner.ended)
            return runner
        known = self._unreadable.get(game)
        if known is not None and self._loop.time() < known[0]:
            raise known[1]
        task = self._opening.get(game)
        if task is None:
            task = self._opening[game] = self._loop.create_task(self._open(game))
            task.add_done_callback(lambda done: self._opened(game, done))
        return await asyncio.shield(task)

    def _opened(self, game: GameId, task: asyncio.Task[Runner]) -> None:
        self._opening.pop(game, None)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, GamekitError) and not isinstance(error, NoSuchGame):
            # Not tried again at once: every try takes the game over anew, which is a write.
            self._unreadable[game] = (self._loop.time() + RETRY_OPEN_S, error)
            log.error("game %s cannot be opened: %s", game, error)

    async def _open(self, game: GameId) -> Runner:
        session, chain = await self._loop.run_in_executor(None, self._recover, game)
        runner = Runner(self, session, chain=chain, phase=len(self.runners) % SLOTS_PER_TICK)
        self.runners[game] = runner
        self.metrics.sessions.set(len(self.runners))
        runner.feed(Ticked())
        return runner

    def _recover(self, game: GameId) -> tuple[Any, str]:
        if self.draining:
            raise ServerError("The server is shutting down; connect again in a moment.")
        row = self.journal.game(game)
        if row is None:
            raise NoSuchGame(f"There is no game {game!r}.")
        rules = self.games.get(row.game)
        if rules is None:
            raise ServerError(f"Game {game} is a {row.game!r}; this server only hosts {', '.join(self.games)}.")
        # Taking over comes first: after it no older run can add to the history that is read here.
        row = self.journal.open(game)
        try:
            session = rebuild(self.journal, row, rules)
        except GamekitError:
            raise
        except Exception as error:
            log.exception("game %s cannot be replayed", game)
            text = f"The rules fail on the history of game {game} ({error!r}); `gamekit verify` tells where."
            raise SessionError(text) from None
        return session, self.journal.chain(game, session.seq)

    async def _open_all(self) -> None:
        """Bring back every game of the database, one after the other, so that those nobody asks for go on too."""
        for row in await self._loop.run_in_executor(None, self.journal.games):
            with contextlib.suppress(GamekitError):
                await self.runner(row.id)

    async def catch_up(self, runner: Runner) -> None:
        """Bring a session to where its clock is now, so that what is read from it is of now.

        In steps, between which others have their turn. Ends early when the session cannot go on.
        """
        session = runner.session
        target = runner.clock.tick_at(self.now_us())
        while runner.ended is None and not session.readonly and not self.draining:
            held = target if session.hold_at is None else min(target, session.hold_at)
            target = min(held, runner.clock.tick_at(self.now_us()))
            if session.tick >= target:
                return
            before = session.tick
            next_commit = self._next_commit
            runner.feed(Ticked())
            if session.tick == before:
                await asyncio.shield(next_commit)
            await asyncio.sleep(0)

    async def join(self, runner: Runner, name: str) -> tuple[PlayerId | None, Outcome]:
        """Let a new player in; None and the refusal when the rules do not."""
        player = runner.session.new_player()
        outcome = await self.command(runner, player, "@server", 0, Join(name=name))
        return (player if outcome.code is None else None), outcome

    async def admin(self, runner: Runner, body: dict[str, Any]) -> Outcome:
        """Carry out one of the session's own commands, e.g. `{"type": "pause"}`, at the tick that it is now."""
        await self.catch_up(runner)
        return await self.command(runner, ADMIN, "@server", 0, body)

    async def command(self, runner: Runner, player: PlayerId, client: str, cid: int, body: Any) -> Outcome:
        """Submit a command and wait until it is applied or refused."""
        future: asyncio.Future[Outcome] = self._loop.create_future()

        def settle(outcome: Outcome) -> None:
            if not future.done():
                future.set_result(outcome)

        runner.ask(lambda ticket: Submitted(ticket, player, client, cid, body), settle)
        return await future

    # --- the clock --------------------------------------------------------------------------------------------

    def schedule(self, runner: Runner) -> None:
        """Note when a runner wants to be woken; an older note of the same runner is void."""
        if runner.due_us is None:
            return
        self._heap_order += 1
        heapq.heappush(self._heap, (runner.due_us, self._heap_order, runner))
        if self._timer is None or runner.due_us < self._timer_us:
            self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        heap = self._heap
        while heap and heap[0][0] != heap[0][2].due_us:
            heapq.heappop(heap)
        if heap:
            self._timer_us = heap[0][0]
            delay_s = (self._timer_us - self.now_us()) / 1e6
            self._timer = self._loop.call_at(self._loop.time() + delay_s, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        heap = self._heap
        while heap and heap[0][0] <= (now_us := self.now_us()):
            due_us, _, runner = heapq.heappop(heap)
            if due_us == runner.due_us:
                runner.wake(now_us)
        self._set_timer()

    async def _seconds(self) -> None:
        """Once a second: heartbeats, measured times into the journal, slow sockets looked after."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for runner in list(self.watched):
                runner.feed(Ticked(heartbeat=True))
            self._keep_times()

    def _keep_times(self) -> None:
        at_s = self.wall_s()
        rows = [row for runner in self.measured if (row := runner.times.row(runner.id, at_s))]
        self.measured.clear()
        if rows and not self.draining:
            self.journal.submit([PutLatency(tuple(rows))])

    # --- the journal ------------------------------------------------------------------------------------------

    def _on_commit(self, done: Sequence[Completion]) -> None:
        self._loop.call_soon_threadsafe(self._committed, done)

    def _committed(self, done: Sequence[Completion]) -> None:
        records = sum(isinstance(one.write, Append) and one.error is None for one in done)
        self.metrics.records.inc(records)
        self.metrics.commits.inc(records > 0)
        for one in done:
            if isinstance(one.write, PutLatency):
                if one.error:
                    self.log_journal_error(GameId("-"), one.error)
                continue
            game = _game_of(one)
            runner = self.runners.get(game)
            if runner is not None:
                runner.committed(one)
        self._next_commit.set_result(None)
        self._next_commit = self._loop.create_future()

    def log_journal_error(self, game: GameId, error: JournalError) -> None:
        """Say once per failure what the journal could not do."""
        log.error("game %s: %s", game, error)

    # --- the end ----------------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Finish what is under way, keep a snapshot of every session, and close the journal.

        Takes at most `DRAIN_S` seconds for what is under way; what is durable is safe in any case.
        """
        if self.draining:
            return
        self.draining = True
        for runner in self.runners.values():
            runner.notify("drain", "The server is shutting down; your client reconnects by itself.")
        deadline = self._loop.time() + DRAIN_S
        while any(runner.busy for runner in self.runners.values()) and self._loop.time() < deadline:
            await asyncio.sleep(0.01)
        for task in (self._every_second, self._opening_all):
            if task is not None:
                task.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for runner in self.runners.values():
            if writes := runner.close():
                self.journal.submit(writes)
        await self._loop.run_in_executor(None, self.journal.close)


def _game_of(done: Completion) -> GameId:
    write: Any = done.write
    for name in ("record", "snapshot"):
        if hasattr(write, name):
            return GameId(getattr(write, name).game)
    return GameId(write.game)
