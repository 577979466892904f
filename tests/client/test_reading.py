"""Names, places and links: what people write becomes what the server reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from gamekit.client.address import Address
from gamekit.client.names import destination, find
from gamekit.client.order import Order
from gamekit.client.reading import PlayerReading, Position, ShipReading, position_of
from gamekit.client.seen import Clock, Seen
from gamekit.errors import ConfigError, UnknownName
from gamekit.game import PlayerId
from gamekit.wire import Delta
from tests.client.sketch import ship, view


class Desk(PlayerReading[ShipReading[Order], Order]):
    """A player who sees one picture and whose orders go nowhere."""

    def __init__(self, shown: dict[str, Any]) -> None:
        self.id = PlayerId("p1")
        self.token = ""
        self.shown = shown
        self.given: list[dict[str, Any]] = []

    @property
    def seen(self) -> Seen:
        return Seen(epoch=1, n=0, tick=10, seq=1, view=self.shown)

    @property
    def clock(self) -> Clock:
        return Clock(tick=10)

    @property
    def connected(self) -> bool:
        return False

    @property
    def pending(self) -> int:
        return len(self.given)

    def submit(self, body: Mapping[str, Any]) -> Order:
        self.given.append(dict(body))
        return Order(dict(body))

    def handle_of(self, ship: str) -> ShipReading[Order]:
        return ShipReading(self, ship)


@pytest.fixture
def desk() -> Desk:
    return Desk(view())


@pytest.mark.parametrize(
    ("place", "to"),
    [
        ("Sirius", {"sector": "sirius", "x": 0, "y": 0}),
        ("SIRIUS", {"sector": "sirius", "x": 0, "y": 0}),
        ("sirius", {"sector": "sirius", "x": 0, "y": 0}),
        ("Sol Mine", {"station": "sol-mine"}),
        ("sol-mine", {"station": "sol-mine"}),
        ("sol:sirius", {"gate": "sol:sirius"}),
    ],
)
def test_ship_goes_to_places_by_name_and_id(desk: Desk, place: str, to: dict[str, Any]) -> None:
    desk.ship.go(place)
    assert desk.given == [{"type": "move", "ship": "ship-1", "to": to, "append": False}]


def test_ship_goes_to_coordinates_in_its_own_or_another_sector(desk: Desk) -> None:
    desk.ship.go(x=100, y=-50)
    desk.ship.go("Sirius", x=7, append=True)
    assert [body["to"] for body in desk.given] == [
        {"sector": "sol", "x": 100, "y": -50},
        {"sector": "sirius", "x": 7, "y": 0},
    ]


def test_ship_that_is_sent_nowhere_or_beside_a_station_says_what_is_missing(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="Say where to"):
        desk.ship.go()
    with pytest.raises(ConfigError, match="x and y go with a sector"):
        desk.ship.go("Sol Mine", x=1)
    assert desk.given == []


def test_unknown_place_lists_the_closest_names(desk: Desk) -> None:
    with pytest.raises(UnknownName) as caught:
        desk.ship.go("Sirrius")
    assert str(caught.value).startswith("There is no place 'Sirrius'. Did you mean Sirius")


def test_unknown_ware_without_likeness_lists_what_there_is(desk: Desk) -> None:
    with pytest.raises(UnknownName, match="Known are: Ore"):
        desk.ship.buy("quantum foam", 3)


def test_trade_takes_ware_names(desk: Desk) -> None:
    desk.ship.buy("Ore", 5)
    desk.ship.sell("ore", 2, append=False)
    assert desk.given == [
        {"type": "buy", "ship": "ship-1", "ware": "ore", "units": 5, "append": True},
        {"type": "sell", "ship": "ship-1", "ware": "ore", "units": 2, "append": False},
    ]


def test_orders_are_put_into_another_sequence(desk: Desk) -> None:
    desk.ship.reorder(3, 1)
    assert desk.given == [{"type": "reorder", "ship": "ship-1", "orders": [3, 1]}]


def test_fleet_takes_names_of_classes_and_stations() -> None:
    desk = Desk(view() | {"ship_classes": {"courier": {"name": "Courier"}}})
    desk.buy_ship("COURIER", "Sol Mine")
    desk.buy_ship("courier", "sol-mine", "Hermes")
    desk.ship.rename("Iris")
    desk.ship.sell_ship()
    buying = {"type": "buy_ship", "class": "courier", "station": "sol-mine"}
    assert desk.given == [
        buying,
        buying | {"name": "Hermes"},
        {"type": "rename_ship", "ship": "ship-1", "name": "Iris"},
        {"type": "sell_ship", "ship": "ship-1"},
    ]
    with pytest.raises(UnknownName, match="Did you mean Courier"):
        desk.buy_ship("Currier", "Sol Mine")


def test_name_that_several_have_asks_for_an_id() -> None:
    table = {"ship-1": {"name": "Twin"}, "ship-2": {"name": "Twin"}}
    with pytest.raises(UnknownName, match="ship-1, ship-2"):
        find(table, "twin", "ship")


def test_sector_comes_before_a_station_of_the_same_name() -> None:
    shown = view()
    shown["stations"]["sol-mine"]["name"] = "Sol"
    assert destination(shown, "sol") == {"sector": "sol"}


def test_ships_are_found_by_name_and_id_and_complete_to_both(desk: Desk) -> None:
    desk.shown["ships"]["ship-2"] = ship(name="Stranger", owner="p2")
    assert desk.ships["Freighter 1"] == desk.ships["ship-1"] == desk.ship
    assert list(desk.ships) == ["ship-1"]
    assert desk.ships._ipython_key_completions_() == ["Freighter 1", "ship-1"]
    assert "freighter 1" in desk.ships
    assert "Stranger" not in desk.ships
    assert desk.ships.get("Stranger") is None


LEG = {"type": "leg", "sector": "sol", "from": [0, 0], "to": [100, -50], "depart": 10, "arrive": 20}
GATE = {"type": "gate", "gate": "sol:sirius", "exit": "sirius:sol", "depart": 0, "arrive": 30}


@pytest.mark.parametrize(
    ("at", "tick", "position"),
    [
        ({"type": "space", "sector": "sol", "x": 3, "y": 4}, 0, Position("sol", 3, 4)),
        ({"type": "dock", "station": "sol-mine"}, 0, Position("sol", 100, 200)),
        (GATE, 9, Position("sol", 900, 0)),
        (LEG, 5, Position("sol", 0, 0)),
        (LEG, 15.0, Position("sol", 50, -25)),
        (LEG, 99, Position("sol", 100, -50)),
    ],
)
def test_position_is_computed_from_the_leg(at: dict[str, Any], tick: float, position: Position) -> None:
    assert position_of(view(), ship(at=at), tick) == position


def test_handles_show_themselves_as_escaped_tables(desk: Desk) -> None:
    desk.shown["ships"]["ship-1"]["name"] = "<b>Bold</b>"
    shown = desk.ships._repr_html_()
    assert "&lt;b&gt;Bold" in shown
    assert "<b>" not in shown
    assert "100,000.00 cr" in desk._repr_html_()
    assert "Bold" in desk.ship._repr_html_()


def test_gone_ship_says_so(desk: Desk) -> None:
    gone = desk.ship
    del desk.shown["ships"]["ship-1"]
    assert "gone" in repr(gone)
    with pytest.raises(UnknownName, match="not there any more"):
        gone.status  # noqa: B018 - reading is the test


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("http://127.0.0.1:8642/", Address("http://127.0.0.1:8642")),
        ("http://127.0.0.1:8642/admin#token=a.b", Address("http://127.0.0.1:8642", token="a.b")),
        ("https://x.org/hub/game/play/g1#token=p1.s", Address("https://x.org/hub/game", "g1", "p1.s")),
        ("ws://h:1/api/game/g1/ws?token=t", Address("http://h:1", "g1", "t")),
    ],
)
def test_every_link_that_a_server_hands_out_is_understood(link: str, address: Address) -> None:
    assert Address.parse(link) == address


def test_socket_address_keeps_the_path_before_the_server() -> None:
    assert Address.parse("https://x.org/hub/").socket("g1") == "wss://x.org/hub/api/game/g1/ws"


@pytest.mark.parametrize("link", ["localhost:8642", "ftp://x", "", "http://"])
def test_what_is_no_link_is_refused_with_an_example(link: str) -> None:
    with pytest.raises(ConfigError, match=r"http://127\.0\.0\.1:8642"):
        Address.parse(link)


def test_ship_goes_through_a_gate_into_the_unknown(desk: Desk) -> None:
    desk.shown["gates"]["sol:sirius"] |= {"to": None, "to_sector": None}
    desk.ship.go("sol:sirius", through=True)
    assert desk.given[-1]["to"] == {"gate": "sol:sirius", "through": True}
    with pytest.raises(ConfigError, match="Only a gate"):
        desk.ship.go("Sol Mine", through=True)


def test_ship_on_its_way_into_the_unknown_is_at_the_gate_it_entered(desk: Desk) -> None:
    desk.shown["gates"]["sol:sirius"] |= {"to": None, "to_sector": None}
    del desk.shown["sectors"]["sirius"], desk.shown["gates"]["sirius:sol"]
    at = {"type": "gate", "gate": "sol:sirius", "exit": None, "depart": 0, "arrive": 50}
    desk.shown["ships"]["ship-1"] = ship(at=at)
    assert desk.ship.position == Position("sol", 900, 0)
    assert "the unknown" in desk.ships._repr_html_()


def test_ship_out_of_sight_is_gone_from_the_picture_and_the_one_before_still_has_it() -> None:
    before = Seen(epoch=1, n=0, tick=10, seq=1, view=view())
    gone = before.after(Delta(tick=11, seq=1, n=1, events=(), at=(), changes={"ships": {"ship-1": None}}))
    assert "ship-1" in before.view["ships"]
    assert gone.view["ships"] == {}
    back = gone.after(Delta(tick=12, seq=1, n=2, events=(), at=(), changes={"ships": {"ship-1": ship()}}))
    assert back.view["ships"]["ship-1"] == ship()
