"""The widgets' Python side: what they send, to whom, when they rest, and what stands in for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

import gamekit
from gamekit.lab.handles import Game, Player
from gamekit.widgets.latency import PERCENTS, percentiles_of
from gamekit.widgets.map import MapWidget
from gamekit.widgets.picture import picture
from tests.client.sketch import ship, view
from tests.widgets.frontend import FrontEnd, settle

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def game() -> Iterator[Game]:
    """A game of a private server."""
    with gamekit.launch() as client:
        made = client.new_game(seed=7)
        made.speed = 20
        yield made


@pytest.fixture
def red(game: Game) -> Player:
    """A new player."""
    return game.join("Red")


@pytest.fixture
def front(red: Player, monkeypatch: pytest.MonkeyPatch) -> FrontEnd:
    """A map that was displayed."""
    made = FrontEnd(red.map(), monkeypatch)
    assert made.widget._repr_mimebundle_()
    return made


def test_map_starts_with_the_view_and_follows_the_ship(red: Player, front: FrontEnd) -> None:
    assert isinstance(front.widget, MapWidget)
    assert front.widget.stream.start["view"]["ships"][red.ship.id]["owner"] == red.id
    assert front.widget.stream.start["player"] == red.id
    red.ship.go("Sirius")
    moved = front.until(lambda m: any(red.ship.id in patch.get("ships", {}) for patch in m.get("changes", ())))
    assert moved["clock"]["speed"] == 20
    assert moved["connected"]


def test_everything_is_sent_once_more_for_a_front_end_that_was_slow_to_load(red: Player, front: FrontEnd) -> None:
    front.until(lambda message: message["kind"] == "view")
    del front.messages[:]
    front.until(lambda message: message["kind"] == "view")


def test_map_rests_while_no_view_is_in_sight(red: Player, front: FrontEnd) -> None:
    front.say("shown", view="a")
    front.say("shown", view="b")
    front.say("hidden", view="a")
    settle(red)
    assert red.feed._sinks
    front.say("hidden", view="b")
    settle(red)
    assert not red.feed._sinks
    count = len(front.messages)
    red.ship.go("Sirius").result(20)
    red.ship.wait(60)
    settle(red)
    assert len(front.messages) == count
    front.say("shown", view="b")
    settle(red)
    assert front.messages[-1]["kind"] == "view"
    assert front.messages[-1]["view"]["ships"][red.ship.id]["at"]["sector"] == "sirius"


def test_front_end_that_missed_a_message_gets_everything_anew(red: Player, front: FrontEnd) -> None:
    front.say("shown", view="a")
    settle(red)
    count = len(front.messages)
    front.say("whole")
    settle(red)
    assert [message["kind"] for message in front.messages[count:]].count("view") == 1
    numbers = [message["n"] for message in front.messages]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def test_click_becomes_an_order_of_the_player(red: Player, front: FrontEnd) -> None:
    to = {"sector": "sirius", "x": 5, "y": 6}
    front.say("command", key="k", body={"type": "move", "ship": red.ship.id, "to": to, "append": False})
    assert front.until(lambda m: m.get("key") == "k" and m["state"] == "acknowledged")
    assert front.until(lambda m: m.get("key") == "k" and m["state"] == "done")
    front.until(lambda m: any("queue" in p.get("ships", {}).get(red.ship.id, {}) for p in m.get("changes", ())))
    commands = red.game.frame.commands
    assert list(commands[commands["player"] == red.id]["type"]) == ["join", "move"]


@pytest.mark.parametrize(
    ("order", "words"),
    [
        ({"type": "move", "ship": "ship-1", "to": {"sector": "sirius"}}, "ship"),
        ({"type": "move", "ship": "ship-1", "to": "x" * 20_000}, "limit"),
        ("nonsense", "Only players"),
    ],
)
def test_order_that_cannot_be_is_explained_to_the_front_end(
    red: Player, front: FrontEnd, order: Any, words: str
) -> None:
    front.say("command", key="k", body=order)
    assert words in front.until(lambda message: message.get("state") == "refused")["message"]


def test_spectators_map_takes_no_orders(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = game.client.game(game.id)
    front = FrontEnd(stranger.map(), monkeypatch)
    front.say("command", key="k", body={"type": "move", "ship": "ship-1", "to": {"sector": "sirius"}})
    assert "Only players" in front.until(lambda message: message.get("state") == "refused")["message"]


def test_map_shows_the_latest_player_unless_told_otherwise(game: Game, red: Player) -> None:
    assert game.map().player is red
    assert game.map(game.creator()).stream.start["player"] == game.creator().id


def test_closed_map_listens_no_more(red: Player, front: FrontEnd) -> None:
    settle(red)
    assert red.feed._followers
    front.widget.close()
    settle(red)
    assert not red.feed._followers


def test_latency_widget_polls_while_it_is_looked_at(game: Game, red: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    widget = game.latency()
    front = FrontEnd(widget, monkeypatch)
    drawn = threading.Event()
    widget.observe(lambda change: drawn.set() if change["new"] else None, names="percentiles")
    assert widget._repr_mimebundle_()
    assert drawn.wait(30)
    assert all(len(row) == 5 for row in widget.rows)
    told = widget.percentiles
    assert told["ticks"] >= len(widget.rows)
    for measure in ("late", "work"):
        assert len(told[measure]) == len(PERCENTS)
        assert told[measure] == sorted(told[measure])
    front.say("shown", view="a")
    front.say("hidden", view="a")
    settle(red)
    assert widget._task is None
    widget.close()


def test_latency_widget_says_nothing_of_single_ticks_to_a_server_that_keeps_none() -> None:
    old = {"at_s": 1.0, "late_max_us": 9, "work_max_us": 9}
    assert percentiles_of([old]) == {}
    assert percentiles_of([]) == {}
    row = {"late_max_us": 500, "work_max_us": 9, "late_buckets": '{"10":9,"511":1}', "work_buckets": '{"9":10}'}
    assert percentiles_of([old, row]) == {"ticks": 10, "late": [0.01, 0.01, 0.5, 0.5], "work": [0.009] * 4}


def test_exported_map_is_a_picture_of_the_same_view(red: Player) -> None:
    bundle = red.map()._repr_mimebundle_()
    assert bundle is not None
    root = ElementTree.fromstring(bundle[0]["image/svg+xml"])
    assert len(root.findall(f"{SVG}text")) == len(red.view["sectors"])
    assert len(root.findall(f"{SVG}path")) == len(red.view["ships"])
    assert len(root.findall(f"{SVG}line")) == len(red.view["gates"]) / 2
    assert "application/vnd.jupyter.widget-view+json" in bundle[0]


def test_picture_places_a_ship_inside_a_gate_between_its_ends_and_escapes_names() -> None:
    shown = view()
    gate = {"type": "gate", "gate": "sol:sirius", "exit": "sirius:sol", "depart": 0, "arrive": 10}
    shown["ships"]["ship-1"] = ship(at=gate, name="<script>")

    def x_of(tick: float) -> float:
        path = ElementTree.fromstring(picture(shown, tick, "p1")).find(f"{SVG}path")
        assert path is not None
        return float(path.attrib["d"].split()[0][1:])

    assert x_of(0) < x_of(5) < x_of(10)
    assert "<script>" not in picture(shown, 0)


def test_picture_of_nothing_is_empty_and_valid() -> None:
    assert list(ElementTree.fromstring(picture({}, 0))) == []


def test_picture_in_fog_has_no_line_into_the_unknown_and_a_ship_there_at_its_gate() -> None:
    shown = view()
    shown["gates"]["sol:sirius"] |= {"to": None, "to_sector": None}
    del shown["sectors"]["sirius"], shown["gates"]["sirius:sol"]
    at = {"type": "gate", "gate": "sol:sirius", "exit": None, "depart": 0, "arrive": 50}
    shown["ships"]["ship-1"] = ship(at=at)
    drawn = ElementTree.fromstring(picture(shown, 25, "p1"))
    assert drawn.find(f"{SVG}line") is None
    assert drawn.find(f"{SVG}path") is not None
