"""The search for a capacity finds the one that there is, and the exponent is that of the cost."""

from __future__ import annotations

import json
import math
import os
import random
import time
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from click.testing import CliRunner

from gamekit.bench.capacity import BUSY_LOAD, SMALL, find, holds, run
from gamekit.bench.fit import power_law
from gamekit.bench.harness import Generators
from gamekit.bench.processes import BenchServer, cpu_s, machine_cpu_s
from gamekit.bench.search import Plan, Search
from gamekit.cli import main
from gamekit.cli.capacity import table
from gamekit.errors import ConfigError


class Pretended:
    """A server that holds so many sessions, and costs `0.001 * sessions ** exponent`."""

    def __init__(self, capacity: int, exponent: float = 1.0, stumbles: tuple[int, ...] = ()) -> None:
        self.capacity, self.exponent = capacity, exponent
        #: Calls, counted from 0, at which it fails whatever is asked.
        self.stumbles = stumbles
        self.asked: list[int] = []

    def __call__(self, sessions: int) -> dict[str, Any]:
        stumbled = len(self.asked) in self.stumbles
        self.asked.append(sessions)
        late = 80.0 if sessions > self.capacity or stumbled else 4.0
        cost = 0.001 * sessions**self.exponent
        return {
            "sessions": sessions,
            "sockets_open": sessions,
            "server_cpu_per_s": cost,
            "generator_cpu_per_s": cost / 2,
            "others_cpu_per_s": 0.0,
            "late_ms_p50": 1.0,
            "late_ms_p99": late,
            "ack_ms_p50": 2.0,
            "ack_ms_p99": 3.0,
            "windows": 3,
            "sent": sessions * 30,
            "acknowledged": sessions * 30,
            "frames_per_s": sessions * 4.0,
            "bytes_per_s": sessions * 700.0,
            "refused": 0,
            "resident_kb_per_session": 100.0,
            "load_busy": cost / 2 > BUSY_LOAD,
        }


@pytest.mark.parametrize("capacity", [100, 101, 777, 1500, 4000, 9_999])
def test_the_capacity_is_found_from_below_and_closely(capacity: int) -> None:
    server = Pretended(capacity)
    found = find(Plan(first=100, factor=1.5, most=50_000, halvings=6, near=0.02), 50.0, server)
    assert found["capacity"] <= capacity < found["failed"]
    assert capacity - found["capacity"] <= max(0.02 * capacity, 1)
    # What fails is asked again before it is believed; half of what held comes last.
    assert server.asked.count(found["failed"]) == 2
    assert server.asked[-1] == found["half"]["sessions"] == found["capacity"] // 2
    assert found["half"]["held"]


def test_numbers_grow_until_one_fails_and_no_number_that_held_is_asked_again() -> None:
    server = Pretended(700)
    find(Plan(first=100, factor=2, halvings=2), 50.0, server)
    assert server.asked == [100, 200, 400, 800, 800, 600, 700, 350]


def test_one_bad_moment_does_not_end_the_search() -> None:
    calm, stumbling = Pretended(1_000), Pretended(1_000, stumbles=(0, 3, 6))
    plan = Plan(first=100, factor=2, halvings=5)
    assert find(plan, 50.0, stumbling)["capacity"] == find(plan, 50.0, calm)["capacity"]


def test_a_search_that_nothing_stops_says_at_least() -> None:
    found = find(Plan(first=3, factor=2, most=10), 50.0, server := Pretended(1_000))
    assert server.asked == [3, 6, 10, 5]
    assert (found["capacity"], found["failed"]) == (10, None)
    assert "holds at least 10 sessions under 50 ms (p99); nothing failed." in "\n".join(shown(found))


def test_a_server_that_holds_less_than_the_first_number_is_found_out_below_it() -> None:
    found = find(Plan(first=64, halvings=10), 50.0, Pretended(5))
    assert (found["capacity"], found["failed"]) == (5, 6)
    nothing = find(Plan(first=4, halvings=10), 50.0, Pretended(0))
    assert (nothing["capacity"], nothing["failed"], nothing["half"], nothing["exponent"]) == (0, 1, None, None)
    assert "holds 0 sessions" in "\n".join(shown(nothing))


def shown(found: dict[str, Any]) -> list[str]:
    return table({"server": "pretended", "limit_ms": 50.0} | found)


@pytest.mark.parametrize(
    "change",
    [
        {"late_ms_p99": 50.0},
        {"late_ms_p99": None},
        {"acknowledged": 2_700},
        {"refused": 1},
        {"sockets_open": 99},
    ],
)
def test_a_step_holds_only_if_ticks_and_players_are_served(change: dict[str, Any]) -> None:
    step = Pretended(100)(100)
    assert holds(step, 50.0)
    # Of few orders one or two are under way whenever a window ends.
    assert holds(step | {"sent": 6, "acknowledged": 3}, 50.0)
    assert not holds(step | change, 50.0)


def test_a_load_that_takes_most_of_a_core_is_named_as_a_suspect() -> None:
    few, many = (find(Plan(first=100, factor=2), 50.0, Pretended(capacity)) for capacity in (300, 3_000))
    assert not few["load_was_busy"]
    assert many["load_was_busy"]
    assert "the server might hold more" in "\n".join(shown(many))
    assert "the server might hold more" not in "\n".join(shown(few))


@pytest.mark.parametrize("exponent", [0.8, 1.0, 1.3])
def test_the_exponent_is_that_of_the_cost_over_what_held(exponent: float) -> None:
    found = find(Plan(first=100, factor=1.5), 50.0, Pretended(2_000, exponent))
    assert found["exponent"] == pytest.approx(exponent, abs=1e-3)
    assert found["exponent_low"] <= found["exponent"] <= found["exponent_high"]
    assert found["scale"] == pytest.approx(0.001, rel=1e-3)


def test_the_interval_holds_the_exponent_as_often_as_it_says() -> None:
    chance = random.Random(5)
    sizes = [100 * 1.5**step for step in range(7)]
    held = 0
    for _ in range(400):
        fit = power_law(sizes, [0.01 * size**1.1 * chance.lognormvariate(0, 0.1) for size in sizes])
        held += fit.low <= 1.1 <= fit.high
    # 380 are expected, with a standard deviation of 4.4.
    assert 364 <= held <= 396
    # Known by hand: points on y = 3 * x ** 2, with the middle one twice as high.
    fit = power_law([1, 10, 100], [3, 600, 30_000])
    assert fit.exponent == pytest.approx(2)
    assert fit.scale == pytest.approx(3 * 2 ** (1 / 3))
    off = math.sqrt(2 / 3) * math.log(2) / (math.sqrt(2) * math.log(10))
    assert fit.high - fit.exponent == pytest.approx(math.tan(0.475 * math.pi) * off)
    assert fit.at(1_000) == pytest.approx(fit.scale * 1e6)


def test_points_and_plans_that_decide_nothing_are_refused() -> None:
    for sizes, costs in (([1, 2], [1, 2]), ([1, 2, 3], [1, 2]), ([5, 5, 5], [1, 2, 3])):
        with pytest.raises(ConfigError, match="at least 3 sizes"):
            power_law(sizes, costs)
    with pytest.raises(ConfigError, match="measure longer"):
        power_law([1, 2, 3], [1, 0, 2])
    with pytest.raises(ConfigError, match="a factor above 1"):
        Plan(factor=1.0)
    with pytest.raises(ConfigError, match="first <= most"):
        Search(Plan(first=10, most=5))


def test_processor_time_of_another_process_is_the_one_it_counts_itself() -> None:
    before, machine = cpu_s(os.getpid()), machine_cpu_s()
    own = time.process_time()
    while time.process_time() < own + 0.05:
        sum(range(1000))
    assert cpu_s(os.getpid()) - before == pytest.approx(time.process_time() - own, abs=0.01)
    assert machine_cpu_s() - machine >= 0.03


def test_a_load_that_has_its_fill_gets_another_process_and_all_of_them_are_counted(tmp_path: Path) -> None:
    with (
        BenchServer("naive-legs", tmp_path) as served,
        Generators(every_s=0.2, seed=1, most=3) as load,
    ):
        for number in (2, 5):
            load.more(served.seats(number, 1, 5, seed=1))
        time.sleep(0.3)
        seen = load.measure(1.0)
        # Two and one of the five; three of them; the last one.
        processes = [one for one in psutil.Process().children() if "gamekit.bench.generator" in one.cmdline()]
        assert len(processes) == 3
    assert seen["open"] == 7
    assert seen["sent"] == pytest.approx(35, abs=20)
    assert len(seen["ack_ms"]) > 10
    assert 0 < seen["busiest_cpu_s"] < seen["cpu_s"]


def test_a_real_server_grows_while_players_play_on_and_half_gets_a_fresh_one(tmp_path: Path) -> None:
    out = tmp_path / "capacity.jsonl"
    # A limit that even a busy machine keeps: what is tested here is no speed.
    asked = ["bench", "--capacity", "--sessions", "8", "--seconds", "0.6", "--windows", "1"]
    result = CliRunner().invoke(main, [*asked, "--limit-ms", "60000", "--output", str(out)])
    assert result.exit_code == 0, result.output
    [row] = map(json.loads, out.read_text().splitlines())
    assert (row["server"], row["capacity"], row["failed"], row["limit_ms"]) == ("gamekit", 8, None, 60_000)
    assert [(step["sessions"], step["life"]) for step in row["steps"]] == [(4, 1), (8, 1)]
    assert (row["half"]["sessions"], row["half"]["life"]) == (4, 2)
    for step in (*row["steps"], row["half"]):
        assert step["sockets_open"] == step["sessions"]
        assert step["sent"] > 0
        assert step["server_cpu_per_s"] > 0
        assert step["resident_kb_per_session"] > 0
    assert sum(step["acknowledged"] for step in row["steps"]) > 0
    assert "gamekit holds at least 8 sessions" in result.output


def test_a_server_that_cannot_take_so_many_in_has_failed_and_the_search_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = BenchServer.seats

    def seats(served: BenchServer, sessions: int, players: int, ships: int, seed: int) -> list[dict[str, Any]]:
        # Four have room, and no more, neither together nor one after the other.
        if sessions > 4 or (seed > 1 and sessions > 2):
            raise TimeoutError("no room")
        return real(served, sessions, players, ships, seed)

    monkeypatch.setattr(BenchServer, "seats", seats)
    work = msgspec.structs.replace(SMALL[1], warm_s=0.2, window_s=0.3, windows=1)
    found = run("naive-legs", plan=Plan(first=4, most=8, factor=2, halvings=0), workload=work, limit_ms=60_000)
    assert [(step["sessions"], step["held"], step["life"]) for step in found["steps"]] == [
        (4, True, 1),
        (8, False, 1),
        (8, False, 2),
    ]
    assert (found["capacity"], found["failed"], found["half"]["sessions"], found["half"]["life"]) == (4, 8, 2, 3)
    assert "At 8: no room" in table(found)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--workload", "players"], "leave out --workload"),
        (["--rounds", "2"], "leave out --workload and --rounds"),
        (["--server", "mesa"], "that of a server: gamekit, naive, naive-legs"),
    ],
)
def test_capacity_has_a_workload_of_its_own_and_is_a_servers(more: list[str], said: str) -> None:
    result = CliRunner().invoke(main, ["bench", "--capacity", *more])
    assert result.exit_code == 2
    assert said in result.output
