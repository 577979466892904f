"""`sweep`: a grid of rules and scenarios with many seeds, measured."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gamekit.errors import ConfigError
from gamekit.lab.arguments import (
    capsules_of,
    executor_of,
    hours_of,
    metrics_of,
    record_minutes_of,
    rules_of_side,
    setup_of,
    workers_of,
)
from gamekit.lab.metrics import DEFAULT, Metric, absent_of, name_of, unit_of
from gamekit.lab.own import Own, space_rules_of
from gamekit.lab.simulate import Setup
from gamekit.lab.sweeps.jobs import Job, Plan, Result, chosen_seeds, jobs_of
from gamekit.lab.sweeps.pool import carried_out
from gamekit.lab.sweeps.store import Store, checked_path
from gamekit.space import SpaceGame

if TYPE_CHECKING:
    import pandas as pd


class Sweep:
    """The results of a sweep.

    Attributes:
        jobs: every run, in the order of the grid and the seeds.
        units: `{metric: unit}`.
    """

    def __init__(self, plan: Plan, jobs: Sequence[Job], results: Mapping[str, Result]) -> None:
        self.jobs = list(jobs)
        self.units = {name_of(metric): unit_of(metric) for metric in plan.metrics}
        self._absent = {name_of(metric): absent_of(metric) for metric in plan.metrics}
        self._results = [results[job.key] for job in jobs]

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each run, in order: what was varied, `seed`, the metrics, `digest`, `events`, `cpu_s`, `error`.

        Metrics that give a number for each of several names have a column for each, `metric.name`; the numbers of a
        run that failed are missing, and those of a part that a run does not give, unless the metric says what it counts
        as (`metric(unit, absent=0)`).
        """
        import pandas as pd

        names = self.columns
        rows = [
            {
                **job.varied,
                "seed": job.seed,
                **{name: self._value(result, name) for name in names},
                "digest": result.digest,
                "events": result.events,
                "cpu_s": result.cpu_s,
                "error": result.error,
            }
            for job, result in zip(self.jobs, self._results, strict=True)
        ]
        frame = pd.DataFrame(rows)
        return frame.astype(dict.fromkeys(names, "float64") | {"digest": "string", "error": "string"})

    def _value(self, result: Result, name: str) -> float | None:
        """A metric's number in a run; None when it is missing."""
        absent = None if result.error else self._absent.get(name.partition(".")[0])
        return result.values.get(name, absent)

    @property
    def columns(self) -> list[str]:
        """The frame's columns that the metrics gave."""
        return list(dict.fromkeys(name for result in self._results for name in result.values))

    @property
    def failures(self) -> pd.DataFrame:
        """The runs that failed: what was varied, `seed`, `error` and `traceback`."""
        import pandas as pd

        rows = [
            {**job.varied, "seed": job.seed, "error": result.error, "traceback": result.traceback}
            for job, result in zip(self.jobs, self._results, strict=True)
            if result.error
        ]
        return pd.DataFrame(rows, columns=[*(self.jobs[0].varied if self.jobs else []), "seed", "error", "traceback"])

    @property
    def cpu_s(self) -> float:
        """Processor seconds of all runs together."""
        return sum(result.cpu_s for result in self._results)

    def __len__(self) -> int:
        return len(self.jobs)

    def __repr__(self) -> str:
        failed = sum(bool(result.error) for result in self._results)
        return f"<Sweep of {len(self)} runs, {failed} failed; metrics {', '.join(self.units)}>"


def sweep(
    grid: Mapping[str, Sequence[Any]] | Sequence[Mapping[str, Any]],
    seeds: int | Sequence[int] = 10,
    metrics: Sequence[Metric] = DEFAULT,
    *,
    scenario: str | Mapping[str, Any] = "nearest-stars",
    rules: Mapping[str, Any] | None = None,
    hours: float = 1.0,
    setup: Setup | None = None,
    record_minutes: float | None = None,
    game: Own = None,
    executor: Executor | None = None,
    workers: int | None = None,
    database: str | Path | None = None,
    base_seed: int = 1,
    progress: bool = True,
) -> Sweep:
    """Run every point of a grid with every seed, and measure each run.

    Args:
        grid: `{rule: [values]}` for all combinations, or a list of points `{rule: value}`; the name "scenario" varies
            the scenario.
        seeds: how many, derived from `base_seed`; or the seeds themselves. All points get the same ones.
        metrics: functions from a `Simulation` to a number, or to numbers by name; see `gamekit.lab.metrics`.
        scenario, rules, hours, setup, record_minutes: as for `simulate`, for what the grid does not vary.
        game: rules of your own, as for `simulate`: `MyGame`, also of a notebook's cell, or `MyGame()`.
        executor: any `concurrent.futures.Executor`, e.g. Dask's `client.get_executor(pure=False)`; by default a pool
            of processes, which do not run the script again and end with this process.
        workers: how many processes; by default one for each processor.
        database: a SQLite file that keeps the results; runs that it holds already are not run again.
        base_seed: what the seeds are derived from.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: an argument is wrong, which is told before the first run; or a worker of `executor` died and broke
            it. What was done by then, also when the study is interrupted, is in the exception's `partial`.
    """
    plan = Plan(
        hours_of(hours),
        metrics_of(metrics, _varied(grid)),
        setup_of(setup),
        record_minutes_of(record_minutes),
        own_of(game),
    )
    chosen = chosen_seeds(seeds, base_seed)
    if not plan.metrics:
        raise ConfigError("A sweep needs at least one seed and one metric.")
    jobs = jobs_of(grid, chosen, scenario, rules)
    return _swept(plan, jobs, executor=executor, workers=workers, database=database, progress=progress)


def _varied(grid: Any) -> set[str]:
    """The columns that a grid has beside the metrics."""
    points = [grid] if isinstance(grid, Mapping) else grid if isinstance(grid, Sequence) else []
    return {str(name) for point in points if isinstance(point, Mapping) for name in point}


def sweep_recorded(
    sides: Sequence[Mapping[str, Any]],
    games: Sequence[str | Path],
    metrics: Sequence[Metric] = DEFAULT,
    *,
    game: Own = None,
    **how: Any,
) -> Sweep:
    """Play recorded games again under each side's rules, and measure each run.

    Args:
        sides: `{"side": name, "rules": {field: value}}`.
        games: capsules.
        metrics: as for `sweep`; `commands_refused` is measured as well.
        game: the rules' code to play them by; the bundled game's by default.
        how: `executor`, `workers`, `database` and `progress`, as for `sweep`.

    Raises:
        ConfigError: there are no games or no metrics.
    """
    several, measured = capsules_of(games), metrics_of(metrics, ("side", "game"))
    if not several or not measured:
        raise ConfigError("Recorded games are compared: give at least one capsule and one metric.")
    paths = [str(_capsule(one)) for one in several]
    if len({Path(path).stem for path in paths}) < len(paths):
        raise ConfigError("games: two capsules have the same name, by which their rows are told apart; rename one.")
    rules = {side["side"]: rules_of_side(side["rules"], f"side {side['side']}") for side in sides}
    jobs = [
        Job(None, changed, 0, {"side": side, "game": Path(path).stem}, recorded=path)
        for side, changed in rules.items()
        for path in paths
    ]
    return _swept(Plan(0.0, measured, game=own_of(game)), jobs, **how)


def _capsule(path: Any) -> Path:
    """A capsule that is there.

    Raises:
        ConfigError: it is not.
    """
    if not isinstance(path, str | PathLike):
        raise ConfigError(f"games: expected paths of capsules, got {path!r}.")
    found = Path(path).expanduser().resolve()
    if not found.is_file():
        raise ConfigError(f"games: there is no capsule {found}; `gamekit export GAME` writes one.")
    return found


def own_of(game: Own) -> SpaceGame | None:
    """The rules, or None for the bundled game's, which every worker has."""
    return None if game is None else space_rules_of(game)


def _swept(
    plan: Plan,
    jobs: Sequence[Job],
    *,
    executor: Executor | None = None,
    workers: int | None = None,
    database: str | Path | None = None,
    progress: bool = True,
) -> Sweep:
    executor_of(executor)
    workers = workers_of(workers)
    path = checked_path(database)
    jobs, why = plan.keyed(jobs)
    store = Store(path)
    try:
        if path is None:
            store.results.update({job.key: _left[job.key] for job in jobs if job.key in _left})
        elif why:
            _warn(f"{why} So {path} has no result that may be taken for one of these runs, and all are run.")
        missing = {job.key: job for job in jobs if job.key not in store.results}
        if store.older and len(missing) == len({job.key for job in jobs}):
            _warn(
                f"{path} holds {store.older} results that an older gamekit found by less than all that decides them; "
                "they stay there and are not taken, so all runs are run again."
            )
        _run_missing(plan, jobs, list(missing.values()), store, executor, workers, progress)
    except BaseException as error:
        _leave(plan, jobs, store, error, path)
        raise
    finally:
        store.close()
    outer = _outer.get()
    for job in jobs:
        if outer is None:
            _left.pop(job.key, None)
        elif path is None and not store.results[job.key].error:
            _left[job.key] = store.results[job.key]
            outer.add(job.key)
    return Sweep(plan, jobs, store.results)


#: What studies without a database had done when they were interrupted or failed, in this process: `{key: result}`.
_left: dict[str, Result] = {}
#: The keys of a study of several sweeps that is under way: what the finished ones gave is kept until it has ended.
_outer: ContextVar[set[str] | None] = ContextVar("_outer", default=None)
#: So many results are kept at most.
_MOST_LEFT = 100_000


@contextmanager
def one_study() -> Iterator[None]:
    """Sweeps in this block are parts of one study: when it is interrupted, all their results are kept."""
    keys: set[str] = set()
    token = _outer.set(keys)
    try:
        yield
    finally:
        _outer.reset(token)
    for key in keys:
        _left.pop(key, None)


def _leave(plan: Plan, jobs: Sequence[Job], store: Store, error: BaseException, path: Path | None) -> None:
    """Keep what a study has done that does not come to its end, and say in the error how to go on."""
    done = [job for job in jobs if job.key in store.results]
    if not done:
        return
    error.partial = Sweep(plan, done, store.results)  # type: ignore[attr-defined]
    if path is None:
        if len(_left) + len(done) > _MOST_LEFT:
            _left.clear()
        _left.update({job.key: store.results[job.key] for job in done if not store.results[job.key].error})
    where = f"in {path}" if path is not None else "in this process"
    error.add_note(
        f"{len(done)} of {len(jobs)} runs are done and kept {where}: the same call goes on from there. They are the "
        "attribute `partial` of this exception as well."
    )


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=4)


def _run_missing(
    plan: Plan,
    jobs: Sequence[Job],
    missing: Sequence[Job],
    store: Store,
    executor: Executor | None,
    workers: int | None,
    progress: bool,
) -> None:
    from tqdm.auto import tqdm

    with tqdm(total=len(jobs), initial=len(jobs) - len(missing), unit="run", disable=not progress) as bar:
        if missing:
            for pairs in carried_out(plan, missing, executor, workers):
                store.keep(pairs, plan.hours)
                bar.update(len(pairs))
                failed = sum(bool(result.error) for result in store.results.values())
                if failed:
                    bar.set_postfix_str(f"{failed} failed", refresh=False)
