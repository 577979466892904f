"""A launch cell that is run again leaves one server; two servers that are kept on purpose both stay."""

from __future__ import annotations

import queue
import threading
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from jupyter_client.manager import KernelManager

from gamekit.lab.forgotten import reached


class Server:
    """Something that a notebook may hold."""


class Holder:
    """An object of the user's own."""

    def __init__(self, held: Any) -> None:
        self.held = held


Holder.__module__ = "__main__"


def in_function(held: Any) -> Any:
    """A closure, as of a cell."""
    made = types.FunctionType(
        (lambda: held).__code__, {"__name__": "__main__"}, closure=(lambda: held).__closure__
    )  # fmt: skip
    made.__module__ = "__main__"
    return made


def held_by_widget(held: Any) -> Any:
    """A widget, which does not count."""
    widget = ipywidgets.Button()
    widget.held = held
    return widget


HOLDS = {
    "a variable": lambda one: {"server": one},
    "a private variable": lambda one: {"_server": one},
    "a list in a table": lambda one: {"all": {"a": [one]}},
    "an object": lambda one: {"holder": Holder(one)},
    "a class": lambda one: {"Own": type("Own", (), {"server": one, "__module__": "__main__"})},
    "a closure": lambda one: {"f": in_function(one)},
    "a bound method": lambda one: {"f": Holder(one).__init__},
    "a generator": lambda one: {"g": (each for each in [[one]])},
}
LEAVES = {
    "nothing": lambda one: {},
    "what was shown": lambda one: {"_": one, "__": [one], "_3": one, "Out": {3: one}, "_oh": {3: one}},
    "what was typed": lambda one: {"In": ["launch()"], "_i": "x", "_i3": "x", "_ii": "x"},
    "a widget": lambda one: {"shown": held_by_widget(one)},
    "a library": lambda one: {"pandas": types.ModuleType("pandas"), "threading": threading},
}


@pytest.mark.parametrize("what", HOLDS)
def test_what_a_variable_leads_to_is_found(what: str) -> None:
    one, other = Server(), Server()
    assert reached([one, other], HOLDS[what](one)) == {id(one)}


@pytest.mark.parametrize("what", LEAVES)
def test_what_was_shown_or_is_of_a_library_holds_nothing(what: str) -> None:
    one = Server()
    assert reached([one], LEAVES[what](one)) == set()


def test_what_a_function_in_another_thread_works_with_is_found() -> None:
    one, told, end = Server(), threading.Event(), threading.Event()
    space: dict[str, Any] = {"__name__": "__main__", "told": told, "end": end}
    exec("def work(mine):\n told.set()\n end.wait(60)\n", space)
    thread = threading.Thread(target=space["work"], args=(one,))
    thread.start()
    try:
        assert told.wait(60)
        assert reached([one], {}) == {id(one)}
    finally:
        end.set()
        thread.join()


def test_too_much_to_look_at_counts_as_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gamekit.lab.forgotten.MOST", 50)
    one = Server()
    assert reached([one], {"much": [[number] for number in range(100)]}) == {id(one)}


CELL = "import gamekit\nserver = gamekit.launch()\ngame = server.new_game('duel')\nme = game.join('Ada')\n"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Any]:
    """A real kernel: a function that runs a cell and gives what it printed."""
    manager = KernelManager(kernel_name="python3", transport="ipc")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=60)

    def run(code: str) -> str:
        message, said, end = client.execute(code), "", time.monotonic() + 60
        while time.monotonic() < end:
            try:
                got = client.get_iopub_msg(timeout=1)
            except queue.Empty:
                continue
            if got["parent_header"].get("msg_id") != message:
                continue
            assert got["msg_type"] != "error", got["content"]
            if got["msg_type"] == "stream" and got["content"]["name"] == "stdout":
                said += got["content"]["text"]
            if got["msg_type"] == "status" and got["content"]["execution_state"] == "idle":
                return said
        raise AssertionError("the cell did not come to its end")

    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def servers(kernel: int) -> int:
    """The kernel's children that are servers."""
    count = 0
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == kernel:
                count += "serve" in (entry / "cmdline").read_text().split("\0")
        except OSError:
            pass
    return count


def settled(kernel: int, count: int) -> None:
    """Wait for so many servers."""
    end = time.monotonic() + 30
    while (running := servers(kernel)) != count:
        assert time.monotonic() < end, f"{running} servers, {count} are right"
        time.sleep(0.1)


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
def test_a_launch_cell_that_is_run_again_leaves_one_server_and_two_variables_hold_two(kernel: Any) -> None:
    pid = int(kernel("import os; print(os.getpid())"))
    for cell in (CELL, CELL + "shown = game.map()\nshown", CELL + "me.ship"):
        kernel(cell)
        kernel(cell)
        settled(pid, 1)
    kernel("other = gamekit.launch()\nothers = other.new_game('duel')")
    kernel("me.ship")
    kernel(CELL)
    settled(pid, 2)
    assert kernel("print(others.tick >= 0, game.tick >= 0)").strip() == "True True"
    # A widget of the first one does not hold it, a player does.
    kernel("widget, mine = game.map(), me")
    kernel(CELL)
    settled(pid, 3)
    kernel("del mine")
    settled(pid, 2)
    kernel("del other, others")
    settled(pid, 1)
