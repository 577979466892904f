"""Small views and messages, for tests that need no server."""

from __future__ import annotations

from typing import Any

from gamekit.game import GameId, PlayerId
from gamekit.wire import Delta, Outcome, Snapshot, Welcome


def view() -> dict[str, Any]:
    """Two sectors, two gates, one station, one ship of p1's."""
    return {
        "sectors": {
            "sol": {"name": "Sol", "x": 0, "y": 0, "size_m": 2000, "gates": ["sol:sirius"]},
            "sirius": {"name": "Sirius", "x": 860, "y": 120, "size_m": 2000, "gates": ["sirius:sol"]},
        },
        "gates": {
            "sol:sirius": _gate("sol", 900, "sirius:sol", "sirius"),
            "sirius:sol": _gate("sirius", -900, "sol:sirius", "sol"),
        },
        "stations": {
            "sol-mine": {
                "name": "Sol Mine",
                "kind": "mine",
                "sector": "sol",
                "x": 100,
                "y": 200,
                "owner": None,
                "recipe": {"inputs": {}, "outputs": {"ore": 4}, "cycle_ticks": 50},
                "stock": {"ore": 40},
                "capacity": {"ore": 100},
                "price": {"ore": 1040},
                "buys": [],
                "sells": ["ore"],
                "status": "producing",
                "reason": "It makes ore.",
            }
        },
        "ships": {"ship-1": ship()},
        "players": {"p1": {"name": "Red", "joined": 1, "credits": 10_000_000}},
        "wares": {"ore": {"name": "Ore", "tier": 0, "volume": 1, "base_price": 1000}},
    }


def ship(**fields: Any) -> dict[str, Any]:
    """The ship, in the middle of Sol with nothing to do."""
    return {
        "name": "Freighter 1",
        "owner": "p1",
        "class": "freighter",
        "capacity": 100,
        "speed": 20_000,
        "at": {"type": "space", "sector": "sol", "x": 0, "y": 0},
        "status": "idle",
        "reason": "It has no orders.",
        "hold": {},
        "queue": [],
        **fields,
    }


def welcome(last_cid: int = 0, epoch: int = 1, tick: int = 10, client: str = "me") -> Welcome:
    """A welcome for p1."""
    return Welcome(
        game=GameId("g1"),
        name="Test",
        player=PlayerId("p1"),
        client=client,
        last_cid=last_cid,
        epoch=epoch,
        tick=tick,
        tick_hz=10,
        speed=1.0,
        paused=False,
        rules={},
    )


def snapshot(n: int = 0, tick: int = 10, outcomes: tuple[Outcome, ...] = ()) -> Snapshot:
    """The whole view."""
    return Snapshot(tick=tick, seq=1, n=n, view=view(), outcomes=outcomes)


def delta(n: int, *events: dict[str, Any], tick: int = 11, changes: dict[str, Any] | None = None) -> Delta:
    """A delta with these events."""
    return Delta(tick=tick, seq=2, n=n, events=events, at=(tick,) * len(events), changes=changes or {})


def done(cid: int, client: str = "me") -> dict[str, Any]:
    """The event of a command of p1's that was carried out."""
    return {"type": "CommandDone", "player": "p1", "client": client, "cid": cid}


def failed(cid: int, code: str = "no_credits") -> dict[str, Any]:
    """The event of a command of p1's that the rules refused."""
    return {"type": "CommandFailed", "player": "p1", "client": "me", "cid": cid, "code": code, "message": "No."}


def _gate(sector: str, x: int, to: str, to_sector: str) -> dict[str, Any]:
    return {"sector": sector, "x": x, "y": 0, "to": to, "to_sector": to_sector, "open": True, "jump_ticks": 30}
