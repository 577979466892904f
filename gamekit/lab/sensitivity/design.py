"""Where to look, and what the values found there say: Morris's screening and Sobol's shares, over whole numbers.

Knows no game: a design gives points, takes a table of values (a row for each point, a column for each seed) and
returns numbers for each rule. Points come in blocks that can be judged alone, so a block in which something went wrong
can be left out.

Two kinds of uncertainty are told apart. The interval says how the number might change with other *points*. `chance` is
what a rule that does nothing on average would show all the same because *seeds* differ: changing anything in a game
changes its luck. Only what is clearly above chance is called an effect; one seed cannot tell what chance is.

Source: M. Morris, "Factorial Sampling Plans for Preliminary Computational Experiments", Technometrics 33, 1991;
F. Campolongo et al., "An effective screening design for sensitivity analysis of large models", Environmental Modelling
& Software 22, 2007 (the mean of absolute effects); A. Saltelli et al., "Variance based sensitivity analysis of model
output", Computer Physics Communications 181, 2010. Sampling and Sobol's estimators are SALib's. Morris's effects are
worked out here, since SALib divides them by the nominal step, which rounding to whole numbers changes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from gamekit.errors import ConfigError
from gamekit.interval import mean_interval, t_quantile
from gamekit.lab.extras import needed
from gamekit.lab.ranges import Range

Table: TypeAlias = npt.NDArray[np.float64]

#: Resamples of Sobol's bootstrap.
RESAMPLES = 2_000
#: Morris: values of each rule on which trajectories lie.
LEVELS = 4
MATTERS, CHANCE, NOTHING, UNKNOWN = "matters", "not told from chance", "does nothing", "unknown"
_PURPOSE = "Sensitivity"


class Design(ABC):
    """Points in the space of rules.

    Args:
        ranges: what varies.
        samples: how many blocks.
        seed: decides the points and the bootstrap; not the games' seeds.

    Attributes:
        points: `{rule: value}` for each, block by block.
    """

    #: What it is called, and what the columns are called that `judged` gives beside `chance` and `verdict`.
    name: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def __init__(self, ranges: Sequence[Range], samples: int, seed: int) -> None:
        self.ranges = tuple(ranges)
        self.samples = samples
        self.seed = seed
        shares = self._sampled()
        self.points = [self._whole(row) for row in shares]

    @property
    def block(self) -> int:
        """Points in a block."""
        return len(self.points) // self.samples

    @abstractmethod
    def _sampled(self) -> Table:
        """The points in the unit cube, a row for each."""

    @abstractmethod
    def _whole(self, row: Sequence[float]) -> dict[str, int]:
        """A row as rules."""

    @abstractmethod
    def _numbers(self, whole: npt.NDArray[np.bool_], values: Table, confidence: float) -> list[dict[str, float]]:
        """`columns` and "chance" for each rule, from the blocks that are whole; not all values are the same."""

    def judged(self, values: Table, confidence: float = 0.95) -> tuple[list[dict[str, Any]], int]:
        """What the values say about each rule.

        Args:
            values: a row for each point, a column for each seed; NaN where there is none.
            confidence: of the intervals.

        Returns:
            Numbers, "chance" and "verdict" for each rule, in order; and how many blocks had to be left out.

        Raises:
            ConfigError: less than two blocks are left.
        """
        blocks = values.reshape(self.samples, self.block, -1)
        whole = np.asarray(~np.isnan(blocks).any(axis=(1, 2)))
        lost = self.samples - int(whole.sum())
        if self.samples - lost < 2:
            raise ConfigError(
                f"{lost} of {self.samples} parts of the design have a run without a value, which leaves too few; look "
                "at `runs.failures`, narrow the ranges, or measure something that every run has."
            )
        kept = blocks[whole].reshape(-1, values.shape[1])
        if np.ptp(kept.mean(axis=1)) == 0:
            nothing = dict.fromkeys((*self.columns, "chance"), 0.0)
            if values.shape[1] < 2:
                nothing["chance"] = np.nan
            return [{**nothing, "verdict": NOTHING} for _ in self.ranges], lost
        found: list[dict[str, Any]] = []
        for numbers in self._numbers(whole, kept, confidence):
            verdict = MATTERS if numbers["low"] > numbers["chance"] else CHANCE
            if values.shape[1] < 2:
                verdict, numbers["chance"] = UNKNOWN, np.nan
            found.append({**numbers, "verdict": NOTHING if numbers["effect"] == 0 else verdict})
        return found, lost


class Morris(Design):
    """Screening: trajectories on which one rule after the other takes a step.

    `effect` is the mean absolute effect (mu*) and `trend` the mean effect (mu) of a rule on the metric, both scaled to
    the rule's whole range, in the metric's unit; `bend` is the effects' standard deviation (sigma): large where the
    effect depends on where one stands, because it is not linear or because rules work together.
    """

    name = "morris"
    columns = ("effect", "low", "high", "trend", "trend_low", "trend_high", "bend")

    def _sampled(self) -> Table:
        morris = needed("SALib.sample.morris", "search", _PURPOSE)
        shares: Table = morris.sample(
            _cube(self.ranges), self.samples, num_levels=LEVELS, local_optimization=False, seed=self.seed
        )
        return shares

    def _whole(self, row: Sequence[float]) -> dict[str, int]:
        return {one.name: one.nearest(share) for one, share in zip(self.ranges, row, strict=True)}

    def _numbers(self, whole: npt.NDArray[np.bool_], values: Table, confidence: float) -> list[dict[str, float]]:
        at = np.array([list(point.values()) for point in self.points], dtype=float)
        at = at.reshape(self.samples, self.block, -1)[whole]
        blocks = values.reshape(len(at), self.block, -1)
        steps, rises = np.diff(at, axis=1), np.diff(blocks, axis=1)
        found = []
        for number, one in enumerate(self.ranges):
            # Each trajectory moves each rule once; LEVELS is such that no step is rounded away.
            moved = steps[:, :, number].nonzero()
            by_seed = rises[moved] / (steps[:, :, number][moved] / one.width)[:, None]
            effects = by_seed.mean(axis=1)
            low, high = mean_interval(np.abs(effects).tolist(), confidence)
            trend_low, trend_high = mean_interval(effects.tolist(), confidence)
            seeds = by_seed.shape[1]
            error = np.sqrt(by_seed.var(axis=1, ddof=1).mean() / seeds) if seeds > 1 else 0.0
            found.append(
                {
                    "effect": float(np.abs(effects).mean()),
                    "low": max(low, 0.0),
                    "high": high,
                    "trend": float(effects.mean()),
                    "trend_low": trend_low,
                    "trend_high": trend_high,
                    "bend": float(effects.std(ddof=1)),
                    # The mean of |x| where x is normal with this error and no mean.
                    "chance": float(np.sqrt(2 / np.pi) * error),
                }
            )
        return found


class Sobol(Design):
    """Shares of the metric's variance over the whole space, which take many runs.

    `effect` is a rule's total share (ST), with everything that it does together with others; `alone` is what it does
    by itself (S1). Totals may add up to more than 1. Estimates of small shares may be a little below 0.
    """

    name = "sobol"
    columns = ("effect", "low", "high", "alone", "alone_low", "alone_high")

    def _sampled(self) -> Table:
        sobol = needed("SALib.sample.sobol", "search", _PURPOSE)
        shares: Table = sobol.sample(_cube(self.ranges), self.samples, calc_second_order=False, seed=self.seed)
        return shares

    def _whole(self, row: Sequence[float]) -> dict[str, int]:
        return {one.name: one.drawn(share) for one, share in zip(self.ranges, row, strict=True)}

    def _numbers(self, whole: npt.NDArray[np.bool_], values: Table, confidence: float) -> list[dict[str, float]]:
        sobol = needed("SALib.analyze.sobol", "search", _PURPOSE)
        means = values.mean(axis=1)
        # SALib takes a falsy seed for none.
        shares = sobol.analyze(
            _cube(self.ranges),
            means,
            calc_second_order=False,
            num_resamples=RESAMPLES,
            conf_level=confidence,
            seed=self.seed or 1,
        )
        # SALib takes the resamples' spread for the error and the normal law for its bounds; few blocks need more.
        blocks = int(whole.sum())
        wider = t_quantile((1 + confidence) / 2, blocks - 1) / NormalDist().inv_cdf((1 + confidence) / 2)
        wider *= math.sqrt(blocks / (blocks - 1))
        chance = float(_noise(values) / means.var())
        found = []
        for number in range(len(self.ranges)):
            total, alone = (float(shares[name][number]) for name in ("ST", "S1"))
            total_half, alone_half = (float(shares[name][number]) * wider for name in ("ST_conf", "S1_conf"))
            found.append(
                {
                    "effect": total,
                    "low": total - total_half,
                    "high": total + total_half,
                    "alone": alone,
                    "alone_low": alone - alone_half,
                    "alone_high": alone + alone_half,
                    "chance": chance,
                }
            )
        return found


def _cube(ranges: Sequence[Range]) -> dict[str, Any]:
    """The unit cube as SALib wants to be told of it."""
    return {"num_vars": len(ranges), "names": [one.name for one in ranges], "bounds": [[0.0, 1.0]] * len(ranges)}


def _noise(values: Table) -> float:
    """The variance of a point's mean that is the seeds' doing: what is left when points and seeds have their means.

    A seed that is good for all points alike moves them all, and so says nothing about their differences.
    """
    points, seeds = values.shape
    if seeds < 2:
        return 0.0
    left = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0, keepdims=True) + values.mean()
    return float((left**2).sum() / ((points - 1) * (seeds - 1)) / seeds)
