"""The network between one client and one host, and the host's end of it.

What a host sends arrives in order and whole, or not at all, as over TCP; it can be late, and the connection can break
at any byte of it. What a client sends can also be lost, doubled and overtaken one message at a time, which is more than
TCP does: commands also come by HTTP, over proxies, and from clients that make mistakes.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Protocol

import msgspec

from gamekit import wire
from gamekit.errors import GamekitError, RemoteProtocolError
from gamekit.faultsim.auditor import Seat
from gamekit.faultsim.ratios import Ratios
from gamekit.faultsim.world import World
from gamekit.game import GameId, PlayerId
from gamekit.server.frames import frame
from gamekit.server.runner import Runner
from gamekit.session import Attached, CaughtUp, ConnectionId, FellBehind, Received

if TYPE_CHECKING:
    from gamekit.faultsim.machine import SimHost

#: Bytes waiting to be read at which a connection falls behind, and at which it is given up.
BEHIND_BYTES = 6_000
TOO_SLOW_BYTES = 60_000


class Receiver(Protocol):
    """A client, as the network sees it."""

    def receive(self, message: dict[str, object]) -> None:
        """One whole message arrived."""
        ...

    def lost(self) -> None:
        """The connection is gone."""
        ...


class Link:
    """One connection.

    Args:
        host: to whom.
        game: which game it asks for.
        client: whose it is.
        seat: the auditor's note of it.
        binary: MessagePack instead of JSON.
    """

    def __init__(
        self, world: World, ratios: Ratios, host: SimHost, game: GameId, client: Receiver, seat: Seat, *, binary: bool
    ) -> None:
        self.world = world
        self.ratios = ratios
        self.open = True
        self.binary = binary
        self.seat = seat
        self._chance = host.machine.network
        self._client = client
        self._pipe: deque[bytes] = deque()
        self._arrived = 0
        self._buffer = b""
        self._reading = True
        self._down_us = self._up_us = world.now_us
        self.end = HostEnd(self, host, game)

    @property
    def unread(self) -> int:
        """Bytes on their way to the client."""
        return sum(len(one) for one in self._pipe)

    # --- from the client --------------------------------------------------------------------------------------

    def up(self, sent: str | bytes) -> None:
        """The client sends one message."""
        chance, ratios = self._chance, self.ratios
        if not self.open:
            return
        if chance.random() < ratios.lost:
            self.world.fault("lost", f"{sent[:80]!r}")
            return
        copies = 1 + (chance.random() < ratios.duplicated)
        if copies > 1:
            self.world.fault("duplicated", f"{sent[:80]!r}")
        for _ in range(copies):
            arrives_us = self.world.now_us + self._delay_us()
            if chance.random() < ratios.reordered:
                self.world.fault("reordered", f"{sent[:80]!r}")
                arrives_us += chance.randrange(500_000)
            else:
                arrives_us = self._up_us = max(self._up_us, arrives_us)
            self.world.at(arrives_us, lambda: self._arrive(sent))
        if chance.random() < ratios.disconnected:
            self.world.after(chance.randrange(50_000), self.cut)

    def _arrive(self, sent: str | bytes) -> None:
        # What was on its way when the connection broke may or may not have made it.
        if self.open or self._chance.random() < 0.5:
            self.end.arrived(sent)

    # --- from the host ----------------------------------------------------------------------------------------

    def down(self, framed: bytes) -> None:
        """The host sends one frame."""
        if not self.open:
            return
        self._pipe.append(framed)
        self._down_us = max(self._down_us, self.world.now_us + self._delay_us())
        self.world.at(self._down_us, self._one_arrived)
        if self._chance.random() < self.ratios.disconnected:
            self.world.after(self._chance.randrange(50_000), self.cut)

    def stop_reading(self, duration_us: int) -> None:
        """The client reads nothing for so long."""
        self._reading = False

        def read() -> None:
            self._reading = True
            self._read()

        self.world.after(duration_us, read)

    def _one_arrived(self) -> None:
        self._arrived += 1
        self._read()

    def _read(self) -> None:
        while self.open and self._reading and self._arrived and self._pipe:
            self._arrived -= 1
            self._take(self._pipe.popleft())

    def _take(self, part: bytes) -> None:
        self._buffer += part
        while (found := _unframed(self._buffer)) is not None:
            payload, self._buffer = found
            message = msgspec.msgpack.decode(payload) if self.binary else msgspec.json.decode(payload)
            self._client.receive(message)

    # --- the end ----------------------------------------------------------------------------------------------

    def cut(self) -> None:
        """The connection breaks, at any byte of what is on its way; the host notices a little later."""
        if not self.open:
            return
        rest = b"".join(self._pipe)
        at = self._chance.randrange(len(rest) + 1)
        self.world.fault("disconnected", f"{self.seat.client}, {at} of {len(rest)} bytes arrive")
        if self._reading:
            self._take(rest[:at])
        self.close()
        self.world.after(self._chance.choice((1_000, 50_000, 3_000_000)), self.end.closed)

    def close(self) -> None:
        """The connection is gone for the client."""
        if self.open:
            self.open = False
            self._pipe.clear()
            self._client.lost()

    def _delay_us(self) -> int:
        if self._chance.random() < self.ratios.delayed:
            delay_us = self._chance.randrange(100_000, 3_000_000)
            self.world.fault("delayed", f"{self.seat.client}, by {delay_us / 1e6:.1f} s")
            return delay_us
        return self._chance.randrange(500, 40_000)


class HostEnd:
    """What `gamekit.server.sockets.GameSocket` is to a real connection, without HTTP, tokens and limits of rate."""

    def __init__(self, link: Link, host: SimHost, game: GameId) -> None:
        self.link = link
        self.host = host
        self.game = game
        self.binary = link.binary
        self.parts = False
        self.runner: Runner | None = None
        self.connection = ConnectionId(0)
        self.attached = False
        self.behind = False
        self.gone = False
        self._early: list[str | bytes] = []
        #: True until the game is awake.
        self._waking = True
        host.loop.call_later(0.001, self._begin)

    def _begin(self) -> None:
        self.host.loop.create_task(self._open())

    async def _open(self) -> None:
        try:
            runner = await self.host.runner(self.game)
        except GamekitError as error:
            self._refuse("unavailable", str(error))
            return
        if self.gone:
            return
        self.runner = runner
        self._waking = False
        early, self._early = self._early, []
        for received in early:
            self._take(received)

    def arrived(self, received: str | bytes) -> None:
        """A message came in; the loop takes it when it has time."""
        self.host.loop.call_soon(self._take, received)

    def _take(self, received: str | bytes) -> None:
        if self.gone or self.host.draining:
            return
        if self.runner is None or self._waking:
            self._early.append(received)
            return
        if self.runner.asleep:
            self._waking = True
            self._early.append(received)
            self._begin()
            return
        try:
            message = wire.decode(received, binary=isinstance(received, bytes))
        except RemoteProtocolError as error:
            self._error(error.code, error.message, error.cid)
            return
        if isinstance(message, wire.Hello):
            self._hello(message, self.runner)
        elif not self.attached:
            self._error("hello_first", "Say hello before anything else.")
        else:
            self.runner.feed(Received(self.connection, message))

    def _hello(self, hello: wire.Hello, runner: Runner) -> None:
        player = PlayerId(hello.token) if hello.token else None
        if player is not None and player not in runner.session.players:
            self.host.machine.world.break_promise(
                1, f"player {player} of game {self.game} to be known, as the join was answered", "an unknown player"
            )
            return
        if not self.attached:
            self.connection = self.host.machine.new_connection()
            self.link.seat.asked.clear()
        self.attached = True
        self.link.seat.asked.append((hello.resume.epoch, hello.resume.n) if hello.resume else None)
        runner.attach(Attached(self.connection, player, hello.client, hello.resume), self)

    # --- what the runner asks (gamekit.server.runner.Socket) --------------------------------------------------

    def deliver(self, framed: bytes) -> None:
        """Send one frame."""
        if self.gone or self.host.loop.dead:
            return
        found = _unframed(framed)
        assert found is not None
        message = msgspec.msgpack.decode(found[0]) if self.binary else msgspec.json.decode(found[0])
        self.host.machine.tell_sent(self.link.seat, message)
        self.link.down(framed)
        if self.link.unread > TOO_SLOW_BYTES:
            self._close()
        elif self.link.unread > BEHIND_BYTES and not self.behind and self.runner is not None:
            self.behind = True
            self.host.loop.call_soon(self.runner.feed, FellBehind(self.connection))
            self.host.loop.call_later(0.1, self._wait_until_read)

    def dismiss(self, why: str) -> None:
        """The session has ended."""
        self._close()

    def closed(self) -> None:
        """The connection is gone; the host has noticed."""
        self.host.loop.call_soon(self._detach)

    def _wait_until_read(self) -> None:
        if self.gone or not self.link.open:
            return
        if self.link.unread:
            self.host.loop.call_later(0.1, self._wait_until_read)
        elif self.runner is not None:
            self.behind = False
            self.runner.feed(CaughtUp(self.connection))

    def _detach(self) -> None:
        if not self.gone:
            self.gone = True
            if self.runner is not None and self.attached:
                self.runner.detach(self.connection)

    def _close(self) -> None:
        """The host closes the connection."""
        if not self.gone:
            self.host.machine.world.after(1_000, self.link.close)
            self.host.loop.call_soon(self._detach)

    def _refuse(self, code: str, text: str) -> None:
        self._error(code, text)
        self._close()

    def _error(self, code: str, text: str, cid: int | None = None) -> None:
        self.deliver(
            frame(wire.encode(wire.Error(code=code, message=text, cid=cid), binary=self.binary), binary=self.binary)
        )


def _unframed(buffer: bytes) -> tuple[bytes, bytes] | None:
    """The payload of the first whole frame and the rest, or None when there is none yet."""
    if len(buffer) < 2:
        return None
    size, start = buffer[1], 2
    if size >= 126:
        start = 4 if size == 126 else 10
        if len(buffer) < start:
            return None
        size = int.from_bytes(buffer[2:start], "big")
    if len(buffer) < start + size:
        return None
    return buffer[start : start + size], buffer[start + size :]
