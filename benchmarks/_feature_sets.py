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

_LARGE_AMOUNT: Final = 10_000
_KEYS: Final = {"payer": ("payer",), "payee": ("payee",), "pair": ("payer", "payee")}

_SETS: Final[dict[int, dict[str, tuple[str, ...]]]] = {
    9: {"payer": ("count", "sum", "mean")},
    27: {"payer": ("count", "sum", "mean", "max", "std"), "payee": ("count", "sum", "mean", "max")},
    60: {
        "payer": ("count", "sum", "mean", "max", "std", "min", "large_count", "large_share"),
        "payee": ("count", "sum", "mean", "max", "std", "min", "large_count", "large_share"),
        "pair": ("count", "sum", "mean", "max"),
    },
}


def feature_set(
    features: int, *, on: EventKind = PAYMENT, exact: bool = False, ring_events: int = 256
) -> FeatureSet:
    """Return the set of 9, 27 or 60 windowed features of a kind of event with payer, payee and amount."""
    return _set(f"of_{features}", on, _SETS[features], exact=exact, ring_events=ring_events)


def peers_task(ring_events: int) -> FeatureSet:
    """Return the 18 features that the peers compute, whose windows are exact."""
    wanted = {"payer": ("count", "sum", "mean", "max"), "payee": ("count", "mean")}
    return _set("peers", PAYMENT, wanted, exact=True, ring_events=ring_events)


def as_events(compiled: Compiled, events: pl.DataFrame) -> Events:
    """Return events (n) of ``feature_peers.EVENTS`` in columns."""
    columns = {
        "payer": key_words(events["payer"].to_numpy()),
        "payee": key_words(events["payee"].to_numpy()),
        "amount": events["amount"].to_numpy(),
    }
    return events_of(compiled, PAYMENT, at=events["at"].to_numpy(), columns=columns)


def _operators(kind: EventKind) -> dict[str, Callable[..., Aggregate]]:
    moved = kind["amount"]
    large = moved > _LARGE_AMOUNT
    return {
        "count": partial(count, kind),
        "sum": partial(total, moved),
        "mean": partial(mean, moved),
        "max": partial(maximum, moved),
        "std": partial(std, moved),
        "min": partial(minimum, moved),
        "large_count": partial(count, kind, where=large),
        "large_share": partial(share, kind, where=large),
    }


def _set(
    name: str, on: EventKind, wanted: Mapping[str, Sequence[str]], *, exact: bool, ring_events: int
) -> FeatureSet:
    features = list(_features(on, wanted, exact=exact))
    return FeatureSet(
        name=name,
        on=on,
        owner="benchmarks",
        features=features,
        key_bytes_max=1 << 40,
        ring_events=ring_events,
    )


def _features(on: EventKind, wanted: Mapping[str, Sequence[str]], *, exact: bool) -> Iterator[Feature]:
    tellers = _operators(on)
    for key, operators in wanted.items():
        for operator in operators:
            tell = partial(tellers[operator], by=_KEYS[key])
            for over in WINDOWS:
                tiles = {"exact": True} if exact else {"resolution": _RESOLUTIONS[over]}
                yield Feature(
                    name=f"{key}_{operator}_{over}",
                    value=tell(over=over, **tiles),
                    unit="units",
                    meaning=f"The {operator} of the {key}'s payments in the last {over}.",
                )
