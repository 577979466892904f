"""Heartbeats in games that keep secrets: each connection's schedule depends on what that connection was shown.

In any other game all connections share one schedule, which begins anew with every delta, and a heartbeat carries the
game's tick, or none while it sleeps. Under fog both would tell a player that others act out of sight. So here each
connection has a schedule of its own, and its heartbeats are the same whether the game is awake or asleep.
"""

from __future__ import annotations

from gamekit.server.settings import HEARTBEAT_MAX_S
from gamekit.session import ConnectionId


class _Plan:
    """One connection: when it hears next, what is promised then, and whether a delta spoke for the heartbeat."""

    __slots__ = ("at", "next_s", "spoken")

    def __init__(self, at: int) -> None:
        self.at = at
        self.next_s = 1
        self.spoken = False


class Silences:
    """The heartbeat schedules of one game's connections, in whole seconds of the host's count."""

    def __init__(self) -> None:
        self._plans: dict[ConnectionId, _Plan] = {}

    def joined(self, connection: ConnectionId, second: int) -> None:
        """A connection said hello in this second."""
        self._plans[connection] = _Plan(second + 1)

    def left(self, connection: ConnectionId) -> None:
        """A connection is gone."""
        self._plans.pop(connection, None)

    def spoken(self, connection: ConnectionId) -> None:
        """A connection was shown a delta."""
        if plan := self._plans.get(connection):
            plan.next_s, plan.spoken = 1, True

    def due(self, second: int) -> list[tuple[ConnectionId, int]]:
        """The connections that get a heartbeat in this second, each with the seconds until its next one."""
        found = []
        for connection, plan in self._plans.items():
            if plan.at > second:
                continue
            if not plan.spoken:
                found.append((connection, plan.next_s))
            plan.at, plan.spoken = second + plan.next_s, False
            plan.next_s = min(2 * plan.next_s, HEARTBEAT_MAX_S)
        return found

    def wait_s(self, second: int) -> int:
        """Seconds until the first heartbeat falls due, from 1 on."""
        return max(min((plan.at for plan in self._plans.values()), default=second + HEARTBEAT_MAX_S) - second, 1)
