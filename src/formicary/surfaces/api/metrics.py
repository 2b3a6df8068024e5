"""What ``/metrics`` tells: counts and durations by route, and nothing that names anyone."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from formicary.surfaces.api.feature_gauges import FeatureGauges

__all__ = ["Metrics"]

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Metrics:
    """The figures of one API worker."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._seconds = Histogram(
            "formicary_http_seconds",
            "Seconds from the request's head to the end of its answer.",
            ["route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._answers = Counter(
            "formicary_http_answers",
            "Answers by route and status.",
            ["route", "status"],
            registry=self._registry,
        )
        self._payments = Counter(
            "formicary_payments",
            "Payments by outcome.",
            ["outcome"],
            registry=self._registry,
        )
        self.position = Gauge(
            "formicary_journal_position", "The engine's position when last asked.", registry=self._registry
        )
        self.features = FeatureGauges(self._registry)
        """What features are told as."""
        # A look-up of labels costs as much as counting.
        self._kept: dict[tuple[str, int], tuple[Histogram, Counter]] = {}

    def note(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        kept = self._kept.get((route, status))
        if kept is None:
            kept = self._seconds.labels(route), self._answers.labels(route, str(status))
            self._kept[route, status] = kept
        kept[0].observe(seconds)
        kept[1].inc()

    def note_payments(self, outcome: str, count: int = 1) -> None:
        """Count payments by their outcome."""
        self._payments.labels(outcome).inc(count)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
