"""A stretch of a game played again from a saved state, in one of several ways, and what was noted at each step."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import msgspec

from gamekit.game import Command, PlayerId, Rejected, Tick, advance_some
from gamekit.lab.laws.watched import Watch
from gamekit.space import SpaceGame

#: How time passes: from one due thing to the next, straight to the next stop, or in the smallest parts.
Way: TypeAlias = Literal["steps", "strides", "parts"]


class Note(msgspec.Struct, frozen=True, array_like=True):
    """After one step: the tick, a checksum of the state, and of all that each hook answered in the step."""

    tick: Tick
    mark: int
    told: dict[str, int]

    def repeats(self, notes: Sequence[Note]) -> bool:
        """Whether it says no more than the last of these: a step that led nowhere, such as to the tick at hand."""
        return bool(notes) and not self.told and (self.tick, self.mark) == (notes[-1].tick, notes[-1].mark)


class Playback(msgspec.Struct, frozen=True):
    """What is played.

    Attributes:
        start, version: the saved state and its version.
        commands: what was asked on the way, in order.
        stops: ticks at which it stops, the end among them.
    """

    start: bytes
    version: int
    commands: Sequence[tuple[Tick, PlayerId, Command]]
    stops: Sequence[Tick]


_told = msgspec.msgpack.Decoder(list[Note])


def noted(game: SpaceGame, state: Any, watch: Watch) -> Note:
    """The note of this moment; what hooks answer from now on belongs to the next one."""
    told, watch.told = watch.told, {}
    return Note(state.tick, zlib.crc32(game.encode(state)), told)


def played(game: SpaceGame, playback: Playback, way: Way) -> Iterator[Note]:
    """Play it, and give a note after each step.

    Raises:
        Exception: whatever the rules raise.
    """
    watch = Watch(game, twice=False)
    state = watch.state = watch.game.decode(playback.start, playback.version)
    commands = list(reversed(playback.commands))
    stops = sorted({*playback.stops, *(tick for tick, _, _ in commands)})
    for stop in [state.tick, *(stop for stop in stops if stop > state.tick)]:
        if stop > state.tick:
            yield from _passed(watch, state, stop, way)
        while commands and commands[-1][0] <= stop:
            _, player, command = commands.pop()
            if not isinstance(watch.game.apply(state, player, command), Rejected):
                yield noted(game, state, watch)


def _passed(watch: Watch, state: Any, until: Tick, way: Way) -> Iterator[Note]:
    game, plain = watch.game, watch.plain
    if way == "steps":
        while (due := game.next_due(state)) is not None and due < until:
            game.advance(state, due)
            yield noted(plain, state, watch)
    if way == "parts":
        while advance_some(game, state, until, lambda: True).inside or state.tick < until:
            pass
    else:
        game.advance(state, until)
    yield noted(plain, state, watch)


def notes_to_bytes(notes: Sequence[Note]) -> bytes:
    """Notes on their way out of a process."""
    return msgspec.msgpack.encode(notes)


def notes_from_bytes(data: bytes) -> list[Note]:
    """Notes that came in from a process."""
    return _told.decode(data)
