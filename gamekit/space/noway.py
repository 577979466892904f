"""Why there is no way to a place: gates are closed, none leads there, or none that is known."""

from __future__ import annotations

from gamekit.game import PlayerId, Rejected
from gamekit.space.state import SpaceState


def no_way(state: SpaceState, player: PlayerId, start: str, goal: str, where: str = "") -> Rejected:
    """The refusal of an order for which there is no open way from one sector to another.

    Args:
        state: the game.
        player: whose order it is; what they do not know is not told.
        start, goal: the sectors.
        where: what to add to the names of both, e.g. " in this sequence".
    """
    names = f"from {state.called(player, start)} to {state.called(player, goal)}{where}"
    atlas = state.atlas_of(player)
    if goal in atlas.sectors_within(start, len(state.sectors)):
        return Rejected("no_route", f"No open gates lead {names}; wait for a gate to open, or choose another place.")
    if state.known_to(player) is not None:
        return Rejected("no_route", f"No gates that you know lead {names}; explore, or choose another place.")
    return Rejected(
        "no_route", f"No gates at all lead {names}, which is an island of its own; choose a place on this side."
    )
