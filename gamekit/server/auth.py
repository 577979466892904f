"""Tokens: who may play whom, and who may run the server.

Tokens are signed, not stored: a player's token is the player's id and a keyed hash of game and player, so that a
server needs no look-up to check one and a restart changes none. The secret lies beside the database, readable by its
owner only; deleting it makes all tokens void.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from pathlib import Path

from gamekit.errors import ServerError
from gamekit.files import made_once
from gamekit.game import GameId, PlayerId

SECRET_FILE = "secret.key"
SECRET_BYTES = 32


class Tokens:
    """Makes and checks tokens under one secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.admin = f"admin.{self._sign('admin')}"

    def of(self, game: GameId, player: PlayerId) -> str:
        """The token of one player of one game."""
        return f"{player}.{self._sign(f'player|{game}|{player}')}"

    def player(self, game: GameId, token: str) -> PlayerId | None:
        """Whose token it is in this game; None when it is nobody's."""
        name, _, _ = token.partition(".")
        player = PlayerId(name)
        return player if _same(token, self.of(game, player)) else None

    def is_admin(self, token: str) -> bool:
        """True for the server's admin token."""
        return _same(token, self.admin)

    def _sign(self, text: str) -> str:
        digest = hmac.digest(self._secret, text.encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:24]).decode()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


def load_tokens(directory: Path) -> Tokens:
    """The tokens of a data directory; makes the secret on first use.

    Raises:
        ServerError: the secret cannot be read or written.
    """
    path = directory / SECRET_FILE
    try:
        made_once(path, secrets.token_bytes(SECRET_BYTES))
        secret = path.read_bytes()
    except OSError as error:
        raise ServerError(f"The secret {path} cannot be used: {error}. Check the directory's permissions.") from None
    if len(secret) < SECRET_BYTES:
        raise ServerError(f"The secret {path} is cut short. Delete it to make a new one; old tokens become void.")
    return Tokens(secret)
