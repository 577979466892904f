"""What gamekit makes is its owner's alone, and a file is replaced whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from gamekit.files import made_once, private_directory, private_file, replace_text, replacing


def mode(path: Path) -> int:
    """The permissions of a file or directory."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277])
def test_what_is_made_is_the_owners_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        private_directory(tmp_path / "data")
        private_file(tmp_path / "data" / "gamekit.db")
    finally:
        os.umask(before)
    assert mode(tmp_path / "data") == 0o700
    assert mode(tmp_path / "data" / "gamekit.db") & 0o077 == 0


def test_a_directory_that_gamekit_made_is_closed_and_one_with_other_things_is_left(tmp_path: Path) -> None:
    own, shared = tmp_path / "own", tmp_path / "shared"
    for directory in (own, shared):
        directory.mkdir()
        directory.chmod(0o755)
        (directory / "gamekit.db").touch(0o644)
        private_file(directory / "gamekit.db")
        assert mode(directory / "gamekit.db") == 0o600
    (shared / "site.html").touch()
    private_directory(own)
    private_directory(shared)
    assert mode(own) == 0o700
    assert mode(shared) == 0o755


def test_a_file_in_the_place_of_a_directory_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(OSError, match="it is a file"):
        private_directory(tmp_path / "data")


def test_a_failed_write_leaves_the_old_file_and_no_part_of_the_new(tmp_path: Path) -> None:
    target = tmp_path / "kept.csv"
    target.write_text("old")

    def write() -> None:
        with replacing(target) as aside:
            aside.write_text("half of the n")
            raise ValueError("half-way")

    with pytest.raises(ValueError, match="half-way"):
        write()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["kept.csv"]


def test_a_written_file_takes_the_place_of_the_old_one_also_behind_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "kept.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    with replacing(link) as aside:
        aside.write_text("new")
    assert target.read_text() == "new"
    assert link.is_symlink()
    assert mode(target) == 0o600
    assert sorted(os.listdir(tmp_path)) == ["kept.csv", "link.csv"]


def test_what_is_not_private_keeps_the_permissions_that_it_had(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("old")
    target.chmod(0o640)
    replace_text(target, "new")
    assert (target.read_text(), mode(target)) == ("new", 0o640)


def test_a_pipe_is_written_into_and_stays_one(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with replacing(pipe) as aside:
            aside.write_text("all of it")
        assert os.read(read, 100) == b"all of it"
    finally:
        os.close(read)
    assert pipe.is_fifo()


def test_of_two_who_make_a_file_once_the_first_ones_is_kept(tmp_path: Path) -> None:
    secret = tmp_path / "secret.key"
    made_once(secret, b"first")
    made_once(secret, b"second")
    assert (secret.read_bytes(), mode(secret)) == (b"first", 0o600)
    assert os.listdir(tmp_path) == ["secret.key"]
