"""Changing rules while a game runs: what each change means for what is under way.

The law behind all of it: what has begun ends as it was begun (a leg, a jump, docking, a production cycle, a storm, a
job), and what begins from now on follows the new rules. Where a rule is copied into things, because it is needed
often, the copies are renewed; where something waits for a time that a rule gave, it waits for the new time.

After a change the indexes are rebuilt just as decoding does it, so a game that was saved behind a change goes on like
one that was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from gamekit.game import Event, Rejected
from gamekit.space import discovery, jobs, storms
from gamekit.space.events import RulesChanged
from gamekit.space.fleet import outfit
from gamekit.space.model import NEVER, cycle_length
from gamekit.space.rules import Rules, changed
from gamekit.space.state import SpaceState
from gamekit.space.trading import hold_used


def set_rules(state: SpaceState, changes: Mapping[str, Any]) -> list[Event] | Rejected:
    """Put changed rules in force at the state's tick, or refuse all of it and change nothing.

    Args:
        state: the game.
        changes: `{field: whole number}` from anybody.
    """
    old = state.rules
    new = changed(old, changes)
    if isinstance(new, Rejected):
        return new
    if new == old:
        return []
    state.rules = new
    for gate in state.gates.values():
        gate.jump_ticks = new.jump_ticks
    _set_cycles(state, new)
    _refit(state, new)
    state.reindex()
    _set_weather(state, old)
    if new.discovery_ticks != old.discovery_ticks:
        discovery.send_surveyors(state)
    _call_dispatchers(state, old)
    return [RulesChanged({name: getattr(new, name) for name in changes if getattr(new, name) != getattr(old, name)})]


def _set_cycles(state: SpaceState, rules: Rules) -> None:
    """Cycles that begin from now on have the new length; the one under way ends when it was to end."""
    for station in state.stations.values():
        recipe = station.recipe
        if recipe is not None:
            ticks = cycle_length(recipe.listed_ticks, rules.cycle_percent)
            station.recipe = msgspec.structs.replace(recipe, cycle_ticks=ticks)


def _refit(state: SpaceState, rules: Rules) -> None:
    """Every ship flies its next leg at the new speed and has the new hold, but never a smaller one than its cargo."""
    for ship in state.ships.values():
        capacity, ship.speed = outfit(rules, state.ship_classes[ship.ship_class])
        ship.capacity = max(capacity, hold_used(state, ship))


def _set_weather(state: SpaceState, old: Rules) -> None:
    """Storms come at the new rate: the calm that is left grows or shrinks with it. One that rages ends in its time."""
    rate = state.rules.storm_rate
    for gate in state.gates.values():
        if gate.stormy or rate == old.storm_rate:
            continue
        if rate == 0:
            gate.due = NEVER
        elif gate.due != NEVER:
            left = gate.due - state.tick
            state.agenda.put(gate, state.tick + max(1, left * old.storm_rate // rate))
    if rate and not old.storm_rate:
        storms.forecast(state)


def _call_dispatchers(state: SpaceState, old: Rules) -> None:
    """Rounds that a shorter period or patience calls for come as early as that; a later one finds nothing to do."""
    rules = state.rules
    if rules.dispatch_ticks < old.dispatch_ticks:
        for ship in state.ships.values():
            jobs.call_if_free(state, ship)
    if rules.trade_patience_ticks < old.trade_patience_ticks:
        for ship in state.ships.values():
            if ship.job is not None and ship.job.waits != NEVER:
                until = ship.job.waits + rules.trade_patience_ticks
                jobs.call(state, ship.owner, max(until, state.tick + 1))
