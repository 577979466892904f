"""What expensive answers cost, by game and by address: a share of the loop for each, so that others are not held up.

A view of a large game takes tens of milliseconds, and a socket may ask for one with every hello. So much work each
game, and each address, may cause at once, and so much in every second after that; what goes beyond waits for its turn.
What is cheap, as nearly everything is, costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

#: Work that may be caused at once, in seconds, and in each second of time.
BURST_S = 0.25
SHARE = 0.2
#: Work that is not worth the wait, in seconds.
CHEAP_S = 0.005
#: Accounts that are kept; those that owe nothing are dropped first.
KEPT = 10_000


class Budgets:
    """Accounts of work.

    Args:
        now: a monotonic clock, in seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        #: {account: (what is left of its burst, when that was)}, in seconds.
        self._accounts: dict[Hashable, tuple[float, float]] = {}

    def wait_s(self, accounts: Sequence[Hashable]) -> float:
        """How long work on these accounts has to wait, in seconds; 0 when it may begin."""
        owed_s = max(-self._left(account) for account in accounts)
        # A microsecond is what adding up times in floating point may leave.
        return owed_s / SHARE if owed_s > 1e-6 else 0.0

    def charge(self, accounts: Sequence[Hashable], work_s: float, *, cheap_too: bool = False) -> None:
        """So much work was done, in seconds; cheap work is free, except where it is asked for again and again."""
        if work_s < CHEAP_S and not cheap_too:
            return
        now = self._now()
        for account in accounts:
            self._accounts[account] = (self._left(account) - work_s, now)
        if len(self._accounts) > KEPT:
            self._accounts = {one: held for one, held in self._accounts.items() if self._left(one) < BURST_S}

    def _left(self, account: Hashable) -> float:
        held = self._accounts.get(account)
        if held is None:
            return BURST_S
        return min(held[0] + (self._now() - held[1]) * SHARE, BURST_S)
