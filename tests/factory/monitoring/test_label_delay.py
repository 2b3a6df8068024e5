"""Delays of outcomes are those of Kaplan and Meier, as SciPy has them."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import CensoredData, binomtest, ecdf

from formicary.base.errors import ProgrammingError
from formicary.factory.monitoring.label_delay import UNTOLD, label_delay

NOW = 1_000

rows_of = st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=25)


def curve_of(delays: np.ndarray, is_told: np.ndarray) -> Any:
    """Return the share that is untold after a delay, as SciPy has it."""
    return ecdf(CensoredData(uncensored=delays[is_told], right=delays[~is_told])).sf


@settings(max_examples=60)
@given(rows_of, st.integers(0, 14))
def test_shares_are_those_of_scipy(rows: list[tuple[int, bool]], horizon: int) -> None:
    """Beyond what was watched nothing is known; a quantile is the first delay by which the share is told."""
    delays, is_told = (np.array(column) for column in zip(*rows, strict=True))
    asked = np.where(is_told, NOW - 20, NOW - delays)
    told = np.where(is_told, NOW - 20 + delays, UNTOLD)
    report = label_delay(asked_at=asked, told_at=told, now=NOW, horizons_ns=[horizon])
    (within,) = report.within
    assert (report.rows, report.told) == (len(rows), int(is_told.sum()))
    assert within.counted == pytest.approx((is_told & (delays <= horizon)).mean())
    curve = curve_of(delays, is_told)
    untold = float(curve.evaluate(horizon))
    if horizon > delays.max() and untold > 1e-12:
        assert (within.share, within.low, within.high) == (None, None, None)
    else:
        assert within.share == pytest.approx(1 - untold, abs=1e-12)
        bounds = (within.low, within.share, within.high)
        assert list(bounds) == sorted(bound or 0.0 for bound in bounds)
    for share, delay in report.quantiles:
        reached = [at for at in range(13) if float(curve.evaluate(at)) <= 1 - share + 1e-9]
        assert delay == (reached[0] if reached else None)


def test_intervals_are_those_of_scipy() -> None:
    """Greenwood's on the scale of log-log."""
    random = np.random.default_rng(1)
    delays, is_told = random.integers(0, 50, 300), random.random(300) < 0.6
    # One row is watched longest and not told about, so that the curve does not end at nothing.
    delays[0], is_told[0] = 60, False
    asked = np.where(is_told, NOW - 100, NOW - delays)
    told = np.where(is_told, NOW - 100 + delays, UNTOLD)
    horizons = [5, 20, 45]
    report = label_delay(asked_at=asked, told_at=told, now=NOW, horizons_ns=horizons, error=0.05)
    bounds = curve_of(delays, is_told).confidence_interval(0.95, method="log-log")
    for horizon, within in zip(horizons, report.within, strict=True):
        assert within.low == pytest.approx(1 - float(bounds.high.evaluate(horizon)))
        assert within.high == pytest.approx(1 - float(bounds.low.evaluate(horizon)))


def test_nothing_told_is_bounded_by_how_many_were_watched() -> None:
    """The exact interval of none of the rows that were watched for as long."""
    watched = np.repeat([5, 90], [40, 118])
    report = label_delay(
        asked_at=NOW - watched, told_at=np.full(158, UNTOLD), now=NOW, horizons_ns=[1, 30], error=0.05
    )
    for within, rows in zip(report.within, (158, 118), strict=True):
        exact = binomtest(0, rows).proportion_ci(0.95, method="exact")
        assert (within.share, within.low) == (0, 0)
        assert within.high == pytest.approx(exact.high)


def test_no_row_tells_nothing() -> None:
    """Neither shares nor quantiles."""
    report = label_delay(asked_at=[], told_at=[], now=NOW, horizons_ns=[5])
    assert (report.rows, report.told, report.watched_ns) == (0, 0, 0)
    assert report.within[0].share is None
    assert {delay for _, delay in report.quantiles} == {None}


def test_young_rows_are_not_never_told() -> None:
    """All outcomes are told within ten days, evenly; half of the rows were asked about in the last ten."""
    asked = np.arange(2_000) * 10
    now = 20_000
    delays = (np.arange(2_000) * 37) % 1_000 * 10
    told = np.where(asked + delays <= now, asked + delays, UNTOLD)
    report = label_delay(asked_at=asked, told_at=told, now=now, horizons_ns=[5_000, 9_990], error=0.01)
    half, everything = report.within
    assert half.share == pytest.approx(0.5, abs=0.02)
    assert half.counted < 0.45
    assert half.low is not None
    assert half.high is not None
    assert half.low < 0.5 < half.high
    assert everything.share == 1
    assert everything.counted == pytest.approx(0.75, abs=0.01)
    assert dict(report.quantiles)[0.5] == pytest.approx(5_000, rel=0.05)
    assert report.watched_ns == 20_000
    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report


def test_a_quantile_that_is_not_reached_is_not_told() -> None:
    """Of ten rows one was told; the others were watched on."""
    report = label_delay(
        asked_at=[0] * 10,
        told_at=[7] + [UNTOLD] * 9,
        now=50,
        horizons_ns=[6, 7, 50, 51],
        quantiles=(0.1, 0.2),
    )
    assert report.quantiles == ((0.1, 7), (0.2, None))
    assert [one.share for one in report.within] == [0.0, pytest.approx(0.1), pytest.approx(0.1), None]


def test_what_was_told_before_counts_at_once() -> None:
    """Clocks of sources differ."""
    report = label_delay(asked_at=[10], told_at=[4], now=20, horizons_ns=[0])
    assert report.within[0].share == 1


def test_what_is_later_than_now_is_refused() -> None:
    """And rows that do not match."""
    for asked, told in (([30], [UNTOLD]), ([10], [30]), ([10], [])):
        with pytest.raises(ProgrammingError):
            label_delay(asked_at=asked, told_at=told, now=20, horizons_ns=[])
