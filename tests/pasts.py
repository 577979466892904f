"""A played game's past as the journal would hold it, for tests of what is done with pasts."""

from __future__ import annotations

import json
import random

from gamekit.game import GameId, PlayerId
from gamekit.journal import GameRow, Past, Record, StoredSnapshot, chain_of, digest_of
from tests.counter_game import CounterGame
from tests.session.world import World


def played(seed: int = 3, turns: int = 60) -> World:
    """A game of the tiny counter: two players, a few hundred ticks, commands, a change of speed, snapshots."""
    chance = random.Random(seed)
    world = World({"rules": {"every_ticks": 7}})
    players = [world.join("Ada"), world.join("Bob")]
    for cid in range(1, turns + 1):
        world.pass_ticks(chance.randint(1, 40))
        world.submit(chance.choice(players), {"type": "add", "n": chance.randint(1, 9)}, cid=cid, client="c")
        world.durable()
        if cid == turns // 2:
            world.admin(type="set_speed", speed=2.0)
        if chance.random() < 0.2:
            world.pass_ticks(2)
            world.snapshots.append(world.session.keep_snapshot())
    world.pass_ticks(3)
    return world


def past_of_world(world: World, game: str = "g") -> Past:
    """All that is durable of a world's game."""
    row = GameRow(GameId(game), "counter", CounterGame.version, "Test", json.dumps(world.config), world.seed, 1e9, 1)
    chain, records = "", []
    for one in world.records:
        chain = chain_of(chain, row.id, one.epoch, one.seq, one.tick, one.commands)
        records.append(Record(row.id, one.epoch, one.seq, one.tick, one.commands, chain))
    snapshots = [
        StoredSnapshot(row.id, one.tick, one.seq, digest_of(one.encoded), one.encoded, CounterGame.version)
        for one in world.snapshots
    ]
    players = {PlayerId(player): name for player, name in world.players.items()}
    return Past(row=row, records=records, snapshots=snapshots, tick=world.session.tick, players=players)
