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
from gamekit.game import Event, Game, GameId, PlayerId, Tick
from gamekit.journal import GameRow, JournalReader, StoredSnapshot, digest_of
from gamekit.session import Policy, Session
from gamekit.session.records import read_saved

log = logging.getLogger("gamekit.history")


def first_session(game: Game[Any], row: GameRow) -> Session[Any]:
    """A game that is just being made: no player, no record, tick 0.

    Raises:
        ConfigError: the row's configuration is wrong.
    """
    state = game.new(json.loads(row.config), row.seed)
    return Session(game, state, id=row.id, name=row.name, epoch=row.epoch)


def stored(session: Session[Any], encoded: bytes, *, tick: Tick, seq: int) -> StoredSnapshot:
    """A session's snapshot as the journal keeps it."""
    return StoredSnapshot(
        game=session.id, tick=tick, seq=seq, digest=digest_of(encoded), data=encoded, version=session.game.version
    )


def rebuild(
    journal: JournalReader,
    row: GameRow,
    game: Game[Any],
    *,
    tick: Tick | None = None,
    on_events: Callable[[Tick, int, list[Event]], None] | None = None,
    from_start: bool = False,
) -> Session[Any]:
    """The session as the journal tells it.

    Args:
        journal: where to read.
        row: the game's row; the session gets its epoch.
        game: the rules.
        tick: stop there; by default go on to the end of the history: the last record or the reserved tick.
        on_events: called with (tick, seq, events) after each step.
        from_start: begin at the first snapshot instead of the latest one.

    Raises:
        JournalError: the journal has a gap or is damaged; the error says where and what to do.
    """
    start = _start(journal, row, tick=0 if from_start else tick)
    session = _loaded(game, row, start)
    for record in journal.records(row.id, after_seq=start.seq):
        if tick is not None and record.tick > tick:
            break
        events = session.replay(record.seq, record.tick, record.commands)
        if on_events:
            on_events(session.tick, session.seq, events)
    if tick is None:
        clock = journal.clock(row.id)
        tick = clock.tick if clock else 0
    events = session.run_to(tick)
    if on_events:
        on_events(session.tick, session.seq, events)
    session.reserved = max(session.tick, session.reserved)
    return session


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
    open_book = whole and game is not None and not game.secretive(game.decode(saved.state, start.version))
    return Glance(
        tick, start.seq, saved.speed, saved.hold_at, paused, saved.policy, saved.players, whole, not open_book
    )


def _start(journal: JournalReader, row: GameRow, tick: Tick | None) -> StoredSnapshot:
    """The latest snapshot that is whole; a damaged one only means that more is replayed."""
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
    """

    game: GameId
    records: int
    snapshots: int
    tick: Tick
    problem: str | None = None
    digest: str | None = None


def verify(journal: JournalReader, row: GameRow, game: Game[Any]) -> Iterator[Finding]:
    """Replay a game from its first snapshot and compare every digest on the way.

    Yields:
        A finding after every record or snapshot (for a progress bar); the last one is the verdict.
    """
    records = snapshots = 0
    tick = 0
    try:
        kept = sorted(journal.snapshots(row.id), key=lambda one: (one[1], one[0]))
        first = journal.snapshot(row.id, seq=0, tick=0)
        if first is None:
            raise JournalGap("verify", "the first snapshot is missing", hint="restore the database from a backup")
        if row.version == game.version:
            _check_beginning(game, row, first)
        session = _loaded(game, row, first)
        history = journal.records(row.id)
        for at_tick, at_seq, digest in kept:
            while session.seq < at_seq:
                record = next(history, None)
                if record is None:
                    raise JournalGap("verify", f"record {session.seq + 1} is missing", hint="restore from a backup")
                session.replay(record.seq, record.tick, record.commands)
                records, tick = records + 1, session.tick
                yield Finding(row.id, records, snapshots, tick)
            session.run_to(at_tick)
            found = digest_of(session.snapshot())
            if found != digest or session.tick != at_tick:
                raise JournalCorrupt(
                    "verify",
                    f"at tick {at_tick}, record {at_seq}, the digest is {found}; stored is {digest}",
                    hint="the rules' code or the journal has changed since; compare versions, or restore a backup",
                )
            journal.snapshot(row.id, seq=at_seq, tick=at_tick)
            snapshots, tick = snapshots + 1, session.tick
            yield Finding(row.id, records, snapshots, tick)
        for record in history:
            session.replay(record.seq, record.tick, record.commands)
            records, tick = records + 1, session.tick
            yield Finding(row.id, records, snapshots, tick)
        clock = journal.clock(row.id)
        if clock is not None:
            session.run_to(clock.tick)
        yield Finding(row.id, records, snapshots, session.tick, digest=digest_of(session.snapshot()))
    except JournalError as error:
        yield Finding(row.id, records, snapshots, tick, problem=str(error))
    except (GamekitError, msgspec.MsgspecError, ValueError) as error:
        yield Finding(row.id, records, snapshots, tick, problem=f"after record {records}: {error}")


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
    return Session.restore(
        game, snapshot.data, snapshot.version, id=row.id, name=row.name, epoch=row.epoch, seq=snapshot.seq
    )
