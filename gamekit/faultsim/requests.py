"""What is asked of a host outside any socket, as over HTTP: new games, joins, commands, states, and what admins want.

A request is lost when its host dies before it answers; whoever needs the answer asks again.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Protocol

from gamekit.errors import GamekitError
from gamekit.faultsim.machine import SECOND_US, Machine, SimHost
from gamekit.game import GameId, PlayerId


class Asker(Protocol):
    """A client, as far as requests need it."""

    game: GameId
    player: str | None
    name: str

    def answered(self, cid: int, code: str | None) -> None:
        """The answer to a command arrived."""
        ...


class Requests:
    """Requests to whatever host runs."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self._chance = machine.world.chance("requests")

    def read(self, client: Asker) -> None:
        """Somebody looks at the state; what is answered was shown."""
        host = self.machine.host
        if host is None or host.draining:
            return

        async def work() -> None:
            try:
                runner = await host.runner(client.game)
            except GamekitError:
                return
            await host.catch_up(runner)
            if runner.ended is None and not runner.asleep and not runner.session.midway:
                self.machine.world.tell(f"-> {client.game} {client.name}: state {runner.session.tick}")
                self.machine.auditor.running(runner.session)

        self.machine.run(host, work())

    def post(self, client: Asker, cid: int, body: dict[str, Any]) -> None:
        """A client sends a command by HTTP."""
        host, player = self.machine.host, PlayerId(client.player or "")
        if host is None:
            return

        async def work() -> None:
            try:
                runner = await host.runner(client.game)
            except GamekitError:
                return
            outcome = await host.command(runner, player, client.name, cid, body)
            self.machine.world.tell(
                f"-> {client.game} {client.name}: answer {outcome.tick},{outcome.seq} cid {cid} {outcome.code}"
            )
            self.machine.auditor.settled(client.game, self._epoch(host, client.game), player, client.name, outcome)
            if self.machine.network.random() >= self.machine.ratios.lost:
                client.answered(cid, outcome.code)

        self.machine.run(host, work())

    def new_game(self, then: Callable[[GameId, str], None]) -> None:
        """Somebody makes a game; again, until it works."""
        config, seed = self.machine.play.config(self._chance), self._chance.getrandbits(63)

        async def attempt(host: SimHost) -> bool:
            runner, player = await host.new_game(config, seed, "Simulated", "Player 1")
            then(runner.id, player)
            return True

        self._until_it_works(attempt)

    def join(self, game: GameId, then: Callable[[str], None]) -> None:
        """Somebody joins a game; again, until it works."""

        async def attempt(host: SimHost) -> bool:
            runner = await host.runner(game)
            player, outcome = await host.join(runner, "Another")
            if player is None:
                return False
            self.machine.auditor.settled(game, self._epoch(host, game), player, "@server", outcome)
            then(player)
            return True

        self._until_it_works(attempt)

    def _epoch(self, host: SimHost, game: GameId) -> int:
        """Of the run that has just answered."""
        runner = host.runners.get(game) or host.dormitory.sleepers.get(game)
        if runner is None:
            return self.machine.auditor.chronicles[game].epoch
        return runner.bed.epoch if runner.bed is not None else runner.session.epoch

    def _until_it_works(self, attempt: Callable[[SimHost], Coroutine[Any, Any, bool]]) -> None:
        """Ask the host of now, and again when it refuses or is gone before it answers."""
        host = self.machine.host
        worked = False

        async def work(host: SimHost) -> None:
            nonlocal worked
            try:
                worked = await attempt(host)
            except GamekitError as error:
                self.machine.world.tell(f"refused: {error}")

        def again() -> None:
            if not worked:
                self._until_it_works(attempt)

        if host is not None and not host.draining:
            self.machine.run(host, work(host))
        self.machine.world.after(self._chance.randrange(5 * SECOND_US, 10 * SECOND_US), again)

    def admin(self, game: GameId, body: dict[str, Any]) -> None:
        """The operator pauses, resumes, steps or speeds up a game."""
        host = self.machine.host
        if host is None or host.draining:
            return

        async def work() -> None:
            try:
                runner = await host.runner(game)
            except GamekitError:
                return
            outcome = await host.admin(runner, body)
            self.machine.world.tell(f"admin {game} {body['type']}: {outcome.code}")
            self.machine.auditor.settled(game, self._epoch(host, game), "@admin", "@server", outcome)

        self.machine.run(host, work())
