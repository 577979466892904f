"""Hosts many sessions in one IOLoop: one clock, one journal, one timer for all of them.

Owns: the sessions in memory, the heap of who ticks next, the way from the journal's thread back to the loop, the
drain. Does not own sockets or routes. Games are brought back when somebody asks for them, and leave memory when nobody
needs them (`sleep`): a host that starts opens only those that were live when the last one died (`openings`). Longer
than most files, because all of it is about the same few things: the sessions, the heap and the journal.

The timer is a 10 Hz grid in twenty phases: each session ticks in its own slot of the 100 ms, computed from the
monotonic clock, and a session with nothing due is not in the heap at all, so it costs nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import json
import logging
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from gamekit.errors import ConfigError, GamekitError, JournalError, ServerError, SessionError
from gamekit.game import Enough, Game, GameId, Join, PlayerId, Rejected
from gamekit.history import first_session, stored
from gamekit.journal import Append, Completion, GameRow, Journal, PutLatency, Write
from gamekit.server import naming, refusals
from gamekit.server.beats import Beats
from gamekit.server.housekeeping import Housekeeping
from gamekit.server.lanes import Job, Lanes
from gamekit.server.measure import Metrics
from gamekit.server.openings import Openings, Recovered, rebuilt
from gamekit.server.pings import Pings
from gamekit.server.replayers import Replayers
from gamekit.server.runner import Runner
from gamekit.server.settings import ALARMS_US, COMMAND_WAIT_S, DRAIN_S, READ_WAIT_S, RECOVERY_THREADS, SLICE_US
from gamekit.server.sleep import Dormitory
from gamekit.server.storage import StorageWatch
from gamekit.server.turns import Turns
from gamekit.server.wall import Wall
from gamekit.session import ADMIN, Submitted, Ticked, TicketId
from gamekit.wire import Outcome

log = logging.getLogger("gamekit.server")
T = TypeVar("T")


class Host:
    """All sessions of one server process.

    Args:
        journal: where everything durable goes; the host starts and closes it.
        games: the rules by name; the first is the default for new games.
        sleep_after_s: how long a session must be unused before it leaves memory, in seconds.
        wall: Unix time in seconds, or how far it is believed. What decides anything is asked once, at the start, so
            that a clock that is set later does no harm.
        replayers: processes that help to bring many games back at the start.
    """

    def __init__(
        self,
        journal: Journal,
        games: Mapping[str, Game[Any]],
        *,
        sleep_after_s: float = 60.0,
        wall: Callable[[], float] | Wall = time.time,
        replayers: Replayers | None = None,
    ) -> None:
        self.journal = journal
        self.games = games
        self.metrics = Metrics()
        self.runners: dict[GameId, Runner] = {}
        self.dormitory = Dormitory(self, sleep_after_s)
        self.lanes = Lanes(self.now_us)
        self.openings = Openings(self, replayers)
        self.beats = Beats()
        self.pings = Pings()
        self.storage = StorageWatch(self)
        self.housekeeping = Housekeeping(self)
        self.turns = Turns(self.now_us)
        self.metrics.waiting_turns.set_function(lambda: len(self.turns))
        #: Sentences about the games that a drain could not close in order.
        self.unclosed: list[str] = []
        #: The CPU time of the loop's thread, in nanoseconds: what games are charged for.
        self.spent_ns: Callable[[], int] = time.thread_time_ns
        self.draining = False
        self._loop: asyncio.AbstractEventLoop
        self._heap: list[tuple[int, int, Runner]] = []
        self._heap_order = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_us = 0
        self._waking = False
        self._tickets = 0
        self._every_second: asyncio.Task[None] | None = None
        #: Where games are taken over, which is a commit and little else; what computes has turns in `lanes`.
        self._recovery = ThreadPoolExecutor(RECOVERY_THREADS, thread_name_prefix="gamekit-recovery")
        self.wall = wall if isinstance(wall, Wall) else Wall(wall)
        #: Writes that somebody waits for: {id of the write: done when it is durable}.
        self._awaited: dict[int, asyncio.Future[None]] = {}
        #: {game: the names of those who are joining it}, so that two who come together are told apart.
        self._coming: dict[GameId, list[str]] = {}
        #: Done at the next commit of the journal.
        self._next_commit: asyncio.Future[None]

    def start(self) -> None:
        """Begin to accept work; call inside the running loop."""
        self._loop = asyncio.get_running_loop()
        self._next_commit = self._loop.create_future()
        self.journal.start(self._on_commit)
        self.wall.start(self.journal, self.now_us)
        self._every_second = self._loop.create_task(self.housekeeping.run())
        self.openings.reopen()

    def now_us(self) -> int:
        """The host's clock: monotonic, in microseconds."""
        return time.monotonic_ns() // 1000

    def patience(self) -> Enough:
        """Until when one call into a session may go on."""
        clock = time.monotonic_ns
        until_ns = clock() + SLICE_US * 1000
        return lambda: clock() >= until_ns

    def to_wall(self, time_us: int) -> float:
        """A time on the host's clock as Unix time in seconds."""
        return self.wall.to_wall(time_us)

    def wall_s(self) -> float:
        """The wall clock: Unix time in seconds, for people to read."""
        return self.wall.now_s()

    async def note_alive(self) -> None:
        """Leave a sign of life in the journal; where that cannot be, the next one is soon enough."""
        with contextlib.suppress(JournalError):
            await self._loop.run_in_executor(None, self.journal.note_alive, self.to_wall(self.now_us()))

    def new_id(self) -> GameId:
        """An id for a new game."""
        return GameId(secrets.token_hex(5))

    def new_ticket(self) -> TicketId:
        """A number for a question."""
        self._tickets += 1
        return TicketId(self._tickets)

    # --- games ------------------------------------------------------------------------------------------------

    async def new_game(
        self,
        config: Mapping[str, Any],
        seed: int,
        name: str,
        player_name: str,
        game_name: str | None = None,
        policy: Mapping[str, str | None] | None = None,
        *,
        check: Callable[[Game[Any], Any], None] | None = None,
        asker: str = "",
    ) -> tuple[Runner, str]:
        """Make a game with its first player; durable on return.

        Args:
            config, seed: what the game is made from.
            name, player_name: what the game and its first player are called.
            game_name: the name of its rules, the first of this host by default.
            policy: fields of `SetPolicy` that shall differ from the defaults; the choice is the first record.
            check: raises when the game must not be made, given its rules and its state at tick 0.
            asker: who waits for it, e.g. an address.

        Returns:
            The session's runner and the player's id.

        Raises:
            ConfigError: the configuration is wrong.
            TooCostly: it is more than may be made.
            ServerError: the first player cannot be called so, or the policy cannot be set.
            JournalError: it could not be stored.
        """
        game = next(iter(self.games.values())) if game_name is None else self.games.get(game_name)
        if game is None:
            raise ConfigError(
                f"game: {game_name!r} is not known here; allowed are {', '.join(self.games)}. The server's owner "
                "allows others with `gamekit serve --game MODULE:CLASS`."
            )
        if wrong := naming.wrong_player_name(player_name):
            raise ServerError(wrong)
        row = GameRow(
            id=self.new_id(),
            game=game.name,
            version=game.version,
            name=name,
            config=json.dumps(config),
            seed=seed,
            created_s=self.wall_s(),
        )
        with self.lanes.job(row.id, asker) as job:
            await self.lanes.run(job, self._create, game, row, check)
        runner = await self.runner(row.id, asker)
        if policy and any(policy.values()):
            chosen = await self.command(runner, ADMIN, "@server", 0, {"type": "set_policy", **policy})
            if chosen.code is not None:
                raise ServerError(chosen.message or "The policy could not be set.")
        player, outcome = await self.join(runner, player_name)
        if player is None:
            raise ServerError(outcome.message or "The first player could not join.")
        return runner, player

    def _create(self, game: Game[Any], row: GameRow, check: Callable[[Game[Any], Any], None] | None) -> None:
        session = first_session(game, row)
        if check is not None:
            check(game, session.state)
        self.journal.create(row, stored(session, session.snapshot(), tick=0, seq=0))

    async def runner(self, game: GameId, asker: str = "") -> Runner:
        """The running session of a game; wakes it, or recovers it from the journal, when it is not in memory.

        Args:
            game: which one.
            asker: who waits for it, e.g. an address; what computes for long takes turns among askers.

        Raises:
            NoSuchGame: there is none with this id.
            SessionError: it failed, or its history cannot be replayed; other games are not touched by that.
            JournalError: its history cannot be read.
            ServerBusy: too many large games are being brought back.
            ServerError: the server is shutting down.
        """
        if runner := self.runners.get(game):
            if runner.ended is not None:
                raise SessionError(runner.ended)
            runner.used_us = self.now_us()
            return runner
        runner = await asyncio.shield(self.openings.begin(game, asked=True, asker=asker))
        runner.used_us = self.now_us()
        return runner

    def rouse(self, game: GameId) -> None:
        """Begin to wake a session by itself; nobody waits for it, and it does not count as used."""
        with contextlib.suppress(GamekitError):
            self.openings.begin(game)

    def check_running(self) -> None:
        """Go on only while nothing ends.

        Raises:
            ServerError: the server is shutting down.
        """
        if self.draining:
            raise ServerError("The server is shutting down; connect again in a moment.")

    def keep(self, runner: Runner) -> None:
        """A session is in memory."""
        self.runners[runner.id] = runner
        self.metrics.sessions.set(len(self.runners))

    def forget(self, runner: Runner) -> None:
        """A session is not in memory any more."""
        self.runners.pop(runner.id, None)
        self.turns.discard(runner)
        self.housekeeping.forget(runner)
        self.metrics.sessions.set(len(self.runners))

    async def in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Take games over beside the loop."""
        return await self._loop.run_in_executor(self._recovery, work, *arguments)

    async def stored(self, *writes: Write) -> None:
        """Write something of a session that is not in memory yet, together; durable on return.

        Raises:
            JournalError: it is not.
        """
        done = [self._loop.create_future() for _ in writes]
        self._awaited.update((id(write), future) for write, future in zip(writes, done, strict=True))
        self.journal.submit(writes)
        # Each is asked, so that none is left whose error has not been heard.
        for error in await asyncio.gather(*done, return_exceptions=True):
            if error is not None:
                raise error

    def rules_of(self, row: GameRow) -> Game[Any]:
        """The rules of a game.

        Raises:
            ServerError: this server does not have them.
        """
        rules = self.games.get(row.game)
        if rules is None:
            raise ServerError(
                f"Game {row.id} is a {row.game!r}, and this server hosts {', '.join(self.games)} only; start it with "
                f"`gamekit serve --game MODULE:CLASS`, where CLASS is the one whose `name` is {row.game!r}."
            )
        return rules

    def rebuilt(self, row: GameRow, job: Job | None = None) -> Recovered:
        """A game that was taken over, as the journal tells it; called in a thread.

        Raises:
            GamekitError: its history cannot be read, or its rules fail on it.
        """
        return rebuilt(self, row, job)

    async def catch_up(self, runner: Runner, within_s: float = READ_WAIT_S) -> None:
        """Bring a session nearer to where its clock is now, so that what is read from it is of now if it can be.

        In steps, between which others have their turn. Ends between two ticks, when the session is at its clock, when
        the time is over, or when it cannot go on.

        Args:
            runner: whose session.
            within_s: how long at most, in seconds, and until the tick under way is complete.
        """
        session = runner.session
        target = runner.clock.tick_at(self.now_us())
        until_s = self._loop.time() + within_s
        runner.readers += 1
        try:
            while runner.ended is None and not self.draining:
                target = min(target, runner.pace.target(session, self.now_us()))
                left_s = until_s - self._loop.time()
                if not session.midway and (session.tick >= target or left_s < 0.001 or session.readonly):
                    return
                before, next_commit = session.reached, self._next_commit
                if not runner.queued:
                    runner.feed(Ticked())
                if runner.queued:
                    await self.turns.next(COMMAND_WAIT_S)
                if session.reached == before and not session.midway and not runner.queued:
                    # It waits for the journal.
                    await asyncio.wait([next_commit], timeout=max(left_s, 0))
                else:
                    await asyncio.sleep(0)
        finally:
            runner.readers -= 1

    async def readable(self, runner: Runner, within_s: float = READ_WAIT_S) -> None:
        """Bring a session nearer to its clock, and wait until it may be read: large ones are not read all the time.

        Raises:
            SessionError: it has ended.
            ServerError: the server is shutting down.
        """
        while True:
            await self.catch_up(runner, within_s)
            if runner.ended is not None:
                raise SessionError(runner.ended)
            if runner.session.midway:
                self.check_running()
            rest_us = runner.rest_until_us - self.now_us()
            if rest_us <= 0 and not runner.session.midway:
                return
            within_s = 0.0
            await asyncio.sleep(max(rest_us, 0) / 1e6)

    async def join(self, runner: Runner, name: str, most: int | None = None) -> tuple[PlayerId | None, Outcome]:
        """Let a new player in, under a name that is told from all others; None and the refusal when that cannot be.

        What can be refused is refused before it is journaled, and before it has a player's id.

        Args:
            runner: of the game.
            name: what the player chose.
            most: how many players the game may have; None for any number.
        """
        if wrong := naming.wrong_player_name(name):
            return None, refusals.outcome(Rejected("bad_name", wrong))
        coming = self._coming.setdefault(runner.id, [])
        name = naming.player_name(runner.session, coming, name)
        if refused := refusals.of_join(runner.session, coming, name, most):
            return None, refusals.outcome(refused)
        coming.append(name)
        try:
            player = runner.session.new_player()
            outcome = await self.command(runner, player, "@server", 0, Join(name=name))
        finally:
            coming.remove(name)
            if not coming:
                self._coming.pop(runner.id, None)
        return (player if outcome.code is None else None), outcome

    async def admin(self, runner: Runner, body: dict[str, Any]) -> Outcome:
        """Carry out one of the session's own commands, e.g. `{"type": "pause"}`.

        It takes effect at the tick that it is now; in a game that is late, soon after the tick that it has reached.
        """
        if body["type"] == "set_rules" and not runner.asleep:
            # One that sleeps was dropped a moment ago; the rules are asked at its tick.
            refused = refusals.of_rules(runner.session, body["changes"])
            if refused is not None:
                return refusals.outcome(refused)
        return await self.command(runner, ADMIN, "@server", 0, body)

    async def command(self, runner: Runner, player: PlayerId, client: str, cid: int, body: Any) -> Outcome:
        """Submit a command and wait until it is applied or refused."""
        if runner.asleep:
            try:
                runner = await self.runner(runner.id)
            except GamekitError as error:
                return Outcome(cid=cid, tick=0, seq=0, code="unavailable", message=str(error))
        if runner.ended is None and not runner.waits(self.now_us()):
            # One that has much to do takes it as it is: soon after what it has reached.
            await self.catch_up(runner, COMMAND_WAIT_S)
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
        # While runners are woken the next alarm waits until all have said when they want to be woken again.
        if not self._waking and (self._timer is None or runner.due_us < self._timer_us):
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
        self._waking = True
        until_us = self.now_us() + ALARMS_US
        try:
            while heap and heap[0][0] <= (now_us := self.now_us()):
                due_us, _, runner = heapq.heappop(heap)
                if due_us == runner.due_us:
                    runner.wake(now_us)
                    if now_us >= until_us:
                        # The others are no later for it: their alarm is the loop's next one.
                        break
        finally:
            # Whatever happened to one, the others are woken when they are due.
            self._waking = False
            self._set_timer()

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
            if awaited := self._awaited.pop(id(one.write), None):
                if not awaited.done():
                    awaited.set_exception(one.error) if one.error else awaited.set_result(None)
                continue
            game = _game_of(one)
            runner = self.runners.get(game)
            if runner is not None:
                with runner.guarded():
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
        for runner in list(self.runners.values()):
            runner.notify("drain", "The server is shutting down; your client reconnects by itself.")
        await self.openings.close()
        deadline = self._loop.time() + DRAIN_S
        while any(runner.busy for runner in list(self.runners.values())) and self._loop.time() < deadline:
            await asyncio.sleep(0.01)
        self.turns.close()
        if self._every_second is not None:
            self._every_second.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for runner in list(self.runners.values()):
            if writes := runner.close():
                self.journal.submit(writes)
            if not runner.closed and not runner.asleep:
                self.unclosed.append(f"{runner.id} ({runner.session.name}): {_unclosed(runner)}")
            # Others have their turn: a snapshot may be large.
            await asyncio.sleep(0)
        health = self.journal.health()
        if health.late is None and health.failing is None:
            # Behind a lock it would wait for that.
            await self.note_alive()
        await self._loop.run_in_executor(None, self.journal.close)
        self._recovery.shutdown(wait=False)
        self.lanes.close()


def _game_of(done: Completion) -> GameId:
    write: Any = done.write
    for name in ("record", "snapshot"):
        if hasattr(write, name):
            return GameId(getattr(write, name).game)
    return GameId(write.game)


def _unclosed(runner: Runner) -> str:
    """Why a session could not be closed in order."""
    session = runner.session
    if session.readonly is not None:
        return "its journal could not be written"
    if session.midway:
        return "it was in the middle of a tick that takes long"
    if not session.intake.empty:
        return "a command was on its way to the disk"
    return "its rules failed"
