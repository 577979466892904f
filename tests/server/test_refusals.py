"""What the rules would refuse of the server's own commands leaves no record and uses up no player's id."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gamekit.game import Command, Event, Join, PlayerId, Rejected
from gamekit.server.host import Host
from gamekit.space import SpaceGame
from tests.counter_game import CounterGame
from tests.virtual import ID, Place, run


class Seats:
    """Two seats, and no Bob; asked of by `apply` alone, as a designer may write it."""

    def apply(self, state: Any, player: PlayerId, command: Command) -> list[Event] | Rejected:
        """Refuse whom there is no seat for."""
        if isinstance(command, Join):
            if command.name == "Bob":
                return Rejected("no_bobs", "Choose another name.")
            if len(state.players) >= 2:
                return Rejected("no_seat", "Both seats are taken; join another game.")
        return super().apply(state, player, command)  # type: ignore[misc,no-any-return]


class SeatedCounter(Seats, CounterGame):
    """The small one."""


class SeatedSpace(Seats, SpaceGame):
    """The bundled one, with a rule of a designer's own."""

    name = "seated"


@pytest.mark.parametrize(
    ("game", "config"),
    [(SeatedCounter(), {}), (SeatedSpace(), {"rules": {"company_percent": 0}})],
    ids=["counter", "space"],
)
def test_a_refused_join_is_answered_and_leaves_nothing(game: Any, config: dict[str, Any]) -> None:
    async def check() -> None:
        place = Place(game=game, config=config)
        runner, host = await place.runner(), place.host
        for name, code in (("Bob", "no_bobs"), ("", "bad_name"), ("Bob", "no_bobs")):
            player, outcome = await host.join(runner, name)
            assert (player, outcome.code) == (None, code)
            assert outcome.message
        assert place.journal.storage.books[ID].records == []
        assert await place.join("Ada") == "p1"
        # Of those who come together only as many are taken as there are seats.
        answers = await asyncio.gather(*(host.join(runner, f"Eve {number}") for number in range(5)))
        assert [player for player, _ in answers if player] == ["p2"]
        assert {outcome.code for player, outcome in answers if not player} == {"no_seat"}
        text = "".join(record.commands for record in place.journal.storage.books[ID].records)
        assert text.count('"join"') == 2
        place.stop()

    run(check)


def test_refused_rules_leave_no_record() -> None:
    async def check() -> None:
        place = Place(game=SpaceGame(), config={"rules": {"company_percent": 0}})
        await place.join()
        for changes in ({"no_such": 1}, {"dispatch_ticks": 0}, {"fog": 1}, {"dispatch_ticks": "1"}, {}):
            outcome = await place.admin(type="set_rules", changes=changes)
            assert outcome.code in {"bad_rule", "fixed_rule"}, changes
        assert len(place.journal.storage.books[ID].records) == 1
        assert (await place.admin(type="set_rules", changes={"dispatch_ticks": 7})).code is None
        assert len(place.journal.storage.books[ID].records) == 2
        place.stop()

    run(check)


def test_what_becomes_refused_on_the_way_is_answered_at_its_tick() -> None:
    async def check() -> None:
        place = Place(game=SeatedCounter())
        runner, host = await place.runner(), place.host
        await place.join("Ada")
        first = asyncio.ensure_future(host.join(runner, "Cy"))
        await asyncio.sleep(0)
        # As if it had been asked about at the same moment as the first.
        second = await Host.command(host, runner, runner.session.new_player(), "@server", 0, Join(name="Di"))
        assert (await first)[0] is not None
        assert second.code == "no_seat"
        place.stop()

    run(check)
