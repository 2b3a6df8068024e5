"""The sets of features that the benchmark reads, and the events that ask."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import polars as pl

from formicary.factory.features._layout import Events
from formicary.factory.features.aggregates import (
    Aggregate,
    count,
    maximum,
    mean,
    minimum,
    share,
    std,
    total,
)
from formicary.factory.features.columns import events_of, key_words
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.kinds import EventKind, amount, party

__all__ = ["PAYMENT", "WINDOWS", "as_events", "feature_set", "peers_task"]

PAYMENT: Final = EventKind("payment", payer=party(), payee=party(), amount=amount())
WINDOWS: Final = ("1d", "7d", "30d")

# Windows of one resolution share their tiles.
_RESOLUTIONS: Final = {"1d": "1h", "7d": "6h", "30d": "6h"}

_AMOUNT: Final = PAYMENT["amount"]
_LARGE_AMOUNT: Final = 10_000
_LARGE: Final = _AMOUNT > _LARGE_AMOUNT
_OPERATORS: Final[dict[str, Callable[..., Aggregate]]] = {
    "count": partial(count, PAYMENT),
    "sum": partial(total, _AMOUNT),
    "mean": partial(mean, _AMOUNT),
    "max": partial(maximum, _AMOUNT),
    "std": partial(std, _AMOUNT),
    "min": partial(minimum, _AMOUNT),
    "large_count": partial(count, PAYMENT, where=_LARGE),
    "large_share": partial(share, PAYMENT, where=_LARGE),
}
_KEYS: Final = {"payer": ("payer",), "payee": ("payee",), "pair": ("payer", "payee")}

_SETS: Final[dict[int, dict[str, tuple[str, ...]]]] = {
    9: {"payer": ("count", "sum", "mean")},
    27: {"payer": ("count", "sum", "mean", "max", "std"), "payee": ("count", "sum", "mean", "max")},
    60: {
        "payer": tuple(_OPERATORS),
        "payee": tuple(_OPERATORS),
        "pair": ("count", "sum", "mean", "max"),
    },
}


def feature_set(features: int, *, exact: bool = False, ring_events: int = 256) -> FeatureSet:
    """Return the set of 9, 27 or 60 windowed features."""
    return _set(f"of_{features}", _SETS[features], exact=exact, ring_events=ring_events)


def peers_task(ring_events: int) -> FeatureSet:
    """Return the 18 features that the peers compute, whose windows are exact."""
    wanted = {"payer": ("count", "sum", "mean", "max"), "payee": ("count", "mean")}
    return _set("peers", wanted, exact=True, ring_events=ring_events)


def as_events(compiled: Compiled, events: pl.DataFrame) -> Events:
    """Return events (n) of ``feature_peers.EVENTS`` in columns."""
    columns = {
        "payer": key_words(events["payer"].to_numpy()),
        "payee": key_words(events["payee"].to_numpy()),
        "amount": events["amount"].to_numpy(),
    }
    return events_of(compiled, PAYMENT, at=events["at"].to_numpy(), columns=columns)


def _set(name: str, wanted: Mapping[str, Sequence[str]], *, exact: bool, ring_events: int) -> FeatureSet:
    features = list(_features(wanted, exact=exact))
    return FeatureSet(
        name=name,
        on=PAYMENT,
        owner="benchmarks",
        features=features,
        key_bytes_max=1 << 40,
        ring_events=ring_events,
    )


def _features(wanted: Mapping[str, Sequence[str]], *, exact: bool) -> Iterator[Feature]:
    for key, operators in wanted.items():
        for operator in operators:
            tell = partial(_OPERATORS[operator], by=_KEYS[key])
            for over in WINDOWS:
                tiles = {"exact": True} if exact else {"resolution": _RESOLUTIONS[over]}
                yield Feature(
                    name=f"{key}_{operator}_{over}",
                    value=tell(over=over, **tiles),
                    unit="units",
                    meaning=f"The {operator} of the {key}'s payments in the last {over}.",
                )
