"""What figures of a portfolio are called where people read them."""

from __future__ import annotations

from typing import Final

from formicary.products.lending.portfolio.default_curves import CohortCurve

__all__ = ["BUCKETS", "curve_texts", "share_text"]

BUCKETS: Final = {
    "current": "not late",
    "days_1": "1 to 29",
    "days_30": "30 to 59",
    "days_60": "60 to 89",
    "days_90": "90 and more",
    "repaid": "repaid",
    "charged_off": "charged off",
}
"""Buckets by their names, in days late."""


def share_text(millionths: int | None) -> str:
    """Return a share in percent with two digits, or a dash where there is none."""
    return "-" if millionths is None else f"{millionths / 10_000:.2f} %"


def curve_texts(curve: CohortCurve) -> list[str]:
    """Return the points of a curve with their intervals, a dash beyond what was watched."""
    return [
        "-"
        if told.share is None or told.low is None or told.high is None
        else f"{100 * told.share:.2f} % ({100 * told.low:.2f} to {100 * told.high:.2f})"
        for told in curve.within
    ]
