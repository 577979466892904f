"""Files and directories that hold games or secrets: made for their owner alone, and replaced whole or not at all.

A database, a backup and a capsule hold everything that was ever commanded, and a data directory the secret that signs
tokens, so others on the same machine may not read them (0600, 0700). Owns no path: callers say which. Knows nothing of
what is in a file.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
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
def replacing(path: Path) -> Iterator[Path]:
    """Write a file beside its place, and put it there once it is whole and on the disk.

    The block writes to the path that it is given. When the block fails, or the process dies in it, what was at `path`
    is as it was. A symbolic link at `path` stays, and what it leads to is replaced.

    Args:
        path: where the file shall be.

    Yields:
        The temporary file's path, in the same directory: an empty file that only its owner can read.

    Raises:
        OSError: the file cannot be made, written or put in its place.
    """
    target = path.resolve() if path.is_symlink() else path
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE))
    try:
        yield aside
        _sync(aside)
        aside.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink()
        raise
    # The name is safe only once its directory is on the disk; not every file system knows how to.
    with contextlib.suppress(OSError):
        _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
