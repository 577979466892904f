"""The notebooks in a fresh kernel, top to bottom: what they claim has happened."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from gamekit.lab import simulate
from gamekit.space import scenarios

# nbformat has no types; said once here instead of at every call.
read: Any = nbformat.read
new_code_cell: Any = nbformat.v4.new_code_cell
new_notebook: Any = nbformat.v4.new_notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
#: Where `make docs` looks for notebooks as they were run.
EXECUTED = NOTEBOOKS.parent / "build" / "notebooks"

#: Cells that run before the last one, and tell what became of everything.
FIRST_GAME_FINDINGS = """
import json
svg = [get_ipython().display_formatter.format(chart)[0].get("image/svg+xml", "")
       for chart in (game.map(), latency_chart(latency), price_chart(prices, margins.index[0]))]
print(json.dumps({
    "pid": client.pid, "data": str(client.data), "start": start, "goal": goal, "gates": distance[goal],
    "sector": ship.sector, "status": ship.status, "queue": len(ship.queue), "order": order.status,
    "ships": sum(not view["players"][owner]["company"] for owner in red.frame.ships["owner"]),
    "sectors": len(view["sectors"]), "prices": len(prices), "margins": len(margins),
    "commands": list(game.frame.commands["type"]), "latency": len(latency), "ticks": int(latency["ticks"].sum()),
    "svg": [text[:4] for text in svg], "pending": red.pending,
    "jumped": sum(e["type"] == "ShipJumped" and e["ship"] == ship.id for e in red.inner.link.recent),
}))
"""

ECONOMY_FINDINGS = """
import json
print(json.dumps({
    "digest": before.digest, "same": simulate(scenario, rules, seed, hours).digest,
    "hours": len(alive), "sales": int(alive["sales"].min()), "imbalance": text, "routes": len(routes),
    "ill": len(ill), "well": len(well), "needed": int(needed), "samples": before.history.prices["tick"].nunique(),
    "fed": [outcome(run)["units consumed"] for run in (before, after)],
}))
"""

FORK_FINDINGS = """
import json
richer = lab.fork(branch)
futures["buys a freighter"](richer)
print(json.dumps({
    "pid": client.pid, "futures": list(answers.columns), "moments": len(answers), "same": int(answers.nunique().min()),
    "trading_pays": bool((answers["goes on"] > answers["rests"]).all()), "went_on": went_on, "orders": orders_since,
    "branch": branch.tick, "live": game.tick, "seen": punctual.notna().all().all().item(),
    "freighters": sorted(ship["class"] for ship in owned(richer).values()), "own": len(ada.ships),
    "storms": [one.state.rules.storm_rate for one in (branch, future, lab.fork(game))],
    "calm": bool((answers["the storms end"] != answers["goes on"]).all()), "sales": sales.to_dict(),
}))
"""

BALANCE_FINDINGS = """
import json
shown = study.frame.set_index(["metric", "rule"])["verdict"]
runs = storms.frame.groupby("storm_rate")["units_consumed"].mean()
print(json.dumps({
    "control": shown.xs("ship_resale_percent", level="rule").tolist(),
    "cycles": shown["median_company_growth", "cycle_percent"],
    "eaten": [runs[0], runs[8000]], "best": [by_storms.best, by_cycles.best], "trials": len(by_storms.frame),
    "fresh": int(by_storms.checked["seeds"]), "sides": [comparison.rules_a, comparison.rules_b],
    "fed": comparison.frame.set_index("metric").loc["units_consumed", "verdict"], "directory": directory.name,
}))
"""


CROSS_SECTOR_FINDINGS = """
import json
print(json.dumps({
    "pid": client.pid, "wrong": [len(wrong), len(wrong_headless)], "holds": holds_headless, "jumps": done,
    "closed": int((~gates["open"]).sum()), "arrived": [bot.arrived for bot in played.bots],
    "again": lab.play(lab.begin(rules={"storm_rate": storm_rate}, seed=seed),
                      *(Courier(name, seed) for name in ("Ada", "Bob", "Cyd")), hours=hours).branch.digest,
    "digest": branch.digest, "spans": sorted(set(spans["doing"])),
}))
"""

OPS_FINDINGS = """
import json
print(json.dumps({
    "pid": client.pid, "connected": connected, "pending": pending, "same": same,
    "standing": [int(outlook.loc["stations that stand still", name]) for name in branches],
    "before": int(stations["status"].isin(["starved", "clogged"]).sum()),
    "after": int(after.reindex(["starved", "clogged"]).fillna(0).sum()),
    "mistake": dict(commands[commands["type"] == "set_rules"]["body"].iloc[0]["changes"]), "games": len(database.games),
}))
"""

OWN_RULES_FINDINGS = """
import json
print(json.dumps({
    "pid": client.pid, "same": same, "refusal": refusal, "credits": [red.credits, blue.credits],
    "wool": {name: {row["name"]: row["wool"] for row in table.values()} for name, table in wool.items()},
    "live": commons.view["pasture"]["main"]["grass"], "digests": [bundled.digest, stubborn.digest],
}))
"""

HEADLESS_FINDINGS = """
import json
print(json.dumps({
    "digest": digest, "legs": int(runs["legs"].iloc[0]), "ratios": table["ratio"].to_dict(),
    "engines": runs.groupby("engine")["digest"].nunique().to_dict(),
    "within": bool((table["low"].le(table["ratio"]) & table["ratio"].le(table["high"])).all()),
    "runs": list(economy.index), "ends": economy["digest"].to_dict(),
    "busy": [int(follows["busy_ships"].iloc[0]), int(follows["busy_ships"].iloc[-1])],
    "events": list(map(int, follows["events"])), "lines": len(lines), "kept": len(stored.read_text().splitlines()),
    "published": len(published), "machine": sorted({line["cpu"] for line in lines}),
}))
"""


TICK_LATENCY_FINDINGS = """
import json, psutil
print(json.dumps({
    "digests": sorted(set(runs["first_orders"])), "rounds": runs.groupby("server")["round"].nunique().to_dict(),
    "records": same["records_per_command"].to_dict(), "refused": int(runs["refused"].sum()),
    "ratios": table.to_dict("index"), "counts": counts.to_dict(), "watched": watched["sockets_open"].to_dict(),
    "frames": watched["frames_per_s"].to_dict(), "lines": len(lines), "kept": len(kept), "published": len(published),
    "left": [one.pid for one in psutil.Process().children(recursive=True) if "gamekit" in " ".join(one.cmdline())],
}))
"""

CAPACITY_FINDINGS = """
import json, psutil
print(json.dumps({
    "tried": [[step["sessions"] for step in line["steps"]] for line in lines],
    "half": [line["half"]["sessions"] for line in lines], "held": [line["capacity"] for line in lines],
    "failed": [line["failed"] for line in lines], "lives": steps["life"].max().item(),
    "within": [line["exponent_low"] <= line["exponent"] <= line["exponent_high"] for line in lines],
    "published": [line["server"] for line in published], "same": published == lines,
    "each": list(each(steps).columns.get_level_values("server").unique()),
    "left": [one.pid for one in psutil.Process().children(recursive=True) if "gamekit" in " ".join(one.cmdline())],
}))
"""


def execute(name: str, findings: str, **parameters: Any) -> tuple[dict[str, Any], Any]:
    """Run a notebook in a kernel of its own.

    Args:
        name: the file.
        findings: a cell that prints one line of JSON, put in before the last cell.
        parameters: what the parameters cell shall say.

    Returns:
        The findings, and the notebook as it was executed.
    """
    notebook = read(NOTEBOOKS / name, as_version=4)
    given = "\n".join(f"{key} = {value!r}" for key, value in parameters.items())
    place = next(index for index, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ()))
    notebook.cells.insert(place + 1, new_code_cell(given))
    probe = new_code_cell(findings)
    notebook.cells.insert(len(notebook.cells) - 1, probe)
    resources = {"metadata": {"path": NOTEBOOKS}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    keep(name, [cell for cell in notebook.cells if cell is not probe], notebook.metadata)
    printed = "".join(output.text for output in probe.outputs if output.output_type == "stream")
    return json.loads(printed.strip().splitlines()[-1]), notebook


def keep(name: str, cells: list[Any], metadata: Any) -> None:
    """Leave a notebook as it was executed for the documentation's gallery."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    aside = EXECUTED / f"{name}.part"
    nbformat.write(new_notebook(cells=cells, metadata=metadata), aside)  # type: ignore[no-untyped-call]
    aside.replace(EXECUTED / name)


def outputs(notebook: Any, cell: str) -> list[dict[str, Any]]:
    """The MIME bundles that a cell has shown."""
    found = next(one for one in notebook.cells if one.get("id") == cell)
    return [output["data"] for output in found.outputs if "data" in output]


def gone(pid: int) -> bool:
    """Whether no process has this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def complaints(notebook: Any) -> list[str]:
    """What cells wrote to stderr, but for the note that a machine is slow."""
    written = [o.text for c in notebook.cells for o in c.get("outputs", ()) if o.get("name") == "stderr"]
    return [text for text in written if not text.startswith("Starting a gamekit server")]


def test_first_game_sends_a_ship_four_sectors_away_and_leaves_nothing() -> None:
    found, notebook = execute("01-first-game.ipynb", FIRST_GAME_FINDINGS, speed=50)
    assert found["gates"] == 4
    assert found["jumped"] == 4
    assert (found["sector"], found["status"], found["queue"]) == (found["goal"], "idle", 0)
    assert (found["order"], found["pending"]) == ("done", 0)
    assert (found["ships"], found["sectors"]) == (2, 16)
    assert found["prices"] > 100
    assert found["margins"] > 3
    assert found["commands"] == ["join", "join", "set_speed", "move"]
    assert found["latency"] > 0
    assert found["ticks"] > 0
    assert found["svg"] == ["<svg", "<svg", "<svg"]
    with pytest.raises(ProcessLookupError):
        os.kill(found["pid"], 0)
    assert not Path(found["data"]).exists()
    shown = outputs(notebook, "map")[0]
    assert {"application/vnd.jupyter.widget-view+json", "image/svg+xml"} <= set(shown)
    assert "tick lateness" in outputs(notebook, "latency-chart")[0]["image/svg+xml"]
    assert complaints(notebook) == []


def test_economy_is_alive_in_balance_and_better_off_after_the_doctor() -> None:
    found, notebook = execute("02-economy.ipynb", ECONOMY_FINDINGS, hours=8)
    assert found["digest"] == found["same"]
    assert (found["hours"], found["samples"]) == (8, 8 * 6 + 1)
    assert found["sales"] > 0
    assert found["imbalance"] == "largest imbalance of any asset at any sample: 0"
    assert found["routes"] > 20
    assert found["needed"] > 1
    assert found["ill"] > 10 * (found["well"] + 1)
    assert found["fed"][1] > found["fed"][0]
    for cell in ("prices", "books-ware", "books-credits", "routes-chart", "routes-after"):
        assert outputs(notebook, cell)[0]["image/svg+xml"].startswith("<svg")
    assert complaints(notebook) == []


def test_no_ship_is_stuck_in_storms_live_or_headless() -> None:
    found, notebook = execute("03-cross-sector.ipynb", CROSS_SECTOR_FINDINGS, jumps=8, hours=0.4)
    assert found["wrong"] == [0, 0]
    assert found["holds"] > 5
    assert found["jumps"] == 8
    assert found["closed"] > 0
    assert min(found["arrived"]) > 3
    assert found["again"] == found["digest"]
    assert {"flying", "jumping", "holding"} <= set(found["spans"])
    for cell in ("ship-chart", "headless-spans"):
        assert outputs(notebook, cell)[0]["image/svg+xml"].startswith("<svg")
    assert gone(found["pid"])
    assert complaints(notebook) == []


def test_live_game_is_watched_forked_and_repaired_and_nobody_loses_anything() -> None:
    found, notebook = execute("04-ops.ipynb", OPS_FINDINGS, neglected=1, ahead=1)
    assert found["connected"] == [True, True]
    assert found["pending"] == [0, 0]
    assert found["same"] is True
    assert found["mistake"] == {"trade_range_jumps": 1, "minimum_stock_percent": 60}
    assert found["before"] > 10 > found["after"]
    assert found["standing"][0] > 10 > found["standing"][2]
    assert found["games"] == 4
    for cell in ("latency", "percentiles", "seconds"):
        assert outputs(notebook, cell)[0]["image/svg+xml"].startswith("<svg")
    assert gone(found["pid"])
    assert complaints(notebook) == []


def test_rules_and_a_game_of_ones_own_run_live_and_headless_from_one_cell() -> None:
    found, notebook = execute("05-own-rules.ipynb", OWN_RULES_FINDINGS, hours=0.3)
    assert found["same"] is True
    assert found["credits"] == [99_500.0, 100_500.0]
    assert found["refusal"].endswith("[unknown_player]")
    assert found["digests"][0] != found["digests"][1]
    modest, greedy = found["wool"]["modest"], found["wool"]["greedy"]
    assert modest["Ada"] > 10 * greedy["Ada"] > 0
    assert sum(modest.values()) > 10 * sum(greedy.values())
    assert gone(found["pid"])
    assert complaints(notebook) == []


def test_what_if_is_answered_by_forks_of_a_live_game_that_goes_on_unasked() -> None:
    found, notebook = execute("06-fork-what-if.ipynb", FORK_FINDINGS, past_hours=0.5, hours=2, moments=2, quiet_s=2)
    assert found["futures"] == ["goes on", "rests", "buys a courier", "buys a freighter", "the storms end"]
    assert (found["moments"], found["same"]) == (2, 2)
    assert found["trading_pays"]
    assert found["went_on"] > 0
    assert found["live"] > found["branch"] >= 18_000
    assert found["orders"] == 0
    assert found["seen"]
    # The futures' ships are theirs alone.
    assert (found["freighters"], found["own"]) == (["freighter", "freighter"], 1)
    # So are their rules.
    assert found["storms"] == [500, 0, 500]
    assert found["calm"]
    assert found["sales"]["rests"] < found["sales"]["goes on"]
    assert "tick lateness" in outputs(notebook, "latency-chart")[0]["image/svg+xml"]
    assert outputs(notebook, "answer")[0]["image/svg+xml"].startswith("<svg")
    with pytest.raises(ProcessLookupError):
        os.kill(found["pid"], 0)
    stderr = [o.text for c in notebook.cells for o in c.get("outputs", ()) if o.get("name") == "stderr"]
    # A busy machine may take its time to start a server, which is then said.
    assert [text for text in stderr if not text.startswith("Starting a gamekit server")] == []


def test_economy_is_balanced_in_two_ways_of_which_one_feeds_the_cities() -> None:
    found, notebook = execute(
        "07-balance.ipynb", BALANCE_FINDINGS, hours=1.5, target=1.05, seeds=2, paths=4, trials=7, checks=3
    )
    assert found["control"] == ["does nothing"] * 3
    assert found["cycles"] == "matters"
    assert found["eaten"][1] < found["eaten"][0]
    storms, cycles = found["best"]
    assert found["sides"] == [storms, {"storm_rate": 200, **cycles}]
    assert (found["trials"], found["fresh"]) == (7, 3)
    assert found["fed"] == "b is higher"
    for cell in ("sensitivity", "sweep-chart", "optimise-chart", "compare-chart"):
        assert outputs(notebook, cell)[0]["image/svg+xml"].startswith("<svg")
    assert not Path(found["directory"]).exists()
    stderr = [o.text for c in notebook.cells for o in c.get("outputs", ()) if o.get("name") == "stderr"]
    assert stderr == []


def test_three_servers_play_the_same_game_and_ratios_and_counts_are_told(tmp_path: Path) -> None:
    kept = tmp_path / "lines.jsonl"
    times = {"every_s": 1.0, "warm_s": 0.6, "window_s": 1.0}
    small = {"sessions": 4, "spectators": 40, "rounds": 2, "keep": True, "results": str(kept), **times}
    found, notebook = execute("10-tick-latency.ipynb", TICK_LATENCY_FINDINGS, **small)
    # The seed decides what players do, on every machine.
    assert found["digests"] == ["37fc3a4440c1b668"]
    assert found["rounds"] == dict.fromkeys(["gamekit", "naive", "naive-legs"], 2)
    assert found["refused"] == 0
    # Eight orders are counted in a window, and some at either end may fall beside it.
    assert all(0.4 < share < 1.6 for share in found["records"].values())
    assert set(found["ratios"]) == {"naive", "naive-legs"}
    assert all(0 < row["low"] <= row["ratio"] <= row["high"] for row in found["ratios"].values())
    # A tick that forty watch is encoded once.
    watched = found["counts"]["40 who watch"]
    assert watched["encodings a tick"] < 2
    assert watched["frames an encoding"] > 20
    assert found["counts"]["players"]["orders a commit"] > 0.5
    assert found["watched"] == dict.fromkeys(["gamekit", "naive", "naive-legs"], 40)
    assert found["lines"] == found["kept"] == found["published"] == 2 * 3 + 3
    assert found["left"] == []
    for cell in ("ratio-chart", "late-chart", "kept-chart"):
        assert outputs(notebook, cell)[0]["image/svg+xml"].startswith("<svg")
    assert complaints(notebook) == []


def test_capacity_is_searched_on_two_servers_and_half_of_it_is_looked_at(tmp_path: Path) -> None:
    kept = tmp_path / "lines.jsonl"
    # A limit that the busiest machine keeps: no time is asserted, but that all of it happens.
    small = {"first": 2, "most": 8, "warm_s": 0.3, "window_s": 0.5, "limit_ms": 60_000.0}
    found, notebook = execute("11-capacity.ipynb", CAPACITY_FINDINGS, **small, keep=True, results=str(kept))
    assert found["tried"] == [[2, 4, 8], [2, 4, 8]]
    assert (found["held"], found["half"], found["failed"]) == ([8, 8], [4, 4], [None, None])
    assert found["lives"] == 2
    assert found["within"] == [True, True]
    assert found["published"] == found["each"] == ["gamekit", "naive-legs"]
    assert found["same"]
    assert found["left"] == []
    for cell in ("steps-chart", "kept-chart"):
        assert outputs(notebook, cell)[0]["image/svg+xml"].startswith("<svg")
    assert complaints(notebook) == []


def test_mesa_and_gamekit_end_alike_and_what_was_measured_is_kept_and_read_back(tmp_path: Path) -> None:
    kept = tmp_path / "kept" / "lines.jsonl"
    small = {"sessions": 2, "ticks": 600, "rounds": 2, "hours": 0.2}
    found, notebook = execute("12-headless.ipynb", HEADLESS_FINDINGS, **small, keep=True, results=str(kept))
    assert (found["digest"], found["legs"]) == ("eb42111c43b2609d", 966)
    assert found["engines"] == dict.fromkeys(["gamekit", "gamekit-ticks", "mesa", "mesa-events"], 1)
    # It is thirteen times as much, and more than three times; here only a few milliseconds are measured.
    assert found["ratios"]["mesa"] > 3
    assert found["ratios"]["mesa-events"] > 1
    assert found["within"]
    assert {"traders", "traders-busy", *(info.name for info in scenarios())} < set(found["runs"])
    assert found["ends"]["traders"] == simulate(traders(), {}, 1, 0.2).digest
    assert found["busy"][0] > 10 * (found["busy"][1] + 1)
    assert found["events"] == sorted(found["events"], reverse=True)
    assert found["lines"] == found["kept"] == found["published"] == 2 * (4 + len(found["runs"]) + 6)
    assert len(found["machine"]) == 1
    for cell in ("ratio-chart", "economy-chart", "follows-chart", "kept-chart"):
        assert outputs(notebook, cell)[0]["image/svg+xml"].startswith("<svg")
    assert complaints(notebook) == []


def traders() -> dict[str, Any]:
    """The scenario of the 200-ship hour."""
    companies = [{"name": f"Traders {number}", "ships": 50, "credits": 50_000_000} for number in range(1, 5)]
    return {"name": "nearest-stars", "companies": companies}


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebook_is_kept_without_outputs_and_says_what_it_teaches(path: Path) -> None:
    notebook = read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert sum("parameters" in cell.metadata.get("tags", ()) for cell in code) == 1
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.cells[0].source.startswith("# ")
    assert "you will" in notebook.cells[0].source
