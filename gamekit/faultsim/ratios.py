"""The faults, as named ratios, and how each seed mixes them.

Nothing here happens by itself: whoever could suffer a fault asks the seed's chance whether it does.
"""

from __future__ import annotations

import random
from typing import Annotated

import msgspec
from msgspec.structs import asdict, fields

from gamekit.errors import ConfigError

Ratio = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]

#: By what a seed multiplies each ratio: some faults are absent, so that others are seen by themselves.
SWARM = (0.0, 0.3, 1.0, 1.0, 3.0)


class Ratios(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often each fault happens: each is a chance from 0 to 1 at every occasion.

    Attributes:
        lost: a message from a client never arrives. Occasion: the message, here and down to `garbage`.
        delayed: a message takes up to three seconds, in either direction; the order is kept.
        duplicated: a message from a client arrives twice.
        reordered: a message from a client overtakes, or is overtaken by, others.
        disconnected: the connection breaks while a message of either side is under way, at any byte of it.
        garbage: a client sends something that is no message, or a command that is none.
        slow_reader: a client stops reading for some seconds, so that the host must let it fall behind.
        crash: the host's process dies. Occasion: each step of each commit (before the write, in the middle of it, after
            it and before the fsync, after the fsync and before the report), and each second.
        power_loss: of those crashes, how many take with them what was not fsynced, but for some of its sectors.
        write_failed: a write to the disk fails, after a part of it or none. Occasion: the write.
        fsync_failed: an fsync fails; what was to be synced may be on the disk, in part, or not. Occasion: the fsync.
        disk_full: the disk has no room for some seconds. Occasion: each second, here and down to `zombie`.
        disk_slow: everything the disk does takes up to a second, for some seconds.
        clock_forward: the host's clock jumps forward by up to a minute.
        clock_back: the host's clock jumps back by up to ten seconds.
        wall_moved: the wall clock jumps by up to a day, either way.
        wall_wrong: the wall clock is wrong by up to ten years, either way, or right again.
        sliced: a call into a session ends before its work is done, inside a tick or a record or between two. Occasion:
            each point at which it can.
        stalled: the host's event loop stands still for up to ten seconds; its disk and its clients do not.
        drained: the host is asked to stop in order, and another is started when it has.
        zombie: a second host takes over although the first still runs, for some seconds.
        rotten: a byte of what is stored is not what was written. Occasion: each start of a host.
        lying_fsync: an fsync reports success and does nothing. Nothing is promised on such a disk, so this is 0 unless
            somebody wants to see promises broken.
        locked: another program holds the database's lock for some seconds. Occasion: each second.
    """

    lost: Ratio = 0.01
    delayed: Ratio = 0.02
    duplicated: Ratio = 0.03
    reordered: Ratio = 0.03
    disconnected: Ratio = 0.004
    garbage: Ratio = 0.01
    slow_reader: Ratio = 0.004
    crash: Ratio = 0.004
    power_loss: Ratio = 0.4
    write_failed: Ratio = 0.002
    fsync_failed: Ratio = 0.004
    disk_full: Ratio = 0.004
    disk_slow: Ratio = 0.03
    clock_forward: Ratio = 0.01
    clock_back: Ratio = 0.01
    wall_moved: Ratio = 0.02
    wall_wrong: Ratio = 0.01
    sliced: Ratio = 0.03
    stalled: Ratio = 0.02
    drained: Ratio = 0.01
    zombie: Ratio = 0.01
    rotten: Ratio = 0.2
    lying_fsync: Ratio = 0.0
    # New ones come last, so that the seeds that CI runs keep their mixtures.
    locked: Ratio = 0.01

    def mixed(self, chance: random.Random) -> Ratios:
        """The same with each ratio multiplied by one of `SWARM`, as chance has it, and never above 1."""
        mixed = {name: min(value * chance.choice(SWARM), 1.0) for name, value in asdict(self).items()}
        return Ratios(**mixed)


#: A world without faults.
CALM = Ratios(**{one.name: 0.0 for one in fields(Ratios)})


def parse_ratios(pairs: tuple[str, ...], base: Ratios) -> Ratios:
    """`("crash=0.1", "lost=0")` over `base`.

    Raises:
        ConfigError: a name is not a ratio's, or a value is not from 0 to 1.
    """
    values = asdict(base)
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or name not in values:
            raise ConfigError(f"{pair!r} is not RATIO=VALUE with one of {', '.join(values)}.")
        try:
            values[name] = msgspec.convert(float(text), Ratio)
        except ValueError:
            raise ConfigError(f"{name}: {text!r} is not a number from 0 to 1.") from None
    return Ratios(**values)
