"""Files that people keep: a write that fails leaves the old file whole, and nothing beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource")

#: Every writer once with room, then with hardly any. One line of JSON: {writer: what is wrong}.
SCRIPT = """
import json, os, resource, sys
from pathlib import Path

import pandas as pd

from gamekit.bench.workloads import write as bench_line
from gamekit.capsule import write_capsule
from gamekit.cli.upgrade import _copied
from gamekit.client.game import _written
from gamekit.lab.frames.export import _csv, _parquet, _sqlite
from gamekit.lab.gates.expected import path_of, rewrite_capsule
from gamekit.files import replace_text
from gamekit.space import SpaceGame
from tests.hostile import good_past

directory = Path(sys.argv[1])
frame = pd.DataFrame({"tick": range(5000), "ship": [f"ship-{n}" for n in range(5000)]})
past = good_past()
source = directory / "source.capsule"
write_capsule(past, source)
writers = {
    "capsule": lambda path: write_capsule(past, path),
    "corpus": lambda path: rewrite_capsule(path, past, SpaceGame()),
    "csv": lambda path: _csv(frame, path),
    "parquet": lambda path: _parquet(frame, path),
    "sqlite": lambda path: _sqlite({"ships": frame}, path),
    "page": lambda path: replace_text(path, "x" * 50_000),
    "download": lambda path: _written(path, bytes(50_000)),
    "benchmark": lambda path: bench_line({"x": "y" * 50_000}, path),
    "upgrade": lambda path: _copied(source, path),
}
places = {name: directory / name / f"kept.{name}" for name in writers}
for name, write in writers.items():
    places[name].parent.mkdir()
    write(places[name])
kept = {name: path.read_bytes() for name, path in places.items()}
resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, resource.RLIM_INFINITY))
wrong = {}
for name, write in writers.items():
    try:
        write(places[name])
        wrong[name] = "did not fail"
    except BaseException as error:
        if places[name].read_bytes() != kept[name]:
            wrong[name] = f"the old file is gone ({error!r})"
        elif (left := os.listdir(places[name].parent)) != [places[name].name]:
            wrong[name] = f"left {left}"
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
print(json.dumps(wrong))
"""


def test_a_write_that_fails_leaves_the_old_file_whole_and_no_part_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {}
