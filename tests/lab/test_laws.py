"""A designer's broken laws are told, with the law, the hook and the first tick; kept laws are not."""

from __future__ import annotations

import datetime
import functools
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

from gamekit import lab
from gamekit.errors import GamekitError
from gamekit.game import Command, Event, PlayerId, Rejected, Tick
from gamekit.journal import digest_of
from gamekit.lab.simulate import traffic
from gamekit.space import SpaceGame, SpaceState
from tests.designer_game import FoodFirst, InTurn

CALLS = [0]


@pytest.fixture(autouse=True)
def failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where capsules of failures go."""
    monkeypatch.setenv("GAMEKIT_FAILURES", str(tmp_path / "failures"))
    return tmp_path / "failures"


class Chance(SpaceGame):
    """Throws dice."""

    name = "chance"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) * random.randint(1, 1_000)


class Clock(SpaceGame):
    """Looks at the clock."""

    name = "clock"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) * (1 + time.perf_counter_ns() % 1_000)


class Calendar(SpaceGame):
    """Asks which day it is, which no run sees change."""

    name = "calendar"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) * (1 + datetime.datetime.now().year % 1_000)


class Hourly(SpaceGame):
    """Asks for the hour."""

    name = "hourly"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) + int(time.time() // 3_600)


class FloatState(SpaceGame):
    """Leaves a fraction in the state."""

    name = "float-state"

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        events = super().advance(state, to_tick)
        if state.tick > 1_500:
            next(iter(state.stations.values())).since = 0.5  # type: ignore[assignment]
        return events


class Memory(SpaceGame):
    """Counts in its module."""

    name = "memory"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        CALLS[0] += 1
        return super().bid(state, ship, prospect) * CALLS[0]


class InClass(SpaceGame):
    """Counts in its class."""

    name = "in-class"
    seen: ClassVar[set[str]] = set()

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        new = ship.id not in self.seen
        self.seen.add(ship.id)
        return super().bid(state, ship, prospect) * (1 + new)


class InInstance(SpaceGame):
    """Counts in itself."""

    name = "in-instance"
    asked = 0

    def dispatch(self, state: Any, owner: Any, free: Any) -> Any:
        self.asked += 1
        return None if self.asked % 2 else []


@functools.cache
def first_stock(ship: str, stock: Callable[[], int]) -> int:
    """What was there when it was first asked, for ever."""
    return stock()


class InItsDictionary(SpaceGame):
    """Remembers when each ship was first asked about, and gives the same for ever after."""

    name = "in-its-dictionary"

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, int] = {}

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) * (1 + self.first.setdefault(ship.id, state.tick) % 5)


class Remembered:
    """One thing for all states that can be compared, so that the cache takes it for the same."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def __call__(self) -> int:
        return 1 + int(self.state.tick) % 7

    def __hash__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return True


class Cached(SpaceGame):
    """Gives the answers of another tick."""

    name = "cached"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) * first_stock(ship.id, Remembered(state))


class Hash(SpaceGame):
    """Depends on the hash seed."""

    name = "hash"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) * (1 + hash(ship.id) % 1_000)


class SetOrder(SpaceGame):
    """Depends on the order of a set."""

    name = "set-order"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) * (1 + [*set(state.ships)].index(ship.id))


class ReadsStock(SpaceGame):
    """Prices by what lies there, not by what it is asked about."""

    name = "reads-stock"

    def price(self, station: Any, ware: Any, stock: int, rules: Any) -> int:
        return int(ware.base_price + station.stock[ware.id] % 7)


class ReadsStatus(SpaceGame):
    """Prices by what the station does just now."""

    name = "reads-status"

    def price(self, station: Any, ware: Any, stock: int, rules: Any) -> int:
        return int(ware.base_price) + (station.status == "starved")


class BidChanges(SpaceGame):
    """Writes into the state while it is asked."""

    name = "bid-changes"

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        ship.name = ship.name + "!"
        return super().bid(state, ship, prospect)


class ViewChanges(SpaceGame):
    """Writes into the state while it is looked at."""

    name = "view-changes"

    def view(self, state: Any, player: Any) -> Any:
        for ship in state.ships.values():
            ship.name = ship.name[:10] + "."
        return super().view(state, player)


class ByCalls(SpaceGame):
    """Depends on how often it is advanced."""

    name = "by-calls"

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        for station in list(state.stations.values())[:1]:
            station.since += 1
        return super().advance(state, to_tick)


class NewByChance(SpaceGame):
    """Makes another game each time."""

    name = "new-by-chance"

    def new(self, config: Any, seed: int) -> SpaceState:
        return super().new(config, random.getrandbits(32))


class Fraction(SpaceGame):
    """Gives a fraction."""

    name = "fraction"

    def bid(self, state: Any, ship: Any, prospect: Any) -> Any:
        return super().bid(state, ship, prospect) / 2


class Poke(Command, frozen=True, tag="poke"):
    """Refused."""


def poke(state: SpaceState, player: PlayerId, command: Any) -> Rejected:
    """Refuses and does something all the same."""
    next(iter(state.stations.values())).since += 1
    return Rejected("no", "No.")


class Refusing(SpaceGame):
    """Has a command that changes something though it is refused."""

    name = "refusing"
    commands: ClassVar[Any] = {Poke: poke}


def poking(state: SpaceState, game: SpaceGame) -> None:
    """Give the command."""
    traffic(1)(state, game)
    game.apply(state, PlayerId("p1"), Poke())


#: The class, and what must be said of it.
BROKEN: dict[type[SpaceGame], str] = {
    Chance: r"'bid'.*asked the same thing twice.*tick 970; its code names randint, random",
    Clock: r"'bid'.*asked the same thing twice.*perf_counter_ns",
    Calendar: r"first at tick 970.*another time of day.*names datetime",
    Hourly: r"first at tick 970.*another time of day.*names time",
    FloatState: r"cannot be read again once it is saved.*float",
    Memory: r"'bid'.*asked the same thing twice",
    InClass: r"'bid'.*asked the same thing twice",
    InInstance: r"'dispatch'.*asked the same thing twice",
    InItsDictionary: r"first at tick.*Round trip.*remembered outside the state.*are those of bid",
    Cached: r"first at tick.*(Round trip|Deterministic).*remembered outside the state",
    Hash: r"first at tick 970.*hash seed.*are those of bid.*names hash",
    SetOrder: r"first at tick 970.*hash seed.*order of a set.*are those of bid",
    ReadsStock: r"'price'.*with another `stock` of the station",
    ReadsStatus: r"'price'.*with another `status` of the station",
    BidChanges: r"'bid'.*changed the state",
    ViewChanges: r"tick 0.*changed the state",
    ByCalls: r"first at tick.*Path independent",
    NewByChance: r"not deterministic: `new` made two different games",
    Fraction: r"'bid'.*returned .*whole number",
}


@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.name)
def test_a_broken_law_is_told_with_hook_and_tick(kind: type[SpaceGame], failures: Path) -> None:
    # A cache shows only after a saved state, so both halves must have ships that are sent.
    hours = 0.1 if kind in (Cached, InItsDictionary) else 0.05
    with pytest.raises(GamekitError, match=BROKEN[kind]) as told:
        lab.simulate("nearest-stars", seed=1, hours=hours, game=kind, check=True)
    if kind is not NewByChance:
        assert "The game up to here is in" in "".join(told.value.__notes__)
        assert list(failures.glob("*.capsule"))


def test_a_refusal_that_changes_something_is_told() -> None:
    with pytest.raises(GamekitError, match=r"commands\[poke\].*refused and changed the state"):
        lab.simulate("duel", hours=0.01, game=Refusing, setup=poking, check=True)


@pytest.mark.parametrize("kind", [Hash, Chance, ReadsStock], ids=lambda kind: kind.name)
def test_check_of_what_was_not_checked_while_it_ran_plays_on_from_there(kind: type[SpaceGame]) -> None:
    run = lab.simulate("nearest-stars", seed=1, hours=0.05, game=kind)
    with pytest.raises(GamekitError, match=r"bid|price"):
        lab.check(run, hours=0.05)
    lab.check(run, hours=0)
    assert digest_of(run.game.encode(run.state)) == run.digest, "it is a copy that is played on"
    branch = lab.begin("nearest-stars", game=kind)
    with pytest.raises(GamekitError, match=r"bid|price"):
        lab.check(branch, hours=0.05)


class Lawful(SpaceGame):
    """Everything of its own, by the laws, with a cache that does not show."""

    name = "lawful"
    commands: ClassVar[Any] = {Poke: lambda state, player, command: []}
    metrics: ClassVar[Any] = {"ships": lambda state: len(state.ships)}

    def price(self, station: Any, ware: Any, stock: int, rules: Any) -> int:
        return int(ware.base_price) * (2 * station.capacity[ware.id] - stock) // station.capacity[ware.id]

    def bid(self, state: Any, ship: Any, prospect: Any) -> int:
        return super().bid(state, ship, prospect) + len(sorted(state.ships))

    def dispatch(self, state: Any, owner: Any, free: Any) -> Any:
        while free:
            free.pop()
        return None


def test_kept_laws_pass_and_a_check_changes_nothing() -> None:
    for setup in (None, traffic(3), lawful_poking):
        how: dict[str, Any] = {"seed": 3, "hours": 0.1, "game": Lawful, "setup": setup}
        checked = lab.simulate("nearest-stars", check=True, record_minutes=1, **how)
        plain = lab.simulate("nearest-stars", **how)
        assert (checked.digest, checked.events, checked.metrics) == (plain.digest, plain.events, plain.metrics)
    assert type(checked.game) is Lawful
    lab.check(checked, hours=0.02)


@pytest.mark.parametrize("kind", [FoodFirst, InTurn], ids=lambda kind: kind.name)
def test_the_example_of_the_docs_passes_in_storms_and_in_fog(kind: type[SpaceGame]) -> None:
    for scenario, rules in (
        ("nearest-stars", {"storm_rate": 6_000, "storm_ticks": 3_000}),
        ("procedural:4", {"fog": 1}),
    ):
        lab.simulate(scenario, rules, seed=5, hours=0.05, game=kind, setup=traffic(2), check=True)


def lawful_poking(state: SpaceState, game: SpaceGame) -> None:
    """A command of the game's own among others."""
    poking(state, game)


def test_what_cannot_be_tried_in_another_way_is_told() -> None:
    class Held(SpaceGame):
        name = "held"

        def __init__(self) -> None:
            self.lock = threading.Lock()

    with pytest.warns(UserWarning, match=r"cannot be sent.*not tried in another process"):
        lab.simulate("duel", hours=0.01, game=Held, check=True)

    def meddling(state: SpaceState, game: SpaceGame) -> None:
        next(iter(state.stations.values())).since += 1

    with pytest.warns(UserWarning, match=r"setup changed the state by itself"):
        lab.simulate("duel", hours=0.01, game=Lawful, setup=meddling, check=True)


SCRIPT = """
from gamekit import lab
from gamekit.space import SpaceGame
print("once")
class Hash(SpaceGame):
    name = "hash"
    def bid(self, state, ship, prospect):
        print("asked", end="")
        return super().bid(state, ship, prospect) * (1 + hash(ship.id) % 1000)
try:
    lab.simulate("nearest-stars", seed=1, hours=0.05, game=Hash, check=True)
except lab.InvariantViolated as error:
    print("\\ntold", "another hash seed" in str(error))
"""


def test_classes_of_an_unguarded_script_from_standard_input_are_tried_as_well(tmp_path: Path) -> None:
    text = SCRIPT.replace("lab.InvariantViolated", "Exception")
    done = subprocess.run([sys.executable, "-"], input=text, cwd=tmp_path, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert (lines[0], lines.count("once"), lines[-1]) == ("once", 1, "told True")
