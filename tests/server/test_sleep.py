"""Sleep changes nothing: a game that slept is what it would have been awake, on disk and for everybody who watches."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import Phase, event, example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from gamekit.errors import GamekitError
from gamekit.game import Event, PlayerId, Tick
from gamekit.history import rebuild
from gamekit.journal import Write, digest_of
from gamekit.server.settings import HEARTBEAT_MAX_S
from gamekit.server.sleep import IN_PASSING_TICKS
from gamekit.session import ConnectionId
from gamekit.space import SpaceGame
from gamekit.wire import MAX_PENDING_COMMANDS
from tests.counter_game import CounterGame
from tests.virtual import ID, Place, VirtualLoop, run

Step = tuple[str, Any]

FOREVER_S = 1e9
#: `make long` looks at so many times more schedules.
LONG = int(os.environ.get("GAMEKIT_LONG", "1"))
#: Making a schedule that fails smaller takes minutes, so it is left to `make long`: here a verdict comes at once.
PHASES = tuple(Phase) if LONG > 1 else (Phase.explicit, Phase.reuse, Phase.generate)

waits = st.tuples(st.just("wait"), st.one_of(st.integers(0, 20), st.integers(0, 150)).map(lambda s: s + 0.037))
commands = st.tuples(st.just("add"), st.integers(0, 120))
controls = st.one_of(
    st.tuples(st.sampled_from(["pause", "resume"]), st.none()),
    st.tuples(st.just("speed"), st.sampled_from([0.1, 0.7, 1.0, 3.0, 12.0])),
    st.tuples(st.just("step"), st.integers(1, 3000)),
)
people = st.tuples(st.sampled_from(["connect", "disconnect", "look"]), st.none())
schedules = st.lists(st.one_of(waits, waits, waits, commands, controls, people), max_size=10)


class Story:
    """A schedule, played on one host."""

    def __init__(self, place: Place, player: PlayerId) -> None:
        self.place = place
        self.player = player
        self.cid = 0
        self.looks: list[Any] = []
        self.watching: list[ConnectionId] = []
        self.slept = 0
        self.acked: list[int] = []

    async def play(self, steps: list[Step]) -> None:
        """Play all steps; the last look is at the end."""
        for kind, value in [*steps, ("wait", 0.2), ("look", None)]:
            await self.step(kind, value)

    async def step(self, kind: str, value: Any) -> None:
        """Play one step."""
        place = self.place
        match kind:
            case "wait":
                await asyncio.sleep(value)
                self.slept += place.asleep
            case "add":
                self.cid += 1
                body = {"type": "add", "n": value}
                outcome = await place.host.command(await place.runner(), self.player, "c", self.cid, body)
                self.acked.append(self.cid)
                self.looks.append(outcome)
            case "pause" | "resume":
                await place.admin(type=kind)
            case "speed":
                await place.admin(type="set_speed", speed=value)
            case "step":
                await place.admin(type="step", ticks=value)
            case "connect":
                self.watching.append(await place.connect(self.player))
            case "disconnect":
                if self.watching:
                    place.disconnect(self.watching.pop(0))
            case "look":
                session = (await place.now()).session
                self.looks.append((session.tick, session.seq, digest_of(session.snapshot())))
            case "crash":
                self.watching.clear()
                place.crash()


async def told(steps: list[Step], sleep_after_s: float, **about: Any) -> Story:
    """Play a schedule on a host of its own."""
    place = Place(sleep_after_s=sleep_after_s, **about)
    story = Story(place, await place.join())
    await story.play(steps)
    place.stop()
    return story


def shown(story: Story) -> list[Any]:
    """What each connection was told of the game: the latest snapshot's tick, all events, and the mirror at the end."""
    told = []
    for socket in story.place.sockets.values():
        events = [pair for one in socket.of("delta") for pair in zip(one["at"], one["events"], strict=True)]
        told.append(([one["tick"] for one in socket.of("snapshot")], events, socket.view))
    return told


def assert_shown_the_same(slept: Story, twin: Story) -> None:
    """Each connection saw the same; how far its first snapshot reaches, and its deltas, is the server's choice."""
    for (ours, events, view), (theirs, others, mirror) in zip(shown(slept), shown(twin), strict=True):
        since = max([*ours, *theirs], default=0)
        assert [one for one in events if one[0] > since] == [one for one in others if one[0] > since]
        assert view == mirror


# It fell asleep between two microseconds, and woke when a tick began.
@example(
    steps=[("speed", 12.0), ("connect", None), ("wait", 19.037), ("disconnect", None), ("step", 339), ("add", 7)],
    every=3000,
    after_s=0.5,
)
@settings(max_examples=20 * LONG, deadline=None, phases=PHASES)
@given(steps=schedules, every=st.sampled_from([0, 1, 7, 450, 3000, 50_000]), after_s=st.sampled_from([0.5, 5.0, 60.0]))
def test_a_game_that_slept_is_equal_to_its_twin_that_did_not(steps: list[Step], every: int, after_s: float) -> None:
    config = {"rules": {"every_ticks": every}}
    slept = run(lambda: told(steps, after_s, config=config))
    twin = run(lambda: told(steps, FOREVER_S, config=config))
    assert twin.slept == 0
    assert slept.looks == twin.looks
    assert_shown_the_same(slept, twin)
    event("it slept" if slept.slept else "it never slept")


@settings(max_examples=15 * LONG, deadline=None, phases=PHASES)
@given(steps=st.lists(st.one_of(waits, commands, controls, people, st.just(("crash", None))), max_size=10))
def test_sleep_and_crashes_leave_the_state_that_the_history_decides(steps: list[Step]) -> None:
    async def check() -> None:
        story = await told(steps, 5.0, config={"rules": {"every_ticks": 7}})
        place = story.place
        row = place.journal.game(ID)
        assert row is not None
        tick, seq, digest = story.looks[-1]
        replayed = rebuild(place.journal, row, place.game, tick=tick, from_start=True)
        assert (replayed.tick, replayed.seq, digest_of(replayed.snapshot())) == (tick, seq, digest)
        told_ticks = [look[0] for look in story.looks if isinstance(look, tuple)]
        assert told_ticks == sorted(told_ticks), "time ran back"
        for socket in place.sockets.values():
            assert all(message["tick"] <= tick for message in socket.of("delta") + socket.of("snapshot"))
        answered = [replayed.answers.find(f"{story.player}/c", cid) for cid in story.acked]
        assert all(answered), "an acknowledged command is not in the history"

    run(check)


def test_the_bundled_game_sleeps_too() -> None:
    steps: list[Step] = [("wait", 2000.0), ("look", None), ("wait", 300.0), ("connect", None), ("wait", 60.0)]
    about: dict[str, Any] = {"game": SpaceGame(), "config": {"rules": {"company_percent": 100, "storm_rate": 3000}}}
    slept = run(lambda: told(steps, 60.0, **about))
    twin = run(lambda: told(steps, FOREVER_S, **about))
    assert slept.slept > 0
    assert slept.looks == twin.looks


def test_an_unused_game_leaves_nothing_in_memory_and_nothing_to_do() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1}})
        player = await place.join()
        await asyncio.sleep(62)
        host = place.host
        assert place.asleep
        assert not host.dormitory.sleepers
        assert all(runner.due_us is None for _, _, runner in host._heap)
        commits = place.journal.commits
        await asyncio.sleep(20_000)
        assert place.journal.commits == commits, "a sleeping game writes"
        session = (await place.now()).session
        assert session.tick > 200_000
        assert session.state.bumps == session.tick
        assert player in session.players
        place.stop()

    run(check)


def test_an_owner_may_choose_that_an_empty_game_stands_still() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1}})
        await place.join()
        assert (await place.admin(type="set_policy", when_empty="pause")).code is None
        await asyncio.sleep(62)
        assert place.asleep
        clock = place.journal.clock(ID)
        kept = place.journal.snapshot(ID)
        assert clock is not None
        assert kept is not None
        assert kept.tick == clock.tick > 590, "it lives until it falls asleep"
        await asyncio.sleep(20_000)
        session = (await place.runner()).session
        assert session.tick == clock.tick
        assert digest_of(session.snapshot()) == kept.digest
        await asyncio.sleep(2)
        assert (await place.now()).session.tick >= clock.tick + 19, "awake it goes on"
        place.stop()

    run(check)


def test_silent_connections_keep_their_place_and_see_all_that_happens() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 10_000}})
        player = await place.join()
        watcher, owner = await place.connect(), await place.connect(player)
        await asyncio.sleep(400)
        assert place.asleep
        assert len(place.host.dormitory.sleepers) == 1
        seen = place.sockets[watcher]
        await asyncio.sleep(3000 - (place.loop.time() - 1000) + 70)
        assert place.asleep, "it falls asleep again after an event that it woke up for"
        assert [one["tick"] for one in seen.of("delta")] == [10_000, 20_000, 30_000]
        assert len(seen.of("welcome")) == len(seen.of("snapshot")) == 1, "the place was not kept"
        await place.send(owner, 1, type="add", n=5)
        await asyncio.sleep(1)
        assert not place.asleep
        assert place.sockets[owner].of("ack")
        assert seen.view["counters"]["main"]["value"] == 8
        assert {one["epoch"] for one in seen.of("welcome")} == {(await place.runner()).session.epoch}
        place.stop()

    run(check)


def test_the_silence_of_a_sleeping_game_is_broken_rarely_and_tells_no_tick() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 0}})
        watcher = await place.connect()
        await asyncio.sleep(100)
        assert place.asleep
        seen = place.sockets[watcher]
        del seen.messages[:]
        await asyncio.sleep(10 * HEARTBEAT_MAX_S)
        assert place.asleep, "heartbeats woke it"
        assert [one["type"] for one in seen.messages] == ["heartbeat"] * 10
        assert all(one["tick"] is None and one["next_s"] == HEARTBEAT_MAX_S for one in seen.messages)
        place.stop()

    run(check)


def test_heartbeats_keep_the_promise_that_each_of_them_makes() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1300}}, sleep_after_s=40.0)
        watcher = await place.connect()
        seen = place.sockets[watcher]
        promised_s, heard_s, count = 1.0, place.loop.time(), 0
        for _ in range(3000):
            await asyncio.sleep(0.1)
            news = seen.messages[count:]
            if news:
                count, heard_s = len(seen.messages), place.loop.time()
                promised_s = next((one["next_s"] for one in reversed(news) if "next_s" in one), promised_s)
            assert place.loop.time() - heard_s <= promised_s + 1.2
        assert len(seen.of("heartbeat")) < 60, "once a second is too often"
        place.stop()

    run(check)


def test_a_game_that_stands_still_when_empty_does_so_from_when_its_last_watcher_left() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 0}})
        await place.admin(type="set_policy", when_empty="pause")
        watcher = await place.connect()
        await asyncio.sleep(1000)
        assert place.asleep
        place.disconnect(watcher)
        await asyncio.sleep(100)
        assert place.asleep
        assert not place.host.dormitory.sleepers
        clock = place.journal.clock(ID)
        assert clock is not None
        assert 10_000 <= clock.tick <= 10_700
        place.stop()

    run(check)


def test_why_awake_says_what_keeps_a_session_up() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 30}})
        runner = await place.runner()
        why = place.host.dormitory.why
        assert "it may sleep 60 s after the last use" in why(runner, place.host.now_us())[0]
        await place.connect()
        await asyncio.sleep(90)
        [reason] = why(runner, place.host.now_us())
        assert "1 connection, and something falls due in" in reason
        await place.admin(type="pause")
        await asyncio.sleep(90)
        assert place.asleep
        place.stop()

    run(check)


@pytest.mark.parametrize("failing", [1, 2])
def test_what_could_not_be_written_is_not_dropped(failing: int, caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1}})
        await place.join()
        await asyncio.sleep(58)
        place.journal.fail_next_commit()
        await asyncio.sleep(200 * failing)
        assert not place.asleep
        assert (await place.runner()).session.readonly
        place.stop()

    run(check)
    caplog.clear()


def test_a_command_that_was_refused_for_now_comes_before_later_ones_after_a_sleep_too() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 0}}, sleep_after_s=5.0)
        player = await place.join()
        connection = await place.connect(player)
        for cid in range(1, MAX_PENDING_COMMANDS + 2):
            await place.send(connection, cid, type="add", n=1)
        await asyncio.sleep(60)
        assert place.asleep, "under its silent connection"
        await place.send(connection, MAX_PENDING_COMMANDS + 2, type="add", n=1)
        refused = [(one["code"], one["cid"]) for one in place.sockets[connection].of("error")]
        assert refused == [("too_many_pending", MAX_PENDING_COMMANDS + number) for number in (1, 2)]
        for number in (1, 2):
            await place.send(connection, MAX_PENDING_COMMANDS + number, type="add", n=1)
        await asyncio.sleep(1)
        acked = [one["cid"] for one in place.sockets[connection].of("ack")]
        assert acked == list(range(1, MAX_PENDING_COMMANDS + 3))
        place.stop()

    run(check)


def test_a_slow_disk_is_not_given_the_same_work_every_second() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 0}}, sleep_after_s=1.0)
        await place.join()
        place.journal._auto = False
        handed_over: list[Write] = []
        submit = place.journal.submit

        def counting(writes: Sequence[Write]) -> None:
            handed_over.extend(writes)
            submit(writes)

        place.journal.submit = counting  # type: ignore[method-assign]
        await asyncio.sleep(30)
        assert not place.asleep
        assert sorted(type(write).__name__ for write in handed_over) == ["Reserve", "SaveSnapshot"]
        place.journal.commit()
        await asyncio.sleep(0)
        assert place.asleep
        place.stop()

    run(check)


def test_whoever_comes_while_it_falls_asleep_finds_it_awake() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1}}, sleep_after_s=1.0)
        player = await place.join()
        place.journal._auto = False
        settled = False
        for _ in range(50):
            await asyncio.sleep(0.1)
            runner = place.host.runners[ID]
            if runner._settling is not None:
                settled = True
                break
            place.journal.commit()
        assert settled
        watcher = await place.connect(player)
        place.journal._auto = True
        place.journal.commit()
        await asyncio.sleep(3)
        assert not place.asleep
        assert place.host.runners[ID] is runner
        last = place.sockets[watcher].of("delta")[-1]
        clock = place.journal.clock(ID)
        assert clock is not None
        assert last["tick"] <= clock.tick, "shown but not reserved"
        place.stop()

    run(check)


def test_a_wall_clock_that_was_set_back_lets_no_time_run_back() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1}})
        await place.join()
        await asyncio.sleep(100)
        assert place.asleep
        before = place.journal.clock(ID)
        assert before is not None
        place.wall = lambda: 1_000_000.0  # type: ignore[method-assign]
        place.crash()
        session = (await place.now()).session
        assert session.tick == before.tick
        await asyncio.sleep(5)
        assert (await place.now()).session.tick >= before.tick + 49
        place.stop()

    run(check)


def test_the_world_of_a_running_game_goes_on_while_its_server_is_down() -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 1}}, game=CounterGame())
        await place.join()
        await asyncio.sleep(100)
        place.stop()
        await asyncio.sleep(7200)
        place.crash()
        session = (await place.now()).session
        assert 72_900 <= session.tick <= 73_100
        assert session.state.bumps == session.tick
        place.stop()

    run(check)


class SlowGame(CounterGame):
    """One whose ticks take time."""

    tick_s = 0.0

    def advance(self, state: Any, to: Tick) -> list[Event]:
        """Time passes while it goes on."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        loop.now_s += self.tick_s * (to - state.tick)
        return super().advance(state, to)


@pytest.mark.parametrize(("tick_s", "done"), [(0.01, True), (0.04, True), (0.1, False), (0.3, False)])
def test_making_up_ends_also_for_a_game_that_lives_more_slowly_than_its_clock(tick_s: float, done: bool) -> None:
    async def check() -> None:
        game = SlowGame()
        place = Place(config={"rules": {"every_ticks": 1}}, game=game)
        await place.join()
        place.stop()
        await asyncio.sleep(1_000)
        game.tick_s = tick_s
        place.crash()
        begun_s = place.loop.time()
        runner = await place.runner()
        assert place.loop.time() - begun_s < 2 * 10_000 * max(tick_s, 0.1)
        left = runner.clock.tick_at(place.host.now_us()) - runner.session.tick
        assert (left <= IN_PASSING_TICKS) == done
        place.stop()

    run(check)


def test_a_game_that_cannot_be_woken_lets_its_connections_go_and_says_why(caplog: pytest.LogCaptureFixture) -> None:
    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 0}})
        watcher = await place.connect()
        await asyncio.sleep(100)
        assert place.asleep
        book = place.journal.storage.books[ID]
        kept = list(book.snapshots)
        book.snapshots[:] = [replace(one, digest="0" * 32) for one in kept]
        with pytest.raises(GamekitError):
            await place.runner()
        assert "cannot be woken" in str(place.sockets[watcher].dismissed)
        assert not place.host.dormitory.sleepers
        book.snapshots[:] = kept
        await asyncio.sleep(10)
        assert (await place.runner()).session.tick > 900, "it is found again once it can be read"
        place.stop()

    run(check)
    caplog.clear()


def test_game_gets_ready_in_a_thread_before_it_is_played(monkeypatch: pytest.MonkeyPatch) -> None:
    ready: list[int] = []
    monkeypatch.setattr(CounterGame, "prepare", lambda _, state: ready.append(state.tick), raising=False)

    async def check() -> None:
        place = Place(config={"rules": {"every_ticks": 0}}, sleep_after_s=1.0)
        await place.connect(await place.join())
        assert ready == [0]
        await asyncio.sleep(30)
        assert place.asleep
        await place.runner()
        assert len(ready) == 2
        place.stop()

    run(check)
