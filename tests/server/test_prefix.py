"""A server behind a proxy, below a path: API, sockets and page, whether the proxy takes the prefix off or not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketClientConnection, WebSocketHandler, websocket_connect

import gamekit
from gamekit.lab import hub
from tests.browser import browser
from tests.live import LiveServer

PREFIX = "/user/ada/proxy/8642"


class _Forward(WebSocketHandler):
    """Passes one request, or one socket, on, as jupyter-server-proxy does."""

    def initialize(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.onward: WebSocketClientConnection | None = None

    def target(self, scheme: str) -> str:
        path = self.request.uri or ""
        if not path.startswith(f"{PREFIX}/") and path != PREFIX:
            raise AssertionError(f"{path} leaves the prefix")
        return f"{scheme}://127.0.0.1:{self.proxy.target}{path.removeprefix(PREFIX) if self.proxy.strips else path}"

    async def any(self) -> None:
        if self.request.headers.get("Upgrade", "").lower() == "websocket":
            await WebSocketHandler.get(self)
            return
        headers = self.request.headers.copy()
        if self.proxy.strips:
            headers["X-Forwarded-Context"] = PREFIX
        body = self.request.body or (None if self.request.method == "GET" else b"")
        request = HTTPRequest(
            self.target("http"), method=self.request.method or "", headers=headers, body=body, follow_redirects=False
        )
        answer = await AsyncHTTPClient().fetch(request, raise_error=False)
        self.set_status(answer.code)
        for name, value in answer.headers.get_all():
            if name not in {"Content-Length", "Transfer-Encoding", "Content-Encoding"}:
                self.set_header(name, value)
        self.finish(answer.body or None)

    get = post = put = any

    def check_origin(self, origin: str) -> bool:
        return True

    async def open(self, *_: str, **__: str) -> None:
        headers = {name: value for name, value in self.request.headers.get_all() if not name.startswith("Sec-")}
        request = HTTPRequest(self.target("ws"), headers=headers)
        self.onward = await websocket_connect(request, on_message_callback=self.back)

    def back(self, frame: str | bytes | None) -> None:
        if frame is None:
            self.close()
        else:
            self.write_message(frame, binary=isinstance(frame, bytes))

    async def on_message(self, message: str | bytes) -> None:
        assert self.onward is not None
        await self.onward.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        if self.onward is not None:
            self.onward.close()


class _Outside(RequestHandler):
    """Whatever is asked for beside the prefix: a link that does not know of it."""

    def initialize(self, proxy: Proxy) -> None:
        self.proxy = proxy

    def get(self) -> None:
        self.proxy.astray.append(self.request.path)
        self.send_error(404)

    post = get


class Proxy:
    """A small reverse proxy in a thread.

    Args:
        target: port of the server behind it.
        strips: whether it takes the prefix off the path.
    """

    def __init__(self, target: int, strips: bool) -> None:
        self.target = target
        self.strips = strips
        self.astray: list[str] = []
        [bound] = bind_sockets(0, "127.0.0.1")
        self.root = f"http://127.0.0.1:{bound.getsockname()[1]}{PREFIX}"
        self._bound = bound
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        routes: Any = [(rf"{PREFIX}.*", _Forward, {"proxy": self}), (r".*", _Outside, {"proxy": self})]
        server = HTTPServer(Application(routes))
        server.add_sockets([self._bound])
        await self._stop.wait()
        server.stop()
        await server.close_all_connections()

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._loop.close()


@pytest.fixture(params=[True, False], ids=["taken-off", "left-on"])
def proxied(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[LiveServer, Proxy]]:
    """A server behind a proxy that takes the prefix off, or one that leaves it on."""
    strips: bool = request.param
    # The proxy tells the prefix that it takes off, and is believed because the server was told to.
    options = ("--trusted-proxy", "127.0.0.1") if strips else ("--base-url", PREFIX)
    with LiveServer(tmp_path / "games", options=options) as server, Proxy(server.port, strips) as proxy:
        yield server, proxy


def test_client_and_page_play_below_a_prefix(proxied: tuple[LiveServer, Proxy]) -> None:
    server, proxy = proxied
    with gamekit.Client(proxy.root, token=server.admin_token) as client:
        game = client.new_game(seed=7, name="Behind")
        game.speed = 100
        red = game.join("Red")
        red.ship.go("Sirius").wait(60)
        assert red.ship.sector == "sirius"
        assert red.play_url.startswith(f"{proxy.root}/play/")
        # The links that the server itself writes have the prefix as well.
        made = client.inner.rest
        answer = red.io.run(made.post(f"/api/game/{game.id}/join", {"name": "Bob"}))
        assert answer["play_url"].startswith(f"{proxy.root}/play/{game.id}#")
        with browser() as chromium:
            page = chromium.new_page()
            complaints: list[str] = []
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
            page.goto(answer["play_url"])
            page.locator("#map canvas, canvas").first.wait_for(state="visible")
            page.get_by_text("Bob").first.wait_for()
            # Without the slash at its end too, where that can be put right: such proxies redirect by themselves.
            page.goto(f"{proxy.root}/" if proxy.strips else proxy.root)
            page.get_by_role("button").filter(visible=True).first.wait_for()
            page.close()
        assert complaints == []
    assert proxy.astray == []


def test_launch_behind_jupyterhub_serves_below_the_hubs_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTERHUB_SERVICE_PREFIX", "/user/ada/")
    monkeypatch.setenv("JUPYTERHUB_PUBLIC_URL", "https://hub.example/user/ada/")
    with gamekit.launch() as client:
        port = client.server.ready["port"]
        assert client.url == f"http://127.0.0.1:{port}"
        assert client.page_url == f"https://hub.example/user/ada/proxy/{port}/"
        red = client.new_game(seed=7).join("Red")
        assert red.play_url.startswith(f"https://hub.example/user/ada/proxy/{port}/play/")
        # jupyter-server-proxy's absolute form leaves the prefix on, its usual form takes it off: both are served.
        with gamekit.Client(f"{client.url}/user/ada/proxy/{port}", token=client.token) as absolute:
            assert len(absolute.games()) == 1


def test_prefix_of_the_hub_is_a_path_where_the_hubs_address_is_not_told() -> None:
    environment = {"JUPYTERHUB_SERVICE_PREFIX": "/user/ada/"}
    assert hub.base_url(environment) == "/user/ada/proxy/{port}"
    assert hub.page_root("/user/ada/proxy/1", "http://127.0.0.1:1", environment) == "/user/ada/proxy/1"
    assert hub.base_url({}) == ""
    assert hub.page_root("", "http://127.0.0.1:1", {}) == "http://127.0.0.1:1"


def test_nonsense_as_a_prefix_is_refused_with_an_example(tmp_path: Path) -> None:
    with pytest.raises(gamekit.errors.ServerError, match=r"expected a path such as /games"):
        gamekit.launch(base_url="https://elsewhere.example/x y", data=tmp_path)
