"""A game that is too slow for its clock follows its policy, and its players are told: all on virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gamekit.game import Event, Tick
from gamekit.server.clock import GameClock
from tests.counter_game import CounterGame, CounterState
from tests.virtual import ID, Place, VirtualLoop, run


class SlowGame(CounterGame):
    """A counter that bumps every tick, each of which takes `cost_s` of the loop's time."""

    cost_s = 0.0
    loop: VirtualLoop

    def advance(self, state: CounterState, to_tick: Tick) -> list[Event]:
        """Work."""
        self.loop.now_s += self.cost_s * max(to_tick - state.tick, 0)
        return super().advance(state, to_tick)


def place_of(policy: str) -> tuple[Place, SlowGame, Any]:
    """A host with the slow game, and what chooses its policy."""
    game = SlowGame()
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    game.loop = loop
    place = Place(config={"rules": {"every_ticks": 1}}, game=game)
    return place, game, place.admin(type="set_policy", overload=policy)


def values(place: Place) -> list[int]:
    """What the one connection saw the counter count, event by event."""
    [socket] = place.sockets.values()
    return [event["value"] for delta in socket.of("delta") for event in delta["events"]]


def test_dilated_time_runs_slower_skips_nothing_and_is_never_made_up_for() -> None:
    async def check() -> None:
        place, game, chosen = place_of("dilate")
        await chosen
        await place.connect()
        [socket] = place.sockets.values()
        await asyncio.sleep(5)
        game.cost_s = 0.09
        await asyncio.sleep(60)
        notices = [one for one in socket.of("notice") if one["kind"] == "overload"]
        assert notices
        assert 0.5 < notices[-1]["factor"] < 0.9
        assert notices[-1]["speed"] == pytest.approx(notices[-1]["factor"])
        runner = await place.runner()
        behind = runner.clock.tick_at(place.host.now_us()) - runner.session.tick
        assert behind <= 3, "the clock of the game runs ahead of the game"
        assert runner.load.active
        assert place.host.metrics.dilated._value.get() > 10
        game.cost_s = 0.0
        start, at = runner.session.tick, place.loop.time()
        await asyncio.sleep(60)
        assert runner.session.tick - start <= (place.loop.time() - at) * 10 + 5, "lost time was made up for"
        assert [one["kind"] for one in socket.of("notice")][-1] == "overload_over"
        assert socket.of("notice")[-1]["speed"] == 1.0
        seen = values(place)
        assert seen == list(range(seen[0], seen[0] + len(seen))), "a tick was skipped or came twice"
        place.stop()

    run(check)


def test_late_ticks_are_made_up_for_in_steps_and_players_are_told_how_late() -> None:
    async def check() -> None:
        place, game, chosen = place_of("catch-up")
        await chosen
        await place.connect()
        [socket] = place.sockets.values()
        await asyncio.sleep(5)
        game.cost_s = 0.09
        await asyncio.sleep(30)
        told = [one for one in socket.of("notice") if one["kind"] == "overload"]
        assert told
        assert told[-1]["late_ms"] >= 250
        assert all(one["factor"] == 1.0 for one in told)
        runner = await place.runner()
        assert runner.load.stride(6000) == 1, "one call does more than its budget"
        game.cost_s = 0.0
        await asyncio.sleep(60)
        assert not runner.behind(place.host.now_us() - 100_000), "it did not catch up"
        assert [one["kind"] for one in socket.of("notice")][-1] == "overload_over"
        seen = values(place)
        assert seen == list(range(seen[0], seen[0] + len(seen)))
        place.stop()

    run(check)


def test_what_a_newcomer_missed_is_no_overload() -> None:
    async def check() -> None:
        place, game, chosen = place_of("dilate")
        await chosen
        await place.admin(type="set_speed", speed=100.0)
        await asyncio.sleep(30)
        game.cost_s = 0.0001
        before = (await place.runner()).clock.tick_at(place.host.now_us())
        await place.connect()
        await asyncio.sleep(20)
        [socket] = place.sockets.values()
        assert (await place.runner()).session.tick >= before
        assert not [one for one in socket.of("notice") if one["kind"] == "overload"]
        place.stop()

    run(check)


def test_the_policy_is_part_of_the_history() -> None:
    async def check() -> None:
        place, _, chosen = place_of("dilate")
        await chosen
        assert (await place.admin(type="set_policy", overload="faster")).code == "bad_command"
        await place.admin(type="set_policy", when_empty="pause")
        place.crash()
        policy = (await place.runner()).session.policy
        assert (policy.overload, policy.when_empty) == ("dilate", "pause")
        assert '"set_policy"' in place.journal.storage.books[ID].records[0].commands
        place.stop()

    run(check)


def test_a_delayed_clock_keeps_its_slots_and_every_later_tick_comes_later() -> None:
    clock = GameClock(3)
    clock.anchor(1_000_000, 50, 1.0)
    before = clock.slot_of(60)
    clock.delay(700_000)
    assert clock.slot_of(60) == before + 700_000
    assert clock.time_of(60) == clock.slot_of(60)
    assert clock.tick_at(clock.time_of(60)) == 60
    assert clock.tick_at(clock.time_of(60) - 1) == 59
