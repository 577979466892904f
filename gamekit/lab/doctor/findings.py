"""All findings of one moment, as values and as a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from gamekit.errors import ConfigError
from gamekit.game import View
from gamekit.lab.doctor.chains import why_full, why_missing
from gamekit.lab.doctor.galaxy import Fields, Galaxy
from gamekit.space.mistakes import listed

if TYPE_CHECKING:
    import pandas as pd

    from gamekit.space import SpaceState

#: How bad, worst first: can never get better by itself; stands still now; help is on its way, or it is only told.
SEVERITIES = ("error", "warning", "note")


class Finding(msgspec.Struct, frozen=True):
    """Something that is wrong.

    Attributes:
        severity: "error", "warning" or "note"; see `SEVERITIES`.
        kind: "price inversion", "starved station", "clogged station", "stranded cargo", "holding ship", "idle ships" or
            "unreachable sector".
        subject: id of the station, ship, sector, ware or player.
        name: its name.
        sector: where, or "" when it is everywhere.
        cause: why, along the chain of production.
        remedy: what would help.
    """

    severity: str
    kind: str
    subject: str
    name: str
    sector: str
    cause: str
    remedy: str


#: The columns of `doctor`'s frame.
COLUMNS = Finding.__struct_fields__


def doctor(subject: Any) -> pd.DataFrame:
    """What is wrong, a row for each finding, the worst first.

    Args:
        subject: a state of the bundled game, or what has one (a `Simulation`, a `Replay`, a `Branch`); or a live game
            or player (a handle of `gamekit.Client`).

    Returns:
        A frame with the fields of `Finding` as columns of text; empty when all is well.

    Raises:
        ConfigError: it is none of these.
    """
    import pandas as pd

    found = [msgspec.structs.astuple(one) for one in examine(*_looked_at(subject))]
    return pd.DataFrame(found, columns=list(COLUMNS)).astype("string")


def examine(
    view: View, rules: Mapping[str, Any], own_price: Callable[[str, str, int], int] | None = None
) -> list[Finding]:
    """All findings in a view, the worst first.

    Args:
        view: as `Game.view` gives it, with all that is to be looked at.
        rules: the rules in force, `{field: value}`.
        own_price: of a game with prices of its own, what one unit costs; see `Galaxy`.
    """
    galaxy = Galaxy(view, rules, own_price)
    found = [*_prices(galaxy), *_sectors(galaxy), *_stations(galaxy), *_ships(galaxy), *_idle(galaxy)]
    return sorted(found, key=lambda one: SEVERITIES.index(one.severity))


def _looked_at(subject: Any) -> tuple[View, Mapping[str, Any], Callable[[str, str, int], int] | None]:
    from gamekit.lab.frames.state import everything
    from gamekit.lab.handles import Game, Player
    from gamekit.space import SpaceGame, SpaceState

    state = getattr(subject, "state", subject)
    if isinstance(state, SpaceState):
        game = SpaceGame()
        return everything(game, state).view, game.rules(state), _own_price(state)
    if isinstance(subject, Game | Player):
        welcome = subject.feed.link.welcome
        return subject.view, welcome.rules if welcome is not None else {}, None
    raise ConfigError(f"A doctor looks at a simulation, a past, a state, a live game or a player, not at {subject!r}.")


def _own_price(state: SpaceState) -> Callable[[str, str, int], int] | None:
    price = state.hooks.price
    if price is None:
        return None
    return lambda station, ware, stock: price(state, state.stations[station], state.wares[ware], stock)


def _prices(galaxy: Galaxy) -> Iterator[Finding]:
    """Wares that can never earn anything: what every seller asks at least is not below what any buyer pays at most."""
    spread, fee = galaxy.rules.get("price_spread_percent", 0), galaxy.rules.get("trade_fee_permille", 0)
    for key, ware in galaxy.wares.items():
        if not galaxy.sellers(key) or not galaxy.buyers(key):
            continue
        floor, ceiling = galaxy.bounds_with_fee(key)
        if galaxy.inverted(key):
            text = f"sellers ask at least {floor / 100:,.2f} credits, buyers pay at most {ceiling / 100:,.2f}"
            if galaxy.own_price is None:
                text += f" (spread {spread} %, fee {fee / 10:g} %)"
                remedy = "raise price_spread_percent or lower the fee"
            else:
                text += f" (prices of the game's own, fee {fee / 10:g} %)"
                remedy = "let the prices differ more, or lower the fee"
            yield Finding("error", "price inversion", key, ware["name"], "", text, remedy)


def _sectors(galaxy: Galaxy) -> Iterator[Finding]:
    """Islands: sectors that hang together and cannot be reached from most of the others, a finding for each island."""
    main_open, main_all = (_mainland(galaxy, closed_too=flag) for flag in (False, True))
    told: set[str] = set()
    for key in galaxy.sectors:
        if key in told or key in main_open:
            continue
        reached = galaxy.jumps(key, closed_too=key not in main_all)
        island = [one for one in galaxy.sectors if one in reached]
        told.update(island)
        if key not in main_all and galaxy.leads_into_the_unknown(key):
            text, severity = "no way to most other known sectors is known", "note"
            remedy = "explore the gates into the unknown"
        elif key not in main_all:
            text, severity, remedy = "no gates lead to most other sectors", "error", "join it by a gate"
        else:
            text, severity, remedy = "every way to most other sectors is closed", "warning", "wait for a gate to open"
        name = galaxy.sector_name(key)
        if len(island) > 1:
            names = listed(map(galaxy.sector_name, island), commas=True)
            name, text = f"{name} and {len(island) - 1} more", f"{len(island)} sectors ({names}) hang together; {text}"
        yield Finding(severity, "unreachable sector", key, name, key, text, remedy)


def _mainland(galaxy: Galaxy, *, closed_too: bool) -> set[str]:
    """The largest set of sectors that can reach each other; of equal ones the first."""
    best: set[str] = set()
    seen: set[str] = set()
    for sector in galaxy.sectors:
        if sector not in seen:
            here = set(galaxy.jumps(sector, closed_too=closed_too))
            seen |= here
            best = here if len(here) > len(best) else best
    return best


def _stations(galaxy: Galaxy) -> Iterator[Finding]:
    for key, station in galaxy.stations.items():
        recipe = station.get("recipe") or {}
        if station["status"] == "starved":
            lacks = [ware for ware, units in recipe["inputs"].items() if station["stock"][ware] < units]
            causes = [why_missing(galaxy, key, ware) for ware in lacks]
        elif station["status"] == "clogged":
            stock, capacity = station["stock"], station["capacity"]
            full = [ware for ware, units in recipe["outputs"].items() if stock[ware] + units > capacity[ware]]
            lacks, causes = full, [why_full(galaxy, key, ware) for ware in full]
        else:
            continue
        for ware, cause in zip(lacks, causes, strict=True):
            verb = "short of" if station["status"] == "starved" else "full of"
            yield Finding(
                cause.severity,
                f"{station['status']} station",
                key,
                station["name"],
                station["sector"],
                f"{verb} {galaxy.ware_name(ware)}: {cause.text}",
                cause.remedy,
            )


def _ships(galaxy: Galaxy) -> Iterator[Finding]:
    for key, ship in galaxy.ships.items():
        if ship["status"] == "holding":
            yield _of_ship(galaxy, key, ship, "holding ship", ship["reason"], "wait for a gate, or give another order")
        elif ship.get("hold") and not ship.get("queue"):
            yield _stranded(galaxy, key, ship)


def _stranded(galaxy: Galaxy, key: str, ship: Fields) -> Finding:
    """A ship with wares on board and nothing to do."""
    carried = ", ".join(f"{units} {galaxy.ware_name(ware)}" for ware, units in ship["hold"].items())
    reach = galaxy.jumps(_sector_of(galaxy, ship))
    buyers = [one for ware in ship["hold"] for one in galaxy.buyers(ware).items() if one[1]["sector"] in reach]
    roomy = [
        station["name"]
        for ware in ship["hold"]
        for station in galaxy.buyers(ware).values()
        if station["sector"] in reach and station["capacity"][ware] > station["stock"].get(ware, 0)
    ]
    if not buyers:
        return _of_ship(
            galaxy, key, ship, "stranded cargo", f"nobody in reach buys {carried}", "open a gate, or add a buyer"
        )
    if not roomy:
        return _of_ship(galaxy, key, ship, "stranded cargo", f"nobody in reach has room for {carried}", "wait for room")
    text = f"carries {carried} and has no orders; {roomy[0]} would buy"
    return _of_ship(galaxy, key, ship, "stranded cargo", text, "sell it there, or switch to auto-trade", "note")


def _of_ship(
    galaxy: Galaxy, key: str, ship: Fields, kind: str, cause: str, remedy: str, severity: str = "warning"
) -> Finding:
    return Finding(severity, kind, key, ship["name"], _sector_of(galaxy, ship), cause, remedy)


def _sector_of(galaxy: Galaxy, ship: Fields) -> str:
    at = ship["at"]
    match at["type"]:
        case "dock":
            return str(galaxy.stations[at["station"]]["sector"])
        case "gate":
            return str(galaxy.gates[at["exit"]]["sector"])
        case _:
            return str(at["sector"])


def _idle(galaxy: Galaxy) -> Iterable[Finding]:
    """Owners of whose traders more than half find nothing to do."""
    for owner, player in galaxy.players.items():
        trading = [ship for ship in galaxy.ships.values() if ship["owner"] == owner and ship.get("auto_trade")]
        idle = [ship for ship in trading if ship["status"] in {"idle", "docked"} and not ship.get("queue")]
        if len(idle) * 2 > len(trading):
            text = f"{len(idle)} of {len(trading)} traders wait for a trade worth their while"
            why, remedy = _why_idle(galaxy, player, trading)
            yield Finding("note", "idle ships", owner, player["name"], "", text + why, remedy)


def _why_idle(galaxy: Galaxy, player: Fields, trading: list[Fields]) -> tuple[str, str]:
    """What keeps all traders of an owner at their docks, when one thing does; and what would help."""
    traded = [ware for ware in galaxy.wares if galaxy.sellers(ware) and galaxy.buyers(ware)]
    if not traded:
        return "; no ware has both a seller and a buyer", "add stations"
    if all(galaxy.inverted(ware) for ware in traded):
        return "; no ware can earn anything", "lower the fee, or raise price_spread_percent"
    hold = max(ship["capacity"] for ship in trading)
    if all(galaxy.wares[ware]["volume"] > hold for ware in traded):
        return f"; no hold of theirs takes a single unit of any ware ({hold:,})", "larger ships, or raise ship_capacity"
    if not any(galaxy.may_come(ware) for ware in traded):
        return "; no ware can be had any more", "see what the stations lack"
    costs = [galaxy.price_bounds(ware)[0] * max(galaxy.least_load(ware), 1) // 100 for ware in traded]
    if "credits" in player and player["credits"] < min(costs):
        return f"; their owner cannot pay the cheapest load, {min(costs) / 100:,.2f} credits", "raise starting_credits"
    if not any(_meet(galaxy, ware) for ware in traded):
        if any(_meet(galaxy, ware, closed_too=True) for ware in traded):
            return "; closed gates part every seller from its buyers", "open the gates, or wait for them"
        return "; no gates lead from any seller to a buyer", "connect them"
    return "", "fewer ships, or a lower least_load_percent, or a wider trade_range_jumps"


def _meet(galaxy: Galaxy, ware: str, *, closed_too: bool = False) -> bool:
    """Whether gates lead from a seller of a ware to another station that buys it, over open ones or over all."""
    wanted: dict[str, set[str]] = {}
    for key, station in galaxy.buyers(ware).items():
        wanted.setdefault(station["sector"], set()).add(key)
    return any(
        wanted.get(sector, set()) - {key}
        for key, station in galaxy.sellers(ware).items()
        for sector in galaxy.jumps(station["sector"], closed_too=closed_too)
    )
