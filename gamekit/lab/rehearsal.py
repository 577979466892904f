"""What other code would make of a game's past: before an upgrade, and after a change of the rules.

The past is replayed by the code at hand and compared with every snapshot that was kept when it was lived. Between two
snapshots only the code of then could say at which tick they part, so what is told is the first snapshot that differs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from gamekit.errors import GamekitError
from gamekit.game import Game, GameId, Tick
from gamekit.history import Finding, verify
from gamekit.journal import GameRow, JournalReader
from gamekit.lab.diff import Difference, first_differences, plain
from gamekit.session import Session
from gamekit.upgrade import check_version

#: Fields that are told of one game.
TOLD = 20


class Outlook(msgspec.Struct, frozen=True):
    """What would become of one game.

    Attributes:
        game: its id.
        version: of the rules' state in its latest snapshot.
        status: `equal` when this code lives its past as it was lived, `differs` when not, `refused` when it cannot be
            opened by this code at all.
        records: how many were replayed.
        tick: of the first snapshot that differs, or None.
        fields: what differs there: `a` by this code, `b` as it was kept.
        why: what stands in the way, or what the rules raised; None when nothing.
    """

    game: GameId
    version: int
    status: Literal["equal", "differs", "refused"]
    records: int = 0
    tick: Tick | None = None
    fields: list[Difference] = []
    why: str | None = None

    def __str__(self) -> str:
        about = f"{self.game}  version {self.version}, {self.records} records: "
        if self.status == "refused":
            return f"{about}cannot be upgraded: {self.why}"
        if self.status == "equal":
            return f"{about}equal"
        shown = "".join(f"\n    {one.path}: {one.a!r}, was {one.b!r}" for one in self.fields)
        return f"{about}differs at tick {self.tick}{f': {self.why}' if self.why else ''}{shown}"


def outlook(
    journal: JournalReader,
    row: GameRow,
    game: Game[Any] | None,
    progress: Callable[[Finding], None] = lambda _: None,
    *,
    replay_rest: bool = False,
) -> Outlook:
    """Replay a game by the code at hand and tell what would differ.

    Args:
        journal: where the game is.
        row: its row.
        game: its rules as they are now; None when they are not there.
        progress: told of every step.
        replay_rest: a game that did not end in order may be taken on all the same, see `gamekit.upgrade`.
    """
    version = journal.version(row.id) or row.version
    if game is None:
        text = f"its rules {row.game!r} are not known here; name them with --game MODULE:CLASS"
        return Outlook(row.id, version, "refused", why=text)
    try:
        if version > game.version or not replay_rest:
            check_version(journal, row, game)
    except GamekitError as error:
        return Outlook(row.id, version, "refused", why=str(error))
    first: list[tuple[Tick, list[Difference], str | None]] = []

    def note(replayed: Session[Any] | Exception, kept: Session[Any]) -> None:
        if first:
            return
        if isinstance(replayed, Exception):
            first.append((kept.tick, [], f"the rules fail before it ({replayed!r})"))
        else:
            first.append((kept.tick, first_differences(_tree(replayed), _tree(kept), TOLD), None))

    verdict = Finding(row.id, 0, 0, 0)
    for verdict in verify(journal, row, game, note):
        progress(verdict)
    if first:
        tick, fields, why = first[0]
        return Outlook(row.id, version, "differs", verdict.records, tick, fields, why)
    if verdict.problem is not None:
        return Outlook(row.id, version, "refused", verdict.records, why=verdict.problem)
    return Outlook(row.id, version, "equal", verdict.records)


def _tree(session: Session[Any]) -> dict[str, Any]:
    """A session as structures and containers: the state as the game saves it, and what the session adds to it."""
    return {
        "state": plain(session.state),
        "tick": session.tick,
        "speed": session.speed,
        "hold_at": session.hold_at,
        "players": dict(session.players),
        "policy": session.policy,
        "answers": session.answers.rows(),
    }
