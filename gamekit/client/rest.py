"""The HTTP side of a server: one request, one JSON answer, clear errors.

Owns one `AsyncHTTPClient`. Sends each request once: whether to try again is the caller's decision. Except where the
server says that the game is on its way back into memory and it has done nothing yet: then it is asked again.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import msgspec
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.iostream import StreamClosedError

from gamekit.client.loops import Home
from gamekit.errors import RequestRefused, ServerError, SessionError

#: How long nothing of an answer may come, in seconds; a long one (a whole game's commands) takes as long as it needs.
_TIMEOUT_S = 60.0
#: How long any request may take, in seconds; and for which line what is sent is waited for, in bytes a second.
_LONGEST_S = 3600.0
_SLOWEST_BYTES_PER_S = 4000
_CONNECT_TIMEOUT_S = 10.0
#: How long a game that the server is bringing back is asked for again before that is told as an error, in seconds.
_WAKING_S = 50.0
_MAX_BODY_BYTES = 512 * 1024 * 1024
_PARALLEL_REQUESTS = 64


class _Problem(msgspec.Struct):
    """The fields of an application/problem+json answer that people are shown."""

    title: str = ""
    detail: str = ""
    code: str = ""


_problems = msgspec.json.Decoder(_Problem)


class Rest:
    """Requests to one server.

    Args:
        root: the server's root without a slash at its end.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self._http: AsyncHTTPClient | None = None
        self._closed = False
        self._home = Home()

    async def get(self, path: str, token: str = "") -> Any:
        """The decoded answer to a GET; see `request`."""
        return await self._request("GET", path, None, token)

    async def post(self, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
        """The decoded answer to a POST of a JSON object.

        Args:
            path: below the root, beginning with a slash.
            body: the object; None for an empty one.
            token: goes along as bearer token when it is not empty.

        Raises:
            RequestRefused: the server said no; carries its code and sentence.
            ServerError: the server could not be reached.
            SessionError: this client is closed.
        """
        return await self._request("POST", path, body or {}, token)

    async def patch(self, path: str, body: dict[str, Any], token: str = "") -> Any:
        """The decoded answer to a PATCH of a JSON object; see `post`."""
        return await self._request("PATCH", path, body, token)

    async def download(self, path: str, token: str = "") -> bytes:
        """The undecoded answer to a GET; raises as `post` does."""
        return await self._fetch("GET", path, None, token)

    async def upload(self, path: str, body: bytes, token: str = "") -> Any:
        """The decoded answer to a POST of bytes; raises as `post` does."""
        return self._decoded(path, await self._fetch("POST", path, body, token, "application/octet-stream"))

    def close(self) -> None:
        """Release the connections; nothing can be asked any more. Idempotent."""
        self._closed = True
        if self._http is not None:
            self._http.close()
            self._http = None

    async def _request(self, method: str, path: str, body: dict[str, Any] | None, token: str) -> Any:
        sent = None if body is None else msgspec.json.encode(body)
        return self._decoded(path, await self._fetch(method, path, sent, token))

    async def _fetch(
        self, method: str, path: str, body: bytes | None, token: str, content_type: str = "application/json"
    ) -> bytes:
        """One request; the body of its answer when the server said yes."""
        if self._closed:
            raise SessionError(f"The client of {self.root} is closed; make a new one.")
        self._home.check()
        if self._http is None:
            # Its own instance: the one that Tornado shares in a process may be configured by somebody else.
            self._http = AsyncHTTPClient(
                force_instance=True, max_clients=_PARALLEL_REQUESTS, max_body_size=_MAX_BODY_BYTES
            )
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = content_type
        request = HTTPRequest(
            self.root + path,
            method=method,
            headers=headers,
            body=body,
            connect_timeout=_CONNECT_TIMEOUT_S,
            request_timeout=_LONGEST_S,
        )
        try:
            status, answer, retry = await self._answer(self._http, request)
            until_s = time.monotonic() + _WAKING_S
            while status == 503 and b'"waking"' in answer and time.monotonic() < until_s:
                # The game is being brought back, and the server says when to ask again.
                await asyncio.sleep(_retry_s(retry))
                status, answer, retry = await self._answer(self._http, request)
        except (HTTPClientError, OSError, StreamClosedError) as error:
            text = f"No gamekit server answers at {self.root} ({error}). Start one with `gamekit serve`."
            raise ServerError(text) from None
        if status >= 400:
            raise read_problem(status, answer)
        return answer

    async def _answer(self, http: AsyncHTTPClient, request: HTTPRequest) -> tuple[int, bytes, str]:
        """The status, the body and the Retry-After of one answer, waited for as long as more of it comes.

        Raises:
            ServerError: nothing came for too long.
        """
        pieces: list[bytes] = []
        heard_s = time.monotonic() + len(request.body or b"") / _SLOWEST_BYTES_PER_S

        def take(piece: bytes) -> None:
            nonlocal heard_s
            heard_s = max(heard_s, time.monotonic())
            pieces.append(piece)

        request.streaming_callback = take
        fetching = asyncio.ensure_future(http.fetch(request, raise_error=False))
        try:
            while not fetching.done():
                left_s = heard_s + _TIMEOUT_S - time.monotonic()
                if left_s <= 0:
                    so_far = f" after {sum(map(len, pieces))} bytes" if pieces else ""
                    raise ServerError(f"{self.root} stopped answering{so_far}: nothing came for {_TIMEOUT_S:g} s.")
                await asyncio.wait([fetching], timeout=left_s)
        finally:
            fetching.cancel()
        response = fetching.result()
        return response.code, b"".join(pieces), response.headers.get("Retry-After", "")

    def _decoded(self, path: str, body: bytes) -> Any:
        try:
            return msgspec.json.decode(body)
        except msgspec.DecodeError:
            text = f"What answers at {self.root} is no gamekit server: {path} gave no JSON. Check the address."
            raise ServerError(text) from None


def _retry_s(text: str) -> float:
    """When to ask again, in seconds."""
    return float(min(max(int(text), 1), 30)) if text.isascii() and text.isdigit() and len(text) < 6 else 1.0


def read_problem(status: int, body: bytes) -> RequestRefused:
    """The error in an HTTP answer: the server's own words, or the status when it has none."""
    try:
        problem = _problems.decode(body)
    except msgspec.DecodeError:
        problem = _Problem()
    text = problem.detail or problem.title or f"The server answered with HTTP status {status}."
    return RequestRefused(problem.code or "refused", text, status)
