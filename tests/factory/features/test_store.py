"""The rows of keys: dropped without a trace, hashed without an order, kept in snapshots, bounded."""

from __future__ import annotations

import functools
import math
import statistics
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.purposes import Purpose
from formicary.factory.features import _layout as layout
from formicary.factory.features._layout import Events
from formicary.factory.features._rows import SWEEP_WORDS_MIN
from formicary.factory.features.aggregates import count, maximum, std, total
from formicary.factory.features.columns import events_of, key_words
from formicary.factory.features.compiler import Compiled, compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.errors import PurposeNotDeclared
from formicary.factory.features.memory import RoomExhausted
from formicary.factory.features.store import FeatureStore, Values
from tests.factory.features.kit import AMOUNT, PAYMENT, as_events, every_operator, random_log

DAY = 86_400 * 10**9
START = 1_600_000_000 * 10**9


@functools.cache
def compiled(*, exact: bool = False) -> Compiled:
    """Return a few features of a payer, in tiles or exact."""
    features = {
        "count": count(PAYMENT, by="payer", over="5d", exact=exact),
        "sum": total(AMOUNT, by="payer", over="5d", delay="1d", exact=exact),
        "max": maximum(AMOUNT, by="payer", over="1d", exact=exact),
    }
    return compile_sets(
        [
            FeatureSet(
                name="few",
                on=PAYMENT,
                owner="tests",
                ring_events=4,
                features=[
                    Feature(
                        name=name,
                        value=value,
                        unit="units",
                        meaning="Asked.",
                        purposes=frozenset({Purpose.FRAUD, Purpose.CREDIT}),
                    )
                    for name, value in features.items()
                ],
            )
        ]
    )


def payments(of: Compiled, *, keys: int, events: int, days: float, seed: int = 1) -> Events:
    """Return payments of ever new payers, each of whom pays a few times within a short while."""
    chance = np.random.default_rng(seed)
    at = START + np.sort(chance.integers(0, int(days * DAY), events))
    payer = ((at - START) / (days * DAY) * keys).astype(np.int64) + chance.integers(0, 3, events)
    columns = {
        "payer": key_words(payer),
        "payee": key_words(payer % 7),
        "device": key_words(payer % 5),
        "amount": chance.integers(1, 10_000, events),
    }
    return events_of(of, PAYMENT, at=at, columns=columns)


def replayed(store: FeatureStore, events: Events, name: str = "few") -> Values:
    """Return what each payment is told."""
    return store.replay(name, events, purpose=Purpose.FRAUD)


def part(events: Events, first: int, end: int) -> Events:
    """Return the events from one place to before another."""
    return Events(*(column[first:end] for column in events))


def same_bits(left: np.ndarray, right: np.ndarray) -> bool:
    """Tell whether two arrays hold the same, missing values included."""
    return bool(((left == right) | (np.isnan(left) & np.isnan(right))).all())


@pytest.mark.parametrize("exact", [False, True])
def test_rows_that_tell_nothing_are_dropped_and_no_value_changes(exact: bool) -> None:  # noqa: FBT001
    """A store that drops rows tells what one tells that never does, with a fraction of the rows."""
    of = compiled(exact=exact)
    events = payments(of, keys=4_000, events=12_000, days=400)
    dropping, keeping = FeatureStore(of), FeatureStore(of)
    keeping.state.numbers[layout.SWEEP_AT] = layout.LARGEST
    told, expected = replayed(dropping, events), replayed(keeping, events)
    assert same_bits(told.values, expected.values)
    assert dropping.keys < keeping.keys // 3
    assert dropping.bytes_used < keeping.bytes_used // 2
    assert dropping.state_hash == keeping.state_hash, "a row that tells nothing counts as dropped"


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(1, 2_999), max_size=20))
def test_nothing_depends_on_where_events_are_cut(cuts: list[int]) -> None:
    """Values, rows and hash are the same however events come, rows dropped in between included."""
    of = compiled()
    events = payments(of, keys=1_500, events=3_000, days=300)
    whole = FeatureStore(of)
    expected = replayed(whole, events).values
    store, bounds = FeatureStore(of), [0, *sorted(set(cuts)), 3_000]
    told = [replayed(store, part(events, first, end)).values for first, end in pairwise(bounds)]
    assert same_bits(np.concatenate(told), expected)
    assert store.state_hash == whole.state_hash
    assert (store.state.numbers == whole.state.numbers).all()


def test_the_hash_knows_no_order_of_keys() -> None:
    """Two keys whose events come in another order leave the same hash; another value leaves another."""
    of = compiled()
    columns: dict[str, npt.ArrayLike] = {"payer": key_words([1, 2]), "amount": [5, 6]}
    one, other, third = FeatureStore(of), FeatureStore(of), FeatureStore(of)
    one.follow(events_of(of, PAYMENT, at=[START, START], columns=columns))
    swapped: dict[str, npt.ArrayLike] = {"payer": key_words([2, 1]), "amount": [6, 5]}
    other.follow(events_of(of, PAYMENT, at=[START, START], columns=swapped))
    third.follow(events_of(of, PAYMENT, at=[START, START], columns=columns | {"amount": [5, 7]}))
    assert one.state_hash == other.state_hash != third.state_hash


@pytest.mark.parametrize("exact", [False, True])
def test_a_read_changes_nothing(exact: bool) -> None:  # noqa: FBT001
    """Reading at any time leaves every word as it is."""
    of = compiled(exact=exact)
    events = payments(of, keys=50, events=500, days=20)
    store = FeatureStore(of)
    store.follow(part(events, 0, 400))
    before = {name: np.array(array) for name, array in store.sections().items()}
    store.read("few", part(events, 300, 500), purpose=Purpose.FRAUD)
    for name, array in store.sections().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_snapshot_goes_on_where_it_was_written() -> None:
    """A restored store has the same hash and tells the same from there on; other features are left out."""
    of = compiled()
    events = payments(of, keys=800, events=4_000, days=100)
    store, again = FeatureStore(of), FeatureStore(of)
    store.follow(part(events, 0, 2_000))
    store.position = 77
    assert again.restore({name: np.array(array) for name, array in store.sections().items()})
    assert (again.state_hash, again.position, again.keys) == (store.state_hash, 77, store.keys)
    rest = part(events, 2_000, 4_000)
    assert same_bits(replayed(again, rest).values, replayed(store, rest).values)
    assert not FeatureStore(compiled(exact=True)).restore(store.sections())


def test_a_full_ring_tells_nothing_rather_than_something_wrong() -> None:
    """Where more events come than an exact window keeps, it is missing until what was lost has left it."""
    of = compiled(exact=True)
    at = START + np.arange(6) * 1_000
    columns: dict[str, npt.ArrayLike] = {"payer": key_words([1] * 6), "amount": [10] * 6}
    store = FeatureStore(of)
    told = replayed(store, events_of(of, PAYMENT, at=at, columns=columns)).values[:, 0]
    assert told.tolist()[:5] == [0, 1, 2, 3, 4]
    assert np.isnan(told[5])
    assert store.lost == 2
    later: dict[str, npt.ArrayLike] = {"payer": key_words([1, 1]), "amount": [1, 1]}
    when = [START + 5 * DAY, START + 5 * DAY + 2_000]
    asked = store.read("few", events_of(of, PAYMENT, at=when, columns=later), purpose=Purpose.FRAUD).values[
        :, 0
    ]
    assert np.isnan(asked[0])
    assert asked[1] == 3


def test_memory_of_dropped_rows_is_used_again() -> None:
    """Where keys come and go, and no more of them live at once, memory does not grow."""
    of = compiled()
    events = payments(of, keys=20_000, events=60_000, days=2_000)
    store, taken = FeatureStore(of), []
    for first in range(0, 60_000, 20_000):
        store.follow(part(events, first, first + 20_000))
        taken.append(store.bytes_used)
    assert store.keys < 2_000
    assert taken[2] <= 1.1 * taken[0]


def test_sums_of_a_window_are_exact_beyond_what_a_row_adds_up() -> None:
    """All that a key ever paid overflows a word; a window tells its own events exactly, and their squares."""
    hour = 3_600 * 10**9
    features = {
        "sum": total(AMOUNT, over="2h", resolution="30m", by="payer"),
        "std": std(AMOUNT, over="2h", resolution="30m", by="payer"),
    }
    of = compile_sets(
        [
            FeatureSet(
                name="few",
                on=PAYMENT,
                owner="tests",
                features=[
                    Feature(name=name, value=value, unit="units", meaning="Asked.")
                    for name, value in features.items()
                ],
            )
        ]
    )
    chance = np.random.default_rng(3)
    amounts = layout.VALUE_MAX - chance.integers(0, 1 << 50, 6_000)
    at = START + np.arange(6_000) * hour // 8
    columns: dict[str, npt.ArrayLike] = {"payer": key_words([1] * 6_000), "amount": amounts}
    told = replayed(FeatureStore(of), events_of(of, PAYMENT, at=at, columns=columns)).values
    for place in (1, 2, 40, 1_100, 5_999):
        oldest = at[place] // (hour // 2) - 4
        window = [int(amounts[one]) for one in range(place) if at[one] // (hour // 2) >= oldest]
        assert told[place, 0] == float(sum(window))
        expected = statistics.stdev(window) if len(window) > 1 else math.nan
        assert told[place, 1] == pytest.approx(expected, rel=1e-15, nan_ok=True)


def test_memory_is_bounded() -> None:
    """A store that is given too little refuses new keys and says what to do."""
    of = compiled()
    store = FeatureStore(of, bytes_max=SWEEP_WORDS_MIN * 8)
    with pytest.raises(RoomExhausted, match="shorter windows"):
        store.follow(payments(of, keys=5_000, events=9_000, days=1))


def test_a_purpose_that_is_not_declared_is_refused() -> None:
    """What a definition does not name is not read."""
    of = compiled()
    events = payments(of, keys=5, events=5, days=1)
    with pytest.raises(
        PurposeNotDeclared, match=r"test_store\.py:\d+: count: it may not be read for marketing"
    ):
        FeatureStore(of).read("few", events, purpose=Purpose.MARKETING)


def test_rows_of_all_operators_restore_and_hash_alike() -> None:
    """Rings, remembered events and slots of different values survive a snapshot."""
    of = compile_sets([every_operator(exact=True)])
    events = as_events(of, random_log(5, events=300, late=True))
    store, again = FeatureStore(of, bytes_max=1 << 28), FeatureStore(of, bytes_max=1 << 28)
    store.follow(events)
    again.restore(store.sections())
    assert again.state_hash == store.state_hash
    assert same_bits(replayed(again, events, "exactly").values, replayed(store, events, "exactly").values)
