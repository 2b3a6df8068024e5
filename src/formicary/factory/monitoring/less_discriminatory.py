"""Which of several models that earn about the same treats groups most alike.

Many models are as good as the best, and they differ in whom they turn away (Black, Raghavan and Barocas,
*Model multiplicity*, FAccT 2022). Where one of them serves the same purpose with less of a difference,
whoever decides about credit is asked why it was not that one: the less discriminatory alternative of
disparate impact (12 CFR 1002, supplement I, 6(a)-2).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from formicary.base.errors import ProgrammingError
from formicary.base.rounding import div_floor

__all__ = ["TOLERANCE_BP", "Alternative", "Candidate", "less_discriminatory"]

TOLERANCE_BP: Final = 100
"""How much less than the best a model may earn and still be about as good, in basis points of what the best
earns: a percent is within what two trainings of one model differ by."""

_BP: Final = 10_000


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model that may be chosen.

    Attributes
    ----------
    name
        Its name, or the hash of its bytes.
    money
        What it earns on the rows by which all are compared, in minor units.
    ratio
        Its ratio of approval rates on them, the lowest over the highest; None where it cannot be told.
    """

    name: str
    money: int
    ratio: float | None


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """The model that was chosen.

    Attributes
    ----------
    chosen
        The one of the highest ratio, of those that are about as good as the best.
    best
        The one that earns most.
    tolerance_bp
        How much less was allowed, in basis points of what the best earns.
    about_as_good
        The names of those that were, the one that earns most first.
    given_up
        How much less the chosen one earns than the best, in minor units.
    """

    chosen: Candidate
    best: Candidate
    tolerance_bp: int
    about_as_good: tuple[str, ...]
    given_up: int


def less_discriminatory(candidates: Sequence[Candidate], *, tolerance_bp: int = TOLERANCE_BP) -> Alternative:
    """Choose the model of the highest approval-rate ratio, of those that earn about as much as the best.

    Parameters
    ----------
    candidates
        One at least, all judged by the same rows. Of equal ratios more money wins, then the earlier
        candidate; a ratio that cannot be told is lower than any other.
    tolerance_bp
        How much less than the best is about as good, in basis points of what the best earns or loses.

    Raises
    ------
    ProgrammingError
        There is no candidate, two have one name, or the tolerance is negative.
    """
    if not candidates or len({one.name for one in candidates}) < len(candidates) or tolerance_bp < 0:
        message = "one is chosen of candidates with names of their own, within a tolerance"
        raise ProgrammingError(message)
    by_money = sorted(candidates, key=lambda one: -one.money)
    best = by_money[0]
    least = best.money - div_floor(abs(best.money) * tolerance_bp, _BP)
    good = [one for one in by_money if one.money >= least]
    chosen = max(good, key=lambda one: -1.0 if one.ratio is None else one.ratio)
    return Alternative(
        chosen=chosen,
        best=best,
        tolerance_bp=tolerance_bp,
        about_as_good=tuple(one.name for one in good),
        given_up=best.money - chosen.money,
    )
