"""The window over real sockets and HTTP: one for both; waiting and sending again carries all out in order."""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request

import pytest

from gamekit.wire import MAX_PENDING_COMMANDS
from tests.live import LiveServer
from tests.rawclient import RawSocket

STOP = {"type": "stop", "ship": "ship-1"}


async def done(socket: RawSocket, cid: int) -> None:
    """Wait until a command is carried out."""
    carried_out = {event["cid"] for one in socket.messages for event in one.get("events", ()) if "cid" in event}
    if cid not in carried_out:
        await socket.until(lambda one: any(event.get("cid") == cid for event in one.get("events", ())))


def test_socket_and_http_share_one_window_and_a_full_one_says_when_to_ask_again(server: LiveServer) -> None:
    made = server.new_game(seed=1)
    # A tick a second: what is sent right after one is under way together.
    server.admin(made["id"], "speed", speed=0.1)

    def post(cid: int) -> tuple[int, dict[str, str], dict[str, object]]:
        request = urllib.request.Request(
            f"{server.url}api/game/{made['id']}/commands",
            json.dumps({"cid": cid, "body": STOP, "client": "c"}).encode(),
            {"Authorization": f"Bearer {made['token']}"},
        )
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=20)
        return caught.value.code, dict(caught.value.headers), json.load(caught.value)

    given: list[int] = []

    async def check() -> None:
        socket = await RawSocket.open(made["ws_url"], token=made["token"], client="c")
        window = (await socket.of("welcome"))["window"]
        assert window == MAX_PENDING_COMMANDS
        last, refused = 0, list[int]()
        while not refused:
            assert last < 2000, "the machine is too busy to send so many within a second"
            last += 1
            await socket.send(type="command", cid=last, body=STOP)
            await done(socket, last)
            for cid in range(last + 1, last + window + 11):
                await socket.send(type="command", cid=cid, body=STOP)
            last += window + 10
            await socket.send(type="ping", t=last)
            await socket.of("pong", 30, t=last)
            refused = [one["cid"] for one in socket.messages if one["type"] == "error"]
            if not refused:
                await done(socket, last)
        assert refused == list(range(refused[0], last + 1))
        status, headers, problem = await asyncio.to_thread(post, last + 1)
        assert (status, problem["code"]) == (429, "too_many_pending")
        assert int(headers["Retry-After"]) >= 1
        server.admin(made["id"], "speed", speed=10)
        await done(socket, refused[0] - 1)
        for cid in range(refused[0], last + 2):
            await socket.send(type="command", cid=cid, body=STOP)
        await socket.of("ack", 30, cid=last + 1)
        await socket.close()
        given.append(last + 1)

    asyncio.run(check())
    _, answer = server.call("GET", f"/api/game/{made['id']}/commands", token=made["token"])
    commands = [one for record in answer["records"] for one in record["commands"]]
    assert [one["cid"] for one in commands if one["client"] == "c"] == list(range(1, given[0] + 1))
