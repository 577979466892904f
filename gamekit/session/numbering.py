"""Numbers of deltas where a viewer must not learn how much happens out of sight.

A common count of all deltas would tell it: the next number that a viewer sees is higher by what others were shown. So
here the number of a delta is made of two: how many deltas were shown to all, and how many were shown to this viewer
alone since. Both are known to the viewer anyway, and a delta for all has the same number, and bytes, for everybody.
"""

from __future__ import annotations

import msgspec

from gamekit.game import PlayerId

#: Room for deltas of one viewer between two for all: at 10 a second 77 days; for deltas for all remain 2^27.
_OWN = 1 << 26


class Numbering(msgspec.Struct):
    """The latest number of each viewer, in one run of a session.

    Attributes:
        public: how many deltas were shown to all.
        own: `{player: how many were shown to that player alone since the last one for all}`.
        missed: True while nothing was shown since deltas went by that no connection was there to see.
    """

    public: int = 0
    own: dict[PlayerId, int] = msgspec.field(default_factory=dict)
    missed: bool = False

    def latest(self, viewer: PlayerId | None) -> int:
        """The number of the last delta that a viewer was shown; None is a spectator, who sees those for all."""
        return self.public * _OWN + (self.own.get(viewer, 0) if viewer is not None else 0)

    def for_all(self) -> int:
        """Number a delta that all are shown."""
        self.public += 1
        self.own.clear()
        self.missed = False
        return self.latest(None)

    def for_one(self, player: PlayerId) -> int:
        """Number a delta that is shown to one player alone."""
        self.own[player] = self.own.get(player, 0) + 1
        return self.latest(player)

    def miss(self) -> None:
        """Deltas go by that no connection is there to see, however many: former numbers are no place to go on from."""
        if not self.missed:
            self.for_all()
            self.missed = True
