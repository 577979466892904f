"""Time travel for bugs: when the rules break, the game up to there becomes a capsule, and `gamekit open` shows it.

A failure is an exception out of the rules, or a law that a state breaks (`InvariantViolated`). Simulations and branches
keep what they were asked to do, so their failures can be played again; the history of a server's game is on its disk
anyway. Capsules go into the directory `failures`, or the one that the environment variable `GAMEKIT_FAILURES` names.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from gamekit.capsule import SUFFIX, write_capsule
from gamekit.errors import ConfigError, JournalError
from gamekit.game import TICK_HZ, Command, Event, Game, PlayerId, Rejected, Tick
from gamekit.journal import Past
from gamekit.lab.replay import KEYFRAME_TICKS, Replay
from gamekit.lab.sources import new_past, with_commands
from gamekit.space import SpaceGame, SpaceState
from gamekit.space.invariants import check as check_state

#: A sweep may fail a thousand times in the same way; so many capsules are kept in a directory, and no more.
MOST_KEPT = 50


class Failure(msgspec.Struct, frozen=True):
    """Where a past breaks.

    Attributes:
        tick: the first tick at which the rules raise, or a law is broken.
        error: the exception's name.
        message: what it says.
    """

    tick: Tick
    error: str
    message: str

    def __str__(self) -> str:
        return f"{self.error} at tick {self.tick}: {self.message.removeprefix(f'at tick {self.tick}: ')}"


def check(subject: Any, *, hours: float = 0.25) -> None:
    """Make sure that a state keeps every law of the bundled game, and rules of one's own every law of a game.

    Args:
        subject: a state, or anything that has one: a `Simulation`, a `Replay`, a `Branch`.
        hours: with rules of one's own, a copy is played on from the state for so long, in every way in which
            `simulate(check=True)` tries rules, which costs some ten times what playing it takes, and two starts of
            Python; 0 looks at the state alone.

    Raises:
        InvariantViolated: it does not; the message names every law that is broken.
        HookFailed: a hook of one's own answers differently when it is asked twice, changes the state, or the like.
        ConfigError: there is no state, or one of another game.
    """
    state = getattr(subject, "state", subject)
    if not isinstance(state, SpaceState):
        raise ConfigError(f"Laws are those of the bundled game's states; {subject!r} has none.")
    check_state(state)
    game = getattr(subject, "game", None) or getattr(subject, "rules", None)
    game = getattr(game, "unchecked", game)
    if isinstance(game, SpaceGame) and type(game) is not SpaceGame and hours > 0:
        from gamekit.lab.laws import try_on

        try_on(game, state, round(hours * 3600 * TICK_HZ))


def failure_of(past: Past, rules: Game[Any]) -> Failure | None:
    """Find the tick at which a past breaks: it is played again, looked at every minute, then tick by tick.

    Returns:
        The first failure after the last minute in which all was well; None when nothing fails.
    """
    looked, well = Replay(past, rules), -1
    for tick in [*range(0, past.tick, KEYFRAME_TICKS), past.tick]:
        if _error_at(looked, tick) is not None:
            break
        well = tick
    else:
        return None
    while True:
        error = _error_at(looked, well)
        assert error is None or well < 0, "what was well before is well again"
        ahead = [record.tick for record in past.records if record.tick > well][:1]
        due = rules.next_due(looked.state) if well >= 0 else 0
        step = min(tick, *ahead, *([due] if due is not None and due > well else []))
        if (error := _error_at(looked, step)) is not None:
            return Failure(step, type(error).__name__, str(error))
        if step == tick:
            return None
        well = step


def _error_at(looked: Replay, tick: Tick) -> Exception | None:
    try:
        if tick >= 0:
            looked.seek(tick)
            if isinstance(looked.state, SpaceState):
                check_state(looked.state)
    except Exception as error:
        return error
    return None


def directory() -> Path:
    """Where capsules of failures go."""
    return Path(os.environ.get("GAMEKIT_FAILURES", "failures"))


def keep(past: Past, error: Exception) -> Path | None:
    """Write a past that ends in a failure into a capsule, and say in the error where it is.

    Returns:
        The capsule; None when it could not be written, or enough of them are there already.
    """
    place = directory()
    path = place / f"{past.row.id}-tick-{past.tick}{SUFFIX}"
    try:
        place.mkdir(parents=True, exist_ok=True)
        if not path.exists() and len(list(place.glob(f"*{SUFFIX}"))) >= MOST_KEPT:
            error.add_note(f"{place} holds {MOST_KEPT} capsules of failures already; this one was not added.")
            return None
        write_capsule(past, path)
    except (OSError, JournalError) as trouble:
        error.add_note(f"The game up to here could not be kept: {trouble}")
        return None
    error.add_note(f"The game up to here is in {path}; `gamekit open {path}` shows the tick before.")
    return path


class Checked:
    """Rules that look at every state that they make, and raise when it breaks a law. Slow, and otherwise the same.

    Args:
        game: the rules.
    """

    def __init__(self, game: Game[Any]) -> None:
        self.game = game

    def __getattr__(self, name: str) -> Any:
        return getattr(self.game, name)

    @property
    def unchecked(self) -> Game[Any]:
        """The rules themselves."""
        return self.game

    def advance(self, state: Any, to_tick: Tick) -> list[Event]:
        """Let time pass, from one due thing to the next, with a look after each."""
        events: list[Event] = []
        while (due := self.game.next_due(state)) is not None and due < to_tick:
            events += self._looked(state, self.game.advance(state, due))
        return events + self._looked(state, self.game.advance(state, to_tick))

    def apply(self, state: Any, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out a command, with a look after it."""
        answer = self.game.apply(state, player, command)
        return answer if isinstance(answer, Rejected) else self._looked(state, answer)

    def _looked(self, state: Any, events: list[Event]) -> list[Event]:
        if isinstance(state, SpaceState):
            check_state(state, events)
        return events


class Recorder:
    """Rules that remember what they were asked, for one game that is played by calling them; see `simulate`.

    Args:
        game: the rules.
        scenario, rules, seed: what the game is made from.
    """

    def __init__(self, game: Game[Any], scenario: Any, rules: Mapping[str, Any], seed: int) -> None:
        self.game = game
        self._made = (scenario, dict(rules), seed)
        self.asked: list[tuple[Tick, PlayerId, Command]] = []
        # A driver gives a command every few microseconds.
        self._tick, self._apply, self.next_due = game.tick, game.apply, game.next_due

    def __getattr__(self, name: str) -> Any:
        return getattr(self.game, name)

    def advance(self, state: Any, to_tick: Tick) -> list[Event]:
        """Let time pass; what breaks is kept."""
        try:
            return self.game.advance(state, to_tick)
        except Exception as error:
            self.keep(state, error)
            raise

    def apply(self, state: Any, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Carry out a command; what breaks is kept."""
        self.asked.append((self._tick(state), player, command))
        try:
            return self._apply(state, player, command)
        except Exception as error:
            self.keep(state, error)
            raise

    @contextmanager
    def kept(self, state: Any) -> Iterator[None]:
        """Whatever breaks in this block is kept."""
        try:
            yield
        except Exception as error:
            self.keep(state, error)
            raise

    def keep(self, state: Any, error: Exception) -> None:
        """Write what was asked so far into a capsule that ends where the state stands, and say so in the error."""
        try:
            rules = self.game.unchecked if isinstance(self.game, Checked) else self.game
            scenario, changed, seed = self._made
            made = new_past(scenario, changed, seed, game=rules, name=f"Failed: {type(error).__name__}"[:80])
            past = with_commands(made, self.asked, self.game.tick(state))
        except Exception as trouble:
            error.add_note(f"The game up to here could not be kept: {type(trouble).__name__}: {trouble}")
            return
        keep(past, error)
