"""`optimise`: Optuna proposes rules in rounds, sweeps run them, and the winner is tried on seeds that it never saw.

The search is a function of its arguments: rounds have a fixed size, whatever the number of workers, the sampler is
seeded anew for each round, and Optuna is told values in the order in which it asked. So nothing of the search need be
stored. With a database the *runs* are kept, as in any sweep: a search that was killed, or is given more trials, asks
the same questions again, finds the answers there, and goes on.

Source: J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization", NIPS 2011 (the sampler, TPE).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import fmean
from typing import Any

from gamekit.errors import ConfigError
from gamekit.lab.arguments import (
    confidence_of,
    executor_of,
    hours_of,
    metrics_of,
    rules_of_side,
    scenario_of,
    setup_of,
    workers_of,
)
from gamekit.lab.cells import by_value
from gamekit.lab.compare import compare
from gamekit.lab.extras import needed
from gamekit.lab.metrics import DEFAULT, Metric, name_of
from gamekit.lab.optimise.goal import Goal, Target
from gamekit.lab.optimise.result import Optimisation, Trial
from gamekit.lab.own import Own
from gamekit.lab.ranges import Range, Ranges, ranges_of
from gamekit.lab.simulate import Setup
from gamekit.lab.sweeps.jobs import chosen_seeds, derived_seeds
from gamekit.lab.sweeps.pool import at_work
from gamekit.lab.sweeps.store import checked_path
from gamekit.lab.sweeps.sweep import one_study, sweep

#: Points that are proposed at a time. A larger round keeps more workers busy and learns less from each trial.
ROUND = 4
#: Trials that look around before the sampler begins to reason; fewer than Optuna's 10, because runs are dear.
STARTUP = 6


def optimise(
    ranges: Ranges,
    metric: Metric,
    *,
    target: Target,
    seeds: int | Sequence[int] = 4,
    trials: int = 40,
    check_seeds: int = 20,
    also: Sequence[Metric] = DEFAULT,
    scenario: str | Mapping[str, Any] = "nearest-stars",
    rules: Mapping[str, Any] | None = None,
    hours: float = 1.0,
    setup: Setup | None = None,
    game: Own = None,
    executor: Executor | None = None,
    workers: int | None = None,
    database: str | Path | None = None,
    base_seed: int = 1,
    confidence: float = 0.95,
    progress: bool = True,
) -> Optimisation:
    """Search for rules that bring a metric to a value, or as high or low as can be; needs the `search` extra.

    Args:
        ranges: `{rule: (lowest, highest)}`; or names alone, which then vary from half to twice their values.
        metric: what shall come to the target: a function from a `Simulation` to one number, averaged over the seeds.
        target: a number, "highest" or "lowest".
        seeds: as for `sweep`; all trials get the same ones.
        trials: how many points are tried, the rules as they are first. About 10 for each rule, and 10 more.
        check_seeds: how many seeds, other than the search's, the best rules are compared on with the rules as they
            are. The best of many trials was partly lucky; on these it can no longer be.
        also: metrics that are compared as well, because what helps one may harm another.
        scenario, rules, hours, setup, game: as for `sweep`, for what does not vary.
        executor, workers, database: as for `sweep`; with a database, a search that was stopped goes on.
        base_seed: what the seeds and the proposals are derived from; the same one gives the same search.
        confidence: of the intervals.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: the arguments are wrong, Optuna is not installed, or every trial failed.
    """
    optuna = needed("optuna", "search", "Optimisation")
    goal = Goal(target, confidence_of(confidence))
    _check(metric, also, hours, setup, executor, workers, database, scenario)
    if not isinstance(executor, ThreadPoolExecutor):
        by_value((metric, tuple(also), setup, game), "optimise: its metrics, setup or game")
    if trials < 1 or check_seeds < 2:
        raise ConfigError(f"A search needs trials=1 or more and check_seeds=2 or more, got {trials} and {check_seeds}.")
    rules = rules_of_side(rules)
    varied = ranges_of(ranges, rules)
    chosen = chosen_seeds(seeds, base_seed)
    fresh = [seed for seed in derived_seeds(len(chosen) + check_seeds, base_seed) if seed not in set(chosen)]
    fresh = fresh[:check_seeds]
    how: dict[str, Any] = {"scenario": scenario, "hours": hours, "setup": setup, "game": game, "database": database}
    # One executor for all rounds, because starting a pool for each would take longer than many a round.
    tried: list[Trial] = []
    with (
        _trials_kept(tried, trials),
        one_study(),
        at_work(executor, workers) as pool,
        _bar(trials, progress) as bar,
        _quiet(optuna),
    ):
        how |= {"executor": pool, "workers": workers, "progress": False}
        study = _study(optuna, varied)
        while len(tried) < trials:
            study.sampler = _sampler(optuna, base_seed, len(tried))
            asked = [study.ask(_distributions(optuna, varied)) for _ in range(min(ROUND, trials - len(tried)))]
            done = _tried([one.params for one in asked], len(tried), metric, chosen, rules or {}, goal, how)
            for question, trial in zip(asked, done, strict=True):
                if trial.error:
                    study.tell(question, state=optuna.trial.TrialState.FAIL)
                else:
                    study.tell(question, goal.miss(trial.value))
            tried += done
            bar.update(len(done))
        found = [trial for trial in tried if not trial.error]
        if not found:
            raise ConfigError(f"Every trial failed, the first one with: {tried[0].error}")
        best = min(found, key=lambda trial: (goal.miss(trial.value), trial.number))
        bar.set_postfix_str("checking the best on other seeds")
        metrics = [metric, *(one for one in also if name_of(one) != name_of(metric))]
        as_is = dict(rules or {})
        check = compare(as_is, as_is | best.rules, fresh, metrics, confidence=confidence, **how)
    return Optimisation(goal, metric, varied, tried, best, check, study)


def _check(
    metric: Any, also: Any, hours: Any, setup: Any, executor: Any, workers: Any, database: Any, scenario: Any
) -> None:
    """What the rounds and the comparison at the end are given, before the first of them."""
    first, others = metrics_of([metric]), metrics_of(also)
    metrics_of([*first, *(one for one in others if name_of(one) != name_of(metric))])
    hours_of(hours)
    setup_of(setup)
    executor_of(executor)
    workers_of(workers)
    checked_path(database)
    scenario_of(scenario)


@contextmanager
def _trials_kept(tried: list[Trial], trials: int) -> Iterator[None]:
    """When the search is interrupted or fails, the error has the trials that there are."""
    try:
        yield
    except BaseException as error:
        error.partial = tuple(tried)  # type: ignore[attr-defined]
        error.add_note(
            f"{len(tried)} of {trials} trials are done: the attribute `partial` of this exception. Their runs are "
            "kept, so the same call goes on from there."
        )
        raise


def _study(optuna: Any, ranges: Sequence[Range]) -> Any:
    """An empty study; the rules as they are come first, when they are within the ranges."""
    study = optuna.create_study()
    if all(one.low <= one.default <= one.high for one in ranges):
        study.enqueue_trial({one.name: one.default for one in ranges})
    return study


def _sampler(optuna: Any, seed: int, number: int) -> Any:
    """The sampler of the round that begins with trial `number`, the same whatever was asked of others before."""
    mixed = derived_seeds(number + 1, seed)[number] & 0xFFFFFFFF
    # One rule at a time: with so few trials, multivariate proposals stray twice as far from the best.
    return optuna.samplers.TPESampler(n_startup_trials=STARTUP, constant_liar=True, seed=mixed)


def _distributions(optuna: Any, ranges: Sequence[Range]) -> dict[str, Any]:
    return {one.name: optuna.distributions.IntDistribution(one.low, one.high) for one in ranges}


def _tried(
    points: Sequence[Mapping[str, int]],
    first: int,
    metric: Metric,
    seeds: Sequence[int],
    rules: Mapping[str, Any],
    goal: Goal,
    how: Mapping[str, Any],
) -> list[Trial]:
    """A round: every point with every seed. A point of which a run failed has failed."""
    runs = sweep(points, seeds, [metric], rules=rules, **how)
    frame = runs.frame
    if len(runs.columns) > 1:
        raise ConfigError(f"{name_of(metric)} gives several numbers; write a metric that gives the one to search by.")
    made = []
    for place, point in enumerate(points):
        rows = frame.iloc[place * len(seeds) : (place + 1) * len(seeds)]
        errors = [str(error) for error in rows["error"] if error]
        values = [float(value) for value in rows[name_of(metric)]] if not errors else []
        if not errors and any(map(math.isnan, values)):
            errors = [f"{name_of(metric)} gave no number"]
        low, high = goal.interval(values) if values else (0.0, 0.0)
        made.append(
            Trial(
                number=first + place,
                rules=dict(point),
                values=tuple(values),
                value=fmean(values) if values else 0.0,
                low=low,
                high=high,
                cpu_s=float(rows["cpu_s"].sum()),
                error=errors[0] if errors else "",
            )
        )
    return made


@contextmanager
def _bar(trials: int, progress: bool) -> Iterator[Any]:
    from tqdm.auto import tqdm

    with tqdm(total=trials, unit="trial", disable=not progress) as bar:
        yield bar


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    """Without Optuna's line for every trial: the bar and the frame tell."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
