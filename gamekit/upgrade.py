"""Games of older versions: who may open them, and how they come to the version of the rules at hand.

A snapshot carries the version of its state, and `Game.decode` upgrades older ones. A game is brought to a new version
by its *state*, at the tick at which it ended in order under the old one: the past stays as it was lived, and nobody who
saw it is contradicted. Where a game did not end in order, the time since its latest snapshot could only be lived again
by the new code, which may live it differently than players saw it; that is done only where somebody says so, or where
nobody saw it: in a copy, such as an import or a fork.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from gamekit.capsule import reader_of
from gamekit.errors import GamekitError, SessionError
from gamekit.game import Game
from gamekit.history import rebuild, stored
from gamekit.inspection import check_row
from gamekit.journal import GameRow, Journal, JournalReader, Past, SaveSnapshot, StoredSnapshot


def check_version(journal: JournalReader, row: GameRow, game: Game[Any]) -> bool:
    """Whether a game must be brought to the version of these rules; before anything of it is written.

    Raises:
        SessionError: it is of a newer version, or of an older one and did not end in order.
        JournalCorrupt: its row is damaged.
    """
    check_row(row)
    version = journal.version(row.id)
    if version is None or version == game.version:
        return False
    if version > game.version:
        raise SessionError(
            f"Game {row.id} was played by version {version} of the rules {row.game!r}, and here they are version "
            f"{game.version}; use the gamekit (or the rules) that wrote it, or newer ones."
        )
    if not settled(journal, row):
        raise SessionError(
            f"Game {row.id} was played by version {version} of the rules {row.game!r} (here: {game.version}) and did "
            "not end in order, so what its players saw last can only be shown again by that version. Start and stop "
            "the gamekit that wrote it once, then this one; or let these rules live that time again with "
            "`gamekit upgrade --replay-rest`."
        )
    return True


def settled(journal: JournalReader, row: GameRow) -> bool:
    """Whether the journal's latest snapshot is all there is: no record and no reserved tick after it."""
    kept = journal.snapshots(row.id)
    if not kept:
        return False
    tick, seq, _ = kept[-1]
    clock = journal.clock(row.id)
    return (clock is None or clock.tick <= tick) and next(journal.records(row.id, after_seq=seq), None) is None


def brought(past: Past, game: Game[Any]) -> Past:
    """A copy's past that these rules can go on with: with a snapshot of their version at its end, where it has none.

    Raises:
        SessionError: it is of a newer version, or these rules fail on it.
    """
    version = past.snapshots[-1].version
    if version == game.version:
        return past
    reader = reader_of(past)
    if version > game.version:
        check_version(reader, past.row, game)
    here = _here(reader, past.row, game)
    kept = [one for one in past.snapshots if (one.tick, one.seq) != (here.tick, here.seq)]
    return replace(past, snapshots=[*kept, here], tick=max(here.tick, past.tick))


def bring(journal: Journal, row: GameRow, game: Game[Any], *, replay_rest: bool = False) -> bool:
    """Bring a game of a started journal to the version of these rules; False when it is of it.

    The last write is submitted; the journal tells when it is durable, or could not be.

    Args:
        journal: where the game is; nobody plays it meanwhile.
        row: its row.
        game: the rules.
        replay_rest: live the time since its latest snapshot again, if it did not end in order.

    Raises:
        SessionError: it may not be, or these rules fail on it.
        JournalError: it cannot be read or written.
    """
    version = journal.version(row.id)
    if version is None or version == game.version:
        return False
    if version > game.version or not replay_rest:
        check_version(journal, row, game)
    here = _here(journal, row, game)
    row = journal.open(row.id)
    journal.submit([SaveSnapshot(here, row.epoch)])
    return True


def _here(journal: JournalReader, row: GameRow, game: Game[Any]) -> StoredSnapshot:
    """A snapshot of the end of a game, by these rules.

    Raises:
        SessionError: they fail on it.
    """
    try:
        session = rebuild(journal, row, game)
        here = stored(session, session.snapshot(), tick=session.tick, seq=session.seq)
        # It must be possible to go on from it.
        game.decode(game.encode(session.state), game.version)
    except GamekitError:
        raise
    except Exception as error:
        raise SessionError(f"Game {row.id} cannot be upgraded: the rules fail on it ({error!r}).") from error
    return here
