"""Rules of a designer's own: prices, bids, rounds, commands and metrics, and what happens when they are nonsense."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from gamekit.errors import ConfigError, HookFailed
from gamekit.game import Command, Event, Join, PlayerId, Rejected
from gamekit.lab.simulate import simulate
from gamekit.space import SpaceGame, SpaceState, check
from gamekit.space.commands import AutoTrade, BuyWare, SellWare
from gamekit.space.events import TradeAssigned, WareBought, WareSold
from gamekit.space.hooks import NO_HOOKS, Assignment, OwnEvent
from gamekit.space.model import Player, Ship
from tests.designer_game import CreditsDonated, Donate, FoodFirst, InTurn
from tests.space.galaxies import LINE, only

ADA, BOB = PlayerId("p1"), PlayerId("p2")


def begun(game: SpaceGame, **config: Any) -> SpaceState:
    """A game with Ada and Bob, docked at the Depot."""
    state = game.new({"scenario": LINE} | config, 1)
    for player in (ADA, BOB):
        assert not isinstance(game.apply(state, player, Join("Somebody")), Rejected)
    return state


def given(game: SpaceGame, state: SpaceState, command: Command, player: PlayerId = ADA) -> list[Event]:
    """What a command that must be carried out gives."""
    answer = game.apply(state, player, command)
    assert not isinstance(answer, Rejected), answer
    check(state)
    return answer


# --- prices ---------------------------------------------------------------------------------------------------------


def test_an_own_price_is_summed_unit_by_unit_and_costs_the_same_both_ways() -> None:
    game = FoodFirst()
    state = begun(game)
    depot, ore = state.stations["west-store"], state.wares["ore"]
    expected = sum(game.price(depot, ore, stock, state.rules) for stock in range(100, 200))
    [bought] = only(WareBought, given(game, state, BuyWare("ship-1", "ore", 100)))
    assert bought.total == expected
    [sold] = only(WareSold, given(game, state, SellWare("ship-1", "ore", 100)))
    assert sold.total == expected
    assert state.ledger.credits["player:p1"] == 10_000_000 - bought.fee - sold.fee


def test_the_view_shows_an_own_price() -> None:
    game = FoodFirst()
    state = begun(game)
    prices = game.view(state, None)["stations"]["west-store"]["price"]
    assert prices["ore"] == 1_000 * (400 * 400 + 3 * 200 * 200) // (2 * 400 * 400)


def test_own_prices_are_cut_down_to_what_the_buyer_owns() -> None:
    game = FoodFirst()
    state = begun(game, rules={"starting_credits": 5_000})
    [bought] = only(WareBought, given(game, state, BuyWare("ship-1", "ore", 100)))
    depot, ore = state.stations["west-store"], state.wares["ore"]
    assert (
        bought.total + bought.fee
        <= 5_000
        < bought.total + bought.fee + game.price(depot, ore, depot.stock["ore"] - 1, state.rules)
    )


def test_an_own_total_is_used_where_there_is_one() -> None:
    class Flat(SpaceGame):
        name = "flat"

        def total(self, station: Any, ware: Any, stock: int, units: int, rules: Any) -> int:
            return 7 * units

    game = Flat()
    state = begun(game)
    [bought] = only(WareBought, given(game, state, BuyWare("ship-1", "ore", 100)))
    assert bought.total == 700
    assert game.view(state, None)["stations"]["west-store"]["price"]["ore"] == 7


@pytest.mark.parametrize("nonsense", [1.5, -1, None, True, "7"])
def test_a_price_that_is_no_whole_number_is_an_error_that_names_the_hook(nonsense: Any) -> None:
    class Odd(SpaceGame):
        name = "odd"

        def price(self, station: Any, ware: Any, stock: int, rules: Any) -> int:
            answer: int = nonsense
            return answer

    game = Odd()
    state = begun(game)
    with pytest.raises(HookFailed, match=r"'price' of the game 'odd' returned .* must return a whole number"):
        game.apply(state, ADA, BuyWare("ship-1", "ore", 1))


def test_a_hook_that_raises_is_named() -> None:
    class Broken(SpaceGame):
        name = "broken"

        def total(self, station: Any, ware: Any, stock: int, units: int, rules: Any) -> int:
            return units // 0

    game = Broken()
    with pytest.raises(HookFailed, match="'total' of the game 'broken' raised ZeroDivisionError"):
        game.apply(begun(game), ADA, BuyWare("ship-1", "ore", 1))


# --- the dispatcher -------------------------------------------------------------------------------------------------


def carried(game: SpaceGame) -> dict[str, int]:
    """{ware: jobs} of the companies of the nearest stars in their first hours."""
    state = game.new({"rules": {"company_percent": 100}}, 1)
    jobs: dict[str, int] = {}
    for _ in range(10):
        for event in only(TradeAssigned, game.advance(state, state.tick + 3_600)):
            jobs[event.ware] = jobs.get(event.ware, 0) + 1
        check(state)
    return jobs


def first_job(game: SpaceGame) -> str:
    """The ware that a newcomer's ship carries first, when stations have worked for an hour."""
    state = game.new({"rules": {"company_percent": 0}}, 1)
    game.advance(state, 36_000)
    given(game, state, Join("Ada"))
    given(game, state, AutoTrade("ship-1", on=True))
    [job] = only(TradeAssigned, game.advance(state, state.tick + 200))
    check(state)
    return job.ware


def test_ships_prefer_what_their_game_bids_more_for() -> None:
    assert first_job(SpaceGame()) != "food"
    assert first_job(FoodFirst()) == "food"


def test_no_job_is_taken_that_nobody_bids_for() -> None:
    class Lazy(SpaceGame):
        name = "lazy"

        def bid(self, state: Any, ship: Any, prospect: Any) -> int:
            return 0

    assert carried(Lazy()) == {}


def test_an_own_dispatcher_decides_the_whole_round() -> None:
    game = InTurn()
    state = begun(game)
    given(game, state, AutoTrade("ship-1", on=True))
    events = game.advance(state, 200)
    check(state)
    [job] = only(TradeAssigned, events)
    assert (job.source, job.target) == ("west-store", "east-town")
    game.advance(state, 40_000)
    check(state)


@pytest.mark.parametrize(
    ("wanted", "why"),
    [
        (Assignment("nobody", "ore", 1, "mid-smelter", "west-store"), "does not wait"),
        (Assignment("ship-1", "ore", 1, "east-town", "west-store"), "does not buy"),
        (Assignment("ship-1", "ore", 10**6, "mid-smelter", "west-store"), "room left"),
        (Assignment("ship-1", "ore", 0, "mid-smelter", "west-store"), "units must be"),
        (Assignment("ship-1", "ore", 1, "mid-smelter", "nowhere"), "no such source"),
        (Assignment("ship-1", "metals", 60, "east-town", "mid-smelter"), "60 units"),
        (Assignment("ship-1", "ore", 1, "mid-smelter"), "does not carry"),
        (Assignment("ship-1", ["ore"], 1, "mid-smelter"), "must be ids"),  # type: ignore[arg-type]
        ("ship-1", "list of Assignment"),
    ],
)
def test_an_impossible_assignment_is_an_error_that_says_why(wanted: Any, why: str) -> None:
    class Wrong(SpaceGame):
        name = "wrong"

        def dispatch(self, state: SpaceState, owner: Player, free: list[Ship]) -> list[Assignment] | None:
            return [wanted]

    game = Wrong()
    state = begun(game, rules={"ship_capacity": 10} if "60 units" in why else {})
    given(game, state, AutoTrade("ship-1", on=True))
    why = "5 units at most" if "60 units" in why else why
    with pytest.raises(HookFailed, match=f"'dispatch' of the game 'wrong'.*{why}"):
        game.advance(state, 300)


# --- commands -------------------------------------------------------------------------------------------------------


def test_an_own_command_is_carried_out_through_the_ledger() -> None:
    game = FoodFirst()
    state = begun(game)
    assert given(game, state, Donate("p2", 400)) == [CreditsDonated(ADA, BOB, 400)]
    assert state.ledger.credits["player:p2"] == 10_000_400
    refused = game.apply(state, ADA, Donate("p1", 400))
    assert isinstance(refused, Rejected)
    assert refused.code == "unknown_player"


def test_a_game_without_the_command_refuses_it_and_names_those_it_knows() -> None:
    game = SpaceGame()
    refused = game.apply(begun(game), ADA, Donate("p2", 1))
    assert isinstance(refused, Rejected)
    assert refused.code == "unknown_command"
    assert "auto_trade" in refused.message


def test_an_own_command_that_returns_nonsense_is_an_error_that_names_it() -> None:
    class Shrug(Command, frozen=True, tag="shrug"):
        pass

    class Shrugging(SpaceGame):
        name = "shrugging"
        commands: ClassVar = {Shrug: lambda state, player, command: None}

    game = Shrugging()
    with pytest.raises(HookFailed, match=r"'commands\[shrug\]' .* returned NoneType"):
        game.apply(begun(game), ADA, Shrug())


class Nameless(OwnEvent, frozen=True):
    """Says that it names a ship, and does not."""

    touches = ("ship",)


class Whispered(OwnEvent, frozen=True):
    """Private to nobody."""

    private = True


@pytest.mark.parametrize("event", [Nameless(), Whispered()])
def test_an_own_event_without_the_fields_that_it_needs_is_an_error_that_names_its_command(event: OwnEvent) -> None:
    class Say(Command, frozen=True, tag="say"):
        pass

    class Talking(SpaceGame):
        name = "talking"
        commands: ClassVar = {Say: lambda _state, _player, _command: [event]}

    game = Talking()
    with pytest.raises(HookFailed, match=r"'commands\[say\]' .* whose field '(ship|player)' must be an id"):
        game.apply(begun(game), ADA, Say())


def test_an_own_command_may_not_take_a_tag_that_is_in_use() -> None:
    class Sail(Command, frozen=True, tag="move"):
        pass

    with pytest.raises(ConfigError, match="the tag 'move' of Sail is taken"):
        type("Sailing", (SpaceGame,), {"name": "sailing", "commands": {Sail: lambda *_: []}})
    with pytest.raises(ConfigError, match="no subclass of"):
        type("Odd", (SpaceGame,), {"name": "odd", "commands": {int: lambda *_: []}})
    with pytest.raises(ConfigError, match="`metrics` must be a mapping to functions"):
        type("Odd", (SpaceGame,), {"name": "odd", "metrics": {"fleet": 3}})


def test_a_subclass_of_a_subclass_has_the_commands_of_both() -> None:
    class Further(FoodFirst):
        name = "further"
        metrics: ClassVar = {"one": lambda state: 1}

    game = Further()
    state = begun(game)
    given(game, state, Donate("p2", 1))
    assert list(game.measured(state)) == ["food_in_store", "trading_share", "one"]


# --- names, states, metrics -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("attributes", [{}, {"name": "space"}, {"name": "Not A Slug"}, {"name": 3}])
def test_a_subclass_needs_a_name_of_its_own(attributes: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="class Nameless: give it a `name` of its own"):
        type("Nameless", (SpaceGame,), attributes)


def test_hooks_are_attached_and_never_saved() -> None:
    plain, own = SpaceGame(), FoodFirst()
    assert plain.new({}, 1).hooks is NO_HOOKS
    state = own.new({}, 1)
    assert own.encode(state) == plain.encode(plain.new({}, 1))
    assert own.decode(own.encode(state), own.version).hooks.price is not None
    assert plain.decode(own.encode(state), own.version).hooks is NO_HOOKS
    own.set_rules(state, {"jump_ticks": 3})
    assert state.hooks.price is not None


def test_a_simulation_runs_a_game_of_ones_own_and_measures_it() -> None:
    runs = [simulate("procedural:4", {"company_percent": 100}, 1, 0.5, game=FoodFirst()) for _ in range(2)]
    assert runs[0].digest == runs[1].digest
    assert runs[0].digest != simulate("procedural:4", {"company_percent": 100}, 1, 0.5).digest
    assert runs[0].metrics["food_in_store"] == sum(s.stock.get("food", 0) for s in runs[0].state.stations.values())
    assert 0 < runs[0].metrics["trading_share"] <= 1
    check(runs[0].state)


def test_a_metric_that_gives_no_number_or_changes_the_state_is_an_error() -> None:
    def meddling(state: SpaceState) -> int:
        state.ships_made += 1
        return 1

    for metric, why in ((lambda state: "much", "must return a number"), (meddling, "changed the state")):
        game = type("Measured", (SpaceGame,), {"name": "measured", "metrics": {"much": metric}})()
        with pytest.raises(HookFailed, match=f"{why}"):
            simulate("procedural:2", hours=0.01, game=game)


def test_bids_and_prices_that_are_the_bundled_ones_earn_alike() -> None:
    class Same(SpaceGame):
        name = "same"

        def bid(self, state: Any, ship: Any, prospect: Any) -> int:
            return super().bid(state, ship, prospect)

    assert carried(Same()) == carried(SpaceGame())
