"""Chains of orders, stations and how handles show themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import gamekit
from gamekit.client.actions import Happened
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
    row = {"name": "S", "status": "flying", "reason": "", "queue": [{"order": 8, "type": "fly"}]}
    assert progress.over(first, row)
    assert not progress.over(second, row)
    assert not progress.over(order(3), row), "which entries are its is not known"
    failed = {"type": "EntryFailed", "player": "p1", "ship": "s", "order": 8, "code": "no_cargo", "message": "Empty."}
    progress.listen(Happened(6, (failed,), {}), "c")
    assert progress.over(first, row)
    with pytest.raises(CommandFailed, match="Empty"):
        progress.over(second, row)


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
