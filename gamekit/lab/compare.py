"""A against B: the same seeds, or the same recorded games, under two sets of rules, and what the difference is.

Runs are paired (common random numbers): both sides get the same galaxy and the same weather, so what differs between
them is the rules' doing. The confidence interval is that of the mean paired difference (`gamekit.interval`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gamekit.errors import ConfigError
from gamekit.files import replace_text
from gamekit.interval import mean_interval, no_spread
from gamekit.lab.arguments import confidence_of
from gamekit.lab.metrics import DEFAULT, Metric, company_credits, consumed_by_ware, made_by_ware, price_by_ware
from gamekit.lab.own import Own
from gamekit.lab.simulate import Setup
from gamekit.lab.sweeps.sweep import Sweep, sweep, sweep_recorded

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.lab.charts import Chart

#: What is compared when nobody says: the whole, and each ware and company by itself.
METRICS: tuple[Metric, ...] = (*DEFAULT, company_credits, made_by_ware, consumed_by_ware, price_by_ware)
#: The verdict on a single pair.
UNKNOWN = "unknown"
#: Pairs from which on it is no luck that all differ by the same number: a coin would not fall so in 95 of 100 cases.
FEW = 6
#: Metrics that a note names at most.
TOLD = 6
COLUMNS = ("metric", "unit", "pairs", "mean_a", "mean_b", "difference", "low", "high", "percent", "verdict")


class Comparison:
    """Two sides, measured.

    Attributes:
        rules_a, rules_b: what differs from the defaults on each side.
        runs: all runs.
        confidence: of the intervals, e.g. 0.95.
    """

    def __init__(
        self, rules_a: Mapping[str, Any], rules_b: Mapping[str, Any], runs: Sweep, pair: str, confidence: float
    ) -> None:
        self.rules_a, self.rules_b = dict(rules_a), dict(rules_b)
        self.runs = runs
        self.confidence = confidence
        self._pair = pair

    @property
    def pairs(self) -> pd.DataFrame:
        """A row for each pair and metric: the pair's seed or game, `metric`, `a`, `b`, `difference` (b less a).

        Pairs of which one side failed are left out.
        """
        import pandas as pd

        runs = self.runs.frame
        a, b = (runs[runs["side"] == side].set_index(self._pair) for side in ("a", "b"))
        parts = []
        for name in self.runs.columns:
            both = pd.DataFrame({"a": a[name], "b": b[name]}).dropna()
            both.insert(0, "metric", name)
            both["difference"] = both["b"] - both["a"]
            parts.append(both.rename_axis(self._pair).reset_index())
        if not parts:
            return pd.DataFrame(columns=[self._pair, "metric", "a", "b", "difference"])
        return pd.concat(parts, ignore_index=True)

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each metric: both means, the mean paired difference, its confidence interval, and a verdict.

        The verdict is "b is higher" or "b is lower" when the interval does not hold zero, "the same" when no pair
        differs, else "not told apart". Where every pair differs by the same number, no interval can be told, its ends
        are that number, and the verdict ends with "(deterministic)". One pair has no interval and no verdict: the ends
        are missing, the verdict is "unknown".
        """
        return self._told.copy()

    @cached_property
    def _told(self) -> pd.DataFrame:
        import pandas as pd

        rows = []
        for name, group in self.pairs.groupby("metric", sort=False):
            verdict, low, high = _judged(group, self.confidence)
            mean_a, mean_b, difference = (float(group[column].mean()) for column in ("a", "b", "difference"))
            percent = 100 * difference / abs(mean_a) if mean_a else float("nan")
            unit = self.runs.units.get(str(name).partition(".")[0], "")
            rows.append((name, unit, len(group), mean_a, mean_b, difference, low, high, percent, verdict))
        return pd.DataFrame(rows, columns=list(COLUMNS))

    @property
    def note(self) -> str:
        """What to know before believing the intervals; "" when there is nothing."""
        said = []
        if len(failures := self.runs.failures):
            first = failures.iloc[0]
            told = f"{len(failures)} of {len(self.runs)} runs failed, the first one on side {first['side']}"
            said.append(f"{told}: {first['error']}")
        pairs = self.pairs
        spread = pairs.groupby("metric")["difference"].nunique()
        if len(self.runs) > 2 and len(spread) and (spread == 1).all():
            said.append(
                "Every pair gave the same numbers: the seed decides nothing here, so more seeds say nothing more. "
                "Compare with storms (storm_rate) or in a procedural scenario."
            )
        if len(self.runs) // 2 == 1:
            said.append(f"One pair has no interval and no verdict; give seeds={FEW} or more.")
        if missing := self._missing(pairs):
            said.append(missing)
        return " ".join(said)

    def _missing(self, pairs: pd.DataFrame) -> str:
        """Which metrics lack a number in some pairs; "" when none does."""
        runs = self.runs.frame
        whole = len(runs[runs["error"] == ""].groupby(self._pair).filter(lambda both: len(both) == 2)) // 2
        counts = pairs.groupby("metric", sort=False).size().reindex(self.runs.columns, fill_value=0)
        few = counts[counts < whole]
        if few.empty:
            return ""
        told = ", ".join(f"{name} ({whole - count} of {whole})" for name, count in few.head(TOLD).items())
        more = f" and {len(few) - TOLD} metrics more" if len(few) > TOLD else ""
        return (
            f"Pairs in which a side gave no number are left out, and the rest may not be like them: {told}{more}. "
            "A part that counts as 0 where it does not occur is one of a metric that says so: @metric(unit, absent=0)."
        )

    def parts(self, metric: str) -> pd.DataFrame:
        """Of a metric that gives a number for each of several names (wares, companies), the rows of `frame`, by name.

        Args:
            metric: its name, e.g. "company_credits".

        Raises:
            ConfigError: it was not measured, or has no parts.
        """
        frame = self.frame
        found = frame[frame["metric"].str.startswith(f"{metric}.")].copy()
        if found.empty:
            known = ", ".join(self.with_parts) or "none"
            raise ConfigError(f"{metric!r} has no parts here; there are {known}.")
        found["metric"] = found["metric"].str.removeprefix(f"{metric}.")
        return found.rename(columns={"metric": "name"}).reset_index(drop=True)

    @property
    def whole(self) -> pd.DataFrame:
        """The rows of `frame` of the metrics without parts."""
        return self._told[~self._told["metric"].str.contains(".", regex=False)]

    @property
    def with_parts(self) -> list[str]:
        """The metrics that have a number for each of several names."""
        return list(dict.fromkeys(name.partition(".")[0] for name in self.frame["metric"] if "." in name))

    def chart(self, metric: str | None = None, *, width: int = 480) -> Chart:
        """Mean differences in percent of A, with their intervals; needs the `lab` extra.

        Args:
            metric: of each part of this metric; by default of every metric without parts.
            width: in pixels.
        """
        from gamekit.lab.charts.differences import difference_chart

        if metric is not None:
            return difference_chart(self.parts(metric).rename(columns={"name": "metric"}), width=width)
        return difference_chart(self.whole if len(self.whole) else self.frame, width=width)

    def report(self, path: str | Path | None = None) -> str:
        """The comparison as one page of HTML that needs no network; written to `path` when it is given."""
        from gamekit.lab.report import page

        text = page(self)
        if path is not None:
            replace_text(Path(path), text)
        return text

    def _repr_html_(self) -> str:
        from gamekit.lab.report import rules_told

        sides = f"<p>A: {rules_told(self.rules_a)}<br>B: {rules_told(self.rules_b)}</p>"
        return f"{sides}{self.frame.to_html(index=False)}<p>{self.note}</p>"

    def __repr__(self) -> str:
        return f"<Comparison of {len(self.runs) // 2} pairs: {', '.join(self.frame['metric'])}>"


def compare(
    rules_a: Mapping[str, Any],
    rules_b: Mapping[str, Any],
    seeds: int | Sequence[int] = 20,
    metrics: Sequence[Metric] = METRICS,
    *,
    games: Sequence[str | Path] | None = None,
    scenario: str | Mapping[str, Any] = "nearest-stars",
    hours: float = 1.0,
    setup: Setup | None = None,
    game: Own = None,
    executor: Executor | None = None,
    workers: int | None = None,
    database: str | Path | None = None,
    base_seed: int = 1,
    confidence: float = 0.95,
    progress: bool = True,
) -> Comparison:
    """Run two sets of rules on the same seeds, or on the same recorded games, and compare them pair by pair.

    Args:
        rules_a, rules_b: `{field: value}` for what differs from the defaults (or from a recorded game's own rules).
        seeds, metrics, scenario, hours, setup, game, executor, workers, database, base_seed, progress: as for `sweep`.
        games: capsules of recorded games: their players' commands are played again under both rules. `seeds`,
            `scenario`, `hours` and `setup` do not count then; how many commands were refused is a metric more.
        confidence: of the intervals.

    Raises:
        ConfigError: the arguments are wrong, which is told before the first run.
    """
    confidence = confidence_of(confidence)
    for name, rules in (("rules_a", rules_a), ("rules_b", rules_b)):
        if not isinstance(rules, Mapping):
            raise ConfigError(f"{name}: expected {{rule: value}}, got {rules!r}.")
    sides: list[dict[str, Any]] = [{"side": "a", "rules": dict(rules_a)}, {"side": "b", "rules": dict(rules_b)}]
    shared: dict[str, Any] = {"executor": executor, "workers": workers, "database": database, "progress": progress}
    shared["game"] = game
    pair = "seed" if games is None else "game"
    try:
        if games is not None:
            runs = sweep_recorded(sides, games, metrics, **shared)
        else:
            runs = sweep(
                [{"side": one["side"], **one["rules"]} for one in sides],
                seeds,
                metrics,
                scenario=scenario,
                hours=hours,
                setup=setup,
                base_seed=base_seed,
                **shared,
            )
    except BaseException as error:
        if isinstance(done := getattr(error, "partial", None), Sweep):
            # Of the pairs that are whole; the others are left out.
            error.partial = Comparison(rules_a, rules_b, done, pair, confidence)  # type: ignore[attr-defined]
        raise
    return Comparison(rules_a, rules_b, runs, pair, confidence)


def _judged(pairs: pd.DataFrame, confidence: float) -> tuple[str, float, float]:
    """The verdict on one metric's pairs, and the ends of the interval of their mean difference."""
    differences = [float(one) for one in pairs["difference"]]
    low, high = mean_interval(differences, confidence)
    if len(differences) < 2:
        return UNKNOWN, low, high
    if not any(differences):
        return "the same", low, high
    told = "b is higher" if low > 0 else "b is lower" if high < 0 else "not told apart"
    if not no_spread(differences):
        return told, low, high
    if len(differences) < FEW and not all(no_spread([float(one) for one in pairs[side]]) for side in ("a", "b")):
        # Seeds do decide something, and so few small counts may well be alike by luck.
        return "not told apart", math.nan, math.nan
    return f"{told} (deterministic)", low, high
