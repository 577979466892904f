"""A disk with the operating system's page cache before it: one file, which is only ever added to.

It fails as real ones do:

- What is written is in the cache at once, on the disk only after an fsync. A killed process loses nothing that was
  written; a power loss loses what was not synced, but any of its sectors may have made it.
- A write that fails may have written a part.
- After an fsync that failed the pages count as clean: what they hold may be on the disk, or in part, or not at all, a
  later fsync says nothing about them, and whoever reads the file sees them as long as the machine is up. Only writing
  them anew helps.

Frames are what one commit writes: length, checksum, payload, where the checksum covers the frame before it as well, as
in SQLite's write-ahead log. Whatever does not check is the end of the file.
"""

from __future__ import annotations

import errno
import hashlib
import random

#: What a disk writes in one piece, in bytes.
SECTOR_BYTES = 512
_LENGTH_BYTES = 4
_CHECK_BYTES = 16


class Disk:
    """One file's bytes, as the cache has them and as the platter has them."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._cache = bytearray()
        self._platter = bytearray()
        #: Where the cache may differ from the platter and the next fsync will write: (from, to), or None.
        self._dirty: tuple[int, int] | None = None
        #: How far the platter was found whole: (where, checksum of the last frame).
        self._safe: tuple[int, bytes] = (0, b"")

    def write(self, offset: int, data: bytes, fails_with: int | None = None) -> None:
        """Write into the cache.

        Args:
            offset: where, at most the length of the file.
            data: what.
            fails_with: an errno with which it fails, after any part of it.

        Raises:
            OSError: it was told to fail.
        """
        written = data if fails_with is None else data[: self._chance.randrange(len(data))]
        self._cache[offset : offset + len(written)] = written
        if written:
            low, high = self._dirty or (offset, offset)
            self._dirty = (min(low, offset), max(high, offset + len(written)))
        if fails_with is not None:
            raise OSError(fails_with, errno.errorcode[fails_with])

    def fsync(self, *, fails: bool = False, lies: bool = False) -> None:
        """Bring what is dirty to the platter.

        Raises:
            OSError: it was told to fail; the pages count as clean all the same.
        """
        dirty, self._dirty = self._dirty, None
        if dirty is None or lies:
            return
        low, high = dirty
        if fails:
            self._some_sectors(low, high)
            raise OSError(errno.EIO, "EIO")
        self._copy(low, high)

    def lose_power(self) -> None:
        """Only the platter is left; of what was dirty any sectors may have made it."""
        if self._dirty is not None:
            self._some_sectors(*self._dirty)
        self._dirty = None
        self._cache = bytearray(self._platter)

    def rewrite(self) -> None:
        """Write everything anew that may be in the cache only, so that the next fsync says something about it."""
        if self._cache:
            self._dirty = (0, len(self._cache))

    def frames(self) -> list[tuple[int, bytes]]:
        """The whole frames that a process reads, each as (where it ends, checksum)."""
        return _frames(self._cache, 0, b"")

    def newly_safe(self, end: int) -> list[bytes]:
        """The checksums of whole frames on the platter up to `end` that were not there when last asked."""
        found = [(at, check) for at, check in _frames(self._platter, *self._safe) if at <= end]
        if found:
            self._safe = found[-1]
        return [check for _, check in found]

    def _copy(self, low: int, high: int) -> None:
        if len(self._platter) < low:
            self._platter.extend(bytes(low - len(self._platter)))
        self._platter[low:high] = self._cache[low:high]

    def _some_sectors(self, low: int, high: int) -> None:
        kind = self._chance.choice(("none", "first", "any", "all"))
        first = self._chance.randrange(low, high + 1)
        for start in range(low // SECTOR_BYTES * SECTOR_BYTES, high, SECTOR_BYTES):
            lower, upper = max(start, low), min(start + SECTOR_BYTES, high)
            if kind == "first":
                upper = min(upper, first)
            if kind != "none" and lower < upper and (kind != "any" or self._chance.random() < 0.5):
                self._copy(lower, upper)


def frame(previous: bytes, payload: bytes) -> tuple[bytes, bytes]:
    """A frame's bytes and its checksum, given the checksum of the frame before it."""
    check = _check(previous, payload)
    return len(payload).to_bytes(_LENGTH_BYTES, "big") + check + payload, check


def _check(previous: bytes, payload: bytes) -> bytes:
    return hashlib.blake2b(previous + payload, digest_size=_CHECK_BYTES).digest()


def _frames(content: bytearray, start: int, previous: bytes) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    head_bytes = _LENGTH_BYTES + _CHECK_BYTES
    while start + head_bytes <= len(content):
        length = int.from_bytes(content[start : start + _LENGTH_BYTES], "big")
        check = bytes(content[start + _LENGTH_BYTES : start + head_bytes])
        end = start + head_bytes + length
        if length == 0 or end > len(content) or _check(previous, bytes(content[start + head_bytes : end])) != check:
            break
        found.append((end, check))
        start, previous = end, check
    return found
