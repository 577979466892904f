"""Random commands for the bundled game: mostly sensible ones, some nonsense."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from gamekit.game import Command, View
from gamekit.space.commands import (
    AutoTrade,
    BuyShip,
    BuyWare,
    CancelEntry,
    MoveShip,
    RenameShip,
    ReorderQueue,
    SellShip,
    SellWare,
    StopShip,
    Target,
)


def some(table: dict[str, Any]) -> st.SearchStrategy[str]:
    """An id of the table, or now and then one that is not there."""
    return st.sampled_from([*table, *table, *table, "nowhere"])


def targets(view: View) -> st.SearchStrategy[Target]:
    """Places in sectors, stations, gates, and targets that mean nothing."""
    metres = st.integers(-1_100, 1_100)
    return st.one_of(
        st.builds(Target, sector=some(view["sectors"]), x=metres, y=metres),
        st.builds(Target, station=some(view["stations"])),
        st.builds(Target, station=some(view["stations"])),
        st.builds(Target, gate=some(view["gates"]), through=st.booleans()),
        st.sampled_from([Target(), Target(station="nowhere", x=1), Target(sector="nowhere", gate="nowhere")]),
    )


def commands(view: View) -> st.SearchStrategy[Command]:
    """Any command that a player may send."""
    ships = some(view["ships"])
    wares = some(view["wares"])
    units = st.integers(0, 400) | st.sampled_from([-1, 10**9, 10**9 + 1, 2**70])
    append = st.booleans()
    names = st.text(max_size=5) | st.sampled_from(["Hermes", "Гермес 2", " ", "x" * 40, "x" * 41])
    return st.one_of(
        st.builds(MoveShip, ship=ships, to=targets(view), append=append),
        st.builds(MoveShip, ship=ships, to=targets(view), append=append),
        st.builds(BuyWare, ship=ships, ware=wares, units=units, append=append),
        st.builds(SellWare, ship=ships, ware=wares, units=units, append=append),
        st.builds(StopShip, ship=ships),
        st.builds(AutoTrade, ship=ships, on=st.sampled_from([True, True, False])),
        st.builds(CancelEntry, ship=ships, entry=st.integers(0, 30)),
        st.builds(
            BuyShip,
            ship_class=some(view["ship_classes"]),
            station=st.sampled_from([key for key, row in view["stations"].items() if row["shipyard"]] or ["nowhere"])
            | some(view["stations"]),
            name=st.none() | names,
        ),
        st.builds(SellShip, ship=ships),
        st.builds(RenameShip, ship=ships, name=names),
        st.builds(ReorderQueue, ship=ships, orders=st.lists(st.integers(0, 12), max_size=6).map(tuple)),
    )


def explorers(view: View) -> st.SearchStrategy[Command]:
    """What somebody does who plays in fog: mostly goes through gates, of whose other side there may be no word."""
    own = [ship for ship, row in view["ships"].items() if "queue" in row] or ["nowhere"]
    beyond = [gate for gate, row in view["gates"].items() if row["to"] is None] or list(view["gates"])
    through = st.builds(Target, gate=st.sampled_from(beyond), through=st.just(True))
    explore = st.builds(MoveShip, ship=st.sampled_from(own), to=through, append=st.booleans())
    return st.one_of(explore, explore, commands(view))
