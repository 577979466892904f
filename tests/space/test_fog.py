"""Discovery and fog of war: who knows what, how it becomes known, and that nothing of the rest is told."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamekit.game import Event, PlayerId, Rejected, View, merge
from gamekit.space import SpaceGame, check
from gamekit.space.commands import AutoTrade, BuyWare, MoveShip, StopShip, Target
from gamekit.space.events import (
    AutoTradeSwitched,
    GateClosed,
    SectorCharted,
    SectorDiscovered,
    ShipDeparted,
    ShipDocked,
    ShipEmerged,
    ShipHolding,
    ShipJumped,
    StockChanged,
    TradeAssigned,
    WareSold,
)
from gamekit.space.model import Docked, InGate, InSpace
from tests.space.galaxies import LINE, RING, Play, only
from tests.space.strategies import explorers

ADA, BOB = PlayerId("p1"), PlayerId("p2")
FOG = {"fog": 1}
#: In fog a gate's id does not say where it leads: these are west to mid, mid to west, mid to east, and east to mid.
WEST_MID, MID_WEST, MID_EAST, EAST_MID = "west:gate-1", "mid:gate-1", "mid:gate-2", "east:gate-1"
INTO_MID = Target(gate=WEST_MID, through=True)


def view(play: Play, viewer: PlayerId | None) -> View:
    """What a viewer sees."""
    return play.game.view(play.state, viewer)


def ids(play: Play, viewer: PlayerId | None) -> dict[str, str]:
    """What a viewer sees, by its ids."""
    shown = view(play, viewer)
    return {table: " ".join(shown[table]) for table in ("sectors", "gates", "stations", "ships")}


def reaches(play: Play, event: Event, viewer: PlayerId | None) -> bool:
    """Whether a viewer gets an event."""
    audience = play.game.audience(play.state, event)
    return audience is None or viewer in audience


def explore(play: Play, ship: str = "ship-1", *gates: str) -> list[Event]:
    """Send a ship through unknown gates, one after the other."""
    events: list[Event] = []
    for gate in gates or (WEST_MID,):
        events += play.move(ship=ship, gate=gate, through=True)
        events += play.run_until_idle(ship)
    return events


# --- what is known at the start -------------------------------------------------------------------------------------


def test_at_the_start_only_what_is_charted_can_be_seen() -> None:
    play = Play(rules=FOG)
    charted = {"sectors": "west", "gates": WEST_MID, "stations": "west-store west-mine", "ships": "ship-1 ship-2"}
    assert [ids(play, viewer) for viewer in (None, ADA, BOB)] == [charted] * 3


@pytest.mark.parametrize(
    ("jumps", "sectors"), [(0, "west"), (1, "west mid"), (2, "west mid east"), (1_000, "west mid east")]
)
def test_charts_reach_so_many_jumps_from_the_hubs(jumps: int, sectors: str) -> None:
    assert ids(Play(rules=FOG | {"charted_jumps": jumps}), None)["sectors"] == sectors


def test_without_fog_everything_is_seen_and_nobody_charts() -> None:
    play = Play(rules={"discovery_ticks": 10})
    assert ids(play, None)["sectors"] == "west mid east"
    explore(play, "ship-1", "west:mid")
    assert not only(SectorCharted, play.story)
    assert not only(SectorDiscovered, play.story)


def test_newcomer_to_a_galaxy_without_hubs_knows_where_it_starts() -> None:
    play = Play(LINE | {"stations": LINE["stations"][1:], "wares": LINE["wares"], "recipes": LINE["recipes"]}, FOG)
    assert ids(play, None)["sectors"] == "west"
    assert ids(play, BOB)["sectors"] == "west mid"
    assert play.state.players[BOB].discovered == ["mid"]


def test_gate_into_the_unknown_tells_neither_what_nor_where_is_beyond() -> None:
    gate = view(Play(rules=FOG), ADA)["gates"][WEST_MID]
    assert (gate["to"], gate["to_sector"]) == (None, None)
    assert (gate["open"], gate["jump_ticks"]) == (True, 50)


# --- discovering ----------------------------------------------------------------------------------------------------


def test_ship_that_comes_out_discovers_the_sector_for_its_owner_alone() -> None:
    play = Play(rules=FOG)
    events = explore(play)
    assert only(SectorDiscovered, events) == [SectorDiscovered(ADA, "mid", "ship-1")]
    assert play.mercury.at == InSpace("mid", -900, 0)
    assert ids(play, ADA) == {
        "sectors": "west mid",
        "gates": f"{WEST_MID} {MID_WEST} {MID_EAST}",
        "stations": "west-store west-mine mid-smelter",
        "ships": "ship-1 ship-2",
    }
    assert view(play, ADA)["gates"][WEST_MID]["to_sector"] == "mid"
    assert view(play, ADA)["gates"][MID_EAST]["to_sector"] is None
    for viewer in (None, BOB):
        assert ids(play, viewer)["sectors"] == "west"
        assert view(play, viewer)["gates"][WEST_MID]["to_sector"] is None
    assert not only(SectorDiscovered, explore(play, "ship-1", MID_WEST, WEST_MID)), "once is enough"


def test_discoveries_are_saved_in_their_order() -> None:
    play = Play(rules=FOG)
    explore(play, "ship-1", WEST_MID, MID_EAST)
    twin = play.game.decode(play.game.encode(play.state), play.game.version)
    assert twin.players[ADA].discovered == ["mid", "east"]
    assert play.game.view(twin, ADA) == view(play, ADA)


def test_order_through_a_gate_flies_there_and_jumps_and_shows_no_exit() -> None:
    play = Play(rules=FOG)
    play.move(gate=WEST_MID, through=True)
    queue = view(play, ADA)["ships"]["ship-1"]["queue"]
    assert [(row["type"], row.get("gate"), row.get("exit"), row["eta"]) for row in queue] == [
        ("fly", None, None, 90),
        ("jump", WEST_MID, None, 140),
    ]
    assert play.status() == ("flying", "flying to the gate to the unknown")
    assert only(ShipJumped, play.run(90)) == [ShipJumped("ship-1", WEST_MID, None, 140)]
    assert play.status() == ("jumping", "in transit to the unknown")
    at = view(play, ADA)["ships"]["ship-1"]["at"]
    assert at == {"type": "gate", "gate": WEST_MID, "exit": None, "depart": 90, "arrive": 140}


def test_order_through_a_known_gate_names_both_ends() -> None:
    play = Play(rules=FOG | {"charted_jumps": 1})
    play.move(gate=WEST_MID, through=True)
    assert play.queue() == ["fly west 900 0", f"jump {MID_WEST}"]
    assert only(ShipJumped, play.run(90)) == [ShipJumped("ship-1", WEST_MID, MID_WEST, 140)]


def test_ship_before_the_gate_goes_through_at_once() -> None:
    play = Play(rules=FOG)
    play.move(gate=WEST_MID)
    play.run_until_idle()
    assert only(ShipJumped, play.move(gate=WEST_MID, through=True))


def test_only_gates_lead_through_and_only_open_ones() -> None:
    play = Play(rules=FOG)
    assert play.refused(MoveShip("ship-1", Target(station="west-store", through=True))) == "bad_target"
    assert play.refused(MoveShip("ship-1", Target(sector="west", through=True))) == "bad_target"
    play.close(WEST_MID)
    assert play.refused(MoveShip("ship-1", INTO_MID)) == "no_route"


def test_explorer_holds_before_a_gate_that_closed_and_goes_through_when_it_opens() -> None:
    play = Play(rules=FOG)
    play.move(gate=WEST_MID, through=True)
    play.close(WEST_MID)
    play.run(500)
    reason = "holding: no route to the unknown, the gate from West to the unknown is closed"
    assert play.status() == ("holding", reason)
    play.open(WEST_MID)
    play.run_until_idle()
    assert play.mercury.at == InSpace("mid", -900, 0)


def test_explorer_finds_another_way_to_its_gate() -> None:
    # From west over mid or north, both charted, to the gate of east that leads into the unknown.
    far = RING | {
        "sectors": [*RING["sectors"], {"id": "far", "name": "Far", "x": 600, "y": 0}],
        "gates": [*RING["gates"], ["east", "far"]],
        "stations": [*RING["stations"], {"sector": "east", "recipe": "store", "x": 100, "y": 0}],
    }
    play = Play(far, FOG | {"charted_jumps": 1})
    assert ids(play, None)["sectors"] == "west mid east north far"
    play = Play(far | {"stations": RING["stations"]}, FOG | {"charted_jumps": 2})
    assert ids(play, None)["sectors"] == "west mid east north"
    play.move(gate="east:gate-3", through=True)
    play.run(45)
    play.close(MID_EAST)
    assert "jump north:gate-1" in play.queue()
    assert play.queue()[-1] == "jump None"
    play.run_until_idle()
    assert ids(play, ADA)["sectors"] == "west mid east north far"


def test_order_that_would_begin_in_the_unknown_must_wait() -> None:
    play = Play(rules=FOG)
    play.move(gate=WEST_MID, through=True)
    back = MoveShip("ship-1", Target(station="west-store"), append=True)
    assert play.refused(back) == "uncharted"
    play.run(100)
    assert isinstance(play.mercury.at, InGate)
    assert play.refused(msgspec.structs.replace(back, append=False)) == "uncharted"
    play.accepted(StopShip("ship-1"))
    play.run(100)
    play.accepted(back)
    play.run_until_idle()
    assert play.mercury.at == Docked("west-store")


def test_ways_lead_through_known_sectors_only() -> None:
    play = Play(RING, FOG | {"charted_jumps": 0})
    explore(play, "ship-1", WEST_MID, MID_EAST)
    play.close(MID_EAST)
    # Over north there is an open way, of which Ada knows nothing.
    assert play.refused(MoveShip("ship-1", Target(station="west-store"))) == "no_route"
    explore(play, "ship-1", "east:gate-2")
    play.move(station="west-store")
    play.run_until_idle()
    assert play.mercury.at == Docked("west-store")


def test_holding_ship_takes_a_way_that_its_owner_discovers() -> None:
    play = Play(RING, FOG)
    explore(play, "ship-1", WEST_MID, MID_EAST)
    venus = play.state.ships["ship-2"]
    venus.owner = ADA  # a second ship for Ada, which goes the long way round
    play.mirrors.clear()
    play.move(sector="east", x=0, y=0)
    play.run_until_idle()
    play.move(station="west-store")
    play.close(MID_EAST)
    play.run(400)
    assert play.status()[0] == "holding"
    play.move(ship="ship-2", gate="west:gate-2", through=True)
    play.run_until_idle("ship-2")
    play.move(ship="ship-2", gate="north:gate-2", through=True)
    events = play.run_until_idle("ship-2")
    assert not only(SectorDiscovered, events), "east is known; the way to it is known with north"
    play.run_until_idle()
    assert play.mercury.at == Docked("west-store")


# --- surveyors ------------------------------------------------------------------------------------------------------


def test_surveyors_chart_one_neighbour_after_the_other_for_everybody() -> None:
    play = Play(rules=FOG | {"discovery_ticks": 1_000})
    assert only(SectorCharted, play.run(999)) == []
    assert only(SectorCharted, play.run(1)) == [SectorCharted("mid")]
    assert [ids(play, viewer)["sectors"] for viewer in (None, ADA, BOB)] == ["west mid"] * 3
    assert only(SectorCharted, play.run(1_000)) == [SectorCharted("east")]
    assert play.state.charts.due == -1, "nothing is left to chart"
    assert only(SectorCharted, play.run(100_000)) == []


def test_surveys_follow_the_seed_and_any_fork_makes_the_same() -> None:
    game = SpaceGame()
    config = {"scenario": "procedural:40", "rules": FOG | {"discovery_ticks": 100}}

    def charted(seed: int) -> list[str]:
        state = game.new(config, seed)
        game.advance(state, 550)
        twin = game.decode(game.encode(state), game.version)
        assert game.advance(twin, 3_000) == game.advance(state, 3_000)
        assert game.encode(twin) == game.encode(state)
        check(state)
        return state.charts.sectors

    assert charted(1) == charted(1)
    assert charted(1) != charted(2)


def test_holding_ships_take_ways_that_are_charted() -> None:
    play = Play(RING, FOG | {"discovery_ticks": 20_000})
    explore(play, "ship-1", WEST_MID, MID_EAST)
    play.move(sector="east", x=0, y=0)
    play.run_until_idle()
    play.move(station="west-store")
    play.close(MID_EAST)
    play.run(400)
    assert play.status()[0] == "holding"
    play.run(60_000)
    assert play.mercury.at == Docked("west-store")


def test_charting_a_sector_does_not_hide_what_a_player_knows_beyond_it() -> None:
    play = Play(rules=FOG | {"discovery_ticks": 5_000})
    explore(play, "ship-1", WEST_MID, MID_EAST)
    assert only(SectorCharted, play.run(5_000 - play.state.tick)) == [SectorCharted("mid")]
    assert view(play, None)["gates"][MID_EAST]["to_sector"] is None
    assert view(play, ADA)["gates"][MID_EAST]["to_sector"] == "east"


# --- going out of sight ---------------------------------------------------------------------------------------------


def test_ship_goes_out_of_sight_and_comes_back_whole() -> None:
    play = Play(rules=FOG)
    play.move(gate=WEST_MID, through=True)
    events = play.run(90)
    assert play.game.changes(play.state, None, events)["ships"] == {"ship-1": None}
    assert "ship-1" not in view(play, BOB)["ships"]
    assert view(play, ADA)["ships"]["ship-1"]["status"] == "jumping"
    play.run_until_idle()
    play.move(station="west-store")
    events = []
    while not only(ShipEmerged, events):
        events = play.run(1)
    shown = play.game.changes(play.state, None, events)["ships"]["ship-1"]
    assert shown.keys() == {"name", "owner", "class", "capacity", "speed", "at", "status", "reason"}


def test_who_discovered_the_same_sector_sees_the_ships_there() -> None:
    play = Play(rules=FOG)
    explore(play)
    explore(play, "ship-2")
    assert "ship-2" in view(play, ADA)["ships"]
    assert "ship-1" in view(play, BOB)["ships"]
    assert view(play, None)["ships"] == {}
    play.move(gate=MID_EAST, through=True)
    events = play.run(300)
    assert "ship-1" not in view(play, BOB)["ships"], "Mercury went where Bob knows nothing"
    assert all(play.game.audience(play.state, one) == (ADA,) for one in only(ShipEmerged, events))
    play.move(station="west-store")
    play.run(500)
    assert "ship-1" in view(play, BOB)["ships"]


def test_events_reach_those_who_know_where_they_fell() -> None:
    play = Play(rules=FOG)
    assert play.game.audience(play.state, StockChanged("mid-smelter")) == ()
    assert play.game.audience(play.state, StockChanged("west-store")) is None
    assert play.game.audience(play.state, GateClosed(MID_WEST)) == ()
    assert play.game.audience(play.state, GateClosed(WEST_MID)) is None
    assert play.game.audience(play.state, SectorCharted("west")) is None
    explore(play)
    assert play.game.audience(play.state, StockChanged("mid-smelter")) == (ADA,)
    assert play.game.audience(play.state, GateClosed(MID_EAST)) == (ADA,)
    assert play.game.audience(play.state, ShipJumped("ship-2", WEST_MID, None, 1)) == (ADA, BOB)
    assert play.game.audience(play.state, ShipEmerged("ship-2", MID_WEST, "mid")) == (ADA, BOB)
    assert play.game.audience(play.state, ShipDocked("ship-2", "mid-smelter")) == (ADA, BOB)
    assert play.game.audience(play.state, ShipDeparted("ship-1", "mid", 0, 0, 1)) == (ADA,)
    assert play.game.audience(play.state, AutoTradeSwitched("ship-1", on=True)) == (ADA,)
    assert play.game.audience(play.state, AutoTradeSwitched("ship-2", on=True)) is None


def test_why_a_ship_holds_is_told_to_its_owner_only() -> None:
    play = Play(rules=FOG)
    explore(play)
    play.move(station="west-store")
    play.run_until_idle()
    play.move(station="mid-smelter")
    assert view(play, BOB)["ships"]["ship-1"]["reason"] == "flying"
    assert view(play, ADA)["ships"]["ship-1"]["reason"] == "flying to Mid gate"
    play.close(WEST_MID)
    [holding] = only(ShipHolding, play.run(500))
    assert play.game.audience(play.state, holding) == (ADA,)
    assert view(play, BOB)["ships"]["ship-1"]["reason"] == "holding: its way is closed"
    assert "Mid Smelter" in view(play, ADA)["ships"]["ship-1"]["reason"]


# --- what is not known is not there ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hidden", "missing"),
    [
        (Target(sector="mid"), Target(sector="nix")),
        (Target(sector="mid", x=5_000), Target(sector="nix", x=5_000)),
        (Target(station="mid-smelter"), Target(station="nix")),
        (Target(gate=MID_EAST), Target(gate="nix")),
        (Target(gate=MID_WEST, through=True), Target(gate="nix", through=True)),
    ],
)
def test_order_to_the_unknown_is_refused_as_if_it_were_not_there(hidden: Target, missing: Target) -> None:
    play = Play(rules=FOG)
    play.close(MID_EAST)
    answers = []
    for target in (hidden, missing):
        answer = play.game.apply(play.state, ADA, MoveShip("ship-1", target))
        assert isinstance(answer, Rejected)
        word = target.sector or target.station or target.gate or ""
        answers.append((answer.code, answer.message.replace(word, "it")))
    assert answers[0] == answers[1]


def test_ship_out_of_sight_is_no_ship() -> None:
    play = Play(rules=FOG)
    assert play.refused(StopShip("ship-1"), "p2") == "not_your_ship"
    explore(play)
    assert play.refused(StopShip("ship-1"), "p2") == "unknown_ship"


def test_auto_trade_uses_known_stations_only_and_companies_use_all() -> None:
    def traded(rules: dict[str, int], **more: Any) -> set[str]:
        play = Play(LINE | more, rules | {"initial_stock_percent": 50, "least_load_percent": 1})
        play.accepted(AutoTrade("ship-1", on=True))
        return {end for one in only(TradeAssigned, play.run(9_000)) for end in (one.source or "", one.target)}

    assert traded({}) & {"mid-smelter", "east-town"}
    assert traded(FOG) <= {"west-store", "west-mine"}
    assert traded(FOG | {"charted_jumps": 1}) <= {"west-store", "west-mine", "mid-smelter"}
    company = traded(FOG, companies=[{"name": "Old Hands", "ships": 2, "credits": 10_000_000}])
    assert company & {"mid-smelter", "east-town"}


def test_cargo_is_not_sold_where_its_owner_knows_nothing() -> None:
    play = Play(rules=FOG | {"charted_jumps": 1})
    play.accepted(BuyWare("ship-1", "food", 5))  # which only the depot here and the town in the far east buy
    play.accepted(AutoTrade("ship-1", on=True))
    sold = [one.station for one in only(WareSold, play.run(5_000)) if one.ware == "food"]
    assert sold == ["west-store"]


QUICK = FOG | {"jump_ticks": 7, "ship_speed_mm_per_tick": 50_000, "discovery_ticks": 400, "queue_limit": 12}
COMPANY = {"companies": [{"name": "Old Hands", "ships": 3, "credits": 10_000_000}]}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_mirrors_stay_true_and_silent_whatever_happens_in_the_fog(data: st.DataObject) -> None:
    """Play checks every mirror at every step; here patches also span many events, and nothing unknown is in them."""
    play = Play(RING | COMPANY, QUICK | {"discovery_ticks": data.draw(st.sampled_from([0, 150, 900]))})
    gates = st.sampled_from(list(play.state.gates))
    slow: dict[PlayerId | None, View] = {viewer: view(play, viewer) for viewer in (None, ADA, BOB)}
    gathered: list[Event] = []

    def told(events: list[Event]) -> None:
        for viewer in slow:
            text = msgspec.json.encode(
                [
                    play.game.changes(play.state, None, events),
                    play.game.changes(play.state, viewer, events),
                    [one for one in events if reaches(play, one, viewer)],
                ]
            ).decode()
            for sector in play.state.sectors.values():
                if not play.state.knows(viewer, sector.id):
                    for word in (f'"{sector.id}', f"{sector.name} ", f'{sector.name}"'):
                        assert word not in text, (viewer, word, text)
        gathered.extend(play.told(events))

    for _ in range(data.draw(st.integers(8, 30))):
        match data.draw(st.sampled_from(["order", "order", "wait", "wait", "gate", "gather"])):
            case "order":
                player = data.draw(st.sampled_from([ADA, BOB]))
                answer = play.game.apply(play.state, player, data.draw(explorers(view(play, player))))
                told([] if isinstance(answer, Rejected) else answer)
            case "wait":
                until = play.state.tick + data.draw(st.integers(1, 120))
                while (due := play.game.next_due(play.state)) is not None and due <= until:
                    told(play.game.advance(play.state, due))
                told(play.game.advance(play.state, until))
            case "gate":
                gate = data.draw(gates)
                told(play.close(gate) if play.state.gates[gate].open else play.open(gate))
            case "gather":
                for viewer, mirror in slow.items():
                    merge(mirror, play.game.changes(play.state, None, gathered))
                    if viewer is not None:
                        merge(mirror, play.game.changes(play.state, viewer, gathered))
                    assert mirror == view(play, viewer), viewer
                gathered.clear()


def test_change_of_rules_does_not_name_ships_that_are_out_of_sight() -> None:
    play = Play(LINE | COMPANY, FOG | {"company_percent": 100})
    explore(play, "ship-1", WEST_MID)
    changed = play.game.set_rules(play.state, {"jump_ticks": 7})
    assert not isinstance(changed, Rejected)
    for viewer in (None, BOB):
        patch = play.game.changes(play.state, viewer, play.told(changed))
        assert patch.get("ships", {}).keys() <= view(play, viewer)["ships"].keys()


@pytest.mark.parametrize("gate", [WEST_MID, MID_EAST])
def test_ship_that_went_out_of_sight_together_with_a_change_of_rules_is_gone(gate: str) -> None:
    play = Play(rules=FOG)
    for ship in ("ship-1", "ship-2") if gate == MID_EAST else ():
        explore(play, ship, WEST_MID)
    before = {viewer: view(play, viewer) for viewer in (None, BOB)}
    assert "ship-1" in before[BOB]["ships"]
    events = play.move(gate=gate, through=True)
    events += play.run_until_idle()
    changed = play.game.set_rules(play.state, {"jump_ticks": 7})
    assert not isinstance(changed, Rejected)
    events += play.told(changed)
    for viewer, mirror in before.items():
        merge(mirror, play.game.changes(play.state, None, events))
        if viewer is not None:
            merge(mirror, play.game.changes(play.state, viewer, events))
        assert mirror == view(play, viewer)
        assert "ship-1" not in mirror["ships"]


def test_discovery_is_nobody_elses_business() -> None:
    play = Play(rules=FOG)
    play.move(gate=WEST_MID, through=True)
    play.run(139)
    events = play.run(1)
    assert only(SectorDiscovered, events)
    assert play.game.changes(play.state, None, events) == {}
    assert play.game.changes(play.state, BOB, events) == {}
    assert play.game.changes(play.state, ADA, events).keys() == {"sectors", "gates", "stations", "ships"}


def test_explorers_of_the_shipped_galaxy_find_it_all() -> None:
    """Two ships go through the first gate of which they know nothing, until there is none."""
    play = Play("nearest-stars", FOG | {"charted_jumps": 0, "company_percent": 30})
    for _ in range(40):
        for ship in ("ship-1", "ship-2"):
            owner = play.state.ships[ship].owner
            unknown = [key for key, row in view(play, owner)["gates"].items() if row["to"] is None]
            for gate in unknown:
                answer = play.game.apply(play.state, owner, MoveShip(ship, Target(gate=gate, through=True)))
                if not isinstance(answer, Rejected):
                    play.told(answer)
                    break
        play.run(1_500)
        if all(len(view(play, owner)["sectors"]) == 16 for owner in (ADA, BOB)):
            break
    assert len(view(play, ADA)["sectors"]) == len(view(play, BOB)["sectors"]) == 16
    assert len(view(play, None)["sectors"]) == 4
