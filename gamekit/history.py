"""From a journal back to a session: the one place where the past is rebuilt.

Recovery after a crash, waking, `gamekit verify`, replay and fork all come through here, so they cannot disagree.
Owns no time and writes nothing.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from gamekit.errors import GamekitError, JournalCorrupt, JournalError, JournalGap
from gamekit.firstuse import first_use
from gamekit.game import Enough, Event, Game, GameId, PlayerId, Tick, advance_some
from gamekit.inspection import (
    MAX_AHEAD,
    MAX_BETWEEN,
    MAX_OWN_AHEAD,
    check_clock,
    check_record,
    check_row,
    check_snapshot,
)
from gamekit.journal import GameRow, JournalReader, Record, StoredSnapshot, digest_of
from gamekit.session import Policy, Session
from gamekit.session.records import read_saved

log = logging.getLogger("gamekit.history")

#: A long time is lived through in parts of so many ticks, so that its events need not all be in memory.
PART_TICKS = 36_000


def first_session(game: Game[Any], row: GameRow) -> Session[Any]:
    """A game that is just being made: no player, no record, tick 0.

    Raises:
        ConfigError: the row's configuration is wrong.
    """
    with first_use(game, "make"):
        state = game.new(json.loads(row.config), row.seed)
        return Session(game, state, id=row.id, name=row.name, epoch=row.epoch)


def stored(session: Session[Any], encoded: bytes, *, tick: Tick, seq: int) -> StoredSnapshot:
    """A session's snapshot as the journal keeps it."""
    return StoredSnapshot(
        game=session.id, tick=tick, seq=seq, digest=digest_of(encoded), data=encoded, version=session.game.version
    )


def restored(game: Game[Any], row: GameRow, encoded: bytes, version: int, seq: int) -> Session[Any]:
    """The session that a snapshot was made of, after record `seq`, by rules of a version.

    Raises:
        SessionError, ConfigError: it cannot be read.
    """
    with first_use(game, "load"):
        return Session.restore(game, encoded, version, id=row.id, name=row.name, epoch=row.epoch, seq=seq)


def prepare(session: Session[Any], pause: Enough | None = None) -> None:
    """Let the game get ready for its first tick, if it knows how; in a thread, so that no other game waits for it.

    Args:
        session: which one.
        pause: called between the parts of it, for a game that does it in parts.
    """
    game = session.game
    for kind in type(game).__mro__:
        if pause is not None and "prepare_in_parts" in vars(kind):
            for _ in game.prepare_in_parts(session.state):  # type: ignore[attr-defined]
                pause()
            return
        if "prepare" in vars(kind):
            game.prepare(session.state)  # type: ignore[attr-defined]
            return


def live(session: Session[Any], tick: Tick, pause: Enough) -> list[Event]:
    """Let time pass as `Session.run_to` does, in parts.

    Args:
        session: in which no command is on its way.
        tick: as far as this, or to where the game was paused.
        pause: asked between the parts; when it says that it is enough, this ends at the next tick at which it can.

    Returns:
        What happened. The session's tick tells how far it came.
    """
    target = tick if session.hold_at is None else min(tick, session.hold_at)
    events: list[Event] = []
    stopped = False

    def enough() -> bool:
        nonlocal stopped
        stopped = pause() or stopped
        return stopped

    inside = False
    while inside or (session.tick < target and not stopped):
        progress = advance_some(session.game, session.state, target, enough)
        events += progress.events
        inside = progress.inside
    return events


def rebuild(
    journal: JournalReader,
    row: GameRow,
    game: Game[Any],
    *,
    tick: Tick | None = None,
    on_events: Callable[[Tick, int, list[Event]], None] | None = None,
    from_start: bool = False,
    pause: Enough | None = None,
    weigh: Callable[[int], None] | None = None,
) -> Session[Any]:
    """The session as the journal tells it.

    Args:
        journal: where to read.
        row: the game's row; the session gets its epoch.
        game: the rules.
        tick: stop there; by default go on to the end of the history: the last record or the reserved tick.
        on_events: called with (tick, seq, events) after each step.
        from_start: begin at the first snapshot instead of the latest one.
        pause: called between the parts of the work; it may wait there, or raise to end it.
        weigh: told the size of the snapshot that it begins at, in bytes, before that is read.

    Raises:
        JournalError: the journal has a gap or is damaged; the error says where and what to do.
    """
    start = _start(journal, row, tick=0 if from_start else tick)
    if weigh is not None:
        weigh(len(start.data))
    session = _loaded(game, row, start)
    most = MAX_OWN_AHEAD if tick is None and not from_start else MAX_BETWEEN
    for record in journal.records(row.id, after_seq=start.seq):
        if tick is not None and record.tick > tick:
            break
        check_clock(row.id, record.tick, session.tick, most)
        events = _before(session, record.tick, pause, told=on_events is not None)
        events += session.replay(record.seq, record.tick, record.commands)
        if pause is not None:
            pause()
        if on_events:
            on_events(session.tick, session.seq, events)
    if tick is None:
        clock = journal.clock(row.id)
        tick = clock.tick if clock else 0
        check_clock(row.id, tick, session.tick, MAX_OWN_AHEAD)
    events = _before(session, tick, pause, told=on_events is not None) + session.run_to(tick)
    if on_events:
        on_events(session.tick, session.seq, events)
    session.reserved = max(session.tick, session.reserved)
    return session


def _before(session: Session[Any], tick: Tick, pause: Enough | None, *, told: bool) -> list[Event]:
    """Most of the time up to `tick`, in parts, where there is a pause between them; events only if they are told."""
    events: list[Event] = []
    while pause is not None and session.tick < tick:
        at = session.tick
        lived = live(session, min(tick, at + PART_TICKS), pause)
        if told:
            events += lived
        if session.tick == at:
            break
    return events


class Glance(msgspec.Struct, frozen=True):
    """What the journal tells of a game that is not in memory: as of its latest snapshot.

    Attributes:
        tick: the reserved tick, at which it stands.
        seq: number of the last record in the snapshot.
        speed, hold_at, paused, policy, players: as in the session.
        whole: True when no record came after the snapshot, so that all of this is so now.
        secretive: False only when the game's rules say that its players may know its seed and history.
    """

    tick: Tick
    seq: int
    speed: float
    hold_at: Tick | None
    paused: bool
    policy: Policy
    players: dict[PlayerId, str]
    whole: bool
    secretive: bool


def glance(journal: JournalReader, row: GameRow, game: Game[Any] | None = None) -> Glance:
    """Look at a game without rebuilding it. What was commanded after its latest snapshot (a crash) is not seen.

    Args:
        journal: where to read.
        row: the game's row.
        game: its rules, which are asked whether it keeps secrets; without them, it is taken to keep them.

    Raises:
        JournalError: it cannot be read.
        SessionError: the snapshot is of an unknown format.
    """
    start = _start(journal, row, tick=None)
    saved = read_saved(start.data)
    clock = journal.clock(row.id)
    tick = max(start.tick, clock.tick if clock else 0)
    paused = saved.hold_at is not None and tick >= saved.hold_at
    if saved.hold_at is not None:
        tick = min(tick, max(saved.hold_at, start.tick))
    whole = next(journal.records(row.id, after_seq=start.seq), None) is None
    # What a later record did to the rules is not known without carrying it out.
    open_book = False
    if whole and game is not None:
        with first_use(game, "look"):
            open_book = not game.secretive(game.decode(saved.state, start.version))
    return Glance(
        tick, start.seq, saved.speed, saved.hold_at, paused, saved.policy, saved.players, whole, not open_book
    )


def _start(journal: JournalReader, row: GameRow, tick: Tick | None) -> StoredSnapshot:
    """The latest snapshot that is whole; a damaged one only means that more is replayed."""
    check_row(row)
    damage: JournalError | None = None
    for at_tick, seq, _ in reversed(journal.snapshots(row.id)):
        if tick is None or at_tick <= tick:
            try:
                found = journal.snapshot(row.id, seq=seq, tick=at_tick)
            except JournalCorrupt as error:
                log.error("game %s: %s", row.id, error)
                damage = damage or error
                continue
            if found is not None:
                return found
    if damage is not None:
        raise damage
    raise JournalGap("recover", f"game {row.id} has no snapshot to start from", hint="restore it from a backup")


class Finding(msgspec.Struct, frozen=True):
    """What `verify` found out about one game.

    Attributes:
        game: the game's id.
        records: how many records were replayed.
        snapshots: how many digests were compared.
        tick: the last tick that was replayed.
        problem: None when all is well, else a sentence.
        digest: of the state at the end; only in a verdict without a problem.
        older: records before a snapshot of an older version of the rules to which this code does not come by replaying.
            They are whole; what they did only the code of then can show again.
    """

    game: GameId
    records: int
    snapshots: int
    tick: Tick
    problem: str | None = None
    digest: str | None = None
    older: int = 0


#: What rules raise on a history that is not theirs.
_RULES_FAIL = (
    GamekitError,
    msgspec.MsgspecError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    ArithmeticError,
    RecursionError,
)


def verify(
    journal: JournalReader,
    row: GameRow,
    game: Game[Any],
    on_difference: Callable[[Session[Any] | Exception, Session[Any]], None] | None = None,
) -> Iterator[Finding]:
    """Replay a game from its first snapshot and compare every digest on the way.

    A stretch that begins at a snapshot of an older version was played by other code. Where this code does not come to
    the snapshot at its end, the replay goes on from there, upgraded, and the finding counts the records as `older`.

    Args:
        journal: where to read.
        row: the game's row.
        game: the rules.
        on_difference: told of every snapshot that the replay does not come to: what it came to (or what the rules
            raised), and the session of the snapshot.

    Yields:
        A finding after every record or snapshot (for a progress bar); the last one is the verdict.
    """
    replay = _Verification(journal, row, game, on_difference)
    try:
        yield from replay.run()
    except JournalError as error:
        yield replay.finding(problem=str(error))
    except _RULES_FAIL as error:
        what = error if isinstance(error, GamekitError | msgspec.MsgspecError | ValueError) else repr(error)
        yield replay.finding(problem=f"after record {replay.records}: {what}")


class _Verification:
    """One game on its way through `verify`."""

    def __init__(
        self,
        journal: JournalReader,
        row: GameRow,
        game: Game[Any],
        on_difference: Callable[[Session[Any] | Exception, Session[Any]], None] | None,
    ) -> None:
        self.journal = journal
        self.row = row
        self.game = game
        self.records = self.snapshots = self.older = 0
        self.tick: Tick = 0
        self._on_difference = on_difference
        #: Version of the snapshot at which the stretch began that is being replayed, and its first record.
        self._version = game.version
        self._since = 0
        self._failed: Exception | None = None
        self._session: Session[Any]

    def finding(self, problem: str | None = None, digest: str | None = None) -> Finding:
        """How far it is."""
        return Finding(self.row.id, self.records, self.snapshots, self.tick, problem, digest, self.older)

    def run(self) -> Iterator[Finding]:
        """Go through the history."""
        journal, row, game = self.journal, self.row, self.game
        check_row(row)
        kept = sorted(journal.snapshots(row.id), key=lambda one: (one[1], one[0]))
        first = journal.snapshot(row.id, seq=0, tick=0)
        if first is None:
            raise JournalGap("verify", "the first snapshot is missing", hint="restore the database from a backup")
        if row.version == first.version == game.version:
            _check_beginning(game, row, first)
        self._session, self._version = _loaded(game, row, first), first.version
        history = journal.records(row.id)
        for at_tick, at_seq, _ in kept:
            while self.records < at_seq:
                record = next(history, None)
                if record is None:
                    raise JournalGap("verify", f"record {self.records + 1} is missing", hint="restore from a backup")
                self._replay(record)
                yield self.finding()
            found = journal.snapshot(row.id, seq=at_seq, tick=at_tick)
            if found is not None:
                check_snapshot(found)
                self._compare(found)
            yield self.finding()
        for record in history:
            self._replay(record)
            yield self.finding()
        clock = journal.clock(row.id)
        if clock is not None and self._failed is None:
            check_clock(row.id, clock.tick, self._session.tick, MAX_AHEAD)
            self._session.run_to(clock.tick)
            self.tick = self._session.tick
        if self._failed is not None:
            raise self._failed
        yield self.finding(digest=digest_of(self._session.snapshot()))

    def _replay(self, record: Record) -> None:
        self.records += 1
        check_record(record)
        if self._failed is not None:
            return
        check_clock(record.game, record.tick, self._session.tick, MAX_BETWEEN)
        try:
            self._session.replay(record.seq, record.tick, record.commands)
        except _RULES_FAIL as error:
            if self._version == self.game.version:
                raise
            self._failed = error
        self.tick = max(self.tick, record.tick)

    def _compare(self, stored_here: StoredSnapshot) -> None:
        """Compare the replay with a snapshot, and go on from it when it is of older code's making."""
        game, session = self.game, self._session
        was = self._version
        if self._failed is None:
            check_clock(self.row.id, stored_here.tick, session.tick, MAX_BETWEEN)
            session.run_to(stored_here.tick)
        came_to = None if self._failed is not None else session.snapshot()
        found = None if came_to is None else digest_of(came_to)
        equal = found == stored_here.digest and session.tick == stored_here.tick
        if not equal:
            # What is kept may be of older code's making, and is compared as this code has it.
            there = _loaded(game, self.row, stored_here)
            equal = stored_here.version != game.version and came_to == there.snapshot()
        if not equal:
            if self._on_difference is not None:
                self._on_difference(self._failed or session, there)
            if was == game.version:
                raise JournalCorrupt(
                    "verify",
                    f"at tick {stored_here.tick}, record {stored_here.seq}, the digest is {found}; "
                    f"stored is {stored_here.digest}",
                    hint="the rules' code or the journal has changed since; compare versions, or restore a backup",
                )
            self.older += stored_here.seq - self._since
            self._session, self._failed = there, None
        self._version, self._since = stored_here.version, stored_here.seq
        self.snapshots, self.tick = self.snapshots + 1, stored_here.tick


def _check_beginning(game: Game[Any], row: GameRow, first: StoredSnapshot) -> None:
    """Scenario, rules and seed of the catalogue give the first snapshot.

    Raises:
        JournalCorrupt: they give another one.
    """
    made = digest_of(first_session(game, row).snapshot())
    if made != first.digest:
        raise JournalCorrupt(
            "verify",
            f"the game's configuration and seed give the digest {made} at tick 0; stored is {first.digest}",
            hint="the catalogue's row or the scenario has changed since; restore them from a backup",
        )


def _loaded(game: Game[Any], row: GameRow, snapshot: StoredSnapshot) -> Session[Any]:
    return restored(game, row, snapshot.data, snapshot.version, snapshot.seq)
