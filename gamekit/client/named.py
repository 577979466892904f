"""What is known by id and by name, as one mapping: `me.ships["Mercury"]`, `me.stations["st3"]`, `database.games[...]`.

Goes over ids, each once; `[...]` and `in` take names as well, as `gamekit.client.names` understands them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import TypeVar

from gamekit.client.names import Table, find, matches

ItemT = TypeVar("ItemT")


class Named(Mapping[str, ItemT]):
    """Everything of one kind.

    Args:
        what: one word for one of it, for the message of `UnknownName`.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    @abstractmethod
    def _table(self) -> Table:
        """What there is at this instant: `{id: {"name": ..., ...}}`."""

    @abstractmethod
    def _item(self, key: str) -> ItemT:
        """What stands under this id, which is in the table."""

    def __getitem__(self, name: object) -> ItemT:
        return self._item(find(self._table(), name, self._what))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and len(matches(self._table(), name)) == 1

    def __iter__(self) -> Iterator[str]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())

    def _ipython_key_completions_(self) -> list[str]:
        table = self._table()
        return [*dict.fromkeys(str(row["name"]) for row in table.values()), *table]
