"""Routes for whole pasts: export a game as a capsule, take a capsule in, fork a game. For the server's owner only.

The game itself does not notice: its past is read from the journal on another thread, and nothing of it is held up.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace
from tornado.web import stream_request_body

from gamekit.capsule import SUFFIX, past_of, read_capsule, reader_of, renamed, write_capsule
from gamekit.errors import GamekitError, JournalCorrupt, JournalError, JournalFull, JournalGap
from gamekit.game import Game, GameId, Tick
from gamekit.history import glance, rebuild
from gamekit.journal import GameRow, Past
from gamekit.server.api import Api, Problem
from gamekit.server.naming import GAME_CHARS, game_name
from gamekit.upgrade import brought

T = TypeVar("T")

#: Largest capsule that is taken in, in bytes.
MAX_CAPSULE_BYTES = 1 << 30
#: How long a capsule may be on its way, in seconds.
CAPSULE_BODY_S = 3600.0
#: How much of a capsule is sent at a time, in bytes.
CHUNK_BYTES = 256 * 1024


class ForkGame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/game/{id}/fork`. Every field may be left out."""

    tick: int | None = None
    name: str | None = None


class PastApi(Api):
    """What the routes share."""

    async def past(self, game: str, tick: Tick | None) -> Past:
        """A game's past, up to `tick` or to now. A game that sleeps is not woken, unless a crash left it so."""
        journal, id = self.host.journal, GameId(game)
        row = await self.read(lambda: journal.game(id))
        if row is None:
            raise Problem(404, "no_such_game", f"There is no game {game!r}; check the id.")
        if tick is None and id not in self.host.runners and (asleep := await self.sleeping(row)) is not None:
            return asleep
        if tick is None and row.game in self.host.games:
            # What cannot be opened, or was stopped, can still be read.
            with contextlib.suppress(GamekitError):
                runner = await self.brought_back(id)
                await self.host.catch_up(runner)
                tick = runner.session.tick
        return await self.tried(lambda: past_of(journal, id, tick))

    async def sleeping(self, row: GameRow) -> Past | None:
        """The past of a game that sleeps, with the time in which it slept; None when the game must be woken for that.

        While it slept nothing was commanded, so its last record and the tick that it is now decide all.
        """
        journal, dormitory = self.host.journal, self.host.dormitory
        seen = await self.tried(lambda: glance(journal, row))
        clock = await self.tried(lambda: journal.clock(row.id))
        tick = dormitory.tick_now(row.id, seen, clock)
        past = await self.tried(lambda: past_of(journal, row.id))
        if not seen.whole or past.last_seq != seen.seq:
            return None
        return replace(past, tick=max(past.tick, tick))

    async def tried(self, work: Callable[[], T]) -> T:
        """Do work beside the loop, when it is its turn; what the journal refuses becomes a problem."""
        lanes, limits = self.host.lanes, self.server.limits
        try:
            with limits.costly(free=True), lanes.job(self.request.path, self.request.remote_ip or "") as job:
                return await lanes.run(job, work)
        except (JournalCorrupt, JournalGap) as error:
            raise Problem(422, "damaged", str(error)) from None
        except JournalFull as error:
            raise Problem(507, "disk_full", str(error)) from None
        except JournalError as error:
            if error.recoverable:
                raise Problem(503, "unavailable", str(error)) from None
            raise Problem(422, "bad_past", str(error)) from None

    async def enter(self, past: Past) -> dict[str, Any]:
        """Take a past in as a game of this server; what its players need to play it."""
        rules = self.host.games.get(past.row.game)
        if rules is None:
            known = ", ".join(self.host.games)
            raise Problem(422, "unknown_game", f"It is a game of {past.row.game!r}; this server hosts {known}.")
        try:
            past = await self.tried(lambda: brought(past, rules))
        except GamekitError as error:
            raise Problem(422, "bad_past", str(error)) from None
        await self.tried(lambda: self.host.journal.adopt(past))
        try:
            runner = await self.brought_back(past.row.id)
        except GamekitError as error:
            raise Problem(503, "unavailable", f"It was taken in, but cannot be opened: {error}") from None
        seats = [self.admission(runner, player) for player in runner.session.players]
        return {"id": past.row.id, "name": past.row.name, "tick": past.tick, "players": seats}


class ExportRoute(PastApi):
    """`GET /api/game/{id}/export`"""

    async def get(self, game: str) -> None:
        """The game as a capsule: one SQLite file."""
        self.require_admin()
        past = await self.past(game, self.number("tick") if self.parameter("tick") else None)
        with tempfile.TemporaryDirectory(prefix="gamekit-export-") as directory:
            path = Path(directory) / f"{past.row.id}{SUFFIX}"
            await self.tried(lambda: write_capsule(past, path))
            self.set_header("Content-Type", "application/vnd.sqlite3")
            self.set_header("Content-Length", str(path.stat().st_size))
            self.set_header("Content-Disposition", f'attachment; filename="{path.name}"')
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    self.write(chunk)
                    await self.flush()


class ForkRoute(PastApi):
    """`POST /api/game/{id}/fork`"""

    async def post(self, game: str) -> None:
        """Make another game with the same past, up to a tick or to now."""
        self.require_admin()
        asked = self.body_as(ForkGame)
        past = await self.past(game, asked.tick)
        name = game_name(asked.name, f"{past.row.name} (fork at tick {past.tick})"[:GAME_CHARS])
        fork = await self.tried(lambda: renamed(past, _new_id(), name=name, created_s=self.host.wall_s()))
        self.reply({**await self.enter(fork), "forked_from": game}, 201)


@stream_request_body
class ImportRoute(PastApi):
    """`POST /api/games/import`"""

    _file: Any = None
    _new_id = False

    def prepare(self) -> None:
        """Refuse a stranger before anything of the body is read."""
        super().prepare()
        self.require_admin()
        self._new_id = self.number("new_id", 0, 0, 1) == 1
        declared = self.request.headers.get("Content-Length", "0")
        # What is no number is refused by the HTTP server, as it is for every other route.
        if declared.isascii() and declared.isdigit() and int(declared[:20]) > MAX_CAPSULE_BYTES:
            raise Problem(413, "too_large", f"A capsule may have up to {MAX_CAPSULE_BYTES} bytes.")
        self.request.connection.set_max_body_size(MAX_CAPSULE_BYTES)  # type: ignore[union-attr]
        self.request.connection.set_body_timeout(CAPSULE_BODY_S)  # type: ignore[union-attr]
        if self.server.http is not None:
            self.server.http.streams(self.request.connection.stream)  # type: ignore[union-attr]
        self._file = tempfile.NamedTemporaryFile(prefix="gamekit-import-", suffix=SUFFIX, delete=False)  # noqa: SIM115

    def data_received(self, chunk: bytes) -> None:
        """Put a piece of the body aside."""
        try:
            self._file.write(chunk)
        except OSError as error:
            raise Problem(507, "disk_full", f"The capsule cannot be put aside: {error.strerror}.") from None

    async def post(self) -> None:
        """Take a capsule in: under its own id, or under a new one with `?new_id=1`."""
        # From here it is this method's: the sender may go away while it is read.
        file, self._file = self._file, None
        if file is None:
            return
        try:
            file.close()
            past = await self.tried(lambda: read_capsule(Path(file.name)))
        finally:
            # Reading a file that was written with a log leaves an empty one, and an index of it.
            for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(name)
        if self._new_id:
            past = await self.read(lambda: renamed(past, _new_id(), created_s=self.host.wall_s()))
        rules = self.host.games.get(past.row.game)
        if rules is not None:
            await self.tried(lambda: _try_out(past, rules))
        self.reply(await self.enter(past), 201)

    def on_finish(self) -> None:
        """Remove what was put aside."""
        self._tidy()

    def on_connection_close(self) -> None:
        """The sender went away half-way."""
        super().on_connection_close()
        self._tidy()

    def _tidy(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()
            os.unlink(file.name)


def _try_out(past: Past, rules: Game[Any]) -> None:
    """Play what comes after the latest snapshot of a past from elsewhere, before anything of it is kept.

    Raises:
        JournalCorrupt: the rules fail on it.
    """
    known = max(past.snapshots[-1].tick, past.records[-1].tick if past.records else 0)
    try:
        if past.snapshots[-1].version <= rules.version:
            rebuild(reader_of(past), past.row, rules, tick=known)
    except Exception as error:
        said = error if isinstance(error, GamekitError) else repr(error)
        text = f"the rules {rules.name!r} fail on game {past.row.id} ({said!s:.300})"
        raise JournalCorrupt("try a game out", text, hint="`gamekit verify` tells where") from None


def _new_id() -> GameId:
    return GameId(secrets.token_hex(5))
