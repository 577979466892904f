"""A server below a path: behind a reverse proxy, JupyterHub or jupyter-server-proxy.

A proxy either takes the prefix off the path or leaves it on; the same server answers both, because it takes its own
prefix off where it finds it. The pages name everything relative to themselves and need to know nothing of it. Only the
links that the server writes out (`ws_url`, `play_url`, the admin link) have to: they use the prefix that was set, else
the one that the proxy tells of.
"""

from __future__ import annotations

import re
from typing import Any

from tornado.httputil import HTTPHeaders, HTTPServerRequest
from tornado.web import Application, RedirectHandler

from gamekit.errors import ConfigError

_PREFIX = re.compile(r"(/[A-Za-z0-9._~@%{}-]+)*")
#: Headers in which proxies tell the prefix that they took off; jupyter-server-proxy sends the second.
_HEADERS = ("X-Forwarded-Prefix", "X-Forwarded-Context")


def cleaned(base_url: str, port: int = 0) -> str:
    """A prefix as it is used here: no slash at the end, "" for none, the port in the place of `{port}`.

    Raises:
        ConfigError: it is no path.
    """
    path = base_url.strip().rstrip("/").replace("{port}", str(port))
    if not _PREFIX.fullmatch(path):
        raise ConfigError(f"base url {base_url!r}: expected a path such as /games or /user/ada/proxy/{{port}}.")
    return path


def told(headers: HTTPHeaders) -> str:
    """The prefix that a proxy says it took off; "" when it says nothing, or nonsense."""
    for name in _HEADERS:
        path = headers.get(name, "").rstrip("/")
        if path and _PREFIX.fullmatch(path):
            return path
    return ""


class Prefixed(Application):
    """An application that answers at its root and, the same, below a prefix.

    Args:
        routes: as `Application` takes them.
        prefix: a cleaned one; "" for none.
        options: as `Application` takes them.
    """

    def __init__(self, routes: Any, prefix: str, **options: Any) -> None:
        self._prefix = prefix
        if prefix:
            # Without the slash at its end, the page's relative links would lead beside the prefix.
            routes = [(re.escape(prefix), RedirectHandler, {"url": f"{prefix}/", "permanent": False}), *routes]
        super().__init__(routes, **options)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Take the prefix off, then look as usual."""
        if self._prefix and request.path.startswith(f"{self._prefix}/"):
            request.path = request.path.removeprefix(self._prefix)
        return super().find_handler(request, **kwargs)
