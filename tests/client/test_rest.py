"""Answers over HTTP on a slow line: waited for as long as more of them comes, and no longer."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from gamekit.client import rest
from gamekit.client.rest import Rest
from gamekit.errors import RequestRefused, ServerError

#: Writes an answer; the event is set when the test is over.
Answering = Callable[[asyncio.StreamWriter, asyncio.Event], Awaitable[object]]


def ask(answering: Answering, use: Callable[[Rest], Awaitable[object]]) -> object:
    """What a request gives at a server that answers as it is told."""

    async def main() -> object:
        over, served = asyncio.Event(), asyncio.Event()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            with contextlib.suppress(OSError):
                await answering(writer, over)
            writer.close()
            served.set()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        asked = Rest(f"http://127.0.0.1:{port}")
        try:
            return await asyncio.wait_for(use(asked), 30)
        finally:
            over.set()
            await served.wait()
            asked.close()
            server.close()

    return asyncio.run(main())


def slowly(body: bytes, pieces: int, pause_s: float, stop_after: int = -1, status: str = "200 OK") -> Answering:
    """An answer in pieces with pauses between them, which may stop in the middle."""

    async def answer(writer: asyncio.StreamWriter, over: asyncio.Event) -> None:
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        size = -(-len(body) // pieces)
        for number in range(pieces):
            if number == stop_after:
                await over.wait()
            await asyncio.sleep(pause_s)
            writer.write(body[number * size : (number + 1) * size])
            await writer.drain()

    return answer


def test_an_answer_that_takes_longer_than_the_patience_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT_S", 0.6)
    body = b'{"rows": [' + b"1, " * 5000 + b"1]}"
    answer = ask(slowly(body, 12, 0.15), lambda asked: asked.get("/x"))
    assert answer == {"rows": [1] * 5001}


def test_an_answer_that_stops_in_the_middle_is_given_up_with_how_much_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT_S", 0.5)
    with pytest.raises(ServerError, match=r"stopped answering after 20 bytes: nothing came for 0\.5 s"):
        ask(slowly(b"x" * 100, 10, 0.01, stop_after=2), lambda asked: asked.get("/x"))


def test_a_server_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT_S", 0.3)
    with pytest.raises(ServerError, match=r"stopped answering: nothing came for 0\.3 s"):
        ask(lambda _, over: over.wait(), lambda asked: asked.get("/x"))


def test_a_refusal_keeps_its_words() -> None:
    problem = b'{"code": "no_such_game", "detail": "There is none."}'
    with pytest.raises(RequestRefused, match="There is none"):
        ask(slowly(problem, 3, 0.01, status="404 Not Found"), lambda asked: asked.get("/x"))


def test_what_is_sent_on_a_slow_line_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest, "_TIMEOUT_S", 0.3)
    capsule = b"x" * 8000

    assert ask(slowly(b"{}", 1, 1.0), lambda asked: asked.upload("/x", capsule)) == {}
