"""The routes of games: making, listing, state, joining, commands, lateness, admin verbs."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from gamekit.errors import (
    ConfigError,
    GamekitError,
    JournalCorrupt,
    JournalError,
    JournalGap,
    ServerBusy,
    ServerError,
    SessionError,
    TooCostly,
    TooOften,
)
from gamekit.game import GameId, PlayerId
from gamekit.history import glance
from gamekit.journal import Card
from gamekit.server import about, rows
from gamekit.server.api import Api, Problem, refusal
from gamekit.server.guard import FAULTS
from gamekit.server.housekeeping import A_TURN
from gamekit.server.naming import game_name
from gamekit.server.settings import MAX_NEW_GAME_BYTES
from gamekit.session import Overload, WhenEmpty
from gamekit.wire import MAX_CID, MAX_CLIENT_CHARS, MAX_MESSAGE_BYTES, MAX_SEED

log = logging.getLogger("gamekit.server")

#: Most games of one answer to `GET /api/games`.
GAMES_PAGE = 1000
#: The form of a game's id in an address.
GAME_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NewGame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/game/new`. Every field may be left out."""

    scenario: str | dict[str, Any] | None = None
    seed: int | None = None
    rules: dict[str, Any] = {}
    name: str | None = None
    player_name: str = "Player 1"
    game: str | None = None
    when_empty: WhenEmpty | None = None
    overload: Overload | None = None


class JoinGame(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/game/{id}/join`."""

    name: str


class PostCommand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/game/{id}/commands`; `cid` counts up from 1 per `client`."""

    cid: int
    body: dict[str, Any]
    client: str = ""


class Speed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/game/{id}/speed`."""

    speed: float


class SetPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/game/{id}/policy`; what is left out stays as it was."""

    when_empty: WhenEmpty | None = None
    overload: Overload | None = None


class StepTicks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST /api/game/{id}/step`."""

    ticks: int = 1


class NewGameRoute(Api):
    """`POST /api/game/new`"""

    async def post(self) -> None:
        """Make a game and its first player."""
        limits, address, free = self.server.limits, self.request.remote_ip or "", self.is_admin()
        if not free and len(self.request.body) <= MAX_NEW_GAME_BYTES:
            try:
                # Before it is read, for that is work.
                limits.check("definition_bytes", len(self.request.body), "The scenario")
            except TooCostly as error:
                raise Problem(422, "too_costly", str(error)) from None
        asked = await self.large_body_as(
            NewGame, MAX_NEW_GAME_BYTES, "The scenario is too large: a definition has up to 2,000,000."
        )
        rules = self.server.settings.rules | asked.rules
        config: dict[str, Any] = {"rules": rules} if rules else {}
        if asked.scenario is not None:
            config["scenario"] = asked.scenario
        seed = asked.seed if asked.seed is not None else _random_seed()
        if abs(seed) > MAX_SEED:
            text = f"seed: must be from {-MAX_SEED} to {MAX_SEED}, which browsers show exactly; got {seed}."
            raise Problem(400, "bad_config", text)
        name = game_name(asked.name, "New game")
        policy = {"when_empty": asked.when_empty, "overload": asked.overload}
        try:
            if not free:
                await self._within_limits(address)
            with limits.costly(free=free):
                runner, player = await self.host.new_game(
                    config,
                    seed,
                    name,
                    asked.player_name,
                    asked.game,
                    policy,
                    check=None if free else partial(limits.check_state, address=address),
                    asker=address,
                )
        except ConfigError as error:
            raise Problem(400, "bad_config", str(error)) from None
        except TooCostly as error:
            raise Problem(422, "too_costly", str(error)) from None
        except TooOften as error:
            raise Problem(429, "too_many", str(error), retry_s=error.retry_s) from None
        except ServerBusy as error:
            raise Problem(503, "busy", str(error), retry_s=error.retry_s) from None
        except ServerError as error:
            raise Problem(422, "bad_name", str(error)) from None
        except (JournalError, SessionError) as error:
            raise Problem(503, "unavailable", str(error)) from None
        self.reply(self.admission(runner, PlayerId(player)), 201)

    async def _within_limits(self, address: str) -> None:
        """Refuse what is more than anybody may make."""
        limits = self.server.limits
        self.counted("games_a_minute", address)
        self.counted("games_a_minute_in_all", "")
        limits.check("games", await self.read(self.host.journal.count) + 1, "The database")


class GamesRoute(Api):
    """`GET /api/games`"""

    async def get(self) -> None:
        """A page of the games in the database, oldest first; none is woken for it, and no game is waited for."""
        self.require_admin()
        after = self.parameter("after")
        if after is not None and not GAME_ID.fullmatch(after):
            raise Problem(400, "bad_request", "after must be a game's id, the `next` of the page before.")
        limit = self.limit(GAMES_PAGE, GAMES_PAGE)
        cards = await self.read(lambda: self.host.journal.catalogue(GameId(after) if after else None, limit))
        games = []
        for number, card in enumerate(cards, 1):
            try:
                games.append(self._line(card))
            except FAULTS as error:
                log.exception("game %s cannot be listed", card.row.id)
                games.append(about.failed(card.row, error))
            if number % A_TURN == 0:
                await asyncio.sleep(0)
        missing = about.missing(self.host.wall.doubt)
        self.reply({"games": games, "missing": missing, "next": cards[-1].row.id if len(cards) == limit else None})

    def _line(self, card: Card) -> dict[str, Any]:
        """One game as it is, with its lag."""
        row, dormitory = card.row, self.host.dormitory
        runner = self.host.runners.get(row.id)
        if runner is not None:
            more = about.awake(runner, dormitory.why(runner, self.host.now_us()))
        else:
            sleeper = dormitory.sleepers.get(row.id)
            connections = len(sleeper.sockets) if sleeper else 0
            more = {"state": "asleep", "tick": card.tick, "lag_ticks": 0, "late_s": 0.0, "seq": card.seq}
            more["connections"] = connections
        return {**about.game_row(row), **more, "hosted": row.game in self.host.games}


class GameRoute(Api):
    """`GET /api/game/{id}`"""

    async def get(self, game: str) -> None:
        """One game, as anybody may see it. A game that sleeps is not woken."""
        row = await self.read(lambda: self.host.journal.game(GameId(game)))
        if row is None:
            raise Problem(404, "no_such_game", f"There is no game {game!r}; check the id.")
        why: list[str] = []
        if runner := self.host.runners.get(row.id):
            # Before it is brought to now, which is nobody's use of it.
            why = self.host.dormitory.why(runner, self.host.now_us())
            await self.host.catch_up(runner)
        if (runner := self.host.runners.get(row.id)) is not None:
            session = runner.session
            told = about.game_row(row) | about.awake(runner, why)
            secret = session.secretive
            by_clock = runner.clock.tick_at(self.host.now_us())
            tick = by_clock if session.hold_at is None else min(by_clock, session.hold_at)
        else:
            rules = self.host.games.get(row.game)
            try:
                seen = await self.paid(row.id, lambda: glance(self.host.journal, row, rules))
            except GamekitError as error:
                raise Problem(503, "unavailable", f"The game cannot be read: {error}") from None
            sleeper = self.host.dormitory.sleepers.get(row.id)
            told = about.game_row(row) | about.asleep(
                seen, len(sleeper.sockets) if sleeper else 0, self.host.openings.told(row.id)
            )
            secret = seen.secretive
            stored = await self.read(lambda: self.host.journal.clock(row.id)) if secret else None
            tick = self.host.dormitory.tick_now(row.id, seen, stored)
        told["missing"] = about.missing(self.host.wall.doubt)
        self.reply(about.discreet(told, tick) if secret and not self.is_admin() else told)


class StateRoute(Api):
    """`GET /api/game/{id}/state`"""

    async def get(self, game: str) -> None:
        """The state as the token's owner may see it; without a token as a spectator may."""
        runner = await self.runner(game)
        player = self.player_of(runner)
        try:
            seen = await self.server.views.of(runner, player, self.request.remote_ip or "")
        except (SessionError, ServerError) as error:
            raise Problem(503, "unavailable", str(error)) from None
        missing = about.missing(self.host.wall.doubt)
        more = {"missing": missing} if missing else {}
        lag_ticks, late_s = runner.pace.told(runner.session, self.host.now_us())
        lag = {"lag_ticks": lag_ticks, "late_s": late_s}
        told = {"id": runner.id, "tick": seen.tick, **lag, "seq": seen.seq, **more}
        self.set_header("ETag", f'"{seen.epoch}.{seen.tick}.{seen.seq}.{player or ""}"')
        if not missing and self.check_etag_header():
            self.set_status(304)
            self.clear_header("Content-Type")
            self.finish()
            return
        # The view is one for all who ask, and is not copied for each.
        await self.send(msgspec.json.encode(told)[:-1] + b',"view":', seen.view, b"}")


class JoinRoute(Api):
    """`POST /api/game/{id}/join`"""

    async def post(self, game: str) -> None:
        """Let a new player in."""
        asked = self.body_as(JoinGame)
        runner = await self.runner(game)
        most = None
        if not self.is_admin():
            self.counted("joins_a_minute", self.request.remote_ip or "")
            most = self.server.limits["players"]
        player, outcome = await self.host.join(runner, asked.name, most)
        if player is None:
            raise refusal(outcome)
        self.reply(self.admission(runner, player), 201)


class RowsApi(Api):
    """What routes share whose answers are pages of rows."""

    async def page(self, made: Callable[[], bytes]) -> None:
        """Answer with a page that is read and encoded on one of the few threads for rows."""
        try:
            body = await asyncio.get_running_loop().run_in_executor(self.server.row_threads, made)
        except (JournalGap, JournalCorrupt) as error:
            raise Problem(422, "damaged", str(error)) from None
        except JournalError as error:
            raise Problem(503, "unavailable", str(error)) from None
        self.finish(body)


class CommandsRoute(RowsApi):
    """`GET` and `POST /api/game/{id}/commands`"""

    async def get(self, game: str) -> None:
        """The history, for its players and the admin; for the admin only when the game keeps things from players."""
        runner = await self.runner(game)
        self.require_member(runner)
        if self.keeps_secrets(runner):
            self.require_admin()
        after, limit = self.number("after_seq"), self.limit(rows.DEFAULT_ROWS, rows.MOST_ROWS)
        await self.page(lambda: rows.records_page(self.host.journal, runner.id, after, limit))

    async def post(self, game: str) -> None:
        """A command without a socket; the answer comes when it is applied or refused."""
        asked = self.body_as(PostCommand)
        runner = await self.runner(game)
        player = self.player_of(runner)
        if player is None:
            raise Problem(401, "token_needed", "Commands need the player's token.")
        if len(self.request.body) > MAX_MESSAGE_BYTES:
            raise Problem(413, "too_large", f"A command has at most {MAX_MESSAGE_BYTES} bytes.")
        if not 1 <= asked.cid <= MAX_CID:
            raise Problem(400, "bad_cid", f"cid must be from 1 to {MAX_CID}, counting up per client.")
        if len(asked.client) > MAX_CLIENT_CHARS or "/" in asked.client:
            raise Problem(400, "bad_client", f"A client id is at most {MAX_CLIENT_CHARS} characters without '/'.")
        outcome = await self.host.command(runner, player, asked.client, asked.cid, asked.body)
        if outcome.code is not None:
            raise refusal(outcome)
        self.reply({"cid": asked.cid, "tick": outcome.tick, "seq": outcome.seq, "code": None})


class SkipRoute(Api):
    """`POST /api/game/{id}/skip`"""

    async def post(self, game: str) -> None:
        """Leave out the rest of the time that a game is living through: it goes on from where it is."""
        self.require_admin()
        absence = self.host.dormitory.absences.get(GameId(game))
        if absence is None:
            raise Problem(409, "nothing_to_skip", "The game is not living through a time that it missed.")
        absence.skipped = True
        self.reply({"id": game, "tick": absence.tick, "left_out": absence.until - absence.tick})


class LatencyRoute(RowsApi):
    """`GET /api/game/{id}/latency`"""

    async def get(self, game: str) -> None:
        """Measured tick times of the game, a row a second; for the admin only when the game keeps secrets."""
        runner = await self.runner(game)
        self.require_member(runner)
        if self.keeps_secrets(runner):
            # How much there was to do in a second tells what others did.
            self.require_admin()
        since_s, after_s = self.seconds("since_s") or 0.0, self.seconds("after_s")
        limit = self.limit(rows.DEFAULT_ROWS, rows.MOST_ROWS)
        await self.page(lambda: rows.latency_page(self.host.journal, runner.id, since_s, after_s, limit))


class ControlRoute(Api):
    """`POST /api/game/{id}/pause`, `/resume`, `/speed`, `/step`, `/policy`"""

    async def post(self, game: str, verb: str) -> None:
        """Carry out one of the session's own commands."""
        self.require_admin()
        runner = await self.runner(game)
        body: dict[str, Any] = {"type": verb}
        if verb == "speed":
            body = {"type": "set_speed", "speed": self.body_as(Speed).speed}
        elif verb == "step":
            body["ticks"] = self.body_as(StepTicks).ticks
        elif verb == "policy":
            chosen = self.body_as(SetPolicy)
            body = {"type": "set_policy", "when_empty": chosen.when_empty, "overload": chosen.overload}
        outcome = await self.host.admin(runner, body)
        if outcome.code is not None:
            raise refusal(outcome)
        session = runner.session
        policy = {"when_empty": session.policy.when_empty, "overload": session.policy.overload}
        answer = {"tick": outcome.tick, "seq": outcome.seq, "speed": session.speed, "paused": session.paused}
        self.reply({**answer, **policy} if verb == "policy" else answer)


def _random_seed() -> int:
    return secrets.randbelow(2**31)
