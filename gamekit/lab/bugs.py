"""The notebook that `gamekit open` writes: a past at the tick before it broke, and what was found, in words.

Written as plain JSON of notebook format 4.5, so that it needs no package that only a notebook needs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gamekit.files import replace_text
from gamekit.game import Game, Tick
from gamekit.journal import Past
from gamekit.lab.failures import Failure, failure_of

#: Commands that are shown at most, the last ones before the failure.
SHOWN = 8


def bug_notebook(
    capsule: Path, past: Past, rules: Game[Any], target: Path, *, tick: Tick | None = None, rules_of: str | None = None
) -> str:
    """Write a notebook that opens a capsule at the tick before it breaks.

    Args:
        capsule: the file, which the notebook names.
        past: what is in it.
        rules: what to play it by.
        target: the notebook to write, in place of what was there.
        tick: look at this tick instead.
        rules_of: where the rules come from, when they are not the bundled game's.

    Returns:
        The finding in one line.
    """
    failure = failure_of(past, rules)
    at = tick if tick is not None else max(failure.tick - 1, 0) if failure else past.tick
    cells = [*_introduction(past, failure, at), *_code(capsule.resolve(), at, failure, rules_of)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    notebook = {
        "cells": cells,
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    replace_text(target, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    return f"{failure}; it opens at tick {at}" if failure else f"nothing breaks; it opens at tick {at}"


def _introduction(past: Past, failure: Failure | None, at: Tick) -> list[dict[str, Any]]:
    name = f"{past.row.name} ({past.row.id})"
    if failure is None:
        found = f"Nothing breaks: all {past.tick:,} ticks were played again, and every law holds."
    else:
        found = f"**It breaks at tick {failure.tick:,}** of {past.tick:,}: `{failure.error}`.\n\n"
        found += "\n".join(f"    {line}" for line in failure.message.splitlines())
    commands = [one for one in past.records if failure is None or one.tick <= failure.tick][-SHOWN:]
    told = [f"- tick {one.tick:,}, record {one.seq}: `{_clean(one.commands)}`" for one in commands]
    last = "\n".join(["The last commands before it:" if failure else "The last commands:", "", *told])
    return [
        _markdown(f"# {_clean(name)}, at tick {at:,}\n\n{found}"),
        _markdown(last if told else "Nobody gave a command: it happens by itself."),
    ]


def _clean(text: str) -> str:
    return text.replace("`", "'").replace("\n", " ")[:400]


def _code(capsule: Path, at: Tick, failure: Failure | None, rules_of: str | None) -> list[dict[str, Any]]:
    own = ", rules=rules" if rules_of else ""
    setup = "from gamekit import lab\n"
    if rules_of:
        # A notebook's kernel starts beside the notebook, and the rules are where `gamekit open` was started.
        setup = f"import sys\n\nsys.path.insert(0, {str(Path.cwd())!r})\n\n{setup}"
        setup += f"from gamekit.games import loaded\n\nrules = loaded({rules_of!r})\n"
    setup += f"\ncapsule = {str(capsule)!r}\ntick = {at}\ngame = lab.replay(capsule, tick{own})\ngame"
    cells = [
        _source(setup),
        _markdown("## Before\n\nThe ships and stations as they are now, and what fell in the minute that led here."),
        _source("game.frame.ships"),
        _source("game.frame.stations"),
        _source(f"before = lab.replay(capsule, max(0, tick - 600){own})\nlist(before.events(tick))[-30:]"),
    ]
    if failure is not None:
        step = [
            f"after = lab.replay(capsule, tick{own})",
            "try:",
            f"    after.seek({failure.tick})",
            "    lab.check(after)",
            '    print("it is well: the rules were mended")',
            "except Exception as error:",
            "    failure = error",
            '    print(f"{type(error).__name__}: {error}")',
        ]
        changed = [
            "from gamekit.lab.diff import differences",
            "",
            "# A state that the rules raised in the middle of is not shown; one that breaks a law is.",
            f"there = after.tick == {failure.tick}",
            "changed = list(differences(game.state.saved(), after.state.saved())) if there else []",
            "changed[:50]",
        ]
        cells += [
            _markdown("## The tick itself\n\nOne step on, with a look at the laws; and which fields the step changed."),
            _source("\n".join(step)),
            _source("\n".join(changed)),
        ]
    cells += [
        _markdown(
            "## What if\n\nA branch goes on from here with orders of your own: `branch.command(player, {...})`, "
            "`branch.advance(ticks=10)`, `branch.set_rules(...)`. `lab.gate(capsule)` keeps the game as a test."
        ),
        _source(f"branch = lab.fork(capsule, tick{own}, check=True)\nbranch"),
    ]
    return cells


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "id": "", "metadata": {}, "source": text.splitlines(keepends=True)}


def _source(text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "id": "", "metadata": {}, "outputs": [], "source": lines}
