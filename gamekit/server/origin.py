"""Which pages may talk to the server from a browser."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit


def origin_allowed(origin: str | None, host: str, allowed: Sequence[str]) -> bool:
    """Whether a request that says it comes from `origin` may be served.

    Args:
        origin: the Origin header; None when there is none, as from programs.
        host: the Host header, with its port.
        allowed: further origins, e.g. "https://lab.example".
    """
    if origin is None:
        return True
    try:
        own = urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False
    return own or origin.lower() in {one.lower() for one in allowed}
