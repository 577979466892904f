"""A server below a path: behind a reverse proxy, JupyterHub or jupyter-server-proxy.

A proxy either takes the prefix off the path or leaves it on; the same server answers both, because it takes its own
prefix off where it finds it. The pages name everything relative to themselves and need to know nothing of it. Only the
links that the server writes out (`ws_url`, `play_url`, the admin link) have to: they use the prefix that was set, else
the one that a trusted proxy tells of (`forwarded`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RedirectHandler

from gamekit.errors import ConfigError
from gamekit.server.settings import MAX_BODY_BYTES

if TYPE_CHECKING:
    from gamekit.server.access import Access

#: The one route whose body may be large, and what is read of any other's; a little more than is taken, to say so.
LARGE_ROUTE = "/api/game/new"
SMALL_READ_BYTES = 4 * MAX_BODY_BYTES
_PREFIX = re.compile(r"(/[A-Za-z0-9._~@%{}-]+)*")


def cleaned(base_url: str, port: int = 0) -> str:
    """A prefix as it is used here: no slash at the end, "" for none, the port in the place of `{port}`.

    Raises:
        ConfigError: it is no path.
    """
    path = base_url.strip().rstrip("/").replace("{port}", str(port))
    if not _PREFIX.fullmatch(path):
        raise ConfigError(f"base url {base_url!r}: expected a path such as /games or /user/ada/proxy/{{port}}.")
    return path


def is_prefix(path: str) -> bool:
    """True for a path that links may begin with."""
    return _PREFIX.fullmatch(path) is not None


class Prefixed(Application):
    """An application that answers at its root and, the same, below a prefix.

    Args:
        routes: as `Application` takes them.
        prefix: a cleaned one; "" for none.
        access: which hosts it answers as; requests for others go to `foreign`.
        foreign: the handler of those, with its arguments.
        options: as `Application` takes them.
    """

    def __init__(
        self, routes: Any, prefix: str, *, access: Access, foreign: tuple[Any, dict[str, Any]], **options: Any
    ) -> None:
        self._prefix = prefix
        #: For the handlers too, which need it before they know their server.
        self.access = access
        self._foreign = foreign
        if prefix:
            # Without the slash at its end, the page's relative links would lead beside the prefix.
            routes = [(re.escape(prefix), RedirectHandler, {"url": f"{prefix}/", "permanent": False}), *routes]
        super().__init__(routes, **options)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Take the prefix off, then look as usual; a request for a foreign host finds nothing."""
        self.access.proxies.apply(request)
        if self.access.host_refusal(request) is not None:
            return self.get_handler_delegate(request, *self._foreign)
        if not request.path.endswith(LARGE_ROUTE) and request.connection is not None:
            request.connection.set_max_body_size(SMALL_READ_BYTES)  # type: ignore[attr-defined]
        if self._prefix and request.path.startswith(f"{self._prefix}/"):
            request.path = request.path.removeprefix(self._prefix)
        return super().find_handler(request, **kwargs)
