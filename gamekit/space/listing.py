"""The shipped scenarios as a list: what each is called, what it is like, and how large it is."""

from __future__ import annotations

from functools import cache

import msgspec

from gamekit.space.procedural import grown
from gamekit.space.scenario import GROWN, HAND_MADE, NEAREST_STARS, PROCEDURAL, growth, hand_made


class ScenarioInfo(msgspec.Struct, frozen=True):
    """One line of the list of scenarios.

    Attributes:
        name: what to ask for.
        title, sentence: for people.
        sectors, stations: how many there are.
        companies, ships: how many companies nobody plays, and their ships, at `company_percent` 100.
        players: how many players it is made for; 0 is any number.
        least_sectors, most_sectors: what may be asked for with `name:N`; both 0 where there is no choice.
    """

    name: str
    title: str
    sentence: str
    sectors: int
    stations: int
    companies: int
    ships: int
    players: int = 0
    least_sectors: int = 0
    most_sectors: int = 0


@cache
def scenarios() -> tuple[ScenarioInfo, ...]:
    """Every shipped scenario, the default one first."""
    names = dict.fromkeys((NEAREST_STARS, PROCEDURAL, *HAND_MADE, *GROWN))
    return tuple(_about(name) for name in names)


def _about(name: str) -> ScenarioInfo:
    least = most = 0
    if name in HAND_MADE:
        made = hand_made(name)
        title = made.title
    else:
        grows = growth(name)
        # How many there are of everything does not depend on the seed.
        made = grown(name, grows.default_sectors, 0, grows)
        title = grows.title
        if grows.least_sectors < grows.most_sectors:
            least, most = grows.least_sectors, grows.most_sectors
    return ScenarioInfo(
        name=name,
        title=title,
        sentence=made.sentence,
        sectors=len(made.sectors),
        stations=len(made.stations),
        companies=len(made.companies),
        ships=sum(row.ships for row in made.companies),
        players=made.players,
        least_sectors=least,
        most_sectors=most,
    )
