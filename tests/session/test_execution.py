"""Work in parts: however a tick or a record is cut, nothing of its middle is seen, and the history is the same."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from gamekit import wire
from gamekit.errors import SessionError
from gamekit.game import Game, Join, PlayerId
from gamekit.session import ADMIN, Attached, ConnectionId, JournalFailed, Received, Ticked
from gamekit.space import SpaceGame
from tests.counter_game import CounterGame
from tests.parts_game import PartsGame
from tests.session.world import Viewer, World

SPACE: dict[str, Any] = {"scenario": "lifeline", "rules": {"storm_rate": 20_000}}
PLAYERS = (PlayerId("p1"), PlayerId("p2"))
VERBS: tuple[dict[str, Any], ...] = (
    {"type": "pause"},
    {"type": "resume"},
    {"type": "resume"},
    {"type": "step", "ticks": 7},
    {"type": "set_speed", "speed": 0.5},
    {"type": "set_speed", "speed": 40.0},
)


def always() -> bool:
    """The least patient caller."""
    return True


def at_random(seed: int) -> Callable[[], bool]:
    """A caller whose patience is drawn."""
    chance = random.Random(seed)
    return lambda: chance.random() < 0.5


def order(chance: random.Random, world: World, player: PlayerId) -> dict[str, Any]:
    """A command of the world's game."""
    if not isinstance(world.game, SpaceGame):
        return chance.choice([{"type": "add", "n": chance.randrange(1, 120)}, {"type": "reset"}])
    state = world.session.state
    ship = chance.choice([one.id for one in state.ships.values() if one.owner == player] or ["ship-1"])
    to = {"sector": chance.choice(sorted(state.sectors)), "x": chance.randrange(900), "y": 0}
    return chance.choice([{"type": "move", "ship": ship, "to": to}, {"type": "auto_trade", "ship": ship, "on": True}])


def settle(world: World) -> None:
    """A tick passes, and all that is due is done."""
    world.now += 1
    world.finish()


def story(world: World, seed: int) -> None:
    """Players come, command and go, the owner steers, the disk is slow."""
    chance = random.Random(seed)
    for player in PLAYERS:
        world.submit(player, Join(name=player))
        settle(world)
    seats: dict[ConnectionId, PlayerId] = {}
    for cid in range(1, 151):
        match chance.randrange(8):
            case 0 | 1:
                world.now += chance.randrange(1, 30)
                world.feed(Ticked(heartbeat=chance.random() < 0.3))
            case 2 | 3 if seats:
                connection = chance.choice(list(seats))
                world.send(connection, cid, **order(chance, world, seats[connection]))
                world.feed(Received(connection, wire.Ping(t=1.0)))
            case 4:
                player = chance.choice(PLAYERS)
                seats[world.connect(player, client=f"c{cid}")] = player
            case 5 if len(seats) > 1:
                gone = chance.choice(list(seats))
                del seats[gone]
                world.disconnect(gone)
            case 6:
                world.submit(ADMIN, chance.choice(VERBS))
            case _:
                world.durable(chance.randrange(3))
    world.submit(ADMIN, {"type": "resume"})
    settle(world)
    settle(world)


@pytest.mark.parametrize("enough", [always, at_random(1), at_random(2)], ids=["always", "some", "others"])
@pytest.mark.parametrize(
    ("game", "config", "seeds"),
    [
        (PartsGame(), {"rules": {"every_ticks": 3}}, 10),
        (CounterGame(), {"rules": {"every_ticks": 2}}, 5),
        (SpaceGame(), SPACE, 1),
    ],
    ids=["parts", "counter", "space"],
)
def test_the_history_gives_what_was_lived_in_parts(
    game: Game[Any], config: dict[str, Any], seeds: int, enough: Callable[[], bool]
) -> None:
    for seed in range(seeds):
        world = World(config, seed=seed, game=game, enough=enough)
        story(world, seed)
        lived = world.session
        assert not lived.midway
        assert not lived.waiting, "something stayed undone"
        assert world.recovered(use_snapshots=False).tick >= lived.tick, "more was shown than recovery reaches"
        world.reserved = lived.tick
        assert world.recovered(use_snapshots=False).snapshot() == lived.snapshot()
        for kept in world.snapshots:
            again = World(config, seed=seed, game=game).session
            for record in world.records[: kept.seq]:
                again.replay(record.seq, record.tick, record.commands)
            again.run_to(kept.tick)
            assert again.snapshot() == kept.encoded, "a snapshot was taken of something else"


@pytest.mark.parametrize("enough", [always, at_random(7)], ids=["always", "some"])
@pytest.mark.parametrize("game", [PartsGame(), SpaceGame()], ids=["parts", "space"])
def test_a_mirror_stays_true_however_the_ticks_are_cut(game: Game[Any], enough: Callable[[], bool]) -> None:
    config = SPACE if isinstance(game, SpaceGame) else {"rules": {"every_ticks": 3}}
    world = World(config, game=game, enough=enough)
    [player, _] = PLAYERS
    world.submit(player, Join(name="Ada"))
    settle(world)
    connection = world.connect(player)
    for _ in range(60):
        world.now += 9
        world.finish()
    held = world.viewers[connection]
    assert held.of(wire.Delta), "nothing happened"
    assert held.view == msgspec.to_builtins(game.view(world.session.state, player), str_keys=True)


def midway_world() -> tuple[World, ConnectionId]:
    """A watched world that stands inside a tick, of which a third is done."""
    world = World({"rules": {"every_ticks": 5}}, game=PartsGame(), enough=always)
    world.submit(PLAYERS[0], Join(name="Ada"))
    settle(world)
    connection = world.connect(PLAYERS[0])
    world.finish()
    world.now = 5
    world.feed(Ticked())
    assert world.session.midway
    return world, connection


def test_a_session_inside_a_tick_shows_the_last_complete_one() -> None:
    world, connection = midway_world()
    viewer = world.viewers[connection]
    shown = viewer.tick
    world.session.lead = 1
    world.feed(Received(connection, wire.Ping(t=1.0)))
    assert [pong.tick for pong in viewer.of(wire.Pong)] == [shown]
    assert world.session.tick == shown < 5
    with pytest.raises(SessionError, match="middle of a tick"):
        world.session.snapshot()


def test_who_comes_inside_a_tick_is_welcomed_when_it_is_complete() -> None:
    world, _ = midway_world()
    before = world.session.tick
    connection = world.connect(PLAYERS[0], client="late")
    world.send(connection, 1, type="add", n=2)
    late = world.viewers[connection]
    assert not late.messages
    world.finish()
    [snapshot] = late.of(wire.Snapshot)
    assert before < snapshot.tick == 5
    assert isinstance(late.messages[0], wire.Welcome)
    settle(world)
    settle(world)
    assert [ack.cid for ack in late.of(wire.Ack)] == [1], "a command after the hello was lost"


def test_who_comes_when_it_is_not_the_turn_of_the_game_waits_for_it_in_order_and_one_at_a_time() -> None:
    world = World({"rules": {"every_ticks": 0}}, enough=always)
    session = world.session
    for number in (1, 2):
        world.viewers[ConnectionId(number)] = Viewer()
        hello = Attached(ConnectionId(number), None, f"c{number}")
        assert not session.handle(hello, world.now, session.tick - 1, always)
        assert not session.handle(Received(ConnectionId(number), wire.Ping(t=1.0)), world.now, session.tick - 1, always)
    received: list[list[str]] = [[], []]
    for _ in range(6):
        world.feed(Ticked())
        received = [[type(one).__name__ for one in world.viewers[ConnectionId(n)].messages] for n in (1, 2)]
        if received[0] and not received[1]:
            assert session.cut, "nothing says that somebody waits"
    assert received == [["Welcome", "Snapshot", "Pong"]] * 2


def test_who_leaves_inside_a_tick_is_not_welcomed() -> None:
    world, _ = midway_world()
    connection = world.connect(PLAYERS[0], client="late")
    world.disconnect(connection)
    world.finish()
    assert not world.viewers[connection].messages
    assert world.session.audience.viewer(connection) is None


def test_a_command_inside_a_tick_is_journaled_at_once_and_takes_effect_after_it() -> None:
    world, connection = midway_world()
    world.send(connection, 1, type="add", n=40)
    assert [write.tick for write in world.waiting if hasattr(write, "seq")] == [6], "it waits for the tick"
    world.durable(len(world.waiting))
    settle(world)
    world.finish()
    assert world.session.state.value == 3 + 40


def test_a_record_in_parts_is_answered_when_all_of_it_is_done() -> None:
    world, connection = midway_world()
    world.finish()
    world.send(connection, 1, type="add", n=1)
    for cid in range(2, 30):
        world.send(connection, cid, type="add", n=1)
    settle(world)
    world.durable()
    viewer = world.viewers[connection]
    world.now += 1
    seen = [moved for delta in viewer.of(wire.Delta) for moved in delta.events]
    calls = 0
    while not world.session.midway:
        world.feed(Ticked())
        world.durable()
    while world.session.midway:
        assert len([moved for delta in viewer.of(wire.Delta) for moved in delta.events]) == len(seen)
        world.feed(Ticked())
        calls += 1
    assert calls > 20, "it was not cut"
    assert viewer.view["counters"]["main"]["value"] == 3 + 29


def test_a_journal_that_fails_inside_a_tick_lets_it_finish_and_no_more() -> None:
    world, connection = midway_world()
    world.send(connection, 1, type="add", n=1)
    world.waiting.clear()
    world.feed(JournalFailed("disk full"))
    world.now += 50
    for _ in range(20):
        world.feed(Ticked())
    assert not world.session.midway
    assert 5 <= world.session.tick <= 6


def test_a_bound_below_the_tick_keeps_everything_where_it_is() -> None:
    world, _ = midway_world()
    session = world.session
    done = session.state.done
    for _ in range(5):
        session.handle(Ticked(), world.now, session.tick - 1, always)
    assert session.midway
    assert session.state.done == done


def test_commands_of_a_late_game_take_effect_soon_after_what_was_shown() -> None:
    world = World({"rules": {"every_ticks": 1}})
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.now = 1_000
    world.session.handle(Ticked(), world.now, bound=20)
    reached = world.session.tick
    world.session.lead = 5
    world.session.handle(Received(connection, wire.Command(cid=1, body={"type": "add", "n": 1})), world.now, reached)
    assert world.session.intake.under_way is not None
    assert world.session.intake.under_way.tick == reached + 5


def test_commands_of_a_game_in_which_nothing_falls_due_take_effect_now() -> None:
    world = World({"rules": {"every_ticks": 0}})
    player = world.join()
    world.session.lead = 5
    world.now = 5_000
    world.submit(player, {"type": "add", "n": 1})
    assert world.session.intake.under_way is not None
    assert world.session.intake.under_way.tick == 5_001
