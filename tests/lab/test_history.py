"""A recorded run: the same run, with samples that balance and charts that are drawn from them."""

from __future__ import annotations

import pandas as pd
import pytest

from gamekit.errors import ConfigError
from gamekit.lab import Simulation, simulate, trade_routes
from gamekit.lab.charts import books_chart, price_history_chart, route_chart
from gamekit.lab.frames import COLUMNS
from gamekit.lab.frames.columns import HISTORY_COLUMNS, MEANINGS
from gamekit.lab.frames.state import everything
from gamekit.lab.routes import COLUMNS as ROUTE_COLUMNS

RULES = {"company_percent": 100}
EVERY_MINUTES = 15


@pytest.fixture(scope="module")
def run() -> Simulation:
    """Three hours of the nearest stars, recorded every quarter of an hour."""
    return simulate(hours=3, rules=RULES, record_minutes=EVERY_MINUTES)


def test_recording_changes_nothing(run: Simulation) -> None:
    plain = simulate(hours=3, rules=RULES)
    assert (plain.digest, plain.events) == (run.digest, run.events)
    assert len(run.history.events) == run.events
    with pytest.raises(ConfigError, match="not recorded"):
        _ = plain.history
    for minutes in (0, -1, float("inf")):
        with pytest.raises(ConfigError, match="record_minutes"):
            simulate(hours=0, record_minutes=minutes)


def test_samples_are_taken_from_the_first_tick_to_the_last_at_equal_intervals(run: Simulation) -> None:
    for kind, columns in HISTORY_COLUMNS.items():
        frame = getattr(run.history, kind)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == columns
        assert list(frame["tick"].unique()) == list(range(0, 3 * 36_000 + 1, EVERY_MINUTES * 600))
        assert (frame["time"] == pd.to_timedelta(frame["tick"] * 100, unit="ms")).all()


def test_books_balance_at_every_sample(run: Simulation) -> None:
    books = run.history.ledger
    sums = books.groupby(["tick", "asset"], observed=True)["balance"].sum()
    assert len(sums) > 100
    # Credits are shown with two decimals, so their sum is that of rounded binary fractions.
    assert sums.abs().max() < 0.005
    assert (sums[sums.index.get_level_values("asset") != "credits"] == 0).all()
    last = books[books["tick"] == books["tick"].max()].drop(columns=["tick", "time"])
    assert last.reset_index(drop=True).astype(str).equals(run.frame.ledger.astype(str))


def test_frames_of_a_run_have_the_columns_of_a_live_game(run: Simulation) -> None:
    assert dir(run.frame) == sorted(COLUMNS)
    for kind in dir(run.frame):
        frame = getattr(run.frame, kind)
        assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == COLUMNS[kind]
        # A simulation has no journal, and is never late.
        assert (len(frame) > 0) == (kind not in {"commands", "latency"})
        assert set(MEANINGS.get(kind, {})) <= set(COLUMNS[kind])
    assert run.frame.ships["cargo"].notna().all()


def test_last_prices_are_those_of_the_state(run: Simulation) -> None:
    sampled = run.history.prices
    last = sampled[sampled["tick"] == sampled["tick"].max()]
    assert last["price_credits"].tolist() == run.frame.prices["price_credits"].tolist()
    assert last["stock"].tolist() == run.frame.prices["stock"].tolist()


def test_trades_are_the_transfers_that_the_books_saw(run: Simulation) -> None:
    trades, ships = run.frame.trades, run.frame.ships
    bought, sold = (trades[trades["side"] == side]["units"].sum() for side in ("buy", "sell"))
    assert bought - sold == ships["cargo"].sum()
    assert trades["tick"].is_monotonic_increasing


def test_trades_and_their_fees_account_for_what_the_companies_own(run: Simulation) -> None:
    trades, books = run.frame.trades, run.frame.ledger.set_index(["account", "asset"])["balance"]
    assert trades["fee_credits"].sum() == pytest.approx(books["fees", "credits"])
    assert trades["fee_credits"].min() > 0
    earned = trades["total_credits"].where(trades["side"] == "sell", -trades["total_credits"]) - trades["fee_credits"]
    owned = run.frame.ledger.query("kind == 'company' and asset == 'credits'")["balance"].sum()
    assert earned.sum() == pytest.approx(owned + books["grants", "credits"])
    assert ((trades["units"] < trades["wanted"]) == (trades["limited_by"] != "")).all()


def test_stations_tell_since_when_they_stand_as_they_do(run: Simulation) -> None:
    since = run.frame.stations.set_index("station")["since_tick"].to_dict()
    assert since == {station.id: station.since for station in run.state.stations.values()}


def test_routes_match_what_was_bought_with_what_was_sold(run: Simulation) -> None:
    routes, trades = trade_routes(run.frame.trades), run.frame.trades
    assert {name: str(dtype) for name, dtype in routes.dtypes.items()} == ROUTE_COLUMNS
    assert routes["units"].sum() == trades[trades["side"] == "sell"]["units"].sum()
    assert routes["units"].is_monotonic_decreasing
    assert len(trade_routes(trades.head(0))) == 0
    with pytest.raises(ConfigError, match=r"no column 'ware': trade_routes takes what `frame.trades` gives"):
        trade_routes(run.frame.ships.rename(columns={"owner": "station"}))


def test_a_route_is_first_in_first_out_and_knows_its_profit() -> None:
    rows = [
        ("s", "a", "ore", "buy", 10, 100.0),
        ("s", "b", "ore", "buy", 10, 200.0),
        ("s", "c", "ore", "sell", 15, 450.0),
    ]
    trades = pd.DataFrame(rows, columns=["ship", "station", "ware", "side", "units", "total_credits"])
    found = trade_routes(trades).set_index("source")
    assert found.loc["a", ["target", "units", "trips", "profit_credits"]].tolist() == ["c", 10, 1, 200.0]
    assert found.loc["b", ["target", "units", "trips", "profit_credits"]].tolist() == ["c", 5, 1, 50.0]


def test_books_chart_is_as_high_above_zero_as_below_at_every_moment(run: Simulation) -> None:
    for asset in ("credits", "metals"):
        data = pd.DataFrame(
            [row for rows in books_chart(run.history.ledger, asset).to_dict()["datasets"].values() for row in rows]
        )
        areas = data[data["series"].notna()]
        extremes = areas.groupby("tick")["top"].agg(["min", "max"])
        assert (extremes["max"] + extremes["min"]).abs().max() < 0.01
        assert extremes["max"].max() > 0
    with pytest.raises(ConfigError, match="no 'gold'"):
        books_chart(run.history.ledger, "gold")


def test_charts_are_drawn_for_every_ware_and_route(run: Simulation) -> None:
    prices = price_history_chart(run.history.prices, ["ore", "food"]).to_svg()
    assert ">ore<" in prices
    assert ">metals<" not in prices
    assert ">metals<" in price_history_chart(run.history.prices).to_svg()
    with pytest.raises(ConfigError, match="gold"):
        price_history_chart(run.history.prices, ["gold"])
    view = everything(run.game, run.state).view
    routes = route_chart(trade_routes(run.frame.trades), view).to_svg()
    assert all(f">{sector['name']}<" in routes for sector in view["sectors"].values())
    with pytest.raises(ConfigError, match="no trade routes"):
        route_chart(trade_routes(run.frame.trades.head(0)), view)
