"""Bots in a game that runs here: as fast as the processor allows, and the same every time.

Each bot is shown what a player's connection would be told, made by the very stream that a server makes its deltas
with: after every tick at which anything happened, fog and privacy included.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import msgspec

from gamekit.bots.bot import Bot
from gamekit.client.seen import Seen
from gamekit.errors import CommandFailed, ConfigError
from gamekit.game import TICK_HZ, Event, PlayerId, Tick, merge
from gamekit.lab.branch import CLIENT, Branch
from gamekit.lab.ticks import how_long
from gamekit.session.stream import Happening, Stream, told


class Played(msgspec.Struct, frozen=True):
    """What came of a stretch of play.

    Attributes:
        branch: the game, which may go on.
        bots: who played.
        ticks: how much game time passed.
        events: what happened, each with its tick.
        commands, refused: how many commands the bots gave, and how many of them the rules refused.
        cpu_s: processor seconds that it took.
    """

    branch: Branch
    bots: tuple[Bot, ...]
    ticks: Tick
    events: list[tuple[Tick, Event]]
    commands: int
    refused: int
    cpu_s: float

    @property
    def times_real_time(self) -> float:
        """Game time over processor time."""
        return self.ticks / TICK_HZ / self.cpu_s if self.cpu_s > 0 else 0.0

    @property
    def frame(self) -> Any:
        """The last state and all that happened as data frames; see `gamekit.lab.frames`."""
        return self.branch.frame

    def __repr__(self) -> str:
        return (
            f"<Played {self.ticks:,} ticks with {len(self.bots)} bots: {len(self.events):,} events, "
            f"{self.commands:,} commands, {self.refused:,} refused, {self.times_real_time:,.0f} times real time>"
        )


def play(
    branch: Branch,
    *bots: Bot,
    hours: float | None = None,
    ticks: Tick | None = None,
    until: Callable[[Branch], bool] | None = None,
) -> Played:
    """Let bots play a game that runs here. Called again with the same bots, they go on.

    Args:
        branch: the game: `lab.begin(...)` for a new one, `lab.fork(...)` for one with a past.
        bots: who plays; each joins under its name when it does not play here yet.
        hours: game time; or
        ticks: the same in ticks.
        until: end as soon as this is true, asked after every tick at which something happened.

    Raises:
        ConfigError: neither or both of hours and ticks were given, time would run back, a bot sits twice or in
            another game, or is none that can play.
        CommandFailed: the rules do not let a bot's name in.
    """
    if not isinstance(branch, Branch):
        raise ConfigError(f"Bots play in a game that runs here: lab.begin(...) or lab.fork(...), not in {branch!r}.")
    if until is not None and not callable(until):
        raise ConfigError(f"until: expected a function of the branch, got {until!r}.")
    if (more := how_long("play", ticks, hours)) < 0:
        raise ConfigError("Time does not run back; play on from an earlier tick of a game with fork(branch, tick).")
    Bot.check(bots)
    started_s = time.process_time()
    table = _Table(branch, bots)
    begin = branch.tick
    end = begin + more
    table.ask()
    while branch.tick < end and not (until is not None and until(branch)):
        due = branch.rules.next_due(branch.state)
        stop = end if due is None else min(max(due, branch.tick + 1), end)
        before = branch.tick
        table.passed(branch.advance(max(min(stop, table.wake()), before + 1) - before))
        if branch.tick == before:
            break  # the game stands still and will not go on by itself
        table.ask()
    return Played(
        branch=branch,
        bots=bots,
        ticks=branch.tick - begin,
        events=table.events,
        commands=table.commands,
        refused=table.refused,
        cpu_s=time.process_time() - started_s,
    )


class _Table:
    """The bots around one branch, and what each has been shown."""

    def __init__(self, branch: Branch, bots: Sequence[Bot]) -> None:
        self.branch = branch
        self.bots = bots
        self.events: list[tuple[Tick, Event]] = []
        self.commands = self.refused = 0
        self._stream: Stream[Any] = Stream(branch.rules)
        for bot in bots:
            if not bot.seated:
                bot.sit(branch.join(bot.name))
            elif bot.me.id not in branch.session.players:
                raise ConfigError(f"{bot.name} plays {bot.me.id}, who is not in this game; make a new bot for it.")
            self._stream.follow(bot.me.id)
        self._views = {bot.me.id: branch.view(bot.me.id) for bot in bots}
        self._news: dict[PlayerId, list[dict[str, Any]]] = {bot.me.id: [] for bot in bots}

    def wake(self) -> Tick:
        """The first tick after now at which a bot is to be asked again, though nothing may happen by itself."""
        if any(self._news.values()):
            return self.branch.tick + 1
        asked = [tick for bot in self.bots for tick in bot.asks_again() if tick > self.branch.tick]
        return min(asked, default=2**62)

    def passed(self, happened: Sequence[tuple[Tick, Event]]) -> None:
        """Tell everybody what they may see of it."""
        if not happened:
            return
        self.events += happened
        branch = self.branch
        # Nothing but one tick's events comes here at a time, so the audience is asked when they have just fallen.
        happenings: list[Happening] = []
        for tick, events in groupby(happened, key=itemgetter(0)):
            happenings += told(branch.rules, branch.state, tick, [event for _, event in events])
        moment = self._stream.add(branch.state, happenings, tick=branch.tick, seq=branch.session.seq)
        for player, news in self._news.items():
            delta = moment.private.get(player, moment.public)
            merge(self._views[player], delta.changes)
            for tick, event in zip(delta.at, delta.events, strict=True):
                news.append({"tick": tick, **msgspec.to_builtins(event)})

    def ask(self) -> None:
        """Let every bot decide, once. What comes of it they are shown at the next tick, as in a live game."""
        for bot in self.bots:
            self._decide(bot)

    def _decide(self, bot: Bot) -> None:
        branch, player = self.branch, bot.me.id
        news, self._news[player] = self._news[player], []
        seen = Seen(epoch=0, n=0, tick=branch.tick, seq=branch.session.seq, view=self._views[player])
        for body in bot.decide(seen, news):
            self.commands += 1
            try:
                fell = branch.command(player, body)
            except CommandFailed as error:
                self.refused += 1
                failed = {"type": "CommandFailed", "player": player, "client": CLIENT, "cid": error.cid or 0}
                self._news[player].append({"tick": branch.tick, **failed, "code": error.code, "message": str(error)})
            else:
                self.passed([(branch.tick, event) for event in fell])
