"""What a reverse proxy tells of a request: believed from the proxies that the server's owner named, and from no other.

`X-Forwarded-For`, `-Proto` and `-Host` say who asked, how and for which host; `X-Forwarded-Prefix` and `-Context` which
path was taken off. Anybody can send them, so without `--trusted-proxy` they are not read.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from tornado.httputil import HTTPHeaders, HTTPServerRequest

from gamekit.errors import ConfigError
from gamekit.server.origin import read_place
from gamekit.server.prefix import is_prefix

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_PREFIX_HEADERS = ("X-Forwarded-Prefix", "X-Forwarded-Context")


class Told(NamedTuple):
    """What a trusted proxy told of a request; nothing where no trusted proxy stands in front.

    Attributes:
        host: the Host that the client asked for.
        scheme: "http" or "https".
        prefix: the path that the proxy took off; "" for none.
    """

    host: str | None = None
    scheme: str | None = None
    prefix: str = ""


def told_of(request: HTTPServerRequest) -> Told:
    """What was told of a request that `Proxies.apply` has seen."""
    told: Told = getattr(request, "told", Told())
    return told


class Proxies:
    """The proxies whose word is taken.

    Args:
        addresses: addresses or networks, e.g. "127.0.0.1" or "10.0.0.0/8".

    Raises:
        ConfigError: one of them is none.
    """

    def __init__(self, addresses: Sequence[str]) -> None:
        self._networks = [_network(text) for text in addresses]

    def trusts(self, address: str) -> bool:
        """Whether it is the address of one of them."""
        if not self._networks:
            return False
        try:
            place = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(place, ipaddress.IPv6Address) and place.ipv4_mapped is not None:
            place = place.ipv4_mapped
        return any(place in network for network in self._networks)

    def apply(self, request: HTTPServerRequest) -> None:
        """Put the client's address and scheme in the place of the proxy's, and note the rest for `told_of`."""
        peer = request.remote_ip or ""
        if not self.trusts(peer):
            return
        headers = request.headers
        request.remote_ip, hops = self._walk(peer, headers)
        scheme: str | None = _at(headers, "X-Forwarded-Proto", hops).lower()
        if scheme in ("http", "https"):
            request.protocol = scheme
        else:
            scheme = None
        host = _at(headers, "X-Forwarded-Host", hops)
        prefixes = [path for name in _PREFIX_HEADERS if (path := headers.get(name, "").rstrip("/"))]
        prefix = next((path for path in prefixes if is_prefix(path)), "")
        request.told = Told(host if read_place(host) else None, scheme, prefix)  # type: ignore[attr-defined]

    def _walk(self, peer: str, headers: HTTPHeaders) -> tuple[str, int]:
        """The client's address, and how many proxies stand between it and the nearest one."""
        client, hops = peer, 0
        chain = _listed(headers, "X-Forwarded-For")
        for hops, text in enumerate(reversed(chain)):  # noqa: B007
            if not self.trusts(client):
                break
            # Some proxies add the port.
            place = read_place(text) or read_place(f"[{text}]")
            if place is None or not place.is_address:
                break
            client = place.host
            if not self.trusts(client):
                break
        return client, hops


def _listed(headers: HTTPHeaders, name: str) -> list[str]:
    return [part.strip() for part in headers.get(name, "").split(",") if part.strip()]


def _at(headers: HTTPHeaders, name: str, hops: int) -> str:
    """The entry that the proxy nearest to the client wrote."""
    parts = _listed(headers, name)
    return parts[max(len(parts) - 1 - hops, 0)] if parts else ""


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise ConfigError(
            f"--trusted-proxy {text!r} is no address: expected one, or a network, such as 127.0.0.1 or 10.0.0.0/8."
        ) from None
