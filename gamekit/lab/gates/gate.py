"""`gate`: recorded games played again under changed rules or code, and whether they still do what they did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from gamekit.capsule import SUFFIX, reader_of
from gamekit.errors import ConfigError, GamekitError
from gamekit.game import Tick
from gamekit.history import verify
from gamekit.journal import Past
from gamekit.lab.arguments import rules_of_side
from gamekit.lab.diff import Difference, first_differences
from gamekit.lab.gates.expected import path_of, read_expected, rewrite_capsule, write_expected
from gamekit.lab.gates.trace import (
    METRICS,
    Trace,
    events_parting,
    mark_at,
    mark_of,
    parting,
    step_at,
    stepped,
    trace_of,
)
from gamekit.lab.gates.verdict import Verdict
from gamekit.lab.metrics import name_of, unit_of
from gamekit.lab.own import Own, space_rules_of
from gamekit.lab.sources import configured, read_past
from gamekit.session.records import read_saved
from gamekit.space import SpaceGame

if TYPE_CHECKING:
    import pandas as pd


class Gate:
    """All verdicts.

    Attributes:
        verdicts: one for each recorded game, in order of their names.
    """

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        self.verdicts = list(verdicts)

    @property
    def ok(self) -> bool:
        """Whether every recorded game behaves as it was recorded."""
        return all(one.ok for one in self.verdicts)

    @property
    def frame(self) -> pd.DataFrame:
        """A row for each game: `name`, `ok`, `ticks`, `tick` (of the first difference) and the whole `explanation`."""
        import pandas as pd

        rows = [(one.name, one.ok, one.ticks, one.tick, one.explanation) for one in self.verdicts]
        frame = pd.DataFrame(rows, columns=["name", "ok", "ticks", "tick", "explanation"])
        return frame.astype({"name": "string", "tick": "Int64", "explanation": "string"})

    @property
    def finding(self) -> str:
        """The verdict on all of them in one line."""
        bad = [one for one in self.verdicts if not one.ok]
        games = f"{len(self.verdicts)} recorded game{'' if len(self.verdicts) == 1 else 's'}"
        if bad:
            return f"FAILED: {len(bad)} of {games} do not behave as recorded; first: {bad[0].summary}"
        anew = sum(one.accepted for one in self.verdicts)
        return f"ok: {games} behave as recorded" + (f", {anew} of them recorded anew" if anew else "")

    def __str__(self) -> str:
        return "\n".join([*(one.explanation for one in self.verdicts), self.finding])

    def __repr__(self) -> str:
        return f"<Gate: {self.finding}>"


def gate(
    corpus: str | Path | Sequence[str | Path],
    rules: Mapping[str, Any] | None = None,
    *,
    game: Own = None,
    accept: bool = False,
    progress: bool = True,
) -> Gate:
    """Play recorded games again, and compare what they do with what was recorded, tick by tick.

    What a game is expected to do is kept beside its capsule (`NAME.expected.json`, see `accept`). For a capsule without
    it, that is what the bundled rules make of it, if they still meet the digests of its snapshots.

    Args:
        corpus: a directory with capsules, a capsule, or several.
        rules: `{field: value}` for what shall differ from the rules that each game was made with. A changed rule by
            itself is no change of behaviour; what it does is.
        game: the rules' code; the bundled game's by default.
        accept: record what the games do now as what is expected, with the changed rules as their own: capsules whose
            behaviour differs, or of which nothing was recorded, are written anew.
        progress: whether to show a progress bar.

    Raises:
        ConfigError: there are no capsules, there is no such rule, or it is no such game.
    """
    from tqdm.auto import tqdm

    capsules, played, changes = _capsules(corpus), space_rules_of(game), rules_of_side(rules)
    verdicts: list[Verdict] = []
    with tqdm(capsules, unit="game", disable=not progress, leave=False) as bar, _kept(verdicts, len(capsules)):
        for capsule in bar:
            bar.set_postfix_str(capsule.stem, refresh=False)
            try:
                verdicts.append(_judged(capsule, changes, played, accept))
            except (GamekitError, ValueError) as error:
                verdicts.append(Verdict(capsule.stem, 0, problem=f"{type(error).__name__}: {error}"))
    return Gate(verdicts)


@contextmanager
def _kept(verdicts: list[Verdict], games: int) -> Iterator[None]:
    """When the gate is interrupted or fails, the error has the verdicts that there are."""
    try:
        yield
    except BaseException as error:
        error.partial = Gate(verdicts)  # type: ignore[attr-defined]
        error.add_note(f"{len(verdicts)} of {games} games are judged: the attribute `partial` of this exception.")
        raise


def _capsules(corpus: str | Path | Sequence[str | Path]) -> list[Path]:
    several = [corpus] if isinstance(corpus, str | Path) else corpus
    if not isinstance(several, Sequence) or not all(isinstance(one, str | Path) for one in several):
        raise ConfigError(f"corpus: expected a directory with capsules, a capsule, or a list of them, got {corpus!r}.")
    given = [Path(one) for one in several]
    if absent := [str(one) for one in given if not one.exists()]:
        raise ConfigError(f"There is no {', '.join(absent)}; name a directory with capsules, or a capsule.")
    found = [path for one in given for path in (sorted(one.glob(f"*{SUFFIX}")) if one.is_dir() else [one])]
    if not found:
        where = ", ".join(map(str, given)) or "nothing"
        raise ConfigError(f"There are no capsules in {where}; `gamekit export GAME` writes one.")
    return found


def _judged(capsule: Path, rules: Mapping[str, Any], game: SpaceGame, accept: bool) -> Verdict:
    past = read_past(capsule)
    changed = configured(past, game, rules)
    now = trace_of(changed, game)
    recorded = path_of(capsule).exists()
    then = None if accept and not recorded else read_expected(capsule) or _derived(past)
    found = Verdict(capsule.stem, past.tick)
    if then is not None and (tick := parting(then, now)) is not None:
        found = _explained(found, past, changed, game, rules, then, now, tick)
    if accept and (not recorded or found.tick is not None):
        rewrite_capsule(capsule, changed, game)
        write_expected(capsule, now)
        return Verdict(found.name, found.ticks, found.tick, accepted=True)
    return found


def _derived(past: Past) -> Trace:
    """What a game of which nothing was recorded did, by the bundled rules.

    Raises:
        ConfigError: they do not meet the digests that it has.
    """
    *_, verdict = verify(reader_of(past), past.row, SpaceGame())
    if verdict.problem:
        raise ConfigError(
            f"it does not meet its own digests, and what it did was not recorded: {verdict.problem} "
            "Record it by the version that made it: `gamekit gate --accept`."
        )
    return trace_of(past, SpaceGame())


def _explained(
    found: Verdict,
    past: Past,
    changed: Past,
    game: SpaceGame,
    rules: Mapping[str, Any],
    then: Trace,
    now: Trace,
    tick: Tick,
) -> Verdict:
    events_tick = events_parting(then, now)
    at_tick = (step_at(one, -1 if events_tick is None else events_tick) for one in (then, now))
    before, after = (step.events if step is not None else [] for step in at_tick)
    kinds = sorted({*then.events, *now.events})
    counts = {kind: (then.events.get(kind, 0), now.events.get(kind, 0)) for kind in kinds}
    units = {name_of(metric): unit_of(metric) for metric in METRICS}
    values = {
        name: (then.metrics.get(name, 0.0), now.metrics.get(name, 0.0)) for name in {**then.metrics, **now.metrics}
    }
    fields_tick, fields = _fields(past, changed, game, then, tick)
    return Verdict(
        found.name,
        found.ticks,
        tick,
        events_tick=events_tick,
        then_events=[event for event in before if event not in after],
        now_events=[event for event in after if event not in before],
        fields_tick=fields_tick,
        fields=[one for one in fields if one.path not in {f"rules.{name}" for name in rules}],
        counts={kind: pair for kind, pair in counts.items() if pair[0] != pair[1]},
        metrics={
            name: (units.get(name.partition(".")[0], ""), *pair) for name, pair in values.items() if pair[0] != pair[1]
        },
    )


def _fields(
    past: Past, changed: Past, game: SpaceGame, then: Trace, tick: Tick
) -> tuple[Tick | None, list[Difference]]:
    """In what the states differ: at the tick itself, if the code at hand still makes the state of then; else at the
    next tick at which a state was kept.
    """
    state = _state_at(changed, game, tick)
    if past.row.game == SpaceGame.name:
        as_it_was = _state_at(past, SpaceGame(), tick)
        if mark_of(as_it_was) == mark_at(then, tick):
            return tick, first_differences(as_it_was, state)
    for kept in past.snapshots:
        if kept.tick >= tick:
            old = game.decode(read_saved(kept.data).state, kept.version)
            new = _state_at(changed, game, kept.tick, kept.seq)
            if fields := first_differences(old, new):
                return kept.tick, fields
    return None, []


def _state_at(past: Past, game: SpaceGame, tick: Tick, seq: int | None = None) -> Any:
    """The state after all that happened up to a tick (or up to a record, when it is of that tick)."""
    records = [one for one in past.records if one.tick <= tick and (seq is None or one.seq <= seq)]
    for session, _ in stepped(replace(past, records=records, tick=tick), game):
        state = session.state
    return state
