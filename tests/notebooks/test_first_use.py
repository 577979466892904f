"""From an installed package to a moving ship: in how many cells, counted in a real kernel."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

DOCS = Path(__file__).parents[2] / "docs" / "notebooks.md"
#: What is promised.
CELLS = 3

MOVING = """
import json, threading
print(json.dumps([me.ship.status, me.ship.queue[0]["status"]]))
"""
#: The same with top-level await; the kernel's own loop goes on meanwhile, which is what `beats` counts.
AWAITED = """
import asyncio
beats = 0
async def beat():
    global beats
    while True:
        beats += 1
        await asyncio.sleep(0.01)
beating = asyncio.ensure_future(beat())
async with await gamekit.connect(server.url, token=server.token) as client:
    game = await client.new_game(seed=7)
    await game.set_speed(100)
    ada = await game.join("Ada")
    await ada.ship.go("Sirius").then().go("Sol").wait(60)
    arrived = ada.ship.sector
# The blocking handles work in a thread just as well, and the loop does not wait for them.
order = await asyncio.to_thread(lambda: me.ship.go("Sol").ack())
beating.cancel()
print(json.dumps([arrived, beats > 10, order.tick > 0]))
"""
CLOSED = """
server.close()
import gc
gc.collect()
left = [t.name for t in threading.enumerate() if "gamekit" in t.name]
print(json.dumps([left, [t.get_name() for t in asyncio.all_tasks() if "gamekit" in t.get_name()]]))
"""


def test_a_ship_moves_after_at_most_three_cells_and_await_works_beside() -> None:
    text = DOCS.read_text().split("## The first ship", 1)[1].split("\n## ", 1)[0]
    first = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert 1 <= len(first) <= CELLS
    v4: Any = nbformat.v4
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in [*first, MOVING, AWAITED, CLOSED]])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    printed = [
        json.loads("".join(o.text for o in cell.outputs if o.get("name") == "stdout"))
        for cell in notebook.cells[len(first) :]
    ]
    assert printed[0] == ["flying", "active"]
    assert printed[1] == ["sol", True, True]
    assert printed[2] == [[], []]
