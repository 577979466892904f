"""What players see, what they do not, and how little a patch carries."""

from __future__ import annotations

import json
from typing import Any

from gamekit.game import PlayerId
from gamekit.space.commands import BuyWare
from gamekit.space.events import PRIVATE, StockChanged
from tests.space.galaxies import Play

ADA, BOB = PlayerId("p1"), PlayerId("p2")


def test_view_has_the_promised_tables_and_fields() -> None:
    play = Play()
    play.move(station="mid-smelter")
    view = play.game.view(play.state, ADA)
    shown = {table: " ".join(sorted(next(iter(entities.values())))) for table, entities in view.items()}
    assert shown == {
        "sectors": "gates name size_m x y",
        "gates": "jump_ticks open reason sector storm_until to to_sector x y",
        "stations": "buys capacity kind name owner price reason recipe sector sells shipyard since status stock x y",
        "ships": "at auto_trade capacity class hold job name owner queue reason speed status",
        "players": "company credits joined name",
        "wares": "base_price name tier volume",
        "rules": "value",
        "ship_classes": "capacity_percent name price speed_percent",
    }


def test_every_place_and_entry_has_its_promised_shape() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "ore", 5))
    play.move(station="mid-smelter")
    play.accepted(BuyWare("ship-1", "metals", 5))
    places: dict[str, Any] = {}
    entries: dict[str, Any] = {}
    while play.mercury.queue:
        ship = play.game.view(play.state, ADA)["ships"]["ship-1"]
        places.setdefault(ship["at"]["type"], ship["at"])
        for row in ship["queue"]:
            entries.setdefault(row["type"], row)
        play.run(1)
    assert places == {
        "leg": {"type": "leg", "sector": "west", "from": [0, 0], "to": [900, 0], "depart": 0, "arrive": 90},
        "gate": {"type": "gate", "gate": "west:mid", "exit": "mid:west", "depart": 90, "arrive": 140},
        "space": {"type": "space", "sector": "mid", "x": 0, "y": 0},
    }
    head = {"order": 2, "status": "queued"}
    assert entries == {
        "fly": head | {"id": 2, "status": "active", "eta": 90, "type": "fly", "sector": "west", "x": 900, "y": 0},
        "jump": head | {"id": 3, "eta": 140, "type": "jump", "gate": "west:mid", "exit": "mid:west"},
        "dock": head | {"id": 5, "eta": 240, "type": "dock", "station": "mid-smelter"},
        "buy": head | {"id": 6, "order": 3, "eta": 240, "type": "buy", "ware": "metals", "units": 5},
    }


def test_view_is_plain_json_with_text_keys() -> None:
    view = Play("nearest-stars").game.view(Play("nearest-stars").state, ADA)
    assert json.loads(json.dumps(view)) == view


def test_hold_queue_and_credits_are_the_owners_secret() -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "ore", 5))
    play.move(station="mid-smelter")
    for viewer in (None, BOB):
        view = play.game.view(play.state, viewer)
        assert not {"hold", "queue"} & view["ships"]["ship-1"].keys()
        assert "credits" not in view["players"]["p1"]


def test_orders_and_trades_are_told_to_the_owner_only() -> None:
    play = Play()
    events = play.accepted(BuyWare("ship-1", "ore", 5))
    assert [play.game.audience(play.state, event) for event in events if isinstance(event, PRIVATE)] == [(ADA,)] * 3
    assert play.game.audience(play.state, StockChanged("west-store")) is None


def test_patch_of_a_departure_carries_the_leg_and_nothing_else() -> None:
    play = Play()
    events = play.move(station="mid-smelter")
    public = play.game.changes(play.state, None, events)
    assert {table: {key: sorted(fields) for key, fields in rows.items()} for table, rows in public.items()} == {
        "ships": {"ship-1": ["at", "reason", "status"]}
    }
    own = play.game.changes(play.state, ADA, events)
    assert {key: sorted(fields) for key, fields in own["ships"].items()} == {"ship-1": ["queue"]}
    assert play.game.changes(play.state, BOB, events) == {}


def test_patch_of_a_trade_carries_stock_and_price_to_all_and_the_purse_to_one() -> None:
    play = Play()
    events = play.accepted(BuyWare("ship-1", "ore", 5))
    public = play.game.changes(play.state, None, events)
    assert {table: {key: sorted(fields) for key, fields in rows.items()} for table, rows in public.items()} == {
        "ships": {"ship-1": ["at", "reason", "status"]},
        "stations": {"west-store": ["price", "stock"]},
    }
    own = play.game.changes(play.state, ADA, events)
    assert own == {
        "players": {"p1": {"credits": 10_000_000 - 5_019}},
        "ships": {"ship-1": {"queue": [], "hold": {"ore": 5}, "auto_trade": False, "job": None}},
    }


def test_patch_of_production_carries_the_station_only() -> None:
    play = Play()
    events = play.run(1)
    while not events:
        events = play.run(1)
    public = play.game.changes(play.state, None, events)
    assert list(public) == ["stations"]
    assert all(sorted(fields) == ["price", "stock"] for fields in public["stations"].values())


def test_patch_of_a_closed_gate_carries_both_ends() -> None:
    play = Play()
    public = play.game.changes(play.state, None, play.close("west:mid"))
    closed = {"open": False, "reason": "closed", "storm_until": None}
    assert public == {"gates": {"west:mid": closed, "mid:west": closed}}


def test_patch_does_not_share_objects_with_the_state() -> None:
    play = Play()
    view = play.game.view(play.state, ADA)
    view["stations"]["west-store"]["stock"]["ore"] = -1
    view["ships"]["ship-1"]["hold"]["ore"] = -1
    view["stations"]["mid-smelter"]["recipe"]["inputs"].clear()
    view["sectors"]["mid"]["gates"].clear()
    assert play.state.stations["west-store"].stock["ore"] == 200
    assert play.mercury.hold == {}
    assert play.game.view(play.state, None)["stations"] == play.mirrors[None]["stations"]
    assert play.game.view(play.state, None)["sectors"] == play.mirrors[None]["sectors"]
