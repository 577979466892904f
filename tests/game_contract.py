"""The laws of `gamekit.game`, as checks that any game can be put through.

A `Subject` says how to make a game and how to come by commands for it; each law in `LAWS` plays a random history
(drawn by hypothesis, so a failure shrinks to a short one) and raises `AssertionError` when the game breaks it.
`tests/test_game_contract.py` runs every law over every game of this repository.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec
from hypothesis import strategies as st

from gamekit.game import Command, Event, Game, Join, PlayerId, Rejected, RuleField, Tick, View, advance_some, merge

PLAYERS = (PlayerId("p1"), PlayerId("p2"))
SPECTATOR = None


class Subject(NamedTuple):
    """A game under test.

    Attributes:
        name: for test ids.
        game: the game.
        config: what its games are made from.
        commands: from a spectator's view, a strategy for commands, sensible ones and others.
        longest_wait: the most ticks that one step lets pass.
        unknown: for a game whose players do not all see the same part of the world: from a state and a viewer, the
            words that nothing told to this viewer may contain.
    """

    name: str
    game: Game[Any]
    config: Mapping[str, Any]
    commands: Callable[[View], st.SearchStrategy[Command]]
    longest_wait: Tick
    unknown: Callable[[Any, PlayerId | None], Sequence[str]] | None = None


class Wait(NamedTuple):
    """Let time pass."""

    ticks: Tick


class Give(NamedTuple):
    """A player gives a command."""

    player: PlayerId
    command: Command


class Change(NamedTuple):
    """Rules are changed."""

    changes: dict[str, Any]


Action: TypeAlias = Wait | Give | Change
Answer: TypeAlias = "list[Event] | Rejected"


def perform(game: Game[Any], state: Any, action: Action) -> Answer:
    """Do it, in place."""
    if isinstance(action, Wait):
        return game.advance(state, game.tick(state) + action.ticks)
    if isinstance(action, Change):
        return game.set_rules(state, action.changes)
    return game.apply(state, action.player, action.command)


def seeds(data: st.DataObject) -> int:
    """Any seed that the contract allows."""
    seed: int = data.draw(st.integers(-(2**63), 2**64 - 1), label="seed")
    return seed


def steps(subject: Subject, data: st.DataObject, seed: int | None = None) -> Iterator[tuple[Any, Action]]:
    """A random history: the state and the next action, which the caller performs before asking for more."""
    game = subject.game
    state = game.new(subject.config, seeds(data) if seed is None else seed)
    for player in PLAYERS:
        yield state, Give(player, Join(f"Player {player}"))
    for _ in range(data.draw(st.integers(1, 16), label="steps")):
        yield state, _action(subject, state, data)


def law_deterministic(subject: Subject, data: st.DataObject) -> None:
    """The same `new`, then the same calls, give the same answers and the same bytes."""
    game = subject.game
    seed = seeds(data)
    actions, seen = [], []
    for state, action in steps(subject, data, seed):
        actions.append(action)
        seen.append((perform(game, state, action), game.encode(state)))
    again = game.new(subject.config, seed)
    assert [(perform(game, again, action), game.encode(again)) for action in actions] == seen


def law_path_independent(subject: Subject, data: st.DataObject) -> None:
    """Time may pass in one go or in pieces."""
    game = subject.game
    for state, action in steps(subject, data):
        if not isinstance(action, Wait):
            perform(game, state, action)
            continue
        pieces = game.decode(game.encode(state), game.version)
        until = game.tick(state) + action.ticks
        stops = data.draw(st.lists(st.integers(game.tick(state), until), max_size=4).map(sorted), label="stops")
        events = [event for stop in [*stops, until] for event in game.advance(pieces, stop)]
        assert game.advance(state, until) == events
        assert game.encode(pieces) == game.encode(state)


def law_divisible(subject: Subject, data: st.DataObject) -> None:
    """Time may pass in parts, broken off anywhere, also where the caller has enough after every part."""
    game = subject.game
    for state, action in steps(subject, data):
        if not isinstance(action, Wait):
            perform(game, state, action)
            continue
        pieces = game.decode(game.encode(state), game.version)
        until = game.tick(state) + action.ticks
        patience = data.draw(st.lists(st.integers(0, 20), max_size=8), label="parts before enough")
        events, stopped_at = in_parts(game, pieces, until, patience)
        assert game.tick(pieces) == until
        assert game.advance(state, until) == events
        assert game.encode(pieces) == game.encode(state)
        assert game.next_due(pieces) == game.next_due(state)
        assert stopped_at == sorted(stopped_at)


def in_parts(game: Game[Any], state: Any, until: Tick, patience: Sequence[int]) -> tuple[list[Event], list[Tick]]:
    """Advance with so many parts in each call, then one part a call; the events, and the ticks where it stopped."""
    events: list[Event] = []
    stopped_at = []
    parts = iter(patience)
    while True:
        left = next(parts, 0)

        def enough() -> bool:
            nonlocal left
            left -= 1
            return left < 0

        progress = advance_some(game, state, until, enough)
        events += progress.events
        if progress.inside:
            continue
        stopped_at.append(game.tick(state))
        # Between ticks, everything may be asked of the state.
        game.decode(game.encode(state), game.version)
        game.view(state, SPECTATOR)
        due = game.next_due(state)
        assert due is None or due > game.tick(state)
        if game.tick(state) == until:
            return events, stopped_at


def law_rejected_changes_nothing(subject: Subject, data: st.DataObject) -> None:
    """A refusal leaves the state as it was, and says why in a code and a sentence."""
    game = subject.game
    for state, action in steps(subject, data):
        before = game.encode(state)
        answer = perform(game, state, action)
        if isinstance(answer, Rejected):
            assert game.encode(state) == before
            assert answer.code.replace("_", "").isalpha()
            assert answer.code == answer.code.lower()
            assert answer.message.endswith(".")


def law_round_trip(subject: Subject, data: st.DataObject) -> None:
    """A decoded state behaves like the one it was made from for ever after."""
    game = subject.game
    twin: Any = None
    for state, action in steps(subject, data):
        if twin is None or data.draw(st.booleans(), label="decode anew"):
            twin = game.decode(game.encode(state), game.version)
        assert perform(game, twin, action) == perform(game, state, action)
        assert game.encode(twin) == game.encode(state)
        assert game.next_due(twin) == game.next_due(state)


def law_nothing_before_its_time(subject: Subject, data: st.DataObject) -> None:
    """Up to the tick before `next_due`, nothing happens and nothing looks different."""
    game = subject.game
    for state, action in steps(subject, data):
        due = game.next_due(state)
        assert due is None or due > game.tick(state)
        early = game.tick(state) + subject.longest_wait if due is None else due - 1
        waiting = game.decode(game.encode(state), game.version)
        assert game.advance(waiting, early) == []
        assert game.tick(waiting) == early
        assert game.next_due(waiting) == due
        for viewer in (SPECTATOR, PLAYERS[0]):
            assert game.view(waiting, viewer) == game.view(state, viewer)
        perform(game, state, action)


def law_mirrors_stay_true(subject: Subject, data: st.DataObject) -> None:
    """Who holds a view and merges every patch holds the view, as JSON too."""
    game = subject.game
    mirrors: dict[PlayerId | None, View] = {}
    for state, action in steps(subject, data):
        if not mirrors:
            mirrors = {viewer: _over_json(game.view(state, viewer)) for viewer in (SPECTATOR, *PLAYERS)}
        answer = perform(game, state, action)
        events = [] if isinstance(answer, Rejected) else answer
        for viewer, mirror in mirrors.items():
            merge(mirror, _over_json(game.changes(state, SPECTATOR, events)))
            if viewer is not None:
                merge(mirror, _over_json(game.changes(state, viewer, events)))
            assert mirror == game.view(state, viewer)


def law_rules_are_told(subject: Subject, data: st.DataObject) -> None:
    """The table, the rules in force and the view's table of them agree; what may not change does not."""
    game = subject.game
    rows = {row.name: row for row in game.rule_table()}
    first: dict[str, Any] = {}
    for state, action in steps(subject, data):
        first = first or game.rules(state)
        before = game.rules(state)
        answer = perform(game, state, action)
        after = game.rules(state)
        assert list(after) == list(rows)
        assert all(row.low <= after[name] <= row.high for name, row in rows.items())
        assert all(after[name] == first[name] for name, row in rows.items() if row.at_start)
        assert game.view(state, SPECTATOR)["rules"] == {name: {"value": value} for name, value in after.items()}
        if isinstance(action, Change) and not isinstance(answer, Rejected):
            assert after == before | action.changes
            assert [type(event).__name__ for event in answer].count("RulesChanged") == (after != before)
        else:
            assert after == before


def law_secrets_are_kept(subject: Subject, data: st.DataObject) -> None:
    """A player sees all that is public; what one sees beyond it, no other sees, neither in a view nor in a patch.

    Where players see parts of the world, two may know the same that is not public, and one may know more of a public
    thing than the public; what they must not see is then for `unknown_is_unheard_of`.
    """
    game = subject.game
    for state, action in steps(subject, data):
        answer = perform(game, state, action)
        events = [] if isinstance(answer, Rejected) else answer
        public = _fields(game.view(state, SPECTATOR))
        seen = [_fields(game.view(state, viewer)) for viewer in PLAYERS]
        assert all(public.keys() <= fields.keys() for fields in seen)
        for event in events:
            audience = game.audience(state, event)
            # Those who play, or one of the game's own, whose secrets nobody sees.
            assert audience is None or all(isinstance(player, str) for player in audience)
            assert msgspec.json.decode(msgspec.json.encode(event))["type"] == type(event).__name__
        if subject.unknown is None:
            assert all(public.items() <= fields.items() for fields in seen)
            assert seen[0].keys() & seen[1].keys() == public.keys()
            others = [event for event in events if not _reaches(game, state, event, PLAYERS[0])]
            assert game.changes(state, PLAYERS[0], others) == {}


def law_unknown_is_unheard_of(subject: Subject, data: st.DataObject) -> None:
    """Of what a viewer does not know there is no word in any view, patch, event or refusal."""
    game = subject.game
    if subject.unknown is None:
        return
    for state, action in steps(subject, data):
        before = {viewer: subject.unknown(state, viewer) for viewer in (SPECTATOR, *PLAYERS)}
        answer = perform(game, state, action)
        events = [] if isinstance(answer, Rejected) else answer
        for viewer in (SPECTATOR, *PLAYERS):
            told = [game.view(state, viewer), game.changes(state, SPECTATOR, events)]
            if viewer is not None:
                told.append(game.changes(state, viewer, events))
            told += [event for event in events if _reaches(game, state, event, viewer)]
            _silent_about(subject.unknown(state, viewer), told)
        if isinstance(answer, Rejected) and isinstance(action, Give):
            # Who asks for what they do not know hears no more of it than they said.
            said = msgspec.json.encode(action.command).decode()
            _silent_about([word for word in before[action.player] if word not in said], [answer])


def law_unknown_is_as_good_as_missing(subject: Subject, data: st.DataObject) -> None:
    """A command about what a player does not know gets the answer that it gets about what is not there."""
    game = subject.game
    if subject.unknown is None:
        return
    for state, action in steps(subject, data):
        if isinstance(action, Give) and not isinstance(action.command, Join):
            said = msgspec.json.encode(action.command).decode()
            for word in subject.unknown(state, action.player):
                if f'"{word}"' in said:
                    missing = said.replace(f'"{word}"', '"there-is-no-such-thing"')
                    twin = game.decode(game.encode(state), game.version)
                    answer = game.apply(state, action.player, action.command)
                    other = game.apply(twin, action.player, msgspec.json.decode(missing, type=game.command_type))
                    assert isinstance(answer, Rejected)
                    assert isinstance(other, Rejected)
                    assert answer.code == other.code
                    assert answer.message.replace(word, "there-is-no-such-thing") == other.message
        perform(game, state, action)


def law_commands_are_typed(subject: Subject, data: st.DataObject) -> None:
    """A command survives the wire as what it is, and unknown fields are refused."""
    for state, action in steps(subject, data):
        if isinstance(action, Give) and not isinstance(action.command, Join):
            plain = msgspec.to_builtins(action.command)
            assert msgspec.convert(plain, subject.game.command_type) == action.command
            try:
                msgspec.convert(plain | {"surprise": 1}, subject.game.command_type)
            except msgspec.ValidationError:
                pass
            else:
                raise AssertionError("a command with an unknown field was accepted")
        perform(subject.game, state, action)


#: Every law, by name.
LAWS: dict[str, Callable[[Subject, st.DataObject], None]] = {
    name.removeprefix("law_"): law for name, law in sorted(globals().items()) if name.startswith("law_")
}


def rule_changes(game: Game[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Changes of a few rules: mostly allowed ones, some out of range, of the wrong kind or unknown."""

    def settings(rows: list[RuleField]) -> st.SearchStrategy[dict[str, Any]]:
        values = {
            row.name: st.one_of(
                st.integers(row.low, row.high),
                st.sampled_from([row.low, row.high, row.default, row.default, row.default]),
                st.integers(row.low, min(row.high, max(row.low, row.default) * 3)),
                st.sampled_from([row.default] * 8 + [row.low - 1, row.high + 1, str(row.low), None, True, 2**70, [1]]),
            )
            for row in rows
        }
        return st.fixed_dictionaries(values)

    live = [row for row in game.rule_table() if not row.at_start]
    picked = st.lists(st.sampled_from(live), min_size=1, max_size=3, unique_by=lambda row: row.name).flatmap(settings)
    odd = st.sampled_from([{}, {"nonsense": 1}]) | st.sampled_from(list(game.rule_table())).flatmap(
        lambda row: settings([row])
    )
    return st.one_of(picked, picked, picked, odd)


def _action(subject: Subject, state: Any, data: st.DataObject) -> Action:
    game = subject.game
    kind = data.draw(st.sampled_from(["command", "command", "command", "wait", "until due", "rules"]), label="kind")
    if kind == "command":
        player = data.draw(st.sampled_from(PLAYERS), label="player")
        view = game.view(state, player if subject.unknown is not None else SPECTATOR)
        command = data.draw(subject.commands(view) | st.just(Join("Again")), label="command")
        if subject.unknown is not None and not isinstance(command, Join):
            # Ask now and then for what is there and not known, where else one would ask for nothing.
            word = data.draw(st.sampled_from(["nowhere", *subject.unknown(state, player)]), label="instead of nowhere")
            said = msgspec.json.encode(command).decode().replace('"nowhere"', f'"{word}"')
            command = msgspec.json.decode(said, type=game.command_type)
        return Give(player, command)
    if kind == "rules":
        return Change(data.draw(rule_changes(game), label="rules"))
    due = game.next_due(state)
    if kind == "until due" and due is not None:
        return Wait(due - game.tick(state))
    return Wait(data.draw(st.integers(0, subject.longest_wait), label="ticks"))


def _reaches(game: Game[Any], state: Any, event: Event, viewer: PlayerId | None) -> bool:
    audience = game.audience(state, event)
    return audience is None or viewer in audience


def _silent_about(words: Sequence[str], told: Sequence[Any]) -> None:
    for one in told:
        text = msgspec.json.encode(one).decode()
        for word in words:
            assert word not in text, f"{word!r} is told of in {text}"


def _over_json(plain: Any) -> Any:
    """The same after a trip over the wire; it must come back equal."""
    returned = msgspec.json.decode(msgspec.json.encode(plain))
    assert returned == plain
    return returned


def _fields(view: View) -> dict[tuple[str, str, str], bytes]:
    """Every field of a view by table, entity and name, its value as bytes."""
    return {
        (table, key, name): msgspec.json.encode(value, order="sorted")
        for table, entities in view.items()
        for key, fields in entities.items()
        for name, value in fields.items()
    }
