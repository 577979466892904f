"""Running the bundled game headless: the very rules that a server runs, as fast as the processor allows.

Nothing here knows the rules; it drives them through the game's contract, in slices of game time, so that a caller can
draw a progress bar and so that whoever plays can give orders on the way. A run is a function of its arguments alone:
the same ones give the same digest on every machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import msgspec

from gamekit.errors import ConfigError, HookFailed
from gamekit.game import TICK_HZ, Event, Join, PlayerId, Rejected, Tick
from gamekit.journal import digest_of
from gamekit.lab.failures import Checked, Recorder
from gamekit.lab.own import Own, space_rules_of
from gamekit.plain import plain_or_refused
from gamekit.scenario_file import names_a_file, read_definition
from gamekit.space import SpaceGame, SpaceState, ledger
from gamekit.space import scenario as space_scenario
from gamekit.space.commands import BuyWare, MoveShip, SellWare, SpaceCommand, Target
from gamekit.space.model import Ship
from gamekit.space.rng import STREAM_TRAFFIC, Stream
from gamekit.space.worldgen import is_definition, resolved

if TYPE_CHECKING:
    from gamekit.lab.frames.state import StateFrames
    from gamekit.lab.history import History
    from gamekit.lab.laws import Laws

#: Game time between two calls of a driver or of a progress callback: one minute.
SLICE_TICKS: Tick = 60 * TICK_HZ

#: Called with the ticks done and the ticks to do.
Progress: TypeAlias = Callable[[Tick, Tick], None]
#: Plays the game: called before every slice, returns the events of what it did.
Driver: TypeAlias = Callable[[SpaceState, SpaceGame], list[Event]]
#: Called once at tick 0; may return a driver.
Setup: TypeAlias = Callable[[SpaceState, SpaceGame], Driver | None]


class Simulation(msgspec.Struct, frozen=True):
    """What came of a run.

    Attributes:
        scenario: the scenario's full name, e.g. "procedural:24".
        seed: the seed.
        ticks: how far it ran.
        events: how many events fell.
        digest: over the encoded state at the end; equal digests mean equal states.
        cpu_s: processor seconds that the run took, without making the galaxy.
        times_real_time: game time over processor time.
        state: the state at the end.
        game: the rules it was run by.
        recorded: samples and events of the whole run, when they were asked for; see `history`.
        metrics: what the game's own metrics say about that state.
        start_credits: `{player: centi-credits}` of those who were there at tick 0, such as the scenario's companies.
    """

    scenario: str
    seed: int
    ticks: Tick
    events: int
    digest: str
    cpu_s: float
    times_real_time: float
    state: SpaceState
    game: SpaceGame
    metrics: dict[str, int | float] = {}
    recorded: History | None = None
    start_credits: dict[PlayerId, int] = {}

    @property
    def frame(self) -> StateFrames:
        """The last state as data frames, and what was recorded on the way; see `gamekit.lab.frames`."""
        from gamekit.lab.frames.state import StateFrames

        return StateFrames(self.game, self.state, self.recorded.events if self.recorded is not None else ())

    @property
    def view(self) -> dict[str, Any]:
        """The last state as players see it, but with nothing hidden; for `route_chart`, for example."""
        from gamekit.lab.frames.state import everything

        return everything(self.game, self.state).view

    @property
    def history(self) -> History:
        """The samples that were taken on the way, as long data frames.

        Raises:
            ConfigError: the run was not recorded.
        """
        if self.recorded is None:
            raise ConfigError("This run was not recorded; simulate it again with record_minutes=5, for example.")
        return self.recorded


def simulate(
    scenario: str | Mapping[str, Any] | PathLike[str] = "nearest-stars",
    rules: Mapping[str, int] | None = None,
    seed: int = 1,
    hours: float = 1.0,
    *,
    game: Own = None,
    progress: Progress | None = None,
    setup: Setup | None = None,
    record_minutes: float | None = None,
    check: bool = False,
) -> Simulation:
    """Run a new game for `hours` of game time.

    Args:
        scenario: a name, a definition, or the path of a TOML file with one; see `gamekit.space.worldgen`.
        rules: `{field: value}` for what differs from the defaults.
        seed: an integer of 64 bits.
        hours: game time, rounded to whole ticks.
        game: rules of your own, `MyGame`, `MyGame()` or "module:MyGame"; the bundled ones when it is not given.
        progress: called about once a game minute with the ticks done and the ticks to do.
        setup: called with the state and the game at tick 0, to join players and give orders; see `traffic`.
        record_minutes: game minutes between two samples of prices, stations and books, for `history`; every trade and
            every other event is kept then as well. By default nothing is recorded, which is faster.
        check: whether to make sure after every step that no law of the game is broken; takes five times as long. Rules
            of your own are looked at besides: hooks are asked twice, and the run is played again in other steps, in
            parts, in new processes with other hash seeds, and from a saved state; fifteen times as long, and two starts
            of Python.

    Returns:
        The run's figures and its last state; recording changes neither.

    Raises:
        ConfigError: scenario, rules or seed are wrong.
        ConfigError: `hours` is negative or no number, or `record_minutes` is shorter than a tick.
        InvariantViolated, HookFailed: a law is broken, and `check` was asked for; the message names the law, the first
            tick, and the hook where it can be known. This, and whatever else the rules raise, leaves a capsule that
            `gamekit open` shows; see `gamekit.lab.failures`.
    """
    if not 0 <= hours < float("inf"):
        raise ConfigError(f"hours: must be a number from 0 on, got {hours}.")
    played = space_rules_of(game)
    defined = definition_of(scenario)
    settings, seed = plain_or_refused("rules", rules or {}), plain_or_refused("seed", seed)
    config = {"scenario": defined, "rules": settings}
    laws = _laws(played) if check else None
    state = (played if laws is None else laws.watch.game).new(config, seed)
    watched = Recorder(laws or (Checked(played) if check else played), defined, settings, seed)
    playing = cast("SpaceGame", watched)
    ticks = round(hours * 3600 * TICK_HZ)
    recorded = _recorder(record_minutes)
    pass_time = _passed if recorded is None else recorded.passed
    start_credits = {player: ledger.credits_of(state.ledger, player) for player in state.players}
    events = 0
    if laws is not None:
        with watched.kept(state):
            laws.begin(state, ticks)
            laws.made_again(config, seed)
    started = time.process_time()
    drive = setup(state, playing) if setup is not None else None
    while state.tick < ticks:
        if drive is not None:
            driven = drive(state, playing)
            events += len(driven)
            if recorded is not None:
                recorded.events += [(state.tick, event) for event in driven]
        until = state.tick + SLICE_TICKS
        if drive is None:
            # Nothing happens by itself before the next due tick, which may be an hour or a year away.
            due = playing.next_due(state)
            until = ticks if due is None else max(until, due)
        events += pass_time(playing, state, min(until, ticks))
        if progress is not None:
            progress(state.tick, ticks)
    cpu_s = time.process_time() - started
    if laws is not None:
        with watched.kept(state):
            laws.conclude(state, watched.asked)
        played._attached(state)
    digest = digest_of(playing.encode(state))
    metrics = playing.measured(state)
    if metrics and digest_of(playing.encode(state)) != digest:
        raise HookFailed(played.name, "metrics", "changed the state; a metric may only read it")
    return Simulation(
        scenario=state.scenario,
        seed=seed,
        ticks=ticks,
        events=events,
        digest=digest,
        cpu_s=cpu_s,
        times_real_time=ticks / TICK_HZ / cpu_s if cpu_s > 0 else 0.0,
        state=state,
        game=played,
        recorded=recorded,
        metrics=metrics,
        start_credits=start_credits,
    )


def _laws(game: SpaceGame) -> Laws | None:
    """The trials of rules of one's own; None for the bundled ones."""
    from gamekit.lab.laws import Laws  # Here, because only a check needs it.

    return Laws(game) if type(game) is not SpaceGame else None


def _passed(game: SpaceGame, state: SpaceState, until: Tick) -> int:
    """Let time pass; how many events fell."""
    return len(game.advance(state, until))


def _recorder(minutes: float | None) -> History | None:
    if minutes is None:
        return None
    if not 1 / (60 * TICK_HZ) <= minutes < float("inf"):
        raise ConfigError(f"record_minutes: must be a number of game minutes of at least one tick, got {minutes}.")
    from gamekit.lab.history import History  # Here, because a plain run needs no pandas.

    return History(round(minutes * 60 * TICK_HZ))


def definition_of(scenario: str | Mapping[str, Any] | PathLike[str]) -> str | Mapping[str, Any]:
    """A scenario setting with a file's content in the place of its path; complaints about it name the file.

    Raises:
        ConfigError: the file cannot be read, or what it says is wrong.
    """
    if not names_a_file(scenario):
        if isinstance(scenario, Mapping) and is_definition(scenario):
            # What a notebook holds (tuples, sets, numbers of numpy) as it would be sent and kept.
            return cast("Mapping[str, Any]", plain_or_refused("scenario", scenario))
        return cast("str | Mapping[str, Any]", scenario)
    path = cast("str | PathLike[str]", scenario)
    values = read_definition(path)
    if is_definition(values):
        space_scenario.definition(fspath(path), values)
    else:
        try:
            resolved(values, 1)
        except ConfigError as error:
            raise ConfigError(f"{fspath(path)}: {error}") from None
    return values


def traffic(ships: int) -> Setup:
    """A setup in which `ships` players with one ship each carry wares from sellers to buyers.

    They choose at random (from the game's seed), so they are no good traders, but stations work and ships fly.
    """

    def setup(state: SpaceState, game: SpaceGame) -> Driver:
        for number in range(1, ships + 1):
            game.apply(state, PlayerId(f"p{number}"), Join(f"Captain {number}"))
        sold = [(station.id, ware) for station in state.stations.values() for ware in station.sells]
        bought = {ware: [one.id for one in state.stations.values() if ware in one.buys] for _, ware in sold}
        deals = [(start, ware) for start, ware in sold if bought[ware]]
        chance = Stream(state.seed, STREAM_TRAFFIC)

        def drive(state: SpaceState, game: SpaceGame) -> list[Event]:
            events: list[Event] = []
            for ship in state.ships.values():
                if state.players[ship.owner].company:
                    continue
                # A minute's slice never outlasts a queue of two round trips.
                while deals and len(ship.queue) < 12:
                    start, ware = chance.pick(deals)
                    for command in _round(ship, start, ware, chance.pick(bought[ware])):
                        answer = game.apply(state, ship.owner, command)
                        events += [] if isinstance(answer, Rejected) else answer
            return events

        return drive

    return setup


def _round(ship: Ship, start: str, ware: str, end: str) -> tuple[SpaceCommand, ...]:
    """Fetch as much of a ware as fits, and take it where it is wanted."""
    return (
        MoveShip(ship.id, Target(station=start), append=True),
        BuyWare(ship.id, ware, 1_000_000),
        MoveShip(ship.id, Target(station=end), append=True),
        SellWare(ship.id, ware, 1_000_000),
    )
