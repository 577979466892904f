"""What a gate found out about one recorded game, and how it is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gamekit.game import Tick
from gamekit.lab.diff import Difference

#: Fields and events that are told at most.
SHOWN = 8


class Verdict(msgspec.Struct, frozen=True):
    """One recorded game.

    Attributes:
        name: the capsule's name, without its ending.
        ticks: how far it goes.
        tick: the first tick at which behaviour differs; None when it is as recorded.
        problem: why it could not be played at all, or "".
        events_tick: the first tick at which other events fall; None when all are the same.
        then_events, now_events: the events of that tick which the other side does not have.
        fields_tick: the tick at which the states were compared: that one, or the next at which a state was kept.
        fields: what differs in the state then.
        counts: `{event type: (then, now)}` over the whole game, where it differs.
        metrics: `{metric: (unit, then, now)}` at the end, where it differs.
        accepted: whether what it does now was recorded as what is expected.
    """

    name: str
    ticks: Tick
    tick: Tick | None = None
    problem: str = ""
    events_tick: Tick | None = None
    then_events: list[dict[str, Any]] = []
    now_events: list[dict[str, Any]] = []
    fields_tick: Tick | None = None
    fields: list[Difference] = []
    counts: dict[str, tuple[int, int]] = {}
    metrics: dict[str, tuple[str, float, float]] = {}
    accepted: bool = False

    @property
    def ok(self) -> bool:
        """Whether the game behaves as it was recorded, or was recorded anew."""
        return not self.problem and (self.tick is None or self.accepted)

    @property
    def summary(self) -> str:
        """One line."""
        if self.problem:
            return f"{self.name}: {self.problem}"
        if self.accepted:
            return f"{self.name}: recorded anew, {self.ticks:,} ticks"
        if self.tick is None:
            return f"{self.name}: as recorded, {self.ticks:,} ticks"
        return f"{self.name}: behaviour changed at tick {self.tick:,} of {self.ticks:,}"

    @property
    def explanation(self) -> str:
        """The whole story: where, which events and fields, and what it did to the game as a whole."""
        if self.problem or self.tick is None:
            return self.summary
        lines = [f"{self.name}: behaviour changed at tick {self.tick:,} of {self.ticks:,}"]
        at = "" if self.fields_tick in (None, self.tick) else f" (of tick {self.fields_tick:,}, where a state was kept)"
        lines += _told(f"field, then / now{at}", (f"{one.path}: {one.a!r} / {one.b!r}" for one in self.fields))
        if self.events_tick is None:
            lines.append("  every event is the same, at the same tick")
        else:
            lines.append(f"  the first event that differs falls at tick {self.events_tick:,}")
        lines += _told("event then, not now", map(_event, self.then_events))
        lines += _told("event now, not then", map(_event, self.now_events))
        for kind, (before, after) in self.counts.items():
            lines.append(f"  {kind} events: {before:,} / {after:,} ({after - before:+,})")
        for name, (unit, then, now) in self.metrics.items():
            percent = f", {100 * (now - then) / abs(then):+.1f} %" if then else ""
            lines.append(f"  {name}: {then:,.6g} / {now:,.6g} {unit} ({now - then:+,.6g}{percent})")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.explanation


def _told(what: str, items: Iterable[str]) -> list[str]:
    shown = list(items)
    more = [f"  and {len(shown) - SHOWN} more of: {what}"] if len(shown) > SHOWN else []
    return [f"  {what}: {one}" for one in shown[:SHOWN]] + more


def _event(event: dict[str, Any]) -> str:
    fields = ", ".join(f"{name}={value!r}" for name, value in event.items() if name != "type")
    return f"{event['type']}({fields})"
