"""The benchmark on AMLSim: what a forest may know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import amlsim as benchmark
from formicary.factory.features.slow.graph import transfer_graph
from tests.factory.features.slow.kit import UNTIL, frame


def test_hops_know_neither_the_own_fold_nor_the_test() -> None:
    """Of a chain of five frauds, one in each fold, each sees those of the other three folds alone."""
    sample = benchmark.Sample(
        features=np.zeros((5, 1)),
        balance=np.zeros((5, 1)),
        graph=transfer_graph(frame([(party, party + 1, 1, 0) for party in range(4)]), UNTIL),
        is_fraud=np.ones(5, bool),
        fold=np.arange(5),
    )
    # With the fold of party 1 tested, it sees parties 0 and 2; party 0 sees 2 over it.
    assert sample.with_known_fraud(1)[:, 1].tolist() == [2, 1, 1, 1, 1]


def test_without_the_data_set_it_says_so(tmp_path: Path) -> None:
    """Nothing is invented in its place."""
    for folder in (None, tmp_path):
        with pytest.raises(benchmark.DataSetMissing):
            benchmark.read_sample(folder, seed=1)
