"""Gauges of the quality of features."""

from __future__ import annotations

from formicary.factory.features.quality.report import profile
from formicary.factory.features.quality.verdicts import summaries
from formicary.surfaces.api.metrics import Metrics
from tests.factory.features.quality.kit import seconds, told, view

ROWS = 500


def lines(metrics: Metrics) -> dict[str, float]:
    """Return the lines of features by their names and labels."""
    found = [line for line in metrics.text().decode().splitlines() if line.startswith("formicary_feature_")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in found)}


def test_figures_of_a_report_are_gauges() -> None:
    """Each feature has its shares, its ages and, with a reference, its stability index."""
    report = profile(view(), told(1, ROWS), seconds(1, ROWS))
    reference = profile(view(), told(2, ROWS), seconds(2, ROWS))
    found = summaries(report, reference)
    metrics = Metrics()
    metrics.features.show("asked", found)
    shown = lines(metrics)
    total = found[0]
    labels = '{feature="sum",set="asked"}'
    assert shown[f"formicary_feature_rows{labels}"] == ROWS
    assert shown[f"formicary_feature_null_ratio{labels}"] == total.null_ratio
    assert shown[f"formicary_feature_withheld_ratio{labels}"] == total.withheld_ratio
    assert shown[f"formicary_feature_psi{labels}"] == total.psi
    ages = 'formicary_feature_freshness_seconds{feature="sum",quantile="0.99",set="asked"}'
    assert shown[ages] == total.seconds_p99
    # The size of the asking event has no row that could age.
    assert not [name for name in shown if "freshness" in name and 'feature="size"' in name]


def test_what_there_is_nothing_to_tell_from_has_no_line() -> None:
    """Nothing was told any more: rows are 0, and the shares of before are not shown on."""
    metrics = Metrics()
    report = profile(view(), told(1, ROWS), seconds(1, ROWS))
    metrics.features.show("asked", summaries(report, report))
    metrics.features.show("asked", summaries(profile(view(), told(1, 0), seconds(1, 0))))
    assert {name.partition("{")[0] for name in lines(metrics)} == {"formicary_feature_rows"}
    assert set(lines(metrics).values()) == {0.0}
