"""Production, consumption and prices: what stations do by themselves.

A cycle takes its inputs and gives its outputs in one instant, when it ends. It begins only when all inputs are there
and all outputs have room, and nothing can take that away before it ends: ships bring inputs and fetch outputs, never
the other way round. A station that cannot begin has nothing due and costs nothing; a trade wakes it.

A recipe without outputs is consumption: each ware for itself, as far as the stock goes, so that a habitat short of
medicine still eats.
"""

from __future__ import annotations

from collections.abc import Mapping

from gamekit.game import Event
from gamekit.space import ledger
from gamekit.space.bounds import MOST_MADE
from gamekit.space.events import StationStatusChanged, StockChanged
from gamekit.space.model import NEVER, Ledger, Recipe, Station, Ware
from gamekit.space.state import SpaceState

PRODUCING = "producing"
STARVED = "starved"
CLOGGED = "clogged"
TRADING = "trading"

_ALL_WELL = {True: "producing", False: "consuming"}


def price(base_price: int, spread_percent: int, stock: int, capacity: int) -> int:
    """What one unit costs at a stock, in centi-credits, rounded down but never below 1.

    Linear in the stock: `base * (100 + spread) / 100` when empty, `base * (100 - spread) / 100` when full.
    """
    return max(1, trade_total(base_price, spread_percent, 2 * stock, 1, capacity))


def trade_total(base_price: int, spread_percent: int, stock_sum: int, units: int, capacity: int) -> int:
    """What `units` are worth, in centi-credits, rounded down: units times the price at the middle of the move.

    The price is linear, so the mean of the prices before and after the move is exactly the average over the units
    moved; buying and selling back costs nothing but the rounding.

    Args:
        base_price: centi-credits a unit.
        spread_percent: how far the price goes up and down around it.
        stock_sum: the stock before the move plus the stock after it.
        units: how many move.
        capacity: the stock's limit.
    """
    return units * base_price * ((100 + spread_percent) * capacity - spread_percent * stock_sum) // (100 * capacity)


def finish_cycle(state: SpaceState, station: Station, events: list[Event]) -> None:
    """End the cycle under way, and begin the next one if possible."""
    recipe = station.recipe
    assert recipe is not None, "only stations with a recipe have cycles"
    stock = station.stock
    if not recipe.outputs:
        for ware, units in recipe.inputs.items():
            ledger.use_up(state.ledger, ledger.CONSUMED, station, ware, min(units, stock[ware]))
    else:
        for ware, units in recipe.inputs.items():
            ledger.use_up(state.ledger, ledger.USED, station, ware, units)
        faucet = ledger.MADE if recipe.inputs else ledger.MINED
        for ware, units in recipe.outputs.items():
            ledger.supply(state.ledger, faucet, station, ware, units)
    events.append(StockChanged(station.id))
    begin_cycle(state, station, events)


def stock_moved(state: SpaceState, station: Station, events: list[Event]) -> None:
    """Tell that a trade changed a station's stock, and wake the station if it stood still."""
    events.append(StockChanged(station.id))
    if station.recipe is not None and station.due == NEVER:
        begin_cycle(state, station, events)


def begin_cycle(state: SpaceState, station: Station, events: list[Event]) -> None:
    """Begin a cycle, or stand still and say why."""
    recipe = station.recipe
    assert recipe is not None, "only stations with a recipe have cycles"
    status, reason, works = outlook(state.wares, recipe, station)
    if works and (full := _uncountable(state.ledger, recipe)):
        status, reason, works = CLOGGED, f"the books hold no more {_names(state.wares, full)}", False
    if works:
        state.agenda.put(station, state.tick + recipe.cycle_ticks)
    else:
        station.due = NEVER
    if status != station.status or reason != station.reason:
        previous, lasted = station.status, state.tick - station.since
        if status != previous:
            station.status = status
            station.since = state.tick
        station.reason = reason
        events.append(StationStatusChanged(station.id, status, reason, previous, lasted))


def _uncountable(books: Ledger, recipe: Recipe) -> list[str]:
    """The wares of which so much was made or used up in all that no more can be counted."""
    came = books.wares[ledger.MADE if recipe.inputs else ledger.MINED]
    gone = books.wares[ledger.USED if recipe.outputs else ledger.CONSUMED]
    full = [ware for ware in recipe.outputs if -came[ware] >= MOST_MADE]
    return full + [ware for ware in recipe.inputs if gone[ware] >= MOST_MADE]


def outlook(wares: Mapping[str, Ware], recipe: Recipe, station: Station) -> tuple[str, str, bool]:
    """Status and reason for the stock as it is, and whether a cycle can begin.

    The reason names every ware that is missing and every one that has no room. A station with both troubles is
    starved: that its outputs have no room matters once its inputs have come.
    """
    stock, capacity = station.stock, station.capacity
    short = [ware for ware, units in recipe.inputs.items() if stock[ware] < units]
    full = [ware for ware, units in recipe.outputs.items() if stock[ware] + units > capacity[ware]]
    if short or full:
        troubles = [f"short of {_names(wares, short)}"] if short else []
        troubles += [f"no room for more {_names(wares, full)}"] if full else []
        consumes = not recipe.outputs and any(stock[ware] for ware in recipe.inputs)
        return STARVED if short else CLOGGED, "; ".join(troubles), consumes
    return PRODUCING, _ALL_WELL[bool(recipe.outputs)], True


def _names(wares: Mapping[str, Ware], ids: list[str]) -> str:
    return ", ".join(wares[ware].name for ware in ids)
