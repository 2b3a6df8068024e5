"""Boosters that the tests of forests compare with."""

from __future__ import annotations

from typing import Any, Final

import lightgbm
import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float64]

CATEGORIES: Final = [3, 4]
"""The columns of categories: up to three hundred, and five."""


def made_rows(seed: int, count: int) -> Rows:
    """Return rows, (count, 6): numbers, categories, a column half of zeros, and a fifth missing."""
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=(count, 6))
    rows[:, 2] = np.round(rows[:, 2], 1)
    rows[:, 3] = chance.integers(0, 300, count)
    rows[:, 4] = chance.integers(0, 5, count)
    rows[chance.random(count) < 0.5, 5] = 0.0
    rows[:, 1:][chance.random((count, 5)) < 0.2] = np.nan
    return rows


def odd_rows(seed: int, count: int) -> Rows:
    """Return rows as they should not be: unseen categories, infinities, next to zero, all missing."""
    chance = np.random.default_rng(seed)
    rows = made_rows(seed, count)
    odd = np.array([np.nan, 0.0, -0.0, 1e-35, -1e-35, float(np.float32(1e-35)), -float(np.float32(1e-35))])
    odd = np.concatenate([odd, [1.1e-35, 1e-300, 5e-324, np.inf, -np.inf, 1e300, -1e300, -1.0, -0.5, 4.9]])
    odd = np.concatenate(
        [odd, [299.999, 300.0, 65_535.0, 65_536.0, 2.0**31 - 1, 2.0**31, -(2.0**31), 2.0**63]]
    )
    places = chance.random(rows.shape) < 0.4
    rows[places] = chance.choice(odd, int(places.sum()))
    rows[0] = np.nan
    rows[1] = 0.0
    return rows


def trained(seed: int = 0, *, count: int = 1_500, trees: int = 25, **parameters: Any) -> lightgbm.Booster:
    """Return a booster of rows of six features."""
    rows = made_rows(seed, count)
    known = np.nan_to_num(rows)
    score = known[:, 0] + np.sin(known[:, 3]) + known[:, 4] % 2 - known[:, 2] * known[:, 5]
    chosen: dict[str, Any] = {
        "objective": "binary",
        "num_leaves": 15,
        "verbose": -1,
        "num_threads": 1,
        "seed": seed,
    }
    chosen |= {"min_data_per_group": 1, "cat_smooth": 0, "max_cat_to_onehot": 2, "min_data_in_leaf": 5}
    chosen |= parameters
    labels = np.exp(score / 3) if chosen["objective"] != "binary" else (score > 0).astype(np.float64)
    if str(chosen["objective"]).startswith("cross_entropy"):
        labels = 1 / (1 + np.exp(-score))
    data = lightgbm.Dataset(rows, labels, categorical_feature=chosen.pop("categories", []))
    return lightgbm.train(chosen, data, trees)
