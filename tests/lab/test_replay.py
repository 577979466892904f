"""Replay, fork, diff: every tick of the past is there, a fork that does the same is the same, differences are found."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

import gamekit
from gamekit.capsule import renamed
from gamekit.errors import CommandFailed, ConfigError
from gamekit.game import GameId
from gamekit.history import rebuild
from gamekit.journal import Past, digest_of
from gamekit.lab import Branch, diff, fork, play, replay
from gamekit.lab.replay import KEYFRAME_TICKS, Replay
from tests.counter_game import CounterGame
from tests.pasts import past_of_world, played

GAME = CounterGame()


@pytest.fixture(scope="module")
def past() -> Past:
    """A past of two thousand ticks or so."""
    return past_of_world(played(turns=100))


def rebuilt(past: Past, tick: int) -> str:
    """The digest at a tick, replayed by the server's own recovery."""
    from gamekit.capsule import reader_of

    session: Any = rebuild(reader_of(past), past.row, GAME, tick=tick, from_start=True)
    return digest_of(session.snapshot())


def test_every_stored_digest_is_met_on_the_way(past: Past) -> None:
    looked = Replay(past, GAME)
    for kept in past.snapshots:
        looked.seek(kept.tick)
        if looked.session.seq == kept.seq:
            assert looked.digest == kept.digest
    assert replay(past, rules=GAME).digest == rebuilt(past, past.tick)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_seeking_anywhere_in_any_order_shows_what_recovery_would_rebuild(data: st.DataObject, past: Past) -> None:
    looked = Replay(past, GAME)
    for tick in data.draw(st.lists(st.integers(0, past.tick), min_size=1, max_size=8)):
        looked.seek(tick)
        assert looked.tick == tick
        assert looked.digest == rebuilt(past, tick)


def test_keyframes_are_made_on_the_way_and_change_nothing(past: Past) -> None:
    looked = Replay(past, GAME)
    kept = len(looked._keyframes)
    assert len(list(looked.events())) > 100
    assert len(looked._keyframes) == kept + past.tick // KEYFRAME_TICKS
    assert looked._ticks == sorted(looked._ticks)
    for tick in range(0, past.tick, KEYFRAME_TICKS):
        assert looked.seek(tick).digest == rebuilt(past, tick)


def test_events_are_told_with_the_ticks_at_which_they_fell(past: Past) -> None:
    told = list(Replay(past, GAME).events())
    moved = [tick for tick, event in told if type(event).__name__ == "CounterMoved" and event.player is None]
    assert moved == list(range(7, past.tick + 1, 7))
    assert [tick for tick, _ in told] == sorted(tick for tick, _ in told)
    assert sum(type(event).__name__ == "CommandDone" for _, event in told) == 100


def test_ticks_outside_the_past_are_refused(past: Past) -> None:
    with pytest.raises(ConfigError, match=f"from tick 0 to {past.tick}"):
        replay(past, past.tick + 1, rules=GAME)
    with pytest.raises(ConfigError, match="give its rules"):
        replay(past)
    with pytest.raises(ConfigError, match="not from 7"):
        replay(7)


@given(share=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_a_fork_that_is_given_the_same_commands_becomes_the_original(share: int, past: Past) -> None:
    tick = past.tick * share // 1000
    branch = fork(past, tick, rules=GAME)
    assert branch.tick == tick
    for record in past.records[branch.past.last_seq :]:
        branch.advance(record.tick - branch.tick)
        for entry in json.loads(record.commands):
            if entry["player"] == "@admin":
                branch._record(entry["player"], entry["client"], 0, entry["body"])
            elif entry["body"]["type"] == "join":
                assert branch.join(entry["body"]["name"]) == entry["player"]
            else:
                branch.command(entry["player"], entry["body"])
    branch.advance(past.tick - branch.tick)
    assert GAME.encode(branch.state) == GAME.encode(replay(past, rules=GAME).state)
    assert diff(branch, past, rules_a=GAME, rules_b=GAME) is None


def test_a_fraction_of_a_tick_never_comes_into_a_state_and_a_frames_numbers_do(past: Past) -> None:
    told: Any = np.array([10, 40, 45])  # as a column of a frame gives them
    half: Any = 4.5
    branch = fork(past, told[1], rules=CounterGame())
    branch.advance(told[0])
    plain = fork(past, 40, rules=CounterGame())
    plain.advance(10)
    assert (type(branch.tick), branch.digest) == (int, plain.digest)
    assert branch.seek(told[2]).digest == plain.seek(45).digest
    for wrong in (
        lambda: branch.advance(half),
        lambda: branch.seek(half),
        lambda: fork(past, half),
        lambda: play(branch, ticks=half),
    ):
        with pytest.raises(ConfigError, match="A tick is a whole number"):
            wrong()
    for hours in (float("nan"), float("inf"), "2"):
        with pytest.raises(ConfigError, match="hours: must be a number"):
            branch.advance(hours=hours)  # type: ignore[arg-type]
    for again in (lambda: branch.advance(-1), lambda: play(branch, hours=-1)):
        with pytest.raises(ConfigError, match="Time does not run back"):
            again()
    assert branch.seek(50).digest == plain.seek(50).digest


def test_a_branch_has_a_history_of_its_own_that_can_be_saved_and_looked_at(past: Past, tmp_path: Path) -> None:
    branch = fork(past, past.tick // 2, rules=GAME)
    start = branch.tick
    ada = next(iter(branch.session.players))
    before, so_far, began = branch.state.value, branch.past, past.last_seq
    Branch(past, GAME).join("Eve")
    branch.command(ada, {"type": "add", "n": 50})
    assert branch.state.value == before + 50
    assert replay(so_far, rules=GAME).state.value == before, "a past that was handed out does not grow"
    assert len(past.records) == past.last_seq == began, "nor does the one that a branch began with"
    with pytest.raises(CommandFailed, match="n must be from 1 to 100") as refused:
        branch.command(ada, {"type": "add", "n": 5000})
    assert refused.value.code == "bad_number"
    with pytest.raises(CommandFailed, match="could not be read"):
        branch.command(ada, {"type": "explode"})
    with pytest.raises(CommandFailed, match="does not play here"):
        branch.command("p99", {"type": "reset"})
    cleo = branch.join("Cleo")
    branch.advance(100)
    branch.command(cleo, {"type": "add", "n": 3})
    end = branch.digest
    assert branch.seek(start - 5).tick == start - 5
    assert branch.seek(branch.end_tick).digest == end
    with pytest.raises(ConfigError, match="does not run back"):
        branch.advance(-1)
    saved = branch.save(tmp_path / "branch.capsule", id="other", name="Other")
    again = replay(saved, rules=GAME)
    assert (again.digest, again.past.row.id, again.past.row.name) == (end, "other", "Other")
    assert Branch(again.past, GAME).command(cleo, {"type": "add", "n": 1})


def test_changed_command_is_where_the_histories_part(past: Past) -> None:
    chance = random.Random(1)
    adding = [index for index, one in enumerate(past.records) if '"add"' in one.commands]
    for index in chance.sample(adding, 5):
        record = past.records[index]
        entries = json.loads(record.commands)
        entries[0]["body"]["n"] += 1
        records = [*past.records]
        records[index] = replace(record, commands=json.dumps(entries))
        # The chain is made anew, or the change would not even be read; snapshots after it are of the other history.
        snapshots = [one for one in past.snapshots if one.seq < record.seq]
        changed = renamed(replace(past, records=records, snapshots=snapshots), GameId("changed"))
        found = diff(past, changed, rules_a=GAME, rules_b=GAME)
        assert found is not None
        assert found.tick == record.tick
        player = entries[0]["player"]
        assert {one.path for one in found.fields} == {"value", f'players["{player}"].score'}
        assert all(one.b == one.a + 1 for one in found.fields)
        assert f"part at tick {record.tick}" in str(found)
        assert found.frame["path"].tolist() == [one.path for one in found.fields]
    assert diff(past, past, rules_a=GAME, rules_b=GAME) is None


def test_live_game_is_forked_into_the_notebook_and_taken_back_to_a_server(tmp_path: Path) -> None:
    with gamekit.launch() as client:
        game = client.new_game(seed=7)
        red = game.join("Red")
        game.speed = 50
        red.ship.go("Sirius").result()
        red.ship.wait(60)
        game.pause()
        branch = fork(game)
        assert branch.tick == game.tick
        assert branch.view(red.id) == red.view
        assert (branch.frame.ships["ship"] == red.frame.ships["ship"]).all()
        branch.command(red.id, {"type": "move", "ship": red.ship.id, "to": {"station": "sol-hub"}})
        branch.advance(hours=0.5)
        assert branch.view(red.id)["ships"][red.ship.id]["at"] == {"type": "dock", "station": "sol-hub"}
        # The live game has not noticed.
        assert red.ship.sector == "sirius"
        taken = client.import_capsule(branch.save(tmp_path / "what-if.capsule"), new_id=True)
        back = taken.play(taken.seats[red.id])
        assert back.ship.station == "sol-hub"
        parted = diff(game, branch)
        assert parted is not None
        assert parted.tick == game.tick, "they part where the branch was given its order"
        assert f'ships["{red.ship.id}"].at' in [one.path for one in parted.fields]
        earlier = fork(game, game.tick - 200)
        # At its last tick the live game was paused, which the fork was not.
        earlier.advance(199)
        assert diff(earlier, game) is None
