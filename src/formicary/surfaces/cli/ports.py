"""What the command line needs of the program around it; ``formicary.runtime`` provides it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.client import Formicary
from formicary.economy.history.engine import HistoryEngine
from formicary.factory.decisions.explanation import Explanation
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.engine.products import Command
from formicary.factory.engine.requests import CommandRequest
from formicary.factory.facts.party_graph import DaySummary
from formicary.factory.features.archive_manifest import ArchiveManifest
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.sources import RowSource
from formicary.factory.features.training_manifest import TrainingManifest
from formicary.factory.follower import Verification
from formicary.factory.follower.replayed_decisions import ReplayedDecisions
from formicary.factory.history.decision_search import DecisionFilter
from formicary.factory.journal.events import Event
from formicary.factory.learning.live import LearningDay
from formicary.factory.learning.messages import RolledBack
from formicary.factory.learning.plan import LearningPlan
from formicary.factory.learning.reading import Learnt
from formicary.factory.ledger import Account, AccountFilter, QueryFilter, Transfer
from formicary.factory.models.model_manifest import TrainedModel, TrainingReport
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry.decided import DecidedTransfer
from formicary.products.lending.portfolio.report import Portfolio
from formicary.surfaces.cli.ports_lending import LendingRuns

__all__ = [
    "Check",
    "DecisionAccess",
    "DemoFactory",
    "LearningAccess",
    "LedgerAccess",
    "ModelLearner",
    "Outcome",
    "Program",
    "RegistryAccess",
]

Records = npt.NDArray[Any]


class Outcome(StrEnum):
    """How one check of ``doctor`` went."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of ``doctor``: what was looked at, what was found, and what to do about it."""

    name: str
    outcome: Outcome
    found: str
    advice: str = ""


class LedgerAccess(Protocol):
    """A ledger to ask, in this process or behind the engine's socket; ``Ledger`` is one."""

    def create_accounts(self, accounts: Records | Iterable[Account]) -> Records:
        """Open accounts; return one result each."""
        ...

    def create_transfers(self, transfers: Records | Iterable[Transfer]) -> Records:
        """Make transfers; return one result each."""
        ...

    def lookup_accounts(self, ids: Sequence[int]) -> Records:
        """Return the accounts that exist."""
        ...

    def query_accounts(self, wanted: QueryFilter) -> Records:
        """Return the accounts that match."""
        ...

    def query_transfers(self, wanted: QueryFilter) -> Records:
        """Return the transfers that match."""
        ...

    def get_account_transfers(self, wanted: AccountFilter) -> Records:
        """Return the transfers of an account."""
        ...

    def get_account_balances(self, wanted: AccountFilter) -> Records:
        """Return an account's totals after each of its entries."""
        ...

    def balance_as_of(self, account_id: int, timestamp: int) -> Records | None:
        """Return an account's totals at a time in nanoseconds, or None before it was opened."""
        ...

    def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Return the sums of the four totals by ledger."""
        ...


class DecisionAccess(Protocol):
    """The decisions of the journal."""

    @property
    def points(self) -> Mapping[int, DecisionPoint]:
        """The decision points by their numbers."""
        ...

    def newest(self, wanted: DecisionFilter) -> Sequence[DecidedTransfer]:
        """Return decisions that match, the newest first."""
        ...

    def of_transfer(self, transfer_id: int) -> DecidedTransfer:
        """Return the decision about a transfer, or refuse."""
        ...

    def at(self, position: int) -> DecidedTransfer:
        """Return the decision at a position, or that about the transfer there, or refuse."""
        ...

    def explain(self, found: DecidedTransfer) -> Explanation:
        """Explain a decision."""
        ...


class RegistryAccess(Protocol):
    """The registry of models and policies, or that of experiments."""

    @property
    def source(self) -> RowSource:
        """The journal that it is in."""
        ...

    def entry(self, subject: int) -> Mapping[str, Any] | None:
        """Return what is known under an id, or None."""
        ...

    def command(self, command: Command, *, key: str | None = None) -> Mapping[str, Any]:
        """Carry out a command and return its answer; with the same key, the same answer again."""
        ...


class LearningAccess(Protocol):
    """The models of this installation that learn by themselves."""

    def run(self, model: str, *, at: int | None, threads: int) -> LearningDay:
        """Live one business day of a model, now or at a time in nanoseconds."""
        ...

    def known(self, model: str) -> Learnt:
        """Return where a model stands, and all that happened to it."""
        ...

    def roll_back(self, model: str, *, reason: str) -> RolledBack:
        """Let the champion before decide again."""
        ...


class ModelLearner(Protocol):
    """One model that learns on the demo's journal."""

    def day(self, now: int) -> LearningDay:
        """Live a business day at a time in nanoseconds."""
        ...

    def roll_back(self, now: int, reason: str) -> RolledBack:
        """Let the champion before decide again."""
        ...


class DemoFactory(Protocol):
    """A factory of the demo's own, in this process and in simulated time."""

    def execute(self, requests: Sequence[Records | CommandRequest]) -> Sequence[Any]:
        """Decide requests and commands as one group, commit, and return their answers."""
        ...

    def set_time(self, nanoseconds: int) -> None:
        """Move the factory's clock."""
        ...

    def sums(self, *, ledger: int, code: int) -> dict[str, int]:
        """Return the sums of the four totals, by name, over the accounts of a ledger and a code."""
        ...

    def trial_balance(self) -> dict[int, tuple[int, int, int, int]]:
        """Return the sums of the four totals by ledger."""
        ...

    def columns(self, product: str) -> Records:
        """Return a product's aggregates as they are now, (n,)."""
        ...

    def loan_differences(self) -> int:
        """Return how many accounts do not hold what loans say."""
        ...

    def portfolio(self) -> Portfolio:
        """Return what became of what was lent, folded from the journal."""
        ...

    def judge(self, name: str) -> TrainedModel:
        """Write the file of a model that a product declares by judgement."""
        ...

    def events(self) -> Iterable[Event]:
        """Return every event of the journal, in order."""
        ...

    @property
    def state_hash(self) -> int:
        """The hash of all state as the engine holds it."""
        ...

    @property
    def position(self) -> int:
        """The last position of the journal."""
        ...

    def answered_at(self, request: CommandRequest) -> int:
        """Return the position at which a command was answered, in this run or an earlier one."""
        ...

    def decided(self, *, after: int) -> tuple[Records, Records]:
        """Return the decisions (d,) and the transfers (t,) of the journal after a position."""
        ...

    def train(self, name: str, *, last: int, report: TrainingReport) -> TrainedModel:
        """Train a model from the journal up to a position and write its file."""
        ...

    def learner(self, spec: ModelSpec, plan: LearningPlan) -> ModelLearner:
        """Return what lets a model learn by a plan of the demo's own."""
        ...

    def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Fold the whole journal again and compare it with all that was said about it."""
        ...


class Program(LendingRuns, Protocol):
    """The program around the command line: where things are, and how to reach them."""

    @property
    def home(self) -> Path:
        """The folder that holds all data."""
        ...

    @property
    def data_sets(self) -> Path | None:
        """The folder of real data sets, where there is one."""
        ...

    @property
    def decision_points(self) -> Mapping[str, DecisionPoint]:
        """The products' decision points by name."""
        ...

    def ledger(self) -> AbstractContextManager[LedgerAccess]:
        """Reach the ledger: the running engine's, else one in this process."""
        ...

    def registry(self) -> AbstractContextManager[RegistryAccess]:
        """Reach the registry of models and policies: the running engine's, else one in this process."""
        ...

    def experiments(self) -> AbstractContextManager[RegistryAccess]:
        """Reach the experiments: the running engine's, else one in this process."""
        ...

    def model_specs(self) -> Mapping[str, ModelSpec]:
        """Return the specifications of the models that are declared here, by name."""
        ...

    def policy_findings(self, point: str, policy: str, rules: str) -> Sequence[str]:
        """Return all that is wrong with a policy and its rules for a decision point."""
        ...

    def decisions(self) -> AbstractContextManager[DecisionAccess]:
        """Reach the journal's decisions, beside whoever writes it."""
        ...

    def replay_decisions(
        self,
        *,
        first: int,
        last: int | None,
        cuts: int | None,
        progress: Callable[[int, int], None],
    ) -> ReplayedDecisions:
        """Take decisions again, and compare every word of them; ``progress`` as in ``verify``."""
        ...

    def client(self) -> AbstractContextManager[Formicary]:
        """Reach the API, with the key of the environment."""
        ...

    def issue_house_key(self) -> str:
        """Make a key of the house with every scope, and return its text; it is shown nowhere else."""
        ...

    def demo(
        self, *, fresh: bool, start_ns: int, folder: str = "demo"
    ) -> AbstractContextManager[DemoFactory]:
        """Open a factory on a folder of its own at a simulated time; ``fresh`` empties the folder first."""
        ...

    def learning(self) -> LearningAccess:
        """Reach the models that learn by themselves."""
        ...

    def history(self, *, start_ns: int) -> AbstractContextManager[HistoryEngine]:
        """Open the deployment's own factory in the time of a history; refused while an engine runs."""
        ...

    def now(self) -> int:
        """Return the present time in nanoseconds since the Unix epoch."""
        ...

    def up(self, on_change: Callable[[dict[str, int]], None]) -> None:
        """Run every process until told to end; ``on_change`` gets their numbers by name."""
        ...

    def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Fold the journal again and compare; ``progress`` gets the position reached and the last one."""
        ...

    def feature_sets(self, file: Path | None) -> Sequence[FeatureSet]:
        """Return the products' sets of features and those of a file, else the deployment's own; unchecked."""
        ...

    def archive_journal(self, folder: Path, progress: Callable[[int, int], None]) -> ArchiveManifest:
        """Archive in a folder what the journal has beyond it; ``progress`` as in ``verify``."""
        ...

    def backfill(
        self,
        name: str,
        *,
        purpose: Purpose,
        folder: Path,
        first: int,
        last: int | None,
        archive: Path | None,
        progress: Callable[[int, int], None],
    ) -> TrainingManifest:
        """Write a training set of a set of features to a folder, from the journal or an archive of it."""
        ...

    def daily(self, day: int, *, labels: str | None, progress: Callable[[int, int], None]) -> DaySummary:
        """Find the slow features of a day, counted from 1970-01-01, and record them."""
        ...

    def train(
        self,
        name: str,
        *,
        last: int | None,
        archive: Path | None,
        table: tuple[Path, str] | None,
        output: Path | None,
        threads: int,
        report: TrainingReport,
    ) -> TrainedModel:
        """Train a model and write its file: from the journal, an archive, or a table and its label."""
        ...

    def judge(self, name: str, *, output: Path | None) -> TrainedModel:
        """Write the file of a model that a product declares by judgement."""
        ...

    def portfolio(self) -> Portfolio:
        """Return what became of what was lent, as of the last business date that was closed."""
        ...

    def doctor(self) -> Iterable[Check]:
        """Look at the machine and the installation, one check after the other."""
        ...
