"""Which hosts the server answers as, and which pages may talk to it from a browser.

Two attacks are met here. A page of another site asks the server (its Origin is foreign), and a page's own name is
pointed at the server (DNS rebinding: Origin and Host agree, and both are foreign). Against the second a Host header is
compared with the names that the server has.

Where the server listens on a loopback address a proxy in front may still use any name, so the two must be told apart: a
rebinding page reaches the server on the server's own port, and its Host says so, while a proxy passes on the Host of
its own port. Where names were given with `--allow-host`, only those count, whatever the port.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import NamedTuple

from tornado.httputil import HTTPServerRequest

from gamekit.server.forwarded import Proxies, told_of
from gamekit.server.origin import Place, allowed_host, allowed_origin, read_origin, read_place, same_place
from gamekit.server.settings import Settings

#: The port that a browser leaves out of the Host header; the server itself does not speak TLS.
DEFAULT_PORT = 80


class Refusal(NamedTuple):
    """Why a request is not served."""

    status: int
    code: str
    detail: str


class Access:
    """Decides for each request.

    Args:
        settings: the server's.

    Raises:
        ConfigError: an allowed host, allowed origin or trusted proxy of the settings is none.
    """

    def __init__(self, settings: Settings) -> None:
        self.proxies = Proxies(settings.trusted_proxies)
        self._origins = {allowed_origin(text) for text in settings.allowed_origins}
        self._named = {allowed_host(text) for text in settings.allowed_hosts}
        self._hosts = self._named | {origin.host for origin in self._origins}
        if (own := read_place(settings.address)) is not None:
            self._hosts.add(own.host)
        self._loopback = False
        self._port = settings.port

    def listens(self, bound: Sequence[socket.socket]) -> None:
        """Note where the server listens.

        Args:
            bound: its listening sockets.
        """
        names = [one.getsockname() for one in bound]
        self._port = names[0][1]
        self._loopback = all(ipaddress.ip_address(name[0].partition("%")[0]).is_loopback for name in names)

    def host_refusal(self, request: HTTPServerRequest) -> Refusal | None:
        """Why the request's Host is not one of this server; None when it is, or may be."""
        for text in (request.host, told_of(request).host):
            if text is not None and not self._answers_as(text):
                return Refusal(
                    421,
                    "foreign_host",
                    f"This server is not known as {text[:80]!r}. Ask it by its address or as localhost, or let its "
                    "owner allow the name with `gamekit serve --allow-host NAME`.",
                )
        return None

    def origin_refusal(self, request: HTTPServerRequest) -> Refusal | None:
        """Why a page of the request's Origin may not talk to the server; None when it may, or no page asks."""
        text = request.headers.get("Origin")
        if text is None or self.cors_origin(request) is not None:
            return None
        told = told_of(request)
        own = told.host or request.host
        origin, host = read_origin(text), read_place(own)
        if origin is not None and host is not None and same_place(origin, host, told.scheme):
            return None
        shown = str(origin) if origin is not None else text[:80]
        return Refusal(
            403,
            "foreign_origin",
            f"The server sees the page {shown} under another address ({own[:80]}): have the proxy in front pass Host "
            f"on, or start the server with --allow-origin {shown if origin is not None else 'ORIGIN'}.",
        )

    def cors_origin(self, request: HTTPServerRequest) -> str | None:
        """The request's Origin as it was sent, when it is one of `--allow-origin`; a page of it may read answers."""
        text = request.headers.get("Origin")
        return text if text is not None and read_origin(text) in self._origins else None

    def _answers_as(self, text: str) -> bool:
        place = read_place(text)
        if place is None:
            return False
        if place.is_address or place.is_local_name or place.host in self._hosts:
            return True
        if self._named:
            return False
        return not (self._loopback and self._own_port(place))

    def _own_port(self, place: Place) -> bool:
        return (DEFAULT_PORT if place.port is None else place.port) == self._port
