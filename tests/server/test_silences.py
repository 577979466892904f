"""Under fog, all that a player hears, and when, is decided by what that player may see."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gamekit.server.settings import HEARTBEAT_MAX_S
from gamekit.session import Attached, ConnectionId
from gamekit.space import SpaceGame
from tests.virtual import FakeSocket, Place, run

#: Two sectors; only the first is charted, and Bob is in the other.
QUIET = {
    "name": "quiet",
    "sectors": [{"id": "home", "name": "Home", "x": 0, "y": 0}, {"id": "far", "name": "Far", "x": 300, "y": 0}],
    "gates": [["home", "far"]],
    "stations": [{"sector": "home", "recipe": "hub", "x": 0, "y": 0}],
}
FOG = {"fog": 1, "charted_jumps": 0, "ship_speed_mm_per_tick": 100_000, "jump_ticks": 5}


class Timed(FakeSocket):
    """Keeps when each message came, too."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.heard: list[tuple[float, dict[str, Any]]] = []

    def deliver(self, framed: bytes) -> None:
        """Take one frame."""
        super().deliver(framed)
        message = dict(self.messages[-1])
        # The number of the journal's last record counts everybody's commands; docs/game.md says so.
        message.pop("seq", None)
        self.heard.append((round(self.place.loop.time(), 3), message))


def heard_by_ada(bob_acts_at: list[int], *, sleep_after_s: float, fog: bool = True) -> list[Any]:
    """All that Ada hears from the tenth second on, while Bob acts at certain seconds where she knows nothing."""

    async def main() -> list[Any]:
        rules = FOG if fog else FOG | {"fog": 0}
        place = Place(game=SpaceGame(), config={"scenario": QUIET, "rules": rules}, sleep_after_s=sleep_after_s)
        ada, bob = await place.join("Ada"), await place.join("Bob")
        line = await place.connect(bob)
        to = {"gate": "home:gate-1" if fog else "home:far", "through": True}
        await place.send(line, 1, type="move", ship="ship-2", to=to)
        await asyncio.sleep(90)
        socket = Timed(place)
        listener = ConnectionId(1000)
        runner = await place.runner()
        place.sockets[listener] = socket
        runner.attach(Attached(listener, ada, "c", None), socket)
        begun = place.loop.time()
        for cid, second in enumerate(bob_acts_at, start=2):
            await asyncio.sleep(begun + second - place.loop.time())
            await place.send(line, cid, type="move", ship="ship-2", to={"sector": "far", "x": 10 * cid, "y": 0})
        await asyncio.sleep(begun + 300 - place.loop.time())
        # At last Ada acts herself: what she is shown has the number that it would have had.
        await place.send(listener, 1, type="move", ship="ship-1", to={"sector": "home", "x": 5, "y": 5})
        await asyncio.sleep(20)
        place.stop()
        return [(at - begun, message) for at, message in socket.heard]

    return run(main)


@pytest.mark.parametrize("sleep_after_s", [10_000.0, 10.0], ids=["awake", "sleeping now and then"])
def test_others_out_of_sight_change_nothing_that_a_player_hears(sleep_after_s: float) -> None:
    quiet = heard_by_ada([], sleep_after_s=sleep_after_s)
    busy = heard_by_ada([13, 29, 31, 100, 222], sleep_after_s=sleep_after_s)
    kinds = [message["type"] for _, message in quiet]
    assert kinds.count("heartbeat") >= 8
    assert "delta" in kinds
    assert busy == quiet


def test_without_fog_others_are_heard() -> None:
    quiet = heard_by_ada([], sleep_after_s=10_000.0, fog=False)
    assert heard_by_ada([13, 29], sleep_after_s=10_000.0, fog=False) != quiet


def test_heartbeats_under_fog_come_ever_more_rarely() -> None:
    heard = heard_by_ada([], sleep_after_s=10_000.0)
    promised = [message["next_s"] for _, message in heard if message["type"] == "heartbeat"]
    assert promised[:6] == [1, 2, 4, 8, 16, 32]
    assert max(promised) == HEARTBEAT_MAX_S
    assert all(message["tick"] is None for _, message in heard if message["type"] == "heartbeat")
