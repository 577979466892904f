"""The first use of rules is one thread's alone; later ones are everybody's."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar, get_args

import pytest

from gamekit.firstuse import look_at
from gamekit.game import Command, GameId
from gamekit.history import first_session, glance, restored, stored
from gamekit.journal import GameRow, MemoryJournal
from gamekit.lab.own import rules_of
from gamekit.space import SpaceGame
from tests.counter_game import CounterGame

ROW = GameRow(id=GameId("g"), game="counter", version=1, name="G", config="{}", seed=1, created_s=0.0)


class Watched(CounterGame):
    """Rules that tell whether two threads are in them at once."""

    def __init__(self, meeting: threading.Barrier) -> None:
        super().__init__()
        self.meeting = meeting
        self.met: list[bool] = []

    def _meet(self) -> None:
        try:
            self.meeting.wait(0.2)
            self.met.append(True)
        except threading.BrokenBarrierError:
            self.met.append(False)

    def new(self, config: Any, seed: int) -> Any:
        self._meet()
        return super().new(config, seed)

    def decode(self, data: bytes, version: int) -> Any:
        self._meet()
        return super().decode(data, version)


def twice_at_once(work: Callable[[], object]) -> None:
    """The same in two threads."""
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work), threads.submit(work)]:
            done.result()


def test_two_threads_are_never_in_the_first_use_of_rules_together() -> None:
    class Fresh(Watched):
        pass

    alone, together = Fresh(threading.Barrier(2)), Fresh(threading.Barrier(2))
    twice_at_once(lambda: first_session(alone, ROW))
    assert alone.met == [False, False]
    # It has come to its end; who comes now need not wait.
    twice_at_once(lambda: first_session(together, ROW))
    assert together.met == [True, True]


def test_loading_is_another_use_than_making() -> None:
    class Fresh(Watched):
        pass

    made = first_session(CounterGame(), ROW)
    encoded = made.snapshot()
    alone, together = Fresh(threading.Barrier(2)), Fresh(threading.Barrier(2))
    for game in (alone, together):
        twice_at_once(lambda game=game: restored(game, ROW, encoded, game.version, 0))
    assert (alone.met, together.met) == ([False, False], [True, True])


def test_a_glance_at_a_sleeping_game_is_a_use_of_its_own() -> None:
    class Fresh(Watched):
        pass

    journal = MemoryJournal(wall=lambda: 0.0)
    made = first_session(CounterGame(), ROW)
    journal.start(lambda done: None)
    journal.create(ROW, stored(made, made.snapshot(), tick=0, seq=0))
    alone, together = Fresh(threading.Barrier(2)), Fresh(threading.Barrier(2))
    for game in (alone, together):
        twice_at_once(lambda game=game: glance(journal, ROW, game))
    assert (alone.met, together.met) == ([False, False], [True, True])


#: What a fresh process does in a thread of its own; each is a way in which scripts begin.
ENTRIES = {
    "simulate": "lab.simulate('nearest-stars', seed=1, hours=0.002, check=True)",
    "simulate procedural": "lab.simulate('procedural:3', seed=1, hours=0.002)",
    "begin": """
branch = lab.begin("duel")
me = branch.join("Ada")
ship = next(key for key, one in branch.view(me)["ships"].items() if one["owner"] == me)
branch.command(me, {"type": "stop", "ship": ship})
branch.set_rules(jump_ticks=30)
capsule = branch.save(place / "one.capsule")
lab.fork(capsule).advance(10)
lab.diff(capsule, changed={"dock_ticks": 12})
lab.gate(capsule, accept=True, progress=False)
lab.gate(capsule, progress=False)
lab.open(capsule).game.frame.commands
""",
    "play": """
class Idle(gamekit.Bot):
    def on_idle(self, ship):
        ship.go(sorted(self.me.view["sectors"])[0])
lab.play(lab.begin("duel"), Idle("Ada"), ticks=100)
""",
    "launch": """
with gamekit.launch() as client:
    game = client.new_game("duel")
    game.join("Ada").ship.stop().result()
    game.rules, game.frame.commands, lab.fork(game)
    try:
        client.new_game("no such scenario")
    except gamekit.errors.GamekitError:
        pass
""",
}
#: Counts in every thread how often msgspec reads a class's annotations, which it does when it looks at a type.
COUNTING = """
import sys, tempfile, threading, pathlib
import msgspec._utils
import gamekit, gamekit.errors
from gamekit import lab
place = pathlib.Path(tempfile.mkdtemp())
codes = {one.__code__ for one in (msgspec._utils.get_class_annotations, msgspec._utils.get_dataclass_info)}
looked = []
def profile(frame, event, _):
    # `msgspec.structs.fields` reads annotations as well, and leaves nothing on the class.
    if event == "call" and frame.f_code in codes and frame.f_back.f_code.co_name != "fields":
        looked.append(repr(frame.f_locals.get("obj")))
def work():
    exec(ENTRY, globals())
threading.setprofile(profile)
thread = threading.Thread(target=work)
thread.start()
thread.join()
import shutil
shutil.rmtree(place)
print(looked)
"""
#: Four threads at once; a small switch interval makes them meet in the middle of things.
MEETING = """
import sys, threading
import gamekit
from gamekit import lab
sys.setswitchinterval(1e-6)
gate = threading.Barrier(4)
def work():
    gate.wait()
    exec(ENTRY, globals())
threads = [threading.Thread(target=work) for _ in range(4)]
for one in threads: one.start()
for one in threads: one.join()
"""


def fresh(code: str, entry: str) -> subprocess.CompletedProcess[str]:
    """The code in a new process."""
    told = [sys.executable, "-X", "faulthandler", "-c", f"ENTRY = {entry!r}\n{code}"]
    return subprocess.run(told, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_no_type_of_gamekit_is_looked_at_for_the_first_time_in_a_thread(entry: str) -> None:
    done = fresh(COUNTING, entry)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("entry", ["simulate", "simulate procedural"])
def test_four_threads_that_begin_at_once_live(entry: str) -> None:
    ends = [fresh(MEETING, ENTRIES[entry]) for _ in range(3 * int(os.environ.get("GAMEKIT_LONG", "1")))]
    assert [(one.returncode, one.stderr) for one in ends if one.returncode] == []


def test_types_of_a_designers_game_are_looked_at_when_the_game_is(monkeypatch: pytest.MonkeyPatch) -> None:
    class Poke(Command, frozen=True, tag="poke"):
        pass

    class Poking(SpaceGame):
        name = "poking"
        commands: ClassVar[Any] = {Poke: lambda state, player, command: []}

    looked: list[Any] = []
    monkeypatch.setattr("gamekit.games.look_at", lambda *kinds: looked.extend(kinds))
    rules_of(Poking)
    assert Poke in get_args(looked[0])


def test_what_is_no_type_is_passed_over() -> None:
    look_at(None, 7, list["no such type"])  # type: ignore[valid-type]  # noqa: F722
