"""The blocking client against the real server: in scripts, threads and running loops, over kills and restarts."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gamekit.client import Client, Game, Player, iothread
from gamekit.client.actions import News
from gamekit.errors import CommandFailed, ConfigError, RequestRefused, ServerError, SessionError, UnknownName
from tests.live import LiveServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all tests that leave it running."""
    with LiveServer(tmp_path_factory.mktemp("blocking") / "games") as live:
        yield live


@pytest.fixture
def client(server: LiveServer) -> Iterator[Client]:
    """The server's owner."""
    with Client(server.url, token=server.admin_token) as made:
        yield made


@pytest.fixture
def game(client: Client) -> Game:
    """A fast game."""
    made = client.new_game(seed=7, name="Blocking")
    made.speed = 50
    return made


@contextlib.contextmanager
def watching(player: Player, condition: Callable[[], bool]) -> Iterator[threading.Event]:
    """An event that is set by the first news after which `condition` holds."""
    met = threading.Event()

    def listen(_: News) -> None:
        if condition():
            met.set()

    end = player.io.call(player.inner.link.subscribe, listen)
    if condition():
        met.set()
    yield met
    player.io.call(end)


def wait_for(player: Player, condition: Callable[[], bool]) -> None:
    with watching(player, condition) as met:
        assert met.wait(30)


def kept(server: LiveServer, game: Game, player: Player) -> list[int]:
    """The `x` of the moves that the server's history holds for a player, in order."""
    status, answer = server.call("GET", f"/api/game/{game.id}/commands", token=server.admin_token)
    assert status == 200
    commands = [command for record in answer["records"] for command in record["commands"]]
    return [one["body"]["to"]["x"] for one in commands if one["player"] == player.id and one["body"]["type"] == "move"]


def test_ship_sails_to_another_sector_and_arrives(game: Game) -> None:
    red = game.join("Red")
    ship = red.ship
    goal = "Sirius" if ship.sector != "sirius" else "Sol"
    order = ship.go(goal)
    assert order.ack(20).cid == order.result(20).cid == 1
    assert ship.queue
    ship.wait(60)
    assert (ship.sector, ship.status, ship.queue) == (goal.lower(), "idle", [])
    assert game.seen.view["ships"][ship.id]["owner"] == red.id


def test_ship_trades_at_the_station_where_it_is_sent(game: Game) -> None:
    red = game.join("Red")
    station, ware = next(
        (key, wares[0])
        for key, row in red.view["stations"].items()
        if (wares := row["sells"]) and row["stock"][wares[0]]
    )
    before = red.credits
    red.ship.go(station)
    red.ship.buy(ware, 3)
    red.ship.wait(60)
    assert red.ship.hold == {ware: 3}
    assert red.ship.station == station
    assert red.credits < before


def test_fleet_grows_gets_names_and_shrinks(game: Game) -> None:
    red = game.join("Red")
    hub = red.ship.station
    assert hub is not None
    before = red.credits
    red.buy_ship("Courier", red.view["stations"][hub]["name"], "Hermes").result(20)
    wait_for(red, lambda: "Hermes" in red.ships)
    hermes = red.ships["hermes"]
    assert (hermes.station, hermes.fields["class"]) == (hub, "courier")
    assert red.credits == before - 60_000
    hermes.rename("Iris").result(20)
    wait_for(red, lambda: hermes.name == "Iris")
    hermes.sell_ship().result(20)
    wait_for(red, lambda: "Iris" not in red.ships)
    assert red.credits == before - 18_000
    assert repr(hermes) == f"<Ship {hermes.id}, gone>"
    with pytest.raises(UnknownName, match="not there any more"):
        hermes.wait(20)


def test_fleet_orders_that_cannot_be_are_refused(game: Game) -> None:
    red = game.join("Red")
    hub = str(red.ship.station)
    with pytest.raises(UnknownName, match="Courier"):
        red.buy_ship("coureur", hub)
    with pytest.raises(CommandFailed, match="centi-credits"):
        red.buy_ship("hauler", hub).result(20)
    with pytest.raises(CommandFailed, match="printable"):
        red.ship.rename("\n").result(20)
    red.ship.go("Sol", x=3).result(20)
    with pytest.raises(CommandFailed, match="not docked"):
        red.ship.sell_ship().result(20)


def test_wait_raises_why_a_ship_cannot_do_what_it_was_told(game: Game, caplog: pytest.LogCaptureFixture) -> None:
    red = game.join("Red")
    red.ship.go("Sol", x=0)
    red.ship.buy(next(iter(red.view["wares"])), 1)
    with pytest.raises(CommandFailed) as caught:
        red.ship.wait(60)
    assert caught.value.code
    # The order may have been refused before anybody waited for it, which is worth a warning.
    caplog.clear()
    blue = game.join("Blue")
    order = blue.submit({"type": "stop", "ship": red.ship.id})
    with pytest.raises(CommandFailed, match=r"\["):
        order.result(20)


def test_owner_pauses_steps_and_paces_the_game(game: Game) -> None:
    tick = game.pause()
    assert game.paused
    assert game.tick == tick
    assert game.step(10) == tick + 10 == game.tick
    game.resume()
    game.speed = 4
    assert not game.about()["paused"]
    red = game.join("Red")
    assert red.clock.speed == 4


def test_only_the_owner_paces_the_game(server: LiveServer, game: Game) -> None:
    with Client(server.url) as stranger:
        with pytest.raises(RequestRefused, match="admin token") as caught:
            stranger.game(game.id).pause()
        assert caught.value.status == 401


def test_wrong_things_are_refused_at_once(client: Client, game: Game) -> None:
    with pytest.raises(RequestRefused, match="no game"):
        client.game("nothing")
    with pytest.raises(RequestRefused):
        game.play("p1.wrong")
    with pytest.raises(RequestRefused, match="scenario"):
        client.new_game("no such scenario")
    with pytest.raises(UnknownName, match="no ship"):
        game.join("Red").ships["Black Pearl"]


def test_player_goes_on_with_the_token_and_the_creator_with_the_game(client: Client, game: Game) -> None:
    red = game.join("Red")
    again = client.game(game.id).play(red.token)
    assert (again.id, again.name) == (red.id, "Red")
    assert game.creator() is game.creator()
    assert {red.id, game.creator().id} <= set(game.players)
    with pytest.raises(SessionError, match="made elsewhere"):
        client.game(game.id).creator()


def test_play_link_is_enough_to_go_on(server: LiveServer) -> None:
    made = server.new_game(player_name="Ada")
    with Client(made["play_url"]) as client:
        assert client.token == ""
        assert client.play().name == "Ada"
        assert client.play().play_url == made["play_url"]
        with pytest.raises(ConfigError, match="play link"):
            client.play(server.url)


def test_interrupt_ends_a_wait_and_nothing_else(game: Game) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    red = game.join("Red")
    game.pause()
    red.ship.go("Sirius").result(20)
    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(KeyboardInterrupt):
            red.ship.wait()
    finally:
        signal.signal(signal.SIGALRM, before)
    game.resume()
    red.ship.wait(60)
    assert red.ship.sector == "sirius"


def test_events_can_be_read_from_the_moment_they_are_asked_for(game: Game) -> None:
    red = game.join("Red")
    with red.events(timeout_s=60) as events, game.events(timeout_s=60) as public:
        red.ship.go("Sol", x=1)
        assert next(event for event in events if event["type"] == "CommandDone")["cid"] == 1
        assert next(event for event in public if event["type"] == "ShipDeparted")["ship"] == red.ship.id
    assert all(event["tick"] for event in events)
    assert list(events) == []


def test_blocking_calls_work_inside_a_running_loop(server: LiveServer) -> None:
    async def cell() -> str:
        with Client(server.url) as client:
            return client.new_game().join("Red").name

    assert asyncio.run(cell()) == "Red"


def test_five_threads_share_one_client_and_one_player(server: LiveServer, client: Client, game: Game) -> None:
    red = game.join("Red")

    def work(number: int) -> str:
        own = game.join(f"Thread {number}")
        orders = [own.ship.go("Sol", x=x) for x in range(20)]
        orders += [red.ship.go("Sol", x=100 * number + x) for x in range(20)]
        for order in orders:
            order.result(60)
        assert kept(server, game, own) == list(range(20))
        return own.name

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(work, range(5))) == [f"Thread {number}" for number in range(5)]
    moves = kept(server, game, red)
    assert sorted(moves) == sorted(100 * number + x for number in range(5) for x in range(20))
    for number in range(5):
        assert [move % 100 for move in moves if move // 100 == number] == list(range(20))


def test_call_in_a_callback_is_an_error_and_no_deadlock(game: Game) -> None:
    red = game.join("Red")
    caught: list[BaseException] = []
    done = threading.Event()

    def callback(_: object) -> None:
        if not done.is_set():
            try:
                game.pause()
            except SessionError as error:
                caught.append(error)
            done.set()

    red.on_event(callback)
    red.ship.go("Sol", x=1)
    assert done.wait(30)
    assert "wait for itself" in str(caught[0])


def test_closed_client_says_so_and_leaves_no_thread(server: LiveServer) -> None:
    threads = {thread.ident for thread in threading.enumerate()}
    for _ in range(5):
        client = Client(server.url)
        red = client.new_game().join("Red")
        client.close()
        client.close()
        with pytest.raises(SessionError, match="closed"):
            client.games()
        with pytest.raises(ServerError):
            red.ship.stop()
    assert {thread.ident for thread in threading.enumerate()} == threads


def test_forgotten_client_ends_its_connections(server: LiveServer) -> None:
    with Client(server.url) as watcher:
        game = watcher.new_game()
        game.clock  # noqa: B018 - connects as a spectator
        forgotten = Client(server.url)
        red = forgotten.game(game.id).join("Red")
        link = red.inner.link
        ended = threading.Event()
        red.io.call(link.subscribe, lambda news: ended.set() if link.error else None)
        del forgotten, red
        gc.collect()
        assert ended.wait(30)
    assert iothread._shared is None


def test_orders_survive_a_killed_server_exactly_once_and_in_order(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "games").start()
    with Client(server.url, token=server.admin_token) as client:
        game = client.new_game(seed=7)
        game.speed = 20
        red = game.join("Red")
        orders = []
        for round_ in range(3):
            orders += [red.ship.go("Sol", x=100 * round_ + x) for x in range(30)]
            server.kill()
            wait_for(red, lambda: not red.connected)
            orders += [red.ship.go("Sol", x=100 * round_ + 50 + x) for x in range(30)]
            assert orders[-1].status == "waiting"
            server.start()
            outcomes = [order.result(60) for order in orders]
        assert [outcome.cid for outcome in outcomes] == list(range(1, 181))
        assert [order.ack(60).cid for order in orders] == list(range(1, 181))
        expected = [100 * round_ + half + x for round_ in range(3) for half in (0, 50) for x in range(30)]
        assert kept(server, game, red) == expected
        assert red.pending == 0
    assert server.stop() == 0


def test_server_that_drains_is_waited_for_and_play_goes_on(tmp_path: Path) -> None:
    server = LiveServer(tmp_path / "games").start()
    with Client(server.url, token=server.admin_token) as client:
        game = client.new_game(seed=7)
        red = game.join("Red")
        tick = game.tick
        assert server.stop() == 0
        wait_for(red, lambda: not red.connected)
        assert red.ship.name
        with pytest.raises(ServerError, match="gamekit serve"):
            game.pause()
        order = red.ship.go("Sol", x=5)
        with pytest.raises(TimeoutError):
            order.result(0.05)
        server.start()
        assert order.result(60).cid == 1
        assert red.tick >= tick
    assert server.stop() == 0


def test_events_tell_the_tick_at_which_they_fell_however_fast_the_game_runs(game: Game) -> None:
    red = game.join("Red")
    game.speed = 1000
    with red.events() as events:
        red.ship.go("Sirius")
        foretold: dict[tuple[str, str], int] = {}
        compared = 0
        for event in events:
            if event["type"] == "ShipDeparted":
                foretold["ShipArrived", event["ship"]] = event["arrive"]
            elif event["type"] == "ShipJumped":
                foretold["ShipEmerged", event["ship"]] = event["arrive"]
            elif (event["type"], event.get("ship", "")) in foretold:
                assert event["tick"] == foretold.pop((event["type"], event["ship"]))
                compared += 1
            if compared == 3:
                break


def test_scenario_file_is_read_here_and_sent(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('name = "own"\nsectors = [{ id = "here", name = "Here", x = 0, y = 0 }]\n')
    for scenario in (path, str(path)):
        assert list(client.new_game(scenario).join("Red").view["sectors"]) == ["here"]
    with pytest.raises(ConfigError, match=r"gone\.toml: cannot be read"):
        client.new_game(tmp_path / "gone.toml")
