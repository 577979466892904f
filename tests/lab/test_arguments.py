"""Studies check what they are given before their first run, in words that name the argument."""

from __future__ import annotations

import functools
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gamekit.errors import ConfigError
from gamekit.journal import SqliteJournal
from gamekit.lab import Simulation, begin, compare, gate, optimise, play, sensitivity, sweep
from gamekit.lab.metrics import units_made
from gamekit.lab.simulate import simulate

begun: list[int] = []


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    """An executor that needs no start."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def counted(run: Simulation) -> float:
    """Notes that a run has come to its end."""
    begun.append(run.seed)
    return 1.0


def above(run: Simulation, limit: int) -> float:
    """Needs more than the run."""
    return float(run.events > limit)


async def awaited(run: Simulation) -> float:
    """Gives something that must be awaited."""
    return 1.0


def yielding(run: Simulation) -> Iterator[float]:
    """Gives numbers one by one."""
    yield 1.0


def same_name() -> Callable[[Simulation], float]:
    """Another function of the same name."""

    def counted(run: Simulation) -> float:
        return 2.0

    return counted


#: What is wrong, and what must be said of it.
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "lambda": ({"metrics": [counted, lambda run: 1.0]}, "needs a name"),
    "partial": ({"metrics": [counted, functools.partial(above, limit=5)]}, "needs a name"),
    "two arguments": ({"metrics": [counted, above]}, "above must take one argument"),
    "no function": ({"metrics": [counted, 5]}, "expected functions"),
    "no list": ({"metrics": counted}, "expected a list of functions"),
    "a text": ({"metrics": "units_made"}, "expected a list of functions"),
    "one name twice": ({"metrics": [counted, same_name()]}, "2 are called 'counted'"),
    "no seed": ({"seeds": 0}, "at least one seed"),
    "no seeds": ({"seeds": []}, "at least one seed"),
    "a fraction of a seed": ({"seeds": [1, 2.5]}, "seeds: expected integers of 64 bits, got 2.5"),
    "a truth for a seed": ({"seeds": [True]}, "seeds: expected integers"),
    "too large a seed": ({"seeds": [2**64]}, "seeds: expected integers of 64 bits"),
    "a seed twice": ({"seeds": [1, 2, 1]}, "1 is given twice"),
    "a text for seeds": ({"seeds": "12"}, "seeds: expected how many"),
    "hours that run back": ({"hours": -1}, "hours: must be a number"),
    "endless hours": ({"hours": float("inf")}, "hours: must be a number"),
    "no number of hours": ({"hours": "2"}, "hours: must be a number"),
    "unknown scenario": ({"scenario": "no such stars"}, "'no such stars' is unknown"),
    "no setup": ({"setup": 3}, "setup: expected a function"),
    "a setup without arguments": ({"setup": lambda: None}, "setup: it must take two arguments"),
    "a metric that must be awaited": ({"metrics": [counted, awaited]}, "awaited must return a number"),
    "a metric that yields": ({"metrics": [counted, yielding]}, "yielding must return a number"),
    "a device": ({"database": "/dev/null"}, "/dev/null is a device or a pipe"),
    "no executor": ({"executor": 4}, r"workers=4"),
    "the class of one": ({"executor": ThreadPoolExecutor}, "executor: expected"),
    "no workers": ({"workers": 0}, "workers: expected how many processes"),
    "a directory": ({"database": "DIRECTORY"}, "is a directory; name a file in it"),
    "nowhere": ({"database": "DIRECTORY/no/where.db"}, "there is no directory"),
    "no game": ({"game": int}, "is not a game"),
    "base seed": ({"base_seed": 0.5}, "base_seed"),
}


def refused(call: Callable[[], Any], match: str) -> None:
    """Nothing is begun."""
    begun.clear()
    with pytest.raises(ConfigError, match=match):
        call()
    assert begun == []


def arranged(wrong: dict[str, Any], threads: Executor, tmp_path: Path) -> dict[str, Any]:
    """Arguments of a small study, with what is wrong in them."""
    usual = {"metrics": [counted], "seeds": 3, "hours": 0.001, "executor": threads, "progress": False}
    given = {**usual, **wrong}
    if isinstance(given.get("database"), str):
        given["database"] = given["database"].replace("DIRECTORY", str(tmp_path))
    return given


@pytest.mark.parametrize("name", WRONG)
def test_sweep_compare_and_sensitivity_refuse_before_the_first_run(
    name: str, threads: Executor, tmp_path: Path
) -> None:
    wrong, match = WRONG[name]
    given = arranged(wrong, threads, tmp_path)
    refused(lambda: sweep({"storm_rate": [0, 10]}, **given), match)
    refused(lambda: compare({}, {"storm_rate": 10}, **given), match)
    refused(lambda: sensitivity({"storm_rate": (0, 10)}, samples=2, **given), match)


@pytest.mark.parametrize(
    ("rules", "match"),
    [({"no_such_rule": [1]}, "unknown key 'no_such_rule'"), ({"storm_rate": [0, -1]}, "rules.storm_rate: expected"),
     ({"storm_rate": []}, "at least one value"), ({"storm_rate": 5}, "expected a list of values"),
     ([5], "expected {rule: "), ([], "expected at least one point"),
     ("storm_rate", "expected {rule: "), ({"counted": [1]}, "that of another column")],
)  # fmt: skip
def test_rules_of_a_grid_are_checked(rules: Any, match: str, threads: Executor, tmp_path: Path) -> None:
    refused(lambda: sweep(rules, **arranged({}, threads, tmp_path)), match)


def test_sides_of_a_comparison_and_its_capsules_are_checked(threads: Executor, tmp_path: Path) -> None:
    given = arranged({}, threads, tmp_path)
    refused(lambda: compare({}, {"no_such_rule": 1}, **given), "side b: rules: unknown key")
    refused(lambda: compare({"storm_rate": "x"}, {}, **given), "side a: rules.storm_rate")
    refused(lambda: compare(5, {}, **given), "rules_a: expected")  # type: ignore[arg-type]
    recorded = {name: given[name] for name in ("metrics", "executor", "progress")}
    refused(lambda: compare({}, {}, games=[tmp_path / "none.capsule"], **recorded), "there is no capsule")
    refused(lambda: compare({}, {}, games=str(tmp_path), **recorded), "expected a list of capsules")
    refused(lambda: compare({}, {}, confidence="high", **given), "confidence")  # type: ignore[arg-type]


def test_optimise_checks_what_only_its_last_comparison_needs(threads: Executor, tmp_path: Path) -> None:
    pytest.importorskip("optuna")
    given = arranged({}, threads, tmp_path)
    del given["metrics"]
    ranges = {"storm_rate": (0, 10)}
    for wrong, match in (
        ({"also": [lambda run: 1.0]}, "needs a name"),
        ({"metric": lambda run: 1.0}, "needs a name"),
        ({"check_seeds": 1}, "check_seeds=2 or more"),
        ({"trials": 0}, "trials=1 or more"),
        ({"hours": -1}, "hours"),
        ({"rules": {"no_such_rule": 1}}, "unknown key"),
        ({"database": tmp_path}, "is a directory"),
        ({"workers": 0}, "workers"),
    ):
        arguments = {"metric": counted, "target": "highest", "trials": 2, **given, **wrong}
        refused(lambda arguments=arguments: optimise(ranges, **arguments), match)


def test_play_and_gate_say_what_they_need(tmp_path: Path) -> None:
    refused(lambda: play("duel", hours=1), "lab.begin")  # type: ignore[arg-type]
    refused(lambda: play(begin("duel"), hours=1, until=5), "until: expected a function")  # type: ignore[arg-type]
    branch = begin("duel")
    branch.advance(10)
    capsule = branch.save(tmp_path / "one.capsule")
    refused(lambda: gate(capsule, {"no_such_rule": 1}, progress=False), "unknown key 'no_such_rule'")
    refused(lambda: gate(5, progress=False), "corpus: expected")  # type: ignore[arg-type]


def test_whole_numbers_of_numpy_and_pandas_are_taken(threads: Executor) -> None:
    how = {"executor": threads, "hours": 0.001, "progress": False}
    for values in (np.array([0, 500]), pd.Series([0, 500]), range(0, 501, 500)):
        done = sweep({"storm_rate": values}, np.array([1, 2]), [units_made], **how)  # type: ignore[arg-type, dict-item]
        assert done.frame["storm_rate"].tolist() == [0, 0, 500, 500]
        assert done.frame["error"].eq("").all()


def test_what_cannot_be_sent_is_told_before_the_work_and_may_stay_in_threads(threads: Executor) -> None:
    lock = threading.Lock()

    def held(run: Simulation) -> float:
        with lock:
            return 1.0

    refused(lambda: sweep([{}], 1, [held], hours=0.001, workers=1, progress=False), "cannot be sent")
    done = sweep([{}], 1, [held], hours=0.001, executor=threads, progress=False)
    assert done.frame["held"].tolist() == [1.0]


def test_a_servers_database_is_never_written_to(threads: Executor, tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "gamekit.db")
    journal.start(lambda _: None)
    journal.close()
    branch = begin("duel")
    capsule = branch.save(tmp_path / "one.capsule")
    (tmp_path / "note.txt").write_text("This is no database, but long enough to look at. " * 40)
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE runs (id INTEGER, name TEXT)")
    for path, match in (
        (tmp_path / "gamekit.db", "holds a server's games"),
        (capsule, "holds a server's games"),
        (tmp_path / "note.txt", "cannot be read as a SQLite database"),
        (tmp_path / "other.db", "no sweep's"),
    ):
        before = path.read_bytes()
        given = arranged({"database": path}, threads, tmp_path)
        begun.clear()
        with pytest.raises(ConfigError, match=match) as told:
            sweep([{}], **given)
        assert str(path) in str(told.value)
        assert begun == []
        assert path.read_bytes() == before


def test_simulate_and_sweep_agree_on_what_a_seed_is(threads: Executor) -> None:
    for seed in (-(2**63), 2**64 - 1):
        done = sweep([{}], [seed], [units_made], scenario="duel", hours=0.001, executor=threads, progress=False)
        assert done.frame["digest"][0] == simulate("duel", seed=seed, hours=0.001).digest
