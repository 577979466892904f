"""Frames: fixed columns, types and units, from a real game."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import pytest

import gamekit
from gamekit import lab
from gamekit.lab.frames import COLUMNS, MEANINGS, Frames, latency_frame
from gamekit.lab.handles import Game, Player


@pytest.fixture(scope="module")
def played() -> Iterator[tuple[Game, Player]]:
    """A game in which one ship has flown and bought something, and which stands still."""
    with gamekit.launch() as client:
        game = client.new_game(seed=7)
        game.speed = 20
        assert game.tick >= 0
        red = game.join("Red")
        station = next(key for key, row in red.view["stations"].items() if row["sells"] and row["sector"] == "sol")
        red.ship.go(station)
        red.ship.buy(red.view["stations"][station]["sells"][0], 4)
        red.ship.wait(60)
        while game.frame.latency.empty:
            next(game.events())
        game.pause()
        game.step(1)
        yield game, red


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_columns_and_types_are_the_documented_ones(played: tuple[Game, Player], kind: str) -> None:
    for eyes in played:
        frame = getattr(eyes.frame, kind)
        assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == COLUMNS[kind]
        # A spectator is told of no trades.
        assert len(frame) > 0 or (kind == "trades" and eyes is played[0])


def test_trades_and_ledger_are_what_the_player_knows(played: tuple[Game, Player]) -> None:
    game, red = played
    [trade] = red.frame.trades.itertuples()
    assert (trade.side, trade.units, trade.ship) == ("buy", 4, red.ship.id)
    assert trade.total_credits == pytest.approx(trade.price_credits * 4)
    mine, theirs = red.frame.ledger, game.frame.ledger
    assert mine[mine["kind"] == "hold"]["balance"].tolist() == [4.0]
    assert mine[mine["asset"] == "credits"]["balance"].tolist() == [red.credits]
    assert set(theirs["kind"]) == {"stock"}


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_meanings_name_columns_that_exist(kind: str) -> None:
    assert set(MEANINGS.get(kind, {})) <= set(COLUMNS[kind])
    assert kind in dir(Frames)


def test_ships_are_where_the_view_has_them(played: tuple[Game, Player]) -> None:
    game, red = played
    own = red.frame.ships.set_index("ship").loc[red.ship.id]
    assert (own["sector"], own["x_m"], own["y_m"]) == tuple(red.ship.position)
    assert own["station"] == red.ship.station
    assert own["cargo"] == 4
    assert own["speed_m_per_s"] == red.ship.fields["speed"] / 100
    assert red.frame.ships.attrs["tick"] == red.tick == game.tick


def test_what_belongs_to_others_is_missing_and_not_zero(played: tuple[Game, Player]) -> None:
    game, red = played
    others = red.frame.ships[red.frame.ships["owner"] != red.id]
    assert others["cargo"].isna().all()
    assert game.frame.ships[["cargo", "queue"]].isna().all(axis=None)


def test_prices_are_credits_and_follow_the_stock(played: tuple[Game, Player]) -> None:
    game, _ = played
    prices = game.frame.prices
    view = game.view
    row = prices.iloc[0]
    assert row["price_credits"] == view["stations"][row["station"]]["price"][row["ware"]] / 100
    assert (prices["price_ratio"] * prices["base_price_credits"] - prices["price_credits"]).abs().max() < 1e-9
    assert prices.groupby(["station", "ware"]).size().max() == 1
    scarce = prices[prices["stock"] < prices["capacity"] / 2]
    assert (scarce["price_ratio"] >= 1).all()


def test_commands_are_the_history_with_game_time(played: tuple[Game, Player]) -> None:
    game, red = played
    commands = game.frame.commands
    assert list(commands["type"])[:5] == ["join", "set_speed", "join", "move", "buy"]
    moved = commands[commands["type"] == "move"].iloc[0]
    assert (moved["player"], moved["ship"], moved["cid"]) == (red.id, red.ship.id, 1)
    assert moved["time"] == pd.Timedelta(seconds=moved["tick"] / 10)
    assert commands["seq"].is_monotonic_increasing


def test_events_tell_what_the_player_did(played: tuple[Game, Player]) -> None:
    events = played[1].frame.events
    bought = events[events["type"] == "WareBought"].iloc[0]
    assert bought["ship"] == played[1].ship.id
    assert bought["details"]["units"] == 4
    assert played[0].frame.events["type"].isin(["WareBought"]).sum() == 0


def test_latency_is_in_milliseconds_and_utc() -> None:
    row = {key.replace("_ms", "_us"): 1500 for key in COLUMNS["latency"] if key.endswith("_ms")}
    frame = latency_frame([{"game": "g1", "at_s": 86_400.5, "ticks": 10, **row}])
    assert frame["late_p99_ms"].tolist() == [1.5]
    assert frame["at"].tolist() == [pd.Timestamp("1970-01-02 00:00:00.5", tz="UTC")]
    assert latency_frame([]).dtypes.astype(str).to_dict() == COLUMNS["latency"]


def test_storms_jobs_and_discovery_are_in_the_frames() -> None:
    run = lab.simulate("nearest-stars", {"storm_rate": 2000}, hours=2)
    gates = run.frame.gates.set_index("gate")
    closed = gates[~gates["open"]]
    assert len(closed) > 0, "choose another moment: no storm is blowing"
    assert (closed["storm_until_tick"] > run.state.tick).all()
    assert (closed["reason"] != "").all()
    assert gates[gates["open"]]["storm_until_tick"].isna().all()
    stations = run.frame.stations.set_index("station")
    jobs = run.frame.ships.query("job_ware.notna()")
    assert len(jobs) > 5
    assert jobs["auto_trade"].all()
    assert set(jobs["job_source"]) | set(jobs["job_target"]) <= set(stations.index)
    sectors = run.frame.sectors
    assert sectors["gates"].sum() == len(gates)
    assert sectors["stations"].sum() == len(stations)
    assert sectors["ships"].sum() == len(run.frame.ships)


def test_sectors_under_fog_are_those_that_one_knows() -> None:
    with gamekit.launch() as client:
        game = client.new_game(seed=7, rules={"fog": 1, "charted_jumps": 1})
        red = game.join("Red")
        known = red.frame.sectors
        assert 0 < len(known) < 16
        assert set(red.frame.stations["sector"]) <= set(known["sector"])
