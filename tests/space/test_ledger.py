"""The books: every account as a row, and rows that sum to zero."""

from __future__ import annotations

from collections import Counter

from gamekit.lab.simulate import simulate
from gamekit.space import SpaceState, ledger
from gamekit.space.commands import BuyWare
from tests.space.galaxies import Play


def rows(state: SpaceState) -> list[ledger.Account]:
    """Every account of a state."""
    return ledger.rows(state.ledger, state.stations.values(), state.ships.values())


def totals(made: list[ledger.Account]) -> dict[str, int]:
    """What all accounts together hold of each thing."""
    sums: Counter[str] = Counter()
    for row in made:
        sums[row.unit] += row.balance
    return dict(sums)


def test_rows_name_account_kind_unit_and_balance() -> None:
    play = Play(rules={"trade_fee_permille": 10})
    play.accepted(BuyWare("ship-1", "food", 10))
    made = rows(play.state)
    total = 10_000_000 - 16_131 - 162
    for expected in (
        ledger.Account("player:p1", "player", "credits", total),
        ledger.Account("station:west-store", "station", "credits", 16_131),
        ledger.Account("fees", "sink", "credits", 162),
        ledger.Account("grants", "faucet", "credits", -20_000_000),
        ledger.Account("ship_sales", "faucet", "credits", 0),
        ledger.Account("ship_purchases", "sink", "credits", 0),
        ledger.Account("station:west-store", "station", "food", 190),
        ledger.Account("ship:ship-1", "hold", "food", 10),
        ledger.Account("mined", "faucet", "food", 0),
        ledger.Account("consumed", "sink", "food", 0),
    ):
        assert expected in made, expected


def test_no_account_has_two_rows_for_one_thing() -> None:
    made = rows(Play("nearest-stars").state)
    assert len({(row.account, row.unit) for row in made}) == len(made)


def test_rows_sum_to_zero_for_credits_and_for_every_ware() -> None:
    state = simulate(rules={"company_percent": 100}, hours=2).state
    made = rows(state)
    assert totals(made) == dict.fromkeys(["credits", *state.wares], 0)
    assert {row.kind for row in made} == {"player", "station", "hold", "faucet", "sink"}
    moved = {row.account for row in made if row.kind in {"faucet", "sink"} and row.balance}
    assert moved == {"grants", "initial", "mined", "made", "used", "consumed", "fees"}
