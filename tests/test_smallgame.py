"""Small games: what is seen no more is gone from every mirror, and what changes without an event is told."""

from __future__ import annotations

import gc
from typing import Any

from gamekit import mirrored
from gamekit.game import Join, PlayerId, View, merge
from gamekit.smallgame import ViewChanged
from tests.coming_game import Draw, Sparks, Throw
from tests.small_game import Dig, Nuggets

ADA, BOB = PlayerId("p1"), PlayerId("p2")


def started(game: Sparks) -> Any:
    """A game with two players."""
    state = game.new({}, 1)
    for player in (ADA, BOB):
        game.apply(state, player, Join(f"Player {player}"))
    return state


def patch(game: Sparks, state: Any, mirrors: dict[PlayerId | None, View], events: Any) -> None:
    """Give every mirror what a session would."""
    if not events:
        return
    public = game.changes(state, None, events)
    for viewer, mirror in mirrors.items():
        merge(mirror, public)
        if viewer is not None:
            merge(mirror, game.changes(state, viewer, events))


def test_what_burns_down_leaves_every_mirror() -> None:
    game = Sparks()
    state = started(game)
    mirrors = {viewer: game.view(state, viewer) for viewer in (None, ADA, BOB)}
    patch(game, state, mirrors, game.apply(state, ADA, Throw(3)))
    assert all(len(mirror["sparks"]) == 3 for mirror in mirrors.values())
    for _ in range(3):
        patch(game, state, mirrors, game.advance(state, state.tick + 5))
    assert not state.sparks
    assert all(mirror["sparks"] == {} for mirror in mirrors.values())


def test_a_mirror_from_before_a_sleep_loses_what_goes_after_it() -> None:
    game = Sparks()
    state = started(game)
    game.apply(state, ADA, Throw(2))
    game.apply(state, ADA, Draw(7))
    mirrors = {viewer: game.view(state, viewer) for viewer in (None, ADA)}
    woken = game.decode(game.encode(state), game.version)
    patch(game, woken, mirrors, game.apply(woken, ADA, Draw(7)))
    assert mirrors[ADA]["cards"] == {}
    for _ in range(3):
        patch(game, woken, mirrors, game.advance(woken, woken.tick + 5))
    assert mirrors[None]["sparks"] == mirrors[ADA]["sparks"] == {}


def test_a_mirror_begun_between_a_step_and_its_patch_loses_what_goes_later() -> None:
    game = Sparks()
    state = started(game)
    first = {None: game.view(state, None)}
    thrown = game.apply(state, ADA, Throw(1))
    second = {None: game.view(state, None)}
    patch(game, state, first, thrown)
    for _ in range(3):
        events = game.advance(state, state.tick + 5)
        patch(game, state, first, events)
        patch(game, state, second, events)
    assert first[None]["sparks"] == second[None]["sparks"] == {}


def test_a_step_without_an_event_tells_those_who_see_its_change() -> None:
    game = Sparks()
    state = started(game)
    assert game.advance(state, 5) == [ViewChanged()]
    (drawn,) = game.apply(state, ADA, Throw(0)) or [None]
    assert drawn is None, "nothing changed"
    (drawn,) = game.apply(state, ADA, Draw(1))
    assert game.audience(state, drawn) is None, "the number of cards is public"


def test_a_field_that_is_left_out_does_not_stay_as_it_was() -> None:
    held = {"cards": {"c1": ("face", "owner")}}
    assert mirrored.gone(held, {"cards": {"c1": {"owner": "p1"}}}) == {"cards": {"c1": {"face": None}}}
    assert mirrored.gone(held, {"cards": {"c1": {"owner": "p1", "face": 3}}}) == {}
    assert mirrored.gone(held, {}) == {"cards": {"c1": None}}


class Broadcast(Sparks):
    """Spectators see every spark, a player only those that burn as long as three steps or more."""

    name = "broadcast"

    def see(self, state: Any, player: PlayerId | None) -> View:
        seen = super().see(state, player)
        if player is None:
            return seen
        return {**seen, "sparks": {key: row for key, row in seen["sparks"].items() if state.sparks[key] >= 3}}


def test_a_player_who_sees_less_than_a_spectator_has_a_true_mirror() -> None:
    game = Broadcast()
    state = started(game)
    mirrors = {viewer: game.view(state, viewer) for viewer in (None, ADA, BOB)}
    sizes = set()
    patch(game, state, mirrors, game.apply(state, ADA, Throw(3)))
    for _ in range(4):
        patch(game, state, mirrors, game.advance(state, state.tick + 5))
        assert all(mirror == game.view(state, viewer) for viewer, mirror in mirrors.items())
        sizes.add((len(mirrors[None]["sparks"]), len(mirrors[ADA]["sparks"])))
    assert any(public > own for public, own in sizes)


def test_views_without_patches_do_not_add_up_for_ever() -> None:
    game = Sparks()
    state = started(game)
    mirrors = mirrored.mirrors_of(state, lambda: None)
    for number in range(3 * mirrored.ROWS_KEPT // 5):
        state.sparks = {f"x{number}-{one}": 1 for one in range(5)}
        game.view(state, ADA)
    assert len(mirrors._viewer(ADA).now["sparks"]) <= mirrored.ROWS_KEPT


def test_the_memory_of_a_state_goes_with_it() -> None:
    game = Nuggets()
    state = game.new({}, 1)
    game.apply(state, ADA, Join("Ada"))
    game.advance(state, 10)
    game.changes(state, None, game.apply(state, ADA, Dig(1)))
    key = id(state)
    assert key in mirrored._of_states
    del state
    gc.collect()
    assert key not in mirrored._of_states
