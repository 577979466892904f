"""A game's past, looked at at any tick.

Seeking decodes the nearest *keyframe* at or before the tick and replays from there. The stored snapshots are keyframes
from the start; on the way through the past more are made, one a minute of game time, so that looking around is quick.
"""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from gamekit.errors import ConfigError
from gamekit.game import TICK_HZ, Event, Game, PlayerId, Tick, View
from gamekit.history import restored
from gamekit.journal import Past, digest_of
from gamekit.lab.own import Own
from gamekit.lab.sources import past_from, rules_for
from gamekit.lab.ticks import whole
from gamekit.session import Session

if TYPE_CHECKING:
    from gamekit.widgets.scrubber import ScrubberWidget

#: Game time between the keyframes that are made on the way.
KEYFRAME_TICKS: Tick = 60 * TICK_HZ


class _Keyframe(NamedTuple):
    """The whole session after record `seq` at `tick`: compressed bytes of a version of the rules' state."""

    tick: Tick
    seq: int
    version: int
    packed: bytes


def _packed(encoded: bytes) -> bytes:
    return zlib.compress(encoded, 1)


class Replay:
    """A past at one tick, which `seek` moves.

    Args:
        past: what happened.
        rules: the rules to replay it by.

    Attributes:
        rules: as given.
        session: the session as it was at `tick`.
    """

    def __init__(self, past: Past, rules: Game[Any]) -> None:
        self._past = past
        self.rules = rules
        self._keyframes = [_Keyframe(one.tick, one.seq, one.version, _packed(one.data)) for one in past.snapshots]
        self._ticks = [one.tick for one in self._keyframes]
        self.session: Session[Any] = self._restored(self._keyframes[0])

    @property
    def past(self) -> Past:
        """What happened."""
        return self._past

    @property
    def tick(self) -> Tick:
        """The tick that is looked at; in a pause, the one at which the game stood still."""
        return self.session.tick

    @property
    def end_tick(self) -> Tick:
        """How far the past goes."""
        return self._past.tick

    @property
    def state(self) -> Any:
        """The game's state at the tick; do not change it."""
        return self.session.state

    @property
    def digest(self) -> str:
        """The digest of the session's state; equal digests mean equal states."""
        return digest_of(self.session.snapshot())

    def view(self, player: str | None = None) -> View:
        """What a player saw at the tick; None is a spectator."""
        return self.rules.view(self.state, PlayerId(player) if player is not None else None)

    @property
    def frame(self) -> Any:
        """The tick's ships, stations, prices and books, and what happened up to it, as data frames."""
        from gamekit.lab.frames.past import PastFrames

        return PastFrames(
            lambda: self, lambda: ((one.seq, one.tick, one.epoch, one.commands) for one in self._past.records)
        )

    def scrubber(self, player: str | None = None, *, height: int = 400) -> ScrubberWidget:
        """A slider over this past with the map as it was; it moves a replay of its own, not this one.

        Args:
            player: whose eyes to look through, by id; everything is seen by default.
            height: of the map, in pixels.
        """
        from gamekit.widgets.scrubber import ScrubberWidget

        own = Replay(self.past, self.rules).seek(self.tick)
        return ScrubberWidget(own, Replay(self.past, self.rules), player, height=height)

    def seek(self, tick: Tick) -> Replay:
        """Look at another tick, earlier or later. When the rules raise on the way, the replay stands at its beginning.

        Raises:
            ConfigError: the past does not go there, or it is no tick.
        """
        tick = whole(tick)
        if not 0 <= tick <= self.end_tick:
            raise ConfigError(f"The past goes from tick 0 to {self.end_tick}; {tick} is outside.")
        near = self._keyframes[bisect_right(self._ticks, tick) - 1]
        if tick < self.tick or near.tick > self.tick:
            self.session = self._restored(near)
        try:
            for _ in self._run(tick):
                pass
        except Exception:
            # What the state is now is not known; nothing of it may be looked at.
            self.session = self._restored(self._keyframes[0])
            raise
        return self

    def events(self, until: Tick | None = None) -> Iterator[tuple[Tick, Event]]:
        """What happened from the tick looked at to `until` (the end by default), each event with its tick.

        The replay moves on as the events are taken.
        """
        yield from self._run(self.end_tick if until is None else whole(until))

    def _restored(self, key: _Keyframe) -> Session[Any]:
        return restored(self.rules, self._past.row, zlib.decompress(key.packed), key.version, key.seq)

    def _run(self, until: Tick) -> Iterator[tuple[Tick, Event]]:
        """Go on, record by record, and to `until`; makes keyframes on the way."""
        records = self._past.records
        while self.session.seq < len(records) and records[self.session.seq].tick <= until:
            record = records[self.session.seq]
            yield from self._pass(record.tick)
            for event in self.session.replay(record.seq, record.tick, record.commands):
                yield record.tick, event
        yield from self._pass(until)

    def _pass(self, until: Tick) -> Iterator[tuple[Tick, Event]]:
        """Let time pass, event by event."""
        session, rules = self.session, self.rules
        while session.tick < until:
            boundary = (session.tick // KEYFRAME_TICKS + 1) * KEYFRAME_TICKS
            stop = min(until, boundary)
            before = session.tick
            while (due := rules.next_due(session.state)) is not None and due <= stop:
                fell = session.run_to(due)
                if session.tick < due:
                    return
                for event in fell:
                    yield due, event
            session.run_to(stop)
            if session.tick == before:
                return
            if session.tick == boundary:
                self._keep()

    def _keep(self) -> None:
        """Make a keyframe of now, unless there is one."""
        session = self.session
        place = bisect_right(self._ticks, session.tick)
        if place and self._ticks[place - 1] == session.tick:
            return
        made = _Keyframe(session.tick, session.seq, self.rules.version, _packed(session.snapshot()))
        self._keyframes.insert(place, made)
        self._ticks.insert(place, session.tick)

    def __repr__(self) -> str:
        row = self._past.row
        return f"<Replay of {row.name} ({row.id}) at tick {self.tick:,} of {self.end_tick:,}>"


def replay(source: Any, tick: Tick | None = None, *, game: str | None = None, rules: Own = None) -> Replay:
    """Look at a game's past.

    Args:
        source: a live game, the path of a capsule or database, a `Past`, a `Replay` or a `Branch`.
        tick: where to look first; the end by default.
        game: which game, when the source is a database of several.
        rules: the rules to replay by, when they are neither those of the source nor the bundled game's; changed ones
            show what would have been.

    Raises:
        ConfigError: the source is none of these, or the past does not go to the tick.
        JournalError: the past is damaged.
    """
    past = past_from(source, game=game)
    made = Replay(past, rules_for(past, rules, source))
    return made.seek(past.tick if tick is None else tick)
