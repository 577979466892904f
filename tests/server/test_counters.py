"""The loop's own counters look to Prometheus like its library's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from gamekit.server.counters import LoopCounter, LoopHistogram

BUCKETS = (0.001, 0.01, 0.1, 1.0)


@given(st.lists(st.sampled_from([0.0, 0.001, 0.0011, 0.05, 0.1, 0.75, 1.0, 2.0, 100.0])), st.lists(st.integers(0, 9)))
def test_what_is_shown_is_what_the_library_would_show(values: list[float], steps: list[int]) -> None:
    theirs, ours = CollectorRegistry(), CollectorRegistry()
    library = Histogram("t_seconds", "T.", buckets=BUCKETS, registry=theirs), Counter("c", "C.", registry=theirs)
    loop = LoopHistogram("t_seconds", "T.", buckets=BUCKETS, registry=ours), LoopCounter("c", "C.", registry=ours)
    for histogram, counter in (library, loop):
        for value in values:
            histogram.observe(value)
        for step in steps:
            counter.inc(step)

    def shown(registry: CollectorRegistry) -> list[str]:
        return [line for line in generate_latest(registry).decode().splitlines() if "_created" not in line]

    assert shown(ours) == shown(theirs)
