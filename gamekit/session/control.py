"""The session's own commands and events: pausing, stepping, speed and changes of rules are journaled like any
player's command."""

from __future__ import annotations

from typing import Any, TypeAlias

from gamekit.game import Command, Event, PlayerId, Rejected
from gamekit.session.policy import Overload, WhenEmpty

#: Who issues the session's own commands. No player can have this id: the server numbers players itself.
ADMIN = PlayerId("@admin")

MIN_SPEED = 0.1
MAX_SPEED = 1000.0
MAX_STEP_TICKS = 864_000


class Pause(Command, frozen=True, tag="pause"):
    """Game time stands still from here on."""


class Resume(Command, frozen=True, tag="resume"):
    """Game time passes again."""


class SetSpeed(Command, frozen=True, tag="set_speed"):
    """Ticks pass `speed` times as fast as normal, from 0.1 to 1,000."""

    speed: float


class Step(Command, frozen=True, tag="step"):
    """Let `ticks` pass, then stand still."""

    ticks: int


class SetRules(Command, frozen=True, tag="set_rules"):
    """Rules of the game get new values, `{field: value}`; the game judges them when the command takes effect."""

    changes: dict[str, Any]


class SetPolicy(Command, frozen=True, tag="set_policy"):
    """Choose what time does when the game is empty, or when the server is late; what is None stays as it was."""

    when_empty: WhenEmpty | None = None
    overload: Overload | None = None


Control: TypeAlias = Pause | Resume | SetSpeed | Step | SetRules | SetPolicy


class CommandDone(Event, frozen=True, tag=True):
    """A player's command was carried out."""

    player: PlayerId
    client: str
    cid: int


class CommandFailed(Event, frozen=True, tag=True):
    """A player's command was refused by the rules."""

    player: PlayerId
    client: str
    cid: int
    code: str
    message: str


def check(command: Command) -> Rejected | None:
    """Why a control command cannot be accepted, or None; other commands are the game's to judge."""
    if isinstance(command, SetSpeed) and not MIN_SPEED <= command.speed <= MAX_SPEED:
        return Rejected("bad_speed", f"Speed must be from {MIN_SPEED} to {MAX_SPEED:.0f}; to stop the game, pause it.")
    if isinstance(command, Step) and not 1 <= command.ticks <= MAX_STEP_TICKS:
        return Rejected("bad_step", f"A step is 1 to {MAX_STEP_TICKS} ticks.")
    return None
