"""The load: many sockets on one loop, in a process of its own, so that its CPU is its own.

Told what to do on standard input, a line of JSON each; answers each line with one:

- the plan `{"seats": [{"url", "player"}], "every_s", "seed"}`: connect all; `{"connected": n}`
- `{"measure": seconds}`: what was received and how long acks took in that time
- end of input: close everything and end.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from typing import Any

import msgspec

from gamekit.bench.processes import many_files
from gamekit.bench.wirefast import FastSocket

#: Sockets that connect at the same time.
_AT_ONCE = 50
#: How long all of them may take until they have seen their game, in seconds.
_CONNECT_S = 300


class _Ack(msgspec.Struct):
    cid: int


class _Ship(msgspec.Struct):
    owner: str


class _View(msgspec.Struct):
    ships: dict[str, _Ship]


class _Snapshot(msgspec.Struct):
    view: _View


_ack = msgspec.json.Decoder(_Ack)
_snapshot = msgspec.json.Decoder(_Snapshot)


class Seat:
    """One player: a socket, ships, a move every so often."""

    def __init__(self, url: str, player: str, seed: int, totals: Totals) -> None:
        self.url, self.player = url, player
        self.random = random.Random(seed)
        self.totals = totals
        self.socket: FastSocket
        self.ships: list[str] = []
        self.ready = asyncio.get_running_loop().create_future()
        self._cid = 0
        self._sent_s: dict[int, float] = {}

    async def connect(self) -> None:
        """Connect, and wait until the game was shown."""
        self.socket = await FastSocket.open(self.url, self._frame)
        await self.ready

    def move(self) -> None:
        """Send a ship somewhere."""
        if self.socket.ended is not None:
            self.totals.lost += 1
            return
        self._cid += 1
        ship = self.random.choice(self.ships)
        x, y = self.random.randint(-900, 900), self.random.randint(-900, 900)
        self._sent_s[self._cid] = time.perf_counter()
        self.socket.send(
            b'{"type":"command","cid":%d,"body":{"type":"move","ship":"%s","to":{"x":%d,"y":%d}}}'
            % (self._cid, ship.encode(), x, y)
        )

    def _frame(self, payload: bytes) -> None:
        totals = self.totals
        totals.frames += 1
        totals.bytes += len(payload)
        # Both servers write the type first; json.dumps puts a space behind the colon.
        head = payload[:18]
        if b'"ack"' in head:
            sent_s = self._sent_s.pop(_ack.decode(payload).cid, None)
            if sent_s is not None:
                totals.ack_ms.append((time.perf_counter() - sent_s) * 1000)
        elif b'"delta"' in head:
            totals.deltas += 1
        elif b'"error"' in head:
            totals.errors.append(payload.decode(errors="replace")[:200])
        elif b'"snapshot"' in payload[:22]:
            seen = _snapshot.decode(payload).view.ships
            self.ships = [name for name, ship in seen.items() if ship.owner == self.player]
            if not self.ready.done():
                self.ready.set_result(None)


class Totals:
    """What was received since the last `begin`."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Count from nothing."""
        self.frames = self.bytes = self.deltas = self.sent = self.lost = 0
        self.ack_ms: list[float] = []
        self.errors: list[str] = []

    def result(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "frames": self.frames,
            "bytes": self.bytes,
            "deltas": self.deltas,
            "sent": self.sent,
            "lost": self.lost,
            "ack_ms": [round(ms, 3) for ms in self.ack_ms],
            "errors": self.errors[:5],
            "refused": len(self.errors),
        }


async def _connect_all(seats: list[Seat]) -> None:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(seat: Seat) -> None:
        async with gate:
            await seat.connect()

    async with asyncio.timeout(_CONNECT_S):
        await asyncio.gather(*(one(seat) for seat in seats))


async def _play(seats: list[Seat], every_s: float, totals: Totals) -> None:
    """Everybody moves every `every_s` seconds, spread evenly over that time."""
    loop = asyncio.get_running_loop()
    begun, number, pause_s = loop.time(), 0, every_s / len(seats)
    while True:
        # As many as are due: one timer for all of them.
        while begun + number * pause_s <= loop.time():
            seats[number % len(seats)].move()
            totals.sent += 1
            number += 1
        await asyncio.sleep(max(begun + number * pause_s - loop.time(), 0.001))


async def _run() -> None:
    loop = asyncio.get_running_loop()

    async def line() -> dict[str, Any] | None:
        read = await loop.run_in_executor(None, sys.stdin.readline)
        return json.loads(read) if read else None

    plan = await line()
    if plan is None:
        return
    totals = Totals()
    seats = [
        Seat(seat["url"], seat["player"], plan["seed"] + number, totals) for number, seat in enumerate(plan["seats"])
    ]
    await _connect_all(seats)
    gc.freeze()
    playing = loop.create_task(_play(seats, plan["every_s"], totals)) if plan["every_s"] else None
    print(json.dumps({"connected": len(seats)}), flush=True)
    while (asked := await line()) is not None:
        totals.begin()
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(asked["measure"])
        result = totals.result()
        result["wall_s"] = time.perf_counter() - wall
        result["cpu_s"] = time.process_time() - cpu
        result["open"] = sum(seat.socket.ended is None for seat in seats)
        print(json.dumps(result), flush=True)
    if playing is not None:
        playing.cancel()
    for seat in seats:
        seat.socket.close()


def main() -> None:
    """Started by the harness."""
    many_files()
    asyncio.run(_run())


if __name__ == "__main__":
    main()
