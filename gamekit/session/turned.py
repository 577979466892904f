"""Commands that were refused for a reason that passes, and must come again before higher numbers are taken.

Without this a client that sends many at once and is refused in the middle could never send the refused ones: numbers
above them would be part of the history by then. What is remembered here lives as long as the session, and moves with
its connections into their sleep; no history depends on it.
"""

from __future__ import annotations

from collections import OrderedDict

#: Numbers remembered per client; a client that is refused more often than that without listening may lose order.
NUMBERS_KEPT = 1024
#: Clients remembered; the one that was refused longest ago is forgotten first.
CLIENTS_KEPT = 64


class TurnedAway:
    """Numbers by client key, each with the code of its latest refusal."""

    def __init__(self) -> None:
        #: {client key: {cid: code}}
        self._by_client: OrderedDict[str, dict[int, str]] = OrderedDict()

    def add(self, key: str, cid: int, code: str) -> None:
        """A command was refused with a code that passes."""
        refused = self._by_client.setdefault(key, {})
        self._by_client.move_to_end(key)
        if cid in refused or len(refused) < NUMBERS_KEPT:
            refused[cid] = code
        if len(self._by_client) > CLIENTS_KEPT:
            self._by_client.popitem(last=False)

    def before(self, key: str, cid: int) -> tuple[int, str] | None:
        """The lowest number below `cid` that must come first, and why it was refused; None when `cid` may come."""
        refused = self._by_client.get(key)
        if not refused:
            return None
        first = min(refused)
        return (first, refused[first]) if first < cid else None

    def came(self, key: str, cid: int) -> None:
        """A command came (again) and is not refused for a reason that passes."""
        refused = self._by_client.get(key)
        if refused and refused.pop(cid, None) is not None and not refused:
            del self._by_client[key]

    def forget(self, key: str) -> None:
        """The client begins anew: it knows itself what it sends again, and in which order."""
        self._by_client.pop(key, None)
