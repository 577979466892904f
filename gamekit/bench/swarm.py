"""The model of the benchmarks: ships that are always under way, as a game and as plain functions.

Each ship flies a straight leg to a random place, takes 5 to 20 seconds for it, and starts the next one at once; its
first one began before it came, so that ships are spread from the beginning. A player may send a ship elsewhere. The
naive server uses the same functions, so it does the same work.

Rules (`config["rules"]`): `ships` (0 to 100,000, default 50: how many each player gets on joining). View:
`{"ships": {id: {"owner", "leg"}}, "players": {id: {"name"}}, "rules": ...}`, a leg being `[x0, y0, x1, y1, depart,
arrive]` in metres and ticks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from heapq import heapify, heappop, heappush, heapreplace
from typing import Any, TypeAlias

import msgspec

from gamekit.errors import ConfigError
from gamekit.game import Changes, Command, Event, Join, PlayerId, Rejected, RuleField, Tick, View

#: Half a side of the square in which ships fly, in metres.
REACH_M = 1_000
#: The shortest and the longest leg, in ticks.
LEG_TICKS = (50, 200)
#: Largest number of ships a player.
MOST_SHIPS = 100_000

#: `(x0, y0, x1, y1, depart, arrive)`: metres, metres, metres, metres, ticks, ticks.
Leg: TypeAlias = tuple[int, int, int, int, int, int]

_MASK = (1 << 64) - 1


def draw(seed: int, ship: int, counter: int) -> int:
    """A number of 64 bits that depends on nothing but the arguments. Source: the finaliser of SplitMix64."""
    z = (seed * 0x9E3779B97F4A7C15 + (ship + 1) * 0xBF58476D1CE4E5B9 + (counter + 1) * 0x94D049BB133111EB) & _MASK
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & _MASK
    return z ^ (z >> 31)


def random_leg(seed: int, ship: int, counter: int, x: int, y: int, tick: Tick) -> Leg:
    """The leg number `counter` of a ship that stands at (x, y)."""
    number = draw(seed, ship, counter)
    to_x, to_y = number % (2 * REACH_M + 1) - REACH_M, (number >> 16) % (2 * REACH_M + 1) - REACH_M
    ticks = LEG_TICKS[0] + (number >> 32) % (LEG_TICKS[1] - LEG_TICKS[0] + 1)
    return (x, y, to_x, to_y, tick, tick + ticks)


def first_leg(seed: int, ship: int, tick: Tick) -> Leg:
    """The leg on which a ship comes into the game: it is under way already, by a random part of it."""
    x0, y0, x1, y1, depart, arrive = random_leg(seed, ship, 0, 0, 0, tick)
    gone = (draw(seed, ship, 0) >> 48) % (arrive - depart)
    return (x0, y0, x1, y1, depart - gone, arrive - gone)


def place(leg: Leg, tick: Tick) -> tuple[int, int]:
    """Where a ship on this leg is, in metres."""
    x0, y0, x1, y1, depart, arrive = leg
    if tick >= arrive:
        return x1, y1
    return x0 + (x1 - x0) * (tick - depart) // (arrive - depart), y0 + (y1 - y0) * (tick - depart) // (arrive - depart)


def digest(legs: Sequence[Leg]) -> str:
    """16 hex digits over all legs, in the order of the ships."""
    return blake2b(msgspec.msgpack.encode(legs), digest_size=8).hexdigest()


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A place in metres."""

    x: int
    y: int


class Move(Command, frozen=True, tag="move"):
    """Send a ship elsewhere."""

    ship: str
    to: Place


class PlayerJoined(Event, frozen=True):
    """A player is new, with ships."""

    player: PlayerId
    name: str


class LegStarted(Event, frozen=True):
    """A ship is under way; where to is in the changes."""

    ship: str


class RulesChanged(Event, frozen=True):
    """Rules have new values."""

    changes: dict[str, int]


class Ship(msgspec.Struct):
    """One ship: its owner, its leg, and how many legs it has begun."""

    owner: PlayerId
    leg: Leg
    begun: int = 1


class SwarmState(msgspec.Struct):
    """Everything there is; ships are named by their place in the list."""

    seed: int
    ships_each: int
    tick: Tick = 0
    ships: list[Ship] = []
    players: dict[PlayerId, str] = {}


class Live:
    """A state in memory: what is saved, and an agenda that is rebuilt."""

    __slots__ = ("agenda", "saved")

    def __init__(self, saved: SwarmState) -> None:
        self.saved = saved
        #: (tick, number of the ship): when each ship arrives; entries of legs that were left are void.
        self.agenda: list[tuple[Tick, int]] = [(ship.leg[5], number) for number, ship in enumerate(saved.ships)]
        heapify(self.agenda)


class Swarm:
    """The rules; fulfils `gamekit.game.Game[Live]`."""

    name: str = "swarm"
    version: int = 1
    command_type: Any = Move

    def new(self, config: Mapping[str, Any], seed: int) -> Live:
        """The state at tick 0: nobody is there yet.

        Raises:
            ConfigError: the configuration is wrong.
        """
        for key in config:
            if key not in ("scenario", "rules"):
                raise ConfigError(f"config: unknown key {key!r}; allowed are 'scenario' and 'rules'.")
        rules = config.get("rules", {})
        ships: Any = rules.get("ships", 50) if isinstance(rules, Mapping) else None
        if not isinstance(rules, Mapping) or set(rules) - {"ships"} or not _is_count(ships):
            raise ConfigError(f"rules: the only one is 'ships', from 0 to {MOST_SHIPS}, got {rules!r}.")
        return Live(SwarmState(seed=seed, ships_each=ships))

    def tick(self, state: Live) -> Tick:
        """The tick that the state stands at."""
        return state.saved.tick

    def advance(self, state: Live, to_tick: Tick) -> list[Event]:
        """Let time pass: whoever arrives starts again."""
        saved, agenda = state.saved, state.agenda
        ships, seed = saved.ships, saved.seed
        events: list[Event] = []
        while agenda and agenda[0][0] <= to_tick:
            tick, number = agenda[0]
            ship = ships[number]
            if ship.leg[5] != tick:
                heappop(agenda)
                continue
            ship.leg = leg = random_leg(seed, number, ship.begun, ship.leg[2], ship.leg[3], tick)
            ship.begun += 1
            heapreplace(agenda, (leg[5], number))
            events.append(LegStarted(str(number)))
        saved.tick = max(saved.tick, to_tick)
        return events

    def apply(self, state: Live, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out one command."""
        saved = state.saved
        if isinstance(command, Join):
            if player in saved.players:
                return Rejected("already_joined", f"{player} plays already; send commands instead.")
            saved.players[player] = command.name
            for number in range(len(saved.ships), len(saved.ships) + saved.ships_each):
                leg = first_leg(saved.seed, number, saved.tick)
                saved.ships.append(Ship(player, leg))
                heappush(state.agenda, (leg[5], number))
            return [PlayerJoined(player, command.name)]
        if not isinstance(command, Move):
            return Rejected("unknown_command", "This game knows move.")
        number = int(command.ship) if command.ship.isdecimal() and len(command.ship) < 10 else -1
        if not 0 <= number < len(saved.ships) or saved.ships[number].owner != player:
            return Rejected("unknown_ship", f"You have no ship {command.ship[:20]!r}; the view lists yours.")
        if not (-REACH_M <= command.to.x <= REACH_M and -REACH_M <= command.to.y <= REACH_M):
            return Rejected("out_of_reach", f"x and y must be from {-REACH_M} to {REACH_M} metres.")
        ship = saved.ships[number]
        x, y = place(ship.leg, saved.tick)
        ticks = random_leg(saved.seed, number, ship.begun, x, y, saved.tick)[5]
        ship.leg = (x, y, command.to.x, command.to.y, saved.tick, ticks)
        ship.begun += 1
        heappush(state.agenda, (ticks, number))
        return [LegStarted(str(number))]

    def next_due(self, state: Live) -> Tick | None:
        """When the next ship arrives."""
        agenda, ships = state.agenda, state.saved.ships
        while agenda and ships[agenda[0][1]].leg[5] != agenda[0][0]:
            heappop(agenda)
        return agenda[0][0] if agenda else None

    def view(self, state: Live, player: PlayerId | None) -> View:
        """Everything is public."""
        saved = state.saved
        return {
            "ships": {str(n): {"owner": ship.owner, "leg": list(ship.leg)} for n, ship in enumerate(saved.ships)},
            "players": {player: {"name": name} for player, name in saved.players.items()},
            "rules": {"ships": {"value": saved.ships_each}},
        }

    def changes(self, state: Live, player: PlayerId | None, events: Sequence[Event]) -> Changes:
        """The legs that began."""
        if player is not None:
            return {}
        saved = state.saved
        changed: Changes = {}
        for event in events:
            if isinstance(event, LegStarted):
                changed.setdefault("ships", {})[event.ship] = {"leg": list(saved.ships[int(event.ship)].leg)}
            elif isinstance(event, PlayerJoined):
                mine = [(str(n), ship) for n, ship in enumerate(saved.ships) if ship.owner == event.player]
                ships = changed.setdefault("ships", {})
                ships.update({name: {"owner": ship.owner, "leg": list(ship.leg)} for name, ship in mine})
                changed.setdefault("players", {})[event.player] = {"name": event.name}
            elif isinstance(event, RulesChanged):
                changed["rules"] = {"ships": {"value": saved.ships_each}}
        return changed

    def audience(self, state: Live, event: Event) -> tuple[PlayerId, ...] | None:
        """Everything is public."""
        return None

    def secretive(self, state: Live) -> bool:
        """Nothing is kept from anybody."""
        return False

    def rules(self, state: Live) -> dict[str, Any]:
        """The rules in force."""
        return {"ships": state.saved.ships_each}

    def rule_table(self) -> Sequence[RuleField]:
        """The one rule."""
        return (RuleField("ships", 50, 0, MOST_SHIPS, "ships", "How many ships each player gets on joining."),)

    def set_rules(self, state: Live, changes: Mapping[str, Any]) -> list[Event] | Rejected:
        """Change how many ships those get who join later."""
        if set(changes) != {"ships"} or not _is_count(changes["ships"]):
            return Rejected("bad_rule", f"The only rule is 'ships', from 0 to {MOST_SHIPS}.")
        if changes["ships"] == state.saved.ships_each:
            return []
        state.saved.ships_each = changes["ships"]
        return [RulesChanged({"ships": changes["ships"]})]

    def encode(self, state: Live) -> bytes:
        """The whole state as MessagePack."""
        return msgspec.msgpack.encode(state.saved)

    def decode(self, data: bytes, version: int) -> Live:
        """The state from its bytes.

        Raises:
            ConfigError: the version is unknown, or the bytes are no state.
        """
        if version != self.version:
            raise ConfigError(f"version: this code reads swarms of version {self.version}, not {version}.")
        try:
            return Live(msgspec.msgpack.decode(data, type=SwarmState))
        except msgspec.DecodeError as error:
            raise ConfigError(f"state: these bytes are no swarm: {error}.") from None


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= MOST_SHIPS
