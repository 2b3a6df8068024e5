"""The quality of features as gauges: what each set was told as lately, and nothing that names anyone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from formicary.factory.features.quality.verdicts import FeatureSummary

__all__ = ["FeatureGauges"]

_LABELS: Final = ("set", "feature")


class FeatureGauges:
    """Gauges with a line for each feature; a figure that there is nothing to tell from has none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._rows = Gauge(
            "formicary_feature_rows",
            "Times that a set was told in this hour and the one before.",
            _LABELS,
            registry=registry,
        )
        self._null = Gauge(
            "formicary_feature_null_ratio",
            "Share of them in which a feature was missing, withheld ones included.",
            _LABELS,
            registry=registry,
        )
        self._withheld = Gauge(
            "formicary_feature_withheld_ratio",
            "Share of them in which a feature was missing for lack of consent.",
            _LABELS,
            registry=registry,
        )
        self._seconds = Gauge(
            "formicary_feature_freshness_seconds",
            "Seconds since the rows behind a feature had changed when it was told.",
            (*_LABELS, "quantile"),
            registry=registry,
        )
        self._psi = Gauge(
            "formicary_feature_psi",
            "Population stability index against a reference.",
            _LABELS,
            registry=registry,
        )

    def show(self, name: str, features: Iterable[FeatureSummary]) -> None:
        """Show what a set was told as, in place of what was shown of these features before."""
        for one in features:
            _set(self._rows, (name, one.name), one.rows)
            _set(self._null, (name, one.name), one.null_ratio)
            _set(self._withheld, (name, one.name), one.withheld_ratio)
            _set(self._seconds, (name, one.name, "0.5"), one.seconds_p50)
            _set(self._seconds, (name, one.name, "0.99"), one.seconds_p99)
            _set(self._psi, (name, one.name), one.psi)


def _set(gauge: Gauge, labels: tuple[str, ...], figure: float | None) -> None:
    child = gauge.labels(*labels)
    if figure is None:
        gauge.remove(*labels)
    else:
        child.set(figure)
