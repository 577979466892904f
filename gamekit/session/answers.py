"""What each client was answered: the memory behind "exactly once".

The table is part of the session's state: it changes only when a record is applied, so a recovered session holds the
same answers. Commands that are accepted but not yet applied are tracked beside it, in `Pending`.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from gamekit.game import Tick
from gamekit.wire import ANSWERS_KEPT, Outcome

#: Clients remembered per player; of the same player, the one that has been quiet longest is forgotten first. What one
#: player does never makes the session forget another's.
CLIENTS_KEPT = 256
#: Characters of a refusal's sentence that are remembered.
MESSAGE_CHARS = 300


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """The answer to one command. `code` is None when it was carried out."""

    cid: int
    tick: Tick
    seq: int
    code: str | None = None
    message: str | None = None

    def outcome(self) -> Outcome:
        """The same, as it goes over the wire."""
        return Outcome(cid=self.cid, tick=self.tick, seq=self.seq, code=self.code, message=self.message)


class Answers:
    """Answers by client key (`player/client`), the latest `ANSWERS_KEPT` of each."""

    def __init__(self, rows: dict[str, list[Answer]] | None = None) -> None:
        #: {player: {client key: answers, oldest first}}; the key used last stands last.
        self._rows: dict[str, OrderedDict[str, list[Answer]]] = {}
        for key, row in (rows or {}).items():
            self._of_player(key)[key] = row

    def add(self, key: str, answer: Answer) -> None:
        """Remember one more answer; `cid`s of one key only grow."""
        clients = self._of_player(key)
        row = clients.setdefault(key, [])
        row.append(answer)
        if len(row) > ANSWERS_KEPT:
            del row[0]
        clients.move_to_end(key)
        if len(clients) > CLIENTS_KEPT:
            clients.popitem(last=False)

    def last_cid(self, key: str) -> int:
        """The highest answered command id; 0 for an unknown client."""
        row = self.of(key)
        return row[-1].cid if row else 0

    def find(self, key: str, cid: int) -> Answer | None:
        """The answer to one command, while it is remembered."""
        for answer in reversed(self.of(key)):
            if answer.cid == cid:
                return answer
            if answer.cid < cid:
                return None
        return None

    def of(self, key: str) -> list[Answer]:
        """All remembered answers of one client, oldest first; not to be changed."""
        clients = self._rows.get(_player(key))
        return clients.get(key, []) if clients else []

    def rows(self) -> dict[str, list[Answer]]:
        """The whole table, for a snapshot."""
        return {key: row for clients in self._rows.values() for key, row in clients.items()}

    def _of_player(self, key: str) -> OrderedDict[str, list[Answer]]:
        return self._rows.setdefault(_player(key), OrderedDict())


def _player(key: str) -> str:
    return key.partition("/")[0]
