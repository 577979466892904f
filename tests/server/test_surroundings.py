"""Options of `gamekit serve` that find their surroundings wanting: one sentence that names the option, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.live import LiveServer


def serve(*options: str, data: Path, **more: Any) -> subprocess.Popen[str]:
    """`gamekit serve` with options."""
    command = [sys.executable, "-m", "gamekit", "serve", "--port", "0", "--data", str(data), *options]
    return subprocess.Popen(command, text=True, **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more})


def refused(*options: str, data: Path, **more: Any) -> str:
    """What a start that is refused says."""
    process = serve(*options, data=data, **more)
    try:
        out, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode in (1, 2), said
    assert "Traceback" not in said
    assert "gamekit server at" not in (out or "")
    return said


def close_input() -> None:
    os.close(0)


def test_exit_with_parent_without_an_input_that_ends_is_refused_by_name(tmp_path: Path) -> None:
    with open(os.devnull) as nothing, Path(__file__).open() as file:
        for given in (nothing, file):
            assert "--exit-with-parent" in refused("--exit-with-parent", data=tmp_path / "data", stdin=given)
    said = refused("--exit-with-parent", data=tmp_path / "data", preexec_fn=close_input)
    assert "--exit-with-parent" in said
    assert not (tmp_path / "data").exists()


def test_a_parent_that_talks_is_not_gone_and_one_that_ends_is(tmp_path: Path) -> None:
    process = serve("--exit-with-parent", data=tmp_path / "data", stdin=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert "gamekit server at" in process.stdout.readline()
    with LiveServer(tmp_path / "other"):
        # What is written has been read, and means nothing: the server still refuses a second one.
        process.stdin.write("still here\n")
        process.stdin.flush()
        assert "--data" not in refused(data=tmp_path / "data")
    assert process.poll() is None
    process.stdin.close()
    assert process.wait(60) == 0
    assert "drained" in process.stdout.read()
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()


def test_an_input_that_has_ended_already_drains_at_once(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(write)
    process = serve("--exit-with-parent", data=tmp_path / "data", stdin=read)
    os.close(read)
    out, said = process.communicate(timeout=60)
    assert (process.returncode, "drained" in out, "Traceback" in said) == (0, True, False)


@pytest.mark.parametrize("descriptor", ["7", "99999999999999999999", "-1"])
def test_a_ready_fd_that_cannot_be_written_to_is_refused_by_name(tmp_path: Path, descriptor: str) -> None:
    said = refused("--ready-fd", descriptor, data=tmp_path / "data", stdin=subprocess.DEVNULL)
    assert "--ready-fd" in said


def test_a_reader_of_ready_that_has_gone_and_a_closed_output_do_no_harm(tmp_path: Path) -> None:
    read, write = os.pipe()
    parent_read, parent_write = os.pipe()
    os.close(read)
    process = serve(
        "--ready-fd",
        str(write),
        "--exit-with-parent",
        data=tmp_path / "data",
        stdin=parent_read,
        pass_fds=[write],
        stdout=None,
        preexec_fn=lambda: os.close(1),
    )
    os.close(write)
    os.close(parent_read)
    os.close(parent_write)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--port", "65536"), "--port"),
        (("--port", "-1"), "--port"),
        (("--address", "no.such.host.invalid"), "--address"),
        (("--address", "a" * 80), "--address"),
        (("--address", "203.0.113.77"), "203.0.113.77"),
        (("--sleep-after", "nan"), "--sleep-after"),
        (("--sleep-after", "inf"), "--sleep-after"),
        (("--max-catch-up", "nan"), "--max-catch-up"),
        (("--max-catch-up", "inf"), "--max-catch-up"),
        (("--idle-timeout", "0"), "--idle-timeout"),
        (("--max-connections", "0"), "--max-connections"),
        (("--keep-every", "99999999999999999999"), "--keep-every"),
        (("--keep-latest", "0"), "--keep-latest"),
        (("--base-url", "https://x y"), "base url"),
        (("--trusted-proxy", "nobody"), "--trusted-proxy"),
        (("--allow-host", "a b"), "--allow-host"),
        (("--allow-origin", "*"), "--allow-origin"),
        (("--game", "nowhere:Nothing"), "nowhere"),
    ],
)
def test_what_an_option_cannot_be_is_said(tmp_path: Path, options: tuple[str, ...], named: str) -> None:
    assert named in refused(*options, data=tmp_path / "data")


def test_a_data_directory_that_cannot_be_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for data in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere/data")):
        assert "data" in refused(data=data).lower()


def test_a_start_that_fails_removes_no_directory_that_another_server_uses(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server:
        made = server.new_game()
        refused("--remove-data", data=tmp_path / "data")
        assert server.state(made["id"], made["token"])["view"]
    process = serve("--remove-data", data=tmp_path / "data")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert not (tmp_path / "data").exists()
