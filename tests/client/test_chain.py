"""Chains of orders, stations and how handles show themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

import gamekit
from gamekit.client.actions import Happened, Redrawn
from gamekit.client.chain import Progress
from gamekit.client.order import Order
from gamekit.errors import CommandFailed, ConfigError, UnknownName
from gamekit.lab.handles import Game, Player


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Game, Player]]:
    """A fast game with one player."""
    with gamekit.launch() as client:
        game = client.new_game(seed=7, name="Chains")
        game.speed = 200
        yield game, game.join("Red")


def test_chain_is_carried_out_in_order_and_waited_for_at_any_step(played: tuple[Game, Player]) -> None:
    _, red = played
    mine = next(one for one in red.stations.values() if one.sells and one.sector == "sol")
    ware = mine.sells[0]
    bought = red.ship.go(mine.name).then().buy(ware, 4)
    there = bought.then().go("Sirius")
    bought.wait(timeout_s=30)
    assert red.ship.hold == {ware: 4}
    assert [step.text for step in there.steps] == [f"go to {mine.id}", f"buy 4 {ware}", "go to sirius"]
    there.wait(timeout_s=30)
    assert (red.ship.sector, red.ship.queue) == ("sirius", [])
    assert "go to sirius" in there._repr_html_()


class Shown:
    """A ship that shows this."""

    id = "s"

    def __init__(self, status: str, queue: list[dict[str, Any]]) -> None:
        self.fields = {"name": "S", "status": status, "reason": "", "queue": queue}


def done_entry(order: int, entry: int) -> dict[str, Any]:
    return {"type": "EntryDone", "player": "p1", "ship": "s", "order": order, "entry": entry}


@pytest.mark.parametrize("ended", ["stopped", "replaced", "cancelled", "replaced by another program"])
def test_whoever_waits_for_an_order_is_told_that_it_was_dropped(played: tuple[Game, Player], ended: str) -> None:
    game, red = played
    red.ship.go("Sol").wait(timeout_s=30)
    game.pause()
    there = red.ship.go("Sirius").then().go("Sol")
    there.result(5)
    if ended == "stopped":
        red.ship.stop()
    elif ended == "replaced":
        red.ship.go(x=5, y=0)
    elif ended == "cancelled":
        red.ship.cancel(red.ship.queue[-1]["id"])
    else:
        with gamekit.Client(game.client.url) as other:
            other.game(game.id).play(red.token).ship.go(x=5, y=0).result(5)
    game.resume()
    step = 2 if ended == "cancelled" else 1
    with pytest.raises(CommandFailed, match=rf"^Step {step} of 2 .* failed: .* in place of this") as caught:
        there.wait(timeout_s=30)
    assert caught.value.code == "dropped"


def test_command_that_queues_nothing_is_over_when_it_is_decided(played: tuple[Game, Player]) -> None:
    game, red = played
    red.ship.go("Sol").wait(timeout_s=30)
    game.pause()
    try:
        red.ship.go("Sirius")
        red.ship.rename("Merkur").wait(timeout_s=10)
        assert (red.ship.name, bool(red.ship.queue)) == ("Merkur", True)
        red.ship.stop().wait(timeout_s=10)
    finally:
        game.resume()


def test_sale_of_a_ship_can_be_waited_for_and_the_handle_tells_that_it_is_gone(played: tuple[Game, Player]) -> None:
    _, red = played
    hub = red.stations["Sol Hub"]
    red.buy_ship("courier", hub, "Sold soon").result(10)
    ship = red.ships["Sold soon"]
    ship.sell_ship().wait(timeout_s=10)
    assert "gone" in repr(ship)
    assert "is gone" in ship._repr_html_()
    with pytest.raises(UnknownName, match="not there any more"):
        ship.wait(5)


async def awaited(order: Any) -> Any:
    return await order


def test_order_can_be_awaited_on_a_loop_of_ones_own(played: tuple[Game, Player]) -> None:
    _, red = played
    assert asyncio.run(awaited(red.ship.go("Sol"))).code is None
    with pytest.raises(CommandFailed, match="Ask for 1 to"):
        asyncio.run(awaited(red.ship.sell("ore", -1)))


def test_handles_do_for_names(played: tuple[Game, Player]) -> None:
    _, red = played
    hub = red.stations["Sol Hub"]
    assert red.ship.go(hub).body["to"] == {"station": hub.id}
    assert red.ship.go("Sol").then().go(hub).body["to"] == {"station": hub.id}
    assert red.stations[hub] == hub
    assert red.ships[red.ship] == red.ship
    for call in (lambda: red.ships[0], lambda: red.ship.go(3), lambda: red.ship.buy(None, 3)):
        with pytest.raises(
            UnknownName, match=r"^Say which \w+ by its name or id, or give its handle; not (0|3|None)\.$"
        ):
            call()
    for nothing in ("", "Pluto"):
        with pytest.raises(UnknownName, match=rf"^There is no place '{nothing}'"):
            red.ship.go(nothing)
    assert "" not in red.stations


def test_numbers_are_never_cut_off_in_silence(played: tuple[Game, Player]) -> None:
    _, red = played
    bought = red.ship.buy("ore", 3.0)
    assert bought.body["units"] == 3
    with pytest.raises(CommandFailed):  # whatever the ship's place has to say to it
        bought.wait(10)
    assert red.ship.go(x=-1.7, y=2).body["to"] == {"sector": red.ship.sector, "x": -2, "y": 2}
    for units in (1.5, "3", float("nan"), None):
        with pytest.raises(ConfigError, match="Give units as a whole number"):
            red.ship.sell("ore", units)
    for x in ("a", float("inf"), "1", [1]):
        with pytest.raises(ConfigError, match="Give x in metres"):
            red.ship.go(x=x)


def test_value_that_a_game_would_not_heed_is_refused(played: tuple[Game, Player]) -> None:
    game, _ = played
    hints = {
        "spede": "Did you mean speed?",
        "speeed": "Did you mean speed?",
        "paused": r"Call pause\(\) and resume\(\)\.",
        "rules": r"Call set_rules\(field=value\)\.",
        "tick": r"Call step\(ticks\)\.",
        "nonsense": "$",
    }
    for name, hint in hints.items():
        with pytest.raises(AttributeError, match=rf"^A game has no '{name}' that can be set\. ?{hint}"):
            setattr(game, name, 20)
    with pytest.raises(AttributeError, match=r"Call set_speed\(20\)\.$"):
        game.inner.speed = 20  # type: ignore[attr-defined]
    for speed in ("fast", float("nan"), None):
        with pytest.raises(ConfigError, match="Give speed as a number"):
            game.speed = speed  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="Give ticks as a whole number"):
        game.step(1.5)  # type: ignore[arg-type]


def test_wait_in_a_paused_game_says_so(played: tuple[Game, Player]) -> None:
    game, red = played
    red.ship.go("Sol").wait(timeout_s=30)
    game.pause()
    try:
        trip = red.ship.go("Sirius")
        for wait in (trip.wait, red.ship.wait):
            with pytest.raises(TimeoutError, match=r"The game is paused: nothing moves until `game\.resume\(\)`"):
                wait(0.2)
    finally:
        game.resume()


def test_order_is_over_when_nothing_of_it_is_queued_whatever_follows_it() -> None:
    def order(cid: int) -> Order:
        given = Order({"type": "move", "ship": "s"})
        given.cid = cid
        progress.sent(given)
        return given

    def done(cid: int) -> dict[str, Any]:
        return {"type": "CommandDone", "player": "p1", "client": "c", "cid": cid}

    progress = Progress("p1")
    first, second = order(1), order(2)
    accepted = [{"type": "OrderAccepted", "player": "p1", "ship": "s", "order": number} for number in (7, 8)]
    news = [accepted[0], done(1), accepted[1], done(2)]
    progress.listen(Happened(5, tuple(news), {}), "c")
    queued = [{"id": 3, "order": 8, "type": "fly"}, {"id": 4, "order": 8, "type": "dock"}]
    ship = Shown("flying", queued)
    progress.listen(Happened(5, (done_entry(7, 2),), {"ships": {"s": {"queue": queued}}}), "c")
    assert progress.over(first, ship)
    assert not progress.over(second, ship)
    assert not progress.over(order(3), ship), "which entries are its is not known"
    failed = {"type": "EntryFailed", "player": "p1", "ship": "s", "order": 8, "code": "no_cargo", "message": "Empty."}
    progress.listen(Happened(6, ({**failed, "entry": 3},), {}), "c")
    assert progress.over(first, ship)
    with pytest.raises(CommandFailed, match="Empty"):
        progress.over(second, ship)


def test_order_whose_last_entry_went_undone_was_dropped() -> None:
    progress = Progress("p1")
    order = Order({"type": "move", "ship": "s"})
    order.number = 7
    queued = [{"id": 5, "order": 7}, {"id": 6, "order": 7}]
    ship = Shown("flying", queued)
    progress.listen(Happened(5, (), {"ships": {"s": {"queue": queued}, "sold": None}}), "c")
    assert not progress.over(order, ship)
    progress.listen(Happened(6, (done_entry(7, 5),), {"ships": {"s": {"queue": []}}}), "c")
    with pytest.raises(CommandFailed, match="given other orders in place of this") as caught:
        progress.over(order, Shown("idle", []))
    assert caught.value.code == "dropped"
    progress.listen(Happened(7, (done_entry(7, 6),), {}), "c")
    assert progress.over(order, Shown("idle", []))


def test_what_happened_while_the_client_was_away_is_not_called_dropped() -> None:
    progress = Progress("p1")
    order = Order({"type": "move", "ship": "s"})
    order.number = 7
    view = {"ships": {"s": {"queue": [{"id": 6, "order": 7}]}, "other's": {}}}
    progress.listen(Redrawn(5, view), "c")
    progress.listen(Redrawn(9, {"ships": {"s": {"queue": []}}}), "c")
    assert progress.over(order, Shown("idle", []))
    progress.listen(Redrawn(11, view), "c")
    progress.listen(Happened(12, (), {"ships": {"s": {"queue": []}}}), "c")
    with pytest.raises(CommandFailed, match="in place of this"):
        progress.over(order, Shown("idle", []))


def test_step_that_fails_is_named_and_those_behind_it_go_on(played: tuple[Game, Player]) -> None:
    _, red = played
    sold = red.ship.go("sol-hub").then().sell("reactors", 4)
    last = sold.then().go("Sirius")
    with pytest.raises(
        CommandFailed, match=r"Step 2 of 3 \(sell 4 reactors\) failed: .* carries no Reactors"
    ) as caught:
        last.wait(timeout_s=60)
    assert caught.value.code == "no_cargo"
    assert "go on" in str(caught.value)
    with pytest.raises(CommandFailed, match="Step 2 of 2"):
        sold.wait(timeout_s=60)


def test_order_that_is_refused_at_once_fails_its_chain(played: tuple[Game, Player]) -> None:
    _, red = played
    refused = red.ship.rename("")
    with pytest.raises(CommandFailed):
        refused.wait(timeout_s=30)
    chained = red.ship.rename("x" * 41).then().go("Sol")
    with pytest.raises(CommandFailed, match="Step 1 of 2"):
        chained.wait(timeout_s=30)


def test_wait_that_takes_too_long_says_what_the_ship_is_doing(played: tuple[Game, Player]) -> None:
    game, red = played
    game.pause()
    far = red.ship.go("Ross 128" if red.ship.sector != "ross-128" else "Sol")
    with pytest.raises(TimeoutError, match=rf"{red.ship.name} has not done 'go to .*' within 0\.05 s: "):
        far.wait(timeout_s=0.05)
    game.resume()
    far.wait(timeout_s=60)


def test_only_orders_to_ships_are_chained(played: tuple[Game, Player]) -> None:
    _, red = played
    order = red.submit({"type": "stop", "ship": red.ship.id})
    with pytest.raises(ConfigError, match=r"ship\.go\('Sol'\)\.then\(\)"):
        order.then()
    with pytest.raises(ConfigError, match=r"result\(\)"):
        order.wait()


def test_stations_answer_to_names_and_tell_prices_in_credits(played: tuple[Game, Player]) -> None:
    game, red = played
    hub = red.stations["sol hub"]
    assert hub == red.stations["sol-hub"]
    assert (hub.name, hub.sector) == ("Sol Hub", "sol")
    ware, centi_credits = next(iter(red.view["stations"]["sol-hub"]["price"].items()))
    assert hub.price(ware) == pytest.approx(centi_credits / 100, rel=0.2)
    assert {"Sol Hub", "sol-hub"} <= set(red.stations._ipython_key_completions_())
    with pytest.raises(UnknownName, match="Did you mean Sol Hub"):
        red.stations["Sol Hubb"]
    with pytest.raises(UnknownName, match="no ware here 'unobtainium'"):
        hub.price("unobtainium")
    assert len(game.stations) == len(game.view["stations"])


def test_everything_shows_itself_as_a_table_without_any_token(played: tuple[Game, Player]) -> None:
    game, red = played
    shown = [game.client, game, red, red.ships, red.ship, red.stations, red.stations["Sol Hub"], red.ship.stop()]
    for thing in shown:
        html = thing._repr_html_()
        assert html.startswith("<table")
        assert red.token not in html
        assert game.client.token not in html
    assert "Chains" in shown[0]._repr_html_()
    red.ship.stop().result()
    assert "idle" in red.ship._repr_html_()
    assert "ETA" not in red.ship._repr_html_(), "no head over nothing"
