"""Metrics of ranking, against examples worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks._metrics import average_precision, roc_auc


@pytest.mark.parametrize(
    ("flags", "scores", "auc", "precision"),
    [
        # Four pairs, three of them in order; positives at ranks 1 and 3.
        ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 3 / 4, (1 + 2 / 3) / 2),
        ([0, 1], [1, 2], 1, 1),
        ([1, 0], [1, 2], 0, 1 / 2),
        # All tied: half of each pair, and the share of positives.
        ([1, 0, 0, 0], [5, 5, 5, 5], 1 / 2, 1 / 4),
        # One pair won, one tied, of six: (1, 1, 1/2 | 1, 1/2, 0) and a tie of two at the top.
        ([1, 0, 0, 1, 0], [3, 3, 1, 2, 2], (1 / 2 + 1 + 1 + 0 + 1 + 1 / 2) / 6, (1 / 2 + 2 / 4) / 2),
    ],
)
def test_by_hand(flags: list[int], scores: list[float], auc: float, precision: float) -> None:
    """Pairs and ranks are counted by hand; ties are half a pair, and are taken together."""
    is_positive = np.array(flags, bool)
    assert roc_auc(is_positive, np.array(scores)) == pytest.approx(auc)
    assert average_precision(is_positive, np.array(scores)) == pytest.approx(precision)


def test_every_pair() -> None:
    """The rank statistic is the share of all pairs that are in order."""
    random = np.random.default_rng(1)
    flags, scores = random.random(60) < 0.3, random.integers(0, 9, 60)
    pairs = np.sign(scores[flags][:, None] - scores[~flags][None, :])
    assert roc_auc(flags, scores) == pytest.approx((pairs.mean() + 1) / 2)


@pytest.mark.parametrize("flag", [False, True])
def test_one_kind_alone_has_no_rank(flag: bool) -> None:  # noqa: FBT001
    """Nothing is ranked without both kinds."""
    with pytest.raises(ValueError, match="a pair takes"):
        roc_auc(np.array([flag, flag]), np.array([1, 2]))
    with pytest.raises(ValueError, match="no positive"):
        average_precision(np.array([False]), np.array([1]))
