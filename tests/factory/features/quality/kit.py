"""A set of features and what it tells, for the tests of their quality."""

from __future__ import annotations

import functools

import numpy as np

from formicary.factory.features.aggregates import Aggregate, count, total
from formicary.factory.features.compiler import Compiled, CompiledView, compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.expressions import Expression, value_of
from formicary.factory.features.kinds import EventKind, amount, party
from formicary.factory.features.store import Values

PAYMENT = EventKind("payment", None, payer=party(), payee=party(), amount=amount())
NAMES = ("sum", "count", "per_payment", "size")


@functools.cache
def compiled() -> Compiled:
    """Return a set with a payer's sum, a payee's count, a derived feature and one of the event's own."""
    values: dict[str, Aggregate | Expression] = {
        "sum": total(PAYMENT["amount"], by="payer", over="1d"),
        "count": count(PAYMENT, by="payee", over="1d"),
        "per_payment": value_of("sum") / value_of("count"),
        "size": PAYMENT["amount"] + 0,
    }
    features = [
        Feature(name=name, value=value, unit="units", meaning="Asked.") for name, value in values.items()
    ]
    return compile_sets([FeatureSet(name="asked", on=PAYMENT, features=features, owner="tests")])


def view() -> CompiledView:
    """Return the set."""
    return compiled().views["asked"]


def told(seed: int, rows: int, *, factor: float = 1.0) -> Values:
    """Return random values, some of them missing and some withheld, sums times a factor."""
    chance = np.random.default_rng(seed)
    withheld = np.where(chance.random(rows) < 0.1, 1, 0).astype(np.int64)
    values = np.empty((rows, 4))
    values[:, 0] = np.where(withheld == 1, np.nan, np.round(chance.lognormal(6, 1, rows)) * factor)
    values[:, 1] = chance.poisson(2, rows)
    values[chance.random(rows) < 0.02, 1] = np.nan
    with np.errstate(divide="ignore"):
        values[:, 2] = np.where(values[:, 1] == 0, np.nan, values[:, 0] / values[:, 1])
    values[:, 3] = chance.integers(1, 5_000, rows)
    return Values(names=NAMES, values=values, withheld=withheld, subjects=("payer", "payee"))


def seconds(seed: int, rows: int, *, scale: float = 7_200.0) -> np.ndarray:
    """Return ages of the two rows that are looked up, (rows, 2), some of them missing."""
    found = np.random.default_rng(seed).exponential(scale, (rows, 2))
    found[::10, 1] = np.nan
    return found
