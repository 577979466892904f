"""Percentiles of single ticks over any span, from the buckets that every second of ticks is kept in.

A frame's `late_p99_ms` is the 99th percentile of one second, that is of ten ticks: its worst one. The percentiles of
an hour cannot be had from those of its seconds. The buckets of the seconds (`gamekit.journal.buckets`) can be added
up, so what is told here is the time of one of the ticks that were measured, at most 3.2 % too high and never too low.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from gamekit.errors import ConfigError
from gamekit.journal.buckets import decoded
from gamekit.lab.frames.long import uncollected

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: What there are buckets of, and what it is called: the start of a tick against its grid, and how long it took.
MEASURES = {"late": "lateness", "work": "duration"}
PERCENTS = (50.0, 90.0, 99.0, 99.9, 99.99)


def tick_percentiles(
    frame: pd.DataFrame, percents: float | Sequence[float] = PERCENTS, *, every_s: float | None = None
) -> pd.DataFrame:
    """What so many percent of the single ticks did not exceed.

    Args:
        frame: as `game.frame.latency` gives it; rows of an older gamekit, which have no buckets, do not count.
        percents: one or several, above 0 and at most 100; 100 is the worst tick.
        every_s: a row for each span of so many seconds, as far as ticks fell in it; None for the whole frame as one.

    Returns:
        A row a span, with `at` (its first second), `ticks`, and for each percentage `late_p50_ms`, `late_p99.9_ms` and
        so on, then the same for `work`: milliseconds.

    Raises:
        ConfigError: a percentage or a span that there is not, or no row has buckets.
    """
    import pandas as pd

    listed = [percents] if isinstance(percents, int | float | str) else list(percents)
    if wrong := [percent for percent in listed if not isinstance(percent, int | float) or not 0 < percent <= 100]:
        raise ConfigError(f"A percentile is a number above 0 and at most 100; got {wrong[0]!r}.")
    check_span(every_s)
    rows = with_buckets(frame)
    spans = pd.Series(0, index=rows.index)
    if every_s is not None:
        spans = (rows["at"].astype("int64") // round(every_s * 1e9)).astype("int64")
    first = rows.groupby(spans)["at"].min()
    made: dict[str, object] = {"at": first.to_numpy(), "ticks": rows.groupby(spans)["ticks"].sum().to_numpy()}
    for measure in MEASURES:
        found = merged_percentiles(rows[f"{measure}_buckets"], spans, listed)
        made |= {f"{measure}_p{percent:g}_ms": column for percent, column in zip(listed, found.T, strict=True)}
    return pd.DataFrame(made).astype({"at": "datetime64[ns, UTC]", "ticks": "int64"})


def check_span(every_s: float | None) -> None:
    """Complain of a span that there is not.

    Raises:
        ConfigError: it is no number of seconds above 0.
    """
    if every_s is not None and not (isinstance(every_s, int | float) and every_s > 0):
        raise ConfigError(f"every_s is a number of seconds above 0; got {every_s!r}.")


def with_buckets(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of a latency frame that tell of single ticks, oldest first.

    Raises:
        ConfigError: there are none.
    """
    if "late_buckets" not in frame:
        raise ConfigError("Single ticks are told by a latency frame, e.g. game.frame.latency.")
    rows = frame[frame["late_buckets"].notna() & frame["work_buckets"].notna()].sort_values("at")
    if rows.empty and not frame.empty:
        raise ConfigError(
            "These rows tell nothing of single ticks; they were written by an older gamekit. "
            "Rows that this one writes do; charts.latency_percentile_chart shows old ones second by second."
        )
    if rows.empty:
        raise ConfigError("There are no latency rows yet; the server writes one a second while ticks run.")
    return rows.reset_index(drop=True)


def added(stored: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """All buckets of a column added up: their times in ms, ascending, and how many ticks are in each."""
    import numpy as np

    _, tops, ticks = _flat(stored)
    times, places = np.unique(tops, return_inverse=True)
    return times / 1000, np.bincount(places, weights=ticks).astype("int64")


def merged_percentiles(stored: pd.Series, spans: pd.Series, percents: Sequence[float]) -> np.ndarray:
    """Percentiles of each span of rows, nearest rank, in milliseconds: a line a span, a column a percentage.

    Args:
        stored: buckets as they are kept, none of them missing.
        spans: which span each of these rows belongs to; lines are in ascending order of these.
        percents: above 0, at most 100.
    """
    import numpy as np

    sizes, tops, ticks = _flat(stored)
    _, span_of_row = np.unique(spans.to_numpy(), return_inverse=True)
    span = np.repeat(span_of_row, sizes)
    order = np.lexsort((tops, span))
    span, tops, reached = span[order], tops[order], np.cumsum(ticks[order])
    # The running count over all spans; each span's own begins after what the spans before it had.
    totals = np.bincount(span, weights=ticks[order]).astype("int64")
    before = np.cumsum(totals) - totals
    ranks = -(-totals[:, None] * np.round(np.asarray(percents) * 1000).astype("int64") // 100_000)
    found: np.ndarray = tops[np.searchsorted(reached, before[:, None] + ranks)] / 1000
    return found


def _flat(stored: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How many buckets each row has, and all buckets' times in microseconds and counts, one after the other."""
    import numpy as np

    with uncollected():
        rows = decoded(stored.tolist())
    sizes = np.fromiter(map(len, rows), dtype="int64", count=len(rows))
    total = int(sizes.sum())
    tops = np.fromiter(chain.from_iterable(rows), dtype="int64", count=total)
    ticks = np.fromiter(chain.from_iterable(map(dict.values, rows)), dtype="int64", count=total)
    return sizes, tops, ticks
