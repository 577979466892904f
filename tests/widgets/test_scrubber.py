"""The scrubber's Python side: seeks that the kernel does not wait for, patches that make the view of the tick."""

from __future__ import annotations

import copy
import threading
from typing import Any

import ipywidgets
import pytest
from msgspec.structs import replace

from gamekit.game import Event, merge
from gamekit.lab import fork
from gamekit.lab.replay import Replay, replay
from gamekit.widgets.patch import patch_between
from gamekit.widgets.scrubber import BINS, ScrubberWidget
from tests.counter_game import CounterGame
from tests.pasts import past_of_world, played


@pytest.fixture(scope="module")
def past() -> Replay:
    """A played game of the tiny counter, of some hundred ticks."""
    return replay(past_of_world(played()), rules=CounterGame())


class Screen:
    """A front end: merges what it is sent."""

    def __init__(self, widget: ScrubberWidget, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[dict[str, Any]] = []
        self.view: dict[str, Any] = copy.deepcopy(dict(widget.start["view"]))
        self.played = threading.Event()
        self.widget = widget
        monkeypatch.setattr(widget, "send", self._take)
        widget._handle_custom_msg({"kind": "shown", "view": "a"}, [])

    def _take(self, message: dict[str, Any]) -> None:
        self.messages.append(message)
        if message["kind"] == "view":
            self.view = copy.deepcopy(dict(message["view"]))
        for patch in message.get("changes", ()):
            merge(self.view, copy.deepcopy(patch))
        if len([one for one in self.messages if one.get("follow")]) > 3:
            self.played.set()


def test_slider_of_ones_own_drives_the_scrubber(past: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    scrubber = past.scrubber()
    screen = Screen(scrubber, monkeypatch)
    slider = ipywidgets.IntSlider(max=past.end_tick)
    link = ipywidgets.link((slider, "value"), (scrubber, "tick"))
    before = past.tick
    for tick in (100, past.end_tick // 2, 30, past.end_tick // 3):
        slider.value = tick
        scrubber.join()
        assert screen.messages[-1]["clock"]["tick"] == tick
        assert screen.view == Replay(past.past, past.rules).seek(tick).view()
    assert past.tick == before, "the scrubber moved the reader's own replay"
    link.unlink()


def test_dragging_costs_fewer_seeks_than_values_and_ends_at_the_last(
    past: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    scrubber = past.scrubber()
    screen = Screen(scrubber, monkeypatch)
    free = threading.Event()
    work = scrubber._replay.seek
    monkeypatch.setattr(scrubber._replay, "seek", lambda tick: free.wait(30) and work(tick))
    count = len(screen.messages)
    for tick in range(1, 200):
        scrubber.tick = tick  # returns although no seek can end: the kernel's loop is free
    free.set()
    scrubber.join()
    assert 1 <= len(screen.messages) - count <= 3
    assert screen.messages[-1]["clock"]["tick"] == 199


def test_playing_moves_tick_on_both_sides_until_it_is_paused(past: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    scrubber = past.scrubber()
    scrubber.tick = 0
    scrubber.join()
    screen = Screen(scrubber, monkeypatch)
    scrubber.speed = 20.0
    scrubber.playing = True
    assert screen.played.wait(30)
    scrubber.playing = False
    scrubber.join()
    assert 0 < scrubber.tick <= scrubber.end_tick
    followed = [message["clock"]["tick"] for message in screen.messages if message.get("follow")]
    assert followed == sorted(followed)
    assert screen.view == Replay(past.past, past.rules).seek(scrubber.tick).view()


def test_playing_ends_at_the_end_and_rests_out_of_sight(past: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    scrubber = past.scrubber()
    screen = Screen(scrubber, monkeypatch)
    scrubber.tick = scrubber.end_tick - 5
    scrubber.playing = True
    scrubber.join()
    assert (scrubber.tick, scrubber.playing) == (scrubber.end_tick, False)
    scrubber.tick = 0
    scrubber.join()
    scrubber._handle_custom_msg({"kind": "hidden", "view": "a"}, [])
    count = len(screen.messages)
    scrubber.playing = True
    scrubber.join()
    assert len(screen.messages) == count
    assert not [thread for thread in threading.enumerate() if thread.name == "gamekit scrubber"]
    scrubber.close()


def test_strip_marks_keyframes_commands_and_events(past: Replay) -> None:
    scrubber = past.scrubber()
    shown = scrubber._repr_mimebundle_()
    scrubber.join()
    assert scrubber.indexed
    assert scrubber.keyframes == sorted({one.tick for one in past.past.snapshots})
    commands = [record.tick for record in past.past.records]
    assert set(commands) <= {tick for tick, _ in scrubber.marks}
    assert len(scrubber.density) == BINS
    assert sum(scrubber.density) == len(list(Replay(past.past, past.rules).seek(0).events()))
    assert shown is not None
    assert "image/svg+xml" in shown[0]


def test_closed_scrubber_leaves_no_thread(past: Replay, monkeypatch: pytest.MonkeyPatch) -> None:
    scrubber = fork(past.past, rules=past.rules).scrubber()
    screen = Screen(scrubber, monkeypatch)
    scrubber.tick = 0
    scrubber.speed = 1.0
    scrubber.playing = True
    assert screen.played.wait(30)
    scrubber.close()
    scrubber.join()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("gamekit scrubber")]


def test_patch_makes_the_later_view_of_the_earlier_and_says_when_none_can() -> None:
    before = {"ships": {"a": {"x": 1, "y": [1]}, "b": {"x": 1}}, "storm": 3}
    after = {"ships": {"a": {"x": 2, "y": [1]}, "c": {"x": 5}}, "storm": 4, "gates": {}}
    patch = patch_between(before, after)
    assert patch == {"ships": {"a": {"x": 2}, "b": None, "c": {"x": 5}}, "storm": 4, "gates": {}}
    made = copy.deepcopy(before)
    merge(made, patch)
    assert made == after
    assert patch_between(after, after) == {}
    assert patch_between({"ships": {"a": {"x": 1, "y": 2}}}, {"ships": {"a": {"x": 1}}}) is None
    assert patch_between({"ships": {}}, {}) is None


class Failing(CounterGame):
    """Rules that raise from some tick on."""

    def advance(self, state: Any, to_tick: int) -> list[Event]:
        if to_tick > 60:
            raise ZeroDivisionError("a bug")
        return super().advance(state, to_tick)


def test_rules_that_raise_are_told_and_the_slider_goes_on_working(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = past_of_world(played())
    begun = replace(recorded, snapshots=recorded.snapshots[:1])
    scrubber = Replay(begun, Failing()).scrubber()
    screen = Screen(scrubber, monkeypatch)
    for tick in (scrubber.end_tick, 50):
        scrubber.tick = tick
        scrubber.join()
    told = [one for one in screen.messages if one["kind"] == "refused"]
    assert [one["message"] for one in told] == ["The rules failed on the way: ZeroDivisionError: a bug"]
    assert screen.messages[-1]["clock"]["tick"] == 50
    scrubber._indexing.ask(None)
    scrubber.join()
    assert scrubber.indexed
    assert "ZeroDivisionError" in [what for _, what in scrubber.marks]
