"""Games that are defined in a cell: they run live on a launched server, and headless."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import gamekit
from gamekit.errors import ConfigError
from gamekit.space import SpaceGame

#: What a cell may hold: everything here lives in `__main__`, which the server cannot import.
CELL = """
import json, threading
from typing import ClassVar
import msgspec
import gamekit
from gamekit import lab
from gamekit.game import Command, Event, Rejected
from gamekit.space import SpaceGame
from gamekit.smallgame import SmallGame, SmallState

GREETING = "hello"

class Waved(Event, frozen=True):
    player: str
    text: str = ""

class Wave(Command, frozen=True, tag="wave", rename={"times": "n"}):
    most: ClassVar[int] = 3
    times: int = 1
    words: list[str] = msgspec.field(default_factory=list)

    def text(self):
        return " ".join([GREETING] * self.times + self.words)

class Room(SmallState):
    waves: int = 0

def wave(state, player, command):
    if command.times > command.most:
        return Rejected("too_often", "Wave 3 times at most.")
    state.waves += command.times
    return [Waved(player, command.text())]

class Waving(SmallGame):
    name = "waving"
    state_type = Room
    commands: ClassVar = {Wave: wave}

    def see(self, state, player):
        return {"room": {"main": {"waves": state.waves}}}

class Flat(SpaceGame):
    name = "flat"

    def price(self, station, ware, stock, rules):
        return ware.base_price

with gamekit.launch(games=[Waving, Flat]) as client:
    red = client.new_game(game="waving").join("Red")
    red.submit({"type": "wave", "n": 2, "words": ["you"]}).result(20)
    refused = red.submit({"type": "wave", "n": 4})
    try:
        refused.result(20)
    except gamekit.errors.CommandFailed as error:
        refusal = error.code
    prices = client.new_game(game="flat").frame.prices
    live = red.view["room"]["main"]["waves"]
branch = lab.begin(game=Waving)
ada = branch.join("Ada")
[waved, _] = branch.command(ada, {"type": "wave", "words": ["all"]})
print(json.dumps([live, refusal, sorted(set(prices["price_ratio"])), waved.text, Wave in Waving.commands]))
"""


def test_games_of_a_cell_run_live_and_headless_and_stay_what_they_are(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", CELL], capture_output=True, text=True, timeout=120, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == '[2, "too_often", [1.0], "hello all", true]'
    assert list(tmp_path.iterdir()) == [], "files were left behind"


def test_what_is_no_game_or_cannot_be_sent_is_told_before_a_server_starts() -> None:
    class Holding(SpaceGame):
        """Holds what lives in this process alone."""

        name = "holding"
        log = sys.stderr

    class Nothing:
        """No game."""

    with pytest.raises(ConfigError, match=r"Nothing is not a game: it has no name, .*gamekit\.SmallGame"):
        gamekit.launch(games=[Nothing])
    with pytest.raises(ConfigError, match=r"Holding cannot be sent to another process: .*put it into a module"):
        gamekit.launch(games=[Holding])
