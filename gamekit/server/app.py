"""The server as a whole: routes over a host over a journal, from start to drain."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tornado.netutil import bind_sockets

from gamekit.errors import ServerError
from gamekit.files import private_directory, tighten_own
from gamekit.game import Game
from gamekit.games import hosted
from gamekit.journal import Journal, SqliteJournal
from gamekit.server import api, pages, pasts, routes, rules
from gamekit.server.access import Access
from gamekit.server.auth import load_tokens
from gamekit.server.budgets import Budgets
from gamekit.server.connections import BoundedServer, room_for_connections
from gamekit.server.host import Host
from gamekit.server.limits import Limits
from gamekit.server.logs import log_request
from gamekit.server.prefix import Prefixed, cleaned
from gamekit.server.replayers import Replayers
from gamekit.server.scenarios import ScenariosRoute
from gamekit.server.settings import DRAIN_SOCKETS_S, MAX_FRAME_BYTES, MAX_READ_BYTES, ROW_THREADS, Settings
from gamekit.server.sockets import CLOSE_GOING_AWAY, GameSocket
from gamekit.server.views import Views
from gamekit.server.wall import Wall
from gamekit.session import ConnectionId

log = logging.getLogger("gamekit.server")


class Server:
    """One server process: `await start()`, then `await drain()`.

    Args:
        settings: address, port, data directory.
        journal: instead of SQLite in the data directory.
        games: the rules by name; the first is the default. Without them the bundled game and those of the settings.

    Raises:
        ConfigError: a game of the settings cannot be imported, or the settings' rules, base URL, hosts, origins or
            proxies are not possible.
        ServerError: the data directory cannot be used.
        JournalError: the database cannot be opened, e.g. because another server has it.
    """

    def __init__(
        self, settings: Settings, journal: Journal | None = None, games: Mapping[str, Game[Any]] | None = None
    ) -> None:
        self.settings = settings
        cleaned(settings.base_url)
        self.access = Access(settings)
        try:
            private_directory(settings.directory)
            tighten_own(settings.directory)
        except OSError as error:
            raise ServerError(
                f"The data directory {settings.directory} cannot be made: {error.strerror}. Choose another with --data."
            ) from None
        self.tokens = load_tokens(settings.directory)
        own = journal is None and games is None
        games = games or hosted(settings.games)
        self.limits = Limits(settings.limits, games, time.monotonic)
        for game in games.values() if settings.rules else ():
            # What the owner makes the rule for all games is no stranger's doing.
            self.limits.allow(game, game.new({"rules": settings.rules}, 0))
        wall = Wall(
            time.time,
            max_catch_up_s=settings.max_catch_up_days * 86_400,
            trust=settings.trust_clock,
            skip=settings.skip_missing_time,
        )
        self.host = Host(
            journal or SqliteJournal(settings.database, wall=wall.now_s, keep=settings.keep),
            games,
            sleep_after_s=settings.sleep_after_s,
            wall=wall,
            replayers=Replayers(settings.database, settings.games) if own else None,
        )
        #: Open sockets, attached or not.
        self.sockets: set[GameSocket] = set()
        self.port = settings.port
        #: Where pages of rows are read: few threads, so that however many ask, other work has its turn.
        self.row_threads = ThreadPoolExecutor(ROW_THREADS, thread_name_prefix="gamekit-rows")
        self.budgets = Budgets(time.monotonic)
        self.views = Views(self.host, self.budgets)
        self._connections = 0
        self.http: BoundedServer | None = None
        self._drained = asyncio.Event()

    @property
    def url(self) -> str:
        """Where the server answers, with a slash at the end."""
        address = f"[{self.settings.address}]" if ":" in self.settings.address else self.settings.address
        return f"http://{address}:{self.port}{self.prefix}/"

    @property
    def prefix(self) -> str:
        """The path below which the server answers beside its root; "" for none."""
        return cleaned(self.settings.base_url, self.port)

    @property
    def admin_url(self) -> str:
        """The admin page with its token; the token is in the fragment, so no log and no Referer ever holds it."""
        return f"{self.url}admin#token={self.tokens.admin}"

    def new_connection(self) -> ConnectionId:
        """A number for a socket."""
        self._connections += 1
        return ConnectionId(self._connections)

    async def start(self) -> None:
        """Open the database and accept connections.

        Raises:
            ServerError: the port is taken, or the address is not this machine's.
        """
        port, address = self.settings.port, self.settings.address
        try:
            bound = bind_sockets(port, address)
        except (socket.gaierror, UnicodeError):
            raise ServerError(f"The address {address!r} is not known here. Choose another with --address.") from None
        except (OSError, OverflowError) as error:
            raise ServerError(
                f"Port {port} on {address} cannot be used: {getattr(error, 'strerror', None) or error}. "
                "Choose another with --port; 0 takes any free one."
            ) from None
        try:
            self.host.start()
        except BaseException:
            for one in bound:
                one.close()
            raise
        self.port = bound[0].getsockname()[1]
        self.access.listens(bound)
        self.http = BoundedServer(
            self._application(),
            most=self.settings.max_connections or room_for_connections(),
            per_address=self.settings.max_per_address,
            idle_s=self.settings.idle_timeout_s,
            uncapped=self.access.proxies.trusts,
            max_body_size=MAX_READ_BYTES,
        )
        self.http.add_sockets(bound)

    async def drain(self) -> None:
        """Tell the clients, finish what is under way, make everything durable, stop. A second call waits too."""
        if self.host.draining:
            await self._drained.wait()
            return
        log.info("draining: finishing what is under way")
        if self.http is not None:
            self.http.stop()
        await self.host.drain()
        for one in list(self.sockets):
            one.close(CLOSE_GOING_AWAY, "drain")
        deadline = asyncio.get_running_loop().time() + DRAIN_SOCKETS_S
        while self.sockets and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.01)
        if self.http is not None:
            await self.http.close_all_connections()
        self.row_threads.shutdown(wait=False, cancel_futures=True)
        self._drained.set()

    def _application(self) -> Prefixed:
        shared: dict[str, Any] = {"server": self}
        game = r"/api/game/([A-Za-z0-9_-]{1,64})"
        return Prefixed(
            [
                (r"/", pages.Page, {"file": "index.html", "base": "./"}),
                (r"/play/([A-Za-z0-9_-]{1,64})", pages.Page, {"file": "index.html", "base": "../"}),
                (r"/admin", pages.Page, {"file": "admin.html", "base": "./"}),
                (r"/web/([A-Za-z0-9_./-]+)", pages.WebFiles, {"path": str(pages.WEB_DIRECTORY)}),
                (r"/healthz", pages.Health, {**shared, "ready": False}),
                (r"/readyz", pages.Health, {**shared, "ready": True}),
                (r"/metrics", pages.MetricsPage, shared),
                (r"/api/games", routes.GamesRoute, shared),
                (r"/api/rules", rules.RulesRoute, shared),
                (r"/api/scenarios", ScenariosRoute, shared),
                (r"/api/game/new", routes.NewGameRoute, shared),
                (game, routes.GameRoute, shared),
                (rf"{game}/ws", GameSocket, shared),
                (rf"{game}/export", pasts.ExportRoute, shared),
                (rf"{game}/fork", pasts.ForkRoute, shared),
                (r"/api/games/import", pasts.ImportRoute, shared),
                (rf"{game}/state", routes.StateRoute, shared),
                (rf"{game}/join", routes.JoinRoute, shared),
                (rf"{game}/commands", routes.CommandsRoute, shared),
                (rf"{game}/skip", routes.SkipRoute, shared),
                (rf"{game}/latency", routes.LatencyRoute, shared),
                (rf"{game}/rules", rules.GameRulesRoute, shared),
                (rf"{game}/(pause|resume|speed|step|policy)", routes.ControlRoute, shared),
            ],
            self.prefix,
            access=self.access,
            foreign=(api.ForeignHost, shared),
            default_handler_class=api.MissingRoute,
            default_handler_args=shared,
            websocket_max_message_size=MAX_FRAME_BYTES,
            transforms=[pages.CompressedPages],
            log_function=log_request,
        )
