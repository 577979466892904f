"""A recorded game played again from its beginning, by the same commands, under other rules: what would have been."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from gamekit.game import TICK_HZ
from gamekit.history import first_session
from gamekit.journal import digest_of
from gamekit.lab.own import Own, space_rules_of
from gamekit.lab.simulate import Simulation
from gamekit.lab.sources import configured, past_from, rules_for
from gamekit.session.control import CommandFailed
from gamekit.space import ledger


def rerun(source: Any, rules: Mapping[str, Any] | None = None, game: Own = None) -> tuple[Simulation, int]:
    """Play a past again.

    Args:
        source: the recorded game: a live game, the path of a capsule, a `Past`, a replay or a branch.
        rules: `{field: value}` for what shall differ from the rules that the game was made with.
        game: the rules' code, `MyGame` or `MyGame()`; by default those that the source brings, or the bundled game.

    Returns:
        The run, with the state at the end, and how many of the players' commands were refused; a command that makes no
        sense any more under other rules is refused as it would be live.

    Raises:
        ConfigError: a rule is wrong, or the game is not known or not like the bundled one.
        SessionError: the records do not follow on each other.
    """
    past = past_from(source)
    played = space_rules_of(rules_for(past, game, source))
    started = time.process_time()
    session = first_session(played, configured(past, played, rules).row)
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
