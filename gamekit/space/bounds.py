"""How large numbers may become: every sum that a game can reach stays below 2**53.

Beyond that browsers and data frames lose digits, and beyond 2**63 a state has no encoding. Fields have limits of their
own, but sums are what grows: so sums are bounded. What stands in a definition is added up when a game is made; what
grows while it runs stops at the bound: a trade moves its wares for what can still be counted, a ship or a newcomer
whose credits would carry an account past it is refused (`books_full`), and production stands still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gamekit.game import Rejected

if TYPE_CHECKING:
    from gamekit.space.mistakes import Mistakes
    from gamekit.space.scenario import Catalogue, CompanyRow, Definition, RecipeRow

#: The largest number that an account may hold, of credits or of units, above zero and below.
MOST = 2**53 - 1
#: What production may have added to an account when another cycle begins: the cycles that are then under way, at most
#: 20,000 stations with a thousand million units each, fit into the rest.
MOST_MADE = 2**52
#: What all stations together may store of a ware, and all companies may own at the start.
MOST_STORED = 2**50
MOST_GIVEN = 2**50

#: A stock takes what a station makes or uses in this time ...
_STOCK_TICKS = 72_000
#: ... but at least, and at a hub, so many units.
_LEAST_CAPACITY, _HUB_CAPACITY = 120, 400


def capacity_of(recipe: RecipeRow, ware: str) -> int:
    """How many units of a ware that it deals in a station of this sort takes."""
    if ware in recipe.capacity:
        return recipe.capacity[ware]
    if recipe.trades:
        return _HUB_CAPACITY
    units = recipe.inputs.get(ware, 0) or recipe.outputs.get(ware, 0)
    return max(_LEAST_CAPACITY, 2 * units, units * _STOCK_TICKS // recipe.cycle_ticks)


def check(definition: Definition, lists: Catalogue, found: Mistakes) -> None:
    """Note sums in a definition that would be too large; only when there is no other mistake."""
    if found.found:
        return
    recipes = {row.id: row for row in lists.recipes}
    stored: dict[str, int] = {}
    for station in definition.stations:
        recipe = recipes[station.recipe]
        for ware in (*recipe.inputs, *recipe.outputs, *recipe.trades):
            stored[ware] = stored.get(ware, 0) + capacity_of(recipe, ware) * definition.units_percent // 100
    for ware, units in stored.items():
        if units > MOST_STORED:
            text = f"all stations together store {units} {ware}, units_percent included; allowed are {MOST_STORED}."
            found.add(("stations",), f"{text} Give the recipes a capacity, or a lower units_percent.")
    if wrong := too_rich(definition.companies):
        found.add(("companies",), wrong)


def too_rich(companies: tuple[CompanyRow, ...]) -> str | None:
    """What is wrong with the credits of companies together, or None."""
    owned = sum(row.credits for row in companies)
    if owned <= MOST_GIVEN:
        return None
    return (
        f"they own {owned} centi-credits together; allowed are {MOST_GIVEN}, so that every sum can be counted exactly."
    )


def books_full(what: str) -> Rejected:
    """The refusal of a transfer that would carry an account past the bound."""
    return Rejected(
        "books_full",
        f"{what} would carry an account past {MOST // 100:,} credits, the most that is counted; spend first.",
    )
