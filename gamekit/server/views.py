"""States for those who poll: seen and encoded once per tick for each player, however many ask, and within a budget.

A view of a large game costs tens of milliseconds. It is kept, encoded, until the game has gone on; making a new one
is paid for by the game's and the address's budget, and where that is used up, whoever asks waits, or is shown a state
of a few seconds ago in which no command is missing.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from gamekit.game import GameId, PlayerId, Tick
from gamekit.server.budgets import Budgets

if TYPE_CHECKING:
    from gamekit.server.host import Host
    from gamekit.server.runner import Runner

#: Encoded states that are kept in all, in bytes; those asked for longest ago go first.
KEPT_BYTES = 32 * 1024 * 1024
#: How old a state may be that is shown where a new one would have to wait, in seconds.
STALE_S = 5.0


class Seen(NamedTuple):
    """One state, as one player sees it, encoded.

    Attributes:
        epoch, tick, seq: of the session.
        view: JSON.
        made_s: when it was made, by a monotonic clock in seconds.
    """

    epoch: int
    tick: Tick
    seq: int
    view: bytes
    made_s: float


class Views:
    """The encoded states of one server.

    Args:
        host: brings games to now.
        budgets: who has caused how much work.
        now: a monotonic clock, in seconds.
    """

    def __init__(self, host: Host, budgets: Budgets, now: Callable[[], float] = time.monotonic) -> None:
        self._host = host
        self._budgets = budgets
        self._now = now
        self._kept: OrderedDict[tuple[GameId, PlayerId | None], Seen] = OrderedDict()
        self._bytes = 0
        #: How many were made.
        self.made = 0

    async def of(self, runner: Runner, player: PlayerId | None, address: str) -> Seen:
        """The state of a game as a player sees it; None is a spectator.

        Args:
            runner: the game's, awake.
            player: who sees it.
            address: who asks.

        Raises:
            SessionError: the game was stopped, or fell asleep.
            ServerError: the server is shutting down.
        """
        accounts = [("game", runner.id), ("address", address)]
        runner.readers += 1
        try:
            while True:
                await self._host.readable(runner)
                session = runner.session
                seen = self._kept.get((runner.id, player))
                if seen is not None and seen[:3] == (session.epoch, session.tick, session.seq):
                    self._kept.move_to_end((runner.id, player))
                    return seen
                if (wait_s := self._budgets.wait_s(accounts)) <= 0:
                    return self._make(runner, player, accounts)
                if (
                    seen is not None
                    and (seen.epoch, seen.seq) == (session.epoch, session.seq)
                    and self._now() - seen.made_s < STALE_S
                ):
                    return seen
                await asyncio.sleep(wait_s)
        finally:
            runner.readers -= 1

    def _make(self, runner: Runner, player: PlayerId | None, accounts: list[Any]) -> Seen:
        session, began_s = runner.session, time.perf_counter()
        view = runner.read(lambda: msgspec.json.encode(session.game.view(session.state, player)))
        self._budgets.charge(accounts, time.perf_counter() - began_s)
        self.made += 1
        seen = Seen(session.epoch, session.tick, session.seq, view, self._now())
        if (before := self._kept.pop((runner.id, player), None)) is not None:
            self._bytes -= len(before.view)
        self._kept[runner.id, player] = seen
        self._bytes += len(view)
        while self._bytes > KEPT_BYTES and len(self._kept) > 1:
            self._bytes -= len(self._kept.popitem(last=False)[1].view)
        return seen
