"""What is told of a game without disturbing it: from its session when that is awake, else from the journal."""

from __future__ import annotations

from typing import Any

from gamekit.game import Tick
from gamekit.history import Glance
from gamekit.inspection import configuration
from gamekit.journal import GameRow
from gamekit.server.runner import Runner
from gamekit.server.wall import Doubt


def game_row(row: GameRow) -> dict[str, Any]:
    """The catalogue's part."""
    config = configuration(row)
    damaged = row.damaged or ("its configuration cannot be read" if config is None else None)
    config = config or {}
    return {
        "id": row.id,
        "name": row.name,
        "game": row.game,
        "scenario": config.get("scenario"),
        "rules": config.get("rules", {}),
        "seed": row.seed,
        # For browsers, where a number of more than 53 bits loses digits.
        "seed_text": str(row.seed),
        "created_s": row.created_s,
        "epoch": row.epoch,
        "damaged": damaged,
    }


def awake(runner: Runner, why: list[str]) -> dict[str, Any]:
    """A running session's part; `why` keeps it in memory."""
    session, load = runner.session, runner.load
    lag_ticks, late_s = runner.pace.told(session, runner.host.now_us())
    return {
        "state": "awake",
        "why_awake": why,
        "waking": None,
        "epoch": session.epoch,
        "tick": session.tick,
        "lag_ticks": lag_ticks,
        "late_s": late_s,
        "seq": session.seq,
        "speed": session.speed,
        "paused": session.paused,
        "when_empty": session.policy.when_empty,
        "overload": {
            "policy": session.policy.overload,
            "active": load.active,
            "factor": load.factor if load.active else 1.0,
            "late_ms": load.late_us / 1000,
            "long_call_ms": load.long_call_us / 1000,
            "stopped": load.stopped,
        },
        "players": _players(session.players),
        "connections": len(runner.sockets),
        "readonly": session.readonly,
    }


def asleep(glance: Glance, connections: int, waking: dict[str, Any] | None = None) -> dict[str, Any]:
    """A sleeping game's part. Its tick is the one at which it fell asleep: it is brought to now when it wakes.

    `waking` tells how far that is, where it is under way.
    """
    return {
        "state": "asleep",
        "why_awake": [],
        "waking": waking,
        "tick": glance.tick,
        "lag_ticks": 0,
        "late_s": 0.0,
        "seq": glance.seq,
        "speed": glance.speed,
        "paused": glance.paused,
        "when_empty": glance.policy.when_empty,
        "overload": {
            "policy": glance.policy.overload,
            "active": False,
            "factor": 1.0,
            "late_ms": 0.0,
            "long_call_ms": 0.0,
            "stopped": None,
        },
        "players": _players(glance.players),
        "connections": connections,
        "readonly": None,
    }


def failed(row: GameRow, error: BaseException) -> dict[str, Any]:
    """The part of a game of which nothing can be told, because its rules, or its row, are broken."""
    return {
        "id": row.id,
        "name": row.name,
        "game": row.game,
        "state": "failed",
        "why_awake": [f"Nothing can be told of it: {error!r}. The server's log says more; the other games are well."],
    }


def missing(doubt: Doubt | None) -> dict[str, Any] | None:
    """The time that the server's clock is ahead of what is believed, which games have not lived through; or None."""
    return None if doubt is None else {"days": round(doubt.days, 3), "message": doubt.message}


def discreet(told: dict[str, Any], tick: Tick) -> dict[str, Any]:
    """What all but the admin are told of a game that keeps secrets.

    The seed, or the definition of a galaxy, tells all that is in it; the name of a scenario does not. Whether the game
    is awake and why, how many connections and records it has and what a sleeping one's tick is would tell what others
    do out of sight.

    Args:
        told: what the admin is told.
        tick: the tick at which the game is by its clock.
    """
    scenario = told.get("scenario")
    hidden = dict.fromkeys(("seed", "seed_text", "state", "seq", "connections", "lag_ticks"))
    return {
        **told,
        **hidden,
        "scenario": scenario if isinstance(scenario, str) else None,
        "why_awake": [],
        "waking": None,
        "tick": tick,
    }


def _players(players: Any) -> list[dict[str, str]]:
    return [{"id": player, "name": name} for player, name in players.items()]
