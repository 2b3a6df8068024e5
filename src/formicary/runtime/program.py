"""What the command line needs of everything else, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from formicary.base.errors import Refusal
from formicary.base.purposes import Purpose
from formicary.client import Formicary
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.engine.client import EngineClient, EngineUnreachable
from formicary.factory.engine.state import known_events
from formicary.factory.facts.party_graph import DaySummary
from formicary.factory.features.archive_manifest import ArchiveManifest
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.training_manifest import TrainingManifest
from formicary.factory.follower import StateSnapshots, Verification, verify
from formicary.factory.follower.replayed_decisions import ReplayedDecisions
from formicary.factory.models.model_manifest import TrainedModel, TrainingReport
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry.decided import Decisions
from formicary.products.lending.applications.recomputed import Recomputed
from formicary.products.lending.portfolio.report import Portfolio
from formicary.runtime import backfill
from formicary.runtime.api_process import clock_of
from formicary.runtime.applications import verify_applications
from formicary.runtime.daily import run_daily
from formicary.runtime.database import open_database
from formicary.runtime.decisions import open_decisions, replay
from formicary.runtime.demo_factory import DemoFactory, open_demo
from formicary.runtime.health import examine
from formicary.runtime.history_factory import HistoryFactory, open_history
from formicary.runtime.house_key import house_key
from formicary.runtime.judged import judge
from formicary.runtime.learning import InstalledLearning
from formicary.runtime.ledgers import InProcessLedger, RunningLedger, open_ledger
from formicary.runtime.policy_findings import findings_at
from formicary.runtime.portfolio import find_portfolio
from formicary.runtime.preapproving import preapprove
from formicary.runtime.processes import run_processes
from formicary.runtime.products import decision_points, feature_sets, judgements, model_specs, products_of
from formicary.runtime.registry import InstalledRegistry, open_experiments, open_registry
from formicary.runtime.settings import Settings
from formicary.runtime.training import TableOfRows, WantedModel, train
from formicary.runtime.watching import warned_parties, watch
from formicary.surfaces.cli.ports import Check

__all__ = ["KeyNotSet", "LocalProgram"]


class KeyNotSet(Refusal):
    """Commands that ask the API need a key in ``FORMICARY_KEY``; ``formicary keys house`` makes the first."""

    code = "key_not_set"


class LocalProgram:
    """The program on this machine, as ``formicary.surfaces.cli.ports.Program`` describes it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def home(self) -> Path:
        """The folder that holds all data."""
        return self._settings.home

    @property
    def data_sets(self) -> Path | None:
        """The folder of real data sets, where there is one."""
        return self._settings.data_sets

    @property
    def decision_points(self) -> Mapping[str, DecisionPoint]:
        """The products' decision points by name."""
        return decision_points()

    def ledger(self) -> AbstractContextManager[InProcessLedger | RunningLedger]:
        """Reach the ledger: the running engine's, else one in this process."""
        return open_ledger(self._settings)

    def registry(self) -> AbstractContextManager[InstalledRegistry]:
        """Reach the registry of models and policies: the running engine's, else one in this process."""
        return open_registry(self._settings)

    def experiments(self) -> AbstractContextManager[InstalledRegistry]:
        """Reach the experiments: the running engine's, else one in this process."""
        return open_experiments(self._settings)

    def model_specs(self) -> Mapping[str, ModelSpec]:
        """Return the specifications of the models that are declared here, by name."""
        return model_specs(products_of(self._settings))

    def policy_findings(self, point: str, policy: str, rules: str) -> Sequence[str]:
        """Return all that is wrong with a policy and its rules for a decision point."""
        return findings_at(products_of(self._settings))(point, policy, rules)

    def decisions(self) -> AbstractContextManager[Decisions]:
        """Reach the journal's decisions, beside whoever writes it."""
        return open_decisions(self._settings)

    def replay_decisions(
        self,
        *,
        first: int,
        last: int | None,
        cuts: int | None,
        progress: Callable[[int, int], None],
    ) -> ReplayedDecisions:
        """Take decisions again, and compare every word of them; ``progress`` as in ``verify``."""
        return replay(self._settings, first=first, last=last, cuts=cuts, progress=progress)

    def client(self) -> Formicary:
        """Reach the API: that of ``FORMICARY_URL``, else the one on this machine."""
        if self._settings.key is None:
            raise KeyNotSet
        url = self._settings.url or f"http://127.0.0.1:{self._settings.api_port}"
        return Formicary.http(url, self._settings.key)

    def issue_house_key(self) -> str:
        """Make a key of the house with every scope through the engine's own socket, and return its text."""
        with EngineClient(self._settings.engine_socket) as engine:
            return house_key(engine, clock_of(self._settings), is_sandbox=self._settings.is_sandbox)

    def demo(
        self, *, fresh: bool, start_ns: int, folder: str = "demo"
    ) -> AbstractContextManager[DemoFactory]:
        """Open a factory on a folder of its own at a simulated time; ``fresh`` empties the folder first."""
        return open_demo(self._settings, fresh=fresh, start_ns=start_ns, folder=folder)

    def learning(self) -> InstalledLearning:
        """Reach the models that learn by themselves."""
        return InstalledLearning(self._settings)

    def history(self, *, start_ns: int) -> AbstractContextManager[HistoryFactory]:
        """Open the deployment's own factory in the time of a history; refused while an engine runs."""
        return open_history(self._settings, start_ns=start_ns)

    def now(self) -> int:
        """Return the present time in nanoseconds since the Unix epoch."""
        return clock_of(self._settings).now()

    def up(self, on_change: Callable[[dict[str, int]], None]) -> None:
        """Run every process until told to end; ``on_change`` gets their numbers by name."""
        run_processes(self._settings, on_change=on_change, products=products_of(self._settings))

    def verify(self, progress: Callable[[int, int], None]) -> Verification:
        """Fold the journal again and compare; ``progress`` gets the position reached and the last one."""
        products = products_of(self._settings)
        with open_database(self._settings) as access:
            return verify(
                access,
                snapshots=StateSnapshots(self._settings.snapshots_folder),
                products=products,
                upcasters=known_events(products),
                engine=self._running_state(),
                progress=progress,
            )

    def feature_sets(self, file: Path | None) -> Sequence[FeatureSet]:
        """Return the products' sets of features and those of a file, else of ``FORMICARY_FEATURES``."""
        return feature_sets(file.resolve() if file is not None else self._settings.features)

    def archive_journal(self, folder: Path, progress: Callable[[int, int], None]) -> ArchiveManifest:
        """Archive in a folder what the journal has beyond it; ``progress`` as in ``verify``."""
        return backfill.archive_journal(self._settings, folder, progress)

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
        wanted = backfill.Wanted(name=name, purpose=purpose, folder=folder, first=first, last=last)
        return backfill.backfill(self._settings, wanted, archive, progress)

    def daily(self, day: int, *, labels: str | None, progress: Callable[[int, int], None]) -> DaySummary:
        """Find the slow features of a day, counted from 1970-01-01, and record them."""
        return run_daily(self._settings, day, labels, progress)

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
        wanted = WantedModel(
            name=name,
            last=last,
            archive=archive,
            table=None if table is None else TableOfRows(file=table[0], label=table[1]),
            output=None if output is None else output.resolve(),
            threads=threads,
        )
        return train(self._settings, wanted, report)

    def preapprove(
        self, currency: int | None, report: Callable[[str, int, int], None]
    ) -> list[dict[str, Any]]:
        """Go over all parties in a currency by its number, or in all; return what each run came to."""
        with EngineClient(self._settings.engine_socket) as engine:
            return preapprove(engine, self.now(), report, currency=currency)

    def watch(self, report: Callable[[str, int, int], None]) -> dict[str, Any] | None:
        """Go over all lines; return what the run came to and the ``parties`` that are warned of."""
        with EngineClient(self._settings.engine_socket) as engine:
            run = watch(engine, self.now(), report)
            return None if run is None else {**run, "parties": warned_parties(engine)}

    def judge(self, name: str, *, output: Path | None) -> TrainedModel:
        """Write the file of a model that a product declares by judgement."""
        return judge(self._settings, name, None if output is None else output.resolve(), judgements())

    def portfolio(self) -> Portfolio:
        """Return what became of what was lent, as of the last business date that was closed."""
        return find_portfolio(self._settings)

    def verify_applications(self, progress: Callable[[int, int], None]) -> Recomputed:
        """Take every recorded decision about an application again; ``progress`` as in ``verify``."""
        return verify_applications(self._settings, progress)

    def doctor(self) -> Iterable[Check]:
        """Look at the machine and the installation, one check after the other."""
        return examine(self._settings)

    def _running_state(self) -> tuple[int, int] | None:
        try:
            with EngineClient(self._settings.engine_socket) as client:
                status = client.status()
        except EngineUnreachable:
            return None
        return status["position"], status["state_hash"]
