"""Among many runners under one timer, what happens to one is its own."""

from __future__ import annotations

import asyncio

import pytest

from tests.virtual import Place, run


def test_an_alarm_in_which_something_failed_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> tuple[int, int]:
        place = Place(config={"rules": {"every_ticks": 1}})
        player = await place.join()
        await place.connect(player)
        runner = await place.runner()
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
        wake = runner.wake

        def failing(now_us: int) -> None:
            wake(now_us)
            monkeypatch.setattr(runner, "wake", wake)
            raise RuntimeError("a fault of the host")

        await asyncio.sleep(1)
        monkeypatch.setattr(runner, "wake", failing)
        before = runner.session.tick
        # The heartbeats of each second would set the alarm anew as well, so less than that passes.
        await asyncio.sleep(0.6)
        after = runner.session.tick
        place.stop()
        return before, after

    before, after = run(main)
    assert after >= before + 5
