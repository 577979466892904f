"""Origins and hosts as browsers write them (RFC 6454, RFC 9110): read, brought to one form, compared.

An origin is scheme, host and port. Two texts name the same one when they do after lower case, without a dot at the end
of the host, and with the default port filled in. A Host header has no scheme, so its port may be missing. This module
only reads and compares; `access` decides.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from gamekit.errors import ConfigError

_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_ORIGIN = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\\@\s]+)/?")
_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]*[A-Za-z0-9_])?)*")
_PORT = re.compile(r"[0-9]{1,5}")


class Place(NamedTuple):
    """A host and a port.

    Attributes:
        host: a name in lower case, or an address in its shortest form, without brackets.
        port: None where none was written.
    """

    host: str
    port: int | None

    @property
    def is_address(self) -> bool:
        """True for an address, which no name server can point elsewhere."""
        return _address(self.host) is not None

    @property
    def is_local_name(self) -> bool:
        """True for the names that always mean this machine (RFC 6761)."""
        return self.host == "localhost" or self.host.endswith(".localhost")


class Origin(NamedTuple):
    """Scheme, host and port of a page; the port is None only where the scheme has no default one."""

    scheme: str
    host: str
    port: int | None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        shown = self.port is not None and self.port != _DEFAULT_PORTS.get(self.scheme)
        return f"{self.scheme}://{host}:{self.port}" if shown else f"{self.scheme}://{host}"


def read_place(text: str) -> Place | None:
    """The host and port of a Host header, or of the middle of an origin; None when it is neither name nor address."""
    host, colon, port = text, "", ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in host:
            return None
        colon, port = rest[:1], rest[1:]
    elif ":" in text:
        host, colon, port = text.partition(":")
    if colon and port and (not _PORT.fullmatch(port) or int(port) > 65535):
        return None
    number = int(port) if port else None
    if (address := _address(host)) is not None:
        return Place(str(address), number)
    name = host.lower().removesuffix(".")
    return Place(name, number) if len(name) <= 253 and _NAME.fullmatch(name) else None


def read_origin(text: str) -> Origin | None:
    """The origin that a browser's `Origin` header names; None when it names none, e.g. "null"."""
    found = _ORIGIN.fullmatch(text)
    place = read_place(found[2]) if found else None
    if found is None or place is None:
        return None
    scheme = found[1].lower()
    return Origin(scheme, place.host, place.port if place.port is not None else _DEFAULT_PORTS.get(scheme))


def same_place(origin: Origin, host: Place, scheme: str | None = None) -> bool:
    """Whether a page's origin is the server's own, as the Host header tells it.

    Args:
        origin: the page's.
        host: of the Host header.
        scheme: how the page reaches the server, where that is certain; else a Host without a port fits both defaults.
    """
    if origin.host != host.host or (scheme is not None and origin.scheme != scheme):
        return False
    wanted = host.port if host.port is not None else _DEFAULT_PORTS.get(origin.scheme)
    return origin.port is not None and origin.port == wanted


def allowed_origin(text: str) -> Origin:
    """An origin of `--allow-origin`.

    Raises:
        ConfigError: it is no origin.
    """
    origin = read_origin(_ascii(text.strip()))
    if origin is None:
        raise ConfigError(
            f"--allow-origin {text!r} is no origin: expected scheme, host and perhaps a port, such as "
            "https://lab.example or http://localhost:8888. Name each origin; there is no wildcard."
        )
    return origin


def allowed_host(text: str) -> str:
    """A host name of `--allow-host`.

    Raises:
        ConfigError: it is none.
    """
    place = read_place(_ascii(text.strip()))
    if place is None or place.port is not None:
        raise ConfigError(
            f"--allow-host {text!r} is no host name: expected a name without scheme, port or path, such as "
            "games.example. Name each host; there is no wildcard."
        )
    return place.host


def _ascii(text: str) -> str:
    """The text with the names in it as browsers send them: an international one in its ASCII form."""
    if text.isascii():
        return text
    try:
        return re.sub(r"[^:/\[\]@?#]+", lambda part: part[0].encode("idna").decode("ascii"), text)
    except UnicodeError:
        return text


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
