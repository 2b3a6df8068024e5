"""What the kernels tell is what the definitions say, event by event."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import Aggregate
from formicary.factory.features.compiler import Compiled, compile_sets
from formicary.factory.features.definitions import Feature
from formicary.factory.features.store import FeatureStore
from tests.factory.features.brute import Happened, told
from tests.factory.features.kit import as_events, every_operator, random_log

ULPS_OF_STD = 4

Known = dict[tuple[Any, ...], list[Happened]]
"""What happened so far, by key."""


@functools.cache
def compiled(mode: str) -> Compiled:
    """Return the set of a mode, compiled once."""
    return compile_sets([every_operator(exact=mode == "exactly")])


def aggregate_of(feature: Feature) -> Aggregate:
    """Return what a feature of these sets is."""
    assert isinstance(feature.value, Aggregate)
    return feature.value


def key_of(event: Happened, names: Sequence[str]) -> tuple[Any, ...]:
    """Return the fields of an event that are its key."""
    return tuple(event.fields[name] for name in names)


def replayed(mode: str, log: list[Happened]) -> np.ndarray:
    """Return what a new store tells of a log, (n, features)."""
    store = FeatureStore(compiled(mode), bytes_max=1 << 28)
    return store.replay(mode, as_events(store.compiled, log), purpose=Purpose.FRAUD).values


def compare(mode: str, log: list[Happened], *, late: bool) -> int:
    """Compare every feature of every payment with the oracle; return how many values there were."""
    values = replayed(mode, log)
    features = compiled(mode).views[mode].set.features
    # The oracle goes through all it is given: it is given what has the payment's key.
    known = {(one.kind.name, one.by): Known() for one in map(aggregate_of, features)}
    rows = latest = compared = 0
    for place, asking in enumerate(log):
        if asking.kind == "payment":
            for column, feature in enumerate(features):
                value, found = aggregate_of(feature), values[rows, column]
                before = known[value.kind.name, value.by].get(key_of(asking, value.of), [])
                expected = told(value, before, asking)
                if late and asking.at < latest and math.isnan(found):
                    # Asked about an earlier time than the latest: what is not kept any more is missing.
                    continue
                compared += not math.isnan(expected)
                ulps = ULPS_OF_STD * math.ulp(expected) if "_std_" in feature.name else 0.0
                same = (math.isnan(expected) and math.isnan(found)) or abs(expected - found) <= ulps
                assert same, f"{feature.name} at {place}: {found!r}, not {expected!r}"
            rows += 1
        for (kind, by), events in known.items():
            if asking.kind == kind:
                events.setdefault(key_of(asking, by), []).append(asking)
        latest = max(latest, asking.at)
    assert len(values) == rows, "rows in are rows out"
    return compared


@pytest.mark.parametrize("mode", ["exactly", "in_tiles"])
@pytest.mark.parametrize("seed", range(2))
def test_every_operator_tells_what_it_is_defined_to_tell(mode: str, seed: int) -> None:
    """Counts, sums, means, extremes, shares and times agree exactly, deviations within four units."""
    assert compare(mode, random_log(seed, events=160, late=False), late=False) > 3_000


@pytest.mark.parametrize("mode", ["exactly", "in_tiles"])
@pytest.mark.parametrize("seed", range(2))
def test_a_late_fact_counts_from_when_it_is_known(mode: str, seed: int) -> None:
    """Events that become known late enter the windows of their time, and change nothing read before."""
    assert compare(mode, random_log(100 + seed, events=160, late=True), late=True) > 3_000


@pytest.mark.parametrize("mode", ["exactly", "in_tiles"])
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**32), late=st.booleans(), keys=st.integers(1, 6), hours=st.integers(2, 2_000))
def test_random_logs_agree_with_the_oracle(mode: str, seed: int, late: bool, keys: int, hours: int) -> None:  # noqa: FBT001
    """The same holds for dense and sparse logs of few and many keys."""
    compare(mode, random_log(seed, events=60, late=late, keys=keys, span_hours=hours), late=late)
