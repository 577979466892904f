"""What a client has been shown: an immutable picture of the game and an estimate of its clock.

A `Seen` never changes after it was made: a delta makes a new one that shares everything the delta did not touch. So
any thread may read a picture without a lock, and what it reads is one moment of the game, never half of two.
"""

from __future__ import annotations

import msgspec

from gamekit.game import TICK_HZ, Changes, Tick, View, merge
from gamekit.wire import Delta, Snapshot

#: How long the clock is believed to run on without a word from the server, in seconds, where heartbeats come every
#: second; so much longer than promised when the server says that they come more rarely.
SILENCE_S = 3.0


class Seen(msgspec.Struct, frozen=True):
    """The game as one connection may see it, after delta `n` of `epoch`. Do not change `view`.

    Attributes:
        epoch: the run of the session on its host.
        n: number of the last delta within the epoch.
        tick: the moment; nothing that is seen has changed between delta `n` and it.
        seq: the last journal record that is part of it.
        view: tables of entities by id, as the game's `view` gives them.
    """

    epoch: int
    n: int
    tick: Tick
    seq: int
    view: View

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot, epoch: int) -> Seen:
        """The picture that a snapshot shows."""
        return cls(epoch=epoch, n=snapshot.n, tick=snapshot.tick, seq=snapshot.seq, view=snapshot.view)

    def still(self, tick: Tick) -> Seen:
        """The same picture at a later tick, up to which nothing has changed."""
        return msgspec.structs.replace(self, tick=tick) if tick > self.tick else self

    def after(self, delta: Delta) -> Seen:
        """The picture after one more delta; this one stays as it is."""
        view = _detached(self.view, delta.changes)
        merge(view, delta.changes)
        return Seen(epoch=self.epoch, n=delta.n, tick=delta.tick, seq=delta.seq, view=view)


class Clock(msgspec.Struct, frozen=True):
    """The game's clock as last heard of.

    Attributes:
        tick: the tick that the server told.
        at_s: local monotonic time in seconds when it was heard.
        speed: ticks pass `speed * tick_hz` times a second.
        paused: True while game time stands still.
        tick_hz: ticks per second at speed 1.
        trusted_s: how long it is believed to run on without a word from the server, in seconds.
    """

    tick: Tick = 0
    at_s: float = 0.0
    speed: float = 1.0
    paused: bool = True
    tick_hz: int = TICK_HZ
    trusted_s: float = SILENCE_S

    def at(self, now_s: float) -> float:
        """The estimated tick at local monotonic time `now_s`, with fraction. Stands still when nothing is heard."""
        if self.paused:
            return float(self.tick)
        elapsed_s = min(max(now_s - self.at_s, 0.0), self.trusted_s)
        return self.tick + elapsed_s * self.speed * self.tick_hz


def _detached(view: View, changes: Changes) -> View:
    """A view in which everything that `changes` will touch is a copy, and everything else is shared."""
    fresh = dict(view)
    for table, entities in changes.items():
        held = fresh.get(table)
        if not isinstance(held, dict) or not isinstance(entities, dict):
            continue
        copy = dict(held)
        for key in entities:
            if isinstance(copy.get(key), dict):
                copy[key] = dict(copy[key])
        fresh[table] = copy
    return fresh
