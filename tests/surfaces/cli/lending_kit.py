"""What the program in memory does of lending: it keeps what was wanted, and says what a test put here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from formicary.factory.models.model_manifest import ModelManifest, ModelMetrics, TrainedModel, TrainedOn
from formicary.products.lending.applications.recomputed import Recomputed
from formicary.products.lending.portfolio.report import Portfolio

__all__ = ["MemoryLending"]


@dataclass
class MemoryLending:
    """Judgements, runs over all parties, and what became of what was lent."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    runs_wanted: list[int | None] = field(default_factory=list)
    watched: dict[str, Any] | None = None
    recomputed: Recomputed = field(
        default_factory=lambda: Recomputed(position=1, applications=0, models=0, differing=())
    )
    lent: Portfolio = field(default_factory=lambda: Portfolio(as_of=None, currencies=()))

    def judge(self, name: str, *, output: Path | None) -> TrainedModel:
        """Say that what a product declares was written."""
        manifest = ModelManifest(
            model=name,
            hash="feed",
            spec_hash="00",
            columns=("amount",),
            code_version="1",
            seed=0,
            gates={},
            metrics=ModelMetrics(forest={}, scorecard={}),
            trained_on=TrainedOn(hash="beef", rows=0, positives=0),
        )
        return TrainedModel(file=output or Path("nowhere/feed.model"), manifest=manifest)

    def preapprove(
        self, currency: int | None, report: Callable[[str, int, int], None]
    ) -> list[dict[str, Any]]:
        """Keep what was wanted, and say what the runs came to."""
        self.runs_wanted.append(currency)
        report("EUR", 1_200, 2_000)
        report("EUR", 2_000, 2_000)
        return self.runs

    def watch(self, report: Callable[[str, int, int], None]) -> dict[str, Any] | None:
        """Say what the run came to."""
        report("borrowers", 1_200, 2_000)
        return self.watched

    def verify_applications(self, progress: Callable[[int, int], None]) -> Recomputed:
        """Return what taking decisions again came to."""
        progress(self.recomputed.position, self.recomputed.position)
        return self.recomputed

    def portfolio(self) -> Portfolio:
        """Return what became of what was lent."""
        return self.lent
