"""Run a script and note what SQLite asks of the operating system: writes and syncs, at its own door, its VFS.

    python watched.py TRACE FAIL_FROM SCRIPT [ARGUMENT ...]

Needs no tracer and no privilege: the functions of SQLite's default VFS are replaced, in the one SQLite library of the
process, by ones that note the call and pass it on. One line of JSON a call, in the order in which they ended: `[call,
file's name, text, result]`. What the script writes with `os.write` is noted among them. From sync number FAIL_FROM on
(0: none) each fails, as a disk that has gone bad does.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import json
import os
import runpy
import sys
from pathlib import Path
from typing import Any

IOERR_FSYNC = 1034
METHODS = [
    "xClose",
    "xRead",
    "xWrite",
    "xTruncate",
    "xSync",
    "xFileSize",
    "xLock",
    "xUnlock",
    "xCheckReservedLock",
    "xFileControl",
    "xSectorSize",
    "xDeviceCharacteristics",
    "xShmMap",
    "xShmLock",
    "xShmBarrier",
    "xShmUnmap",
    "xFetch",
    "xUnfetch",
]
OPEN = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
WRITE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int64)
SYNC = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)


class IoMethods(ctypes.Structure):
    """`sqlite3_io_methods`."""

    _fields_ = (("iVersion", ctypes.c_int), *((name, ctypes.c_void_p) for name in METHODS))


class Vfs(ctypes.Structure):
    """The beginning of `sqlite3_vfs`."""

    _fields_ = (
        ("iVersion", ctypes.c_int),
        ("szOsFile", ctypes.c_int),
        ("mxPathname", ctypes.c_int),
        ("pNext", ctypes.c_void_p),
        ("zName", ctypes.c_char_p),
        ("pAppData", ctypes.c_void_p),
        ("xOpen", ctypes.c_void_p),
    )


class Door:
    """SQLite's default VFS with a watchman."""

    def __init__(self, trace: Path, fail_from: int) -> None:
        library = ctypes.CDLL(_sqlite3.__file__)
        library.sqlite3_vfs_find.restype = ctypes.POINTER(Vfs)
        self.trace = os.open(trace, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self.fail_from = fail_from
        self.syncs = 0
        self.write = os.write
        self.names: dict[int, str] = {}
        self.methods: dict[int, IoMethods] = {}
        #: Whatever SQLite may still call.
        self.kept: list[Any] = []
        vfs = library.sqlite3_vfs_find(None).contents
        self.really_open = OPEN(vfs.xOpen)
        vfs.xOpen = self.pointer(OPEN(self.open))

    def pointer(self, function: Any) -> Any:
        """A function as an address."""
        self.kept.append(function)
        return ctypes.cast(function, ctypes.c_void_p).value

    def note(self, call: str, name: str, text: str, result: int) -> None:
        """One line of the trace."""
        self.write(self.trace, json.dumps([call, name, text, result]).encode() + b"\n")

    def open(self, vfs: int, name: int | None, file: int, flags: int, out: int | None) -> int:
        """`xOpen`: hand out a file whose methods are watched."""
        result = self.really_open(vfs, name, file, flags, out)
        methods = ctypes.cast(file, ctypes.POINTER(ctypes.c_void_p))
        if result == 0 and methods[0]:
            self.names[file] = os.path.basename(ctypes.string_at(name).decode()) if name else ""
            methods[0] = ctypes.addressof(self.watched(methods[0]))
        return result

    def watched(self, address: int) -> IoMethods:
        """A copy of a table of methods whose writes and syncs are noted."""
        if address in self.methods:
            return self.methods[address]
        copy = IoMethods.from_buffer_copy(IoMethods.from_address(address))
        really_write, really_sync = WRITE(copy.xWrite), SYNC(copy.xSync)

        def write(file: int, data: int, size: int, offset: int) -> int:
            result = really_write(file, data, size, offset)
            self.note("pwrite64", self.names[file], "", -1 if result else size)
            return result

        def sync(file: int, flags: int) -> int:
            self.syncs += 1
            failing = 0 < self.fail_from <= self.syncs
            result = IOERR_FSYNC if failing else really_sync(file, flags)
            self.note("fsync", self.names[file], "", -1 if result else 0)
            return result

        copy.xWrite, copy.xSync = self.pointer(WRITE(write)), self.pointer(SYNC(sync))
        self.methods[address] = copy
        return copy

    def say(self, descriptor: int, data: bytes) -> int:
        """`os.write`, noted."""
        size = self.write(descriptor, data)
        self.note("write", str(descriptor), json.dumps(data.decode()), size)
        return size


if __name__ == "__main__":
    door = Door(Path(sys.argv[1]), int(sys.argv[2]))
    os.write = door.say
    sys.argv = sys.argv[3:]
    runpy.run_path(sys.argv[0], run_name="__main__")
