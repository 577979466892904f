"""Sweeps: the same results with any number of workers, on any executor, after a kill; failures stay alone."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest

from gamekit.errors import ConfigError
from gamekit.lab import Simulation, derived_seeds, simulate, sweep
from gamekit.lab.metrics import consumed_by_ware, metric, stations_standing, units_made
from gamekit.lab.sweeps import jobs
from tests.lab.killed import kept, kill_half_way

GRID = {"least_load_percent": [5, 25], "company_percent": [50, 100]}
METRICS = (units_made, stations_standing)
SMALL = {"scenario": "procedural:4", "hours": 0.5, "progress": False}


@pytest.fixture
def threads() -> Iterator[Executor]:
    """An executor that needs no start."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """A sweep's frame without what depends on the machine."""
    return frame.drop(columns="cpu_s")


def test_frame_has_a_row_for_each_point_and_seed_and_is_what_simulate_gives(threads: Executor) -> None:
    done = sweep(GRID, 3, METRICS, executor=threads, **SMALL)
    frame = done.frame
    assert len(done) == len(frame) == 2 * 2 * 3
    assert list(frame.columns[:4]) == ["least_load_percent", "company_percent", "seed", "units_made"]
    assert frame["seed"].tolist() == derived_seeds(3) * 4
    assert frame["digest"].nunique() == 12
    row = frame.iloc[7]
    rules = {name: int(row[name]) for name in GRID}
    run = simulate("procedural:4", rules, int(row["seed"]), 0.5)
    assert (row["digest"], row["units_made"], row["events"]) == (run.digest, units_made(run), run.events)
    assert done.units == {"units_made": "units", "stations_standing": "share"}


def test_one_worker_and_four_agree_bit_for_bit() -> None:
    one = sweep(GRID, 2, METRICS, workers=1, **SMALL)
    four = sweep(GRID, 2, METRICS, workers=4, **SMALL)
    assert comparable(one.frame).equals(comparable(four.frame))
    assert (one.frame["error"] == "").all()


def test_seeds_are_derived_and_stay_when_more_are_asked_for(threads: Executor) -> None:
    assert derived_seeds(5)[:3] == derived_seeds(3)
    assert derived_seeds(3, base_seed=2) != derived_seeds(3)
    assert len(set(derived_seeds(1000))) == 1000
    chosen = sweep([{}], [7, 8], METRICS, executor=threads, **SMALL)
    assert chosen.frame["seed"].tolist() == [7, 8]


def test_scenarios_are_varied_like_rules_and_metrics_may_have_parts(threads: Executor) -> None:
    grid = {"scenario": ["procedural:3", "procedural:4"]}
    frame = sweep(grid, 1, [consumed_by_ware], executor=threads, hours=0.5, progress=False).frame
    assert frame["scenario"].tolist() == grid["scenario"]
    assert "consumed_by_ware.food" in frame.columns


def test_a_run_that_fails_is_told_and_stops_no_other(threads: Executor) -> None:
    @metric("units")
    def fragile(run: Simulation) -> int:
        """Fails for one seed."""
        if run.seed == 2:
            raise ValueError("two is too many")
        return run.seed

    done = sweep({"jump_ticks": [50, 60]}, [1, 2, 3], [fragile], executor=threads, **SMALL)
    frame = done.frame
    assert frame["fragile"].dropna().tolist() == [1, 3, 1, 3]
    failures = done.failures
    assert failures["seed"].tolist() == [2, 2]
    assert failures["error"].iloc[0] == "ValueError: two is too many"
    assert "in fragile" in failures["traceback"].iloc[0]


def test_functions_that_only_this_program_has_reach_the_workers() -> None:
    factor = 3

    def scaled(run: Simulation) -> float:
        return factor * units_made(run)

    both = sweep([{}], 1, [scaled, units_made], workers=1, **SMALL).frame
    assert both["scaled"].tolist() == [3 * value for value in both["units_made"]]


def deadly(run: Simulation) -> int:
    """The seed; but a process that measures seed 2 dies."""
    if run.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return run.seed


def test_worker_that_dies_takes_only_its_own_run_with_it() -> None:
    done = sweep([{}], [1, 2, 3, 4], [deadly], workers=2, **SMALL)
    frame = done.frame.set_index("seed")
    assert frame.loc[[1, 3, 4], "deadly"].tolist() == [1, 3, 4]
    assert "worker died" in frame.loc[2, "error"]


def test_pool_of_ones_own_that_breaks_is_told_in_words_and_what_is_done_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    said = pytest.raises(ConfigError, match=r"the executor that was given died.*Give another one")
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool, said:
        sweep([{}], [1, 2, 3], [deadly], executor=pool, database=path, **SMALL)
    assert kept(path) == 1


KILLED = """
import sys
from gamekit.lab import sweep
from gamekit.lab.metrics import units_made
if __name__ == "__main__":
    sweep({"least_load_percent": [5, 25]}, 20, [units_made], scenario="procedural:4", hours=2, workers=2,
          database=sys.argv[1], progress=False)
"""


def test_sweep_that_was_killed_half_way_resumes_to_the_same_results(tmp_path: Path) -> None:
    path = tmp_path / "sweep.db"
    kill_half_way(KILLED, path, 10)
    assert 10 <= kept(path) < 40
    arguments = ({"least_load_percent": [5, 25]}, 20, [units_made])
    resumed = sweep(*arguments, scenario="procedural:4", hours=2, database=path, progress=False)
    assert kept(path) == 40
    with ThreadPoolExecutor(1) as executor:
        again = sweep(*arguments, scenario="procedural:4", hours=2, database=path, executor=executor, progress=False)
        fresh = sweep(*arguments[:1], derived_seeds(20)[:4], [units_made], scenario="procedural:4", hours=2,
                      executor=executor, progress=False)  # fmt: skip
    assert resumed.frame.equals(again.frame), "nothing was run again, not even its time is new"
    first = resumed.frame[resumed.frame["seed"].isin(derived_seeds(4))].reset_index(drop=True)
    assert comparable(first).equals(comparable(fresh.frame))


def test_a_sweep_is_not_taken_up_with_results_of_other_code(
    tmp_path: Path, threads: Executor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, rounds = tmp_path / "sweep.db", []
    for code in ("as it is", "as it is", "changed"):
        monkeypatch.setattr(jobs, "rules_code", lambda code=code: code)
        sweep([{}], 2, METRICS, executor=threads, database=path, **SMALL)
        rounds.append(kept(path))
    assert rounds == [2, 2, 4]


def test_results_are_an_ordinary_table(tmp_path: Path, threads: Executor) -> None:
    path = tmp_path / "sweep.db"
    done = sweep(GRID, 2, METRICS, executor=threads, database=path, **SMALL)
    with closing(sqlite3.connect(path)) as connection:
        table = pd.read_sql_query("SELECT * FROM runs", connection)
    assert sorted(table["digest"]) == sorted(done.frame["digest"])
    assert {*GRID, "seed", "hours", "units_made", "stations_standing", "cpu_s"} <= set(table.columns)
    more = sweep({**GRID, "jump_ticks": [20]}, 1, [consumed_by_ware], executor=threads, database=path, **SMALL)
    assert len(more.frame) == 4
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM runs").fetchone() == (12,)


def test_dask_is_an_executor_like_any_other() -> None:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        on_dask = sweep(GRID, 2, METRICS, executor=client.get_executor(pure=False), workers=2, **SMALL)
    here = sweep(GRID, 2, METRICS, workers=1, **SMALL)
    assert comparable(on_dask.frame).equals(comparable(here.frame))


def test_what_is_no_sweep_is_refused(threads: Executor) -> None:
    with pytest.raises(ConfigError, match=r"grid\['jump_ticks'\]: expected a list"):
        sweep({"jump_ticks": 50}, 1, METRICS, executor=threads)  # type: ignore[dict-item]
    with pytest.raises(ConfigError, match="at least one seed"):
        sweep([{}], 0, METRICS, executor=threads)
    with pytest.raises(ConfigError, match="needs a name"):
        sweep([{}], 1, [lambda run: 1], executor=threads)
