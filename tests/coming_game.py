"""A small game in which things come and go: sparks fly for a while, hands are hidden, and steps tell nothing of it."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from gamekit.game import Command, Event, PlayerId, Rejected, RuleField, View
from gamekit.smallgame import SmallGame, SmallState


class Sky(SmallState):
    """Sparks by number, cards by owner, and the lamp that is on now and then."""

    sparks: dict[str, int] = msgspec.field(default_factory=dict)
    hands: dict[str, list[int]] = msgspec.field(default_factory=dict)
    lit: int = 0
    made: int = 0


class Throw(Command, frozen=True, tag="throw"):
    """Let so many sparks fly; the command tells no event."""

    sparks: int = 1


class Draw(Command, frozen=True, tag="draw"):
    """Take a card that no other player sees, or lay one down."""

    card: int


def throw(state: Sky, player: PlayerId, command: Throw) -> list[Event] | Rejected:
    """Make sparks, each of which lives for three steps."""
    if not 0 <= command.sparks <= 5:
        return Rejected("bad_number", "Throw from 0 to 5 sparks.")
    for _ in range(command.sparks):
        state.made += 1
        state.sparks[f"s{state.made}"] = 3
    return []


def draw(state: Sky, player: PlayerId, command: Draw) -> list[Event] | Rejected:
    """Take the card, or lay it down when it is held."""
    if command.card < 0:
        return Rejected("no_card", "Cards are numbered from 0.")
    hand = state.hands[player]
    if command.card in hand:
        hand.remove(command.card)
    else:
        hand.append(command.card)
    return []


class Sparks(SmallGame):
    """The rules."""

    name = "sparks"
    state_type = Sky
    every = 5
    commands: ClassVar = {Throw: throw, Draw: draw}
    table: ClassVar = (RuleField("rest", 2, 1, 9, "steps", "How long the lamp is off."),)

    def step(self, state: Sky) -> list[Event]:
        """Sparks burn down and the lamp turns; neither is told."""
        state.sparks = {key: left - 1 for key, left in state.sparks.items() if left > 1}
        state.lit = (state.lit + 1) % (state.rules["rest"] + 1)
        return []

    def joined(self, state: Sky, player: PlayerId) -> None:
        """Begin with an empty hand."""
        state.hands[player] = []

    def see(self, state: Sky, player: PlayerId | None) -> View:
        """Sparks while they fly, the lamp's beam while it is on, one's own cards."""
        return {
            "sparks": {key: {"left": left} for key, left in state.sparks.items()},
            "beams": {"lamp": {"on": True}} if not state.lit else {},
            "cards": {f"{player}-{card}": {"owner": player} for card in state.hands.get(player or "", ())},
            "players": {key: {"cards": len(hand)} for key, hand in state.hands.items()},
        }
