"""The HTTP routes about rules: what may be set, what is in force in a game, and changing it."""

from __future__ import annotations

from typing import Any

import msgspec

from gamekit.rulebook import described
from gamekit.server.api import Api, Problem, refusal


class RulesRoute(Api):
    """`GET /api/rules`"""

    async def get(self) -> None:
        """Rules and commands of a game that may be made here; of the first one when none is named."""
        games = self.host.games
        name = self.parameter("game") or next(iter(games))
        if name not in games:
            raise Problem(404, "no_such_game", f"There is no game {name[:60]!r} here; allowed are {', '.join(games)}.")
        self.reply({**described(games[name]), "games": list(games), "defaults": self.server.settings.rules})


class GameRulesRoute(Api):
    """`GET` and `PATCH /api/game/{id}/rules`"""

    async def get(self, game: str) -> None:
        """The rules in force, and what each of them means."""
        runner = await self.runner(game)
        session = await self.readable(runner)
        fields = [msgspec.structs.asdict(row) for row in session.game.rule_table()]
        self.reply(
            {
                "id": runner.id,
                "game": session.game.name,
                "tick": session.tick,
                "rules": session.game.rules(session.state),
                "fields": fields,
            }
        )

    async def patch(self, game: str) -> None:
        """Change rules, all of the named ones or none; answers once they are in force."""
        self.require_admin()
        changes = self.body_as(dict[str, Any])
        runner = await self.runner(game)
        outcome = await self.host.admin(runner, {"type": "set_rules", "changes": changes})
        if outcome.code is not None:
            raise refusal(outcome)
        session = await self.readable(runner, 0.0)
        self.reply({"tick": outcome.tick, "seq": outcome.seq, "rules": session.game.rules(session.state)})
