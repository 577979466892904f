"""What happened in a recorded game, small enough to be kept beside it: every tick at which anything changed.

A *step* is a tick with its events and a *mark*, sixteen bits of the state's checksum. Two traces part at the first step
that differs, which is the very tick at which behaviour changed, whether or not an event tells of it. The rules and the
tick are not part of a mark: a rule that is changed and makes no difference is no change of behaviour.
"""

from __future__ import annotations

import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import Any

import msgspec
from msgspec.structs import replace

from gamekit.game import TICK_HZ, Event, Tick
from gamekit.history import first_session
from gamekit.journal import Past, digest_of
from gamekit.lab.metrics import DEFAULT, Metric, company_credits, consumed_by_ware, named_values
from gamekit.lab.simulate import Simulation
from gamekit.session import Session
from gamekit.space import SpaceGame

#: What a gate measures at the end of every game.
METRICS: tuple[Metric, ...] = (*DEFAULT, company_credits, consumed_by_ware)


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One tick at which something changed: its events as plain values, and the mark of the state after them."""

    tick: Tick
    mark: int
    events: list[dict[str, Any]]


class Trace(msgspec.Struct, frozen=True):
    """A recorded game as it went.

    Attributes:
        ticks: how far.
        digest: of the game's state at the end.
        refused: how many of the players' commands the rules refused.
        metrics: `{name: number}` at the end.
        events: `{type: how many}`.
        steps: every tick at which something changed.
    """

    ticks: Tick
    digest: str
    refused: int
    metrics: dict[str, float]
    events: dict[str, int]
    steps: list[Step]


def stepped(past: Past, game: SpaceGame) -> Iterator[tuple[Session[Any], list[Event]]]:
    """Play a past again from its beginning, stopping at every tick at which anything falls due.

    Yields:
        The session, and the events that fell; at the end of the past once more.

    Raises:
        ConfigError: a rule is wrong.
        SessionError: the records do not follow on each other.
    """
    session = first_session(game, past.row)
    for record in past.records:
        yield from _passed(session, record.tick)
        yield session, session.replay(record.seq, record.tick, record.commands)
    yield from _passed(session, past.tick)
    yield session, session.run_to(past.tick)


def _passed(session: Session[Any], until: Tick) -> Iterator[tuple[Session[Any], list[Event]]]:
    while (due := session.game.next_due(session.state)) is not None and due <= until:
        fell = session.run_to(due)
        if session.tick < due:
            return
        yield session, fell


def mark_of(state: Any) -> int:
    """Sixteen bits of a checksum of the state, without its tick and its rules."""
    return zlib.crc32(msgspec.msgpack.encode(replace(state.saved(), tick=0, rules=None))) & 0xFFFF


def trace_of(past: Past, game: SpaceGame, progress: Callable[[Tick], object] | None = None) -> Trace:
    """Play a past again and note how it went.

    Args:
        past: the recorded game.
        game: the rules to play it by.
        progress: called with every tick that was come to.
    """
    steps: list[Step] = []
    counts: Counter[str] = Counter()
    mark, fell_before = -1, 0
    started = time.process_time()
    for session, fell in stepped(past, game):
        now = mark_of(session.state)
        if fell or now != mark:
            plain = [msgspec.to_builtins(event) for event in fell]
            counts.update(event["type"] for event in plain)
            if steps and steps[-1].tick == session.tick:
                plain = steps.pop().events + plain
            steps.append(Step(session.tick, now, plain))
            mark = now
        if progress is not None:
            progress(session.tick)
        fell_before += len(fell)
    cpu_s = time.process_time() - started
    state = session.state
    digest = digest_of(game.encode(state))
    run = Simulation(
        state.scenario, state.seed, session.tick, fell_before, digest, cpu_s, past.tick / TICK_HZ, state, game
    )
    metrics = {name: value for metric in METRICS for name, value in named_values(metric, run).items()}
    return Trace(past.tick, digest, counts["CommandFailed"], metrics, dict(sorted(counts.items())), steps)


def parting(then: Trace, now: Trace) -> Tick | None:
    """The first tick at which two traces differ; None when they agree."""
    for one, other in zip_longest(then.steps, now.steps):
        if one != other:
            return min(step.tick for step in (one, other) if step is not None)
    return None if then.ticks == now.ticks else min(then.ticks, now.ticks)


def events_parting(then: Trace, now: Trace) -> Tick | None:
    """The first tick at which other events fell; None when all are the same."""
    told = ([(step.tick, step.events) for step in one.steps if step.events] for one in (then, now))
    for one, other in zip_longest(*told):
        if one != other:
            return min(pair[0] for pair in (one, other) if pair is not None)
    return None


def step_at(trace: Trace, tick: Tick) -> Step | None:
    """The step of a tick, when something changed at it."""
    return next((step for step in trace.steps if step.tick == tick), None)


def mark_at(trace: Trace, tick: Tick) -> int | None:
    """The mark that the state had at a tick."""
    marks = [step.mark for step in trace.steps if step.tick <= tick]
    return marks[-1] if marks else None
