"""The first use of rules is one thread's alone; later ones are everybody's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from gamekit.game import GameId
from gamekit.history import first_session, glance, restored, stored
from gamekit.journal import GameRow, MemoryJournal
from tests.counter_game import CounterGame

ROW = GameRow(id=GameId("g"), game="counter", version=1, name="G", config="{}", seed=1, created_s=0.0)


class Watched(CounterGame):
    """Rules that tell whether two threads are in them at once."""

    def __init__(self, meeting: threading.Barrier) -> None:
        super().__init__()
        self.meeting = meeting
        self.met: list[bool] = []

    def _meet(self) -> None:
        try:
            self.meeting.wait(0.2)
            self.met.append(True)
        except threading.BrokenBarrierError:
            self.met.append(False)

    def new(self, config: Any, seed: int) -> Any:
        self._meet()
        return super().new(config, seed)

    def decode(self, data: bytes, version: int) -> Any:
        self._meet()
        return super().decode(data, version)


def twice_at_once(work: Callable[[], object]) -> None:
    """The same in two threads."""
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(work), threads.submit(work)]:
            done.result()


def test_two_threads_are_never_in_the_first_use_of_rules_together() -> None:
    class Fresh(Watched):
        pass

    alone, together = Fresh(threading.Barrier(2)), Fresh(threading.Barrier(2))
    twice_at_once(lambda: first_session(alone, ROW))
    assert alone.met == [False, False]
    # It has come to its end; who comes now need not wait.
    twice_at_once(lambda: first_session(together, ROW))
    assert together.met == [True, True]


def test_loading_is_another_use_than_making() -> None:
    class Fresh(Watched):
        pass

    made = first_session(CounterGame(), ROW)
    encoded = made.snapshot()
    alone, together = Fresh(threading.Barrier(2)), Fresh(threading.Barrier(2))
    for game in (alone, together):
        twice_at_once(lambda game=game: restored(game, ROW, encoded, game.version, 0))
    assert (alone.met, together.met) == ([False, False], [True, True])


def test_a_glance_at_a_sleeping_game_is_a_use_of_its_own() -> None:
    class Fresh(Watched):
        pass

    journal = MemoryJournal(wall=lambda: 0.0)
    made = first_session(CounterGame(), ROW)
    journal.start(lambda done: None)
    journal.create(ROW, stored(made, made.snapshot(), tick=0, seq=0))
    alone, together = Fresh(threading.Barrier(2)), Fresh(threading.Barrier(2))
    for game in (alone, together):
        twice_at_once(lambda game=game: glance(journal, ROW, game))
    assert (alone.met, together.met) == ([False, False], [True, True])
