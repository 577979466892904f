"""The search for a capacity, apart from any server: which number is tried next, and what is known in the end.

Numbers grow geometrically until one fails twice in a row (once may be chance), then the gap between the largest that
held and the smallest that failed is halved a few times. What holds once holds: the largest number that held is the
answer, a lower bound by construction.
"""

from __future__ import annotations

import msgspec

from gamekit.errors import ConfigError


class Plan(msgspec.Struct, frozen=True):
    """Where to begin, how to go on, when to stop.

    Attributes:
        first: the number that is tried first.
        factor: how many times as many the next one is.
        most: no more than this are tried.
        halvings: how often the gap is halved in the end.
        near: the gap that is not worth halving, as a share of what held.
    """

    first: int = 100
    factor: float = 1.5
    most: int = 20_000
    halvings: int = 3
    near: float = 0.03

    def __post_init__(self) -> None:
        if not 1 <= self.first <= self.most or self.factor <= 1 or self.halvings < 0:
            raise ConfigError(
                f"A search needs 1 <= first <= most and a factor above 1; got first {self.first}, most {self.most}, "
                f"factor {self.factor:g}, halvings {self.halvings}."
            )


class Search:
    """Ask `next` what to try and `tell` what came of it, until `next` is None."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._halved = 0
        self._failed_once = False
        #: The largest that held; 0 if none did yet.
        self.held = 0
        #: The smallest that failed twice; None if none did.
        self.failed: int | None = None
        self.next: int | None = plan.first

    def tell(self, holds: bool) -> None:
        """Whether what was tried last holds."""
        assert self.next is not None, "The search is over."
        if not holds and not self._failed_once:
            self._failed_once = True
            return
        self._failed_once = False
        if holds:
            self.held = self.next
        else:
            self.failed = self.next
        self.next = self._after()

    def _after(self) -> int | None:
        plan = self._plan
        if self.failed is None:
            if self.held >= plan.most:
                return None
            return min(max(round(self.held * plan.factor), self.held + 1), plan.most)
        gap = self.failed - self.held
        if self._halved == plan.halvings or gap <= max(1.0, self.held * plan.near):
            return None
        self._halved += 1
        return self.held + gap // 2
