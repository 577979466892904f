"""Make the corpus anew: short recorded games that between them touch most of the rules.

    python tests/corpus/make.py

Each is a capsule and what it is expected to do. They are committed, and `make test` runs `gamekit gate` over them: code
that is not meant to change behaviour leaves them alone. Code that is meant to is accepted with
`gamekit gate tests/corpus --accept`, and the change of the expectations is read in the pull request; only a new kind of
game belongs into this script.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from gamekit.capsule import write_capsule
from gamekit.errors import CommandFailed
from gamekit.lab import Branch, begin, gate
from gamekit.lab.gates.expected import remade
from gamekit.space import SpaceGame

HERE = Path(__file__).resolve().parent
MINUTE = 600


def ask(game: Branch, player: str, body: dict[str, Any]) -> None:
    """Give an order that may be refused: then the refusal is part of the recorded game."""
    with contextlib.suppress(CommandFailed):
        game.command(player, body)


def orders() -> Branch:
    """Nearest stars: two players with queues, trades, orders changed and cancelled, a ship bought, auto-trade."""
    game = begin("nearest-stars", {"company_percent": 0}, 11, name="Orders")
    ada, bob = game.join("Ada"), game.join("Bob")
    first, second = (next(key for key, one in game.state.ships.items() if one.owner == who) for who in (ada, bob))
    game.command(ada, {"type": "move", "ship": first, "to": {"sector": "sirius", "x": 100, "y": -200}})
    game.command(bob, {"type": "buy", "ship": second, "ware": "food", "units": 40})
    game.advance(3 * MINUTE)
    game.command(ada, {"type": "move", "ship": first, "to": {"station": "sol-hub"}, "append": True})
    game.command(bob, {"type": "auto_trade", "ship": second, "on": True})
    game.advance(2 * MINUTE)
    game.command(ada, {"type": "stop", "ship": first})
    ask(game, ada, {"type": "move", "ship": second, "to": {"station": "sol-hub"}})  # Somebody else's ship.
    ask(game, ada, {"type": "buy_ship", "class": next(iter(game.state.ship_classes)), "station": "sol-hub"})
    game.command(ada, {"type": "rename_ship", "ship": first, "name": "Hermes"})
    game.advance(7 * MINUTE)
    return game


def storms() -> Branch:
    """A duel in which gates close and open again, and two companies look for other ways."""
    game = begin("duel", {"storm_rate": 36_000, "storm_ticks": 900}, 5, name="Duel under storms")
    ada = game.join("Ada")
    ship = next(key for key, one in game.state.ships.items() if one.owner == ada)
    game.command(ada, {"type": "auto_trade", "ship": ship, "on": True})
    game.advance(15 * MINUTE)
    return game


def fog() -> Branch:
    """A procedural galaxy under fog: somebody goes where nothing is known, while surveyors chart the rest."""
    rules = {"fog": 1, "charted_jumps": 1, "discovery_ticks": 1_200, "company_percent": 50}
    game = begin("procedural:6", rules, 3, name="Fog")
    ada = game.join("Ada")
    for _ in range(6):
        seen = game.view(ada)
        ship = next(key for key, row in seen["ships"].items() if row["owner"] == ada)
        gates = sorted(key for key, row in seen["gates"].items() if row["to"] is None) or sorted(seen["gates"])
        ask(game, ada, {"type": "move", "ship": ship, "to": {"gate": gates[0], "through": True}})
        game.advance(2 * MINUTE)
    return game


def amended() -> Branch:
    """A lifeline whose rules change in mid-game: faster ships, dearer trade, shorter cycles."""
    game = begin("lifeline", {}, 2, name="Amended")
    game.advance(4 * MINUTE)
    game.set_rules(ship_speed_mm_per_tick=12_000, trade_fee_permille=20)
    game.advance(4 * MINUTE)
    game.set_rules(cycle_percent=50, least_load_percent=60)
    game.advance(4 * MINUTE)
    return game


#: {file: what is recorded}
CORPUS: dict[str, Callable[[], Branch]] = {"orders": orders, "storms": storms, "fog": fog, "amended": amended}


def main() -> int:
    """Make all of them, with a kept state every five minutes of game time."""
    for name, play in CORPUS.items():
        past = play().past
        kept = remade(past, SpaceGame(), [*range(0, past.tick, 5 * MINUTE), past.tick])
        path = HERE / f"{name}.capsule"
        path.with_suffix(".expected.json").unlink(missing_ok=True)
        write_capsule(replace(kept, row=replace(kept.row, created_s=0.0)), path)
    found = gate(HERE, accept=True)
    print(found)
    return 0 if found.ok else 1


if __name__ == "__main__":
    sys.exit(main())
