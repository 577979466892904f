"""A running game does not notice that it is forked: it does what its twin does, and not a tick more often."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gamekit
from gamekit.lab import fork
from tests.live import LiveServer

#: How far both games go, and how often one of them is forked meanwhile, each time into another game of the server and
#: into this process.
SPEED = 200
TICKS = 6_000
FORKS = 6


def test_a_game_that_is_forked_again_and_again_does_what_its_twin_does(
    server: LiveServer, report: Callable[[str], None]
) -> None:
    with gamekit.Client(server.url, token=server.admin_token) as client:
        games = [client.new_game(seed=9, name=name) for name in ("Original", "Twin")]
        heard: list[list[dict[str, Any]]] = [[], []]
        for game, events in zip(games, heard, strict=True):
            player = game.join("Watcher")
            player.on_event(events.append)
            game.speed = SPEED
        original = games[0]
        while original.tick < 600:
            original.about()
        for number in range(FORKS):
            tick = original.tick * number // FORKS
            assert original.fork(tick, name=f"Fork {number}").about()["tick"] >= tick
            branch = fork(original, tick)
            branch.advance(10)
            assert branch.tick == tick + 10
        while min(game.tick for game in games) < TICKS:
            original.about()
        for game in games:
            game.pause()
        executed = []
        for game in games:
            rows = game.latency_rows()
            executed.append(sum(row["ticks"] for row in rows))
            worst = max((row["late_p99_us"] for row in rows), default=0)
            mean = sum(row["late_p50_us"] for row in rows) / max(len(rows), 1)
            report(
                f"{game.name}: lateness while {FORKS} forks were made of the original: p50 {mean / 1000:.1f} ms, "
                f"worst p99 of a second {worst / 1000:.1f} ms"
            )
        end = min(game.tick for game in games)
        told = [of_companies(events, end) for events in heard]
        assert len(told[0]) > 100
        assert told[0] == told[1]
        # A session ticks at most once in its slot of each 100 ms, in which this one lives through 200 ticks; lateness
        # makes one of several, and nothing makes two of one. Some more while it ran at speed 1, before.
        assert 0 < executed[0] <= original.tick // SPEED + 10


def of_companies(events: list[dict[str, Any]], end: int) -> list[dict[str, Any]]:
    """What both games must have told alike: not when somebody joined, or what was asked of the session."""
    ours = {"PlayerJoined", "CommandDone", "CommandFailed"}
    return [event for event in events if 600 <= event["tick"] <= end and event["type"] not in ours]
