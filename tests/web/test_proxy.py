"""Behind a proxy that is set up wrongly the page says what is missing, and goes on by itself when it is mended."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.live import LiveServer
from tests.web.conftest import AWAY, Visitor
from tests.web.test_play import by_id, live, new_game

#: What the browser itself says of the refusals.
REFUSED = re.compile(f"{AWAY.pattern}|the server responded with a status of [45]|ERR_EMPTY_RESPONSE")

Bend = Callable[[bytes, int], bytes | None]


def right(head: bytes, port: int) -> bytes | None:
    """Everything as it came."""
    return head


def without_host(head: bytes, port: int) -> bytes | None:
    """The upstream's own name in the place of the one that was asked for, as nginx does by default."""
    return re.sub(rb"(?i)\r\nhost:[^\r]*", f"\r\nHost: localhost:{port}".encode(), head)


def without_upgrade(head: bytes, port: int) -> bytes | None:
    """HTTP/1.0 to the server, and neither Upgrade nor Connection, as nginx does by default."""
    head = re.sub(rb"(?i)\r\n(upgrade|connection):[^\r]*", b"", head)
    return head.replace(b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", 1)


def dead_upstream(head: bytes, port: int) -> bytes | None:
    """The server behind it does not run, for the API."""
    return None if b"/api/" in head.split(b"\r\n", 1)[0] else head


class Proxy:
    """A proxy of one request a connection, on threads; `bend` decides what becomes of a request's head."""

    def __init__(self, port: int, bend: Bend) -> None:
        self.upstream = port
        self.bend = bend
        self.silent = False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.open: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                self.open.add(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError), client:
            data = b""
            while b"\r\n\r\n" not in data:
                if not (more := client.recv(65_536)):
                    return
                data += more
            head, body = data.split(b"\r\n\r\n", 1)
            upgrade = b"\r\nupgrade: websocket" in head.lower()
            if not upgrade:
                head = re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head) + b"\r\nConnection: close"
            bent = self.bend(head, self.upstream)
            if bent is None:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", self.upstream)) as up:
                self.open.add(up)
                up.sendall(bent + b"\r\n\r\n" + body)
                threading.Thread(target=self._pump, args=(client, up), daemon=True).start()
                self._pump(up, client, head_only=self.silent and upgrade)

    def _pump(self, source: socket.socket, target: socket.socket, *, head_only: bool = False) -> None:
        with contextlib.suppress(OSError):
            told = False
            while data := source.recv(65_536):
                if head_only and not told:
                    data, told = data[: data.index(b"\r\n\r\n") + 4], True
                elif head_only:
                    continue
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End all connections."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in self.open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxied(server: LiveServer) -> Iterator[Callable[[Bend], Proxy]]:
    """Makes proxies before the server."""
    made: list[Proxy] = []

    def make(bend: Bend) -> Proxy:
        made.append(Proxy(server.port, bend))
        return made[-1]

    yield make
    for proxy in made:
        proxy.close()


def opened(visitor: Visitor, proxy: Proxy, made: dict[str, Any]) -> Page:
    """A page of the game, through the proxy."""
    visitor.forgiven = REFUSED
    page = visitor.page()
    page.goto(f"http://127.0.0.1:{proxy.port}/play/{made['id']}#token={made['token']}")
    return page


@pytest.mark.parametrize(
    ("bend", "sentence"),
    [
        (without_host, r"under another address \(localhost:\d+\).*pass Host on.*--allow-origin http://127.0.0.1:\d+"),
        (without_upgrade, "Sockets do not get through to the server: the proxy in front must .* pass Upgrade"),
        (dead_upstream, "What answers instead of the server says 502 Bad Gateway"),
    ],
    ids=["host", "upgrade", "upstream"],
)
def test_the_page_says_what_the_proxy_lacks_and_goes_on_when_it_is_mended(
    server: LiveServer,
    visitor: Visitor,
    proxied: Callable[[Bend], Proxy],
    pictures: Path,
    bend: Bend,
    sentence: str,
) -> None:
    proxy = proxied(bend)
    page = opened(visitor, proxy, new_game(server))
    expect(by_id(page, "banner")).to_have_text(re.compile(sentence))
    page.screenshot(path=pictures / f"unreached-{bend.__name__}.png")
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=pictures / f"unreached-{bend.__name__}-phone.png")
    proxy.bend = right
    # The page tries by itself as well, and then the button is gone before it is pressed.
    by_id(page, "retry").dispatch_event("click")
    live(page)
    expect(by_id(page, "banner")).to_be_hidden()


def test_a_server_that_is_away_for_a_while_is_no_riddle(
    visitor: Visitor, proxied: Callable[[Bend], Proxy], server: LiveServer
) -> None:
    proxy = proxied(right)
    page = opened(visitor, proxy, new_game(server))
    live(page)
    page.context.set_offline(True)
    page.evaluate("() => { gamekit.connection.dropSocket(); gamekit.connection.lost(0); }")
    expect(by_id(page, "light")).to_have_attribute("data-state", "offline")
    page.evaluate("() => { gamekit.connection.tries = 7; gamekit.connection.lost(0); }")
    expect(by_id(page, "light")).to_contain_text("Offline")
    expect(by_id(page, "banner")).to_be_hidden()
    page.context.set_offline(False)
    page.evaluate("() => gamekit.connection.wake()")
    live(page)
