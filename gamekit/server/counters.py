"""Counters and histograms for what happens many times a tick: plain additions, shown to Prometheus when it asks.

Those of prometheus_client take a lock and check their arguments at every call, which is right for threads. These belong
to the loop's thread alone; they cost a sixth, and `/metrics` shows them in the same form.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector


class LoopCounter(Collector):
    """A number that only grows.

    Args:
        name: without the ending `_total`.
        sentence: what it counts.
        registry: where it is shown.
    """

    __slots__ = ("_name", "_sentence", "total")

    def __init__(self, name: str, sentence: str, *, registry: CollectorRegistry) -> None:
        self._name, self._sentence = name, sentence
        self.total = 0.0
        registry.register(self)

    def inc(self, by: float = 1) -> None:
        """Add to it."""
        self.total += by

    def collect(self) -> Iterable[Metric]:
        """For the registry."""
        yield CounterMetricFamily(self._name, self._sentence, value=self.total)


class LoopHistogram(Collector):
    """How values are distributed.

    Args:
        name: with its unit at the end.
        sentence: what is observed.
        buckets: upper bounds, growing.
        registry: where it is shown.
    """

    __slots__ = ("_bounds", "_counts", "_name", "_sentence", "_sum")

    def __init__(self, name: str, sentence: str, *, buckets: Sequence[float], registry: CollectorRegistry) -> None:
        self._name, self._sentence = name, sentence
        self._bounds = tuple(buckets)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        registry.register(self)

    def observe(self, value: float) -> None:
        """One more."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def collect(self) -> Iterable[Metric]:
        """For the registry: cumulative counts, as Prometheus wants them."""
        buckets, below = [], 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            below += count
            buckets.append(("+Inf" if bound == float("inf") else str(bound), float(below)))
        yield HistogramMetricFamily(self._name, self._sentence, buckets=buckets, sum_value=self._sum)
