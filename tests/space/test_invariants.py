"""The laws hold whatever players do and whichever gates close; and a broken law is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamekit.errors import InvariantViolated
from gamekit.game import Rejected
from gamekit.space import SpaceState, check
from gamekit.space.commands import BuyShip, BuyWare
from gamekit.space.model import Docked, InGate, InSpace, Job, Jump, OnLeg
from tests.space.galaxies import LINE, RING, Play
from tests.space.strategies import commands

#: Fast ships, and credits for some more of them.
QUICK = {
    "jump_ticks": 7,
    "ship_speed_mm_per_tick": 50_000,
    "queue_limit": 12,
    "trade_fee_permille": 13,
    "minimum_stock_percent": 20,
    "starting_credits": 30_000_000,
    "ships_limit": 3,
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_laws_and_mirrors_hold_after_every_step(data: st.DataObject) -> None:
    play = Play(data.draw(st.sampled_from([LINE, RING])), QUICK)
    view = play.game.view(play.state, None)
    player = st.sampled_from(["p1", "p2"])
    gates = st.sampled_from(list(play.state.gates))
    steps = st.one_of(
        st.tuples(st.just("command"), player, commands(view)),
        st.tuples(st.just("own"), player, commands(view), st.integers(0, 2)),
        st.tuples(st.just("own"), player, commands(view), st.integers(0, 2)),
        st.tuples(st.just("wait"), st.integers(1, 120)),
        st.tuples(st.just("close"), gates),
        st.tuples(st.just("open"), gates),
    )
    for step in data.draw(st.lists(steps, min_size=5, max_size=40)):
        if step[0] in {"command", "own"}:
            command = step[2]
            fleet = [ship.id for ship in play.state.ships.values() if ship.owner == step[1]]
            if step[0] == "own" and fleet and not isinstance(command, BuyShip):
                command = msgspec.structs.replace(command, ship=fleet[step[3] % len(fleet)])
            before = play.game.encode(play.state)
            answer = play.game.apply(play.state, step[1], command)
            if isinstance(answer, Rejected):
                assert play.game.encode(play.state) == before
            else:
                play.told(answer)
        elif step[0] == "wait":
            play.run(step[1])
        elif step[0] == "close":
            play.close(step[1])
        else:
            play.open(step[1])
        twin = play.game.decode(play.game.encode(play.state), play.game.version)
        assert play.game.next_due(twin) == play.game.next_due(play.state)
        check(twin)
    # With every gate open, every ship gets where it was told to go.
    for gate in play.state.gates:
        play.open(gate)
    for ship in list(play.state.ships):
        play.run_until_idle(ship)


def spoil_credits(state: SpaceState) -> None:
    state.ledger.credits["player:p1"] += 1


def spoil_stock(state: SpaceState) -> None:
    state.stations["west-store"].stock["ore"] -= 1


def spoil_capacity(state: SpaceState) -> None:
    state.stations["west-store"].stock["ore"] += 999
    state.ledger.wares["initial"]["ore"] -= 999


def spoil_hold(state: SpaceState) -> None:
    state.ships["ship-1"].hold["metals"] = 300
    state.ledger.wares["initial"]["metals"] -= 300


def spoil_faucet(state: SpaceState) -> None:
    state.ledger.wares["mined"]["ore"] += 5
    state.ledger.wares["initial"]["ore"] -= 5


def spoil_place(state: SpaceState) -> None:
    state.ships["ship-1"].at = InSpace("nowhere", 0, 0)


def spoil_distance(state: SpaceState) -> None:
    state.ships["ship-1"].at = InSpace("west", 1_001, 0)


def spoil_dock(state: SpaceState) -> None:
    state.ships["ship-1"].at = Docked("nowhere")


def spoil_leg(state: SpaceState) -> None:
    state.ships["ship-1"].at = OnLeg("west", 0, 0, 10, 10, 0, 50)


def spoil_gate(state: SpaceState) -> None:
    state.ships["ship-1"].at = InGate("west:mid", "east:mid", 0, 50)


def spoil_queue(state: SpaceState) -> None:
    state.ships["ship-1"].queue.append(Jump(1, 1, "west:mid", "mid:west"))


def spoil_due(state: SpaceState) -> None:
    state.ships["ship-1"].due = 40


def spoil_agenda(state: SpaceState) -> None:
    state.agenda.heap.clear()


def spoil_agenda_key(state: SpaceState) -> None:
    state.agenda.heap.append((10**6, 777))


def spoil_ends(state: SpaceState) -> None:
    state.gates["west:mid"].open = False


def spoil_reason(state: SpaceState) -> None:
    state.stations["west-store"].reason = ""


def spoil_reserved_stock(state: SpaceState) -> None:
    state.reserved.stock["west-mine", "ore"] = 1


def spoil_reserved_room(state: SpaceState) -> None:
    state.reserved.room["mid-smelter", "ore"] = 1


def spoil_job(state: SpaceState) -> None:
    job = Job("ore", 5, "west-mine", "mid-smelter", 0, loaded=False)
    state.ships["ship-1"].job = job
    state.reserved.add(job)


def spoil_dispatcher(state: SpaceState) -> None:
    state.ships["ship-1"].auto_trade = True


def spoil_weather(state: SpaceState) -> None:
    state.gates["west:mid"].stormy = True


def spoil_fees(state: SpaceState) -> None:
    state.ledger.credits["fees"] -= 1
    state.ledger.credits["grants"] += 1


def spoil_account(state: SpaceState) -> None:
    state.ledger.credits["elsewhere"] = 0


def spoil_sink(state: SpaceState) -> None:
    state.ledger.wares["lost"] = {}


def spoil_since(state: SpaceState) -> None:
    state.stations["west-mine"].since = 77


def spoil_ship_class(state: SpaceState) -> None:
    state.ships["ship-1"].ship_class = "dinghy"


def spoil_ship_id(state: SpaceState) -> None:
    state.ships_made = 1


def spoil_ship_name(state: SpaceState) -> None:
    state.ships["ship-2"].name = "\n"


def spoil_ship_order(state: SpaceState) -> None:
    state.ships["ship-1"] = state.ships.pop("ship-1")


def spoil_owner(state: SpaceState) -> None:
    del state.players[next(iter(state.players))]


@pytest.mark.parametrize(
    "spoil", [value for name, value in sorted(globals().items()) if name.startswith("spoil_")], ids=lambda f: f.__name__
)
def test_broken_law_is_noticed_and_told_with_its_story(spoil: Callable[[SpaceState], Any]) -> None:
    play = Play()
    play.accepted(BuyWare("ship-1", "food", 3))
    state = play.game.decode(play.game.encode(play.state), play.game.version)
    check(state)
    spoil(state)
    with pytest.raises(InvariantViolated) as caught:
        check(state, play.story)
    assert any("WareBought" in line for line in caught.value.story)


def test_checking_changes_nothing() -> None:
    play = Play()
    before = play.game.encode(play.state)
    check(play.state)
    assert play.game.encode(play.state) == before
    assert msgspec.msgpack.decode(before)
