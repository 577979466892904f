"""Optimisation: a known optimum is found, a search is a function of its arguments, and its claim is tried elsewhere."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gamekit.errors import ConfigError
from gamekit.lab import Optimisation, Simulation, derived_seeds, optimise, simulate
from gamekit.lab.metrics import company_credits, median_company_growth, metric, units_made
from gamekit.lab.optimise.goal import Goal
from tests.lab.killed import kill_half_way

#: So short that a run is next to nothing; the metrics below look at the rules.
TINY: dict[str, Any] = {"scenario": "duel", "hours": 0.0, "progress": False, "also": (), "check_seeds": 6}


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    """An executor that needs no start."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def luck(run: Simulation) -> float:
    """Something between -1 and 1 that the seed decides."""
    return run.seed % 2001 / 1000 - 1


@metric("points")
def hill(run: Simulation) -> float:
    """Highest at a jump time of 70 and a dock time of 20; the seed adds its luck."""
    rules = run.state.rules
    return 100 - ((rules.jump_ticks - 70) / 10) ** 2 - ((rules.dock_ticks - 20) / 5) ** 2 + luck(run)


@metric("points")
def slope(run: Simulation) -> float:
    """Half the storm rate."""
    return run.state.rules.storm_rate / 2 + luck(run)


HILL = {"jump_ticks": (10, 150), "dock_ticks": (0, 60)}


def comparable(found: Optimisation) -> pd.DataFrame:
    """A search's frame without what depends on the machine."""
    return found.frame.drop(columns="cpu_s")


def test_known_optimum_is_found_and_only_what_is_as_good_is_called_so(threads: Executor) -> None:
    found = optimise(HILL, hill, target="highest", trials=50, executor=threads, **TINY)
    assert abs(found.best["jump_ticks"] - 70) <= 10
    assert abs(found.best["dock_ticks"] - 20) <= 5
    frame = found.frame
    assert len(frame) == 50
    assert frame.loc[0, ["jump_ticks", "dock_ticks"]].tolist() == [50, 10], "the rules as they are come first"
    assert (frame["best_miss"].diff().dropna() <= 0).all()
    assert frame["best_miss"].iloc[-1] == 0
    # It learns: where it looks later is much better than where it looked at first.
    assert frame["miss"].tail(20).median() < frame["miss"].head(10).median() / 2
    # Luck is the same for all, so nothing but the best is as good as the best.
    best = frame[frame["miss"] == 0]
    assert frame["as_good"].tolist() == frame.index.isin(best.index).tolist()
    assert found.reached is None
    lowest = optimise(HILL, hill, target="lowest", trials=12, executor=threads, **TINY)
    assert lowest.checked["mean"] < found.checked["mean"]


def test_target_is_met_and_tried_on_seeds_that_the_search_never_saw(threads: Executor) -> None:
    found = optimise({"storm_rate": (0, 1000)}, slope, target=150, trials=40, executor=threads, **TINY)
    assert abs(found.best["storm_rate"] - 300) <= 6
    pairs = found.check.pairs
    searched = set(derived_seeds(4))
    assert len(set(pairs["seed"])) == 6
    assert not searched & set(pairs["seed"])
    assert (found.check.rules_a, found.check.rules_b) == ({}, found.best)
    told = found.checked
    mean = pairs["b"].mean()
    assert told["mean"] == pytest.approx(mean)
    assert told["low"] < mean < told["high"]
    assert found.reached == (told["low"] <= 150 <= told["high"])
    rules = found.rules.iloc[0]
    assert (rules["unit"], rules["best"]) == ("storms in 100 hours", found.best["storm_rate"])
    assert rules["as_good_low"] <= rules["best"] <= rules["as_good_high"] <= 320
    assert "seeds that the search had not seen" in found._repr_html_()
    svg = found.chart().to_svg()
    assert "storm_rate, storms in 100 hours" in svg
    assert ">slope<" in svg
    assert ">points<" in svg
    assert len(found.study.trials) == 40


def test_search_is_the_same_with_one_worker_and_with_two_and_more_trials_go_on(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(2) as two:
        first = optimise(HILL, hill, target="highest", trials=16, executor=one, **TINY)
        other = optimise(HILL, hill, target="highest", trials=24, executor=two, **TINY)
        seeded = optimise(HILL, hill, target="highest", trials=16, executor=one, base_seed=2, **TINY)
    same = ["trial", *HILL, "hill"]
    assert first.frame[same].equals(other.frame[same].head(16))
    assert not first.frame[same].equals(seeded.frame[same])


KILLED = """
import sys
from gamekit.lab import optimise
from gamekit.lab.metrics import units_made
if __name__ == "__main__":
    optimise({"cycle_percent": (50, 200)}, units_made, target="highest", seeds=2, trials=24, check_seeds=2, also=(),
             scenario="procedural:3", hours=0.5, workers=1, database=sys.argv[1], progress=False)
"""


def test_search_that_was_killed_goes_on_to_the_same_study_and_runs_nothing_twice(
    tmp_path: Path, threads: Executor
) -> None:
    path = tmp_path / "search.db"
    kill_half_way(KILLED, path, 10)
    with closing(sqlite3.connect(path)) as connection:
        before = dict(connection.execute("SELECT key, cpu_s FROM runs"))
    assert 10 <= len(before) < 52
    how: dict[str, Any] = {"target": "highest", "seeds": 2, "trials": 24, "check_seeds": 2, "also": ()}
    how |= {"scenario": "procedural:3", "hours": 0.5, "executor": threads, "progress": False}
    resumed = optimise({"cycle_percent": (50, 200)}, units_made, database=path, **how)
    with closing(sqlite3.connect(path)) as connection:
        after = dict(connection.execute("SELECT key, cpu_s FROM runs"))
    assert before.items() <= after.items(), "not even a time is new"
    fresh = optimise({"cycle_percent": (50, 200)}, units_made, **how)
    assert comparable(resumed).equals(comparable(fresh))
    assert resumed.best == fresh.best


def test_worker_that_dies_takes_only_its_own_trial_with_it() -> None:
    def deadly(run: Simulation) -> float:
        if run.state.rules.jump_ticks == 150:
            os.kill(os.getpid(), signal.SIGKILL)
        return -float(run.state.rules.jump_ticks)

    ends = {"jump_ticks": (149, 150)}
    found = optimise(ends, deadly, target="highest", trials=4, workers=1, **{**TINY, "check_seeds": 2})
    errors = found.frame.groupby("jump_ticks")["error"].agg(list)
    assert set(errors[149]) == {""}
    assert all("worker died" in error for error in errors[150])
    assert found.best == {"jump_ticks": 149}


def test_trials_that_fail_are_told_and_searched_around(threads: Executor) -> None:
    def fragile(run: Simulation) -> float:
        if run.state.rules.jump_ticks > 100:
            raise ValueError("too slow")
        return float(run.state.rules.jump_ticks)

    found = optimise({"jump_ticks": (1, 200)}, fragile, target="highest", trials=12, executor=threads, **TINY)
    frame = found.frame
    failed = frame[frame["error"] != ""]
    assert (failed["jump_ticks"] > 100).all()
    assert 0 < len(failed) < 12
    assert not failed["as_good"].any()
    assert found.best["jump_ticks"] <= 100
    assert found.chart().to_svg().startswith("<svg")
    with pytest.raises(ConfigError, match=r"Every trial failed.*too slow"):
        optimise({"jump_ticks": (101, 200)}, fragile, target="highest", trials=2, executor=threads, **TINY)


def test_median_company_growth_is_money_at_the_end_over_money_at_the_start() -> None:
    start = simulate("lifeline", hours=0)
    assert median_company_growth(start) == 1
    run = simulate("lifeline", {"storm_rate": 1000}, hours=2)
    owned, began = sorted(company_credits(run).values()), company_credits(start)["Long Haul"]
    assert median_company_growth(run) == pytest.approx(sum(owned) / 2 / began)
    with pytest.raises(ConfigError, match="company_percent"):
        median_company_growth(simulate("lifeline", {"company_percent": 0}, hours=0))


def test_interval_of_few_seeds_is_as_wide_as_student_says() -> None:
    low, high = Goal(2.0, 0.95).interval([1.0, 2.0, 3.0])
    assert (low, high) == pytest.approx((2 - 2.484, 2 + 2.484), abs=1e-3)
    assert Goal(2.0, 0.95).interval([1.0]) == (float("-inf"), float("inf"))


def test_wrong_arguments_and_a_missing_extra_say_what_to_do(monkeypatch: pytest.MonkeyPatch, threads: Executor) -> None:
    for wrong in ("high", float("nan")):
        with pytest.raises(ConfigError, match='a number, "highest" or "lowest"'):
            optimise(HILL, hill, target=wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="check_seeds=2 or more"):
        optimise(HILL, hill, target="highest", check_seeds=1)
    with pytest.raises(ConfigError, match="several numbers"):
        optimise(HILL, company_credits, target="highest", executor=threads, **TINY)
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"needs the package optuna.*pip install 'gamekit\[search\]'"):
        optimise(HILL, hill, target="highest")
