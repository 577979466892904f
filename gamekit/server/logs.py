"""What the server writes into its log: no token, whatever an address, a message or an exception holds.

Tokens may stand in the query of an address (`?token=`), so addresses are logged without their queries, and everything
that has the form of a token is blotted out of the finished text, also of tracebacks, in plain and in percent-encoded
form. This is done where lines are finished, because nearly all of them come from libraries.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
from types import TracebackType
from typing import IO, Any

from tornado.web import RequestHandler

BLOT = "[token]"
#: One character of base64url, also percent-encoded, and that encoded again.
_SIGN = r"(?:[A-Za-z0-9_=-]|%(?:25)*[0-9A-Fa-f]{2})"
#: `name.signature`, see `gamekit.server.auth`: 24 bytes are 32 characters.
_TOKEN = re.compile(rf"[A-Za-z0-9_%@-]{{1,200}}(?:\.|%(?:25)*2[eE]){_SIGN}{{32,}}")
#: Anything that is called a token, and what follows `Bearer`.
_NAMED = re.compile(r"""(token["']?\s*(?:=|:|%3[dD])\s*["']?)[^\s&"'#;,)}\]]+|(bearer\s+)[^\s"',)]+""", re.IGNORECASE)
#: The query of an address.
_QUERY = re.compile(r"""((?:^|[\s'"(=])(?:[a-z]+://)?/?[^\s?'"]*/[^\s?'"]*)\?[^\s'"]*""")

_access = logging.getLogger("tornado.access")


def redacted(text: str) -> str:
    """A text of the log without tokens, and without the queries of addresses."""
    text = _QUERY.sub(r"\1", text)
    text = _NAMED.sub(lambda found: f"{found[1] or found[2]}{BLOT}", text)
    return _TOKEN.sub(BLOT, text)


class RedactingFormatter(logging.Formatter):
    """Formats a record, its traceback included, and blots tokens out of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The finished lines."""
        return redacted(super().format(record))


def log_to(stream: IO[str] | None, *, verbose: bool) -> None:
    """Log to a stream from now on, uncaught exceptions and warnings included.

    Args:
        stream: where to; None for standard error.
        verbose: every request, and what Tornado has to say of malformed ones; else only what the owner should know.
    """
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.captureWarnings(True)
    # Strangers decide how many of these there are.
    _access.setLevel(logging.INFO if verbose else logging.ERROR)
    logging.getLogger("tornado.general").setLevel(logging.INFO if verbose else logging.ERROR)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def log_request(handler: RequestHandler) -> None:
    """One line for a finished request, without its query."""
    status = handler.get_status()
    level = logging.ERROR if status >= 500 else logging.WARNING if status >= 400 else logging.INFO
    request = handler.request
    took_ms = 1000.0 * request.request_time()
    _access.log(level, "%d %s %s (%s) %.2fms", status, request.method, request.path, request.remote_ip, took_ms)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> Any:
    logging.getLogger("gamekit.server").critical("uncaught", exc_info=(kind, error, trace) if error else None)
