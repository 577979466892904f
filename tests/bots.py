"""Two bots, as examples and subjects."""

from __future__ import annotations

from gamekit.bots import Bot, BotShip


class Hauler(Bot):
    """Buys where somebody sells, and sells where somebody buys; which, its own chance decides."""

    def on_idle(self, ship: BotShip) -> None:
        """One round."""
        stations = dict(sorted(self.me.view["stations"].items()))
        source = self.random.choice([key for key, row in stations.items() if row["sells"]])
        ware = self.random.choice(stations[source]["sells"])
        targets = [key for key, row in stations.items() if ware in row["buys"]]
        if targets:
            units = self.random.randint(1, 20)
            ship.go(source).then().buy(ware, units).then().go(self.random.choice(targets)).then().sell(ware, units)


class Wanderer(Bot):
    """Flies from sector to sector, and counts how often it was stuck."""

    stuck = 0

    def on_idle(self, ship: BotShip) -> None:
        """Somewhere else."""
        ship.go(self.random.choice(sorted(self.me.view["sectors"])))

    def on_holding(self, ship: BotShip) -> None:
        """A storm."""
        self.stuck += 1
