"""Turns on the loop: what does not fit into a slice goes on later, and nobody else waits for more than that.

All on virtual time, in which only the work of the games passes: so what is measured here is counted, not timed.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from gamekit.game import Enough, Event, Progress, Tick
from gamekit.server import about
from gamekit.server.runner import Runner
from gamekit.server.settings import HARD_CALLS, LONG_CALL_US, REST_AFTER_LONG, SLICE_US
from gamekit.server.turns import Turns, rest_us
from gamekit.session import Attached, ConnectionId
from tests.counter_game import CounterState
from tests.parts_game import PartsGame
from tests.virtual import FakeSocket, Place, VirtualLoop, run

#: What one part of a heavy game's tick takes, in seconds.
PART_S = 0.001
#: Seeds of games of which a tick takes no time at all.
LIGHT = frozenset(range(100, 200))


class Heavy(PartsGame):
    """A tick of it takes 400 parts of a millisecond each, unless its seed is a light one."""

    parts = 400

    def __init__(self) -> None:
        self.loop: Any = None
        #: How long each call held the loop, in seconds.
        self.spans: list[float] = []

    def advance_some(self, state: CounterState, to_tick: Tick, enough: Enough) -> Progress:
        """Work."""
        if state.seed in LIGHT:
            return super().advance_some(state, to_tick, lambda: False)
        begun_s = self.loop.now_s

        def worked() -> bool:
            self.loop.now_s += PART_S
            return enough()

        progress = super().advance_some(state, to_tick, worked)
        self.spans.append(self.loop.now_s - begun_s)
        return progress


class Sticky(PartsGame):
    """A tick of it takes `cost_s` in one piece."""

    parts = 1

    def __init__(self, cost_s: float) -> None:
        self.loop: Any = None
        self.cost_s = cost_s
        #: When each tick began, in seconds.
        self.begun: list[float] = []

    def advance_some(self, state: CounterState, to_tick: Tick, enough: Enough) -> Progress:
        """Work, in one piece."""
        due = self.next_due(state)
        if due is not None and due <= to_tick and state.seed not in LIGHT:
            self.begun.append(self.loop.now_s)
            self.loop.now_s += self.cost_s
            to_tick = due
        return Progress(super().advance_some(state, to_tick, lambda: False).events)


EVERY_TICK = {"rules": {"every_ticks": 1}}


class Table(Place):
    """Several watched games on one host."""

    def __init__(self, game: Any) -> None:
        super().__init__(game=game, sleep_after_s=1e9)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        game.loop = loop

    async def seat(self, seed: int, config: dict[str, Any] | None = None) -> tuple[Runner, FakeSocket]:
        """A new game, and who watches it."""
        runner, _ = await self.host.new_game(config or EVERY_TICK, seed, f"Game {seed}", "Ada")
        return runner, await self.watch(runner)

    async def watch(self, runner: Runner) -> FakeSocket:
        """One more who watches."""
        socket = FakeSocket()
        self.connections += 1
        runner.attach(Attached(ConnectionId(self.connections), None, "c", None), socket)
        return socket

    def late_ms(self, runner: Runner) -> float:
        """The worst lateness of a game's ticks, of all measured seconds."""
        return max(row.late_max_us for row in self.journal.latency(runner.id)) / 1000


def test_ticks_of_a_light_game_come_before_the_next_slice_of_heavy_ones_and_heavy_ones_share() -> None:
    async def check() -> None:
        game = Heavy()
        table = Table(game)
        heavy = [await table.seat(seed) for seed in (1, 2, 3)]
        light, socket = await table.seat(100)
        await asyncio.sleep(30)
        assert max(game.spans) <= SLICE_US / 1e6 + 2 * PART_S, "a call held the loop for longer than its slice"
        # Slots are 5 ms wide, so that a slice may end two of them after a tick is due.
        assert table.late_ms(light) <= 2 * SLICE_US / 1000 + 2
        ticks = [delta["tick"] for delta in socket.of("delta")]
        assert len(ticks) >= 295, "ticks of the light game were put together"
        reached = [runner.session.tick for runner, _ in heavy]
        assert min(reached) > 0.8 * max(reached) > 10, "one of them got less than the others"
        # Two thirds of the loop's time are theirs, 0.4 s of it for each tick.
        assert sum(reached) >= 0.9 * 30 * (2 / 3) / 0.4
        table.stop()

    run(check)


def test_a_heavy_game_acknowledges_and_answers_while_it_is_in_the_middle_of_a_tick() -> None:
    async def check() -> None:
        game = Heavy()
        table = Table(game)
        runner, _ = await table.seat(1)
        player = next(iter(runner.session.players))
        socket = FakeSocket()
        runner.attach(Attached(ConnectionId(77), player, "c", None), socket)
        await asyncio.sleep(5)
        assert socket.of("snapshot"), "who came was not welcomed"
        for cid in range(1, 11):
            while not runner.session.midway:
                await asyncio.sleep(0.001)
            begun_s = table.loop.time()
            table.send_now(runner, ConnectionId(77), cid)
            while len(socket.of("ack")) < cid:
                await asyncio.sleep(0.001)
            assert table.loop.time() - begun_s <= 0.05, "an ack waited for a tick"
        table.stop()

    run(check)


@pytest.mark.parametrize("busy", [False, True], ids=["", "busy-machine"])
@pytest.mark.parametrize("policy", ["catch-up", "dilate"])
def test_pause_and_speed_take_effect_at_what_the_game_has_reached(policy: str, busy: bool) -> None:
    async def check() -> None:
        game = Heavy()
        game.parts = 20
        table = Table(game)
        runner, socket = await table.seat(1)
        host = table.host
        if busy:
            # Slices pass, and the game hardly gets any CPU in them.
            host.spent_ns = lambda: 0
        await host.admin(runner, {"type": "set_policy", "overload": policy})
        await host.admin(runner, {"type": "set_speed", "speed": 1000.0})
        await asyncio.sleep(10)
        begun_s, before = table.loop.time(), runner.session.tick
        assert (await host.admin(runner, {"type": "pause"})).code is None
        assert table.loop.time() - begun_s < 1.0, "the remedy waited for the backlog"
        # What a second of it is, at 20 ms a tick and two thirds of the loop, and not what its clock says.
        assert runner.session.tick - before <= 40
        assert runner.session.paused
        assert about.awake(runner, [])["lag_ticks"] == 0
        await host.admin(runner, {"type": "set_speed", "speed": 1.0})
        await host.admin(runner, {"type": "resume"})
        await asyncio.sleep(10)
        told = about.awake(runner, [])
        assert told["lag_ticks"] <= 2, "what was late at the old speed was made up for"
        assert socket.of("notice")[-1]["kind"] == "overload_over"
        table.stop()

    run(check)


def test_reads_tell_the_lag_and_never_wait_for_what_is_to_be_made_up_for() -> None:
    async def check() -> None:
        game = Heavy()
        game.parts = 20
        table = Table(game)
        runner, _ = await table.seat(1)
        await table.host.admin(runner, {"type": "set_speed", "speed": 1000.0})
        await asyncio.sleep(5)
        begun_s = table.loop.time()
        await table.host.readable(runner)
        assert table.loop.time() - begun_s < 0.5
        told = about.awake(runner, [])
        assert told["lag_ticks"] > 10_000
        assert 2 < told["late_s"] < 6
        assert told["overload"]["active"]
        table.stop()

    run(check)


def test_a_game_that_is_never_in_time_is_late_by_half_a_minute_and_no_more() -> None:
    async def check() -> None:
        game = Heavy()
        game.parts = 20
        table = Table(game)
        runner, socket = await table.seat(1)
        await table.host.admin(runner, {"type": "set_speed", "speed": 1000.0})
        await asyncio.sleep(90)
        assert about.awake(runner, [])["late_s"] <= 31
        [*_, last] = socket.of("notice")
        assert "no more is made up for" in last["message"]
        assert last["factor"] < 0.1
        seen = [event["value"] for delta in socket.of("delta") for event in delta["events"]]
        assert seen == sorted(seen), "time ran back"
        table.stop()

    run(check)


def test_what_cannot_be_divided_is_paid_for_by_rest_and_said() -> None:
    async def check() -> None:
        game = Sticky(0.3)
        table = Table(game)
        runner, socket = await table.seat(1)
        light, _ = await table.seat(100)
        await asyncio.sleep(60)
        shares = len(game.begun) * 0.3 / 60
        assert shares <= 1 / (1 + REST_AFTER_LONG) + 0.02, "it has more than its share of the loop"
        assert shares > 0.1, "it hardly goes on"
        assert table.late_ms(light) < 300 + 20
        [*_, last] = [one for one in socket.of("notice") if one["kind"] == "overload"]
        assert "One step of this game takes 0.3 s" in last["message"]
        assert about.awake(runner, [])["overload"]["long_call_ms"] == pytest.approx(300)
        assert table.host.metrics.long_calls._value.get() == len(game.begun)
        table.stop()

    run(check)


def test_a_game_whose_steps_hold_everybody_up_is_paused_and_its_owner_can_resume_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def check() -> None:
        game = Sticky(2.5)
        table = Table(game)
        runner, socket = await table.seat(1)
        await asyncio.sleep(200)
        assert len(game.begun) == HARD_CALLS
        assert runner.session.paused
        stopped = about.awake(runner, [])["overload"]["stopped"]
        assert "resumes it" in stopped
        assert stopped in [one["message"] for one in socket.of("notice")]
        # It is in the history, so that a replay pauses there too.
        assert '"pause"' in table.journal.storage.books[runner.id].records[-1].commands
        game.cost_s = 0.0
        await table.host.admin(runner, {"type": "resume"})
        before = runner.session.tick
        await asyncio.sleep(10)
        assert runner.session.tick > before + 90
        assert about.awake(runner, [])["overload"]["stopped"] is None
        table.stop()

    with caplog.at_level(logging.WARNING):
        run(check)
    [said] = [record for record in caplog.records if "is paused" in record.getMessage()]
    assert said.levelno == logging.WARNING
    caplog.clear()


def test_a_busy_game_of_which_nobody_asks_anything_falls_asleep_all_the_same() -> None:
    async def check() -> None:
        game = Heavy()
        table = Table(game)
        table.host.dormitory.sleep_after_us = 5_000_000
        runner, _ = await table.seat(1)
        runner.detach(ConnectionId(1))
        await asyncio.sleep(180)
        assert runner.id not in table.host.runners, "it works on for nobody"
        worked = len(game.spans)
        await asyncio.sleep(60)
        assert len(game.spans) == worked
        table.stop()

    run(check)


class Sitter:
    """What takes turns, for a test of the order alone."""

    def __init__(self, loop: VirtualLoop, turn_s: float, log: list[Sitter]) -> None:
        self.rest_until_us = 0
        self.queued = False
        self.loop, self.turn_s, self.log = loop, turn_s, log
        self.turns: Turns

    def turn(self) -> None:
        """Work, and want more."""
        self.log.append(self)
        self.loop.now_s += self.turn_s
        self.rest_until_us = round(self.loop.now_s * 1e6) + rest_us(round(self.turn_s * 1e6))
        self.turns.add(self)


def test_turns_go_round_and_who_rests_is_passed_by() -> None:
    async def check() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        turns, log = Turns(lambda: round(loop.now_s * 1e6)), list[Sitter]()
        long = 2 * LONG_CALL_US / 1e6
        sitters = [Sitter(loop, turn_s, log) for turn_s in (0.005, long, 0.005)]
        for one in sitters:
            one.turns = turns
            turns.add(one)
        await asyncio.sleep(2 * long)
        assert log[:3] == sitters, "not in the order in which they came"
        await asyncio.sleep(2 * long)
        assert log.count(sitters[1]) == 1, "it did not rest"
        assert abs(log.count(sitters[0]) - log.count(sitters[2])) <= 1
        await asyncio.sleep(4 * long)
        assert log.count(sitters[1]) == 2, "it never came again"
        turns.close()
        count = len(log)
        await asyncio.sleep(1)
        assert len(log) == count

    run(check)


def test_events_of_a_tick_come_in_one_delta_however_many_turns_it_took() -> None:
    async def check() -> list[list[Event]]:
        table = Table(Heavy())
        runner, socket = await table.seat(1)
        await asyncio.sleep(10)
        deltas: list[list[Event]] = [delta["events"] for delta in socket.of("delta")]
        table.stop()
        assert runner.session.tick > 5
        return deltas

    for events in run(check):
        assert len(events) == Heavy.parts
