"""`sweep`: a grid of rules and scenarios with many seeds, measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gamekit.errors import ConfigError
from gamekit.lab.metrics import DEFAULT, Metric, absent_of, name_of, unit_of
from gamekit.lab.own import Own, space_rules_of
from gamekit.lab.simulate import Setup
from gamekit.lab.sweeps.jobs import Job, Plan, Result, chosen_seeds, jobs_of
from gamekit.lab.sweeps.pool import carried_out
from gamekit.lab.sweeps.store import Store
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
            of processes. (A script that uses the default needs `if __name__ == "__main__":`, as for any such pool.)
        workers: how many processes; by default one for each processor.
        database: a SQLite file that keeps the results; runs that it holds already are not run again.
        base_seed: what the seeds are derived from.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: the grid, a seed, a metric or the game is none, or a worker of `executor` died and broke it. Wrong
            rules are told by the runs that have them.
    """
    chosen = chosen_seeds(seeds, base_seed)
    if not chosen or not metrics:
        raise ConfigError("A sweep needs at least one seed and one metric.")
    plan = Plan(hours, tuple(metrics), setup, record_minutes, own_of(game))
    jobs = jobs_of(grid, chosen, scenario, rules or {})
    return _swept(plan, jobs, executor=executor, workers=workers, database=database, progress=progress)


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
    if not games or not metrics:
        raise ConfigError("Recorded games are compared: give at least one capsule and one metric.")
    paths = [str(Path(one).resolve()) for one in games]
    jobs = [
        Job(None, dict(side["rules"]), 0, {"side": side["side"], "game": Path(path).stem}, recorded=path)
        for side in sides
        for path in paths
    ]
    return _swept(Plan(0.0, tuple(metrics), game=own_of(game)), jobs, **how)


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
    jobs = plan.keyed(jobs)
    store = Store(Path(database) if database is not None else None)
    try:
        missing = {job.key: job for job in jobs if job.key not in store.results}
        _run_missing(plan, jobs, list(missing.values()), store, executor, workers, progress)
    finally:
        store.close()
    return Sweep(plan, jobs, store.results)


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
