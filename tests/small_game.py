"""A small game, as an example and a subject: nuggets grow by themselves, whoever digs gets them."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from gamekit.bots import Bot
from gamekit.game import Command, Event, PlayerId, Rejected, RuleField, View
from gamekit.smallgame import SmallGame, SmallState


class Field(SmallState):
    """What lies in the ground, who has what, and how much was dug in all."""

    ground: int = 0
    dug: int = 0
    gold: dict[str, int] = msgspec.field(default_factory=dict)


class Dig(Command, frozen=True, tag="dig"):
    """Take so many nuggets."""

    nuggets: int = 1


class Grown(Event, frozen=True):
    """There are more nuggets now."""

    ground: int


class Dug(Event, frozen=True):
    """A player took nuggets."""

    player: PlayerId
    nuggets: int


def dig(state: Field, player: PlayerId, command: Dig) -> list[Event] | Rejected:
    """Take nuggets out of the ground."""
    if not 1 <= command.nuggets <= state.ground:
        return Rejected("too_many", f"There are {state.ground} nuggets; take from 1 to as many.")
    state.ground -= command.nuggets
    state.dug += command.nuggets
    state.gold[player] += command.nuggets
    return [Dug(player, command.nuggets)]


class Nuggets(SmallGame):
    """The rules."""

    name = "nuggets"
    state_type = Field
    every = 10
    commands: ClassVar = {Dig: dig}
    table: ClassVar = (RuleField("growth", 3, 1, 100, "nuggets", "How many grow in a second."),)

    def step(self, state: Field) -> list[Event]:
        """Growth."""
        state.ground += state.rules["growth"]
        return [Grown(state.ground)]

    def joined(self, state: Field, player: PlayerId) -> None:
        """Begin with nothing."""
        state.gold[player] = 0

    def see(self, state: Field, player: PlayerId | None) -> View:
        """Everything is public."""
        return {
            "field": {"main": {"ground": state.ground}},
            "players": {key: {"gold": gold} for key, gold in state.gold.items()},
        }


class Prospector(Bot):
    """Digs whatever is there, by the handful."""

    def on_look(self) -> None:
        """Dig."""
        ground: Any = self.me.view["field"]["main"]["ground"]
        if ground:
            self.me.submit({"type": "dig", "nuggets": self.random.randint(1, ground)})
