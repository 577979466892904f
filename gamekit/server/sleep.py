"""Sleep: when a session may leave memory, what stays of it while sockets hold on, and how it wakes.

A session without connections leaves nothing behind but its rows in the journal. One whose connections are all silent,
and in which nothing falls due for a while, leaves a `Bed`: who sits there, what they have seen, and its clock; the
sockets stay open. Time goes on by the clock all the same: on waking, the session is brought to where it would be.

Invariants:

- A session is dropped only after the snapshot and the exact tick that it is rebuilt from are durable.
- Nobody is shown a tick of a sleeping session: its heartbeats carry none.
- What a session did not live through awake it lives through before anybody sees it again, or, with `pause`, never.
"""

from __future__ import annotations

import logging
import zlib
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from gamekit.errors import GamekitError, ServerBusy, SessionError
from gamekit.game import TICK_HZ, GameId, Tick
from gamekit.history import Glance, live, prepare, rebuild, stored
from gamekit.journal import Clock, Reserve, SaveSnapshot, Write
from gamekit.server.clock import GameClock
from gamekit.server.lanes import Job
from gamekit.session import ConnectionId, Numbering, Session, Ticked, TurnedAway, Viewer

if TYPE_CHECKING:
    from gamekit.server.host import Host
    from gamekit.server.runner import Runner

log = logging.getLogger("gamekit.server")

#: A session that wakes with no more than this to make up for does so in its own steps; else before it is shown.
IN_PASSING_TICKS = 50
#: What is made up for in one step, in ticks and in CPU seconds: then it is reserved. A snapshot is kept after so many
#: CPU seconds. More ticks than these are told of in the log.
CHUNK_TICKS = 36_000
STEP_S = 1.0
KEEP_S = 5.0
TOLD_TICKS = 864_000
#: After so many CPU seconds it is asked whether a game lives fast enough to come to where its clock is.
HOPELESS_AFTER_S = 10.0
#: A longer absence than this is a wrong clock, in seconds: then no time has passed.
LONGEST_AWAY_S = 366 * 86_400


class Absence(msgspec.Struct):
    """A time that a game missed and lives through now.

    Attributes:
        since, until: from which tick to which.
        tick: how far it is.
        skipped: True when the owner of the server does not want the rest of it.
        hopeless: True when the game lives so slowly that it would hardly ever be where its clock is.
    """

    since: Tick
    until: Tick
    tick: Tick
    skipped: bool = False
    hopeless: bool = False

    @property
    def percent(self) -> int:
        """How much of it is done."""
        return 100 * (self.tick - self.since) // max(self.until - self.since, 1)

    @property
    def sentence(self) -> str:
        """What is going on, and what can be done about it; the game is the subject."""
        seconds = (self.until - self.since) / TICK_HZ
        length = f"{seconds / 86_400:.1f} days" if seconds >= 86_400 else f"{seconds / 60:.1f} minutes"
        return (
            f"lives through {length} of game time that it missed; {self.percent} % are done, and it comes by itself. "
            "The owner of the server can leave the rest out: POST /api/game/ID/skip."
        )


#: Why a session stays in memory that would sleep if it were between two ticks.
IN_A_TICK = "It is in the middle of a tick that takes several turns."


class Bed(msgspec.Struct):
    """What is kept of a session that sleeps under open sockets.

    Attributes:
        epoch, seq, tick: where it stands in its history.
        n: the last delta that its connections have seen.
        numbering: its number for each viewer, where these differ.
        seats: who is connected.
        moves: True when game time passes, so that it must be brought to now when its last connection leaves.
        turned_away: the commands of those who are connected that must come again before later ones.
    """

    epoch: int
    seq: int
    tick: Tick
    n: int
    numbering: Numbering | None
    seats: dict[ConnectionId, Viewer]
    moves: bool
    turned_away: TurnedAway


def why_awake(runner: Runner, now_us: int, sleep_after_us: int) -> list[str]:
    """What keeps a session in memory, in words; empty when it may sleep."""
    session = runner.session
    if runner.ended is not None:
        return [f"It is stopped: {runner.ended}"]
    if session.readonly is not None:
        return [session.readonly]
    found = []
    if runner.readers:
        found.append("It is brought to now for somebody who asked.")
    if session.midway:
        found.append(IN_A_TICK)
    elif runner.busy:
        found.append("A command is on its way.")
    if any(viewer.behind for viewer in session.audience.seats()):
        found.append("A connection has not read everything yet.")
    unused_us = now_us - runner.used_us
    sockets = len(runner.sockets)
    who = f"{sockets} connection{'' if sockets == 1 else 's'}"
    after = f"it may sleep {sleep_after_us / 1e6:g} s after the last use"
    if unused_us < sleep_after_us:
        ago = f"{unused_us / 1e6:.0f} s ago"
        found.append(f"It has {who}, last heard of {ago}; {after}." if sockets else f"It was used {ago}; {after}.")
    due_us = _due_us(runner)
    if sockets and due_us is not None and due_us - now_us < sleep_after_us:
        something = f"It has {who}, and something" if unused_us >= sleep_after_us else "Something"
        found.append(f"{something} falls due in {max(due_us - now_us, 0) / 1e6:.1f} s.")
    return found


def _due_us(runner: Runner) -> int | None:
    """When something happens next by itself that a connection must be shown; None when nothing does."""
    session = runner.session
    if session.paused:
        return None
    if session.midway:
        return runner.host.now_us()
    due = session.game.next_due(session.state)
    if session.hold_at is not None:
        due = session.hold_at if due is None else min(due, session.hold_at)
    return None if due is None else runner.clock.slot_of(due)


class Dormitory:
    """The sessions of one host that sleep under open sockets, and the ways in and out of sleep.

    Args:
        host: whose sessions they are.
        sleep_after_s: how long a session must be unused before it sleeps, in seconds.
    """

    def __init__(self, host: Host, sleep_after_s: float) -> None:
        self.host = host
        self.sleep_after_us = int(min(sleep_after_s, 1e9) * 1e6)
        self.sleepers: dict[GameId, Runner] = {}
        #: Games that live through what they missed.
        self.absences: dict[GameId, Absence] = {}

    # --- falling asleep ---------------------------------------------------------------------------------------

    def unused(self) -> list[Runner]:
        """Those that nobody has used for so long that they may sleep, if nothing else keeps them awake."""
        now_us = self.host.now_us()
        return [one for one in self.host.runners.values() if now_us - one.used_us >= self.sleep_after_us]

    def consider(self, runner: Runner) -> None:
        """Let a session fall asleep, unless something keeps it awake."""
        with runner.guarded():
            self._consider(runner)

    def _consider(self, runner: Runner) -> None:
        now_us = self.host.now_us()
        # One that is being settled is not settled again: what was handed over then would never be the last of it.
        if runner.asleep or runner.settling:
            return
        if why := self.why(runner, now_us):
            # It is asked again when its tick is complete: a busy one may never be found between two.
            runner.drowsy = why == [IN_A_TICK]
            return
        if runner.sockets or runner.session.policy.when_empty == "pause":
            # What was watched, or will stand still, must be of now; the rest is brought up to date when it wakes.
            runner.feed(Ticked())
            if runner.behind(self.host.now_us()) or self.why(runner, now_us):
                return
        runner.settle()

    def why(self, runner: Runner, now_us: int) -> list[str]:
        """`why_awake` of one of this host's sessions."""
        return why_awake(runner, now_us, self.sleep_after_us)

    def settled(self, runner: Runner) -> None:
        """What the session is rebuilt from is durable: drop it."""
        session = runner.session
        due_us = _due_us(runner)
        seats = {viewer.connection: viewer for viewer in session.audience.seats()}
        bed = Bed(
            epoch=session.epoch,
            seq=session.seq,
            tick=session.tick,
            n=session.audience.stream.n,
            numbering=session.audience.stream.numbering,
            seats=seats,
            moves=session.policy.when_empty == "pause" and not session.paused,
            turned_away=session.intake.turned_away,
        )
        self.host.forget(runner)
        if runner.sockets:
            self.sleepers[runner.id] = runner
        runner.lie_down(bed, due_us if runner.sockets else None)
        self.host.metrics.sleeps.inc()
        self._count()

    def left(self, runner: Runner, connection: ConnectionId) -> None:
        """A connection of a sleeping session is gone. When it was the last one, only the journal remembers the game."""
        bed = runner.bed
        if bed is None:
            return
        bed.seats.pop(connection, None)
        if runner.sockets or self.host.openings.under_way(runner.id):
            return
        if bed.moves:
            # Time has passed for those who watched; it stands still from now on, not from when they fell silent.
            self.host.rouse(runner.id)
            return
        self.drop(runner)

    def drop(self, runner: Runner) -> None:
        """Forget a sleeping session."""
        self.sleepers.pop(runner.id, None)
        runner.due_us = None
        self._count()

    def _count(self) -> None:
        self.host.metrics.sleepers.set(len(self.sleepers))

    # --- waking -----------------------------------------------------------------------------------------------

    async def wake(self, runner: Runner, job: Job) -> Runner:
        """Bring a session back under its sockets, in the same run.

        Args:
            runner: whose session sleeps.
            job: what the work counts for.

        Raises:
            ServerBusy: there is no room for it just now; it goes on sleeping and is woken in a moment.
            SessionError: the journal does not hold what fell asleep.
            JournalError: it cannot be read.
        """
        bed = runner.bed
        assert bed is not None, "only a sleeping session is woken"
        try:
            session = await self.host.lanes.run(job, self._read, runner.id, bed, job)
            # Up to the next event nothing happens that a connection would have to be shown.
            due = session.game.next_due(session.state)
            await self.make_up(session, runner.clock, before=due, job=job)
            self.host.check_running()
        except ServerBusy as busy:
            runner.due_us = self.host.now_us() + round(busy.retry_s * 1e6)
            self.host.schedule(runner)
            raise
        except GamekitError as error:
            self.drop(runner)
            runner.end(f"The game cannot be woken: {error}")
            raise
        self.sleepers.pop(runner.id, None)
        session.audience.reseat(tuple(bed.seats.values()), bed.n, bed.numbering)
        session.intake.turned_away = bed.turned_away
        runner.rise(session)
        self._count()
        return runner

    def _read(self, game: GameId, bed: Bed, job: Job) -> Session[Any]:
        host = self.host
        row = host.journal.game(game)
        if row is None or row.epoch != bed.epoch:
            raise SessionError(f"Game {game} was taken over by another run while it slept; connect again.")
        session = rebuild(host.journal, row, host.rules_of(row), pause=job.pause, weigh=job.weigh)
        if (session.tick, session.seq) != (bed.tick, bed.seq):
            stands = f"tick {session.tick}, record {session.seq}"
            raise SessionError(f"Game {game} fell asleep at tick {bed.tick}, record {bed.seq}, but wakes at {stands}.")
        prepare(session, job.pause)
        return session

    def clock_for(self, game: GameId, found: Session[Any] | Glance, kept: Clock | None) -> GameClock:
        """The clock of a game as the journal has it: with `run` it has gone on since the journal's clock was set."""
        clock = GameClock(phase_of(game))
        now_us = self.host.now_us()
        if kept is not None and found.policy.when_empty == "run":
            since_us = self.host.wall.from_wall(kept.wall_s)
            if since_us is not None and 0 <= now_us - since_us <= LONGEST_AWAY_S * 1_000_000:
                clock.resume(since_us, kept.tick, found.speed)
        if clock.tick_at(now_us) < found.tick or not clock.running:
            clock.anchor(now_us, found.tick, found.speed)
        return clock

    def tick_now(self, game: GameId, seen: Glance, kept: Clock | None) -> Tick:
        """The tick at which a sleeping game is now, or would be if it had stayed awake."""
        sleeper = self.sleepers.get(game)
        if sleeper is None and seen.policy.when_empty == "pause":
            return seen.tick
        clock = sleeper.clock if sleeper else self.clock_for(game, seen, kept)
        tick = clock.tick_at(self.host.now_us())
        return max(seen.tick, tick if seen.hold_at is None else min(tick, seen.hold_at))

    async def make_up(self, session: Session[Any], clock: GameClock, before: Tick | None = None, *, job: Job) -> None:
        """Let a session that nobody sees yet live through the time that it missed, beside the loop.

        Step by step: what has been lived is reserved, and now and then kept as a snapshot, so that a crash or a stop on
        the way finds it there, and nothing that was not lived.

        Args:
            session: what to bring up to date.
            clock: says what now is.
            before: stop before this tick.
            job: what the work counts for.

        Raises:
            JournalError: they could not be reserved.
            ServerBusy: too much of this is under way.
            ServerError: the server is shutting down.
        """
        behind: Tick | None = None
        while True:
            target = clock.tick_at(self.host.now_us())
            target = target if session.hold_at is None else min(target, session.hold_at)
            target = target if before is None else min(target, before - 1)
            # A game that lives more slowly than its clock runs would never be done: the rest is for its own steps.
            hopeless = behind is not None and target - session.tick > behind // 2
            if target - session.tick <= IN_PASSING_TICKS or hopeless:
                return
            behind = target - session.tick
            absence = self.absences[session.id] = Absence(session.tick, target, session.tick)
            if behind >= TOLD_TICKS:
                log.info("game %s %s", session.id, absence.sentence)
            try:
                await self._live(session, clock, absence, job)
            finally:
                del self.absences[session.id]
            if absence.hopeless:
                log.warning("game %s lives more slowly than its clock runs: it is awake, and late", session.id)
                return
            if absence.skipped:
                clock.anchor(self.host.now_us(), session.tick, session.speed)
                return

    async def _live(self, session: Session[Any], clock: GameClock, absence: Absence, job: Job) -> None:
        """Live through an absence, or as much of it as is wanted."""
        host = self.host
        begun_s = kept_s = job.used_s
        while session.tick < absence.until and not absence.skipped and not absence.hopeless:
            host.check_running()
            enough = partial(_enough, absence, job, job.used_s + STEP_S)
            await host.lanes.run(job, live, session, min(absence.until, session.tick + CHUNK_TICKS), enough)
            absence.tick = session.tick
            at_s = host.to_wall(clock.since(session.tick))
            writes: list[Write] = [Reserve(game=session.id, epoch=session.epoch, tick=session.tick, at_s=at_s)]
            if job.used_s - kept_s >= KEEP_S:
                kept_s = job.used_s
                kept = await host.lanes.run(job, session.keep_snapshot)
                snapshot = stored(session, kept.encoded, tick=kept.tick, seq=kept.seq)
                writes.append(SaveSnapshot(snapshot, session.epoch))
            await host.stored(*writes)
            session.granted(session.tick)
            computed_s = job.used_s - begun_s
            if computed_s >= HOPELESS_AFTER_S:
                # By what it computes, not by the time that passes, for it shares its lane with others.
                absence.hopeless = session.tick - absence.since < 2 * TICK_HZ * session.speed * computed_s


def _enough(absence: Absence, job: Job, until_s: float) -> bool:
    """Between two parts of a step: let others have their turn, and say whether it is long enough."""
    job.pause()
    return absence.skipped or job.computed_s() >= until_s


def phase_of(game: GameId) -> int:
    """In which slot of the 100 ms a game ticks: the same whenever it wakes, and spread evenly over the games."""
    return zlib.crc32(game.encode())
