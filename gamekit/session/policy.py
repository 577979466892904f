"""What a game's owner has chosen about its time: part of the session's state, changed by journaled commands only."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

#: What time does while nobody is connected and the game sleeps: it goes on, or it stands still.
WhenEmpty: TypeAlias = Literal["run", "pause"]
#: What a watched game does when its ticks come late: it makes up for them, or its time runs slower for good.
Overload: TypeAlias = Literal["catch-up", "dilate"]


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """The choices in force.

    Attributes:
        when_empty: "run" or "pause".
        overload: "catch-up" or "dilate".
    """

    when_empty: WhenEmpty = "run"
    overload: Overload = "catch-up"

    def changed(self, when_empty: WhenEmpty | None, overload: Overload | None) -> Policy:
        """This policy with what is given in place of what was."""
        return Policy(when_empty or self.when_empty, overload or self.overload)
