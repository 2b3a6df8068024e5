"""Default rate against approval rate: nobody's default rate means anything without the other.

A lender reaches any default rate by approving few enough. So loans are approved in the order of their scores,
from the safest on, and what went bad among the approved is told for every hundredth of all loans. Loans of
one score are approved in part, each alike, so that no order of rows counts.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.monitoring.shares import exact_share

__all__ = ["SHARES", "default_rates", "frontier"]

Reals: TypeAlias = npt.NDArray[np.float64]
Counts: TypeAlias = npt.NDArray[np.int64]

SHARES: Final = np.arange(1, 101) / 100
"""Approval rates, in hundredths of all loans."""
_LEAST: Final = 0.01
_TAIL: Final = 2.5
_ERROR: Final = 0.05


def default_rates(scores: Reals, labels: Reals, weights: Reals) -> Reals:
    """Return the default rate at each of ``SHARES`` of the loans (n,) that are approved first."""
    each, places = np.unique(scores, return_inverse=True)
    mass, bad = np.zeros(len(each) + 1), np.zeros(len(each) + 1)
    np.add.at(mass, places + 1, weights)
    np.add.at(bad, places + 1, weights * labels)
    approved = SHARES * mass.sum()
    return np.asarray(np.interp(approved, np.cumsum(mass), np.cumsum(bad)) / approved)


def frontier(scores: Reals, labels: Reals, drawn: Counts) -> dict[str, Any]:
    """Return the frontier with its band, and where its default rate is still under a hundredth.

    Parameters
    ----------
    scores
        (repeats, n), NaN where a loan was never left out; higher where a bad loan is likelier.
    labels
        (n,).
    drawn
        (1 + resamples, n) how often each loan is drawn, first once each.

    Returns
    -------
    dict
        ``rate``, ``low`` and ``high`` at each of ``SHARES``, a mean over repeats and the 95 % of resamples;
        ``under``, the largest share whose rate is below a hundredth, ``bad`` and ``rows`` there, and
        ``under_high``, an upper limit of the rate there by Clopper and Pearson; None where there is none.
    """
    by_repeat = []
    for one in scores:
        told = ~np.isnan(one)
        rows = [default_rates(one[told], labels[told], row[told].astype(np.float64)) for row in drawn]
        by_repeat.append(rows)
    rates = np.mean(by_repeat, axis=0)
    low, high = np.percentile(rates[1:], [_TAIL, 100 - _TAIL], axis=0)
    found = {"rate": rates[0].tolist(), "low": low.tolist(), "high": high.tolist(), "under": None}
    below = np.flatnonzero(rates[0] < _LEAST)
    if len(below):
        place = int(below[-1])
        rows_there = round(float(SHARES[place] * (~np.isnan(scores[0])).sum()))
        bad = round(float(rates[0, place] * rows_there))
        limit = exact_share(bad, rows_there, error=_ERROR).high
        found |= {"under": float(SHARES[place]), "bad": bad, "rows": rows_there, "under_high": limit}
    return found
