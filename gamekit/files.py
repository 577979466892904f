"""Files and directories that hold games or secrets: made for their owner alone, and replaced whole or not at all.

A database, a backup and a capsule hold everything that was ever commanded, and a data directory the secret that signs
tokens, so others on the same machine may not read them (0600, 0700). Owns no path: callers say which. Knows nothing of
what is in a file.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

#: Permissions of what gamekit makes: for its owner alone.
FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
#: How the names of what a server makes in its data directory begin.
_OWN_NAMES = ("gamekit.db", ".gamekit.db", "secret.key")


def private_directory(path: Path) -> None:
    """Make a directory that only its owner can read, with those above it that are missing.

    One that is there already is closed to others when it is this user's and holds nothing but what gamekit puts there;
    any other is left as it is, because somebody else may need it.

    Args:
        path: the directory.

    Raises:
        OSError: it cannot be made.
    """
    missing = [one for one in (path, *path.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    if missing:
        # Whatever the umask has taken away.
        path.chmod(DIRECTORY_MODE)
        return
    if not path.is_dir():
        raise NotADirectoryError(20, "it is a file, not a directory", str(path))
    names = os.listdir(path)
    if all(name.startswith(_OWN_NAMES) for name in names):
        tighten(path)


def tighten_own(directory: Path) -> None:
    """Close what earlier versions have put into a data directory to others.

    Args:
        directory: the data directory.

    Raises:
        OSError: it cannot be read.
    """
    for name in os.listdir(directory):
        if name.startswith(_OWN_NAMES):
            tighten(directory / name)


def private_file(path: Path) -> None:
    """Make an empty file that only its owner can read; one that is there already is closed to others.

    Args:
        path: the file.

    Raises:
        OSError: it cannot be made.
    """
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, FILE_MODE))
    tighten(path)


def tighten(path: Path) -> None:
    """Take what group and others may do with a file or directory away; no harm if it is not ours, or not there.

    Args:
        path: the file or directory; a symbolic link stands for what it leads to.
    """
    with contextlib.suppress(OSError):
        held = path.stat()
        if held.st_uid == os.geteuid() and held.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            path.chmod(stat.S_IMODE(held.st_mode) & stat.S_IRWXU)


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = True) -> Iterator[Path]:
    """Write a file beside its place, and put it there once it is whole and on the disk.

    The block writes to the path that it is given. When the block fails, or the process dies in it, what was at `path`
    is as it was. A symbolic link at `path` stays, and what it leads to is replaced.

    Args:
        path: where the file shall be. Where a device or a pipe is, it is written into once the block is done.
        private: only its owner can read it; else it has the permissions of the file that was there, or those that the
            umask gives.

    Yields:
        The temporary file's path, in the same directory: an empty file.

    Raises:
        OSError: the file cannot be made, written or put in its place.
    """
    target = path.resolve() if path.is_symlink() else path
    if target.exists() and not target.is_file() and not target.is_dir():
        with tempfile.TemporaryDirectory(prefix="gamekit-file-") as directory:
            made = Path(directory) / (target.name or "file")
            made.touch(FILE_MODE)
            yield made
            with made.open("rb") as whole, target.open("wb") as device:
                shutil.copyfileobj(whole, device)
        return
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    mode = FILE_MODE if private else 0o666
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode))
    try:
        if not private:
            with contextlib.suppress(OSError):
                aside.chmod(stat.S_IMODE(target.stat().st_mode))
        yield aside
        sync(aside)
        aside.replace(target)
    except BaseException:
        # A database leaves more than its file when it could not be written.
        for left in (aside, *(Path(f"{aside}{suffix}") for suffix in ("-journal", "-wal", "-shm"))):
            with contextlib.suppress(OSError):
                left.unlink()
        raise
    # The name is safe only once its directory is on the disk; not every file system knows how to.
    with contextlib.suppress(OSError):
        sync(target.parent)


def replace_text(path: Path, text: str, *, private: bool = False) -> None:
    """Write a text file in place of what was there, whole or not at all.

    Args:
        path: the file.
        text: what it shall hold, written as UTF-8.
        private: see `replacing`.

    Raises:
        OSError: it cannot be written.
    """
    with replacing(path, private=private) as aside:
        aside.write_text(text, encoding="utf-8")


def made_once(path: Path, data: bytes) -> None:
    """Make a private file with this content, unless there is one: of two who try, one's is kept, and it is whole.

    Args:
        path: the file.
        data: what it shall hold.

    Raises:
        OSError: it cannot be made.
    """
    if path.exists():
        return
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(aside, path)
        except FileExistsError:
            return
        except OSError:
            # A file system without hard links.
            aside.replace(path)
        with contextlib.suppress(OSError):
            sync(path.parent)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def sync(path: Path) -> None:
    """Bring a file, or the names in a directory, to the disk.

    Args:
        path: the file or directory.

    Raises:
        OSError: it is not there, or the disk failed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
