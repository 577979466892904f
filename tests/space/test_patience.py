"""No trader is ever stuck: over a hundred hours of storms each reservation has a ship that moves or soon gives up."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from gamekit.space import SpaceGame, SpaceState, check
from gamekit.space.events import ShipHolding, TradeAbandoned, TradeAssigned, TradeFinished, WareSold
from gamekit.space.model import NEVER
from gamekit.space.status import status_of

GAME = SpaceGame()
#: Set by `make long`.
LONG = bool(os.environ.get("GAMEKIT_LONG"))
#: A corridor that storms cut for longer than anybody waits, and a net with ways round them.
STORMS = {"storm_rate": 200, "storm_ticks": 9_000, "trade_patience_ticks": 3_000}
MINUTES_10 = 6_000


def stuck(state: SpaceState, since: dict[str, tuple[object, int]]) -> list[str]:
    """Ships that hold or wait and nobody will ever look after; `since` is when each was first seen as it is."""
    found = []
    for ship in state.ships.values():
        before, first = since.get(ship.id, (None, 0))
        now = (ship.entries, len(ship.queue), repr(ship.at), ship.blocked)
        since[ship.id] = (now, state.tick if now != before else first)
        status, reason = status_of(state, ship)
        if not reason:
            found.append(f"{ship.id} is {status} without a reason")
        if ship.due != NEVER:
            continue
        if ship.queue:
            # It holds: with a reason, and not for longer than it is patient.
            if not ship.blocked or ship.job is None:
                found.append(f"{ship.id} stands before {ship.queue[0]} without a reason or a job")
            elif not 0 <= state.tick - ship.job.waits <= state.rules.trade_patience_ticks:
                found.append(f"{ship.id} holds since {ship.job.waits}, which is longer than its patience")
        elif ship.job is not None or state.players[ship.owner].due == NEVER:
            found.append(f"{ship.id} waits for a job and nobody looks for one")
    return found


@pytest.mark.parametrize(("name", "hours"), [("lifeline", 100), ("nearest-stars", 100 if LONG else 4)])
def test_no_ship_is_stuck_and_no_reservation_outlives_its_patience(name: str, hours: int) -> None:
    state = GAME.new({"scenario": name, "rules": STORMS}, 4)
    since: dict[str, tuple[object, int]] = {}
    counts: Counter[type] = Counter()
    longest = 0
    while state.tick < hours * 36_000:
        events = GAME.advance(state, state.tick + MINUTES_10)
        counts.update(type(event) for event in events)
        check(state)
        assert stuck(state, since) == []
        jobs = sum(ship.job is not None for ship in state.ships.values())
        assert bool(state.reserved.room) == bool(jobs), "a reservation without a ship"
        longest = max(longest, *(state.tick - first for _, first in since.values()))
    abandoned, finished, assigned = counts[TradeAbandoned], counts[TradeFinished], counts[TradeAssigned]
    assert abandoned + finished + jobs == assigned, "every job ended, or is under way"
    assert counts[WareSold] > 100 * hours
    if name == "lifeline":
        assert counts[ShipHolding] > hours, "storms cut the corridor"
        assert abandoned > 0, "somebody lost patience"
    # A ship that gave up may wait for the storm to end; storms come one after the other, but not for ever.
    assert longest < 5 * state.rules.storm_ticks


def test_every_job_given_up_says_why() -> None:
    state = GAME.new({"scenario": "lifeline", "rules": STORMS}, 4)
    reasons = {one.reason for one in GAME.advance(state, 20 * 36_000) if isinstance(one, TradeAbandoned)}
    assert reasons
    assert all("waited too long, holding: no route to" in reason for reason in reasons), reasons
