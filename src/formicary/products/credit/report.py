"""Whether the score says what it should: its distribution, its stability, its odds, and its fairness.

A point means odds. By a line over the score, the logarithm of the odds that a party pays, not that it
defaults, rises by the same for every point; how many points double the odds is ln 2 over the slope (Siddiqi,
*Credit Risk Scorecards*, 2006, chapter 6). Nothing of this goes back into the score: it is a report.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.factory.models.calibration import Calibration, platt
from formicary.factory.models.metrics import area_under_roc
from formicary.factory.monitoring.calibration_by_segment import CalibratedPart, calibration_by_segment
from formicary.factory.monitoring.drift import Drift, drift_report
from formicary.factory.monitoring.fairness import FairnessReport, approval_ratio, equal_opportunity
from formicary.factory.monitoring.shares import Share, standard_errors, wilson_share
from formicary.products.credit.recorded import Labelled, ScoreHistory
from formicary.products.credit.terms import TERMS, Terms

__all__ = [
    "BandShare",
    "CreditReport",
    "Distribution",
    "Fairness",
    "Odds",
    "ReportRowsTooFew",
    "Stability",
    "distribution",
    "fairness",
    "odds",
    "stability",
]

_QUANTILES: Final = (0.1, 0.25, 0.5, 0.75, 0.9)
_ERROR: Final = 0.05
_REFERENCE_SCORE: Final = 650

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


class ReportRowsTooFew(Refusal):
    """No party had a score at the time that is told of."""

    code = "report_rows_too_few"


class BandShare(msgspec.Struct, frozen=True, kw_only=True):
    """How many parties are in a band."""

    band: str
    count: int
    share: float


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """The scores of all parties at a time: the mean, deciles and quartiles, and each band's share."""

    rows: int
    mean: float
    quantiles: dict[str, float]
    bands: tuple[BandShare, ...]


class Stability(msgspec.Struct, frozen=True, kw_only=True):
    """Scores at two times.

    Attributes
    ----------
    drift
        The population stability index of all scores, and more.
    both
        How many parties had a score at both.
    moved
        How many of these are in another band; ``up`` of them in a higher one.
    """

    drift: Drift
    both: int
    moved: Share
    up: int


class Odds(msgspec.Struct, frozen=True, kw_only=True):
    """What a score says of the odds to pay.

    Attributes
    ----------
    rows, defaults
        How many scores with an outcome, and how many defaulted.
    points_to_double
        How many points double the odds, with an interval of 95%; None where more points are no better.
    reference, reference_odds
        A score, and how many parties with it pay for one that defaults.
    area_under_roc
        How often a party that pays has the higher score.
    bands
        By band: the chance of default that the line says, and how many did.
    """

    rows: int
    defaults: int
    points_to_double: float | None
    points_low: float | None
    points_high: float | None
    reference: int
    reference_odds: float
    area_under_roc: float
    bands: tuple[CalibratedPart, ...]


class Fairness(msgspec.Struct, frozen=True, kw_only=True):
    """Groups compared: who reaches a score, who of those that pay does, whether the odds come true in each.

    The last two are None where no outcomes of both kinds are known.
    """

    least: int
    approval: FairnessReport
    opportunity: FairnessReport | None
    calibration: tuple[CalibratedPart, ...] | None


class CreditReport(msgspec.Struct, frozen=True, kw_only=True):
    """All that is told of the score; None for what nothing is known of."""

    until: int
    distribution: Distribution
    stability: Stability | None
    odds: Odds | None
    fairness: Fairness | None


def distribution(scores: Mapping[int, int], terms: Terms = TERMS) -> Distribution:
    """Return the distribution of parties' scores.

    Raises
    ------
    ReportRowsTooFew
        There are none.
    """
    if not scores:
        raise ReportRowsTooFew
    values = np.array(list(scores.values()), np.int64)
    counts = np.bincount(_bands(values, terms), minlength=len(terms.band_names)).tolist()
    told = np.quantile(values, _QUANTILES, method="inverted_cdf").tolist()
    return Distribution(
        rows=len(values),
        mean=float(values.mean()),
        quantiles={f"{share:g}": float(value) for share, value in zip(_QUANTILES, told, strict=True)},
        bands=tuple(
            BandShare(band=name, count=count, share=count / len(values))
            for name, count in zip(terms.band_names, counts, strict=True)
        ),
    )


def stability(history: ScoreHistory, since: int, until: int, terms: Terms = TERMS) -> Stability | None:
    """Compare scores at two times in nanoseconds; None where nobody had one at the first."""
    before, after = history.at(since), history.at(until)
    if not before or not after:
        return None
    found = drift_report({"score": list(before.values())}, {"score": list(after.values())})
    both = sorted(before.keys() & after.keys())
    old = _bands(np.array([before[party] for party in both], np.int64), terms)
    new = _bands(np.array([after[party] for party in both], np.int64), terms)
    return Stability(
        drift=found.columns[0],
        both=len(both),
        moved=wilson_share(int((old != new).sum()), len(both)),
        up=int((new > old).sum()),
    )


def odds(rows: Labelled, terms: Terms = TERMS) -> Odds | None:
    """Return what scores say of the odds to pay; None without outcomes of both kinds."""
    if not _has_both(rows):
        return None
    line = platt(scores=-rows.scores, labels=rows.labels)
    chances = _chances(line, rows.scores)
    names = np.array([f"{place} {name}" for place, name in enumerate(terms.band_names)])
    half = _slope_error(chances, rows.scores) * standard_errors(_ERROR)
    double = math.log(2)
    return Odds(
        rows=len(rows.scores),
        defaults=int(rows.labels.sum()),
        points_to_double=double / line.slope if line.slope > 0 else None,
        points_low=double / (line.slope + half) if line.slope > 0 else None,
        points_high=double / (line.slope - half) if line.slope > half else None,
        reference=_REFERENCE_SCORE,
        reference_odds=math.exp(line.slope * _REFERENCE_SCORE - line.intercept),
        area_under_roc=area_under_roc(scores=-rows.scores, labels=rows.labels),
        bands=calibration_by_segment(
            chances=chances, labels=rows.labels, segments=names[_bands(rows.scores, terms)], parts=1
        ),
    )


def fairness(scores: Mapping[int, int], rows: Labelled, groups: Mapping[int, str], *, least: int) -> Fairness:
    """Compare groups of parties, empty for a party of which none is known.

    Parameters
    ----------
    scores
        Of all parties now.
    rows
        Scores with what came of them.
    groups
        By party.
    least
        The score that somebody must reach to be taken for approved.
    """
    values = np.array(list(scores.values()), np.int64)
    names = [groups.get(party, "") for party in scores]
    of_rows = np.array([groups.get(party, "") for party in rows.parties], np.str_)
    is_known = of_rows != ""
    known = Labelled(
        parties=tuple(party for party, is_told in zip(rows.parties, is_known, strict=True) if is_told),
        scores=rows.scores[is_known],
        labels=rows.labels[is_known],
    )
    opportunity = calibration = None
    if _has_both(known):
        opportunity = equal_opportunity(approved=rows.scores >= least, labels=rows.labels, groups=of_rows)
        # The line is of all rows: whether it holds in each group is what is asked.
        chances = _chances(platt(scores=-rows.scores, labels=rows.labels), known.scores)
        calibration = calibration_by_segment(
            chances=chances, labels=known.labels, segments=of_rows[is_known], parts=1
        )
    return Fairness(
        least=least,
        approval=approval_ratio(approved=values >= least, groups=np.array(names, np.str_)),
        opportunity=opportunity,
        calibration=calibration,
    )


def _has_both(rows: Labelled) -> bool:
    return 0 < int(rows.labels.sum()) < len(rows.labels)


def _bands(scores: Integers, terms: Terms) -> Integers:
    return np.searchsorted(np.array(terms.bands), scores, side="right").astype(np.int64)


def _chances(line: Calibration, scores: Integers) -> Reals:
    """Return the chances of default (n,) that a line over falling scores says."""
    return np.asarray(1.0 / (1.0 + np.exp(line.slope * scores - line.intercept)), np.float64)


def _slope_error(chances: Reals, scores: Integers) -> float:
    """Return the standard error of the slope, from the information of a logistic line."""
    weights = chances * (1.0 - chances)
    mean = (weights * scores).sum() / weights.sum()
    return float(1.0 / np.sqrt((weights * (scores - mean) ** 2).sum()))
