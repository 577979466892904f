"""Bots: the same class plays a live game and a headless one, and decides by what it is shown alone."""

from __future__ import annotations

import copy
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

import gamekit
from gamekit import lab
from gamekit.bots import Bot, BotShip
from gamekit.client.seen import Seen
from gamekit.errors import ClientClosed, ConfigError, SessionError
from gamekit.game import PlayerId
from tests.bots import Hauler, Wanderer
from tests.live import LiveServer
from tests.small_game import Nuggets, Prospector


class Recorded(Hauler):
    """A hauler that keeps what it was shown and what it said to it.

    Args:
        copied: copy the pictures; a live one never changes, a headless one goes on changing.
    """

    def __init__(self, name: str, seed: int = 1, *, copied: bool = False) -> None:
        super().__init__(name, seed)
        self.copied = copied
        self.kept: list[tuple[Any, ...]] = []

    def decide(
        self, seen: Seen, events: Sequence[dict[str, Any]] = (), busy: Collection[str] = ()
    ) -> list[dict[str, Any]]:
        shown = copy.deepcopy(seen) if self.copied else seen, list(events), set(busy)
        given = super().decide(seen, events, busy)
        self.kept.append((*shown, copy.deepcopy(given)))
        return given


def assert_decides_the_same(bot: Recorded) -> None:
    """A fresh bot, shown the same, says the same."""
    again = Hauler(bot.name, bot.seed)
    again.sit(bot.me.id)
    for seen, events, busy, given in bot.kept:
        assert again.decide(seen, events, busy) == given
    assert sum(bool(given) for *_, given in bot.kept) > 1, "it decided nothing worth comparing"


def test_bot_is_a_function_of_what_it_is_shown_live_and_headless() -> None:
    live, headless, fresh = Recorded("Ada"), Recorded("Ada", copied=True), Recorded("Ada", copied=True)
    with gamekit.launch() as client:
        game = client.new_game(seed=7)
        with game.bots(live) as crew:
            ship = crew.players["Ada"].ship
            bought = (event for event in crew.players["Ada"].events(timeout_s=60) if event["type"] == "WareSold")
            game.speed = 200
            assert next(bought)["ship"] == ship.id
            game.pause()
            branch = lab.fork(game, live.kept[0][0].tick)
    fresh.sit(PlayerId(live.me.id))
    lab.play(branch, fresh, ticks=1)
    # Where the live bot first looked, the headless one sees the same game, and says the same.
    assert fresh.kept[0][0].view == live.kept[0][0].view
    assert fresh.kept[0][3] == live.kept[0][3] != []
    assert_decides_the_same(live)
    lab.play(lab.begin(seed=7), headless, ticks=1500)
    assert_decides_the_same(headless)


def test_headless_play_is_the_same_every_time_and_thousands_of_times_real_time() -> None:
    def once(seed: int) -> lab.Played:
        return lab.play(lab.begin(rules={"storm_rate": 500}, seed=7), Hauler("A", seed), Wanderer("B"), hours=0.25)

    one, same, other = once(1), once(1), once(2)
    assert one.branch.digest == same.branch.digest != other.branch.digest
    assert one.events == same.events
    assert one.times_real_time > 500
    assert set(one.frame.commands["player"]) == {"p1", "p2"}
    # What they did is a history like any other: replayed without them, it gives the same state.
    assert lab.replay(one.branch).digest == one.branch.digest


def test_headless_bot_sees_what_a_connection_would_be_shown() -> None:
    class Witness(Hauler):
        """Compares, picture by picture, what it was told with what there is."""

        compared = 0

        def on_look(self) -> None:
            """The picture that was merged from changes is the view itself."""
            assert self.me.view == branch.view(self.me.id)
            self.compared += 1

    branch = lab.begin(rules={"fog": 1, "charted_jumps": 1, "storm_rate": 1000}, seed=7)
    witness = Witness("W")
    lab.play(branch, witness, ticks=6000)
    assert witness.compared > 100


def test_bot_that_raises_leaves_its_seat_and_nobody_else() -> None:
    class Broken(Bot):
        """Fails at its first ship."""

        def on_idle(self, ship: BotShip) -> None:
            """Fail."""
            raise ZeroDivisionError("by design")

    with gamekit.launch() as client:
        game = client.new_game(seed=7)
        game.speed = 100
        crew = game.bots(Broken("A"), Wanderer("B"))
        with pytest.raises(SessionError, match="bot A failed: ZeroDivisionError: by design") as caught:
            crew.wait(timeout_s=0)
        assert isinstance(caught.value.__cause__, ZeroDivisionError)
        assert "A (failed: by design)" in repr(crew)
        assert "plays" in crew._repr_html_()
        moved = crew.players["B"].events(timeout_s=30)
        assert any(event["type"] == "ShipDeparted" for event in moved)
        with pytest.raises(SessionError, match="A failed"):
            crew.stop()


def test_bot_goes_on_over_a_killed_server_and_orders_nothing_twice(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "games") as server, gamekit.Client(server.url, token=server.admin_token) as client:
        game = client.new_game(seed=7)
        game.speed = 50
        bot = Recorded("Ada")
        with game.bots(bot) as crew:
            ada = crew.players["Ada"]
            events = ada.events(timeout_s=90)
            assert any(event["type"] == "WareBought" for event in events)
            server.kill()
            server.start()
            before = bot.decisions
            assert any(event["type"] == "WareBought" for event in events)
            assert bot.decisions > before
        given = [body for *_, bodies in bot.kept for body in bodies]
        journaled = game.frame.commands.query("player == @ada.id and type != 'join'")["body"].tolist()
        # Each command is there once, in order; at most those under way at the very end are missing.
        assert journaled == [{**body} for body in given][: len(journaled)]
        assert len(given) - len(journaled) <= 8


def test_refused_bot_has_patience_instead_of_asking_for_ever() -> None:
    class Stubborn(Bot):
        """Sends its ship where nobody can go."""

        refused: tuple[str, ...] = ()

        def on_idle(self, ship: BotShip) -> None:
            """Nonsense."""
            self.me.submit({"type": "move", "ship": ship.id, "to": {"station": "nowhere"}})

        def on_refused(self, code: str, message: str) -> None:
            """Remember."""
            self.refused += (code,)

    bot = Stubborn()
    played = lab.play(lab.begin(seed=7), bot, ticks=1000)
    assert set(bot.refused) == {"unknown_station"}
    assert 10 <= len(bot.refused) <= 1000 // Bot.patience_ticks + 1
    assert played.refused == len(bot.refused)


def test_bots_play_a_small_game_of_ones_own_as_well() -> None:
    played = lab.play(lab.begin(game=Nuggets, seed=3), Prospector("A"), Prospector("B"), ticks=400)
    gold = {key: row["gold"] for key, row in played.branch.view(None)["players"].items()}
    assert min(gold.values()) > 0
    assert played.branch.state.dug == sum(gold.values())


class Unbegun(Bot):
    """Forgets the base class."""

    def __init__(self) -> None:
        self.luck = 1


class Late(Bot):
    """Means to wait."""

    async def on_idle(self, ship: BotShip) -> None:  # type: ignore[override]
        ship.go("Sirius")


class Waiting(Bot):
    """Waits for what a hook must not wait for."""

    def on_idle(self, ship: BotShip) -> None:
        ship.go("Sirius").wait()  # type: ignore[attr-defined]


def test_what_cannot_play_is_refused_live_and_headless_before_anybody_joins() -> None:
    wrong: list[tuple[Any, str]] = [
        (Hauler, r"Give bots, not their class: Hauler\('A name'\)"),
        ("Ada", "not 'Ada'"),
        (Unbegun(), r"Unbegun\.__init__ must call super\(\)\.__init__"),
        (Late(), r"Late\.on_idle is async, and would never run"),
    ]
    with gamekit.launch() as client:
        game = client.new_game(seed=7)
        for bot, words in wrong:
            with pytest.raises(ConfigError, match=words):
                lab.play(lab.begin(seed=7), bot, ticks=1)
            with pytest.raises(ConfigError, match=words):
                game.bots(Wanderer("First"), bot)
        assert "First" not in game.players.values()


def test_bot_that_waits_is_told_what_to_do_instead() -> None:
    with pytest.raises(AttributeError, match=r"A bot waits for nothing, so there is no 'wait' here: .* then\(\)"):
        lab.play(lab.begin(seed=7), Waiting(), ticks=10)
    with pytest.raises(AttributeError, match=r"^'BotShip' object has no attribute 'nonsense'$"):
        BotShip(None, "ship-1").nonsense  # type: ignore[arg-type]  # noqa: B018


def test_bots_of_one_name_sit_on_seats_of_their_own_and_come_back_to_them() -> None:
    with gamekit.launch() as client:
        game = client.new_game(seed=7)
        game.speed = 100
        one, other = Wanderer("Twin", seed=1), Wanderer("Twin", seed=2)
        with game.bots(one, other) as crew:
            first, second = crew.players.values()
            assert list(crew.players) == ["Twin", f"Twin ({second.id})"]
            assert (one.me.id, other.me.id) == (first.id, second.id)
            for player in (first, second):
                assert any(event["type"] == "ShipDeparted" for event in player.events(timeout_s=30))
            with pytest.raises(SessionError, match="Twin plays already; stop its crew first"):
                game.bots(one)
        playing = len(game.players)
        with game.bots(one) as again:
            assert again.players["Twin"] is first
            assert any(event["type"] == "ShipDeparted" for event in first.events(timeout_s=30))
        elsewhere = client.new_game(seed=8)
        elsewhere.join("Somebody")  # has the id that the bot has in its own game
        with pytest.raises(SessionError, match=f"in the game {game.id}, .*make a new bot"):
            elsewhere.bots(one)
        assert len(game.players) == playing
        headless = Wanderer("Here")
        lab.play(lab.begin(seed=7), headless, ticks=1)
        with pytest.raises(SessionError, match="in a game that runs here; make a new bot"):
            game.bots(headless)


def test_crew_of_a_client_that_was_closed_has_left_and_not_failed() -> None:
    with gamekit.launch() as client:
        crew = client.new_game(seed=7).bots(Wanderer("Ada"))
        player = crew.players["Ada"]
    assert crew.wait(30)
    crew.stop()
    assert repr(crew) == "<Crew Ada (left)>"
    with pytest.raises(ClientClosed, match="closed, so nothing was sent; make a new one"):
        player.ship.go("Sol")


def test_mistakes_with_bots_say_what_to_do() -> None:
    bot, branch = Wanderer(), lab.begin(seed=7)
    with pytest.raises(SessionError, match=r"game\.bots\(\.\.\.\) or lab\.play"):
        bot.me  # noqa: B018 - reading is the test
    with pytest.raises(ConfigError, match="Say how long"):
        lab.play(branch, bot)
    with pytest.raises(ConfigError, match="sits once"):
        lab.play(branch, bot, bot, ticks=1)
    lab.play(branch, bot, ticks=1)
    with pytest.raises(ConfigError, match="not in this game"):
        lab.play(lab.begin(seed=7), bot, ticks=1)
