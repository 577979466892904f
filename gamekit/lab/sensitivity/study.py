"""`sensitivity`: a design of points run as a sweep, and the result as a frame, a chart and a table in a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gamekit.errors import ConfigError
from gamekit.lab.arguments import base_seed_of, confidence_of
from gamekit.lab.metrics import DEFAULT, Metric
from gamekit.lab.own import Own
from gamekit.lab.ranges import Ranges, ranges_of
from gamekit.lab.sensitivity.design import Design, Morris, Sobol, Table
from gamekit.lab.simulate import Setup
from gamekit.lab.sweeps.sweep import Sweep, sweep

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.lab.charts import Chart

_DESIGNS: dict[str, tuple[type[Design], int]] = {"morris": (Morris, 10), "sobol": (Sobol, 64)}
#: The frame's first columns; then come the design's own, `chance` and `verdict`.
COLUMNS = ("metric", "unit", "rule", "rule_unit", "range_low", "range_high")


class Sensitivity:
    """What each rule does to each metric.

    Attributes:
        design: the points, and how they are judged.
        runs: all runs.
        confidence: of the intervals, e.g. 0.95.
        frame: a row for each metric and rule, the strongest first: `effect` with its interval `low` to `high`, the
            design's other columns (see `gamekit.lab.sensitivity.design`), `chance`, and a `verdict`: "matters" when the
            whole interval lies above chance, "does nothing" when no run was changed by it, "unknown" when there is one
            seed only, of which chance (then missing) cannot be told, else "not told from chance".
    """

    def __init__(self, design: Design, runs: Sweep, confidence: float) -> None:
        self.design = design
        self.runs = runs
        self.confidence = confidence
        self._lost: dict[str, int] = {}
        self.frame = self._judged()

    def _judged(self) -> pd.DataFrame:
        import pandas as pd

        runs = self.runs.frame
        rows = []
        for metric in self.runs.columns:
            values: Table = runs[metric].to_numpy(dtype=np.float64).reshape(len(self.design.points), -1)
            found, self._lost[metric] = self.design.judged(values, self.confidence)
            unit = self.runs.units.get(metric.partition(".")[0], "")
            several: list[dict[str, Any]] = [
                dict(zip(COLUMNS, (metric, unit, one.name, one.unit, one.low, one.high), strict=True)) | numbers
                for one, numbers in zip(self.design.ranges, found, strict=True)
            ]
            rows += sorted(several, key=lambda row: -row["effect"])
        if not rows:
            first = self.runs.failures["error"].iloc[0]
            raise ConfigError(f"Every run failed, the first one with: {first}")
        return pd.DataFrame(rows, columns=[*COLUMNS, *self.design.columns, "chance", "verdict"])

    @property
    def ranking(self) -> pd.DataFrame:
        """Rules against metrics: the effects as shares of each metric's largest, for an overview."""
        table = self.frame.pivot_table(index="rule", columns="metric", values="effect", sort=False)
        return table / table.max().where(lambda most: most > 0, 1.0)

    @property
    def note(self) -> str:
        """What is to be known before believing the frame; "" when nothing is."""
        said = []
        if len({job.seed for job in self.runs.jobs}) == 1:
            said.append("One seed only: what is chance cannot be told, nor what matters; give seeds=4 or more.")
        lost = max(self._lost.values())
        if lost:
            said.append(f"Up to {lost} of {self.design.samples} parts of the design were left out, see runs.failures.")
        if self.design.name == "sobol" and (self.frame["high"] - self.frame["low"]).max() > 0.5:
            said.append("Some intervals are wider than half of all variance: take more samples.")
        return " ".join(said)

    def chart(self, *, width: int = 480) -> Chart:
        """Each rule's effect on each metric, with its interval and what chance would do; needs the `lab` extra."""
        from gamekit.lab.charts.sensitivity import sensitivity_chart

        return sensitivity_chart(self.frame, width=width)

    def _repr_html_(self) -> str:
        unit = "in the metric's unit, over the rule's range" if self.design.name == "morris" else "share of variance"
        runs = f"{len(self.runs):,} runs, {self.confidence:.0%} intervals; effects: {unit}. {self.note}"
        table = self.frame.to_html(index=False, float_format=lambda one: f"{one:,.3g}", border=0)
        return f"<p>{self.design.name.capitalize()}: {runs}</p>{table}"

    def __repr__(self) -> str:
        strong = self.frame[self.frame["verdict"] == "matters"].groupby("metric", sort=False)["rule"].agg(", ".join)
        told = "; ".join(f"{metric}: {rules}" for metric, rules in strong.items())
        return f"<Sensitivity by {len(self.runs):,} runs; what matters for {told or 'nothing that was measured'}>"


def sensitivity(
    ranges: Ranges,
    seeds: int | Sequence[int] = 4,
    metrics: Sequence[Metric] = DEFAULT,
    *,
    method: str = "morris",
    samples: int | None = None,
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
    confidence: float = 0.95,
    progress: bool = True,
) -> Sensitivity:
    """Find out which rule matters for which metric; needs the `search` extra.

    Args:
        ranges: `{rule: (lowest, highest)}`; or names alone, which then vary from half to twice their values.
        seeds: as for `sweep`. All points get the same ones, and a metric is averaged over them.
        metrics: as for `sweep`.
        method: "morris" for screening: which rules matter at all, in `samples * (rules + 1)` points; or "sobol" for
            shares of the variance, in `samples * (rules + 2)` points. Each point is run with every seed.
        samples: by default 10 trajectories for Morris, and 64 for Sobol, where it must be a power of 2.
        scenario, rules, hours, setup, record_minutes, game: as for `sweep`, for what does not vary.
        executor, workers, database, progress: as for `sweep`; with a database, a study that was stopped goes on.
        base_seed: what the seeds, the points and the bootstrap are derived from; the same one gives the same result.
        confidence: of the intervals.

    Raises:
        ConfigError: the arguments are wrong, SALib is not installed, or too many runs failed.
    """
    if method not in _DESIGNS:
        raise ConfigError(f"method: must be one of {', '.join(_DESIGNS)}, got {method!r}.")
    confidence, base_seed = confidence_of(confidence), base_seed_of(base_seed)
    kind, usual = _DESIGNS[method]
    count = usual if samples is None else samples
    if not isinstance(count, int) or count < 2 or (kind is Sobol and count & (count - 1)):
        wanted = "a power of 2, e.g. 64" if kind is Sobol else "at least 2, e.g. 10"
        raise ConfigError(f"samples: must be {wanted}, got {count!r}.")
    varied = ranges_of(ranges, rules or {})
    design = kind(varied, count, abs(base_seed) or 1)
    runs = sweep(
        design.points,
        seeds,
        metrics,
        scenario=scenario,
        rules=rules,
        hours=hours,
        setup=setup,
        record_minutes=record_minutes,
        game=game,
        executor=executor,
        workers=workers,
        database=database,
        base_seed=base_seed,
        progress=progress,
    )
    return Sensitivity(design, runs, confidence)
