"""The bundled game: a deterministic space economy that knows no clock, no I/O and no floats.

`SpaceGame` fulfils `gamekit.game.Game`; everything else is reached through it. The rooms, from the ground up:
`model` and `rules` (what there is), `parts` (work that may be broken off), `schedule` and `travel` (when, and how to
get anywhere), `ledger` (who owns what), `economy`, `trading`, `queue` and `gates` (what happens), `market`, `reserved`,
`jobs`, `auction` and `dispatch` (auto-trade), `fleet` (ships and owners), `orders` (what players may do), `views` (what
they see), `scenario`, `review`, `procedural`, `listing` and `worldgen` (how a game begins), `invariants` (the laws),
`passing` (how time passes), `engine` (all of it as one game).
"""

from gamekit.space.engine import SpaceGame
from gamekit.space.invariants import check
from gamekit.space.listing import ScenarioInfo, scenarios
from gamekit.space.rules import Rules
from gamekit.space.state import SpaceState

__all__ = ["Rules", "ScenarioInfo", "SpaceGame", "SpaceState", "check", "scenarios"]
