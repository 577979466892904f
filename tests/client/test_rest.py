"""Questions over HTTP: what the server is bringing back is asked for again, anything else once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from gamekit.client.rest import Rest
from gamekit.errors import RequestRefused


class Waking(RequestHandler):
    """Says so often that the game is on its way, then answers."""

    def initialize(self, told: list[str], waits: int, code: str) -> None:
        """Tornado's way to hand the route's arguments over."""
        self.told, self.waits, self.code = told, waits, code

    def get(self) -> None:
        """One question."""
        self.told.append(self.request.path)
        if len(self.told) <= self.waits:
            self.set_status(503)
            self.set_header("Retry-After", "1")
            self.finish({"code": self.code, "detail": "The game is on its way."})
        else:
            self.finish({"tick": 7})


@pytest.mark.parametrize(("code", "asked"), [("waking", 2), ("unavailable", 1)])
def test_only_a_game_that_is_being_brought_back_is_asked_for_again(code: str, asked: int) -> None:
    told: list[str] = []

    async def ask() -> Any:
        bound, port = bind_unused_port()
        route = ("/state", Waking, {"told": told, "waits": 1, "code": code})
        server = HTTPServer(Application([route], log_function=lambda handler: None))
        server.add_socket(bound)
        rest = Rest(f"http://127.0.0.1:{port}")
        try:
            return await rest.get("/state")
        finally:
            rest.close()
            server.stop()
            await server.close_all_connections()

    if asked == 1:
        with pytest.raises(RequestRefused, match="on its way"):
            asyncio.run(ask())
    else:
        assert asyncio.run(ask()) == {"tick": 7}
    assert len(told) == asked
