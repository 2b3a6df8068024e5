"""A command line on a ledger in memory, and what it wrote."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace as replace_fields

from formicary.base.clock import SimulatedClock
from formicary.base.errors import FormicaryError
from formicary.base.purposes import purpose_name
from formicary.client import ApiUnreachable, Formicary
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.experiments import EXPERIMENTS_PRODUCT
from formicary.factory.experiments.errors import ExperimentRefused
from formicary.factory.facts.party_graph import DaySummary
from formicary.factory.features.archive_manifest import ArchivedFile, ArchivedPart, ArchiveManifest
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.errors import FeatureRefused
from formicary.factory.features.live import LiveFeature
from formicary.factory.features.training_manifest import TrainingManifest, TrainingPart, TrainingRequest
from formicary.factory.follower import Verification
from formicary.factory.follower.replayed_decisions import ReplayedDecisions
from formicary.factory.ledger import Ledger
from formicary.factory.models.model import Model
from formicary.factory.models.model_manifest import (
    TrainedModel,
    TrainedOn,
    TrainingReport,
)
from formicary.factory.models.spec import ModelSpec
from formicary.products.payments.features import FEATURES
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.surfaces.cli import run
from formicary.surfaces.cli.ports import Check
from tests.surfaces.cli.factory_kit import MANIFEST, MemoryFactory
from tests.surfaces.cli.lending_kit import MemoryLending
from tests.surfaces.cli.registry_kit import MemoryRegistry

NOON = 1_323_435_000_000_000_000  # 2011-12-09T12:50:00Z

SOUND = Verification(
    rows=5,
    commits=4,
    accounts=3,
    snapshots=2,
    position=5,
    state_hash=0xFEED,
    fold_seconds=0.5,
    seconds=1.0,
    findings=(),
)

IDENTICAL = ReplayedDecisions(
    first=1,
    last=9,
    after=0,
    decisions=4,
    untold=0,
    different=0,
    differences=(),
    seconds=0.5,
)


@dataclass
class MemoryProgram(MemoryLending):
    """A program without processes and without a database."""

    home: Path = Path("nowhere")
    data_sets: Path | None = None
    clock: SimulatedClock = field(default_factory=lambda: SimulatedClock(NOON))
    failure: BaseException | None = None
    verification: Verification = SOUND
    demo_verification: Verification | None = None
    demo_model: Model | None = None
    checks: Sequence[Check] = ()
    api: Any = None
    sets: dict[Path | None, Sequence[FeatureSet] | FeatureRefused] = field(
        default_factory=lambda: {None: FEATURES}
    )
    decision_points: Mapping[str, DecisionPoint] = field(
        default_factory=lambda: {PAYMENT_POINT.name: PAYMENT_POINT}
    )
    imported: Any = None
    demos: list[tuple[bool, int]] = field(default_factory=list)
    learnt: Any = None
    backfills: list[dict[str, Any]] = field(default_factory=list)
    days: list[tuple[int, str | None]] = field(default_factory=list)
    specs: Mapping[str, ModelSpec] = field(default_factory=dict)
    wrong_policies: Sequence[str] = ()
    decided: Any = None
    replayed: ReplayedDecisions = IDENTICAL
    replays: list[dict[str, Any]] = field(default_factory=list)
    trainings: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.book = Ledger(self.clock)
        self.models = MemoryRegistry(self.clock)
        self.tried_out = MemoryRegistry(self.clock, EXPERIMENTS_PRODUCT, ExperimentRefused)

    @contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """Give the ledger, or fail as told."""
        if self.failure is not None:
            raise self.failure
        yield self.book

    @contextmanager
    def decisions(self) -> Iterator[Any]:
        """Give the decisions that the test put here."""
        yield self.decided

    def replay_decisions(self, *, progress: Callable[[int, int], None], **wanted: Any) -> ReplayedDecisions:
        """Keep what was wanted, and return what it was told to find."""
        progress(5, 5)
        self.replays.append(wanted)
        return self.replayed

    @contextmanager
    def registry(self) -> Iterator[MemoryRegistry]:
        """Give the registry."""
        yield self.models

    @contextmanager
    def experiments(self) -> Iterator[MemoryRegistry]:
        """Give the experiments."""
        yield self.tried_out

    def model_specs(self) -> Mapping[str, ModelSpec]:
        """Return the specifications that the test put here."""
        return self.specs

    def policy_findings(self, point: str, policy: str, rules: str) -> Sequence[str]:
        """Return what the test says is wrong."""
        del point, policy, rules
        return self.wrong_policies

    def client(self) -> Formicary:
        """Give a client of the API that the test put here."""
        if self.api is None:
            raise ApiUnreachable
        return Formicary.in_process(self.api, "key")

    def issue_house_key(self) -> str:
        """Return a key."""
        return "fk_test_key"

    @contextmanager
    def history(self, *, start_ns: int) -> Iterator[Any]:
        """Give the factory that keeps what was imported, at the time asked for."""
        if self.failure is not None:
            raise self.failure
        self.imported.set_time(start_ns)
        yield self.imported

    def learning(self) -> Any:
        """Give the learning that the test put here."""
        return self.learnt

    def now(self) -> int:
        """Return the time of the clock."""
        return self.clock.now()

    @contextmanager
    def demo(self, *, fresh: bool, start_ns: int, folder: str = "") -> Iterator[MemoryFactory]:
        """Give a new factory."""
        self.demos.append((fresh, start_ns))
        with tempfile.TemporaryDirectory(suffix=folder) as own:
            factory = MemoryFactory(start_ns, Path(own), self.demo_model)
            factory.verification = self.demo_verification
            yield factory

    def up(self, on_change: Callable[[dict[str, int]], None]) -> None:
        """Say that an engine came and went."""
        on_change({"engine": 7})
        on_change({"engine": 0})

    def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Return what it was told to find."""
        progress(5, 5)
        return self.verification

    def feature_sets(self, file: Path | None) -> Sequence[FeatureSet]:
        """Return the sets that the test put here, or under this file."""
        found = self.sets[file]
        if isinstance(found, FeatureRefused):
            raise found
        return found

    def archive_journal(self, folder: Path, progress: Callable[[int, int], None]) -> ArchiveManifest:
        """Say that five rows were archived."""
        progress(5, 5)
        file = ArchivedFile(
            name=folder.name, size_bytes=99, checksum="", table="transfers", rows=5, first=1, last=5
        )
        return ArchiveManifest(parts=(ArchivedPart(after=0, until=5, files=(file,)),))

    def backfill(self, name: str, *, progress: Callable[[int, int], None], **wanted: Any) -> TrainingManifest:
        """Keep what was wanted, and say that two rows were written."""
        progress(3, 5)
        self.backfills.append(wanted)
        request = TrainingRequest(
            set=name,
            asking="payment",
            purpose=purpose_name(wanted["purpose"]),
            first=wanted["first"],
            last=wanted["last"] or 5,
            features={"payer_count": LiveFeature(version=1, fingerprint="00")},
            state="00",
            part_positions=5,
            part_rows=5,
        )
        part = TrainingPart(name="part", size_bytes=88, checksum="", after=0, until=5, rows=2)
        return TrainingManifest(request=request, rows=2, parts=(part,), state_hash="feed")

    def daily(self, day: int, *, labels: str | None, progress: Callable[[int, int], None]) -> DaySummary:
        """Keep what was wanted, and say what was found."""
        progress(3, 5)
        self.days.append((day, labels))
        return DaySummary(
            day=day,
            position=5,
            transfers=4,
            devices=3,
            labels=2,
            parties=6,
            features=122,
            recorded=20,
            there=10,
        )

    def train(self, name: str, *, report: TrainingReport, **wanted: Any) -> TrainedModel:
        """Keep what was wanted, and say what was trained."""
        if wanted["table"] is None:
            report("replaying", 3, 5)
        report("training", 1, 8)
        report("training", 2, 8)
        self.trainings.append(wanted)
        learnt = TrainedOn(hash="beef", rows=40, positives=7)
        if wanted["table"] is None:
            more: dict[str, Any] = {"first": 1, "last": 5, "immature": 3, "outcomes": 9, "passed_over": 2}
            learnt = replace_fields(learnt, set="risk", purpose="fraud", **more)
        manifest = replace_fields(MANIFEST, model=name, hash="feed", trained_on=learnt)
        return TrainedModel(file=self.home / "feed.model", manifest=manifest)

    def doctor(self) -> Iterable[Check]:
        """Return what it was told to find."""
        return self.checks


@dataclass
class Terminal:
    """Runs command lines and keeps what the last one wrote."""

    program: MemoryProgram
    capsys: pytest.CaptureFixture[str]
    out: str = ""
    err: str = ""

    def run(self, *arguments: str) -> int:
        """Run a command line; return its exit code."""
        self.capsys.readouterr()
        code = run(self.program, arguments)
        self.out, self.err = self.capsys.readouterr()
        return code

    def json(self, *arguments: str) -> Any:
        """Run a command line with ``--json``; return the one document it wrote."""
        self.run(*arguments, "--json")
        return json.loads(self.out)


def failing(error: FormicaryError) -> MemoryProgram:
    """Return a program whose ledger cannot be reached."""
    return MemoryProgram(failure=error)
