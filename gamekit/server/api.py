"""What every HTTP route stands on: who asks, what was sent, how it is answered. Errors are problem documents."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Callable
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from tornado.iostream import StreamClosedError
from tornado.web import HTTPError, RequestHandler

from gamekit.errors import GamekitError, HookFailed, NoSuchGame, ServerBusy
from gamekit.game import GameId, PlayerId
from gamekit.server.forwarded import told_of
from gamekit.server.settings import MAX_BODY_BYTES, READ_WAIT_S, WAKE_RETRY_S, WAKE_WAIT_S
from gamekit.wire import Outcome, unreadable

if TYPE_CHECKING:
    from gamekit.server.app import Server
    from gamekit.server.runner import Runner
    from gamekit.session import Session

T = TypeVar("T")

#: How much of a large answer is handed over at a time, in bytes.
PIECE_BYTES = 256 * 1024

#: The largest number that every client holds exactly.
MAX_NUMBER = 2**53 - 1
_WHOLE = re.compile(r"[0-9]{1,16}")
_SECONDS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,20})?")

#: What pages of allowed origins may send, and read beside the body (Fetch standard, "CORS protocol").
CORS_METHODS = "GET, POST, PATCH, DELETE, OPTIONS"
CORS_HEADERS = "Authorization, Content-Type, If-None-Match"
CORS_EXPOSED = "ETag, Retry-After, Content-Disposition"
#: How long a browser may remember the answer to a preflight, in seconds.
CORS_AGE_S = 600


class Problem(HTTPError):
    """An error with a code for programs and a sentence for people."""

    def __init__(self, status: int, code: str, detail: str, *, retry_s: float = 1.0) -> None:
        super().__init__(status, reason=HTTPStatus(status).phrase)
        self.code = code
        self.detail = detail
        #: When to ask again, in seconds, where that helps.
        self.retry_s = retry_s


PROBLEM_TYPE = "application/problem+json"


def problem_document(status: int, code: str, detail: str) -> str:
    """The body of an error (RFC 9457)."""
    title = HTTPStatus(status).phrase
    return json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code})


class Api(RequestHandler):
    """What all routes share: JSON in, JSON out, problems, tokens, origins."""

    def initialize(self, server: Server) -> None:
        """Tornado's way to hand the route's arguments over."""
        self.server = server
        self.host = server.host

    def prepare(self) -> None:
        """Refuse what a foreign page sends, before anything is read."""
        if refused := self.server.access.origin_refusal(self.request):
            raise Problem(*refused)
        if self.request.method != "OPTIONS" and self.host.draining:
            raise Problem(503, "draining", "The server is shutting down; try again in a moment.")

    def set_default_headers(self) -> None:
        """JSON, never cached."""
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Vary", "Origin")
        if origin := self.application.access.cors_origin(self.request):  # type: ignore[attr-defined]
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Expose-Headers", CORS_EXPOSED)

    def options(self, *_: str) -> None:
        """A browser asks what a page of another origin may send; `prepare` has refused those that are not allowed."""
        self.set_status(204)
        self.clear_header("Content-Type")
        self.set_header("Access-Control-Allow-Methods", CORS_METHODS)
        self.set_header("Access-Control-Allow-Headers", CORS_HEADERS)
        self.set_header("Access-Control-Max-Age", str(CORS_AGE_S))
        if self.request.headers.get("Access-Control-Request-Private-Network") == "true":
            self.set_header("Access-Control-Allow-Private-Network", "true")
        self.finish()

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log what went wrong here; that a client went away while it was answered is none of it."""
        if not isinstance(value, StreamClosedError):
            super().log_exception(typ, value, tb)

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with an error; a client that went away gets none."""
        if not isinstance(kwargs.get("exc_info", (None, None, None))[1], StreamClosedError):
            super().send_error(status_code, **kwargs)
        elif not self._finished:
            with contextlib.suppress(StreamClosedError):
                self.finish()

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error as a problem document (RFC 9457)."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        code, detail = "http_error", HTTPStatus(status_code).phrase
        if isinstance(error, Problem):
            code, detail = error.code, error.detail
        elif isinstance(error, HTTPError) and error.log_message:
            detail = error.log_message
        elif isinstance(error, HookFailed):
            code, detail, status_code = "unavailable", f"The game's own rules failed: {error}.", 503
            self.set_status(503)
        elif error is not None and not isinstance(error, HTTPError):
            code, detail = "internal", "The server failed on this request; its log says why."
        self.set_header("Content-Type", PROBLEM_TYPE)
        if status_code in {429, 503}:
            self.set_header("Retry-After", str(max(round(getattr(error, "retry_s", 1.0)), 1)))
        self.finish(problem_document(status_code, code, detail))

    def reply(self, value: Any, status: int = 200) -> None:
        """Answer with a value as JSON."""
        self.set_status(status)
        self.finish(msgspec.json.encode(value))

    async def send(self, *parts: bytes) -> None:
        """Answer with JSON that may be large: in pieces, each when the one before was read.

        Args:
            parts: the answer, one after the other.
        """
        self.set_header("Content-Length", str(sum(map(len, parts))))
        for part in parts:
            for at in range(0, len(part), PIECE_BYTES):
                self.write(part[at : at + PIECE_BYTES])
                if len(part) > PIECE_BYTES:
                    # A client that does not read is let go by the HTTP server, which ends the wait.
                    await self.flush()
        self.finish()

    def compute_etag(self) -> str | None:
        """None: Tornado would hash every answer; routes whose answers have one say which."""
        return None

    def body_as(self, kind: type[T], most: int = MAX_BODY_BYTES, hint: str = "Send less at once.") -> T:
        """The request's body as a typed value; an empty body is an empty object.

        Args:
            kind: the type.
            most: the most bytes that it may have.
            hint: what to do when it has more.
        """
        if len(self.request.body) > most:
            raise Problem(413, "too_large", f"The body is larger than {most} bytes. {hint}")
        try:
            return msgspec.json.decode(self.request.body or b"{}", type=kind)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            why = unreadable(self.request.body, error)
            raise Problem(400, "bad_request", f"The body could not be read: {why}. See docs/protocol.md.") from None

    async def large_body_as(self, kind: type[T], most: int, hint: str) -> T:
        """As `body_as`, for bodies that take long to read: who sends those again and again has them read later.

        Args:
            kind, most, hint: as `body_as` takes them.
        """
        budgets, accounts = self.server.budgets, [("address", self.request.remote_ip or "")]
        while len(self.request.body) > MAX_BODY_BYTES and (wait_s := budgets.wait_s(accounts)) > 0:
            await asyncio.sleep(wait_s)
        began_s = time.thread_time()
        try:
            return self.body_as(kind, most, hint)
        finally:
            budgets.charge(accounts, time.thread_time() - began_s)

    def token(self) -> str | None:
        """The bearer token of the request, from its header or its query."""
        header = self.request.headers.get("Authorization", "")
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer" and value:
            return value.strip()
        return self.get_query_argument("token", None)

    def is_admin(self) -> bool:
        """Whether the server's admin token came with the request."""
        return self.server.tokens.is_admin(self.token() or "")

    def require_admin(self) -> None:
        """Go on only with the server's admin token."""
        if not self.is_admin():
            raise Problem(401, "admin_only", "This needs the admin token that the server printed at its start.")

    def counted(self, rate: str, address: str) -> None:
        """Count one of what a rate of the limits holds back, and refuse what is too much."""
        try:
            self.server.limits.count(rate, address)
        except ServerBusy as error:
            raise Problem(429, "too_many", str(error), retry_s=error.retry_s) from None

    def player_of(self, runner: Runner) -> PlayerId | None:
        """Whose token came with the request; None without a token."""
        token = self.token()
        if token is None:
            return None
        player = self.server.tokens.player(runner.id, token)
        if player is None or player not in runner.session.players:
            raise Problem(401, "bad_token", "The token is not valid for this game; join it again.")
        return player

    def require_member(self, runner: Runner) -> None:
        """Go on with the admin token or any player's of this game."""
        if not self.is_admin() and self.player_of(runner) is None:
            raise Problem(401, "token_needed", "This needs a player's token of this game, or the admin token.")

    def keeps_secrets(self, runner: Runner) -> bool:
        """Whether whoever asks must not learn what the game keeps from its players."""
        return runner.session.secretive and not self.is_admin()

    async def runner(self, game: str) -> Runner:
        """The session of a game in the URL; one that takes long to come back is told of instead."""
        try:
            return await self.brought_back(GameId(game))
        except NoSuchGame:
            raise Problem(404, "no_such_game", f"There is no game {game!r}; check the id.") from None
        except GamekitError as error:
            raise Problem(503, "unavailable", f"The game cannot be opened: {error}") from None

    async def brought_back(self, game: GameId) -> Runner:
        """The session of a game, brought back when it sleeps.

        Raises:
            Problem: that takes long, or there is too much to do; it says when to ask again.
            GamekitError: it cannot be.
        """
        try:
            return await asyncio.wait_for(self.host.runner(game, self.request.remote_ip or ""), WAKE_WAIT_S)
        except TimeoutError:
            told = self.host.openings.told(game)
            text = told["message"] if told else "The game is being brought back."
            raise Problem(503, "waking", text, retry_s=WAKE_RETRY_S) from None
        except ServerBusy as error:
            raise Problem(503, "busy", str(error), retry_s=error.retry_s) from None

    async def readable(self, runner: Runner, within_s: float = READ_WAIT_S) -> Session[Any]:
        """A session that may be read: between two ticks, and nearer to its clock if that takes no longer than this."""
        try:
            await self.host.readable(runner, within_s)
        except GamekitError as error:
            raise Problem(503, "unavailable", str(error)) from None
        return runner.session

    async def read(self, ask: Callable[[], T]) -> T:
        """Read from the journal off the loop."""
        return await asyncio.get_running_loop().run_in_executor(None, ask)

    async def paid(self, game: GameId, ask: Callable[[], T]) -> T:
        """Read what may be large from the journal off the loop, when the game and the address have turns left."""
        budgets, accounts = self.server.budgets, [("game", game), ("address", self.request.remote_ip or "")]
        while (wait_s := budgets.wait_s(accounts)) > 0:
            await asyncio.sleep(wait_s)

        def timed() -> tuple[T, float]:
            # What this thread worked, not how long it waited for its turn.
            began_s = time.thread_time()
            return ask(), time.thread_time() - began_s

        found, work_s = await self.read(timed)
        budgets.charge(accounts, work_s)
        return found

    def parameter(self, name: str) -> str | None:
        """A parameter of the query; None when it is not there, or empty."""
        given = self.get_query_arguments(name, strip=False)
        if len(given) > 1:
            raise Problem(400, "bad_request", f"{name} was given {len(given)} times; give it once.")
        return given[0] if given and given[0] else None

    def number(self, name: str, default: int = 0, least: int = 0, most: int = MAX_NUMBER) -> int:
        """A parameter of the query that is a whole number, written in the digits 0 to 9.

        Args:
            name: the parameter's.
            default: without the parameter.
            least, most: the range.
        """
        text = self.parameter(name)
        if text is None:
            return default
        if not _WHOLE.fullmatch(text) or not least <= int(text) <= most:
            raise Problem(400, "bad_request", f"{name} must be a whole number from {least} to {most}.")
        return int(text)

    def limit(self, default: int, most: int) -> int:
        """How many rows are asked for at once: the parameter `limit`, at least 1; more than `most` means that many."""
        return min(self.number("limit", default, 1), most)

    def seconds(self, name: str) -> float | None:
        """A parameter of the query that is a Unix time in seconds, e.g. 1764435600.25; None when it is not there."""
        text = self.parameter(name)
        if text is None:
            return None
        if not _SECONDS.fullmatch(text):
            raise Problem(400, "bad_request", f"{name} must be a Unix time in seconds, such as 1764435600.25.")
        return float(text)

    def admission(self, runner: Runner, player: PlayerId) -> dict[str, Any]:
        """What a new player needs to play."""
        token = self.server.tokens.of(runner.id, player)
        told = told_of(self.request)
        secure = self.request.protocol == "https"
        where = f"{told.host or self.request.host}{self.server.prefix or told.prefix}"
        return {
            "id": runner.id,
            "token": token,
            "player": player,
            "ws_url": f"{'wss' if secure else 'ws'}://{where}/api/game/{runner.id}/ws",
            "play_url": f"{'https' if secure else 'http'}://{where}/play/{runner.id}#token={token}",
        }


class ForeignHost(Api):
    """Every request for a host that is not one of this server."""

    def prepare(self) -> None:
        """Refuse it."""
        refused = self.server.access.host_refusal(self.request)
        assert refused is not None
        raise Problem(*refused)


class MissingRoute(Api):
    """Everything else."""

    def prepare(self) -> None:
        """There is nothing here."""
        raise Problem(404, "no_such_page", "There is nothing at this address; see docs/protocol.md.")


def refusal(outcome: Outcome) -> Problem:
    """A refused command as an HTTP problem."""
    status = {"readonly": 503, "unavailable": 503, "stale_cid": 409, "too_many_pending": 429, "bad_command": 400}
    code = outcome.code or "refused"
    return Problem(status.get(code, 422), code, outcome.message or code)
