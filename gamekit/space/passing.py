"""Letting time pass, from one due thing to the next: at once, or in parts that may be left and taken up again.

Where a call stopped inside a tick, what is left of that tick stands in `SpaceState.rest`. It is never saved: such a
state cannot be encoded, viewed or given commands before the tick is through (`refuse_inside` says so).
"""

from __future__ import annotations

from gamekit.game import Enough, Event, Progress, Tick
from gamekit.space import discovery, dispatch, economy, queue, storms
from gamekit.space.model import Charts, Gate, Player, Ship, Station
from gamekit.space.parts import Parts, at_once
from gamekit.space.schedule import Scheduled
from gamekit.space.state import Rest, SpaceState


def advance(state: SpaceState, to_tick: Tick) -> list[Event]:
    """Let time pass until `to_tick` (inclusive); ticks at which nothing is due cost nothing.

    Raises:
        ValueError: `to_tick` lies before the state's tick.
    """
    _refuse_past(state, to_tick)
    events: list[Event] = []
    if state.rest is not None:
        rest, state.rest = state.rest, None
        at_once(rest.parts)
        events = rest.events
    agenda = state.agenda
    while (thing := agenda.pop(to_tick)) is not None:
        state.tick = thing.due
        if isinstance(thing, Station):
            economy.finish_cycle(state, thing, events)
        else:
            for _ in _parts(state, thing, events):
                pass
    state.tick = to_tick
    return events


def advance_some(state: SpaceState, to_tick: Tick, enough: Enough) -> Progress:
    """The same, until `enough` says so between two parts; see `gamekit.game.advance_some`.

    Raises:
        ValueError: `to_tick` lies before the state's tick.
    """
    _refuse_past(state, to_tick)
    events: list[Event] = state.rest.events if state.rest is not None else []
    while True:
        if state.rest is None:
            due = state.agenda.next_due()
            if due is None or due > to_tick:
                state.tick = to_tick
                return Progress(events)
            state.tick = due
            state.rest = Rest(_tick(state, events), events)
        for _ in state.rest.parts:
            if enough():
                # The work goes on with its own list, which then holds what is new.
                told = events.copy()
                events.clear()
                return Progress(told, inside=True)
        state.rest = None
        if state.tick == to_tick or enough():
            return Progress(events)


def refuse_inside(state: SpaceState) -> None:
    """Make sure that a state stands between ticks.

    Raises:
        ValueError: it stands inside one.
    """
    if state.rest is not None:
        raise ValueError(
            f"the state stands inside tick {state.tick}, which is not through yet; call `advance_some` until it is "
            "not inside any more, or `advance`."
        )


def _refuse_past(state: SpaceState, to_tick: Tick) -> None:
    if to_tick < state.tick:
        raise ValueError(f"time does not run back from tick {state.tick} to {to_tick}; decode an older snapshot")


def _tick(state: SpaceState, events: list[Event]) -> Parts[None]:
    """All that falls due at the state's tick; a pause after each thing but the last one."""
    agenda, tick = state.agenda, state.tick
    while (thing := agenda.pop(tick)) is not None:
        yield from _parts(state, thing, events)
        if agenda.next_due() == tick:
            yield


def _parts(state: SpaceState, thing: Scheduled, events: list[Event]) -> Parts[None]:
    """What falls due with one thing."""
    if isinstance(thing, Ship):
        if queue.complete(state, thing, events):
            yield from queue.look_again(state, thing.owner, events)
    elif isinstance(thing, Station):
        economy.finish_cycle(state, thing, events)
    elif isinstance(thing, Player):
        yield from dispatch.hold_round(state, thing, events)
    elif isinstance(thing, Gate):
        yield from storms.turn(state, thing, events)
    elif isinstance(thing, Charts):
        discovery.survey(state, events)
        yield from queue.look_again(state, None, events)
