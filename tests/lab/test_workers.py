"""Worker processes: they need no guarded script, they end with their parent, and what was done before is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gamekit.errors import ConfigError
from gamekit.lab import Simulation, begin, compare, gate, optimise, sensitivity, sweep
from gamekit.lab.compare import Comparison
from gamekit.lab.metrics import units_made
from gamekit.lab.sweeps import Sweep
from gamekit.lab.sweeps.pool import OwnPool
from tests.lab.killed import kept

pytestmark = pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")

UNGUARDED = """
from gamekit import lab
print("begun", flush=True)
FACTOR = 3
def scaled(run):
    return run.seed * FACTOR
done = lab.sweep([{}], seeds=[1, 2, 3], metrics=[scaled], hours=0.001, workers=2, progress=False)
print(done.frame["scaled"].tolist(), set(done.frame["error"]))
"""
#: Runs that take long beside each other, and a file that says that they have begun.
LONG = """
import signal, sys, time, pathlib
from gamekit import lab
# Where tests run in the background of a shell without a terminal, interrupts are ignored, which programs inherit.
signal.signal(signal.SIGINT, signal.default_int_handler)
def slow(run):
    pathlib.Path(sys.argv[1], str(run.seed)).touch()
    if run.seed > 2:
        time.sleep(100)
    return run.seed
if __name__ == "__main__":
    lab.sweep([{}], seeds=[1, 2, 3, 4, 5], metrics=[slow], hours=0.001, workers=2, progress=False, database=sys.argv[2])
"""
#: The same with a pool of the user's own.
OWN_POOL = LONG.replace("workers=2", "executor=POOL").replace(
    "    lab.sweep",
    "    import multiprocessing\n    from concurrent.futures import ProcessPoolExecutor\n"
    "    POOL = ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(sys.argv[3]))\n    lab.sweep",
)


def members(session: int) -> list[int]:
    """The processes of a session that live."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            ours = entry.name.isdigit() and os.getsid(int(entry.name)) == session
            if ours and (entry / "stat").read_text().rpartition(")")[2].split()[0] != "Z":
                found.append(int(entry.name))
        except (OSError, ProcessLookupError):
            pass
    return found


def until(what: str, done: Any, deadline_s: float = 60.0) -> None:
    """Wait for something."""
    end = time.monotonic() + deadline_s
    while not done():
        assert time.monotonic() < end, f"{what} did not come in {deadline_s} s"
        time.sleep(0.05)


@pytest.mark.parametrize("way", ["file", "stdin", "-c"])
def test_a_script_needs_no_main_guard_and_may_come_from_standard_input(way: str, tmp_path: Path) -> None:
    (tmp_path / "study.py").write_text(UNGUARDED)
    told = {"file": ["study.py"], "stdin": ["-"], "-c": ["-c", UNGUARDED]}[way]
    done = subprocess.run(
        [sys.executable, *told],
        input=UNGUARDED if way == "stdin" else "",
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["begun", "[3.0, 6.0, 9.0] {''}"], "the script ran once"


def begun(script: str, place: Path, *arguments: str) -> subprocess.Popen[str]:
    """The long study in a session of its own, once two runs that take long are under way."""
    (place / "study.py").write_text(script)
    (place / "runs").mkdir()
    told = [sys.executable, "study.py", "runs", "runs.db", *arguments]
    process = subprocess.Popen(told, cwd=place, start_new_session=True, stderr=subprocess.PIPE, text=True)
    try:
        until("two long runs", lambda: process.poll() is not None or len(list((place / "runs").iterdir())) >= 4)
        assert process.poll() is None
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process


@pytest.mark.parametrize(
    ("script", "number", "arguments"),
    [(LONG, signal.SIGKILL, ()), (LONG, signal.SIGTERM, ()), (OWN_POOL, signal.SIGKILL, ("spawn",)),
     (OWN_POOL, signal.SIGKILL, ("fork",))],
    ids=["killed", "terminated", "own spawned pool", "own forked pool"],
)  # fmt: skip
def test_workers_end_with_their_parent(script: str, number: int, arguments: tuple[str, ...], tmp_path: Path) -> None:
    process = begun(script, tmp_path, *arguments)
    try:
        assert len(members(process.pid)) >= 3
        process.send_signal(number)
        process.wait()
        until("the end of all workers", lambda: not members(process.pid), 20)
    finally:
        for pid in members(process.pid):
            os.kill(pid, signal.SIGKILL)
        assert process.stderr is not None
        process.stderr.close()


def test_an_interrupt_ends_the_workers_and_keeps_what_is_done(tmp_path: Path) -> None:
    process = begun(LONG, tmp_path)
    try:
        until("two results", lambda: kept(tmp_path / "runs.db") == 2)
        # As a terminal or a notebook's kernel does: to all processes of the group.
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
        until("the end of all workers", lambda: not members(process.pid), 20)
    finally:
        for pid in members(process.pid):
            os.kill(pid, signal.SIGKILL)
    assert said.count("KeyboardInterrupt") == 1, "nothing is heard of the workers"
    assert "2 of 5 runs are done and kept in runs.db: the same call goes on from there" in said
    assert kept(tmp_path / "runs.db") == 2


@pytest.fixture
def thread() -> Iterator[Executor]:
    """An executor that does one thing after the other."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


class Interrupting(ThreadPoolExecutor):
    """An executor at which the user interrupts before it has more than so many runs."""

    def __init__(self, runs: int) -> None:
        super().__init__(1)
        self.runs = runs

    def submit(self, fn: Any, work: Any, jobs: Any) -> Any:  # type: ignore[override]
        self.runs -= len(jobs)
        if self.runs < 0:
            raise KeyboardInterrupt
        return super().submit(fn, work, jobs)


def seed_of(run: Simulation) -> int:
    """The seed, which takes a while."""
    time.sleep(0.01)
    return run.seed


def test_a_study_without_a_database_goes_on_where_it_was_interrupted(thread: Executor) -> None:
    runs: list[int] = []

    def counted(run: Simulation) -> int:
        runs.append(run.seed)
        return run.seed

    how: dict[str, Any] = {"hours": 0.001, "progress": False}
    with pytest.raises(KeyboardInterrupt) as stopped, Interrupting(4) as executor:
        sweep([{}], 8, [counted], executor=executor, **how)
    partial = stopped.value.partial  # type: ignore[attr-defined]
    assert isinstance(partial, Sweep)
    before = len(partial)
    assert 1 <= before < 8
    assert partial.frame["counted"].tolist() == partial.frame["seed"].tolist()
    assert f"{before} of 8 runs are done and kept in this process" in stopped.value.__notes__[0]
    begun_before = len(runs)
    done = sweep([{}], 8, [counted], executor=thread, **how)
    assert len(runs) - begun_before == 8 - before
    assert len(done) == 8
    sweep([{}], 8, [counted], executor=thread, **how)
    assert len(runs) - begun_before == 16 - before, "once it has come to its end nothing is remembered"


class Counting(ThreadPoolExecutor):
    """An executor that counts the runs that it is given."""

    def __init__(self) -> None:
        super().__init__(1)
        self.jobs = 0

    def submit(self, fn: Any, work: Any, jobs: Any) -> Any:  # type: ignore[override]
        self.jobs += len(jobs)
        return super().submit(fn, work, jobs)


def test_comparison_and_sensitivity_have_what_they_did_in_the_interrupt() -> None:
    how: dict[str, Any] = {"hours": 0.001, "progress": False}
    with pytest.raises(KeyboardInterrupt) as stopped, Interrupting(5) as executor:
        compare({}, {"dock_ticks": 12}, [1, 2, 3], [seed_of], executor=executor, **how)
    partial = stopped.value.partial  # type: ignore[attr-defined]
    assert isinstance(partial, Comparison)
    assert 1 <= len(partial.runs) <= 5
    with pytest.raises(KeyboardInterrupt) as stopped, Interrupting(5) as executor:
        sensitivity({"dock_ticks": (5, 20)}, 2, [seed_of], samples=4, executor=executor, **how)
    assert isinstance(stopped.value.partial, Sweep)  # type: ignore[attr-defined]


def test_an_interrupted_search_has_its_trials_and_goes_on_from_there() -> None:
    pytest.importorskip("optuna")
    how: dict[str, Any] = {"target": "highest", "trials": 8, "seeds": 2, "check_seeds": 2, "also": ()}
    how |= {"hours": 0.001, "progress": False}
    with Counting() as counting:
        optimise({"dock_ticks": (5, 500)}, seed_of, executor=counting, **how)
    whole = counting.jobs
    with pytest.raises(KeyboardInterrupt) as stopped, Interrupting(11) as executor:
        optimise({"dock_ticks": (5, 500)}, seed_of, executor=executor, **how)
    assert len(stopped.value.partial) == 4, "a round of trials"  # type: ignore[attr-defined]
    with Counting() as counting:
        optimise({"dock_ticks": (5, 500)}, seed_of, executor=counting, **how)
    assert counting.jobs <= whole - 8, "the first round is not run again"


def test_an_interrupted_gate_has_its_verdicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    branch = begin("duel")
    branch.advance(10)
    capsules = [branch.save(tmp_path / f"{name}.capsule") for name in "ab"]
    module = sys.modules[gate.__module__]
    usual = module._judged  # type: ignore[attr-defined]

    def judged(capsule: Path, *others: Any) -> Any:
        if capsule.stem == "b":
            raise KeyboardInterrupt
        return usual(capsule, *others)

    monkeypatch.setattr(module, "_judged", judged)
    with pytest.raises(KeyboardInterrupt) as stopped:
        gate(capsules, progress=False)
    assert [one.name for one in stopped.value.partial.verdicts] == ["a"]  # type: ignore[attr-defined]


def end_at_once() -> None:
    """What a worker does that cannot begin."""
    os._exit(3)


def test_workers_that_cannot_begin_are_told_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr("gamekit.lab.sweeps.pool.begin", end_at_once)
    usual = OwnPool._made
    monkeypatch.setattr(OwnPool, "_made", lambda self: made.append(1) or usual(self))
    with pytest.raises(ConfigError, match="Worker processes end as they begin"):
        sweep([{}], 20, [units_made], hours=0.001, workers=2, progress=False)
    assert len(made) <= 2, "no respawning"


def test_a_plan_that_no_worker_can_read_is_told_of_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone_module.py").write_text("def gone(run):\n    return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    import gone_module  # type: ignore[import-not-found]

    (tmp_path / "gone_module.py").unlink()
    with pytest.raises(ConfigError, match=r"cannot read what it shall do.*gone_module"):
        sweep([{}], 8, [gone_module.gone], hours=0.001, workers=1, progress=False)
