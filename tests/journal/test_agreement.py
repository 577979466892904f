"""The two backends give the same answers to any sequence of writes, right or wrong."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from gamekit.errors import GamekitError
from gamekit.game import GameId
from gamekit.journal import Append, Write
from gamekit.journal.thinning import KEEP_EVERY_TICKS

from .stage import Author, MemoryStage, SqliteStage, Stage, game_row, snapshot

GAMES = [GameId("game-a"), GameId("game-b"), GameId("game-c")]


class Backends(RuleBasedStateMachine):
    """Does everything to both and compares."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp(prefix="gamekit-agreement-"))
        self.stages: list[Stage] = [MemoryStage(), SqliteStage(self.directory / "journal.db")]
        for stage in self.stages:
            stage.start()
        self.authors: list[Author] = []

    def teardown(self) -> None:
        for stage in self.stages:
            stage.journal.close()
        shutil.rmtree(self.directory)

    def both(self, act: Callable[[Stage], object]) -> object:
        """What both answer to the same act; an error counts by its class."""
        answers: list[object] = []
        for stage in self.stages:
            try:
                answers.append(act(stage))
            except (GamekitError, KeyError) as error:
                answers.append(type(error))
        assert answers[0] == answers[1]
        return answers[0]

    def write(self, *writes: Write) -> None:
        """Submit writes as one unit; both must end them alike."""
        self.both(lambda stage: [(done.write, type(done.error)) for done in stage.write(*writes)])

    @rule(game=st.sampled_from(GAMES), seed=st.integers(-(2**63), 2**64 - 1))
    def create(self, game: GameId, seed: int) -> None:
        self.both(lambda stage: stage.journal.create(game_row(game, seed=seed), snapshot(game)))

    @rule(game=st.sampled_from(GAMES))
    def open(self, game: GameId) -> None:
        row = self.both(lambda stage: stage.journal.open(game))
        if not isinstance(row, type):
            records = list(self.stages[0].journal.records(game))
            self.authors.append(Author(row, records[-1] if records else None))  # type: ignore[arg-type]

    @rule()
    def restart(self) -> None:
        for stage in self.stages:
            stage.restart()

    @precondition(lambda self: self.authors)
    @rule(choice=st.integers(0, 5), count=st.integers(1, 3), ticks=st.integers(0, KEEP_EVERY_TICKS))
    def append(self, choice: int, count: int, ticks: int) -> None:
        author = self.author(choice)
        self.write(*[author.append(ticks=ticks) for _ in range(count)])

    @precondition(lambda self: self.authors)
    @rule(choice=st.integers(0, 5), change=st.sampled_from([{"seq": 99}, {"chain": "0" * 32}, {"tick": -1}]))
    def append_wrongly(self, choice: int, change: dict[str, object]) -> None:
        author = self.author(choice)
        self.write(author.append(), Append(replace(author.append().record, **change)))

    @precondition(lambda self: self.authors)
    @rule(choice=st.integers(0, 5), tick=st.integers(0, 1000), final=st.booleans())
    def reserve(self, choice: int, tick: int, final: bool) -> None:
        self.write(self.author(choice).reserve(tick, final=final))

    @precondition(lambda self: self.authors)
    @rule(choice=st.integers(0, 5), count=st.integers(1, 6), ticks=st.integers(0, KEEP_EVERY_TICKS))
    def save(self, choice: int, count: int, ticks: int) -> None:
        author = self.author(choice)
        for _ in range(count):
            author.tick += ticks
            self.write(author.save())

    def author(self, choice: int) -> Author:
        """Mostly the latest run, sometimes one that lost its game."""
        return self.authors[max(-1 - choice, -len(self.authors))]

    @invariant()
    def both_read_alike(self) -> None:
        self.both(lambda stage: stage.journal.games())
        for game in GAMES:
            self.both(lambda stage, game=game: list(stage.journal.records(game)))  # type: ignore[misc]
            self.both(lambda stage, game=game: stage.journal.snapshots(game))  # type: ignore[misc]
            self.both(lambda stage, game=game: stage.journal.snapshot(game, 1, 500))  # type: ignore[misc]
            self.both(lambda stage, game=game: stage.journal.clock(game))  # type: ignore[misc]


TestAgreement = Backends.TestCase
TestAgreement.settings = settings(
    max_examples=20, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
