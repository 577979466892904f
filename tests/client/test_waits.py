"""No wait of the client can wait for itself, and what belongs to one event loop says so on another."""

from __future__ import annotations

import ast
import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

import gamekit
from gamekit.client import AsyncClient, AsyncOrder, AsyncPlayer
from gamekit.errors import SessionError
from gamekit.widgets.latest import Latest
from tests.live import LiveServer

ROOT = Path(gamekit.__file__).parent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for all tests."""
    with LiveServer(tmp_path_factory.mktemp("waits") / "games") as live:
        yield live


@pytest.fixture(scope="module")
def client(server: LiveServer) -> Iterator[gamekit.Client]:
    """The server's owner, with all that a notebook has."""
    with gamekit.Client(server.url, token=server.admin_token) as made:
        yield made


def in_a_callback(player: Any, wait: Callable[[], object]) -> object:
    """What became of a wait in a callback of the client: "refused", or what it gave or raised."""
    came: list[object] = []
    done = threading.Event()

    def callback(_: object) -> None:
        if done.is_set():
            return
        try:
            came.append(wait())
        except SessionError as error:
            came.append("refused" if "would wait for itself" in str(error) else error)
        except BaseException as error:
            came.append(error)
        done.set()

    end = player.on_event(callback)
    player.ship.stop()
    assert done.wait(30), "the client hangs"
    end()
    return came[0]


WAITS: dict[str, Callable[[gamekit.Client, Any, Any], object]] = {
    "ack": lambda client, game, me: me.ship.go("Sol").ack(),
    "result": lambda client, game, me: me.ship.go("Sol").result(),
    "result in time": lambda client, game, me: me.ship.go("Sol").result(2),
    "order wait": lambda client, game, me: me.ship.go("Sol").wait(2),
    "chain": lambda client, game, me: me.ship.go("Sol").then().go("Sirius").result(),
    "ship wait": lambda client, game, me: me.ship.wait(),
    "events": lambda client, game, me: next(iter(me.events())),
    "game events": lambda client, game, me: list(game.events(1)),
    "about": lambda client, game, me: game.about(),
    "pause": lambda client, game, me: game.pause(),
    "speed": lambda client, game, me: setattr(game, "speed", 2),
    "rules": lambda client, game, me: game.rules,
    "join": lambda client, game, me: game.join("Another"),
    "new game": lambda client, game, me: client.new_game(),
    "games": lambda client, game, me: client.games(),
    "another client": lambda client, game, me: gamekit.Client(client.url),
    "close": lambda client, game, me: client.close(),
    "close game": lambda client, game, me: game.close(),
    "launch": lambda client, game, me: gamekit.launch(),
    "frame": lambda client, game, me: game.frame.latency,
    "commands": lambda client, game, me: game.frame.commands,
    "export": lambda client, game, me: game.export("never.capsule"),
    "fork": lambda client, game, me: game.fork(),
    "widget's work": lambda client, game, me: Latest(print, "never").join(),
}


@pytest.mark.parametrize("name", WAITS)
def test_a_wait_in_a_callback_is_refused_at_once_and_the_client_goes_on(client: gamekit.Client, name: str) -> None:
    game = client.new_game(seed=7)
    me = game.creator()
    assert in_a_callback(me, lambda: WAITS[name](client, game, me)) == "refused"
    assert game.about()["name"]
    assert me.ship.stop().result(30)


def test_a_stream_of_events_that_was_made_before_is_refused_in_a_callback_too(client: gamekit.Client) -> None:
    me = client.new_game(seed=7).creator()
    events = me.events()
    assert in_a_callback(me, lambda: next(events)) == "refused"
    me.ship.go("Sol")
    assert next(events)["type"]


def test_a_wait_in_a_thread_of_a_callback_is_none_in_a_callback(client: gamekit.Client) -> None:
    me = client.new_game(seed=7).creator()
    came: list[object] = []
    done = threading.Event()

    def work() -> None:
        came.append(me.ship.stop().result(30).code)
        done.set()

    assert in_a_callback(me, lambda: threading.Thread(target=work).start()) is None
    assert done.wait(30)
    assert came == [None]


def test_work_that_waits_for_itself_is_refused() -> None:
    came: list[str] = []
    latest: Latest

    def work(_: object) -> None:
        try:
            latest.join()
        except SessionError as error:
            came.append(str(error))

    latest = Latest(work, "waits for itself")
    latest.ask(1)
    latest.join()
    assert "start a thread" in came[0]


def test_every_blocking_wait_of_the_client_goes_through_the_door() -> None:
    """`future.result()` and its like, not awaited, are called in these functions only; each asks the door first."""
    found = set()
    for path in sorted((ROOT / "client").glob("*.py")):
        tree = ast.parse(path.read_text())
        awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and id(node) not in awaited:
                    owner = ast.unparse(node.func.value)
                    if node.func.attr == "result" or (node.func.attr in {"get", "join"} and "_waiting" in owner):
                        found.add(f"{path.name} {function.name}")
    assert found == {
        "events.py __next__",
        "iothread.py run",
        "order.py _waited",
        # One has a result already, the other makes a coroutine.
        "opening.py _unwanted",
        "order.py __await__",
    }


# --- another event loop ---------------------------------------------------------------------------------------


def in_loops(server: LiveServer, later: Callable[[AsyncClient, AsyncPlayer], Any]) -> str:
    """What is raised by something that is done with a client on another loop than it was made on."""

    async def make() -> tuple[AsyncClient, AsyncPlayer]:
        client = await gamekit.connect(server.url)
        return client, await (await client.new_game(seed=7)).creator()

    with asyncio.Runner() as first, asyncio.Runner() as second:
        client, player = first.run(make())

        async def use() -> None:
            await later(client, player)

        with pytest.raises(SessionError) as caught:
            second.run(use())
        first.run(client.close())
    return str(caught.value)


async def submitted(player: AsyncPlayer) -> None:
    """Give an order and wait for its end."""
    await player.submit({"type": "stop", "ship": player.ship.id})


async def first_event(player: AsyncPlayer) -> None:
    """Wait for an event."""
    await anext(player.events())


@pytest.mark.parametrize(
    "later",
    [
        lambda client, player: client.new_game(),
        lambda client, player: client.check(),
        lambda client, player: player.game.about(),
        lambda client, player: player.ship.wait(),
        lambda client, player: submitted(player),
        lambda client, player: first_event(player),
        lambda client, player: client.close(),
    ],
    ids=["new game", "check", "about", "ship wait", "order", "events", "close"],
)
def test_a_client_of_another_loop_says_what_to_do(server: LiveServer, later: Callable[..., Any]) -> None:
    text = in_loops(server, later)
    assert "belongs to the event loop it was made on, which is another one" in text
    assert "gamekit.Client(url)" in text


def test_a_client_whose_loop_has_ended_says_so_and_can_be_closed(server: LiveServer) -> None:
    client = asyncio.run(gamekit.connect(server.url))
    with pytest.raises(SessionError, match="which has ended"):
        asyncio.run(client.new_game())
    asyncio.run(client.close())


@pytest.mark.parametrize("wait", [AsyncOrder.ack, AsyncOrder.result, AsyncOrder.outcome])
def test_an_order_whose_loop_stands_still_is_not_waited_for_on_another(
    server: LiveServer, wait: Callable[[AsyncOrder], Coroutine[Any, Any, object]]
) -> None:
    async def make() -> tuple[AsyncClient, AsyncOrder]:
        client = await gamekit.connect(server.url)
        player = await (await client.new_game(seed=7)).creator()
        # Nothing is awaited after it, so that its answer has not come when the loop stands still.
        return client, player.submit({"type": "stop", "ship": player.ship.id})

    async def waited(order: AsyncOrder) -> object:
        async with asyncio.timeout(20):
            return await wait(order)

    with asyncio.Runner() as first, asyncio.Runner() as second:
        client, order = first.run(make())
        with pytest.raises(SessionError, match=r"which is another one. .*gamekit.Client\(url\)"):
            second.run(waited(order))
        assert first.run(waited(order))
        assert second.run(waited(order))  # its answer is here already
        first.run(client.close())


def test_an_order_outside_of_any_loop_says_what_to_do(server: LiveServer) -> None:
    async def make() -> tuple[AsyncClient, AsyncPlayer]:
        client = await gamekit.connect(server.url)
        return client, await (await client.new_game(seed=7)).creator()

    with asyncio.Runner() as runner:
        client, player = runner.run(make())
        with pytest.raises(SessionError, match="where no event loop runs"):
            player.submit({"type": "stop", "ship": player.ship.id})
        runner.run(client.close())
