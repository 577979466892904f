"""`GET /api/scenarios`: what a new game can be."""

from __future__ import annotations

from gamekit.server.api import Api
from gamekit.space import scenarios


class ScenariosRoute(Api):
    """`GET /api/scenarios`"""

    async def get(self) -> None:
        """Every shipped scenario, the default one first."""
        self.reply({"scenarios": scenarios()})
