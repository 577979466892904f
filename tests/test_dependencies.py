"""What is installed is pinned, checked by hashes, and listed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("constraints.txt", "constraints-run.txt")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+?))? \\$")
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pins(lock: str) -> dict[tuple[str, str, str], int]:
    """{(package, version, marker): number of its hashes}; a line that is neither a pin nor a hash fails."""
    found: dict[tuple[str, str, str], int] = {}
    pin = None
    for line in (ROOT / lock).read_text().splitlines():
        if started := PIN.match(line):
            pin = (started["name"], started["version"], started["marker"] or "")
            found[pin] = 0
        else:
            assert HASH.match(line), f"{lock}: {line!r} is neither a pinned package nor a hash"
            assert pin is not None
            found[pin] += 1
    return found


def normal(requirement: str) -> str:
    return re.split(r"[\[<>=!~; ]", requirement)[0].lower().replace("_", "-").replace(".", "-")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_with_hashes(lock: str) -> None:
    assert all(pins(lock).values())


def test_what_runs_is_a_part_of_what_is_developed_with() -> None:
    # Where a package is asked for differs, as more packages ask; which version it is and its files do not.
    run, all_ = ({(name, version, hashes) for (name, version, _), hashes in pins(lock).items()} for lock in LOCKS[::-1])
    assert run <= all_


def test_locks_hold_all_that_the_project_asks_for() -> None:
    locked, run = ({name for name, _, _ in pins(lock)} for lock in LOCKS)
    asked = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["build"]
    assert {normal(one) for one in asked} <= run
    for extra in PROJECT["project"]["optional-dependencies"].values():
        assert {normal(one) for one in extra} <= locked


def test_what_builds_is_pinned_and_the_same_everywhere() -> None:
    (builder,) = PROJECT["build-system"]["requires"]
    assert builder in PROJECT["dependency-groups"]["build"]
    name, _, version = builder.partition("==")
    assert all((name, version, "") in pins(lock) for lock in LOCKS)


def test_no_setuptools_with_known_faults_is_installed() -> None:
    # On macOS a package once asked for 59.8.0, which runs code from downloaded indexes (CVE-2024-6345, CVE-2025-47273).
    for name, version, _ in pins("constraints.txt"):
        assert name != "setuptools" or int(version.partition(".")[0]) >= 79


def test_make_installs_nothing_without_hashes() -> None:
    installs = [line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("\t@$(PIP)")]
    assert installs
    assert all("--require-hashes" in line or "--no-build-isolation --editable ." in line for line in installs)
    assert "--no-deps" in next(
        line for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith("PIP =")
    )


def test_bill_of_materials_lists_what_a_server_is_made_of(tmp_path: Path) -> None:
    target = tmp_path / "gamekit.cdx.json"
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", "constraints-run.txt", "--pyproject"]
    subprocess.run([*command, "pyproject.toml", "--output-reproducible", "--output-file", target], check=True, cwd=ROOT)
    bill = json.loads(target.read_text())
    assert bill["metadata"]["component"]["name"] == "gamekit"
    listed = {(one["name"], one["version"]) for one in bill["components"]}
    assert listed == {(name, version) for name, version, _ in pins("constraints-run.txt")}
