"""The seeds that CI runs, those that once found a fault, and the promise that a seed reproduces what it did."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from gamekit.faultsim import CALM, Ratios, parse_ratios, simulate_faults
from gamekit.server.runner import Runner
from gamekit.server.storage import StorageWatch
from tests.faultsim import CI_SEEDS, CI_STEPS

SEEDS = sorted((Path(__file__).resolve().parent.parent / "seeds").glob("*.json"))
#: Faults that hit a small share of the seeds; together all seeds must have had them.
EVERY_FAULT = set(Ratios.__struct_fields__) - {"lying_fsync"}


# Half a minute of one core; a machine that does much else besides takes a multiple of that.
@pytest.mark.timeout(1200)
def test_every_promise_is_kept_in_all_of_the_seeds(report: Callable[[str], None]) -> None:
    faults: Counter[str] = Counter()
    checks: Counter[str] = Counter()
    for seed in CI_SEEDS:
        verdict = simulate_faults(seed, CI_STEPS)
        again = f"gamekit faultsim --seed {seed} --steps {CI_STEPS}"
        assert verdict.ok, f"{again}\nexpected {verdict.expected}\nseen {verdict.seen}\n" + "\n".join(verdict.story)
        faults.update(verdict.faults)
        checks.update(verdict.checks)
    report(f"fault simulator: {len(CI_SEEDS)} seeds, {dict(faults)}")
    # A simulator in which nothing happens finds nothing.
    assert set(faults) >= EVERY_FAULT
    assert checks["recoveries"] > 500
    assert checks["records"] > 5_000
    assert checks["snapshots kept"] > 200
    assert checks["delta"] > 10_000
    assert checks["falls asleep"] > 100
    assert checks["wakings"] > 50
    assert checks["times made up for"] > 20
    assert checks["commands over the window"] > 100


def test_crashes_hit_every_step_of_a_commit() -> None:
    steps: Counter[str] = Counter()
    ratios = parse_ratios(("crash=0.05",), CALM)
    from gamekit.faultsim.machine import Machine

    died = Machine._died
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Machine, "_died", lambda machine, where: (steps.update([where]), died(machine, where))[1])
        for seed in range(1, 6):
            assert simulate_faults(seed, CI_STEPS, ratios, "tally", mixed=False).ok
    assert set(steps) == {
        "before a write",
        "in the middle of a write",
        "after a write, before its fsync",
        "after an fsync, before its report",
        "after a write",
        "after an fsync",
    }


@pytest.mark.parametrize("path", SEEDS, ids=lambda path: path.stem)
def test_seeds_that_once_found_a_fault_find_none(path: Path) -> None:
    kept = json.loads(path.read_text())
    ratios = parse_ratios(tuple(kept["ratios"]), Ratios() if kept["mixed"] else CALM)
    verdict = simulate_faults(kept["seed"], kept["steps"], ratios, kept["play"], mixed=kept["mixed"])
    assert verdict.ok, f"{kept['found']}: {verdict.expected}; {verdict.seen}"


@pytest.mark.parametrize("seed", [4, 5])
def test_a_seed_gives_the_same_trace_on_every_run_and_under_every_hash_seed(seed: int) -> None:
    program = (
        "from gamekit.faultsim import simulate_faults as run; "
        f"verdict = run({seed}, {CI_STEPS}); print(verdict.digest, verdict.virtual_s, sorted(verdict.checks.items()))"
    )
    told = set()
    for hash_seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        told.add(done.stdout)
    verdict = simulate_faults(seed, CI_STEPS)
    told.add(f"{verdict.digest} {verdict.virtual_s} {sorted(verdict.checks.items())}\n")
    assert len(told) == 1, told


def test_other_seeds_give_other_traces() -> None:
    assert len({simulate_faults(seed, 500).digest for seed in range(1, 6)}) == 5


def test_a_world_without_faults_has_none() -> None:
    verdict = simulate_faults(1, CI_STEPS, CALM, mixed=False)
    assert verdict.ok
    assert verdict.faults.keys() <= {"disconnected"}, "clients hang up by themselves"


def test_games_that_a_full_disk_stopped_come_back_by_themselves_and_every_promise_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    brought_back: list[int] = []
    bring_back = StorageWatch._bring_back

    def counted(watch: StorageWatch, failed: list[Runner]) -> None:
        brought_back.append(len(failed))
        bring_back(watch, failed)

    monkeypatch.setattr(StorageWatch, "_bring_back", counted)
    verdict = simulate_faults(11, CI_STEPS, replace(CALM, disk_full=0.2, locked=0.1), mixed=False)
    assert verdict.ok, verdict
    assert verdict.faults["locked"] > 0
    assert sum(brought_back) > 0
