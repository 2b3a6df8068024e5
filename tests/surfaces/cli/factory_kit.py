"""A factory of the demo's in memory: an engine over a journal that keeps everything, and no database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msgspec.structs import replace as replace_fields

from formicary.base.clock import SimulatedClock
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import CommandRequest, LedgerRequest
from formicary.factory.engine.state import ANSWERED, FactoryState
from formicary.factory.follower import Verification
from formicary.factory.journal.blocks import part_of
from formicary.factory.journal.events import Event
from formicary.factory.ledger import ACCOUNT
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
from formicary.runtime.products import PRODUCTS, judgements
from tests.factory.engine.null_journal import NullJournal
from tests.factory.features.training_kit import source_of
from tests.factory.learning.live_kit import memory_learner

MANIFEST = ModelManifest(
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
        manifest = replace_fields(MANIFEST, model=name, hash=self.model.hash)
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
        manifest = replace_fields(MANIFEST, model=name, hash=model.hash)
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
