"""The tables of the bundled game: plain structures of integers and strings, and nothing that acts.

`Saved` is all of it, field by field, as it is encoded; `state.SpaceState` is what the rules work on.

Invariants (checked by `invariants.check`):

- Integers only. Lengths are metres, speeds millimetres per tick, money centi-credits, times ticks.
- Every table keeps the order of entry, which is the order of the numbers in `key`; nothing iterates over a set. A
  ship's hold keeps the order of ware ids. So equal states have equal bytes.
- A ship is in exactly one place, its `at`; what it does next is `queue[0]`, and when that is done is `due`.
- A thing with something due has `due >= 0`, else `due == NEVER`.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from gamekit.game import PlayerId, Tick
from gamekit.space.rules import Rules

#: `due` of a thing that waits for nothing.
NEVER = -1
#: Agenda keys of companies' ships, of other ships, of players and of gates start here; stations' lie below. So at one
#: tick production comes before ships, and ships before the dispatchers that give them jobs; storms come last.
FIRST_COMPANY_SHIP_KEY = 1 << 31
FIRST_SHIP_KEY = 1 << 32
FIRST_PLAYER_KEY = 1 << 33
FIRST_GATE_KEY = 1 << 34
#: The surveyors come last of all.
SURVEY_KEY = 1 << 35


#: The class of ships that everybody starts with.
FREIGHTER = "freighter"


class Ware(msgspec.Struct, frozen=True, array_like=True):
    """One kind of goods: `volume` units of hold space and `base_price` centi-credits each."""

    id: str
    name: str
    tier: int
    volume: int
    base_price: int


class Sector(msgspec.Struct, frozen=True, array_like=True):
    """A square of space; `x`, `y` place it on the galaxy map."""

    id: str
    name: str
    x: int
    y: int
    gates: tuple[str, ...]


class Gate(msgspec.Struct, array_like=True):
    """One end of a passage between two sectors; `to` is the other end. Both ends are open, or both are closed.

    Attributes:
        due: when the next storm begins or the one that rages ends; at the end with the smaller number only.
        storms: how many storms were ever forecast here.
        stormy: whether a storm rages here.
    """

    id: str
    number: int
    sector: str
    x: int
    y: int
    to: str
    to_sector: str
    jump_ticks: Tick
    open: bool = True
    due: Tick = NEVER
    storms: int = 0
    stormy: bool = False

    @property
    def key(self) -> int:
        """Its number in the agenda."""
        return FIRST_GATE_KEY + self.number


class Recipe(msgspec.Struct, frozen=True, array_like=True):
    """What one cycle of `cycle_ticks` takes and makes: `{ware_id: units}`; `listed_ticks` is its length at 100 %."""

    inputs: dict[str, int]
    outputs: dict[str, int]
    cycle_ticks: Tick
    listed_ticks: Tick


def cycle_length(listed_ticks: Tick, percent: int) -> Tick:
    """How long a cycle takes under the rule `cycle_percent`."""
    return max(1, listed_ticks * percent // 100)


class Station(msgspec.Struct, array_like=True):
    """A place that makes, uses or trades wares.

    Attributes:
        key: its number in the agenda.
        due: when the cycle under way ends.
        stock, capacity: `{ware_id: units}` for every ware it deals in.
        buys, sells: the wares it takes from ships, and gives to them.
        status: "producing", "starved", "clogged" or "trading"; `reason` is a sentence about it.
        since: the tick from which it has this status.
        shipyard: whether ships are sold here, and taken back.
    """

    id: str
    key: int
    name: str
    kind: str
    sector: str
    x: int
    y: int
    recipe: Recipe | None
    stock: dict[str, int]
    capacity: dict[str, int]
    buys: tuple[str, ...]
    sells: tuple[str, ...]
    status: str
    reason: str
    owner: PlayerId | None = None
    due: Tick = NEVER
    since: Tick = 0
    shipyard: bool = False


class InSpace(msgspec.Struct, frozen=True, array_like=True, tag="space", gc=False):
    """At rest in a sector."""

    sector: str
    x: int
    y: int


class OnLeg(msgspec.Struct, frozen=True, array_like=True, tag="leg", gc=False):
    """Flying straight from one point of a sector to another between two ticks."""

    sector: str
    from_x: int
    from_y: int
    to_x: int
    to_y: int
    depart: Tick
    arrive: Tick


class Docked(msgspec.Struct, frozen=True, array_like=True, tag="dock", gc=False):
    """At a station."""

    station: str


class InGate(msgspec.Struct, frozen=True, array_like=True, tag="gate", gc=False):
    """On the way from `gate` to `exit`."""

    gate: str
    exit: str
    depart: Tick
    arrive: Tick


At: TypeAlias = InSpace | OnLeg | Docked | InGate


class Fly(msgspec.Struct, frozen=True, array_like=True, tag="fly", gc=False):
    """Queue entry: fly to a point of the sector that the ship is in by then."""

    id: int
    order: int
    sector: str
    x: int
    y: int


class Jump(msgspec.Struct, frozen=True, array_like=True, tag="jump", gc=False):
    """Queue entry: enter `gate` and come out of `exit`."""

    id: int
    order: int
    gate: str
    exit: str


class Dock(msgspec.Struct, frozen=True, array_like=True, tag="dock", gc=False):
    """Queue entry: dock at the station that the ship is at by then."""

    id: int
    order: int
    station: str


class Buy(msgspec.Struct, frozen=True, array_like=True, tag="buy", gc=False):
    """Queue entry: buy up to `units` at the dock."""

    id: int
    order: int
    ware: str
    units: int


class Sell(msgspec.Struct, frozen=True, array_like=True, tag="sell", gc=False):
    """Queue entry: sell up to `units` at the dock."""

    id: int
    order: int
    ware: str
    units: int


Entry: TypeAlias = Fly | Jump | Dock | Buy | Sell


class Job(msgspec.Struct, array_like=True):
    """What the dispatcher gave a ship to do: carry `units` of a ware from one station to another.

    Attributes:
        source: where it buys, or None when it only sells what it carries.
        target: where it sells.
        cost: what buying was expected to take, in centi-credits; kept back from other jobs until then.
        loaded: whether the wares are on board; until then they are reserved at the source, and room at the target
            is reserved to the end.
        waits: since when the ship holds, or NEVER.
    """

    ware: str
    units: int
    source: str | None
    target: str
    cost: int
    loaded: bool
    waits: Tick = NEVER


class ShipClass(msgspec.Struct, frozen=True, array_like=True):
    """What ships one can buy: speed and hold in percent of what the rules say, the price in centi-credits."""

    id: str
    name: str
    speed_percent: int
    capacity_percent: int
    price: int


class Ship(msgspec.Struct, array_like=True):
    """A ship.

    Attributes:
        key: its number in the agenda.
        capacity: what its hold takes, in volume units.
        speed: millimetres per tick.
        hold: `{ware_id: units}`, in the order of ware ids, nothing at zero.
        queue: what it is to do; the first entry is under way.
        due: when that entry is done, or NEVER when the ship waits for orders or holds.
        blocked: why it holds, or "".
        orders, entries: how many orders and queue entries it was ever given; the next one's number is one more.
        auto_trade: whether it gets jobs from its owner's dispatcher whenever it has no orders.
        job: the one under way.
    """

    id: str
    key: int
    name: str
    owner: PlayerId
    ship_class: str
    capacity: int
    speed: int
    at: At
    hold: dict[str, int] = msgspec.field(default_factory=dict)
    queue: list[Entry] = msgspec.field(default_factory=list)
    due: Tick = NEVER
    blocked: str = ""
    orders: int = 0
    entries: int = 0
    auto_trade: bool = False
    job: Job | None = None


class Player(msgspec.Struct, array_like=True):
    """Somebody who owns ships; the credits are in the ledger.

    Attributes:
        key: its number in the agenda.
        company: whether it belongs to the scenario and nobody plays it.
        due: when its dispatcher next looks for jobs, or NEVER while no ship waits for one.
        discovered: under fog, the sectors that its own ships found before they were charted, in order.
    """

    id: PlayerId
    name: str
    joined: Tick
    key: int
    company: bool = False
    due: Tick = NEVER
    discovered: list[str] = msgspec.field(default_factory=list)


class Charts(msgspec.Struct, array_like=True):
    """What everybody knows when there is fog, and the surveyors who add to it.

    Attributes:
        sectors: the charted ones, in the order in which they were charted.
        due: when the surveyors chart the next one, or NEVER.
    """

    sectors: list[str] = msgspec.field(default_factory=list)
    due: Tick = NEVER

    @property
    def id(self) -> str:
        """What it is called when a law is broken."""
        return "the surveyors"

    @property
    def key(self) -> int:
        """Its number in the agenda."""
        return SURVEY_KEY


class Ledger(msgspec.Struct, array_like=True):
    """The accounts of the game; every total over all accounts is zero.

    Attributes:
        credits: `{account: centi-credits}`; accounts are named in `ledger`.
        wares: `{account: {ware_id: units}}` of the faucets and sinks; all else is in stocks and holds.
    """

    credits: dict[str, int]
    wares: dict[str, dict[str, int]]


class Saved(msgspec.Struct, array_like=True):
    """The whole state. `ships_made` counts all ships ever, so that ids are never given twice."""

    tick: Tick
    seed: int
    scenario: str
    rules: Rules
    wares: dict[str, Ware]
    sectors: dict[str, Sector]
    gates: dict[str, Gate]
    stations: dict[str, Station]
    ships: dict[str, Ship]
    players: dict[PlayerId, Player]
    ledger: Ledger
    ships_made: int
    ship_classes: dict[str, ShipClass]
    charts: Charts = msgspec.field(default_factory=Charts)


class Turned(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """How often the order under way of a ship turned it round, and was planned anew without a turn, for the weather."""

    order: int
    turns: int
    replans: int


class SavedWithTurns(Saved, array_like=True):
    """The whole state of a game in which ships were turned round by orders that are still under way.

    A game without such ships is encoded without this table, as it was before there was one.
    """

    turned: dict[str, Turned] = msgspec.field(default_factory=dict)
