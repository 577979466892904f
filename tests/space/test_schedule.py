"""The agenda."""

from __future__ import annotations

from gamekit.space.model import NEVER
from gamekit.space.schedule import Agenda


class Thing:
    """Something with a due tick."""

    def __init__(self, key: int, due: int = NEVER) -> None:
        self.key = key
        self.due = due


def test_soonest_is_next() -> None:
    assert Agenda([Thing(1, 30), Thing(2, 20), Thing(3)]).next_due() == 20
    assert Agenda([Thing(3)]).next_due() is None


def test_change_of_plan_leaves_the_old_tick_behind() -> None:
    thing = Thing(1)
    agenda = Agenda([thing])
    agenda.put(thing, 10)
    agenda.put(thing, 50)
    assert agenda.next_due() == 50
    agenda.put(thing, 20)
    assert agenda.next_due() == 20
    thing.due = NEVER
    assert agenda.next_due() is None


def test_new_things_can_be_taken_in() -> None:
    agenda = Agenda([])
    thing = Thing(7)
    agenda.add(thing)
    agenda.put(thing, 5)
    assert agenda.next_due() == 5
