"""A game of one's own with somebody else's past: forked into this process, it goes on as fast as the processor allows.

A branch is a session without a server: the same rules, the same exactly-once answers, a history of its own that goes on
where the past ends. It can be saved as a capsule, and so be taken to a server and played there.
"""

from __future__ import annotations

import contextlib
import json
from bisect import bisect_right
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec

from gamekit.capsule import renamed, write_capsule
from gamekit.errors import CommandFailed, ConfigError
from gamekit.game import Event, Game, GameId, Join, PlayerId, Rejected, Tick
from gamekit.history import stored
from gamekit.journal import Past, Record, chain_of
from gamekit.lab.failures import Checked, keep
from gamekit.lab.own import Own, rules_of
from gamekit.lab.replay import Replay
from gamekit.lab.simulate import definition_of
from gamekit.lab.sources import new_past, past_from, rules_for
from gamekit.lab.ticks import how_long
from gamekit.names import PLAYER_CHARS, as_typed, told_apart, unfit
from gamekit.session import ADMIN
from gamekit.space import SpaceGame

#: Under which client's name a branch's commands stand in its history.
CLIENT = "branch"


class Branch(Replay):
    """A game that goes on here. What `Replay` can look at, a branch can as well; `seek` only looks at what was.

    Args:
        past: where it begins.
        rules: the rules.
        check: whether to make sure after every step from there that no law of the bundled game is broken; slow.
    """

    def __init__(self, past: Past, rules: Game[Any], *, check: bool = False) -> None:
        # The list of records is the branch's own, and grows; whoever asks for `past` gets another.
        super().__init__(msgspec.structs.replace(past, records=list(past.records)), rules)
        self.seek(past.tick)
        if check:
            # From here on: what was is as it was, well or not.
            self.rules = self.session.game = Checked(rules)
        self._cids: dict[PlayerId, int] = {}
        if self.session.hold_at is not None:
            # A branch of a paused game goes on; its history says so.
            self._record(ADMIN, "@server", 0, {"type": "resume"})

    @property
    def past(self) -> Past:
        """What happened up to now; it stays as it is when the branch goes on."""
        return msgspec.structs.replace(self._past, records=list(self._past.records))

    def advance(self, ticks: Tick | None = None, *, hours: float | None = None) -> list[tuple[Tick, Event]]:
        """Let game time pass.

        Args:
            ticks: how many; or
            hours: game time, rounded to whole ticks.

        Returns:
            What happened, each event with its tick.

        Raises:
            ConfigError: neither or both were given, they are no such numbers, or time would run back.
            InvariantViolated: a law is broken, and the branch checks them. This, and whatever else the rules raise,
                leaves the branch where it was, and a capsule that `gamekit open` shows; see `gamekit.lab.failures`.
        """
        more = how_long("advance", ticks, hours)
        if more < 0:
            raise ConfigError(f"Time does not run back; seek({max(self.tick + more, 0)}) looks at what was.")
        self._to_the_end()
        until = self._past.tick + more
        try:
            happened = list(self._run(until))
        except Exception as error:
            self._broken(self._past, error)
            raise
        self._past = msgspec.structs.replace(self._past, tick=until)
        return happened

    def join(self, name: str) -> PlayerId:
        """Let a new player in, now.

        Raises:
            CommandFailed: the rules refuse the name.
        """
        self._to_the_end()
        # As a server's door does it, for what is in a past is taken as it is.
        if wrong := unfit(name, PLAYER_CHARS):
            raise CommandFailed("bad_name", wrong)
        name = told_apart(as_typed(name), self.session.players.values(), PLAYER_CHARS)
        player = self.session.new_player()
        self._record(player, "@server", 0, {"type": "join", "name": name}, Join(name=name))
        if player not in self.session.players:
            raise CommandFailed("bad_name", f"The rules do not let {name!r} in; choose another name.")
        return player

    def command(self, player: str, body: Mapping[str, Any]) -> list[Event]:
        """Carry out a player's command, now.

        Args:
            player: the player's id.
            body: the command as plain values with its `type`, e.g. `{"type": "stop", "ship": "ship-1"}`.

        Returns:
            What it did.

        Raises:
            CommandFailed: it is no command of this game, or the rules refuse it; the message says what to do.
        """
        self._to_the_end()
        who = PlayerId(player)
        if who not in self.session.players:
            known = ", ".join(self.session.players) or "nobody"
            raise CommandFailed("unknown_player", f"{player!r} does not play here; {known} does. Use join(name).")
        try:
            command = msgspec.convert(dict(body), self.rules.command_type)
        except msgspec.ValidationError as error:
            raise CommandFailed("bad_command", f"The command could not be read: {error}.") from None
        cid = self._cids[who] = self._cids.get(who, self.session.answers.last_cid(f"{who}/{CLIENT}")) + 1
        events = self._record(who, CLIENT, cid, msgspec.to_builtins(command))
        answer = self.session.answers.find(f"{who}/{CLIENT}", cid)
        assert answer is not None, "an applied command has its answer"
        if answer.code is not None:
            raise CommandFailed(answer.code, answer.message or answer.code, cid)
        return events

    def set_rules(self, **changes: int) -> list[Event]:
        """Change rules, now, as the owner of a live game does.

        Raises:
            CommandFailed: the rules refuse it; nothing is changed or recorded then.
        """
        self._to_the_end()
        trial = self.rules.decode(self.rules.encode(self.state), self.rules.version)
        refused = self.rules.set_rules(trial, changes)
        if isinstance(refused, Rejected):
            raise CommandFailed(refused.code, refused.message)
        return self._record(ADMIN, "@server", 0, {"type": "set_rules", "changes": changes})

    def save(self, path: str | Path, *, id: str | None = None, name: str | None = None) -> Path:
        """Write the branch, its past included, into a capsule, which `client.import_capsule` takes to a server.

        Args:
            path: the file, replaced when it is there.
            id: another id than that of the game it was forked from.
            name: another display name.
        """
        self._to_the_end()
        now = stored(self.session, self.session.snapshot(), tick=self.tick, seq=self.session.seq)
        places = {(one.seq, one.tick) for one in self._past.snapshots}
        kept = self._past.snapshots + ([] if (now.seq, now.tick) in places else [now])
        past = msgspec.structs.replace(self.past, snapshots=kept)
        write_capsule(renamed(past, GameId(id) if id else past.row.id, name=name), Path(path))
        return Path(path)

    def _to_the_end(self) -> None:
        if (self.tick, self.session.seq) != (self._past.tick, self._past.last_seq):
            self.seek(self._past.tick)

    def _record(
        self, player: PlayerId, client: str, cid: int, body: dict[str, Any], command: Join | None = None
    ) -> list[Event]:
        """Add a command to the history and apply it."""
        past, tick = self._past, self.tick
        entry = {"player": player, "client": client, "cid": cid, "body": body}
        commands = json.dumps([entry], ensure_ascii=False)
        last = past.records[-1] if past.records else None
        seq, epoch = past.last_seq + 1, past.row.epoch
        chain = chain_of(last.chain if last else "", past.row.id, epoch, seq, tick, commands)
        record = Record(past.row.id, epoch, seq, tick, commands, chain)
        try:
            events = self.session.replay(seq, tick, commands)
        except Exception as error:
            self._broken(msgspec.structs.replace(past, records=[*past.records, record]), error)
            raise
        past.records.append(record)
        self._past = msgspec.structs.replace(past, tick=tick, players=dict(self.session.players))
        return events

    def _broken(self, past: Past, error: Exception) -> None:
        """Keep the past that broke, and go back to the end of the one that did not."""
        keep(msgspec.structs.replace(past, tick=max(self.session.tick, past.tick)), error)
        # Keyframes that were made on the way are of a future that is not to be.
        kept = bisect_right(self._ticks, self._past.tick)
        del self._keyframes[kept:], self._ticks[kept:]
        self.session = self._restored(self._keyframes[0])
        with contextlib.suppress(Exception):
            # A past that broke laws before they were looked at breaks them again; whoever seeks it is told.
            self.seek(self._past.tick)

    def __repr__(self) -> str:
        return f"<Branch of {self._past.row.name} ({self._past.row.id}) at tick {self.tick:,}>"


def begin(
    scenario: str | Mapping[str, Any] | PathLike[str] | None = None,
    rules: Mapping[str, Any] | None = None,
    seed: int = 1,
    *,
    game: Own = None,
    name: str = "Played here",
    check: bool = False,
) -> Branch:
    """A new game that is played here, command by command, without a server; every order of it is in its history.

    Args:
        scenario: a name, a definition, or the path of a TOML file with one; the game's default when it is not given.
        rules: `{field: value}` for what differs from the defaults.
        seed: an integer of 64 bits.
        game: the rules, a class, an instance or an import path; the bundled game by default.
        name: display name.
        check: whether to make sure after every step that no law is broken.

    Raises:
        ConfigError: scenario, rules, seed or game are wrong; the message names the field.
    """
    played = rules_of(game)
    if scenario is not None and isinstance(played, SpaceGame):
        scenario = definition_of(scenario)
    return Branch(new_past(scenario, rules, seed, game=played, name=name), played, check=check)


def fork(
    source: Any,
    tick: Tick | None = None,
    *,
    game: str | None = None,
    rules: Own = None,
    check: bool = False,
) -> Branch:
    """A game of one's own with the past of another, up to a tick; the other goes on and does not notice.

    Args:
        source: a live game, the path of a capsule or database, a `Past`, a `Replay` or a `Branch`.
        tick: where the past ends; by default all there is, and of a live game all up to now.
        game: which game, when the source is a database of several.
        rules: the rules to go on by, when they are neither those of the source nor the bundled game's.
        check: whether to make sure after every step that no law is broken.

    Raises:
        ConfigError: the source is none of these.
        JournalError: the past is damaged, or has not come to the tick.
    """
    past = past_from(source, game=game, tick=tick)
    return Branch(past, rules_for(past, rules, source), check=check)
