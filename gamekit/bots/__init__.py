"""Players written in Python: one class plays live games over the client and headless ones, with the same decisions.

`Bot` is the base class; `gamekit.bots.live` seats bots in a live game and `gamekit.lab.play` in one that runs here.
"""

from gamekit.bots.bot import Bot, BotPlayer, BotShip, Decision

__all__ = ["Bot", "BotPlayer", "BotShip", "Decision"]
