"""The trials: a stretch that was played is played again in other ways, and must come to the same at every step.

In this process: the same steps once more, from the saved start; straight from stop to stop; in the smallest parts. In
other processes, each with another hash seed and time: from the start, and from a state that was saved half-way. What
differs tells which law is broken, and the first note that does, at which tick and by which hook. It costs about four
times the stretch without any check, and two starts of Python.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import msgspec

from gamekit.errors import ConfigError, InvariantViolated
from gamekit.game import Command, Event, PlayerId, Tick
from gamekit.lab.cells import by_value
from gamekit.lab.failures import Checked
from gamekit.lab.laws.playback import Note, Playback, Way, noted, notes_from_bytes, played
from gamekit.lab.laws.watched import Watch, suspects
from gamekit.space import SpaceGame, SpaceState

_answer = msgspec.msgpack.Decoder(tuple[str | None, bytes])
#: Hash seeds of the other processes; when this process has one of them, the next one is taken.
_SEEDS = ("101", "202", "303")
_MEMORY = "something is remembered outside the state (a variable of a module or class, a cache)"


def is_own(game: SpaceGame) -> bool:
    """Whether rules are a designer's own, which the project's tests have not tried."""
    return type(game) is not SpaceGame


class Laws(Checked):
    """Rules of a designer's own that are looked at while they are played, and tried in the end.

    Args:
        game: the rules.
    """

    def __init__(self, game: SpaceGame) -> None:
        self.plain = game
        self.watch = Watch(game, twice=True)
        super().__init__(self.watch.game)
        self._notes: list[Note] = []
        self._start = self._half = b""
        self._half_tick: Tick = 0
        self._half_at: Tick = 0
        self._half_notes = 0
        self._stops: list[Tick] = []
        self._last = b""
        self._touched = False
        self._sent: bytes | ConfigError
        try:
            # As they are now: what they remember from here on must not reach the other processes.
            self._sent = by_value(self.plain, f"check: the game {self.plain.name}")
        except ConfigError as error:
            self._sent = error

    @property
    def unchecked(self) -> SpaceGame:
        """The rules themselves."""
        return self.plain

    def begin(self, state: SpaceState, end: Tick) -> None:
        """From this state on; it will be played to `end`."""
        self.watch.state = state
        self._start = self._last = self.plain.encode(state)
        self._half_at = state.tick + (end - state.tick) // 2
        self._view(state)

    def made_again(self, config: Mapping[str, Any], seed: int) -> None:
        """Make the same game once more.

        Raises:
            InvariantViolated: it is another one.
        """
        if self.plain.encode(self.plain.new(config, seed)) != self._start:
            raise InvariantViolated(
                f"The rules {self.plain.name!r} are not deterministic: `new` made two different games of the same "
                "settings and seed, at tick 0; it may read nothing else (no clock, no chance, no memory of its own)."
            )

    def advance(self, state: Any, to_tick: Tick) -> list[Event]:
        """Let time pass, with notes."""
        self._untouched(state)
        events = super().advance(state, to_tick)
        self._stops.append(to_tick)
        self._last = self.plain.encode(state)
        return events

    def apply(self, state: Any, player: PlayerId, command: Command) -> Any:
        """Carry out a command, with a note."""
        self._untouched(state)
        answer = super().apply(state, player, command)
        self._last = self.plain.encode(state)
        return answer

    def _untouched(self, state: Any) -> None:
        self._touched = self._touched or self.plain.encode(state) != self._last

    def _looked(self, state: Any, events: list[Event]) -> list[Event]:
        super()._looked(state, events)
        note = noted(self.plain, state, self.watch)
        if not note.repeats(self._notes):
            self._notes.append(note)
        if not self._half and state.tick >= self._half_at:
            self._half, self._half_tick, self._half_notes = self.plain.encode(state), state.tick, len(self._notes)
        if len(self._notes) & (len(self._notes) - 1) == 0:
            self._view(state)
        return events

    def _view(self, state: SpaceState) -> None:
        """What only reads: looking at a game changes nothing, and shows the same twice."""
        before = self.plain.encode(state)
        for player in (None, *list(state.players)[:1]):
            if self.game.view(state, player) != self.game.view(state, player):
                self._broken(state.tick, "`view` shows different things of one state")
        self.game.next_due(state)
        self.game.rules(state)
        self._round_trip(state)
        if self.plain.encode(state) != before:
            self._broken(state.tick, "`view`, `next_due` or `rules` changed the state; they may only read it")

    def _round_trip(self, state: SpaceState) -> None:
        """What is saved can be read again, and is the same then."""
        encoded = self.plain.encode(state)
        try:
            same = self.plain.encode(self.plain.decode(encoded, self.plain.version)) == encoded
        except Exception as error:
            self._broken(state.tick, f"the state cannot be read again once it is saved ({error})")
        if not same:
            self._broken(state.tick, "the state is another one when it was saved and read again")

    def _broken(self, tick: Tick, what: str) -> NoReturn:
        raise InvariantViolated(f"The rules {self.plain.name!r} break a law at tick {tick:,}: {what}.")

    def conclude(self, state: SpaceState, commands: Sequence[tuple[Tick, PlayerId, Command]]) -> None:
        """The stretch has come to its end: try it in the other ways.

        Args:
            state: the state at the end.
            commands: all that was asked on the way.

        Raises:
            InvariantViolated: a law is broken; the message names the law, the first tick that differs, and the hook
                where it can be known.
        """
        self._untouched(state)
        if self._touched:
            warnings.warn(
                "The setup changed the state by itself, so the run could not be tried in other ways; give orders by "
                "game.apply(state, player, command).",
                UserWarning,
                stacklevel=3,
            )
            return
        self._round_trip(state)
        whole = Playback(self._start, self.plain.version, list(commands), self._stops)
        for way, law in (
            ("steps", f"Deterministic: played again in this process, step by step, it goes another way; {_MEMORY}, or "
                      "read from a clock or chance, or the state that is saved is not all of it"),
            ("strides", "Path independent: straight to a later tick it comes to another state than step by step"),
            ("parts", "Divisible: in parts (`advance_some`) it comes to another state than at one go"),
        ):  # fmt: skip
            self._compare(law, _here(self.plain, whole, way), 0 if way == "steps" else None)  # type: ignore[arg-type]
        sent = self._sent
        if isinstance(sent, ConfigError):
            warnings.warn(f"{sent} So it was not tried in another process.", UserWarning, stacklevel=3)
            return
        seeds = [seed for seed in _SEEDS if seed != os.environ.get("PYTHONHASHSEED")]
        law = (
            "Deterministic: with another hash seed and at another time of day, in a new process, it goes another way; "
            f"a rule reads `hash()`, `id()`, the order of a set, or a clock, or {_MEMORY}"
        )
        self._compare(law, _elsewhere(sent, whole, seeds[0]), 0)
        if self._half:
            later = [one for one in commands if one[0] > self._half_tick]
            stops = [stop for stop in self._stops if stop > self._half_tick]
            half = Playback(self._half, self.plain.version, later, stops)
            law = (
                f"Round trip: from a state that was saved at tick {self._half_tick:,}, in a new process, it goes "
                f"another way; {_MEMORY}"
            )
            if all(tick != self._half_tick for tick, _, _ in commands):
                self._compare(law, _elsewhere(sent, half, seeds[1]), self._half_notes)

    def _compare(self, law: str, found: tuple[str | None, list[Note]], first: int | None) -> None:
        """Tell the first note that is not what it was.

        Args:
            law: which law is broken when one is.
            found: what was raised, or None; and the notes.
            first: the place of the first note's counterpart, when the same steps were taken; None when it has none.
        """
        error, notes = found
        last = {note.tick: note.mark for note in self._notes}
        known = {(note.tick, note.mark) for note in self._notes}
        before: Tick = 0
        for place, note in enumerate(notes):
            was = note
            if first is not None:
                was = self._notes[min(first + place, len(self._notes) - 1)]
                wrong = (note.tick, note.mark) != (was.tick, was.mark)
                told = sorted(hook for hook in {*note.told, *was.told} if note.told.get(hook) != was.told.get(hook))
            else:
                wrong, told = last.get(note.tick) != note.mark and (note.tick, note.mark) not in known, []
            if wrong or told:
                self._told(law, min(note.tick, was.tick), before, told)
            before = note.tick
        if error is not None:
            self._told(f"{law} ({error})", before, before, [])
        if not notes or notes[-1].tick != self._notes[-1].tick:
            self._told(law, before, before, [])

    def _told(self, law: str, tick: Tick, before: Tick, hooks: Sequence[str]) -> None:
        named = f" The first answers that differ are those of {', '.join(hooks)}." if hooks else ""
        seen = {suspects(self.plain, hook) for hook in hooks or ("bid", "price", "total", "dispatch")} - {""}
        hints = "".join(one.replace("; its code", " Code of the rules") + "." for one in sorted(seen)[:1])
        since = f" (the same up to tick {before:,})" if before and before != tick else ""
        raise InvariantViolated(
            f"The rules {self.plain.name!r} break a law, first at tick {tick:,}{since}. {law}.{named}{hints} See the "
            "laws in docs/game.md."
        )


def _here(game: SpaceGame, playback: Playback, way: Way) -> tuple[str | None, list[Note]]:
    notes: list[Note] = []
    try:
        for note in played(game, playback, way):
            if not note.repeats(notes):
                notes.append(note)
    except Exception as error:
        # It was played once without; whatever is raised now is another way that it goes.
        return f"{type(error).__name__}: {error}", notes
    return None, notes


def _elsewhere(game: bytes, playback: Playback, seed: str) -> tuple[str | None, list[Note]]:
    """Play it step by step in a new process."""
    work = by_value((_Sent(game), playback, "steps"), "check: the commands of the run")
    paths = [path for path in sys.path if isinstance(path, str)]
    payload = pickle.dumps((paths, work))
    environment = os.environ | {"PYTHONHASHSEED": seed}
    command = [sys.executable, "-m", "gamekit.lab.laws.child"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(len(payload).to_bytes(8, "big") + payload)
            child.stdin.flush()
            said = child.stdout.read()
        except BaseException:
            child.kill()
            raise
    if not said:
        raise InvariantViolated(
            f"The rules ended the process in which they were tried, with status {child.returncode}."
        )
    error, notes = _answer.decode(said)
    return error, notes_from_bytes(notes)


class _Sent:
    """A game that is bytes already, and a game again where it is read."""

    def __init__(self, game: bytes) -> None:
        self.game = game

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self.game,)


def try_on(game: SpaceGame, state: SpaceState, ticks: Tick) -> None:
    """Play on from a state for a while, on a copy, with every look and every trial.

    Raises:
        InvariantViolated, HookFailed: a law is broken.
    """
    laws = Laws(game)
    copied = laws.watch.game.decode(game.encode(state), game.version)
    end = copied.tick + ticks
    laws.begin(copied, end)
    laws.advance(copied, end)
    laws.conclude(copied, [])
