"""One run of a sweep: what it is made from, its key, and carrying it out in whatever process.

A job's outcome is a function of the job alone, never of where or with what else it ran; only `cpu_s` differs.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import pickle
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from gamekit.capsule import read_capsule
from gamekit.errors import ConfigError
from gamekit.firstuse import look_at
from gamekit.lab.metrics import Metric, named_values
from gamekit.lab.rerun import rerun
from gamekit.lab.simulate import Setup, simulate
from gamekit.space import SpaceGame
from gamekit.space.rng import STREAM_SWEEP, draw

#: The key of a grid that names scenarios rather than a rule.
SCENARIO = "scenario"
#: The key of a point that names it, and is no rule.
SIDE = "side"


class Job(msgspec.Struct, frozen=True):
    """One run.

    Attributes:
        scenario: the scenario, a name or a definition.
        rules: `{field: value}` for what differs from the defaults.
        seed: the run's seed.
        varied: `{column: value}` of the grid's point, for the frame.
        recorded: the capsule of a game that is played again instead of a new one; "" for none.
        key: what its result is found under, see `Plan.keyed`.
    """

    scenario: Any
    rules: dict[str, Any]
    seed: int
    varied: dict[str, Any]
    recorded: str = ""
    key: str = ""


class Plan(msgspec.Struct, frozen=True):
    """What all runs of a sweep share."""

    hours: float
    metrics: tuple[Metric, ...]
    setup: Setup | None = None
    record_minutes: float | None = None
    game: SpaceGame | None = None

    def keyed(self, jobs: Sequence[Job]) -> list[Job]:
        """The same jobs with their keys: digests of everything that decides a run, the rules' code included.

        Worked out where the functions' texts can be had, which is not in a worker.
        """
        shared = {
            "hours": self.hours,
            "metrics": [_told(metric) for metric in self.metrics],
            "setup": self.setup and _told(self.setup),
            "record_minutes": self.record_minutes,
            "version": SpaceGame.version,
            "code": rules_code(),
        }
        if self.game is not None:
            shared["game"] = _game_told(self.game)
        made = []
        for job in jobs:
            decides = {**shared, "scenario": job.scenario, "rules": job.rules, "seed": job.seed}
            if job.recorded:
                decides["recorded"] = hashlib.blake2b(Path(job.recorded).read_bytes()).hexdigest()
            text = json.dumps(decides, sort_keys=True, ensure_ascii=False)
            key = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
            made.append(msgspec.structs.replace(job, key=key))
        return made


@cache
def rules_code() -> str:
    """A digest of the rules' own files: a sweep that is taken up again after they were changed begins anew."""
    told = hashlib.blake2b(digest_size=16)
    package = Path(inspect.getfile(SpaceGame)).parent
    for path in sorted(one for one in package.rglob("*") if one.suffix in {".py", ".toml"}):
        told.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


def _told(function: Callable[..., Any]) -> str:
    """A function by its name and its text, or where that cannot be had its code: another one is another function."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        text = _code_told(getattr(function, "__code__", None))
    return f"{getattr(function, '__qualname__', repr(type(function)))}\n{text}"


def _code_told(code: Any) -> str:
    """What a function without a text does: its instructions, and what they name."""
    if not isinstance(code, types.CodeType):
        return ""
    constants = [_code_told(one) or repr(one) for one in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _game_told(game: SpaceGame) -> str:
    """Rules of one's own by all that their classes hold, and by their module when it is a file of its own."""
    told = [repr(sorted(vars(game).items()))]
    for kind in type(game).__mro__:
        if kind.__module__.startswith("gamekit.") or kind is object:
            continue  # `rules_code` has those
        told.append(f"{kind.__qualname__} {game.version}")
        for name, value in sorted(vars(kind).items()):
            function = getattr(value, "fget", None) or getattr(value, "__func__", value)
            if inspect.isfunction(function):
                told.append(_told(function))
            elif not name.startswith("__"):
                told.append(f"{name} = {_value_told(value)}")
        try:
            if kind.__module__ != "__main__":
                told.append(Path(inspect.getfile(kind)).read_text(encoding="utf-8"))
        except (OSError, TypeError):
            pass
    return "\n".join(told)


def _value_told(value: Any) -> str:
    """A class's attribute, such as its table of metrics or commands."""
    if isinstance(value, Mapping):
        return "\n".join(f"{_value_told(key)}: {_value_told(one)}" for key, one in value.items())
    if isinstance(value, type):
        fields = getattr(value, "__struct_fields__", ())
        return f"{value.__qualname__} {fields} {getattr(value, '__struct_defaults__', ())!r}"
    return _told(value) if callable(value) else repr(value)


class Result(msgspec.Struct, frozen=True):
    """What came of one run.

    Attributes:
        values: `{column: number}`, the metrics'; empty when it failed.
        digest: of the state at the end.
        error, traceback: what went wrong, or "".
    """

    key: str
    values: dict[str, float]
    digest: str = ""
    events: int = 0
    cpu_s: float = 0.0
    error: str = ""
    traceback: str = ""


def derived_seeds(count: int, base_seed: int = 1) -> list[int]:
    """`count` seeds that depend on `base_seed` alone; the first ones stay the same when more are asked for."""
    return [draw(base_seed, STREAM_SWEEP, number) >> 32 for number in range(count)]


def chosen_seeds(seeds: int | Sequence[int], base_seed: int) -> list[int]:
    """The seeds that somebody means: how many, or which."""
    return derived_seeds(seeds, base_seed) if isinstance(seeds, int) else [int(seed) for seed in seeds]


def jobs_of(
    grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
    seeds: Sequence[int],
    scenario: Any,
    rules: Mapping[str, Any],
) -> list[Job]:
    """Every point of the grid with every seed, in order. A point's "side" is only its name.

    Raises:
        ConfigError: the grid is neither `{rule: [values]}` nor a list of points.
    """
    if isinstance(grid, Mapping):
        for name, values in grid.items():
            if isinstance(values, str) or not isinstance(values, Sequence):
                raise ConfigError(f"grid[{name!r}]: expected a list of values, e.g. [10, 20], got {values!r}.")
        points = [dict(zip(grid, values, strict=True)) for values in product(*grid.values())]
    else:
        points = [dict(point) for point in grid]
    made = []
    for point in points:
        where = point.get(SCENARIO, scenario)
        varied = {**point, SCENARIO: where} if SCENARIO in point else point
        changed = {**rules, **{name: value for name, value in point.items() if name not in (SCENARIO, SIDE)}}
        made += [Job(where, changed, seed, varied) for seed in seeds]
    return made


class Packed(msgspec.Struct, frozen=True):
    """A plan on its way to whatever process; functions and rules from a notebook's cells go along by value.

    Attributes:
        token: by which a process knows a plan that it has already.
        plan: the plan as bytes.
    """

    token: str
    plan: bytes


#: {token: plan} of this process: those that were packed here and are under way, or the latest that came here.
_known: dict[str, Plan] = {}
#: Plans of other processes that a worker remembers.
_MOST_KNOWN = 4


def packed(plan: Plan) -> Packed:
    """A plan to be handed out, until `forget`.

    Raises:
        ConfigError: it holds what cannot be sent, e.g. an open file or a client.
    """
    from gamekit.lab.cells import by_value  # Here, because a worker has no need of it.

    made = Packed(uuid4().hex, by_value(plan, "sweep: its metrics, setup or game"))
    _known[made.token] = plan
    return made


def forget(work: Packed) -> None:
    """Nothing of this plan is under way any more."""
    _known.pop(work.token, None)


def run_chunk(work: Packed, jobs: Sequence[Job]) -> list[Result]:
    """Carry out a chunk, in this process. A run that fails is told in its result and stops no other."""
    plan = _known.get(work.token)
    if plan is None:
        plan = pickle.loads(work.plan)
        if plan.game is not None:
            look_at(plan.game.command_type)
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[work.token] = plan
    return [run(plan, job) for job in jobs]


def run(plan: Plan, job: Job) -> Result:
    """Carry out one run."""
    key = job.key
    try:
        values: dict[str, float] = {}
        if job.recorded:
            done, refused = rerun(read_capsule(Path(job.recorded)), job.rules, plan.game)
            values["commands_refused"] = float(refused)
        else:
            how: dict[str, Any] = {"setup": plan.setup, "record_minutes": plan.record_minutes, "game": plan.game}
            done = simulate(job.scenario, job.rules, job.seed, plan.hours, **how)
        for metric in plan.metrics:
            values |= named_values(metric, done)
        return Result(key, values, done.digest, done.events, done.cpu_s)
    except Exception as error:
        return Result(key, {}, error=f"{type(error).__name__}: {error}", traceback=traceback.format_exc())
