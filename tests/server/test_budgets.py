"""Expensive answers have a price, for a game and for an address; cheap ones have none."""

from __future__ import annotations

from gamekit.server.budgets import BURST_S, CHEAP_S, KEPT, SHARE, Budgets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_is_cheap_never_waits() -> None:
    budgets = Budgets(Clock())
    for _ in range(10_000):
        budgets.charge(["game"], CHEAP_S / 2)
    assert budgets.wait_s(["game"]) == 0


def test_in_any_span_no_more_than_a_burst_and_the_share_is_done() -> None:
    clock = Clock()
    budgets = Budgets(clock)
    done, work_s = 0.0, 0.07
    while clock.now < 100:
        if (wait_s := budgets.wait_s(["game", "address"])) > 0:
            clock.now += wait_s
            continue
        budgets.charge(["game", "address"], work_s)
        done += work_s
    assert done <= BURST_S + 100 * SHARE + 2 * work_s
    assert done >= 100 * SHARE - 2 * work_s


def test_a_game_that_is_asked_too_much_holds_up_its_own_askers_only() -> None:
    budgets = Budgets(Clock())
    budgets.charge(["heavy", "here"], 10 * BURST_S)
    assert budgets.wait_s(["heavy", "elsewhere"]) > 0
    assert budgets.wait_s(["other", "here"]) > 0
    assert budgets.wait_s(["other", "elsewhere"]) == 0


def test_accounts_that_owe_nothing_are_forgotten() -> None:
    clock = Clock()
    budgets = Budgets(clock)
    for number in range(KEPT):
        budgets.charge([number], CHEAP_S)
    clock.now += 3600
    budgets.charge(["late"], CHEAP_S)
    assert len(budgets._accounts) == 1
