"""What every study checks before its first run: a mistake in an argument shall not cost an hour of runs.

Each function takes an argument as somebody gave it and gives it back as studies use it, or raises `ConfigError` that
names the argument and what is allowed.
"""

from __future__ import annotations

import inspect
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from gamekit.errors import ConfigError
from gamekit.game import TICK_HZ
from gamekit.lab.metrics import Metric, name_of
from gamekit.lab.simulate import definition_of
from gamekit.space.rules import load as load_rules
from gamekit.space.worldgen import resolved

_GIVES_LATER = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
#: Columns that a study's frame or its table of runs has beside the metrics'.
TAKEN = frozenset({"key", "seed", "hours", "digest", "events", "cpu_s", "error", "traceback", "result"})


def metrics_of(metrics: Any, columns: Iterable[str] = ()) -> tuple[Metric, ...]:
    """Metrics, each with a name of its own.

    Args:
        metrics: functions of one argument, the run.
        columns: names that the study uses already, such as the rules that it varies.

    Raises:
        ConfigError: one is no function of a run, has no name, or a name that is taken.
    """
    if callable(metrics) or isinstance(metrics, str | Mapping) or not isinstance(metrics, Iterable):
        raise ConfigError(f"metrics: expected a list of functions, e.g. [units_made], got {metrics!r}.")
    found = tuple(metrics)
    for one in found:
        if not callable(one):
            raise ConfigError(f"metrics: expected functions, from a run to a number; got {one!r}.")
        name_of(one)
        if wrong := _does_not_take(one, 1):
            raise ConfigError(f"metrics: {name_of(one)} must take one argument, the run: {wrong}.")
        if any(kind(one) for kind in _GIVES_LATER):
            raise ConfigError(f"metrics: {name_of(one)} must return a number; it is async, or yields.")
    names = Counter(name_of(one) for one in found)
    for name, count in names.items():
        if count > 1:
            raise ConfigError(f"metrics: {count} are called {name!r}; give each a name of its own.")
        if name in TAKEN or name in columns:
            raise ConfigError(f"metrics: the name {name!r} is that of another column; call the function otherwise.")
    return found


def _does_not_take(function: Any, arguments: int) -> str:
    """Why a function cannot be called with so many arguments; "" when it can, or does not say."""
    try:
        inspect.signature(function).bind(*[None] * arguments)
    except TypeError as error:
        return str(error)
    except ValueError:
        pass  # written in C; it says no more of itself
    return ""


def seeds_of(seeds: Any) -> int | list[int]:
    """How many seeds, or which.

    Raises:
        ConfigError: it is no number of seeds, and no list of integers of 64 bits without repetition.
    """
    if isinstance(seeds, Integral) and not isinstance(seeds, bool):
        if (count := int(seeds)) < 1:
            raise ConfigError(f"seeds: at least one seed is needed, got {count}.")
        return count
    if isinstance(seeds, str | bytes | Mapping | bool) or not isinstance(seeds, Iterable):
        raise ConfigError(f"seeds: expected how many, e.g. 20, or a list of whole numbers, got {seeds!r}.")
    given = list(seeds)
    for seed in given:
        if not isinstance(seed, Integral) or isinstance(seed, bool) or not -(2**63) <= int(seed) < 2**64:
            raise ConfigError(f"seeds: expected integers of 64 bits, got {seed!r}.")
    found = [int(seed) for seed in given]
    if not found:
        raise ConfigError("seeds: at least one seed is needed, got an empty list.")
    if twice := [seed for seed, count in Counter(found).items() if count > 1]:
        raise ConfigError(f"seeds: {twice[0]} is given twice; a second run with it would say nothing more.")
    return found


def base_seed_of(base_seed: Any) -> int:
    """What seeds are derived from.

    Raises:
        ConfigError: it is no whole number.
    """
    if not isinstance(base_seed, Integral) or isinstance(base_seed, bool):
        raise ConfigError(f"base_seed: expected a whole number, got {base_seed!r}.")
    return int(base_seed)


def confidence_of(confidence: Any) -> float:
    """Which share of intervals shall hold the truth.

    Raises:
        ConfigError: it is no share from a half to less than 1.
    """
    if isinstance(confidence, bool) or not isinstance(confidence, Real) or not 0.5 <= float(confidence) < 1:
        raise ConfigError(f"confidence: must be from 0.5 to less than 1, got {confidence!r}.")
    return float(confidence)


def hours_of(hours: Any, name: str = "hours") -> float:
    """Game time of each run.

    Raises:
        ConfigError: it is negative, endless or no number.
    """
    if isinstance(hours, bool) or not isinstance(hours, Real) or not 0 <= float(hours) < math.inf:
        raise ConfigError(f"{name}: must be a number of hours of game time, from 0 on, got {hours!r}.")
    return float(hours)


def record_minutes_of(minutes: Any) -> float | None:
    """Game minutes between samples.

    Raises:
        ConfigError: it is shorter than a tick or no number.
    """
    least = 1 / (60 * TICK_HZ)
    if minutes is None:
        return None
    if isinstance(minutes, bool) or not isinstance(minutes, Real) or not least <= float(minutes) < math.inf:
        raise ConfigError(f"record_minutes: must be a number of game minutes of at least one tick, got {minutes!r}.")
    return float(minutes)


def setup_of(setup: Any) -> Any:
    """What is called at tick 0.

    Raises:
        ConfigError: it cannot be called with the state and the game.
    """
    if setup is not None and not callable(setup):
        raise ConfigError(f"setup: expected a function of the state and the game, got {setup!r}.")
    if setup is not None and (wrong := _does_not_take(setup, 2)):
        raise ConfigError(f"setup: it must take two arguments, the state and the game: {wrong}.")
    return setup


def executor_of(executor: Any) -> Any:
    """Where runs are carried out.

    Raises:
        ConfigError: it is no executor.
    """
    if executor is None or (callable(getattr(executor, "submit", None)) and not isinstance(executor, type)):
        return executor
    raise ConfigError(
        f"executor: expected a concurrent.futures.Executor, e.g. ThreadPoolExecutor(4), got {executor!r}; for a number "
        "of processes say workers=4."
    )


def workers_of(workers: Any) -> int | None:
    """How many processes.

    Raises:
        ConfigError: it is no number from 1 on.
    """
    if workers is None:
        return None
    if not isinstance(workers, Integral) or isinstance(workers, bool) or int(workers) < 1:
        raise ConfigError(f"workers: expected how many processes, at least 1, got {workers!r}.")
    return int(workers)


def rules_of_side(rules: Any, name: str = "rules") -> dict[str, Any]:
    """Rules that differ from the defaults, as plain values.

    Raises:
        ConfigError: there is no such rule, or it may not have that value.
    """
    if rules is None:
        return {}
    if not isinstance(rules, Mapping):
        raise ConfigError(f"{name}: expected {{rule: value}}, got {rules!r}.")
    found = {str(field): plain(value) for field, value in rules.items()}
    try:
        load_rules(found)
    except ConfigError as error:
        raise ConfigError(str(error) if name == "rules" else f"{name}: {error}") from None
    return found


def scenario_of(scenario: Any) -> Any:
    """A scenario, with a file's content in the place of its path.

    Raises:
        ConfigError: there is no such scenario, or its definition is wrong.
    """
    defined = definition_of(scenario)
    resolved(defined, 1)
    return defined


def plain(value: Any) -> Any:
    """A whole number of numpy or pandas as Python's own; anything else as it is."""
    return int(value) if isinstance(value, Integral) and not isinstance(value, bool) else value


def values_of(name: str, values: Any) -> list[Any]:
    """The values that a grid gives to a rule.

    Raises:
        ConfigError: it is no list of values.
    """
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise ConfigError(f"grid[{name!r}]: expected a list of values, e.g. [10, 20], got {values!r}.")
    found = [plain(value) for value in values]
    if not found:
        raise ConfigError(f"grid[{name!r}]: expected at least one value, got none.")
    return found


def capsules_of(games: Any) -> Sequence[Any]:
    """Recorded games.

    Raises:
        ConfigError: it is no list of paths.
    """
    if isinstance(games, str | bytes | Mapping) or not isinstance(games, Iterable):
        raise ConfigError(f"games: expected a list of capsules, got {games!r}.")
    return list(games)
