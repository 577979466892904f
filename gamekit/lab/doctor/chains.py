"""Why a station stands still: followed along the chain of production to where it begins."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gamekit.lab.doctor.galaxy import Fields, Galaxy
from gamekit.space.mistakes import listed

#: Longest chain that is told; a ware has at most four tiers.
_LONGEST = 6


class Cause(NamedTuple):
    """Why, and what would help.

    Attributes:
        severity: "error" when it can never get better by itself, "warning" when it stands still, "note" when help is
            on its way.
    """

    severity: str
    text: str
    remedy: str


def why_missing(galaxy: Galaxy, station_id: str, ware: str, above: tuple[str, ...] = ()) -> Cause:
    """Why a station is short of a ware."""
    station, name = galaxy.stations[station_id], galaxy.ware_name(ware)
    coming = galaxy.on_the_way(station_id, ware)
    if coming and not above:
        return Cause("note", f"{coming} {name} are on their way", "wait")
    sellers = {key: one for key, one in galaxy.sellers(ware).items() if key != station_id}
    if not sellers:
        return Cause("error", f"nobody sells {name}", f"add a station that makes {name}")
    unreached = _unreached(galaxy, station, sellers, f"sells {name}")
    if isinstance(unreached, Cause):
        return unreached
    near = unreached
    circle = galaxy.circle_of(ware, station_id)
    if circle and not galaxy.leads_into_the_unknown(station["sector"]):
        return _going_round(galaxy, ware, circle)
    stocked = [key for key in near if galaxy.for_sale(sellers[key], ware) > 0]
    if stocked:
        first = stocked[0]
        text = f"{sellers[first]['name']} has {galaxy.for_sale(sellers[first], ware)} {name}, {_away(near[first])}"
        worth = _most_worth(galaxy, ware, [(sellers[key], station) for key in stocked])
        jumps = _fewest(galaxy, station, (sellers[key] for key in stocked))
        return _no_ship(galaxy, ware, jumps, worth, f"{text}, but no ship brings it")
    return _all_empty(galaxy, ware, near, above)


def why_full(galaxy: Galaxy, station_id: str, ware: str) -> Cause:
    """Why a station cannot get rid of a ware."""
    station, name = galaxy.stations[station_id], galaxy.ware_name(ware)
    buyers = {key: one for key, one in galaxy.buyers(ware).items() if key != station_id}
    if not buyers:
        return Cause("error", f"nobody buys {name}", f"add a station that uses {name}, or a hub")
    reached = _unreached(galaxy, station, buyers, f"buys {name}")
    if isinstance(reached, Cause):
        return reached
    roomy = [key for key in reached if buyers[key]["capacity"][ware] > buyers[key]["stock"].get(ware, 0)]
    if roomy:
        first = roomy[0]
        room = buyers[first]["capacity"][ware] - buyers[first]["stock"].get(ware, 0)
        text = f"{buyers[first]['name']} has room for {room} {name}, {_away(reached[first])}"
        worth = _most_worth(galaxy, ware, [(station, buyers[key]) for key in roomy])
        jumps = _fewest(galaxy, station, (buyers[key] for key in roomy))
        return _no_ship(galaxy, ware, jumps, worth, f"{text}, but no ship fetches it")
    made, used = galaxy.made_per_hour(ware), galaxy.used_per_hour(ware)
    text = f"all {len(reached)} buyers of {name} in reach are full; {_balance(made, used)}"
    idle = sum(buyers[key]["status"] == "starved" for key in reached)
    if idle:
        return Cause("warning", f"{text}; {idle} of them stand still for want of something else", "see what they lack")
    return Cause("warning", text, f"use more {name}, or make less of it")


def _going_round(galaxy: Galaxy, ware: str, circle: list[str]) -> Cause:
    """Makers that wait for each other: none of what they need is left anywhere."""
    stations = galaxy.stations
    lacks = "; ".join(
        f"{stations[key]['name']} lacks {listed(galaxy.ware_name(one) for one in galaxy.lacking(key))}"
        for key in circle[:6]
    )
    wares = dict.fromkeys(one for key in circle for one in galaxy.lacking(key))
    names = listed(map(galaxy.ware_name, wares))
    text = f"{galaxy.ware_name(ware)} is made only by stations that wait for each other, and too little of {names}"
    text += " is for sale"
    remedy = f"begin with stock (initial_stock_percent), or add a station that makes one of {names} of something else"
    if galaxy.sees_all_holds:
        return Cause("error", f"{text} ({lacks})", remedy)
    return Cause("warning", f"{text}, if no ship that is not seen carries some ({lacks})", remedy)


def _all_empty(galaxy: Galaxy, ware: str, near: dict[str, int], above: tuple[str, ...]) -> Cause:
    """Every seller in reach is out of stock: look at the makers among them, and at what they lack."""
    name = galaxy.ware_name(ware)
    makers = [key for key in near if (galaxy.stations[key].get("recipe") or {}).get("outputs", {}).get(ware)]
    made, used = galaxy.made_per_hour(ware), galaxy.used_per_hour(ware)
    for key in makers:
        maker = galaxy.stations[key]
        if maker["status"] != "starved" or key in above or len(above) >= _LONGEST:
            continue
        lacks = next((one for one, units in maker["recipe"]["inputs"].items() if maker["stock"][one] < units), None)
        if lacks is not None:
            deeper = why_missing(galaxy, key, lacks, (*above, key))
            text = f"{maker['name']} is out of {name}, because it lacks {galaxy.ware_name(lacks)}: {deeper.text}"
            return Cause(deeper.severity, text, deeper.remedy)
    if any(galaxy.stations[key]["stock"].get(ware, 0) for key in near):
        percent = galaxy.rules.get("minimum_stock_percent", 0)
        text = f"what is left of {name} in reach is the sellers' minimum stock of {percent} %"
        return Cause("warning", text, f"lower minimum_stock_percent, or make more {name}")
    if not made:
        return Cause("error", f"{name} is sold out and nobody makes it", f"add a station that makes {name}")
    if used > made:
        return Cause("warning", f"{name} is sold out; {_balance(made, used)}", f"make more {name}, or use less of it")
    return Cause("warning", f"{name} is sold out for now; {_balance(made, used)}", "wait, or add ships to share it out")


def _unreached(galaxy: Galaxy, station: Fields, others: dict[str, Fields], does: str) -> Cause | dict[str, int]:
    """Which of the others can be reached and over how many gates, nearest first; or why none can."""
    sector = station["sector"]
    open_ways, all_ways = galaxy.jumps(sector), galaxy.jumps(sector, closed_too=True)
    reached = {key: open_ways[one["sector"]] for key, one in others.items() if one["sector"] in open_ways}
    if reached:
        return dict(sorted(reached.items(), key=lambda pair: pair[1]))
    if any(one["sector"] in all_ways for one in others.values()):
        return Cause("warning", f"everybody who {does} is behind closed gates", "open the gates, or wait for them")
    if galaxy.leads_into_the_unknown(sector):
        return Cause("warning", f"no way to anybody who {does} is known", "explore the gates into the unknown")
    return Cause("error", f"no gates lead to anybody who {does}", "join the sectors by a gate")


def _most_worth(galaxy: Galaxy, ware: str, pairs: list[tuple[Fields, Fields]]) -> tuple[int, int]:
    """Units that are worth moving between the best of some pairs; and how many would be without a fee."""
    fee = galaxy.rules.get("trade_fee_permille", 0)
    with_fee, without = (max(galaxy.worth_moving(*pair, ware, one) for pair in pairs) for one in (fee, 0))
    return with_fee, without


def _no_ship(galaxy: Galaxy, ware: str, jumps: int, worth_moving: tuple[int, int], text: str) -> Cause:
    """There is somebody to trade with, and yet nobody trades.

    Args:
        jumps: how many gates away the nearest is, open or not, as auto-trade counts them.
        worth_moving: units that are worth moving, between the best two; and how many would be without a fee.
        text: what is known so far.
    """
    reach, least = galaxy.rules.get("trade_range_jumps"), galaxy.least_load(ware)
    if too_large := _too_large(galaxy, ware):
        return Cause("error", f"{text}: {too_large.text}", too_large.remedy)
    if not galaxy.traders:
        return Cause("warning", text, "switch ships to auto-trade, or raise company_percent")
    if reach is not None and jumps > reach:
        text += f": that is beyond the {reach} jumps of auto-trade"
        return Cause("error", text, f"raise trade_range_jumps to {jumps}, or carry it by order")
    worth, without_fee = worth_moving
    if worth <= 0:
        text += ": at the prices of now, fees included, not one unit is worth moving"
        if without_fee > 0 or galaxy.inverted(ware):
            return Cause("warning", text, "lower the fee, or raise price_spread_percent")
        return Cause("warning", text, f"make more {galaxy.ware_name(ware)}, or wait until there is more of it")
    if worth < least:
        text += f": {worth} are worth moving, and no trader leaves with less than {least}"
        enough = galaxy.rules["least_load_percent"] * worth // least
        remedy = f"lower least_load_percent to {enough}, or add smaller ships" if enough else "add smaller ships"
        return Cause("warning", text, remedy)
    purse, floor = galaxy.richest(), galaxy.price_bounds(ware)[0] * least // 100
    if purse is not None and purse < floor:
        text += f": {least} cost {floor / 100:,.2f} credits at least, and no owner of traders has so much"
        return Cause("warning", text, "sell a ship, or raise starting_credits")
    return Cause("warning", f"{text} yet", "add ships")


def _too_large(galaxy: Galaxy, ware: str) -> Cause | None:
    """Why no trader can carry a single unit of a ware, or None when one can."""
    volume, holds = galaxy.wares[ware]["volume"], [ship["capacity"] for ship in galaxy.traders]
    classes = galaxy.holds()
    if not holds:
        # Nobody trades yet; what ships there are to have decides.
        holds = list(classes.values())
    if not holds or max(holds) >= volume:
        return None
    larger = [f"{name}, {hold:,}" for name, hold in classes.items() if hold >= volume]
    remedy = f"larger ships ({larger[0]}), or raise ship_capacity" if larger else "raise ship_capacity"
    return Cause("error", f"one unit takes {volume:,}, and no trader's hold has more than {max(holds):,}", remedy)


def _fewest(galaxy: Galaxy, station: Fields, others: Iterable[Fields]) -> int:
    """How many gates away the nearest of the others is, open or not."""
    ways = galaxy.jumps(station["sector"], closed_too=True)
    return min(ways[one["sector"]] for one in others)


def _balance(made: float, used: float) -> str:
    return f"{made:,.0f} an hour can be made and {used:,.0f} used"


def _away(count: int) -> str:
    return "in the same sector" if count == 0 else "1 gate away" if count == 1 else f"{count} gates away"
