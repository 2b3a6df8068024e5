"""Estimates without labels are expectations, worked out over every way in which rows may come out."""

from __future__ import annotations

import math
from itertools import product

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.factory.models.metrics import area_under_roc, average_precision
from formicary.factory.monitoring.estimated_performance import Stakes, estimated, performance, realised

chances_of = st.lists(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0]), max_size=5)


def worlds(chances: list[float]) -> list[tuple[float, tuple[int, ...]]]:
    """Return every way in which rows may come out, with its chance."""
    ways = product((0, 1), repeat=len(chances))
    return [
        (math.prod(one if label else 1 - one for one, label in zip(chances, way, strict=True)), way)
        for way in ways
    ]


def pairs_in_order(chances: list[float], labels: tuple[int, ...]) -> tuple[float, int]:
    """Count pairs of a bad and a good row that chances order rightly, and all pairs."""
    rows = list(zip(chances, labels, strict=True))
    pairs = [(bad, good) for bad, is_bad in rows for good, other in rows if is_bad and not other]
    return sum((bad > good) + 0.5 * (bad == good) for bad, good in pairs), len(pairs)


@settings(max_examples=40)
@given(chances_of, st.sampled_from([0.3, 0.4]))
def test_estimates_are_expectations(chances: list[float], threshold: float) -> None:
    """Counts and money are means over all worlds; the area is expected pairs in order over expected pairs."""
    stakes = Stakes(gains=np.arange(len(chances)) + 3, losses=100 * np.arange(len(chances)))
    found = estimated(chances, threshold=threshold, stakes=stakes)
    means = dict.fromkeys(("bad", "caught", "turned_away", "missed", "let_through", "money"), 0.0)
    ordered = pairs = 0.0
    for chance, labels in worlds(chances):
        came = realised(chances, labels, threshold=threshold, stakes=stakes)
        for name in means:
            means[name] += chance * getattr(came, name)
        in_order, there_are = pairs_in_order(chances, labels)
        ordered, pairs = ordered + chance * in_order, pairs + chance * there_are
    for name, mean in means.items():
        assert getattr(found, name) == pytest.approx(mean, abs=0.5001 if name == "money" else 1e-9)
    assert found.rows == len(chances)
    if pairs > 0:
        assert found.area_under_roc == pytest.approx(ordered / pairs)
    else:
        assert found.area_under_roc is None
        assert found.average_precision is None


def test_realised_is_counted_by_hand() -> None:
    """Two bad rows, of which one is caught, and two good ones, of which one is turned away."""
    chances, labels = [0.9, 0.2, 0.5, 0.1], [1, 1, 0, 0]
    stakes = Stakes(gains=[1, 2, 4, 8], losses=[100, 200, 400, 800])
    found = realised(chances, labels, threshold=0.5, stakes=stakes)
    assert (found.bad, found.caught, found.turned_away, found.missed, found.let_through) == (2, 1, 1, 1, 1)
    assert found.money == 8 - 200
    assert found.area_under_roc == area_under_roc(scores=chances, labels=labels)
    assert found.average_precision == average_precision(scores=chances, labels=labels)
    alone = realised(chances, [0, 0, 0, 0], threshold=0.5)
    assert (alone.area_under_roc, alone.average_precision, alone.money) == (None, None, None)
    assert realised(chances, [1, 1, 1, 1], threshold=0.5).area_under_roc is None


def test_an_estimate_meets_what_comes() -> None:
    """Of chances that are right the estimate is borne out, and near what was realised in every figure."""
    random = np.random.default_rng(1)
    chances = random.beta(0.5, 8, 30_000)
    labels = (random.random(30_000) < chances).astype(int)
    labels[20_000:] = -1
    amounts = random.integers(100, 10_000, 30_000)
    report = performance(
        chances=chances, labels=labels, threshold=0.2, stakes=Stakes(gains=amounts // 50, losses=amounts)
    )
    assert report.is_borne_out is True
    expected, came = report.estimated_matured, report.realised_matured
    assert came.rows == expected.rows == 20_000
    assert report.estimated.rows == 30_000
    assert expected.area_under_roc == pytest.approx(came.area_under_roc, abs=0.01)
    assert expected.average_precision == pytest.approx(came.average_precision, abs=0.03)
    assert expected.money == pytest.approx(came.money, rel=0.1)
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report


def test_an_estimate_that_is_wrong_is_not_borne_out() -> None:
    """Where bad rows became three times as many, the deviates say so, and money is below."""
    random = np.random.default_rng(2)
    chances = random.uniform(0.0, 0.2, 5_000)
    labels = random.random(5_000) < 3 * chances
    report = performance(
        chances=chances, labels=labels, threshold=0.15, stakes=Stakes(gains=[1] * 5_000, losses=[9] * 5_000)
    )
    assert report.is_borne_out is False
    assert report.bad is not None
    assert report.missed is not None
    assert report.money is not None
    assert report.bad.standard_errors > report.missed.standard_errors > 10
    assert report.money.standard_errors < -10
    assert max(one.chance for one in (report.bad, report.missed, report.money)) < 1e-12
    through = chances < 0.15
    spread = math.sqrt((chances * (1 - chances) * 100)[through].sum())
    surplus = ((labels - chances) * -10)[through].sum()
    assert report.money.standard_errors == pytest.approx(surplus / spread)


def test_one_large_loss_is_chance() -> None:
    """It is thirty standard errors, and comes once in a thousand times: no estimate is refuted by it."""
    losses = [1_000_000, *[10] * 99]
    report = performance(
        chances=[0.001] * 100,
        labels=[1, *[0] * 99],
        threshold=0.5,
        stakes=Stakes(gains=[1] * 100, losses=losses),
        error=0.005,
    )
    assert report.money is not None
    assert report.money.standard_errors < -30
    assert 0.001 <= report.money.chance < 0.01
    assert report.is_borne_out


def test_nothing_matured_bears_nothing_out() -> None:
    """The estimate stands alone, and says so."""
    report = performance(chances=[0.1, 0.2], labels=[-1, -2], threshold=0.5)
    assert report.is_borne_out is None
    assert (report.bad, report.missed, report.money) == (None, None, None)
    assert report.realised_matured.rows == 0
    assert report.estimated.money is None


def test_what_cannot_be_estimated_is_refused() -> None:
    """Chances above 1, stakes of other rows, parts of minor units, and sums that no word holds."""
    with pytest.raises(ProgrammingError):
        estimated([1.5], threshold=0.5)
    for stakes in (
        Stakes(gains=[1, 2], losses=[1]),
        Stakes(gains=[1], losses=[1, 2]),
        Stakes(gains=[0.5], losses=[1]),
        Stakes(gains=[1], losses=[2**62]),
    ):
        with pytest.raises(ProgrammingError):
            estimated([0.5], threshold=0.5, stakes=stakes)


def test_rows_may_be_named_that_are_turned_away() -> None:
    """As by a threshold, or by more than the chance; both at once, neither, and other rows are refused."""
    chances, labels = np.array([0.1, 0.4, 0.6, 0.9, 0.2]), np.array([0, 1, 1, 0, -1])
    stakes = Stakes(gains=np.full(5, 10), losses=np.full(5, 100))
    by_chance = performance(chances=chances, labels=labels, threshold=0.5, stakes=stakes)
    named = performance(chances=chances, labels=labels, turned_away=chances >= 0.5, stakes=stakes)
    assert named == msgspec.structs.replace(by_chance, threshold=None)
    odd = performance(chances=chances, labels=labels, turned_away=[True, False, False, False, False])
    assert (odd.realised_matured.missed, odd.realised_matured.turned_away) == (2.0, 1.0)
    assert odd.estimated_matured.missed == pytest.approx(1.9)
    for how in ({}, {"threshold": 0.5, "turned_away": chances >= 0.5}, {"turned_away": [True]}):
        with pytest.raises(ProgrammingError):
            performance(chances=chances, labels=labels, **how)
