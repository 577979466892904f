"""The life of a job once a ship has it: loaded, finished, or given up; and calling the dispatcher when a ship is free.

Every change of `ship.job` goes through here, so that the reservations are always what the jobs say. Who gets which job
is `dispatch`.
"""

from __future__ import annotations

from gamekit.game import Event, PlayerId, Tick
from gamekit.space.events import AutoTradeSwitched, TradeAbandoned, TradeFinished
from gamekit.space.model import FIRST_PLAYER_KEY, NEVER, Job, Ship
from gamekit.space.state import SpaceState


def take(state: SpaceState, ship: Ship, job: Job) -> None:
    """Give a ship a job and reserve what it needs."""
    ship.job = job
    state.reserved.add(job)


def loaded(state: SpaceState, ship: Ship, units: int) -> None:
    """The wares are on board, perhaps fewer than expected: keep room for these only, and no stock."""
    job = ship.job
    if job is not None and not job.loaded:
        state.reserved.remove(job)
        job.units, job.loaded, job.cost = units, True, 0
        state.reserved.add(job)


def finish(state: SpaceState, ship: Ship, events: list[Event]) -> None:
    """The wares are sold."""
    if ship.job is not None:
        _release(state, ship)
        events.append(TradeFinished(ship.owner, ship.id))


def abandon(state: SpaceState, ship: Ship, reason: str, events: list[Event]) -> None:
    """Give a job up and release what it had reserved; the caller empties the queue."""
    if ship.job is not None:
        _release(state, ship)
        events.append(TradeAbandoned(ship.owner, ship.id, reason))


def switch_off(state: SpaceState, ship: Ship, reason: str, events: list[Event]) -> None:
    """End auto-trade, because the owner gave an order or said so; the queue stays as it is."""
    if ship.auto_trade:
        abandon(state, ship, reason, events)
        ship.auto_trade = False
        events.append(AutoTradeSwitched(ship.id, on=False))


def holds(state: SpaceState, ship: Ship) -> None:
    """Remember since when a ship with a job has to hold, and look after it when its patience ends."""
    job = ship.job
    if job is not None and job.waits == NEVER:
        job.waits = state.tick
        call(state, ship.owner, state.tick + state.rules.trade_patience_ticks)


def goes_on(ship: Ship) -> None:
    """A ship that may have held goes on."""
    if ship.job is not None:
        ship.job.waits = NEVER


def call_if_free(state: SpaceState, ship: Ship) -> None:
    """Let the dispatcher of a ship that has nothing to do look for a job in its next round."""
    if ship.auto_trade and not ship.queue:
        call_within(state, ship.owner, state.rules.dispatch_ticks)


def call_within(state: SpaceState, player: PlayerId, period: Tick) -> None:
    """Let the dispatcher of `player` act once in the next `period` ticks, each at another phase.

    So what turns up goes to whoever looks next, and not always to the one who is first in the table.
    """
    phase = (state.players[player].key - FIRST_PLAYER_KEY) * 618 % 1_000 * period // 1_000
    call(state, player, (state.tick - phase) // period * period + period + phase)


def call(state: SpaceState, player: PlayerId, tick: Tick) -> None:
    """Let the dispatcher of `player` act at `tick` at the latest."""
    owner = state.players[player]
    if owner.due == NEVER or tick < owner.due:
        state.agenda.put(owner, tick)


def _release(state: SpaceState, ship: Ship) -> None:
    assert ship.job is not None, "only a job can be released"
    state.reserved.remove(ship.job)
    ship.job = None
