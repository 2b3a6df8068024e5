"""Skew between what was told online and a replay is found to the bit."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.features.quality.skew import SkewReport, compare
from formicary.factory.features.store import Values


def told(values: np.ndarray, withheld: list[int] | None = None) -> Values:
    """Return values (n, 3) as events were told them."""
    names = ("amount", "count", "share")[: values.shape[1]]
    bits = np.array(withheld or [0] * len(values), np.int64)
    return Values(names=names, values=values, withheld=bits, subjects=("payer", "payee"))


def example() -> np.ndarray:
    """Return six rows of three features with some missing."""
    values = np.arange(18, dtype=np.float64).reshape(6, 3)
    values[2, 1] = math.nan
    return values


def test_the_same_values_do_not_differ() -> None:
    """Missing values equal each other, whatever their bits."""
    other = example()
    other[2, 1] = -math.nan
    report = compare(told(example()), told(other))
    assert report.is_equal
    assert [feature.equal for feature in report.features] == [6, 6, 6]
    assert {feature.first_differing for feature in report.features} == {-1}


def test_planted_skew_is_found() -> None:
    """One unit in the last place, a zero's sign, a value that is missing once, consent that was seen once."""
    other = example()
    other[4, 0] = np.nextafter(other[4, 0], math.inf)
    other[0, 0] = -0.0
    other[2, 1] = 5.0
    other[3, 1] += 2.5
    other[5, 1] -= 4.0
    report = compare(told(example()), told(other, [0, 0, 0, 0, 2, 0]))
    amount, count, share = report.features
    assert (amount.equal, amount.missing_once, amount.first_differing) == (4, 0, 0)
    assert amount.largest_difference == math.ulp(12.0)
    assert (count.equal, count.missing_once, count.first_differing) == (3, 1, 2)
    assert count.largest_difference == 4.0
    assert share.is_equal
    assert report.differing == (amount, count)
    assert report.withheld_differing == 1
    assert not report.is_equal
    assert msgspec.json.decode(msgspec.json.encode(report), type=SkewReport) == report


def test_consent_alone_makes_a_difference() -> None:
    """Equal values that were told for another reason are no equal reports."""
    assert not compare(told(example()), told(example(), [1, 0, 0, 0, 0, 0])).is_equal


def test_infinite_differences_are_told() -> None:
    """What overflows on one side differs by more than any number."""
    other = example()
    other[1, 2] = math.inf
    assert compare(told(example()), told(other)).features[2].largest_difference == math.inf


def test_no_rows_are_equal() -> None:
    """Nothing was told, nothing differs."""
    assert compare(told(np.empty((0, 3))), told(np.empty((0, 3)))).is_equal


def test_other_sets_or_rows_cannot_be_compared() -> None:
    """Rows that do not belong together would tell nothing."""
    with pytest.raises(ProgrammingError, match="same set"):
        compare(told(example()), told(example()[:, :2]))
    with pytest.raises(ProgrammingError, match="5 rows"):
        compare(told(example()[:5]), told(example()))
