"""The pages for people: the player page, the admin page, and the modules and styles they load."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from tornado.httputil import HTTPServerRequest
from tornado.web import GZipContentEncoding, RequestHandler, StaticFileHandler

if TYPE_CHECKING:
    from gamekit.server.app import Server

#: No inline code, nothing from elsewhere; the page talks to its own server only.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
)

WEB_DIRECTORY = resources.files("gamekit") / "web"


class CompressedPages(GZipContentEncoding):
    """Pages, modules and styles travel compressed; a game's state does not, because that would cost ticks."""

    def __init__(self, request: HTTPServerRequest) -> None:
        super().__init__(request)
        if request.path.startswith("/api/"):
            self._gzipping = False


def _secure(handler: RequestHandler) -> None:
    handler.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Referrer-Policy", "no-referrer")
    handler.set_header("Cache-Control", "no-cache")


class Page(RequestHandler):
    """One HTML file. `{{base}}` in it becomes the way back to the server's root, so that no URL is absolute."""

    def initialize(self, file: str, base: str) -> None:
        """Tornado's way to hand the route's arguments over."""
        self.file = file
        self.base = base

    def set_default_headers(self) -> None:
        """The strict policy."""
        _secure(self)

    def get(self, _game: str = "") -> None:
        """The page."""
        self.set_header("Content-Type", "text/html; charset=UTF-8")
        self.finish((WEB_DIRECTORY / self.file).read_text("utf-8").replace("{{base}}", self.base))


class WebFiles(StaticFileHandler):
    """Modules, styles and pictures, revalidated by their hash."""

    def set_extra_headers(self, path: str) -> None:
        """The strict policy."""
        _secure(self)


class Health(RequestHandler):
    """`GET /healthz` and `/readyz`: 200; `/readyz` 503 while the server drains or not every game takes commands."""

    def initialize(self, server: Server, ready: bool) -> None:
        """Tornado's way to hand the route's arguments over."""
        self.server = server
        self.ready = ready

    def get(self) -> None:
        """How the server is."""
        host = self.server.host
        told = {"status": "draining" if host.draining else "ok"}
        if self.ready and not host.draining and (why := host.storage.unready()) is not None:
            told = {"status": "readonly", "detail": why}
        self.set_status(200 if told["status"] == "ok" or not self.ready else 503)
        self.finish(told)


class MetricsPage(RequestHandler):
    """`GET /metrics` in the Prometheus text format."""

    def initialize(self, server: Server) -> None:
        """Tornado's way to hand the route's arguments over."""
        self.server = server

    def get(self) -> None:
        """All metrics."""
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.finish(generate_latest(self.server.host.metrics.registry))
