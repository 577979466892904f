"""Time travel for bugs: what breaks becomes a capsule, and the notebook stands at the tick before."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from click.testing import CliRunner
from nbclient import NotebookClient

from gamekit.capsule import read_capsule, write_capsule
from gamekit.cli import main
from gamekit.errors import ConfigError, InvariantViolated
from gamekit.game import Command, Event, PlayerId, Rejected, Tick
from gamekit.lab import begin, check, failure_of, fork, replay, simulate
from gamekit.lab.failures import MOST_KEPT
from gamekit.lab.simulate import traffic
from gamekit.lab.sweeps import sweep
from gamekit.space import SpaceGame, SpaceState
from gamekit.space.commands import RenameShip
from tests.space.galaxies import Play

read: Any = nbformat.read

#: The tick at which the rules below do what they must not.
BAD_TICK = 1_234

#: Rules that give somebody credits out of nothing, as a module for a kernel that knows nothing of this test.
MODULE = f"""
from gamekit.space import SpaceGame

class Leaky(SpaceGame):
    name = "leaky"

    def next_due(self, state):
        due = super().next_due(state)
        return min(due, {BAD_TICK}) if due is not None and state.tick < {BAD_TICK} else due

    def advance(self, state, to_tick):
        before = state.tick
        events = super().advance(state, to_tick)
        if before < {BAD_TICK} <= state.tick:
            state.ledger.credits[next(iter(state.ledger.credits))] += 1
        return events
"""


class Leaky(SpaceGame):
    """Gives somebody credits out of nothing at one tick."""

    name = "leaky"

    def next_due(self, state: SpaceState) -> Tick | None:
        due = super().next_due(state)
        return min(due, BAD_TICK) if due is not None and state.tick < BAD_TICK else due

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        before = state.tick
        events = super().advance(state, to_tick)
        if before < BAD_TICK <= state.tick:
            state.ledger.credits[next(iter(state.ledger.credits))] += 1
        return events


class Raising(SpaceGame):
    """Raises when a ship docks after some tick."""

    name = "raising"

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        events = super().advance(state, to_tick)
        if any(type(event).__name__ == "ShipDocked" for event in events) and state.tick > 600:
            raise ZeroDivisionError("a bug")
        return events


class Impatient(SpaceGame):
    """Raises at one tick, until a rule is changed."""

    name = "impatient"

    def advance(self, state: SpaceState, to_tick: Tick) -> list[Event]:
        events = super().advance(state, to_tick)
        if state.tick >= 700 and state.rules.jump_ticks != 20:
            raise ZeroDivisionError("a bug")
        return events


class Corrupting(SpaceGame):
    """Gives somebody credits out of nothing when a ship is renamed."""

    name = "corrupting"

    def apply(self, state: SpaceState, player: PlayerId, command: Command) -> list[Event] | Rejected:
        if isinstance(command, RenameShip):
            state.ledger.credits[next(iter(state.ledger.credits))] += 1
        return super().apply(state, player, command)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where failures go."""
    monkeypatch.setenv("GAMEKIT_FAILURES", str(tmp_path / "kept"))
    return tmp_path / "kept"


def capsule_of(kept: Path, error: BaseException) -> Path:
    """The one capsule that is there; the error says so."""
    [path] = kept.iterdir()
    [note] = error.__notes__
    assert f"`gamekit open {path}`" in note
    return path


def test_broken_law_in_a_simulation_leaves_a_capsule_that_ends_at_the_tick(kept: Path) -> None:
    with pytest.raises(InvariantViolated, match="credits is not conserved") as broken:
        simulate("duel", hours=1, game=Leaky(), check=True)
    past = read_capsule(capsule_of(kept, broken.value))
    assert past.tick == BAD_TICK
    found = failure_of(past, Leaky())
    assert found is not None
    assert (found.tick, found.error) == (BAD_TICK, "InvariantViolated")
    assert failure_of(past, SpaceGame()) is None, "by mended rules nothing breaks"
    simulate("duel", hours=0.1, game=Leaky())  # Nobody looks, so nobody complains.
    assert len(list(kept.iterdir())) == 1


def test_what_drivers_ordered_is_in_the_capsule(kept: Path) -> None:
    with pytest.raises(InvariantViolated) as broken:
        simulate("nearest-stars", hours=1, game=Leaky(), check=True, setup=traffic(3), rules={"company_percent": 0})
    past = read_capsule(capsule_of(kept, broken.value))
    assert len(past.records) > 1
    assert list(past.players) == ["p1", "p2", "p3"]
    plain = simulate("nearest-stars", hours=1_199 / 36_000, setup=traffic(3), rules={"company_percent": 0})
    assert SpaceGame().encode(replay(past, 1_199, rules=SpaceGame()).state) == SpaceGame().encode(plain.state)


def test_rules_that_raise_leave_a_capsule_and_the_branch_as_it_was(kept: Path) -> None:
    branch = begin("duel", seed=3, game=Raising())
    branch.advance(500)
    before = branch.digest
    with pytest.raises(ZeroDivisionError) as broken:
        branch.advance(hours=1)
    past = read_capsule(capsule_of(kept, broken.value))
    found = failure_of(past, Raising())
    assert found is not None
    assert found.tick == past.tick > 600
    assert str(found) == f"ZeroDivisionError at tick {found.tick}: a bug"
    assert (branch.past.tick, branch.seek(500).digest) == (500, before)
    assert replay(past, found.tick - 1, rules=Raising()).tick == found.tick - 1
    branch.advance(50)
    assert branch.tick == 550


def test_a_command_that_breaks_a_law_is_found_at_its_own_tick() -> None:
    branch = begin("duel", game=Corrupting())
    ada = branch.join("Ada")
    branch.advance(5)
    branch.command(ada, {"type": "rename_ship", "ship": "ship-1", "name": "Hermes"})
    branch.advance(700)
    found = failure_of(branch.past, Corrupting())
    assert found is not None
    assert (found.tick, found.error) == (5, "InvariantViolated")


def test_a_branch_that_failed_and_goes_on_otherwise_remembers_nothing_of_the_failed_future(kept: Path) -> None:
    branch = begin("duel", game=Impatient())
    branch.advance(10)
    with pytest.raises(ZeroDivisionError):
        branch.advance(1_000)
    assert branch.tick == 10
    branch.set_rules(jump_ticks=20)
    branch.advance(1_000)
    digest = branch.digest
    assert branch.seek(0).seek(650).state.rules.jump_ticks == 20
    assert branch.seek(0).seek(1_010).digest == digest
    assert len(list(kept.iterdir())) == 1


def test_a_test_that_breaks_a_law_leaves_what_it_played(kept: Path) -> None:
    play = Play()
    play.move(sector="east", x=5, y=5)
    play.run(40)
    play.state.ships_made -= 1
    with pytest.raises(InvariantViolated) as broken:
        play.run(10)
    past = read_capsule(capsule_of(kept, broken.value))
    assert past.tick == play.state.tick
    play.state.ships_made += 1
    assert SpaceGame().encode(replay(past).state) == SpaceGame().encode(play.state)


def test_a_branch_checks_the_laws_when_it_is_asked_to(kept: Path) -> None:
    branch = fork(begin("duel", game=Leaky()), rules=Leaky(), check=True)
    branch.advance(BAD_TICK - 1)
    with pytest.raises(InvariantViolated) as broken:
        branch.advance(1)
    assert read_capsule(capsule_of(kept, broken.value)).tick == BAD_TICK
    with pytest.raises(InvariantViolated):
        check(simulate("duel", hours=0.1, game=Leaky()))
    check(simulate("duel", hours=0.1))
    with pytest.raises(ConfigError, match="has none"):
        check(7)


def test_sweep_tells_of_its_failures_where_they_are_and_keeps_not_too_many(kept: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    kept.mkdir()
    for number in range(MOST_KEPT - 1):
        (kept / f"{number}.capsule").touch()

    def broken(state: SpaceState, game: SpaceGame) -> Any:
        def drive(state: SpaceState, game: SpaceGame) -> list[Event]:
            state.agenda.things.clear()
            return []

        return drive

    with ThreadPoolExecutor(1) as threads:
        done = sweep([{}], 3, setup=broken, scenario="duel", executor=threads, progress=False)
    assert len(list(kept.iterdir())) == MOST_KEPT
    texts = done.failures["traceback"].tolist()
    assert ["gamekit open" in text for text in texts] == [True, False, False]
    assert all("was not added" in text for text in texts[1:])


def test_open_writes_a_notebook_that_runs_in_a_fresh_kernel_at_the_tick_before(kept: Path, tmp_path: Path) -> None:
    with pytest.raises(InvariantViolated) as broken:
        simulate("duel", hours=1, game=Leaky(), check=True)
    path = capsule_of(kept, broken.value)
    (tmp_path / "leaky.py").write_text(MODULE)
    command = [sys.executable, "-m", "gamekit", "open", str(path), "--rules-of", "leaky:Leaky", "--write-only"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"InvariantViolated at tick {BAD_TICK}" in done.stdout
    notebook = read(path.with_suffix(".ipynb"), as_version=4)
    nbformat.validate(notebook)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert f"at tick {BAD_TICK - 1:,}" in prose
    assert "credits is not conserved" in prose
    probe = nbformat.v4.new_code_cell(  # type: ignore[no-untyped-call]
        "import json\nprint(json.dumps({'tick': game.tick, 'end': game.end_tick, 'ships': len(game.frame.ships),"
        " 'failure': type(failure).__name__, 'changed': [one.path for one in changed], 'branch': branch.tick}))"
    )
    notebook.cells.append(probe)
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": kept}}).execute()
    told = json.loads(probe.outputs[0].text)
    assert (told["tick"], told["end"], told["branch"]) == (BAD_TICK - 1, BAD_TICK, BAD_TICK - 1)
    assert told["ships"] > 0
    assert told["failure"] == "InvariantViolated"
    assert any(path.startswith("ledger.credits") for path in told["changed"])


def test_open_of_a_game_that_is_well_stands_at_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    branch = begin("duel")
    ada = branch.join("Ada")
    branch.advance(700)
    branch.command(ada, {"type": "stop", "ship": "ship-1"})
    write_capsule(branch.past, tmp_path / "well.capsule")
    monkeypatch.chdir(tmp_path)

    def opened(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["open", *arguments, "--write-only"])
        return done.exit_code, done.output

    status, said = opened("well.capsule", "--notebook", "seen.ipynb")
    assert (status, said) == (0, "seen.ipynb: nothing breaks; it opens at tick 700\n")
    prose = Path("seen.ipynb").read_text()
    assert "Nothing breaks" in prose
    assert "record 2" in prose
    game = branch.past.row.id
    status, said = opened(game, "--db", "well.capsule")
    assert said == f"{game}.ipynb: nothing breaks; it opens at tick 700\n"
    assert read_capsule(Path(f"{game}.capsule")).tick == 700
    status, said = opened("missing.capsule")
    assert (status, "There is no missing.capsule" in said) == (1, True)
