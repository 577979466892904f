"""`SpaceGame`: the bundled game as `gamekit.game.Game`. Here the parts meet; each part has its own module."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop
from typing import Any

import msgspec

from gamekit.errors import ConfigError
from gamekit.game import Changes, Command, Event, Join, PlayerId, Rejected, Tick, View
from gamekit.space import dispatch, economy, orders, queue, reorder, storms, views
from gamekit.space.commands import (
    AutoTrade,
    BuyWare,
    CancelEntry,
    MoveShip,
    ReorderQueue,
    SellWare,
    SpaceCommand,
    StopShip,
)
from gamekit.space.events import PRIVATE
from gamekit.space.model import Gate, Player, Saved, Ship, Station
from gamekit.space.state import SpaceState
from gamekit.space.worldgen import new_state

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Saved)

#: {command: what carries it out}
_CARRY_OUT: dict[type[Command], Callable[[SpaceState, PlayerId, Any], list[Event] | Rejected]] = {
    Join: orders.join,
    MoveShip: orders.move,
    BuyWare: orders.trade,
    SellWare: orders.trade,
    StopShip: orders.stop,
    CancelEntry: orders.cancel,
    ReorderQueue: reorder.reorder,
    AutoTrade: orders.auto_trade,
}


class SpaceGame:
    """A space economy: sectors joined by gates, stations that make and use wares, ships that fly, jump and trade."""

    name: str = "space"
    version: int = 2
    command_type: Any = SpaceCommand

    def new(self, config: Mapping[str, Any], seed: int) -> SpaceState:
        """The state at tick 0; see `worldgen` for the shapes of a configuration.

        Raises:
            ConfigError: the configuration is wrong; the message names the key and what is allowed.
        """
        return new_state(config, seed)

    def tick(self, state: SpaceState) -> Tick:
        """The tick that the state stands at."""
        return state.tick

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        """Let time pass until `to_tick` (inclusive), from one due thing to the next; ticks between cost nothing.

        Raises:
            ValueError: `to_tick` lies before the state's tick.
        """
        if to_tick < state.tick:
            raise ValueError(f"time does not run back from tick {state.tick} to {to_tick}; decode an older snapshot")
        events: list[Event] = []
        heap, things = state.agenda.heap, state.agenda.things
        while heap and heap[0][0] <= to_tick:
            tick, key = heappop(heap)
            thing = things[key]
            if thing.due != tick:
                continue
            state.tick = tick
            if isinstance(thing, Ship):
                queue.complete(state, thing, events)
            elif isinstance(thing, Station):
                economy.finish_cycle(state, thing, events)
            elif isinstance(thing, Player):
                dispatch.hold_round(state, thing, events)
            elif isinstance(thing, Gate):
                storms.turn(state, thing, events)
        state.tick = to_tick
        return events

    def apply(self, state: SpaceState, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out one command at the state's tick, or refuse it and change nothing."""
        carry_out = _CARRY_OUT.get(type(command))
        if carry_out is None:
            return Rejected("unknown_command", "This game knows move, buy, sell, stop, cancel, reorder and auto_trade.")
        return carry_out(state, player, command)

    def next_due(self, state: SpaceState) -> Tick | None:
        """The next tick at which a ship, a station, a dispatcher or the weather has something due, or None."""
        return state.agenda.next_due()

    def view(self, state: SpaceState, player: PlayerId | None) -> View:
        """What `player` may see; None is a spectator."""
        return views.view(state, player)

    def changes(self, state: SpaceState, player: PlayerId | None, events: Sequence[Event]) -> Changes:
        """The patch that `events` made: public for None, else what `player` sees beyond it."""
        return views.changes(state, player, events)

    def audience(self, event: Event) -> PlayerId | None:
        """The one player whom a private event concerns, or None for everybody."""
        return event.player if isinstance(event, PRIVATE) else None

    def rules(self, state: SpaceState) -> dict[str, Any]:
        """The rules in force."""
        return msgspec.structs.asdict(state.rules)

    def encode(self, state: SpaceState) -> bytes:
        """The whole state as MessagePack; equal states give equal bytes."""
        return _encoder.encode(state.saved())

    def decode(self, data: bytes, version: int) -> SpaceState:
        """The state from its bytes; what is not saved is rebuilt.

        Raises:
            ConfigError: the version is unknown, or the bytes are no state.
        """
        if version != self.version:
            raise ConfigError(
                f"version: this gamekit reads space states of version {self.version}, not {version}; "
                "use the gamekit that wrote it, or a newer one."
            )
        try:
            return SpaceState(_decoder.decode(data))
        except msgspec.DecodeError as error:
            raise ConfigError(f"state: these bytes are no space state of version {version}: {error}.") from None
