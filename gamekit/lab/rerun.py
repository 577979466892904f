"""A recorded game played again from its beginning, by the same commands, under other rules: what would have been."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from gamekit.game import TICK_HZ
from gamekit.history import first_session
from gamekit.journal import Past, digest_of
from gamekit.lab.simulate import Simulation
from gamekit.session.control import CommandFailed
from gamekit.space import SpaceGame, ledger


def rerun(past: Past, rules: Mapping[str, Any] | None = None, game: SpaceGame | None = None) -> tuple[Simulation, int]:
    """Play a past again.

    Args:
        past: the recorded game.
        rules: `{field: value}` for what shall differ from the rules that the game was made with.
        game: the rules' code; the bundled game by default.

    Returns:
        The run, with the state at the end, and how many of the players' commands were refused; a command that makes no
        sense any more under other rules is refused as it would be live.

    Raises:
        ConfigError: a rule is wrong.
        SessionError: the records do not follow on each other.
    """
    played = game or SpaceGame()
    config = json.loads(past.row.config)
    config["rules"] = {**config.get("rules", {}), **(rules or {})}
    started = time.process_time()
    session = first_session(played, replace(past.row, config=json.dumps(config), version=played.version))
    start_credits = {one: ledger.credits_of(session.state.ledger, one) for one in session.state.players}
    events = refused = 0
    for record in past.records:
        fell = session.replay(record.seq, record.tick, record.commands)
        events += len(fell)
        refused += sum(isinstance(event, CommandFailed) for event in fell)
    events += len(session.run_to(past.tick))
    cpu_s = time.process_time() - started
    done = Simulation(
        scenario=session.state.scenario,
        seed=past.row.seed,
        ticks=session.tick,
        events=events,
        digest=digest_of(played.encode(session.state)),
        cpu_s=cpu_s,
        times_real_time=session.tick / TICK_HZ / cpu_s if cpu_s > 0 else 0.0,
        state=session.state,
        game=played,
        start_credits=start_credits,
    )
    return done, refused
