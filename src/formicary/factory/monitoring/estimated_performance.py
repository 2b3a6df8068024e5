"""How well a model does before its outcomes are known, beside how well it did on those that are.

If chances are right, each row is bad with its chance and good with the rest, so that what a model catches,
misses and earns has an expectation without a single label: performance estimated from confidence, CBPE
(Kivimäki, Białek, Kuberski and Nurminen, *Performance estimation in binary classification using calibrated
confidence*, 2025). It stands and falls with the chances: it sees that customers changed, and cannot see that
what they do changed. So it is never told alone, but with the same estimate for the rows whose outcomes have
come, and what these came to. Where the two differ by more than chance, ``is_borne_out`` is false and the
estimate for the young rows is worth nothing.

Rows with a chance of the threshold or more are turned away, or rows are named that are, where more than the
chance decides. Bad rows are those of label 1. An estimate of money is a number of minor units, rounded once,
half to even; what was realised is an exact sum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.factory.models._checks import Reals, labelled
from formicary.factory.models.metrics import area_under_roc, average_precision
from formicary.factory.monitoring.shares import ERROR
from formicary.factory.monitoring.tails import tail_chance

__all__ = [
    "STAKES_MAX",
    "Departure",
    "Performance",
    "PerformanceReport",
    "Stakes",
    "estimated",
    "performance",
    "realised",
]

_Money: TypeAlias = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]
_Flags: TypeAlias = npt.NDArray[np.bool_]

# Of how many statements of a report the error is shared: bad rows, bad rows let through, money.
_STATEMENTS: Final = 3
STAKES_MAX: Final = 2**61
"""The largest stake times the rows at most: so that no sum of two stakes of all rows leaves 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stakes:
    """What is at stake in each row, (n,) minor units of one currency, whole numbers.

    Attributes
    ----------
    gains
        What a good row earns if it is let through.
    losses
        What a bad row loses if it is let through.
    """

    gains: npt.ArrayLike
    losses: npt.ArrayLike


class Performance(msgspec.Struct, frozen=True, kw_only=True):
    """How well a model does on some rows, estimated or realised; None for what cannot be told.

    Attributes
    ----------
    rows
        How many there are.
    bad
        How many of them are bad.
    caught, turned_away
        How many bad rows, and how many good ones, were turned away.
    missed, let_through
        How many bad rows, and how many good ones, were not.
    area_under_roc, average_precision
        How well chances order the rows, as ``models.metrics`` has them.
    money
        What the rows that were let through earn less what they lose, in minor units.
    """

    rows: int
    bad: float
    caught: float
    turned_away: float
    missed: float
    let_through: float
    area_under_roc: float | None
    average_precision: float | None
    money: int | None


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """How far something realised is from its expectation.

    Attributes
    ----------
    standard_errors
        By how many it is above.
    chance
        How often at most chance makes it as far to that side.
    """

    standard_errors: float
    chance: float


class PerformanceReport(msgspec.Struct, frozen=True, kw_only=True):
    """Estimates with what bears them out.

    Attributes
    ----------
    threshold
        From which chance on a row is turned away; None where rows were named.
    estimated
        For all rows.
    estimated_matured, realised_matured
        For the rows whose outcome is known: what was expected, and what came of it.
    bad, missed, money
        How far what was realised is from what was expected, of bad rows, of those let through, and of what
        was earned; None where nothing could have come out otherwise.
    is_borne_out
        Whether none of them is more than chance; None without any.
    error
        How often at most an estimate that is right is not borne out.
    """

    threshold: float | None
    estimated: Performance
    estimated_matured: Performance
    realised_matured: Performance
    bad: Departure | None
    missed: Departure | None
    money: Departure | None
    is_borne_out: bool | None
    error: float


def performance(
    *,
    chances: npt.ArrayLike,
    labels: npt.ArrayLike,
    threshold: float | None = None,
    turned_away: npt.ArrayLike | None = None,
    stakes: Stakes | None = None,
    error: float = ERROR,
) -> PerformanceReport:
    """Estimate how a model does on all rows, and compare where outcomes are known.

    Parameters
    ----------
    chances
        Of being bad, calibrated, (n,).
    labels
        1 bad, 0 good, negative where it is not known yet, (n,). Whether it is known must not depend on what
        it is: a row matures with its horizon.
    threshold, turned_away
        From which chance on a row is turned away, or which rows are, (n,): one of both.
    stakes
        What is at stake in each row.
    error
        How often at most an estimate that is right is not borne out.
    """
    told = np.asarray(labels, np.float64)
    known = told >= 0
    said = _chances(chances, np.where(known, told, 0.0))
    stake = None if stakes is None else _checked(stakes, len(said))
    away = _away(said, threshold, turned_away)
    matured, happened, away_matured = said[known], told[known], away[known]
    of_matured = None if stake is None else (stake[0][known], stake[1][known])
    bad, missed, money = _departures(matured, happened, away_matured, of_matured)
    # On either side, for each statement.
    each = error / (2 * _STATEMENTS)
    found = [one.chance > each for one in (bad, missed, money) if one is not None]
    return PerformanceReport(
        threshold=threshold,
        estimated=_estimated(said, away, stake),
        estimated_matured=_estimated(matured, away_matured, of_matured),
        realised_matured=_realised(matured, happened, away_matured, of_matured),
        bad=bad,
        missed=missed,
        money=money,
        is_borne_out=all(found) if found else None,
        error=error,
    )


def estimated(chances: npt.ArrayLike, *, threshold: float, stakes: Stakes | None = None) -> Performance:
    """Return what is expected of rows (n,) whose labels nobody knows.

    Notes
    -----
    The area under the curve is the expected number of pairs of a bad and a good row that chances order
    rightly, over the expected number of pairs, a row being no pair with itself. For the average precision
    expected counts stand in for counts.
    """
    said = _chances(chances, np.zeros(np.shape(chances)))
    return _estimated(said, said >= threshold, None if stakes is None else _checked(stakes, len(said)))


def realised(
    chances: npt.ArrayLike, labels: npt.ArrayLike, *, threshold: float, stakes: Stakes | None = None
) -> Performance:
    """Return what came of rows (n,) with labels 0 or 1."""
    said = _chances(chances, labels)
    money = None if stakes is None else _checked(stakes, len(said))
    return _realised(said, np.asarray(labels, np.float64), said >= threshold, money)


# -- expected and counted ------------------------------------------------------------------


def _estimated(chances: Reals, away: _Flags, money: _Money | None) -> Performance:
    total, caught, missed = (math.fsum(one) for one in (chances, chances[away], chances[~away]))
    earned = None
    if money is not None:
        gains, losses = (one[~away] for one in money)
        through = chances[~away]
        earned = round(math.fsum(((1 - through) * gains - through * losses).tolist()))
    return Performance(
        rows=len(chances),
        bad=total,
        caught=caught,
        turned_away=float(away.sum()) - caught,
        missed=missed,
        let_through=float((~away).sum()) - missed,
        area_under_roc=_expected_area(chances),
        average_precision=_expected_precision(chances),
        money=earned,
    )


def _realised(chances: Reals, labels: Reals, away: _Flags, money: _Money | None) -> Performance:
    is_bad = labels == 1
    has_both = bool(is_bad.any() and not is_bad.all())
    earned = None
    if money is not None:
        earned = int(money[0][~away & ~is_bad].sum()) - int(money[1][~away & is_bad].sum())
    return Performance(
        rows=len(chances),
        bad=float(is_bad.sum()),
        caught=float((is_bad & away).sum()),
        turned_away=float((~is_bad & away).sum()),
        missed=float((is_bad & ~away).sum()),
        let_through=float((~is_bad & ~away).sum()),
        area_under_roc=area_under_roc(scores=chances, labels=labels) if has_both else None,
        average_precision=average_precision(scores=chances, labels=labels) if has_both else None,
        money=earned,
    )


def _expected_area(chances: Reals) -> float | None:
    if not _is_open(chances):
        return None
    bad, good, alone = math.fsum(chances), math.fsum(1 - chances), math.fsum(chances * (1 - chances))
    # In that area each row is half a pair in order with itself.
    ordered = area_under_roc(**_both(chances)) * bad * good - alone / 2
    return ordered / (bad * good - alone)


def _expected_precision(chances: Reals) -> float | None:
    return average_precision(**_both(chances)) if _is_open(chances) else None


def _is_open(chances: Reals) -> bool:
    """Return whether two rows may have different labels."""
    return len(chances) > 1 and bool((chances > 0).any() and (chances < 1).any())


def _both(chances: Reals) -> dict[str, Reals]:
    """Return each row twice: bad with the mass of its chance, and good with the rest."""
    return {
        "scores": np.tile(chances, 2),
        "labels": np.repeat([1.0, 0.0], len(chances)),
        "weights": np.concatenate((chances, 1 - chances)),
    }


# -- how far apart -------------------------------------------------------------------------


def _departures(
    chances: Reals, labels: Reals, away: _Flags, money: _Money | None
) -> tuple[Departure | None, Departure | None, Departure | None]:
    """Return how far bad rows, bad rows let through and money are from expectation."""
    through = ~away
    few, happened = chances[through], labels[through]
    earned = None
    if money is not None:
        # What a bad row takes from what is expected of a good one.
        at_stake = -(money[0] + money[1])[through].astype(np.float64)
        earned = _departure(few, happened, at_stake)
    return (
        _departure(chances, labels, np.ones(len(chances))),
        _departure(few, happened, np.ones(len(few))),
        earned,
    )


def _departure(chances: Reals, labels: Reals, weights: Reals) -> Departure | None:
    variance = math.fsum(chances * (1 - chances) * weights**2)
    if not variance > 0:
        return None
    excess = math.fsum((labels - chances) * weights)
    side = math.copysign(1.0, excess)
    return Departure(
        standard_errors=excess / math.sqrt(variance),
        chance=tail_chance(chances, side * weights, side * math.fsum(labels * weights)),
    )


# -- what comes in -------------------------------------------------------------------------


def _chances(chances: npt.ArrayLike, labels: npt.ArrayLike) -> Reals:
    said, _, _ = labelled(chances, labels, None)
    if not ((said >= 0) & (said <= 1)).all():
        message = "a chance is below 0 or above 1"
        raise ProgrammingError(message)
    return said


def _away(chances: Reals, threshold: float | None, named: npt.ArrayLike | None) -> _Flags:
    """Return which rows (n,) are turned away: from a chance on, or those that are named."""
    if (threshold is None) == (named is None):
        message = "rows are turned away from a chance on, or named: one of both"
        raise ProgrammingError(message)
    away = np.asarray(named, np.bool_) if threshold is None else np.asarray(chances >= threshold)
    if away.shape != chances.shape:
        message = f"{away.shape} rows that are turned away or not do not match {chances.shape} chances"
        raise ProgrammingError(message)
    return away


def _checked(stakes: Stakes, rows: int) -> _Money:
    gains, losses = np.asarray(stakes.gains), np.asarray(stakes.losses)
    if gains.shape != (rows,) or losses.shape != (rows,):
        message = f"{gains.shape} gains and {losses.shape} losses do not match {rows} rows"
        raise ProgrammingError(message)
    for sums in (gains, losses):
        if sums.dtype.kind not in "iu" or int(np.abs(sums).max(initial=0)) * max(rows, 1) > STAKES_MAX:
            message = "what is at stake is in whole minor units, and so is its sum"
            raise ProgrammingError(message)
    return gains.astype(np.int64), losses.astype(np.int64)
