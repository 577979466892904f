"""What a search found: every trial, the best rules, how sure that is, and what they do on seeds that it never saw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from gamekit.lab.compare import Comparison
from gamekit.lab.metrics import Metric, name_of, unit_of
from gamekit.lab.optimise.goal import Goal
from gamekit.lab.ranges import Range

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.lab.charts import Chart


class Trial(msgspec.Struct, frozen=True):
    """One point, run with every seed.

    Attributes:
        number: from 0, in the order of the search.
        rules: `{rule: value}` of what varies.
        values: the metric for each seed; empty when a run failed.
        value: their mean.
        low, high: the interval of the mean.
        cpu_s: processor seconds of its runs.
        error: why it failed, or "".
    """

    number: int
    rules: dict[str, int]
    values: tuple[float, ...]
    value: float
    low: float
    high: float
    cpu_s: float
    error: str = ""


class Optimisation:
    """A finished search.

    Attributes:
        goal: what was searched for.
        ranges: where.
        trials: everything that was tried, in order.
        best: `{rule: value}`, the best that was found.
        check: the rules as they are (side A) against the best ones (side B) on seeds that the search did not use. What
            it says is to be believed, rather than the best trial's own value, which is the luckiest of many.
        study: Optuna's study, for its own charts and tools.
    """

    def __init__(
        self,
        goal: Goal,
        metric: Metric,
        ranges: Sequence[Range],
        trials: Sequence[Trial],
        best: Trial,
        check: Comparison,
        study: Any,
    ) -> None:
        self.goal = goal
        self.metric, self.unit = name_of(metric), unit_of(metric)
        self.ranges = tuple(ranges)
        self.trials = tuple(trials)
        self.best = dict(best.rules)
        self.check = check
        self.study = study
        self._best = best

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each trial: the rules, the metric's mean with its interval, and how it compares.

        `miss` is the distance from the target (of "highest" and "lowest" the distance from the best); `best_miss` is
        the least so far; `as_good` whether luck could explain that the best did better.
        """
        import pandas as pd

        ends = isinstance(self.goal.target, str)
        rows, least = [], math.inf
        for trial in self.trials:
            row: dict[str, Any] = {"trial": trial.number, **trial.rules}
            if trial.error:
                row |= {"as_good": False}
            else:
                miss = self.goal.miss(trial.value) - (self.goal.miss(self._best.value) if ends else 0.0)
                least = min(least, miss)
                told = {self.metric: trial.value, "low": trial.low, "high": trial.high, "miss": miss}
                row |= {**told, "best_miss": least, "as_good": self.goal.as_good(trial.values, self._best.values)}
            rows.append(row | {"cpu_s": trial.cpu_s, "error": trial.error})
        names = [self.metric, "low", "high", "miss", "best_miss"]
        columns = ["trial", *(one.name for one in self.ranges), *names, "as_good", "cpu_s", "error"]
        return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(names, "float64") | {"error": "string"})

    @property
    def rules(self) -> pd.DataFrame:
        """A row for each rule: what it is by default, what is best, and between which values trials were as good.

        Where `as_good_low` and `as_good_high` are far apart, this search does not say much about the rule.
        """
        import pandas as pd

        frame = self.frame
        good = frame[frame["as_good"]]
        rows = [
            {
                "rule": one.name,
                "unit": one.unit,
                "default": one.default,
                "best": self.best[one.name],
                "as_good_low": int(good[one.name].min()),
                "as_good_high": int(good[one.name].max()),
                "range_low": one.low,
                "range_high": one.high,
            }
            for one in self.ranges
        ]
        return pd.DataFrame(rows)

    @property
    def checked(self) -> dict[str, float]:
        """The metric under the best rules on fresh seeds: `mean`, `low` and `high` of its interval, and `seeds`."""
        pairs = self.check.pairs
        values = [float(value) for value in pairs[pairs["metric"] == self.metric]["b"]]
        if not values:
            return {"mean": math.nan, "low": math.nan, "high": math.nan, "seeds": 0}
        low, high = self.goal.interval(values)
        return {"mean": sum(values) / len(values), "low": low, "high": high, "seeds": len(values)}

    @property
    def reached(self) -> bool | None:
        """Whether the target lies within the fresh seeds' interval; None when there is no number to reach."""
        if isinstance(self.goal.target, str):
            return None
        told = self.checked
        return told["low"] <= self.goal.target <= told["high"]

    @property
    def finding(self) -> str:
        """What was found, in two sentences."""
        told, unit = self.checked, f" {self.unit}" if self.unit else ""
        rules = ", ".join(f"{name} = {value:,}" for name, value in self.best.items())
        verdict = {None: "", True: ", which holds the target", False: ", which misses the target"}[self.reached]
        span = f"{self.goal.confidence:.0%}: {told['low']:,.4g} to {told['high']:,.4g}"
        return (
            f"The best of {len(self.trials)} trials is {rules}, where {self.metric} was {self._best.value:,.4g}{unit} "
            f"over {len(self._best.values)} seeds. On {told['seeds']:.0f} seeds that the search had not seen it is "
            f"{told['mean']:,.4g}{unit} ({span}){verdict}."
        )

    def chart(self, *, width: int = 480) -> Chart:
        """The metric against each rule, and how the search went; needs the `lab` extra."""
        from gamekit.lab.charts.search import search_chart

        target = None if isinstance(self.goal.target, str) else self.goal.target
        names = [(one.name, one.unit) for one in self.ranges]
        return search_chart(self.frame, names, (self.metric, self.unit), self._best.number, target=target, width=width)

    def _repr_html_(self) -> str:
        return f"<p>{self.finding}</p>{self.rules.to_html(index=False, border=0)}"

    def __repr__(self) -> str:
        return f"<Optimisation of {self.metric} to {self.goal.told}: {self.finding}>"
