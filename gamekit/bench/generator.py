"""The load: many sockets on one loop, in a process of its own, so that its CPU is its own.

Told what to do on standard input, a line of JSON each; answers each line with one:

- the plan `{"seats": [{"url", "player"}], "every_s", "seed"}`: connect all; `{"connected": n}`
- `{"seats": [...]}`: connect these as well, while the others play on; `{"connected": n}`, of all
- `{"measure": seconds}`: what was received and how long acks took in that time
- end of input: close everything and end.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
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
        order = b'{"type":"command","cid":%d,"body":{"type":"move","ship":"%s","to":{"x":%d,"y":%d}}}' % (
            self._cid,
            ship.encode(),
            x,
            y,
        )
        self.socket.send(order)
        if self._cid == 1:
            self.totals.first_orders.update(order)

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
        #: Over the first order of every player, in the order in which they play: the same for the same seed.
        self.first_orders = hashlib.blake2b(digest_size=8)
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
            "first_orders": self.first_orders.hexdigest(),
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


class Load:
    """All who play."""

    def __init__(self, every_s: float, seed: int) -> None:
        self._every_s, self._seed = every_s, seed
        self._playing: asyncio.Task[None] | None = None
        self.totals = Totals()
        self.seats: list[Seat] = []

    async def more(self, seats: list[dict[str, Any]]) -> None:
        """Let these in as well; everybody plays when all of them have seen their game."""
        known = self._seed + len(self.seats)
        new = [Seat(seat["url"], seat["player"], known + number, self.totals) for number, seat in enumerate(seats)]
        await _connect_all(new)
        self.seats = [*self.seats, *new]
        gc.collect()
        gc.freeze()
        if self._every_s:
            self.stop()
            self._playing = asyncio.create_task(_play(self.seats, self._every_s, self.totals))

    async def measure(self, seconds: float) -> dict[str, Any]:
        """What comes in so many seconds."""
        self.totals.begin()
        cpu, wall = time.process_time(), time.perf_counter()
        await asyncio.sleep(seconds)
        result = self.totals.result()
        result["wall_s"] = time.perf_counter() - wall
        result["cpu_s"] = time.process_time() - cpu
        result["open"] = sum(seat.socket.ended is None for seat in self.seats)
        return result

    def stop(self) -> None:
        """Nobody plays on."""
        if self._playing is not None:
            self._playing.cancel()


async def _run() -> None:
    loop = asyncio.get_running_loop()

    async def line() -> dict[str, Any] | None:
        read = await loop.run_in_executor(None, sys.stdin.readline)
        return json.loads(read) if read else None

    plan = await line()
    if plan is None:
        return
    load = Load(plan["every_s"], plan["seed"])
    asked: dict[str, Any] | None = plan
    while asked is not None:
        if "seats" in asked:
            await load.more(asked["seats"])
            answer: dict[str, Any] = {"connected": len(load.seats)}
        else:
            answer = await load.measure(asked["measure"])
        print(json.dumps(answer), flush=True)
        asked = await line()
    load.stop()
    for seat in load.seats:
        seat.socket.close()


def main() -> None:
    """Started by the harness."""
    many_files()
    asyncio.run(_run())


if __name__ == "__main__":
    main()
