"""The games that are played in the simulator: rules, a beginning, what players ask for, and the law of conservation."""

from __future__ import annotations

import random
from typing import Any, Protocol

from gamekit.errors import InvariantViolated
from gamekit.faultsim.tally import TallyGame, TallyState
from gamekit.faultsim.world import PromiseBroken
from gamekit.game import Game
from gamekit.space import SpaceGame, invariants


class Play(Protocol):
    """A game with somebody who plays it."""

    game: Game[Any]

    def config(self, chance: random.Random) -> dict[str, Any]:
        """What a new game is made from."""
        ...

    def command(self, chance: random.Random, view: dict[str, Any], player: str) -> dict[str, Any]:
        """What a player who sees `view` asks for; well-formed, but the rules may refuse it."""
        ...

    def changes(self, chance: random.Random) -> dict[str, Any]:
        """Rules that somebody may change while the game runs; now and then wrong ones."""
        ...

    def check(self, state: Any) -> None:
        """Nothing has appeared or vanished.

        Raises:
            PromiseBroken: something has.
        """
        ...


class Tally:
    """The tiny game of `tally`."""

    game: Game[Any] = TallyGame()

    def config(self, chance: random.Random) -> dict[str, Any]:
        """A bell that rings often or seldom; the games with the quickest one are sealed."""
        bell_ticks = chance.choice((5, 7, 50))
        return {"bell_ticks": bell_ticks, "sealed": bell_ticks == 5}

    def command(self, chance: random.Random, view: dict[str, Any], player: str) -> dict[str, Any]:
        """Give coins to somebody, or to nobody, or more than there are."""
        names = [*view.get("players", {}), "nobody"]
        return {"type": "give", "to": chance.choice(names), "coins": chance.choice((1, 1, 2, 5, 1000))}

    def changes(self, chance: random.Random) -> dict[str, Any]:
        """A bell that rings often, seldom, or hardly ever: then the game may sleep while somebody watches."""
        return {"bell_ticks": chance.choice((0, 5, 7, 50, 2000, 2000))}

    def check(self, state: TallyState) -> None:
        """Every coin came out of the bank."""
        total = state.bank + sum(purse.coins for purse in state.players.values())
        if total:
            raise PromiseBroken(5, "coins that sum to 0 with the bank's", f"{total} at tick {state.tick}")


class Space:
    """The bundled game, small."""

    game: Game[Any] = SpaceGame()

    def config(self, chance: random.Random) -> dict[str, Any]:
        """A few sectors."""
        return {"scenario": f"procedural:{chance.randrange(2, 5)}"}

    def command(self, chance: random.Random, view: dict[str, Any], player: str) -> dict[str, Any]:
        """Fly somewhere, trade, stop, or let the ship trade by itself; now and then with a ship that is not there."""
        ships = [key for key, ship in view.get("ships", {}).items() if ship.get("owner") == player]
        stations, sectors = list(view.get("stations", {})), list(view.get("sectors", {}))
        ship = chance.choice(ships) if ships and chance.random() < 0.95 else "ghost"
        kind = chance.choice(("move", "move", "dock", "buy", "sell", "stop", "auto_trade"))
        if kind == "move" and sectors:
            x, y = chance.randrange(-900, 900), chance.randrange(-900, 900)
            to = {"sector": chance.choice(sectors), "x": x, "y": y}
            return {"type": "move", "ship": ship, "to": to, "append": chance.random() < 0.5}
        if kind == "dock" and stations:
            return {"type": "move", "ship": ship, "to": {"station": chance.choice(stations)}}
        if kind in {"buy", "sell"} and stations:
            ware = chance.choice(sorted(view["stations"][chance.choice(stations)].get("stock", {})) or ["ore"])
            return {"type": kind, "ship": ship, "ware": ware, "units": chance.randrange(1, 50)}
        if kind == "auto_trade":
            return {"type": "auto_trade", "ship": ship, "on": chance.random() < 0.7}
        return {"type": "stop", "ship": ship}

    def changes(self, chance: random.Random) -> dict[str, Any]:
        """How often storms come."""
        return {"storm_rate": chance.choice((-1, 0, 60, 3600))}

    def check(self, state: Any) -> None:
        """The laws of the bundled game, ledger and places included."""
        try:
            invariants.check(state)
        except InvariantViolated as error:
            raise PromiseBroken(5, "the laws of the game to hold", str(error)) from None


#: The plays by the name of their game.
PLAYS: dict[str, Play] = {"tally": Tally(), "space": Space()}
