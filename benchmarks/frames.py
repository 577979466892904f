"""How long a million rows take to become a data frame.

    python benchmarks/frames.py                # a million rows of each long frame
    python benchmarks/frames.py --rows 20000   # fewer; a test does this

Prints one line of JSON: `rows`, and for each frame its CPU seconds and how many rows it made, `{frame}_cpu_s` and
`{frame}_rows`:

- `trades`, `events`: of a recorded simulation, repeated until there are enough
- `commands`, `latency`: read from a database file, every record checked against its chain
- `ledger`: samples of all accounts, as `run.history.ledger`
- `parquet`: the trades written as Parquet
- `peak_mb`: the most resident memory of the process
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import msgspec

from gamekit import lab
from gamekit.capsule import write_capsule
from gamekit.game import GameId
from gamekit.journal import GameRow, Past, Record, chain_of
from gamekit.journal.buckets import counted
from gamekit.lab.frames.columns import HISTORY_COLUMNS
from gamekit.lab.frames.long import long_frame
from gamekit.lab.frames.state import StateFrames


def database(path: Path, rows: int) -> None:
    """A capsule with so many commands, one in a record, and as many rows of latency."""
    begun = lab.begin(seed=7).past
    row = GameRow(GameId("g"), begun.row.game, begun.row.version, "Long", begun.row.config, begun.row.seed, 0.0, 1)
    body = {"type": "move", "ship": "ship-1", "to": {"sector": "sol", "x": 0, "y": 0}, "append": True}
    records, chain = [], ""
    for seq in range(1, rows + 1):
        text = json.dumps([{"player": "p1", "client": "c", "cid": seq, "body": body}])
        chain = chain_of(chain, row.id, 1, seq, seq, text)
        records.append(Record(row.id, 1, seq, seq, text, chain))
    snapshots = [msgspec.structs.replace(one, game=row.id) for one in begun.snapshots]
    write_capsule(Past(row, records, snapshots, rows), path)
    # The ten ticks of a second, seldom two of them alike.
    ticks = [counted(sorted(60 + 37 * (at * number % 97) for number in range(1, 11))) for at in range(1, 98)]
    times = ((float(at), 10, *range(10), ticks[at % 97], ticks[(at + 5) % 97]) for at in range(rows))
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(f"insert into latency values ('g'{', ?' * 14})", times)
        connection.commit()


def measured(work: Callable[[], Any], figures: dict[str, Any], name: str) -> Any:
    """Do it and note its CPU seconds and its rows."""
    begun = time.process_time()
    done = work()
    figures[f"{name}_cpu_s"] = round(time.process_time() - begun, 2)
    figures[f"{name}_rows"] = len(done) if done is not None else figures["rows"]
    return done


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    figures: dict[str, Any] = {"run": "frames", "rows": rows}
    run = lab.simulate("nearest-stars", seed=1, hours=2, record_minutes=10)
    events = run.history.events
    trades = [one for one in events if type(one[1]).__name__ in {"WareBought", "WareSold"}]

    def frames(some: list[Any]) -> StateFrames:
        return StateFrames(run.game, run.state, list(islice(cycle(some), rows)))

    many_trades, many_events = frames(trades), frames(events)
    made = measured(lambda: many_trades.trades, figures, "trades")
    measured(lambda: many_events.events, figures, "events")
    samples = run.history.columns("ledger")
    values = {name: list(islice(cycle(cells), rows)) for name, cells in samples.items()}
    measured(lambda: long_frame(HISTORY_COLUMNS["ledger"], values), figures, "ledger")
    with tempfile.TemporaryDirectory() as directory:
        measured(lambda: made.to_parquet(Path(directory) / "trades.parquet"), figures, "parquet")
        path = Path(directory) / "long.capsule"
        database(path, rows)
        measured(lambda: lab.open(path).game.frame.commands, figures, "commands")
        measured(lambda: lab.open(path).game.frame.latency, figures, "latency")
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
