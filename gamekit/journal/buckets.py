"""Tick times in buckets: how many single ticks took about so long, small enough to keep for every second.

The buckets are those of an HDR histogram with 32 to each power of two: up to 63 us every microsecond has its own, above
that a bucket is a thirty-second of its power of two wide. A bucket is named by the largest time in it, so a time that
is read from a bucket is never below the measured one, and at most 1/32 (3.2 %) above it. Counts of any number of
seconds add up exactly: a percentile of an hour is one of its single ticks, not a percentile of percentiles.

Stored as JSON, `{"1055": 3, "1087": 1}`: only buckets that have ticks, in ascending order. That is three times the
bytes of MessagePack, and the reason for it is that SQL, Datasette and people read it without us:
`SELECT key, sum(value) FROM latency, json_each(late_buckets) GROUP BY key`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

#: Bits of a time that its bucket keeps: 6 are 32 buckets to a power of two.
KEPT_BITS = 6
#: A time that is read from its bucket is at most this share above the measured one.
ERROR = 1 / 2 ** (KEPT_BITS - 1)
#: What a row says that was written before single ticks were counted.
UNKNOWN = "{}"

_decode = msgspec.json.Decoder(list[dict[int, int]]).decode


def top_of(us: int) -> int:
    """The largest time in the bucket of this one, both in microseconds; a time below zero counts as none."""
    spare = us.bit_length() - KEPT_BITS
    return us | ((1 << spare) - 1) if spare > 0 and us > 0 else max(us, 0)


def counted(ascending: Iterable[int]) -> str:
    """The buckets of these times, as they are stored.

    Args:
        ascending: in microseconds.
    """
    counts: dict[int, int] = {}
    for us in ascending:
        top = top_of(us)
        counts[top] = counts.get(top, 0) + 1
    return msgspec.json.encode(counts).decode()


def decoded(stored: Iterable[str]) -> list[dict[int, int]]:
    """Each as `{largest time of the bucket in us: ticks}`."""
    return _decode(f"[{','.join(stored)}]")


def merged(stored: Iterable[str]) -> dict[int, int]:
    """The counts of several seconds, games or servers added up, ascending."""
    counts: dict[int, int] = {}
    for one in decoded(stored):
        for top, ticks in one.items():
            counts[top] = counts.get(top, 0) + ticks
    return dict(sorted(counts.items()))


def percentile(counts: Mapping[int, int], percent: float) -> int:
    """The time that so many percent of the ticks did not exceed, in microseconds: the nearest rank, as in `latency`.

    Args:
        counts: as `merged` gives them, not empty.
        percent: above 0, at most 100; three decimals count.
    """
    rank = -(-sum(counts.values()) * round(percent * 1000) // 100_000)
    for top, ticks in counts.items():
        rank -= ticks
        if rank <= 0:
            return top
    return max(counts)
