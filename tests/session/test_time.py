"""Time: reserved before it is shown, held by pauses, and never running back."""

from __future__ import annotations

from gamekit import wire
from gamekit.game import TICK_HZ
from gamekit.session import ReserveTick, Ticked, TickReserved
from gamekit.session.core import QUIET_SNAPSHOT_TICKS, RESERVE_S, SNAPSHOT_TICKS
from tests.session.world import World


def test_no_tick_is_shown_before_it_is_reserved() -> None:
    world = World({"rules": {"every_ticks": 1}})
    connection = world.connect()
    world.now = 50
    world.feed(Ticked())
    assert world.session.tick == 0
    assert world.viewers[connection].tick == 0
    assert any(isinstance(write, ReserveTick) for write in world.waiting)
    world.durable()
    assert world.session.tick == 50
    assert world.session.tick <= world.reserved


def test_a_watched_session_renews_its_reservation_before_it_runs_out() -> None:
    world = World({"rules": {"every_ticks": 0}})
    world.connect()
    world.durable()
    for _ in range(2000):
        world.pass_ticks(1)
        assert world.session.next_due() is not None
    assert world.reserved >= world.now
    world.feed(Ticked())
    assert world.session.tick == world.now


def test_a_recovered_session_never_stands_behind_what_was_shown() -> None:
    world = World({"rules": {"every_ticks": 3}})
    connection = world.connect()
    world.durable()
    world.pass_ticks(100)
    shown = world.viewers[connection].tick
    assert shown > 90
    world.crash()
    assert world.session.tick >= shown


def test_a_pause_holds_time_and_commands_still_take_effect() -> None:
    world = World({"rules": {"every_ticks": 1}})
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.pass_ticks(5)
    world.admin(type="pause")
    world.pass_ticks(3)
    assert world.session.paused
    held_at = world.session.tick
    world.pass_ticks(50)
    assert world.session.tick == held_at
    world.send(connection, 1, type="add", n=7)
    before = world.session.state.value
    world.durable()
    assert world.session.state.value == before + 7
    assert world.session.tick == held_at
    assert [n.kind for n in world.viewers[connection].of(wire.Notice)] == ["paused"]
    world.admin(type="resume")
    assert world.retimed == 2
    world.pass_ticks(2)
    assert world.session.tick > held_at
    assert [n.kind for n in world.viewers[connection].of(wire.Notice)] == ["paused", "resumed"]


def test_a_step_runs_exactly_so_many_ticks_and_holds_again() -> None:
    world = World({"rules": {"every_ticks": 1}})
    world.connect()
    world.durable()
    world.admin(type="pause")
    world.pass_ticks(3)
    held_at = world.session.tick
    world.admin(type="step", ticks=10)
    world.pass_ticks(40)
    assert world.session.tick == held_at + 10
    assert world.session.paused


def test_a_command_numbered_just_after_a_pause_is_not_stuck() -> None:
    world = World({"rules": {"every_ticks": 0}})
    player = world.join()
    connection = world.connect(player)
    world.durable()
    ticket = world.submit("@admin", {"type": "pause"})  # type: ignore[arg-type]
    world.now += 1
    world.send(connection, 1, type="add", n=1)
    world.durable()
    world.pass_ticks(3)
    assert world.settled[ticket].code is None
    assert world.session.state.value == 1
    resumed = world.admin(type="resume")
    world.pass_ticks(3)
    assert world.settled[resumed].code is None


def test_a_paused_game_recovers_at_its_pause() -> None:
    world = World({"rules": {"every_ticks": 1}})
    world.connect()
    world.durable()
    world.pass_ticks(20)
    world.admin(type="pause")
    world.pass_ticks(5)
    held_at = world.session.tick
    world.crash()
    assert world.session.tick == held_at
    assert world.session.paused


def test_speed_and_steps_out_of_range_are_refused() -> None:
    world = World()
    for body in ({"type": "set_speed", "speed": 0}, {"type": "set_speed", "speed": 1e9}, {"type": "step", "ticks": 0}):
        ticket = world.admin(**body)
        assert world.settled[ticket].code in {"bad_speed", "bad_step"}
    ticket = world.admin(type="set_speed", speed=20.0)
    world.pass_ticks(2)
    assert world.settled[ticket].code is None
    assert world.session.speed == 20.0


def test_snapshots_are_kept_every_minute_when_there_are_commands_and_rarely_when_not() -> None:
    world = World({"rules": {"every_ticks": 0}})
    player = world.join()
    connection = world.connect(player)
    world.durable()
    world.pass_ticks(SNAPSHOT_TICKS + 20)
    assert len(world.snapshots) == 2
    world.pass_ticks(SNAPSHOT_TICKS * 3)
    assert len(world.snapshots) == 2
    world.send(connection, 1, type="add", n=1)
    world.pass_ticks(SNAPSHOT_TICKS)
    assert len(world.snapshots) == 3
    world.pass_ticks(QUIET_SNAPSHOT_TICKS + 200)
    assert len(world.snapshots) == 4


def test_an_unwatched_session_asks_for_nothing() -> None:
    world = World({"rules": {"every_ticks": 0}})
    assert world.session.next_due() is None
    world.pass_ticks(1000)
    assert world.waiting == []


def test_slowing_down_gives_back_what_was_reserved_at_speed() -> None:
    world = World({"rules": {"every_ticks": 0}})
    world.connect()
    world.admin(type="set_speed", speed=1000.0)
    world.pass_ticks(3)
    world.now += 5_000
    world.feed(Ticked())
    world.durable()
    assert world.reserved > world.session.tick + 10_000
    world.admin(type="set_speed", speed=1.0)
    world.pass_ticks(3)
    assert world.session.tick <= world.reserved <= world.session.tick + 400
    world.crash()
    assert world.session.tick <= world.now + 400


def test_a_reservation_that_was_given_back_while_it_was_written_does_not_count() -> None:
    world = World({"rules": {"every_ticks": 1}})
    world.connect()
    world.admin(type="set_speed", speed=1000.0)
    world.pass_ticks(3)
    world.submit("@admin", {"type": "set_speed", "speed": 1.0})  # type: ignore[arg-type]
    world.now += 30_000
    world.feed(Ticked())
    slower, large = world.waiting
    assert isinstance(large, ReserveTick)
    world.durable(1)
    assert world.session.speed == 1.0, slower
    world.durable(1)
    assert world.session.reserved <= world.session.tick + 400 < large.tick
    world.durable()
    world.crash()
    for viewer in world.viewers.values():
        assert viewer.tick <= world.session.tick


def test_one_call_goes_no_further_than_its_bound_but_numbers_commands_by_the_clock() -> None:
    world = World({"rules": {"every_ticks": 1}})
    player = world.join()
    world.now += 100_000
    bound = world.session.tick + 10
    world.session.handle(Ticked(), world.now, bound)
    before = world.session.tick
    assert before == bound
    world.submit(player, {"type": "reset"}, cid=1, client="late")
    world.durable()
    assert world.records[-1].tick > 100_000 > before


def test_the_bound_of_one_call_does_not_hide_what_is_due_after_it() -> None:
    world = World({"rules": {"every_ticks": 20_000}})
    world.connect()
    world.durable()
    world.admin(type="set_speed", speed=1000.0)
    world.pass_ticks(3)
    world.now += 5
    world.session.handle(Ticked(), world.now, world.now + 6_000)
    assert world.session.next_due() is not None


def test_a_session_that_is_far_behind_reserves_step_by_step() -> None:
    world = World({"rules": {"every_ticks": 1}})
    session = world.session
    for bound in (6_000, 12_000):
        actions = session.handle(Ticked(), 10_000_000, bound)
        asked = [action.tick for action in actions if isinstance(action, ReserveTick)]
        assert all(tick <= bound + TICK_HZ * RESERVE_S for tick in asked)
        for tick in asked:
            session.handle(TickReserved(tick), 10_000_000, bound)
        assert session.tick == bound
