"""`SpaceGame`: the bundled game as `gamekit.game.Game`. Here the parts meet; each part has its own module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, get_args

import msgspec

from gamekit.errors import ConfigError
from gamekit.game import (
    Changes,
    Command,
    Enough,
    Event,
    Join,
    PlayerId,
    Progress,
    Rejected,
    RuleField,
    Tick,
    View,
    Weight,
)
from gamekit.space import (
    amend,
    dispatch,
    fog,
    orders,
    passing,
    reorder,
    shipyard,
    sight,
    views,
    weights,
)
from gamekit.space.commands import (
    AutoTrade,
    BuyShip,
    BuyWare,
    CancelEntry,
    MoveShip,
    RenameShip,
    ReorderQueue,
    SellShip,
    SellWare,
    SpaceCommand,
    StopShip,
)
from gamekit.space.designed import Designed
from gamekit.space.model import SavedWithTurns
from gamekit.space.parts import at_once
from gamekit.space.rules import table
from gamekit.space.state import SpaceState
from gamekit.space.worldgen import new_state

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(SavedWithTurns)
#: Commands are decoded by sessions and branches, in any thread; that msgspec knows them is seen to here.
_commands = msgspec.json.Decoder(SpaceCommand)

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
    BuyShip: shipyard.buy_ship,
    SellShip: shipyard.sell_ship,
    RenameShip: shipyard.rename_ship,
}


class SpaceGame(Designed):
    """A space economy: sectors joined by gates, stations that make and use wares, ships that fly, jump and trade.

    Subclass it for rules of your own; `designed` says what may be overridden.
    """

    name: str = "space"
    version: int = 3
    command_type: Any = SpaceCommand

    def new(self, config: Mapping[str, Any], seed: int) -> SpaceState:
        """The state at tick 0; see `worldgen` for the shapes of a configuration.

        Raises:
            ConfigError: the configuration is wrong; the message names the key and what is allowed.
        """
        return self._attached(new_state(config, seed))

    def prepare(self, state: SpaceState) -> None:
        """Work out what would make the first ticks of a large galaxy late; a server does so beside its loop."""
        at_once(dispatch.prepare(state))

    def prepare_in_parts(self, state: SpaceState) -> Iterator[None]:
        """The same, a part with each step."""
        return dispatch.prepare(state)

    def tick(self, state: SpaceState) -> Tick:
        """The tick that the state stands at."""
        return state.tick

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        """Let time pass until `to_tick` (inclusive), from one due thing to the next; ticks between cost nothing.

        Raises:
            ValueError: `to_tick` lies before the state's tick.
        """
        return passing.advance(state, to_tick)

    def advance_some(self, state: SpaceState, to_tick: Tick, enough: Enough) -> Progress:
        """Let time pass in parts of some milliseconds at most; see `gamekit.game.advance_some`.

        Raises:
            ValueError: `to_tick` lies before the state's tick.
        """
        return passing.advance_some(state, to_tick, enough)

    def admitted(self, state: SpaceState, player: PlayerId, command: Command) -> Command | Rejected:
        """A player's command as it goes into the journal, or why it does not: a ship's name must be seen."""
        return orders.admitted(command)

    def weight_table(self) -> Sequence[Weight]:
        """What of a game costs its server something."""
        return weights.WEIGHTS

    def weigh(self, state: SpaceState) -> dict[str, int]:
        """How much of it there is."""
        return weights.weigh(state)

    def called(self, state: SpaceState) -> list[str]:
        """The names of all players and companies, from which a newcomer's is told apart."""
        return [player.name for player in state.players.values()]

    def apply(self, state: SpaceState, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out one command at the state's tick, or refuse it and change nothing."""
        passing.refuse_inside(state)
        carry_out = _CARRY_OUT.get(type(command))
        if carry_out is None:
            answer = self._own_command(state, player, command)
            if answer is None:
                known = ", ".join(str(kind.__struct_config__.tag) for kind in get_args(self.command_type))
                answer = Rejected("unknown_command", f"This game knows {known}.")
            return answer
        return carry_out(state, player, command)

    def next_due(self, state: SpaceState) -> Tick | None:
        """The next tick at which something of a ship, station, dispatcher, storm or survey falls due, or None."""
        return state.agenda.next_due()

    def view(self, state: SpaceState, player: PlayerId | None) -> View:
        """What `player` may see; None is a spectator."""
        passing.refuse_inside(state)
        return fog.view(state, player) if state.rules.fog else views.view(state, player)

    def changes(self, state: SpaceState, player: PlayerId | None, events: Sequence[Event]) -> Changes:
        """The patch that `events` made: public for None, else what `player` sees beyond it."""
        return fog.changes(state, player, events) if state.rules.fog else views.changes(state, player, events)

    def audience(self, state: SpaceState, event: Event) -> tuple[PlayerId, ...] | None:
        """The players who may see an event that has just fallen: its owner, or who knows where it is; None for all."""
        return sight.audience(state, event)

    def secretive(self, state: SpaceState) -> bool:
        """Under fog: a galaxy can be made again from its seed, and others' orders name where they have been."""
        return bool(state.rules.fog)

    def rules(self, state: SpaceState) -> dict[str, Any]:
        """The rules in force."""
        return msgspec.structs.asdict(state.rules)

    def rule_table(self) -> Sequence[RuleField]:
        """Every rule with default, range, unit and a sentence."""
        return table()

    def set_rules(self, state: SpaceState, changes: Mapping[str, Any]) -> list[Event] | Rejected:
        """Change rules at the state's tick, or refuse all of it and change nothing; see `amend`."""
        passing.refuse_inside(state)
        return amend.set_rules(state, changes)

    def encode(self, state: SpaceState) -> bytes:
        """The whole state as MessagePack; equal states give equal bytes.

        Raises:
            ValueError: it stands inside a tick.
        """
        passing.refuse_inside(state)
        return _encoder.encode(state.saved())

    def decode(self, data: bytes, version: int) -> SpaceState:
        """The state from its bytes; what is not saved is rebuilt.

        Raises:
            ConfigError: the version is unknown, or the bytes are no state.
        """
        # Version 3 added the turns of ships, which version 2 did not count; its states are read as they are.
        if not 2 <= version <= self.version:
            raise ConfigError(
                f"version: this gamekit reads space states of versions 2 to {self.version}, not {version}; "
                "use the gamekit that wrote it, or a newer one."
            )
        try:
            return self._attached(SpaceState(_decoder.decode(data)))
        except msgspec.DecodeError as error:
            raise ConfigError(f"state: these bytes are no space state of version {version}: {error}.") from None
