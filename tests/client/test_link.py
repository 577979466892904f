"""The asyncio client against a server that breaks off where it hurts."""

from __future__ import annotations

import asyncio
import base64
import gc
import hashlib
import random
from collections.abc import Awaitable, Callable

import pytest

import gamekit
from gamekit.client import AsyncPlayer, again
from gamekit.client import link as link_module
from gamekit.client.link import Link
from gamekit.errors import CommandFailed, ConfigError, RequestRefused, ServerError
from tests.client.fake import AFTER_ACK, BEFORE_ACK, BEFORE_KEEPING, FakeServer


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect without the pauses that are meant for a crowd of players."""
    monkeypatch.setattr(link_module, "FIRST_DELAY_S", 0.01)
    monkeypatch.setattr(link_module, "LONGEST_DELAY_S", 0.05)


def play(test: Callable[[FakeServer, AsyncPlayer], Awaitable[None]]) -> None:
    """Run a test with one player attached to a fake server."""

    async def main() -> None:
        async with FakeServer() as server, await gamekit.connect(server.url) as client:
            game = await client.game("g1")
            async with asyncio.timeout(20):
                await test(server, await game.play("good"))

    asyncio.run(main())


async def until(link: Link, condition: Callable[[], bool]) -> None:
    """Wait for the news after which a condition holds."""
    while not condition():
        await link.moved()


@pytest.mark.parametrize("where", [BEFORE_KEEPING, BEFORE_ACK, AFTER_ACK])
def test_command_is_carried_out_once_wherever_the_connection_breaks(where: str) -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        server.cut = {2: where}
        orders = [red.submit({"type": "move", "number": number}) for number in range(4)]
        outcomes = [await order for order in orders]
        acks = [await order.ack() for order in orders]
        assert [body["number"] for body in server.applied] == [0, 1, 2, 3]
        assert [outcome.cid for outcome in outcomes] == [1, 2, 3, 4]
        assert [(ack.cid, ack.tick, ack.seq) for ack in acks] == [(o.cid, o.tick, o.seq) for o in outcomes]
        assert len(server.hellos) == 2
        assert red.pending == 0

    play(test)


@pytest.mark.parametrize("where", [BEFORE_KEEPING, BEFORE_ACK, AFTER_ACK])
def test_command_is_carried_out_once_over_a_restart_of_the_server(where: str) -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        server.cut = {1: where}
        order = red.submit({"type": "move"})
        await until(red.link, lambda: not red.connected)
        server.restart()
        assert (await order).cid == 1
        assert (await order.ack()).cid == 1
        assert len(server.applied) == 1

    play(test)


def test_orders_given_offline_keep_their_order_and_leave_when_the_server_is_back() -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        await server.vanish()
        await until(red.link, lambda: not red.connected)
        orders = [red.submit({"type": "move", "number": number}) for number in range(300)]
        assert {order.status for order in orders} == {"waiting"}
        assert red.pending == 300
        server.listen()
        for order in orders:
            await order
        assert [body["number"] for body in server.applied] == list(range(300))

    play(test)


def test_every_order_is_carried_out_once_over_many_random_breaks() -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        dice = random.Random(7)
        server.cut = {cid: dice.choice([BEFORE_KEEPING, BEFORE_ACK, AFTER_ACK]) for cid in range(1, 400, 9)}
        orders = [red.submit({"type": "move", "number": number}) for number in range(400)]
        for order in orders:
            await order
            await order.ack()
        assert [body["number"] for body in server.applied] == list(range(400))
        assert len(server.hellos) > 20

    play(test)


def test_what_happened_meanwhile_comes_as_the_missed_deltas() -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        events = red.events()
        server.happen({"type": "GateClosed", "gate": "a"})
        assert (await anext(events))["gate"] == "a"
        for socket in list(server.sockets):
            socket.cut_off()
        await until(red.link, lambda: not red.connected)
        server.happen({"type": "GateClosed", "gate": "b"}, changes={"ships": {"ship-1": {"status": "flying"}}})
        server.happen({"type": "GateClosed", "gate": "c"})
        assert [(await anext(events))["gate"] for _ in range(2)] == ["b", "c"]
        assert red.ship.status == "flying"
        assert server.hellos[-1].resume is not None

    play(test)


def test_refusal_raises_with_code_and_message_and_is_logged_when_nobody_asks(caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        server.refuse = {1: "no_route", 2: "no_route"}
        with pytest.raises(CommandFailed, match=r"No\. \[no_route\]") as caught:
            await red.submit({"type": "move"})
        assert (caught.value.code, caught.value.cid) == ("no_route", 1)
        assert caplog.records == []
        unasked = red.submit({"type": "move"})
        await until(red.link, lambda: unasked.settled)
        async with asyncio.timeout(20):
            while "no_route" not in caplog.text:
                await asyncio.sleep(0.02)
        assert unasked.status == "failed"
        caplog.clear()

    play(test)


def test_silent_server_is_asked_for_a_word_and_then_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_module, "SILENCE_S", 0.05)
    monkeypatch.setattr(link_module, "CLOSING_S", 0.05)

    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        while not server.pings:
            await asyncio.sleep(0.01)
        assert len(server.hellos) == 1
        server.deaf = True
        await until(red.link, lambda: not red.connected)
        server.deaf = False
        await until(red.link, lambda: red.connected)
        assert len(server.hellos) == 2

    play(test)


def test_refused_token_raises_at_once_and_is_not_tried_again() -> None:
    async def main() -> None:
        async with FakeServer() as server, await gamekit.connect(server.url) as client:
            server.close_code = (1008, "bad_token")
            game = await client.game("g1")
            with pytest.raises(RequestRefused, match="That is not allowed here") as caught:
                await game.play("wrong")
            assert caught.value.code == "bad_token"
            assert len(server.hellos) == 1

    asyncio.run(main())


def test_unknown_game_raises_at_once() -> None:
    async def main() -> None:
        async with FakeServer() as server, await gamekit.connect(server.url) as client:
            with pytest.raises(RequestRefused, match="No such game") as caught:
                await client.game("g2")
            assert (caught.value.code, caught.value.status) == ("no_such_game", 404)
            with pytest.raises(ConfigError, match="play link"):
                await client.play(server.url)

    asyncio.run(main())


def test_socket_of_an_unknown_game_ends_the_link() -> None:
    async def main() -> None:
        async with FakeServer() as server:
            link = Link(f"ws{server.url.removeprefix('http')}/api/game/g2/ws", "", "me")
            with pytest.raises(RequestRefused, match="No such game"):
                await link.attached(10)
            await link.close()

    asyncio.run(main())


def test_missing_server_says_how_to_start_one() -> None:
    async def main() -> None:
        async with FakeServer() as server:
            await server.vanish()
            with pytest.raises(ServerError, match="gamekit serve"):
                await gamekit.connect(server.url)
            link = Link(f"ws{server.url.removeprefix('http')}/api/game/g1/ws", "", "me")
            with pytest.raises(ServerError, match="Is the server running"):
                await link.attached(0.2)
            await link.close()

    asyncio.run(main())


def test_something_else_than_a_server_is_told_apart() -> None:
    async def main() -> None:
        async with FakeServer() as server:
            with pytest.raises(RequestRefused):
                await gamekit.connect(server.url + "/api/game/nothing")

    asyncio.run(main())


def test_close_fails_what_is_not_decided_and_ends_the_events() -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        await server.vanish()
        await until(red.link, lambda: not red.connected)
        order = red.submit({"type": "move"})
        events = red.events()
        await red.game.client.close()
        with pytest.raises(ServerError, match="may or may not"):
            await order
        with pytest.raises(StopAsyncIteration):
            await anext(events)
        with pytest.raises(ServerError):
            red.submit({"type": "move"})

    play(test)


def test_close_while_connecting_leaves_nothing_behind() -> None:
    async def main() -> None:
        async with FakeServer() as server:
            for _ in range(20):
                link = Link(f"ws{server.url.removeprefix('http')}/api/game/g1/ws", "good", "me")
                await asyncio.sleep(0)
                await link.close()
            while server.sockets:
                await asyncio.sleep(0.01)
            assert [task for task in asyncio.all_tasks() if "gamekit link" in task.get_name()] == []

    asyncio.run(main())


def test_wait_raises_the_refusal_and_the_failed_step() -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        server.refuse = {1: "no_route"}
        red.ship.go("Sirius")
        with pytest.raises(CommandFailed, match="no_route"):
            await red.ship.wait()
        red.ship.buy("Ore", 5)
        event = {"type": "EntryFailed", "player": "p1", "ship": "ship-1", "entry": 1, "order": 1}
        server.happen({**event, "code": "no_credits", "message": "Too dear."})
        with pytest.raises(CommandFailed, match="Too dear"):
            await red.ship.wait()
        await red.ship.wait()

    play(test)


def test_wait_raises_when_the_ship_holds_and_when_time_is_up() -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        queue = [{"id": 1, "order": 1, "type": "fly", "status": "active", "sector": "sol", "x": 0, "y": 0, "eta": 99}]
        flying = {"status": "flying", "reason": "It flies to (0, 0).", "queue": queue}
        server.happen(changes={"ships": {"ship-1": flying}})
        await until(red.link, lambda: red.ship.status == "flying")
        with pytest.raises(TimeoutError, match="It flies to"):
            await red.ship.wait(0.05)
        server.happen(changes={"ships": {"ship-1": {"status": "holding", "reason": "The gate is closed."}}})
        with pytest.raises(CommandFailed, match="The gate is closed") as caught:
            await red.ship.wait()
        assert caught.value.code == "holding"

    play(test)


def test_callbacks_get_every_event_until_they_are_ended() -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        got: list[str] = []
        end = red.on_event(lambda event: got.append(event["gate"]))
        events = red.events()
        server.happen({"type": "GateClosed", "gate": "a"})
        await anext(events)
        end()
        server.happen({"type": "GateClosed", "gate": "b"})
        await anext(events)
        assert got == ["a"]

    play(test)


def test_callback_that_fails_is_logged_and_the_link_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        red.on_event(lambda event: event["nothing of this name"])
        events = red.events()
        server.happen({"type": "GateClosed", "gate": "a"})
        assert (await anext(events))["gate"] == "a"
        assert "A listener failed" in caplog.text
        caplog.clear()

    play(test)


@pytest.mark.parametrize("cancelled_again", [False, True])
def test_a_socket_that_opens_after_its_link_was_closed_is_closed_as_well(
    monkeypatch: pytest.MonkeyPatch, cancelled_again: bool
) -> None:
    # Under heavy load a handshake takes longer than a closing link waits for it.
    monkeypatch.setattr(link_module, "CLOSING_S", 30 if cancelled_again else 0)
    asked, answer, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = next(line.split(": ")[1] for line in head.split("\r\n") if line.lower().startswith("sec-websocket-key"))
        accept = base64.b64encode(hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest())
        asked.set()
        await answer.wait()
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
        writer.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")
        while await reader.read(1000):
            pass
        writer.close()
        ended.set()

    async def main() -> None:
        server = await asyncio.start_server(slow, "127.0.0.1", 0)
        async with server, asyncio.timeout(20):
            port = server.sockets[0].getsockname()[1]
            link = Link(f"ws://127.0.0.1:{port}/api/game/g1/ws", "", "c")
            await asked.wait()
            closing = asyncio.create_task(link.close())
            if cancelled_again:
                await asyncio.sleep(0)
                link._task.cancel()
            await closing
            answer.set()
            await ended.wait()

    asyncio.run(main())
    gc.collect()


def test_a_command_that_is_refused_for_now_is_sent_again_by_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(again, "FIRST_S", 0.01)

    async def test(server: FakeServer, red: AsyncPlayer) -> None:
        server.refuse_now = {1: ["too_many_pending"], 3: ["readonly", "readonly", "unavailable"]}
        orders = [red.submit({"type": "move", "number": number}) for number in range(5)]
        await until(red.link, lambda: orders[2].put_off is not None)
        assert "not now" in repr(orders[2])
        outcomes = [await order for order in orders]
        assert [outcome.cid for outcome in outcomes] == [1, 2, 3, 4, 5]
        assert [body["number"] for body in server.applied] == [0, 1, 2, 3, 4]
        assert orders[2].put_off is None

    play(test)
    warned = [record.getMessage() for record in caplog.records]
    assert warned == ["Commands wait and are sent again by themselves: not now [readonly]"]
    caplog.clear()
