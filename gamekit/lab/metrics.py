"""Metrics: plain functions from a finished run to a number, or to a number for each of several names.

Any function of one argument, a `Simulation`, is a metric; its unit is its attribute `unit`, which `metric` sets. A run
that was recorded (`record_minutes`) also has `run.history` and `run.frame.trades` to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from gamekit.errors import ConfigError
from gamekit.space import ledger
from gamekit.space.economy import CLOGGED, STARVED
from gamekit.space.trading import prices

if TYPE_CHECKING:
    from gamekit.lab.simulate import Simulation

Value: TypeAlias = float | int
Metric: TypeAlias = Callable[["Simulation"], Value | Mapping[str, Value]]
M = TypeVar("M", bound=Metric)


def metric(unit: str, *, absent: Value | None = None) -> Callable[[M], M]:
    """Say what a metric's numbers count: `@metric("credits")`.

    Args:
        unit: of the numbers.
        absent: of a metric with parts: what a part counts as in a run that does not give it, e.g. 0 units of a ware; by
            default its number is missing there.
    """

    def marked(function: M) -> M:
        function.unit, function.absent = unit, absent  # type: ignore[attr-defined]
        return function

    return marked


def unit_of(function: Metric) -> str:
    """What a metric's numbers count; "" when it does not say."""
    return str(getattr(function, "unit", ""))


def absent_of(function: Metric) -> float | None:
    """What a part that a run does not give counts as; None when it is missing."""
    absent = getattr(function, "absent", None)
    return None if absent is None else float(absent)


def name_of(function: Metric) -> str:
    """Under which name a metric's numbers are kept.

    Raises:
        ConfigError: it has no name of its own.
    """
    name = getattr(function, "__name__", "")
    if not name.isidentifier():
        raise ConfigError(f"A metric needs a name: define {function!r} with def, not with lambda.")
    return name


def named_values(function: Metric, run: Simulation) -> dict[str, float]:
    """What a metric says of a run, as `{name: number}`; one with parts gives `{name.part: number}`."""
    name, value = name_of(function), function(run)
    if isinstance(value, Mapping):
        return {f"{name}.{part}": float(number) for part, number in value.items()}
    return {name: float(value)}


@metric("credits")
def companies_credits(run: Simulation) -> float:
    """What the companies that nobody plays own together."""
    return sum(company_credits(run).values())


@metric("credits")
def company_credits(run: Simulation) -> dict[str, float]:
    """What each company that nobody plays owns."""
    state = run.state
    return {one.name: ledger.credits_of(state.ledger, one.id) / 100 for one in state.players.values() if one.company}


@metric("times the starting credits")
def median_company_growth(run: Simulation) -> float:
    """What the median company that nobody plays owns against what it began with; 2 means that it doubled its money.

    Raises:
        ConfigError: no company was there at the start.
    """
    books, began = run.state.ledger, run.start_credits
    companies = [one.id for one in run.state.players.values() if one.company and began.get(one.id)]
    if not companies:
        raise ConfigError("No company began this game; choose a scenario with companies, or company_percent > 0.")
    return median(ledger.credits_of(books, one) / began[one] for one in companies)


@metric("units")
def units_consumed(run: Simulation) -> int:
    """What inhabitants consumed, of all wares together."""
    return sum(consumed_by_ware(run).values())


@metric("units", absent=0)
def consumed_by_ware(run: Simulation) -> dict[str, int]:
    """What inhabitants consumed of each ware."""
    return {ware: units for ware, units in run.state.ledger.wares[ledger.CONSUMED].items() if units}


@metric("units")
def units_made(run: Simulation) -> int:
    """What mines and factories brought forth, of all wares together."""
    books = run.state.ledger.wares
    return -sum(units for faucet in (ledger.MINED, ledger.MADE) for units in books[faucet].values())


@metric("units", absent=0)
def made_by_ware(run: Simulation) -> dict[str, int]:
    """What mines and factories brought forth of each ware."""
    books = run.state.ledger.wares
    made = {ware: -books[ledger.MINED].get(ware, 0) - books[ledger.MADE].get(ware, 0) for ware in run.state.wares}
    return {ware: units for ware, units in made.items() if units}


@metric("share")
def stations_standing(run: Simulation) -> float:
    """Share of the stations that are starved or clogged at the end."""
    stations = run.state.stations.values()
    standing = sum(station.status in {STARVED, CLOGGED} for station in stations)
    return standing / len(stations) if stations else 0.0


@metric("share of base price")
def price_by_ware(run: Simulation) -> dict[str, float]:
    """The mean price of each ware at the end, over all stations that deal in it, against its base price."""
    state = run.state
    ratios: dict[str, list[float]] = {}
    for station in state.stations.values():
        for ware, price in prices(state, station).items():
            ratios.setdefault(ware, []).append(price / state.wares[ware].base_price)
    return {ware: sum(found) / len(found) for ware, found in ratios.items()}


#: What a sweep or a comparison measures when nobody says.
DEFAULT: tuple[Metric, ...] = (companies_credits, units_consumed, units_made, stations_standing)
