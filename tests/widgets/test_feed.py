"""The feed: everything that happens, in few messages, to those who listen."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import gamekit
from gamekit.client import AsyncPlayer, iothread
from gamekit.game import merge
from gamekit.widgets.feed import Feed, Message
from tests.client.fake import FakeServer


class Listener:
    """A widget's ear: keeps all messages, and the view that they make together."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.view: dict[str, Any] = {}
        self.news = asyncio.Event()

    def __call__(self, message: Message) -> None:
        self.messages.append(message)
        if message["kind"] == "view":
            self.view = copy.deepcopy(message["view"])
        else:
            for patch in message["changes"]:
                merge(self.view, copy.deepcopy(patch))
        self.news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self.news.clear()
            await self.news.wait()


def listen(test: Callable[[FakeServer, AsyncPlayer, Feed], Awaitable[None]]) -> None:
    """Run a test with a feed of one player of a fake server."""

    async def main() -> None:
        io = iothread.acquire()
        try:
            async with FakeServer() as server, await gamekit.connect(server.url) as client:
                red = await (await client.game("g1")).play("good")
                async with asyncio.timeout(20):
                    await test(server, red, Feed(io, red.link))
        finally:
            iothread.release()

    asyncio.run(main())


def ship(feed: Feed | Listener) -> Any:
    view = feed.view if isinstance(feed, Listener) else feed.whole()["view"]
    return view["ships"]["ship-1"]


def test_burst_of_news_is_few_messages_that_make_the_same_view() -> None:
    async def test(server: FakeServer, red: AsyncPlayer, feed: Feed) -> None:
        ear = Listener()
        feed.add(ear)
        assert [message["kind"] for message in ear.messages] == ["view"]
        for number in range(200):
            server.happen({"type": "ShipDeparted"}, changes={"ships": {"ship-1": {"reason": f"It flies, {number}."}}})
        await ear.until(lambda: ship(ear)["reason"] == "It flies, 199.")
        assert len(ear.messages) < 20
        assert ear.view == red.view == feed.whole()["view"]

    listen(test)


def test_message_is_made_once_for_all_who_listen() -> None:
    async def test(server: FakeServer, red: AsyncPlayer, feed: Feed) -> None:
        ears = [Listener() for _ in range(3)]
        for ear in ears:
            feed.add(ear)
        server.happen(changes={"ships": {"ship-1": {"status": "flying"}}})
        for ear in ears:
            await ear.until(lambda ear=ear: ship(ear)["status"] == "flying")  # type: ignore[misc]
        assert ears[0].messages[-1] is ears[1].messages[-1] is ears[2].messages[-1]

    listen(test)


def test_nobody_listening_costs_nothing_and_who_comes_back_sees_the_present() -> None:
    async def test(server: FakeServer, red: AsyncPlayer, feed: Feed) -> None:
        ear, watch = Listener(), red.events()
        feed.add(ear)
        feed.remove(ear)
        feed.remove(ear)
        server.happen({"type": "ShipDeparted"}, changes={"ships": {"ship-1": {"status": "flying"}}})
        await anext(watch)
        assert len(red.link._listeners) == 2, "the player's own and the stream of events"
        assert len(ear.messages) == 1
        feed.add(ear)
        assert ship(ear)["status"] == "flying"

    listen(test)


def test_connection_that_breaks_and_comes_back_is_shown() -> None:
    async def test(server: FakeServer, red: AsyncPlayer, feed: Feed) -> None:
        ear = Listener()
        feed.add(ear)
        await server.vanish()
        await ear.until(lambda: not ear.messages[-1]["connected"])
        server.restart()
        server.listen()
        await ear.until(lambda: ear.messages[-1]["connected"])
        await ear.until(lambda: ear.messages[-1]["kind"] == "view")
        assert ear.messages[-1]["player"] == "p1"

    listen(test)


def test_last_word_says_that_nothing_will_follow() -> None:
    async def test(server: FakeServer, red: AsyncPlayer, feed: Feed) -> None:
        ear = Listener()
        feed.add(ear)
        assert not ear.messages[-1]["ended"]
        await red.game.client.close()
        assert ear.messages[-1]["ended"]

    listen(test)


def test_listener_that_fails_is_dropped_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    async def test(server: FakeServer, red: AsyncPlayer, feed: Feed) -> None:
        ear = Listener()

        def broken(_: Message) -> None:
            raise RuntimeError("its comm is closed")

        feed.add(broken)
        feed.add(ear)
        assert "could not be told" in caplog.text
        server.happen(changes={"ships": {"ship-1": {"status": "flying"}}})
        await ear.until(lambda: ship(ear)["status"] == "flying")
        assert caplog.text.count("could not be told") == 1

    listen(test)
