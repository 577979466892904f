"""One run of a sweep: what it is made from, its key, and carrying it out in whatever process.

A job's outcome is a function of the job alone, never of where or with what else it ran; only `cpu_s` differs.
"""

from __future__ import annotations

import hashlib
import json
import pickle
import traceback
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec

from gamekit.capsule import read_capsule
from gamekit.errors import ConfigError, GamekitError
from gamekit.firstuse import look_at
from gamekit.lab.arguments import base_seed_of, plain, rules_of_side, scenario_of, seeds_of, values_of
from gamekit.lab.metrics import Metric, named_values
from gamekit.lab.rerun import rerun
from gamekit.lab.simulate import Setup, simulate
from gamekit.lab.sweeps.keys import Unkeyable, digest_of_things
from gamekit.lab.sweeps.origins import rules_code
from gamekit.space import SpaceGame
from gamekit.space.rng import STREAM_SWEEP, draw

#: How keys begin that cover all that decides a run; those of an older gamekit covered less, and are not found.
KEYS = "2:"
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

    def keyed(self, jobs: Sequence[Job]) -> tuple[list[Job], str]:
        """The same jobs with their keys: digests of everything that decides a run, the rules' code included.

        Returns:
            The jobs; and why no result of before can be taken for theirs (their keys are new then), or "".
        """
        why = ""
        try:
            told = digest_of_things(self.metrics, self.setup, self.game)
        except Unkeyable as error:
            told, why = uuid4().hex, str(error)
        shared = {
            "hours": self.hours,
            "functions": told,
            "record_minutes": self.record_minutes,
            "version": SpaceGame.version,
            "code": rules_code(),
        }
        made = []
        for job in jobs:
            decides = {**shared, "scenario": job.scenario, "rules": job.rules, "seed": job.seed}
            if job.recorded:
                decides["recorded"] = hashlib.blake2b(Path(job.recorded).read_bytes()).hexdigest()
            try:
                text = json.dumps(decides, sort_keys=True, ensure_ascii=False)
            except (TypeError, ValueError):
                text = json.dumps(shared | {"job": digest_of_things(job.scenario, job.rules, job.seed)}, sort_keys=True)
            key = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
            made.append(msgspec.structs.replace(job, key=f"{KEYS}{key}"))
        return made, why


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
    """The seeds that somebody means: how many, or which.

    Raises:
        ConfigError: they are none.
    """
    chosen = seeds_of(seeds)
    base = base_seed_of(base_seed)
    return derived_seeds(chosen, base) if isinstance(chosen, int) else chosen


def jobs_of(
    grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
    seeds: Sequence[int],
    scenario: Any,
    rules: Mapping[str, Any] | None,
) -> list[Job]:
    """Every point of the grid with every seed, in order. A point's "side" is only its name.

    Raises:
        ConfigError: the grid is neither `{rule: [values]}` nor a list of points, there is no such scenario or rule, or
            a rule may not have a value.
    """
    fixed = rules_of_side(rules)
    if isinstance(grid, Mapping):
        values = [values_of(name, several) for name, several in grid.items()]
        points = [dict(zip(grid, several, strict=True)) for several in product(*values)]
    elif isinstance(grid, str) or not isinstance(grid, Sequence) or not all(isinstance(one, Mapping) for one in grid):
        raise ConfigError(f"grid: expected {{rule: [values]}}, or a list of points {{rule: value}}, got {grid!r}.")
    else:
        points = [{name: plain(value) for name, value in point.items()} for point in grid]
        if not points:
            raise ConfigError("grid: expected at least one point, got an empty list; {} is the one without changes.")
    known: dict[str, Any] = {}
    made = []
    for point in points:
        named = point.get(SCENARIO, scenario)
        if (where := str(named)) not in known:
            known[where] = scenario_of(named)
        varied = {**point, SCENARIO: named} if SCENARIO in point else point
        changed = {**fixed, **{name: value for name, value in point.items() if name not in (SCENARIO, SIDE)}}
        rules_of_side(changed, f"side {point[SIDE]}" if SIDE in point else "rules")
        made += [Job(known[where], changed, seed, varied) for seed in seeds]
    return made


class Packed(msgspec.Struct, frozen=True):
    """A plan on its way to whatever process; functions and rules from a notebook's cells go along by value.

    Attributes:
        token: by which a process knows a plan that it has already.
        plan: the plan as bytes; empty when it stays in this process.
    """

    token: str
    plan: bytes


class PlanUnreadable(GamekitError):
    """A worker could not make anything of the plan that was sent to it; no run of it can be carried out there."""


#: {token: plan} of this process: those that were packed here and are under way, or the latest that came here.
_known: dict[str, Plan] = {}
#: Plans of other processes that a worker remembers.
_MOST_KNOWN = 4


def packed(plan: Plan, *, stays: bool = False) -> Packed:
    """A plan to be handed out, until `forget`.

    Args:
        plan: the plan.
        stays: whether it is carried out in this process, so that it need not be such as can be sent.

    Raises:
        ConfigError: it holds what cannot be sent, e.g. an open file or a client.
    """
    from gamekit.lab.cells import by_value  # Here, because a worker has no need of it.

    made = Packed(uuid4().hex, b"" if stays else by_value(plan, "sweep: its metrics, setup or game"))
    _known[made.token] = plan
    return made


def forget(work: Packed) -> None:
    """Nothing of this plan is under way any more."""
    _known.pop(work.token, None)


def run_chunk(work: Packed, jobs: Sequence[Job]) -> list[Result]:
    """Carry out a chunk, in this process. A run that fails is told in its result and stops no other.

    Raises:
        PlanUnreadable: the plan cannot be read here, so that no run of it can be carried out.
    """
    plan = _known.get(work.token)
    if plan is None:
        plan = _read(work)
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[work.token] = plan
    return [run(plan, job) for job in jobs]


def _read(work: Packed) -> Plan:
    try:
        plan: Plan = pickle.loads(work.plan)
    except Exception as error:
        # Whatever a module or a class does while it is made.
        raise PlanUnreadable(f"{type(error).__name__}: {error}") from None
    if plan.game is not None:
        look_at(plan.game.command_type)
    return plan


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
