"""Where a server is and who is asking, read from any of the links that a server hands out.

A server's root may sit below a path (behind a proxy), so everything is built from the given link, and never from the
`ws_url` and `play_url` that the server thinks it has.
"""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit, urlunsplit

import msgspec

from gamekit.errors import ConfigError


class Address(msgspec.Struct, frozen=True):
    """One link, taken apart.

    Attributes:
        root: the server's root without a slash at its end, e.g. "http://127.0.0.1:8642".
        game: the game's id, when the link leads to one.
        token: the token in the link, or "".
    """

    root: str
    game: str | None = None
    token: str = ""

    @classmethod
    def parse(cls, link: str) -> Address:
        """Take a server's root, its admin link, a player's `play_url` or a `ws_url` apart.

        Raises:
            ConfigError: it is no http(s) or ws(s) link.
        """
        parts = urlsplit(link)
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        if scheme not in {"http", "https"} or not parts.netloc:
            raise ConfigError(f"{link!r} is not a server's address; it looks like http://127.0.0.1:8642.")
        token = ""
        for tail in (parts.fragment, parts.query):
            token = token or parse_qs(tail).get("token", [""])[0]
        path, game = parts.path.rstrip("/"), None
        path = path.removesuffix("/admin")
        before, play, after = path.rpartition("/play/")
        if play:
            path, game = before, after
        elif path.endswith("/ws") and "/api/game/" in path:
            path, _, after = path.removesuffix("/ws").rpartition("/api/game/")
            game = after
        return cls(root=urlunsplit((scheme, parts.netloc, path, "", "")), game=game, token=token)

    def socket(self, game: str) -> str:
        """The URL of a game's WebSocket."""
        return f"ws{self.root.removeprefix('http')}/api/game/{game}/ws"
