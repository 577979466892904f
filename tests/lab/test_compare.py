"""Comparisons: pairs on the same seeds or the same recorded games, intervals that hold what they promise."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import pytest

import gamekit
from gamekit.capsule import read_capsule
from gamekit.errors import ConfigError
from gamekit.lab import Simulation, begin, compare, rerun, simulate
from gamekit.lab.compare import COLUMNS
from gamekit.lab.metrics import consumed_by_ware, median_company_growth, metric, stations_standing, units_made

METRICS = (units_made, stations_standing)
SMALL = {"scenario": "procedural:4", "hours": 1.0, "progress": False}


@pytest.fixture(scope="module")
def threads() -> Iterator[Executor]:
    """An executor that needs no start."""
    with ThreadPoolExecutor(2) as executor:
        yield executor


def test_pairs_share_their_seeds_and_differences_are_b_less_a(threads: Executor) -> None:
    found = compare({"cycle_percent": 100}, {"cycle_percent": 50}, 4, METRICS, executor=threads, **SMALL)
    pairs = found.pairs[found.pairs["metric"] == "units_made"]
    for pair in pairs.itertuples():
        assert pair.a == units_made(simulate("procedural:4", {"cycle_percent": 100}, pair.seed))
        assert pair.b == units_made(simulate("procedural:4", {"cycle_percent": 50}, pair.seed))
        assert pair.difference == pair.b - pair.a
    frame = found.frame.set_index("metric")
    assert tuple(found.frame.columns) == COLUMNS
    made = frame.loc["units_made"]
    assert made["verdict"] == "b is higher"
    assert made["unit"] == "units"
    assert made["low"] <= made["difference"] <= made["high"]
    assert made["difference"] == pytest.approx(pairs["difference"].mean())


def test_a_rule_against_itself_is_the_same(threads: Executor) -> None:
    found = compare({}, {}, 3, [units_made, consumed_by_ware], executor=threads, **SMALL)
    assert set(found.frame["verdict"]) == {"the same"}
    assert (found.frame["difference"] == 0).all()
    assert "the seed decides nothing here" in found.note
    assert "consumed_by_ware.food" in set(found.frame["metric"])


def test_weather_makes_seeds_differ(threads: Executor) -> None:
    calm, stormy = {}, {"storm_rate": 6_000, "storm_ticks": 6_000}
    found = compare(calm, stormy, 4, [units_made, consumed_by_ware], executor=threads, progress=False, hours=3)
    assert found.note == ""
    assert found.pairs.groupby("metric")["difference"].nunique().max() > 1


def test_one_pair_has_no_interval_and_no_verdict(threads: Executor) -> None:
    found = compare({}, {"cycle_percent": 50}, 1, METRICS, executor=threads, **SMALL)
    frame = found.frame
    assert set(frame["verdict"]) == {"unknown"}
    assert frame[["low", "high"]].isna().all(axis=None)
    assert "One pair has no interval and no verdict" in found.note
    assert "one pair tells nothing of chance" in found.report()


def test_what_the_seed_does_not_decide_is_said_to_be_deterministic(threads: Executor) -> None:
    found = compare({}, {"cycle_percent": 50}, 2, METRICS, executor=threads, scenario="duel", hours=1, progress=False)
    made = found.frame.set_index("metric").loc["units_made"]
    assert made["verdict"] == "b is higher (deterministic)"
    assert made["low"] == made["difference"] == made["high"]
    assert "by the same number in every pair" in found.report()


@metric("points")
def half_of_luck(run: Simulation) -> int:
    """What the seed decides, and half of what the rule says."""
    return run.seed + run.state.rules.dock_ticks // 2


def test_a_few_equal_differences_of_what_the_seed_decides_are_not_told_apart(threads: Executor) -> None:
    verdicts = []
    for seeds in (3, 6):
        found = compare({}, {"dock_ticks": 12}, seeds, [half_of_luck], executor=threads, hours=0.001, progress=False)
        verdicts.append(found.frame["verdict"][0])
    assert verdicts == ["not told apart", "b is higher (deterministic)"]


@metric("units")
def now_and_then(run: Simulation) -> dict[str, int]:
    """One part that every run gives, and one that every second does."""
    return {"always": run.seed} | ({"sometimes": run.seed} if run.seed % 2 else {})


@metric("units", absent=0)
def counted(run: Simulation) -> dict[str, int]:
    """The same, of which what is not there counts as 0."""
    return now_and_then(run)


def test_pairs_that_lack_a_number_are_told_and_parts_may_count_as_nothing(threads: Executor) -> None:
    found = compare({}, {}, [1, 2, 3, 4], [now_and_then, counted], executor=threads, hours=0.001, progress=False)
    pairs = found.frame.set_index("metric")["pairs"]
    assert pairs["now_and_then.sometimes"] == 2
    assert pairs["counted.sometimes"] == pairs["now_and_then.always"] == 4
    assert found.frame.set_index("metric").loc["counted.sometimes", "mean_a"] == 1
    assert "now_and_then.sometimes (2 of 4)" in found.note
    assert "absent=0" in found.note
    assert "counted" not in found.note


def test_comparison_is_reproducible_and_reports_on_one_page(threads: Executor, tmp_path: Path) -> None:
    one, other = (compare({}, {"least_load_percent": 60}, 3, METRICS, executor=threads, **SMALL) for _ in range(2))
    assert one.frame.equals(other.frame)
    page = one.report(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text() == page
    assert "<svg" in page
    assert "least_load_percent = 60" in page
    assert "the rules as they are" in page
    assert "units_made" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_recorded_games_are_played_again_under_both_rules(threads: Executor, tmp_path: Path) -> None:
    with gamekit.launch() as client:
        game = client.new_game(seed=3, rules={"jump_ticks": 40})
        red = game.join("Red")
        game.speed = 100
        red.ship.go("Ross 248").result()
        red.ship.wait(60)
        game.pause()
        path = game.export(tmp_path / "recorded.capsule")
        tick = game.tick
    past = read_capsule(path)
    as_it_was, refused = rerun(past)
    assert refused == 0
    assert as_it_was.ticks == tick
    ship = as_it_was.state.ships[red.ship.id]
    assert as_it_was.state.rules.jump_ticks == 40
    assert median_company_growth(as_it_was) > 0
    assert not ship.queue
    slower, _ = rerun(past, {"jump_ticks": 5_000})
    assert slower.state.ships[ship.id].queue, "with slow gates the ship is still on its way"
    found = compare({}, {"jump_ticks": 5_000}, games=[path], metrics=METRICS, executor=threads, progress=False)
    assert found.pairs["game"].unique().tolist() == ["recorded"]
    assert found.pairs.set_index("metric").loc["units_made", "a"] == units_made(as_it_was)
    assert "commands_refused" in set(found.frame["metric"])


def test_each_recorded_game_is_measured_by_itself_and_anew_once_it_has_gone_on(
    threads: Executor, tmp_path: Path
) -> None:
    def measured() -> list[float]:
        found = compare({}, {}, games=paths, metrics=[units_made], executor=threads, database=tmp_path / "runs.db",
                        progress=False)  # fmt: skip
        return found.pairs.query("metric == 'units_made'")["a"].tolist()

    branches = [begin("duel"), begin("procedural:3")]
    paths = [tmp_path / "one.capsule", tmp_path / "two.capsule"]
    told = []
    for hours in (0.5, 0.25):
        for branch, path in zip(branches, paths, strict=True):
            branch.advance(hours=hours)
            branch.save(path)
        told.append(measured())
        assert told[-1] == [units_made(rerun(path)[0]) for path in paths]
    assert told[0][0] != told[0][1]
    assert told[0] != told[1]


def test_wrong_arguments_are_told(threads: Executor) -> None:
    with pytest.raises(ConfigError, match="confidence"):
        compare({}, {}, 1, METRICS, executor=threads, confidence=1.5)
    with pytest.raises(ConfigError, match="at least one capsule"):
        compare({}, {}, games=[], executor=threads)


def fails_at_docks(run: Simulation) -> int:
    """Fails where docking is slow."""
    if run.state.rules.dock_ticks > 50:
        raise ValueError("too slow")
    return run.seed


@pytest.mark.parametrize("rules_a", [{}, {"dock_ticks": 60}], ids=["one side", "both sides"])
def test_runs_that_fail_are_told_before_anything_else(rules_a: dict[str, int], threads: Executor) -> None:
    done = compare(rules_a, {"dock_ticks": 60}, 2, [fails_at_docks], executor=threads, **SMALL)
    assert done.frame.empty
    assert done.pairs.empty
    assert "runs failed, the first one on side" in done.note
    assert "too slow" in done.note
    assert "runs failed" in done.report()
    assert "runs failed" in done._repr_html_()
