"""The replay scrubber: a slider over a game's past, with the map as it was.

Works on a replay of its own, on a thread that lives only while there is something to seek or play: the kernel's loop
never waits for it, and dragging costs as many seeks as there is time for. While it plays, the front end moves ships by
itself and is told what changed at most ten times a second.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, Protocol

import anywidget
import traitlets

from gamekit.errors import GamekitError
from gamekit.game import TICK_HZ, Event, Tick, View
from gamekit.journal import Past
from gamekit.widgets import still
from gamekit.widgets.bundle import bundle
from gamekit.widgets.feed import INTERVAL_S
from gamekit.widgets.latest import Latest
from gamekit.widgets.look import CSS
from gamekit.widgets.patch import patch_between
from gamekit.widgets.picture import picture
from gamekit.widgets.shown import Onlookers

#: Into how many parts of equal length the past is divided for the strip of events.
BINS = 240
#: Events worth a jump of their own.
NOTABLE = frozenset({"PlayerJoined", "GateClosed", "ShipHolding", "EntryFailed", "RulesChanged", "SectorCharted"})
#: Most of these that are marked.
MARKS_LIMIT = 400
#: How often, in events, the index gives the interpreter to the kernel's other threads.
_BREATH_EVENTS = 500


class Seeking(Protocol):
    """What the scrubber needs of `gamekit.lab.Replay`."""

    @property
    def past(self) -> Past:
        """What happened."""

    @property
    def tick(self) -> Tick:
        """The tick that is looked at."""

    def seek(self, tick: Tick) -> Any:
        """Look at another tick."""

    def view(self, player: str | None = None) -> View:
        """What a player saw."""

    def events(self, until: Tick | None = None) -> Any:
        """What happened from here on."""


class ScrubberWidget(anywidget.AnyWidget):
    """A past to look at.

    Args:
        replay: a replay that only the scrubber moves.
        index: another one, which is run through once to find the events.
        player: whose eyes to look through; None sees everything.
        height: of the map, in pixels.
    """

    _esm = bundle(Path(__file__).parent / "js" / "scrubber.js")
    _css = CSS

    #: The tick that is shown (10 ticks are a second at speed 1). Setting it seeks; links both ways.
    tick = traitlets.Int().tag(sync=True)
    #: The last tick of the past.
    end_tick = traitlets.Int().tag(sync=True)
    #: Whether it plays.
    playing = traitlets.Bool().tag(sync=True)
    #: How many times as fast as the game at speed 1 it plays.
    speed = traitlets.Float(10.0).tag(sync=True)
    #: The selected ship's id, or "".
    selected = traitlets.Unicode().tag(sync=True)
    height = traitlets.Int(400).tag(sync=True)
    #: Ticks of the keyframes, which are quick to seek to.
    keyframes: traitlets.List[int] = traitlets.List().tag(sync=True)
    #: `[[tick, what], ...]`: commands and notable events, in order; complete when `indexed` is true.
    marks: traitlets.List[list[Any]] = traitlets.List().tag(sync=True)
    #: How many events fell in each part of the past, `BINS` parts of equal length.
    density: traitlets.List[int] = traitlets.List().tag(sync=True)
    indexed = traitlets.Bool().tag(sync=True)
    #: The id of the widget's own model, by which its front end finds it.
    own_id = traitlets.Unicode().tag(sync=True)
    #: The whole view at the moment of the latest display.
    start = traitlets.Dict().tag(sync=True)

    def __init__(self, replay: Seeking, index: Seeking, player: str | None = None, *, height: int = 400) -> None:
        past = replay.past
        self._replay = replay
        self._index = index
        self._player = player
        self._view = replay.view(player)
        self._at = replay.tick
        self._lock = threading.RLock()
        self._onlookers = Onlookers()
        self._numbered = 0
        self._closed = threading.Event()
        self._wake = threading.Event()
        self._seeking = Latest(self._work, "gamekit scrubber")
        self._indexing = Latest(self._find_events, "gamekit scrubber index")
        super().__init__(
            tick=replay.tick,
            end_tick=past.tick,
            height=height,
            keyframes=sorted({one.tick for one in past.snapshots}),
            marks=_commands(past),
        )
        self.start, self.own_id = self._whole(), str(self.model_id)
        self.on_msg(self._on_front_end)
        self.observe(self._asked, names=["tick", "playing", "speed"])

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None:
            return None
        with self._lock:
            self._onlookers.displayed()
            self.start = self._whole()
            drawn = picture(self._view, self._at, self._player)
        if not self.indexed:
            self._indexing.ask(None)
        return still.beside(shown, {"image/svg+xml": drawn})

    def close(self) -> None:
        """Take the widget away everywhere and stop what it does. Idempotent."""
        self._closed.set()
        self._wake.set()
        super().close()

    def join(self) -> None:
        """Wait until what was asked for is shown and the events are found; not while it plays."""
        self._seeking.join()
        self._indexing.join()

    def _should_send_property(self, key: str, value: Any) -> bool:
        # While it plays the front end has the tick from the messages; it needs no second one.
        if key == "tick" and self.comm is not None and value == self._at:
            return False
        return bool(super()._should_send_property(key, value))

    def _asked(self, change: Any) -> None:
        if change["name"] == "tick" and change["new"] == self._at:
            return
        self._wake.set()
        self._seeking.ask(None)

    # --- on the scrubber's own thread -------------------------------------------------------------------------

    def _work(self, _: object) -> None:
        """Seek to the tick that is wanted by now, then play for as long as that is wanted and seen."""
        try:
            self._show(min(max(self.tick, 0), self.end_tick))
            while self.playing and not self._closed.is_set():
                self._wake.clear()
                if not self._play_from(self._at):
                    return
                self._show(min(max(self.tick, 0), self.end_tick))
        except Exception as error:
            # Also what the rules raise on the way: it is their failure that somebody looks for here.
            self.playing = False
            named = "" if isinstance(error, GamekitError) else f"The rules failed on the way: {type(error).__name__}: "
            self.send({"kind": "refused", "message": f"{named}{error}"})

    def _play_from(self, begun: Tick) -> bool:
        """Play at the speed of now until something else is wanted; False when nothing is left to do."""
        begun_s, speed = time.monotonic(), self.speed
        while not self._wake.wait(INTERVAL_S):
            if not self._onlookers:
                return False
            due = begun + int((time.monotonic() - begun_s) * speed * TICK_HZ)
            if due >= self.end_tick:
                self.playing = False
            self._show(min(due, self.end_tick), follow=True)
            if not self.playing:
                return False
        return not self._closed.is_set()

    def _show(self, tick: Tick, *, follow: bool = False) -> None:
        """Seek, and tell the front end what is different there; with `follow`, `tick` goes along on both sides."""
        self._replay.seek(tick)
        after = self._replay.view(self._player)
        with self._lock:
            before, self._view, self._at = self._view, after, tick
            patch = patch_between(before, after)
            self._numbered += 1
            message = self._whole() if patch is None else {"kind": "changes", "changes": [patch], **self._state()}
            message["follow"] = follow
            seen = bool(self._onlookers)
        if seen:
            self.send(message)
        if follow:
            self.tick = tick

    def _find_events(self, _: object) -> None:
        """Run through the whole past once, for the marks."""
        index, width = self._index, max(self.end_tick, 1)
        found: list[list[Any]] = []
        counted: Counter[int] = Counter()
        index.seek(0)
        try:
            for number, (tick, event) in enumerate(index.events()):
                counted[min(tick * BINS // width, BINS - 1)] += 1
                if (kind := _kind(event)) in NOTABLE and len(found) < MARKS_LIMIT:
                    found.append([tick, kind])
                if number % _BREATH_EVENTS == 0:
                    # No wait: without it a thread that wants the interpreter has it after 5 ms, with it after 0.2.
                    time.sleep(0)
                    if self._closed.is_set():
                        return
        except Exception as error:
            # What was found up to there is shown; that it goes no further is a mark of its own.
            found.append([index.tick, type(error).__name__])
        self.density = [counted[part] for part in range(BINS)]
        self.marks = sorted([*self.marks, *found], key=lambda mark: int(mark[0]))[:MARKS_LIMIT]
        self.indexed = True

    def _state(self) -> dict[str, Any]:
        clock = {"tick": self._at, "speed": self.speed, "paused": not self.playing, "tickHz": TICK_HZ}
        return {"clock": clock, "n": self._numbered, "connected": True}

    def _whole(self) -> dict[str, Any]:
        with self._lock:
            return {"kind": "view", "view": self._view, "player": self._player, **self._state()}

    # --- on whatever thread the front end's messages come in ---------------------------------------------------

    def _on_front_end(self, _: object, content: dict[str, Any], __: object) -> None:
        with self._lock:
            was_seen = bool(self._onlookers)
            turned = self._onlookers.heard(content)
            if (turned and not was_seen and self._onlookers) or content.get("kind") == "whole":
                self.send(self._whole())
        if turned and self.playing:
            self._seeking.ask(None)


def _kind(event: Event | dict[str, Any]) -> str:
    return type(event).__name__


def _commands(past: Past) -> list[list[Any]]:
    """A mark for each command of a person, from the journal alone."""
    marks = [
        [record.tick, str(one["body"].get("type", "command"))]
        for record in past.records
        for one in json.loads(record.commands)
    ]
    return marks[-MARKS_LIMIT:]
