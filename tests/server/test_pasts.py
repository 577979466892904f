"""Export, import and fork on a running server: the past is whole, and the game that goes on does not notice."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any

import pytest

import gamekit
from gamekit.capsule import past_of, read_capsule
from gamekit.errors import RequestRefused
from gamekit.game import GameId
from gamekit.history import rebuild
from gamekit.journal import SqliteReader, digest_of
from gamekit.lab.handles import Game
from gamekit.space import SpaceGame
from tests.live import LiveServer


def digest_at(path: Path, game: str, tick: int) -> str:
    """The digest of a game's state at a tick, from a database or a capsule."""
    with SqliteReader(path) as reader:
        row = reader.game(GameId(game))
        assert row is not None
        session: Any = rebuild(reader, row, SpaceGame(), tick=tick, from_start=True)
        assert session.tick == tick
        return digest_of(session.snapshot())


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Any:
    """The server's owner."""
    with gamekit.Client(server.url, token=server.admin_token) as made:
        yield made


@pytest.fixture
def game(client: Any) -> Game:
    """A game in which something has happened."""
    made: Game = client.new_game(seed=5, name="Past")
    red = made.join("Red")
    made.speed = 50
    red.ship.go("Ross 248").result()
    red.ship.wait(60)
    return made


def test_fork_at_a_past_tick_is_the_same_game_up_to_it_and_another_after(server: LiveServer, game: Game) -> None:
    red = next(iter(game.joined.values()))
    game.pause()
    now = game.tick
    middle = now // 2
    fork = game.fork(middle, name="What if")
    assert fork.id != game.id
    assert fork.name == "What if"
    assert fork.about()["tick"] >= middle
    database = server.directory / "gamekit.db"
    assert digest_at(database, fork.id, middle) == digest_at(database, game.id, middle)
    assert set(fork.seats) >= {red.id}
    again = fork.play(fork.seats[red.id])
    again.ship.go("Sol").result()
    assert again.ship.id == red.ship.id
    # What is done in one is not done in the other, and the old token opens the old game only.
    assert [one["commands"][0]["body"]["type"] for one in game.commands()].count("move") == 1
    with pytest.raises(RequestRefused):
        fork.play(red.token)


def test_fork_of_now_stands_where_the_game_stands(server: LiveServer, game: Game) -> None:
    game.pause()
    fork = game.fork()
    database = server.directory / "gamekit.db"
    assert fork.about()["tick"] == game.tick
    assert fork.about()["paused"] is True
    assert digest_at(database, fork.id, game.tick) == digest_at(database, game.id, game.tick)
    assert "fork at tick" in fork.name


def test_a_tick_to_come_is_refused_and_makes_nothing(client: Any, game: Game) -> None:
    before = len(client.games())
    with pytest.raises(RequestRefused, match="has come to tick"):
        game.fork(10**9)
    with pytest.raises(RequestRefused, match="has come to tick"):
        game.export("never.capsule", tick=10**9)
    assert len(client.games()) == before
    assert not Path("never.capsule").exists()


def test_exported_game_is_taken_in_elsewhere_and_goes_on(client: Any, game: Game, tmp_path: Path) -> None:
    game.pause()
    path = game.export(tmp_path / "past.capsule")
    past = read_capsule(path)
    assert past.tick == game.tick
    assert digest_at(path, game.id, past.tick) == digest_at(path, game.id, past.tick)
    with pytest.raises(RequestRefused, match="there is a game"):
        client.import_capsule(path)
    twin = client.import_capsule(path, new_id=True)
    assert twin.id != game.id
    assert twin.view["ships"] == game.view["ships"]
    with gamekit.launch() as other:
        moved = other.import_capsule(path)
        assert (moved.id, moved.tick) == (game.id, game.tick)
        moved.resume()
        player = moved.play(next(iter(moved.seats.values())))
        player.ship.go("Sirius").result()


def test_what_is_no_capsule_is_refused_with_a_reason(client: Any, game: Game, tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"no capsule " * 1000)
    with pytest.raises(RequestRefused, match="not a"):
        client.import_capsule(tmp_path / "text")
    path = game.export(tmp_path / "past.capsule")
    path.write_bytes(path.read_bytes()[:8000])
    with pytest.raises(RequestRefused):
        client.import_capsule(path)


def test_pasts_are_for_the_owner_only(server: LiveServer, game: Game) -> None:
    token = next(iter(game.joined.values())).token
    for method, path in (("GET", "export"), ("POST", "fork")):
        status, problem = server.call(method, f"/api/game/{game.id}/{path}", token=token)
        assert (status, problem["code"]) == (401, "admin_only")
    status, problem = server.call("POST", "/api/games/import", b"x" * 10_000, token=token)
    assert (status, problem["code"]) == (401, "admin_only")
    for path in ("/api/game/nothing/export", "/api/game/nothing/fork"):
        method = "GET" if path.endswith("export") else "POST"
        status, problem = server.call(method, path, token=server.admin_token)
        assert (status, problem["code"]) == (404, "no_such_game")
    status, problem = server.call("GET", f"/api/game/{game.id}/export?tick=soon", token=server.admin_token)
    assert (status, problem["code"]) == (400, "bad_request")


def test_a_game_goes_on_while_its_past_is_read(server: LiveServer, game: Game, tmp_path: Path) -> None:
    before = game.tick
    request = urllib.request.Request(f"{server.url}api/game/{game.id}/export")
    request.add_header("Authorization", f"Bearer {server.admin_token}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers["Content-Type"] == "application/vnd.sqlite3"
        (tmp_path / "raw.capsule").write_bytes(answer.read())
    with SqliteReader(tmp_path / "raw.capsule") as reader:
        assert past_of(reader, GameId(game.id)).tick >= before
    events = game.events(30)
    assert next(events)["tick"] >= before
    events.close()
    assert game.about()["readonly"] is None
