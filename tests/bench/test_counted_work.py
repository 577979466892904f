"""What the server does for a tick, a command and a spectator, counted: the same on a busy machine as on a quiet one."""

from __future__ import annotations

import json
import os
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from gamekit.bench.harness import Generator
from gamekit.bench.processes import SERVERS, BenchServer

ROOT = Path(__file__).parents[2]
SESSIONS, SECONDS = 60, 3.0
#: What a change may not exceed without a word in docs/performance.md: calls of Python functions, in Python 3.11, which
#: makes the most of them. A tenth above what they are; a command's are the more the fewer commands share a commit.
CALLS_A_TICK, CALLS_A_COMMAND = 162, 353
#: How long the server may take to tell its counts, in seconds.
TELL_S = 30


class Counted(NamedTuple):
    """What was done in one window, and what the load saw of it."""

    done: dict[str, float]
    seen: dict[str, Any]

    def each(self, what: str, of: str) -> float:
        """How many of one thing there were for each of another."""
        return self.done.get(what, 0.0) / self.done[of]


Window = Callable[[list[dict[str, Any]], float], Counted]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BenchServer, Window]]:
    """A server that counts, and how to look at it through a window of load."""
    directory = tmp_path_factory.mktemp("counted")
    fifo = directory / "counts"
    os.mkfifo(fifo)
    program = ("-m", "tests.bench.counting", str(fifo), *SERVERS["gamekit"][2:])
    with pytest.MonkeyPatch.context() as patch, os.fdopen(os.open(fifo, os.O_RDWR)) as pipe:
        patch.setenv("PYTHONPATH", str(ROOT))
        with BenchServer("gamekit", directory, program=program) as server:

            def counts() -> dict[str, float]:
                os.kill(server.pid, signal.SIGUSR1)
                assert select.select([pipe], [], [], TELL_S)[0], "the server does not tell its counts"
                told: dict[str, float] = json.loads(pipe.readline())
                return told

            def window(seats: list[dict[str, Any]], every_s: float) -> Counted:
                with Generator(seats, every_s, 1) as load:
                    load.measure(1.0)
                    before = counts()
                    seen = load.measure(SECONDS)
                    after = counts()
                return Counted({key: after[key] - before.get(key, 0) for key in after}, seen)

            yield server, window


@pytest.fixture(scope="module")
def quiet(served: tuple[BenchServer, Window]) -> Counted:
    """Ships fly, and nobody gives a command."""
    server, window = served
    return window(server.seats(SESSIONS, 2, 50, 1), 0.0)


@pytest.fixture(scope="module")
def busy(served: tuple[BenchServer, Window], quiet: Counted) -> Counted:
    """Everybody gives a command every half second, which is 240 a second."""
    server, window = served
    return window(server.seats(SESSIONS, 2, 50, 1), 0.5)


def test_a_tick_is_run_only_when_something_falls_due_in_it(quiet: Counted) -> None:
    # But for one that renews what a session has reserved, each quarter of a minute.
    assert quiet.done["tick_work_seconds"] <= quiet.done["legs"] + SESSIONS
    assert quiet.done["records"] == quiet.done["journal_wait_seconds"] == 0


def test_a_tick_is_encoded_and_framed_once_and_sent_to_each_with_one_system_call(quiet: Counted) -> None:
    ticks = quiet.done["tick_work_seconds"]
    assert ticks - SESSIONS <= quiet.done["messages_encoded"] <= ticks + SESSIONS
    assert quiet.done["framed"] == quiet.done["messages_encoded"]
    assert quiet.done["messages_sent"] == 2 * quiet.done["messages_encoded"]
    # What is more are the loop's own wake-ups by the journal's thread.
    assert quiet.done["messages_sent"] <= quiet.done["sends"] <= quiet.done["messages_sent"] + 20


def test_ticks_cost_no_waiting_calls_of_their_own_and_touch_no_poll_set(quiet: Counted) -> None:
    # Sessions share the twenty slots of a tick: two hundred times a second the loop wakes, however many they are.
    assert quiet.done["polls"] <= 200 * SECONDS + 100
    assert quiet.done["polls"] < 0.75 * quiet.done["tick_work_seconds"]
    assert quiet.done["epoll_changes"] == 0
    assert quiet.done["receives"] == 0


def test_a_second_without_commands_is_synced_once_for_its_measured_times(quiet: Counted) -> None:
    assert quiet.done["syncs"] <= 2 * SECONDS + 3


def test_a_command_costs_one_record_and_at_most_one_sync(busy: Counted) -> None:
    # On a busy machine commands of a game share a record; each player may have one under way when counting begins.
    assert 0.5 * busy.seen["sent"] <= busy.done["records"] <= busy.seen["sent"] + 2 * SESSIONS
    assert busy.done["commits"] <= busy.done["records"]
    # Beyond those: measured times, reservations and snapshots.
    assert busy.done["syncs"] <= busy.done["commits"] + 4 * SECONDS


def test_a_command_is_received_with_two_system_calls_and_answered_with_three_frames(busy: Counted) -> None:
    commands = busy.seen["sent"] + 2 * SESSIONS
    assert busy.done["receives"] <= 2.1 * commands
    assert busy.done["epoll_changes"] == 0
    # An ack, and that it was carried out, to the one; to both what it changed, with all else of that tick.
    assert busy.done["messages_encoded"] <= busy.done["tick_work_seconds"] + 2.05 * commands
    # Each message, and each report of the journal.
    assert busy.done["sends"] <= busy.done["messages_sent"] + 1.1 * commands + 20


def test_spectators_cost_a_system_call_each_and_nothing_else(served: tuple[BenchServer, Window]) -> None:
    server, window = served
    [one] = server.seats(1, 1, 500, 1)
    few, many = window([one] * 10, 0.0), window([one] * 200, 0.0)
    for seen in (few, many):
        # Heartbeats of the sessions that nobody looks at any more are not sent to anybody.
        assert seen.done["messages_encoded"] <= 10 * SECONDS + 5
        assert seen.done["framed"] == seen.done["messages_encoded"]
    assert many.done["messages_sent"] == 200 * many.done["messages_encoded"]
    assert many.done["sends"] <= many.done["messages_sent"] + 20


def test_calls_of_python_functions_for_a_tick_and_for_a_command(
    quiet: Counted, busy: Counted, report: Callable[[str], None]
) -> None:
    a_tick = quiet.each("calls", "tick_work_seconds")
    ticks_calls = a_tick * busy.done["tick_work_seconds"]
    a_command = (busy.done["calls"] - ticks_calls) / busy.seen["sent"]
    report(f"Python calls: {a_tick:.0f} a tick of a session with two players, {a_command:.0f} a command")
    assert a_tick < CALLS_A_TICK
    assert a_command < CALLS_A_COMMAND
