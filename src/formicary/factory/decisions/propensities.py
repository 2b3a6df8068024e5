"""What logged propensities are for: the value of another policy, and weights to learn with.

The row of a decision says how probable the outcome was that came out (``propensity``). Where some of what is
refused passes by lot, outcomes become known that no policy without chance would have seen, and each stands
for one over its propensity of its kind. So the mean of what rows brought, weighted by

    w = chance of the row's outcome under the policy that is valued / its propensity,

is that policy's value, without bias, if it gives nothing a chance that had none (Horvitz, Thompson, 1952).

- *Self-normalised*, the weights' own sum takes the place of the number of rows: a small bias, and often far
  less variance (Hájek, 1971).
- *Doubly robust*, a model of what each outcome brings says most, and the weights correct where it errs: right
  if either the propensities or the model are (Robins, Rotnitzky, Zhao, 1994; Dudík, Langford, Li, 2011).

Rows count as independent of each other; where parties come again, errors are larger than told here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.factory.decisions.errors import MalformedItems

__all__ = [
    "Estimate",
    "doubly_robust",
    "inverse_propensity",
    "self_normalised",
    "training_weights",
]

Reals: TypeAlias = npt.NDArray[np.float64]

_ROWS_MIN: Final = 2
"""Of one row nobody can tell how much rows differ."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean of rows.

    Attributes
    ----------
    value, standard_error
        In the unit of the rewards.
    rows
        How many rows there are.
    effective_rows
        How many rows of equal weight would tell as much (Kish, 1965): few, where a few weights are large.
    """

    value: float
    standard_error: float
    rows: int
    effective_rows: float


def inverse_propensity(
    rewards: npt.ArrayLike, propensities: npt.ArrayLike, target: npt.ArrayLike
) -> Estimate:
    """Return the value of a policy.

    Parameters
    ----------
    rewards
        (n,) what rows brought.
    propensities
        (n,) the logged chance of each row's outcome, above 0 and at most 1.
    target
        (n,) the chance that the policy gives that outcome in the same case: 0 or 1, where it draws no lots.

    Raises
    ------
    MalformedItems
        Lengths differ, there are fewer than two rows, or a number is not what it must be.
    """
    brought, weights = _weighted(rewards, propensities, target)
    return _mean_of(weights * brought, weights)


def self_normalised(rewards: npt.ArrayLike, propensities: npt.ArrayLike, target: npt.ArrayLike) -> Estimate:
    """Return the value of a policy as ``inverse_propensity`` does, over the sum of the weights.

    Its error is that of a ratio, to the first order (delta method).

    Raises
    ------
    MalformedItems
        As there; or the policy gives no row's outcome any chance.
    """
    brought, weights = _weighted(rewards, propensities, target)
    total = float(weights.sum())
    if total == 0.0:
        _refuse("the policy gives none of the outcomes that came out: nothing is known of it")
    value = float((weights * brought).sum()) / total
    spread = np.sqrt(((weights * (brought - value)) ** 2).sum()) / total
    return Estimate(
        value=value, standard_error=float(spread), rows=len(weights), effective_rows=_effective(weights)
    )


def doubly_robust(
    rewards: npt.ArrayLike,
    propensities: npt.ArrayLike,
    target: npt.ArrayLike,
    *,
    expected: npt.ArrayLike,
    expected_target: npt.ArrayLike,
) -> Estimate:
    """Return the value of a policy with the help of a model of what outcomes bring.

    Parameters
    ----------
    rewards, propensities, target
        As for ``inverse_propensity``.
    expected
        (n,) what the model expects of the outcome that came out.
    expected_target
        (n,) what it expects of the policy: the mean over outcomes, by their chances under it.

    The model must not have learnt from the same rows, or the error that is told is too small.

    Raises
    ------
    MalformedItems
        As there.
    """
    brought, weights = _weighted(rewards, propensities, target)
    of_outcome = _reals("expected rewards", expected, len(weights))
    of_policy = _reals("expected rewards", expected_target, len(weights))
    return _mean_of(of_policy + weights * (brought - of_outcome), weights)


def training_weights(
    propensities: npt.ArrayLike, is_known: npt.ArrayLike, *, most: float | None = None
) -> tuple[Reals, Estimate]:
    """Return the weights by which rows with a known outcome stand for all, and what they add up to.

    What came of a case is known where it passed. Explored cases stand for those like them that did not pass,
    so each weighs one over its propensity, and a row that is not known weighs nothing.

    Parameters
    ----------
    propensities
        (n,) as above.
    is_known
        (n,) whether it is known what came of the row.
    most
        No weight is larger: less variance for some bias; no limit unless given.

    Returns
    -------
    weights, covered
        (n,); and the mean weight over all rows, which is one where every case had a chance to become known,
        and less by those that had none: refused for good, they are not what the weights speak of.

    Raises
    ------
    MalformedItems
        As above; or the limit is below one.
    """
    chances = _propensities(propensities)
    known = np.asarray(is_known)
    if known.shape != chances.shape or not np.isin(known, (0, 1)).all():
        _refuse("whether rows are known is 0 or 1 for each of them")
    if most is not None and not most >= 1.0:
        _refuse("a limit of weights is at least 1, as that is what a row stands for that was not drawn")
    weights = np.where(known.astype(np.bool_), 1.0 / chances, 0.0)
    if most is not None:
        weights = np.minimum(weights, most)
    return weights, _mean_of(weights, weights)


def _mean_of(terms: Reals, weights: Reals) -> Estimate:
    spread = float(terms.std(ddof=1)) / len(terms) ** 0.5
    return Estimate(
        value=float(terms.mean()),
        standard_error=spread,
        rows=len(terms),
        effective_rows=_effective(weights),
    )


def _effective(weights: Reals) -> float:
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def _weighted(
    rewards: npt.ArrayLike, propensities: npt.ArrayLike, target: npt.ArrayLike
) -> tuple[Reals, Reals]:
    """Return rewards and weights (n,)."""
    chances = _propensities(propensities)
    wanted = _reals("chances under the policy", target, len(chances))
    if ((wanted < 0.0) | (wanted > 1.0)).any():
        _refuse("a chance under the policy is 0 to 1")
    return _reals("rewards", rewards, len(chances)), wanted / chances


def _propensities(given: npt.ArrayLike) -> Reals:
    chances = _reals("propensities", given, None)
    if not ((chances > 0.0) & (chances <= 1.0)).all():
        _refuse("a propensity is above 0, as it came out, and at most 1")
    return chances


def _reals(what: str, given: npt.ArrayLike, count: int | None) -> Reals:
    numbers = np.asarray(given, np.float64)
    if numbers.ndim != 1 or len(numbers) < _ROWS_MIN or len(numbers) != (count or len(numbers)):
        _refuse(f"{what} are one number a row, of at least {_ROWS_MIN} rows")
    if not np.isfinite(numbers).all():
        _refuse(f"{what} are numbers")
    return numbers


def _refuse(message: str) -> None:
    raise MalformedItems(message)
