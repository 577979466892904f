"""Where tick times are measured: a second of one session's ticks at a time, and the server's metrics."""

from __future__ import annotations

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gamekit.journal import LatencyRow
from gamekit.journal.buckets import counted
from gamekit.server.counters import LoopCounter, LoopHistogram

_BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)


class Metrics:
    """What `/metrics` shows. One registry per server, so that tests can run several in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sessions = Gauge("gamekit_sessions", "Sessions in memory.", registry=self.registry)
        self.connections = Gauge("gamekit_connections", "Attached sockets.", registry=self.registry)
        self.lateness = LoopHistogram(
            "gamekit_tick_lateness_seconds",
            "Start of a tick against the grid.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.work = LoopHistogram(
            "gamekit_tick_work_seconds", "Duration of a tick's work.", buckets=_BUCKETS, registry=self.registry
        )
        self.journal = LoopHistogram(
            "gamekit_journal_wait_seconds",
            "Time from handing a record to the journal until it is durable.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.records = LoopCounter("gamekit_records", "Journal records written.", registry=self.registry)
        self.commits = LoopCounter("gamekit_commits", "Journal commits that served them.", registry=self.registry)
        self.messages = LoopCounter("gamekit_messages_sent", "Messages sent to sockets.", registry=self.registry)
        self.encodings = LoopCounter("gamekit_messages_encoded", "Messages encoded for them.", registry=self.registry)
        self.refused = Counter(
            "gamekit_messages_refused", "Messages from clients answered with an error.", registry=self.registry
        )
        self.sleeps = Counter("gamekit_sleeps", "Sessions that fell asleep.", registry=self.registry)
        self.wakes = Counter("gamekit_wakes", "Sessions brought into memory.", registry=self.registry)
        self.sleepers = Gauge("gamekit_sleepers", "Sleeping sessions with open sockets.", registry=self.registry)
        self.recovery = Histogram(
            "gamekit_wake_seconds",
            "Time from asking for a session that is not in memory until it is.",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.overloaded = Gauge("gamekit_overloaded_sessions", "Sessions that are overloaded.", registry=self.registry)
        self.overloads = Counter(
            "gamekit_overloads", "Times that a session became overloaded.", ["policy"], registry=self.registry
        )
        self.dilated = Counter("gamekit_dilated_seconds", "Time that dilated sessions gave up.", registry=self.registry)
        self.readonly = Gauge("gamekit_readonly_sessions", "Sessions that take no command.", registry=self.registry)
        self.journal_failing = Gauge(
            "gamekit_journal_failing", "1 while nothing can be written to the journal.", registry=self.registry
        )
        self.journal_late = Gauge(
            "gamekit_journal_late", "1 while writes wait for another program's lock.", registry=self.registry
        )
        self.journal_log = Gauge(
            "gamekit_journal_log_bytes", "Size of the journal's write-ahead log.", registry=self.registry
        )
        self.long_calls = Counter(
            "gamekit_long_calls",
            "Calls into a game's rules that took over 100 ms and could not be divided.",
            registry=self.registry,
        )
        self.waiting_turns = Gauge(
            "gamekit_waiting_turns", "Games whose work waits for its next turn on the loop.", registry=self.registry
        )
        self.slow = Counter(
            "gamekit_slow_clients", "Connections that fell behind and get snapshots.", registry=self.registry
        )


class TickTimes:
    """One second of one session's ticks; also the session's meter of phases. All times in microseconds.

    A tick only notes its two times; what they come to is worked out once a second, when nobody waits for a tick.
    """

    def __init__(self) -> None:
        self._late: list[int] = []
        self._work: list[int] = []
        self._phases = {"commands": 0, "rules": 0, "journal": 0, "fanout": 0}
        self._lap_ns = 0
        #: Median lateness of the last second that had ticks.
        self.lately_late_us = 0

    def lap(self, phase: str) -> None:
        """The time since the last lap belongs to `phase`; "other" is not kept."""
        now = time.perf_counter_ns()
        if phase in self._phases:
            self._phases[phase] += (now - self._lap_ns) // 1000
        self._lap_ns = now

    def add(self, late_us: int, work_us: int) -> None:
        """One tick was executed."""
        self._late.append(late_us)
        self._work.append(work_us)

    def add_journal(self, wait_us: int) -> None:
        """One record became durable."""
        self._phases["journal"] += wait_us

    def add_fanout(self, fanout_us: int) -> None:
        """Messages were encoded and written to sockets."""
        self._phases["fanout"] += fanout_us

    def row(self, game: str, at_s: float) -> LatencyRow | None:
        """The second's row, and begin a new second; None when no tick was executed."""
        if not self._late:
            return None
        late, work = sorted(self._late), sorted(self._work)
        self.lately_late_us = _at(late, 50)
        row = LatencyRow(
            game=game,
            at_s=at_s,
            ticks=len(late),
            late_p50_us=_at(late, 50),
            late_p99_us=_at(late, 99),
            late_max_us=late[-1],
            work_p50_us=_at(work, 50),
            work_p99_us=_at(work, 99),
            work_max_us=work[-1],
            commands_us=self._phases["commands"],
            rules_us=self._phases["rules"],
            journal_us=self._phases["journal"],
            fanout_us=self._phases["fanout"],
            late_buckets=counted(late),
            work_buckets=counted(work),
        )
        self._late, self._work = [], []
        self._phases = dict.fromkeys(self._phases, 0)
        return row


def _at(ordered: list[int], percent: int) -> int:
    """The nearest-rank percentile of a sorted, non-empty list."""
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)]
