"""Many views of one game: one connection, one stream of messages, and traits that links can use."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import ipywidgets
import pytest

import gamekit
from gamekit.errors import SessionError, UnknownName
from gamekit.lab.handles import Game, Player
from tests.widgets.frontend import FrontEnd, settle


@pytest.fixture(scope="module")
def game() -> Iterator[Game]:
    """A game of a private server."""
    with gamekit.launch() as client:
        made = client.new_game(seed=7)
        made.speed = 20
        yield made


@pytest.fixture(scope="module")
def red(game: Game) -> Player:
    """A player."""
    return game.join("Red")


def all_widgets(red: Player) -> list[Any]:
    return [red.map(), red.fleet(), red.market(), red.orders(), red.game.map(), red.game.console()]


def sent_in(widget: Any, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a widget sends to the front end from now on: messages, and traits."""
    sent: list[Any] = []
    monkeypatch.setattr(widget.comm, "send", lambda data=None, **_: sent.append(data))
    return sent


def test_many_views_cost_one_connection_and_as_many_messages_as_one(
    red: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = red.game.about()["connections"]
    widgets = all_widgets(red)
    [stream] = {widget.stream for widget in widgets}
    quiet = {widget: sent_in(widget, monkeypatch) for widget in widgets[:-1]}
    loud = sent_in(stream, monkeypatch)
    for widget in widgets:
        widget._repr_mimebundle_()
    frames: list[object] = []
    end = red.io.call(red.inner.link.subscribe, frames.append)
    red.ship.go("Sirius").result(30)
    red.ship.wait(60)
    settle(red)
    red.io.post(end)
    assert red.game.about()["connections"] == connections, "a widget opened a socket of its own"
    messages = [data["content"] for data in loud if data["method"] == "custom"]
    changes = [message for message in messages if message["kind"] == "changes"]
    assert 1 <= len(changes) <= len(frames)
    assert all(sent == [] for sent in quiet.values()), "news came twice"
    assert all(widget.tick > 0 for widget in widgets)
    for widget in widgets:
        widget.close()


def test_messages_are_at_least_a_tenth_of_a_second_apart(red: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    at_s: list[float] = []
    stream = red.map().stream
    many = threading.Event()

    def take(message: dict[str, Any]) -> None:
        if message["kind"] == "changes":
            at_s.append(time.monotonic())
        if len(at_s) > 4:
            many.set()

    monkeypatch.setattr(stream, "send", take)
    stream.displayed()
    for _ in range(5):
        red.ship.go("Sol")
        red.ship.go("Sirius")
    assert many.wait(30)
    # A timer may be early by the clock's grain.
    assert min(later - earlier for earlier, later in pairwise(at_s)) > 0.09


def test_selection_of_one_widget_can_drive_another(red: Player) -> None:
    map_, fleet = red.map(), red.fleet()
    link = ipywidgets.link((fleet, "selected"), (map_, "selected"))
    fleet.selected = red.ship.id
    assert map_.selected == red.ship.id
    link.unlink()


def test_tick_follows_the_game_without_a_message_of_its_own(red: Player, monkeypatch: pytest.MonkeyPatch) -> None:
    fleet = red.fleet()
    sent = sent_in(fleet, monkeypatch)
    moved = threading.Event()
    fleet.observe(lambda change: moved.set() if change["new"] > change["old"] else None, names="tick")
    fleet._repr_mimebundle_()
    assert moved.wait(30)
    assert sent == []


def test_players_are_named_to_widgets_like_anything_else(game: Game, red: Player) -> None:
    assert game.fleet("red").player == game.fleet(red).player == red
    assert game.map(red.id).player == game.market("Red").player == red
    for verb in (game.fleet, game.map, game.market):
        with pytest.raises(UnknownName, match="no player who joined through this handle 'Pluto'"):
            verb("Pluto")
    with pytest.raises(UnknownName):
        game.orders(red)  # type: ignore[arg-type]


def test_orders_widget_begins_with_the_ship_that_was_asked_for(game: Game, red: Player) -> None:
    assert game.orders(red.ship).selected == red.ship.id
    assert red.orders(red.ship.name).selected == red.ship.id
    with pytest.raises(UnknownName, match="Pluto"):
        red.orders("Pluto")
    with pytest.raises(SessionError, match="join"):
        game.client.game(game.id).orders()


@pytest.mark.parametrize(
    ("verb", "words"),
    [
        ("fleet", ["hold", "docked", "empty"]),
        ("market", ["Alloys", "buy for (cr)"]),
        ("orders", ["<svg", "tick"]),
        ("latency", ["lateness", "99 %", "worst", "ms"]),
        ("console", ["jump_ticks", "Time between entering a gate and coming out."]),
    ],
)
def test_exported_notebook_has_a_table_where_the_widget_was(game: Game, verb: str, words: list[str]) -> None:
    game.join("Blue")
    bundle = getattr(game, verb)()._repr_mimebundle_()
    html = bundle[0]["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle[0]
    assert [word for word in words if word not in html] == []


def test_spectators_fleet_has_everybodys_ships(game: Game, red: Player) -> None:
    html = game.client.game(game.id).fleet().still()["text/html"]
    assert all(ship["name"] in html for ship in game.view["ships"].values())


def test_console_carries_out_the_owners_verbs(game: Game, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    console = game.console()
    front = FrontEnd(console, monkeypatch)
    console._repr_mimebundle_()

    def do(verb: str, value: Any = None) -> dict[str, Any]:
        del front.messages[:]
        front.say("do", verb=verb, value=value)
        return front.until(lambda message: message.get("kind") == "said")

    assert do("pause")["bad"] is False
    assert game.paused
    before = game.tick
    assert f"{before + 10:,}" in do("step", 10)["message"]
    assert "console.forks[0]" in do("fork")["message"]
    assert console.forks[0].id != game.id
    assert "console.branches[0]" in do("branch")["message"]
    assert console.branches[0].tick == game.tick
    assert do("capsule")["bad"] is False
    assert list(tmp_path.glob("*.capsule"))
    assert do("rules", {"jump_ticks": 20, "dock_ticks": 5})["bad"] is False
    assert (game.rules["jump_ticks"], console.rules["jump_ticks"]) == (20, 20)
    [change] = [
        one["body"] for record in game.commands() for one in record["commands"] if "rules" in str(one["body"]["type"])
    ]
    assert {"jump_ticks", "dock_ticks"} <= set(str(change).replace("'", " ").split())
    refused = do("rules", {"jump_ticks": 0})
    assert refused["bad"] is True
    assert "jump_ticks" in refused["message"]
    assert do("resume")["bad"] is False
    assert not game.paused


def test_speed_of_the_console_is_the_games_both_ways(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    console = game.console()
    console._repr_mimebundle_()
    FrontEnd(console, monkeypatch)
    heard = threading.Event()
    console.observe(lambda change: heard.set() if change["new"] == 7 else None, names="speed")
    game.speed = 7
    assert heard.wait(30)
    slider = ipywidgets.FloatSlider(max=1000)
    link = ipywidgets.link((slider, "value"), (console, "speed"))
    events = game.events(30)
    count = len(game.commands())
    for speed in (8.0, 9.0, 30.0):
        slider.value = speed
    for _ in events:
        if game.speed == 30.0:
            break
    assert len(game.commands()) == count + 1, "every value on the way was sent"
    link.unlink()
