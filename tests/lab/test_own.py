"""Rules of one's own in the lab: a class, an instance or an import path; what is forked from them keeps them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gamekit import lab
from gamekit.errors import ConfigError
from gamekit.lab.metrics import metric
from gamekit.lab.rerun import rerun
from gamekit.lab.simulate import Simulation
from gamekit.space import SpaceGame
from tests.counter_game import CounterGame
from tests.designer_game import FoodFirst

#: As in a notebook's cell: in no module that a worker could import, with a command, which is a struct.
CELL = """
from typing import ClassVar
from gamekit.game import Command, Event
from gamekit.space import SpaceGame

class Wave(Command, frozen=True, tag="wave"):
    times: int = 1

def wave(state, player, command):
    return []

class Flat(SpaceGame):
    name = "flat"
    commands: ClassVar = {Wave: wave}
    percent = 100

    def price(self, station, ware, stock, rules):
        return ware.base_price * self.percent // 100
"""
SMALL: dict[str, Any] = {"scenario": "procedural:4", "hours": 0.3, "progress": False}


@metric("credits")
def owned(run: Simulation) -> float:
    """Of the companies."""
    return float(sum(run.state.ledger.credits.values()) + len(run.digest))


@metric("share")
def flat(run: Simulation) -> float:
    """Of all prices."""
    ratios = run.frame.prices["price_ratio"]
    return float((ratios == 1).mean())


def cell(text: str = CELL) -> type[SpaceGame]:
    """The class that a cell has defined."""
    names: dict[str, Any] = {"__name__": "a_cell"}
    exec(text, names)
    made: type[SpaceGame] = names["Flat"]
    return made


def test_what_is_taken_from_a_game_of_ones_own_goes_by_its_rules(tmp_path: Path) -> None:
    branch = lab.begin("duel", game=FoodFirst, check=True)
    branch.advance(700)
    stored = lab.open(branch.save(tmp_path / "own.capsule"), rules=[FoodFirst]).game
    for source in (branch, stored):
        assert type(lab.replay(source).rules) is FoodFirst
        assert lab.fork(source, 650).digest == branch.seek(650).digest
        assert lab.diff(source, branch) is None
    assert rerun(branch)[0].state.tick == 700
    run = lab.simulate("duel", hours=700 / 36_000, game=FoodFirst)
    assert run.digest == lab.simulate("duel", hours=700 / 36_000, game="tests.designer_game:FoodFirst").digest


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda: lab.begin(game=int), "int is not a game"),
        (lambda: lab.begin(game="FoodFirst"), "expected MODULE:CLASS"),
        (lambda: lab.simulate("duel", game=CounterGame), "only subclasses of gamekit.space.SpaceGame"),
        (lambda: lab.sweep({}, 1, [flat], game=CounterGame), "only subclasses of gamekit.space.SpaceGame"),
        (lambda: lab.sweep({}, 1, [flat], game=cell(CELL + "    log = __import__('sys').stderr\n")), "cannot be sent"),
    ],
)
def test_what_is_no_such_game_is_told(asked: Callable[[], object], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        asked()


def test_a_class_of_a_cell_is_swept_in_other_processes_and_stays_what_it_is(tmp_path: Path) -> None:
    own = cell()
    commands = dict(own.commands)
    how = {**SMALL, "workers": 1, "database": tmp_path / "runs.db"}
    done = lab.sweep({"jump_ticks": [20, 40]}, 2, [flat, owned], game=own, **how)
    assert done.failures["error"].tolist() == []
    assert done.frame["flat"].tolist() == [1.0] * 4
    run = lab.simulate("procedural:4", {"jump_ticks": 40}, done.jobs[2].seed, 0.3, game=own)
    assert run.digest == done.frame["digest"][2]
    with ThreadPoolExecutor(1) as here:
        # In this very process, and found again; other rules, or the same ones changed, are other runs.
        same = lab.sweep({"jump_ticks": [20]}, 2, [flat, owned], game=cell(), executor=here, **how)
        assert same.frame["cpu_s"].tolist() == done.frame["cpu_s"].tolist()[:2]
        for other in (
            None,
            cell(CELL.replace("percent = 100", "percent = 110")),
            cell(CELL.replace("// 100", "// 101")),
        ):
            changed = lab.sweep({"jump_ticks": [20]}, 2, [flat, owned], game=other, executor=here, **how)
            assert changed.frame["flat"].max() < 1
        assert own.commands == commands
        compared = lab.compare({}, {"jump_ticks": 20}, 2, [flat], game=own, executor=here, **SMALL)
        assert compared.frame["mean_b"].tolist() == [1.0]
        study = lab.sensitivity({"jump_ticks": (20, 40)}, 1, [flat], samples=2, game=own, executor=here, **SMALL)
        assert study.runs.frame["flat"].tolist() == [1.0] * 4
        found = lab.optimise(
            {"jump_ticks": (20, 40)},
            flat,
            target=1,
            seeds=1,
            trials=1,
            check_seeds=2,
            also=[],
            game=own,
            executor=here,
            **SMALL,
        )
        assert [trial.value for trial in found.trials] == [1.0]
    assert own.commands == commands
