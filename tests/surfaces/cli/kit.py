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
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import CommandRequest, LedgerRequest
from formicary.factory.engine.state import ANSWERED, FactoryState
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
from formicary.factory.journal.blocks import part_of
from formicary.factory.journal.events import Event
from formicary.factory.ledger import ACCOUNT, Ledger
from formicary.factory.models.errors import TrainerMissing
from formicary.factory.models.model import Model
from formicary.factory.models.model_files import write_model
from formicary.factory.models.model_manifest import (
    ModelManifest,
    ModelMetrics,
    TrainedModel,
    TrainedOn,
    TrainingReport,
)
from formicary.factory.models.spec import ModelSpec
from formicary.products.lending.portfolio.book import BOOK_EVENTS, Book
from formicary.products.lending.portfolio.report import Portfolio, portfolio_of
from formicary.products.lending.servicing.reconciliation import differences
from formicary.products.payments.features import FEATURES
from formicary.products.payments.risk import PAYMENT_POINT
from formicary.runtime.products import PRODUCTS, judgements
from formicary.surfaces.cli import run
from formicary.surfaces.cli.ports import Check
from tests.factory.engine.null_journal import NullJournal
from tests.factory.features.training_kit import source_of
from tests.factory.learning.live_kit import memory_learner
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

_MANIFEST = ModelManifest(
    model="",
    hash="",
    spec_hash="00",
    columns=("amount",),
    code_version="1",
    seed=0,
    gates={"area_under_roc": 0.5},
    metrics=ModelMetrics(
        forest={"area_under_roc": 0.75, "money_found": 0.5, "calibration_error": 0.01},
        scorecard={"area_under_roc": 0.7, "money_found": 0.25, "calibration_error": 0.02},
    ),
    trained_on=TrainedOn(hash="beef", rows=40, positives=7),
)


class MemoryFactory:
    """The demo's factory without a database: an engine over a journal in memory.

    ``model`` is what training gives; without one, nothing can be trained here.
    """

    def __init__(self, start_ns: int, folder: Path, model: Model | None = None) -> None:
        self.folder = folder
        self.model = model
        self.clock = SimulatedClock(start_ns)
        self.journal = NullJournal()
        self.engine = Engine(self.journal, lambda: FactoryState(folder, PRODUCTS), self.clock)
        self.engine.recover()
        self.set_time = self.clock.set
        self.verification: Verification | None = None

    def execute(self, requests: Sequence[Any]) -> list[Any]:
        """Decide requests together."""
        asked = [one if isinstance(one, CommandRequest) else LedgerRequest(one) for one in requests]
        return self.engine.execute(asked)

    def events(self) -> Iterator[Event]:
        """Yield the events of the journal."""
        for batch in self.journal.batches:
            yield from batch.events

    def answered_at(self, request: CommandRequest) -> int:
        """Return where a command was answered."""
        return self.journal.caused_by([request.command_id], kind=ANSWERED)[request.command_id].position

    def decided(self, *, after: int) -> tuple[Any, Any]:
        """Return the decisions and transfers after a position."""
        whole = source_of(self.journal).whole
        part = part_of(whole, after=after, until=whole.until)
        return part.decisions, part.transfers

    def train(self, name: str, *, last: int, report: TrainingReport) -> TrainedModel:
        """Write the file of the model that a test put here."""
        if self.model is None:
            message = "libgomp.so.1 is not there"
            raise TrainerMissing(message)
        report("training", 1, 1)
        manifest = replace_fields(_MANIFEST, model=name, hash=self.model.hash)
        manifest = replace_fields(manifest, trained_on=TrainedOn(hash="beef", rows=last, positives=3))
        write_model(self.folder / "demo.model", self.model, manifest)
        return TrainedModel(file=self.folder / "demo.model", manifest=manifest)

    def learner(self, spec: ModelSpec, plan: Any) -> Any:
        """Return what lets a model learn on the journal in memory; its trainer has two models ready."""
        return memory_learner(self.journal, self.execute, self.folder, spec=spec, plan=plan)

    def sums(self, *, ledger: int, code: int) -> dict[str, int]:
        """Sum the totals of the accounts of a ledger and a code."""
        accounts = self.engine.state.machine.accounts
        wanted = accounts[(accounts["ledger"] == ledger) & (accounts["code"] == code)]
        names = [name for name in ACCOUNT.names or () if name.startswith(("debits_", "credits_"))]
        return {name: int(wanted[name].sum()) for name in names}

    def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Sum the totals by ledger."""
        return self.engine.state.machine.trial_balance()

    def columns(self, product: str) -> Any:
        """Return a product's aggregates."""
        return self.engine.state.aggregates[product].records.copy()

    def loan_differences(self) -> int:
        """Count accounts that do not hold what loans say."""
        return len(differences(self.engine.state))

    def portfolio(self) -> Portfolio:
        """Fold the book from the journal in memory."""
        book = Book()
        book.fold(event for event in self.events() if event.kind in BOOK_EVENTS)
        return portfolio_of(book)

    def judge(self, name: str) -> TrainedModel:
        """Write the file of a judged model."""
        (judgement,) = (one for one in judgements() if one.spec.name == name)
        model = judgement.model()
        manifest = replace_fields(_MANIFEST, model=name, hash=model.hash)
        write_model(self.folder / "judged.model", model, manifest)
        return TrainedModel(file=self.folder / "judged.model", manifest=manifest)

    @property
    def state_hash(self) -> int:
        """The hash of all state."""
        return self.engine.state.state_hash

    @property
    def position(self) -> int:
        """How many rows there are."""
        return self.engine.state.position

    def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Claim that all is well, unless told otherwise."""
        progress(self.position, self.position)
        if self.verification is not None:
            return self.verification
        return Verification(
            rows=self.position,
            commits=1,
            accounts=1,
            snapshots=0,
            position=self.position,
            state_hash=self.state_hash,
            fold_seconds=1.0,
            seconds=1.0,
            findings=(),
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
        manifest = replace_fields(_MANIFEST, model=name, hash="feed", trained_on=learnt)
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
