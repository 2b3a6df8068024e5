"""Pipelines that peek are found out: each plants one of the mistakes that are made."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from formicary.base.purposes import Purpose
from formicary.factory.features._layout import Events
from formicary.factory.features.aggregates import count, share, total
from formicary.factory.features.columns import events_of, key_words
from formicary.factory.features.compiler import Compiled, compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.errors import LabelWithoutDelay
from formicary.factory.features.kinds import EventKind, amount, number, party
from formicary.factory.features.leaks import FeatureLeaks, Pipeline, require_no_leak
from formicary.factory.features.store import FeatureStore

HOUR = 3_600 * 10**9
DAY = 24 * HOUR
START = 1_600_000_000 * 10**9
CARD = EventKind("card", None, payer=party(), amount=amount(), fraud=number(known_after="7d"))
PLACES = range(20, 180, 7)


def the_set() -> FeatureSet:
    """Return a count, a sum, and a share of frauds that waits until they are known."""
    features = {
        "before": count(CARD, by="payer", over="7d", exact=True),
        "spent": total(CARD["amount"], by="payer", over="7d", exact=True),
        "frauds": share(CARD, where=CARD["fraud"] == 1, by="payer", over="7d", delay="7d", exact=True),
    }
    return FeatureSet(
        name="cards",
        on=CARD,
        owner="tests",
        features=[
            Feature(name=name, value=value, unit="units", meaning="Told by tests.")
            for name, value in features.items()
        ],
    )


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    """Return the set compiled."""
    return compile_sets([the_set()])


@pytest.fixture(scope="module")
def events(compiled: Compiled) -> Events:
    """Return payments of three payers, several at one time."""
    chance = np.random.default_rng(7)
    at = START + np.cumsum(chance.choice([0, HOUR, 7 * HOUR], 200))
    columns = {
        "payer": key_words(chance.integers(0, 3, 200)),
        "amount": chance.integers(1, 1_000, 200),
        "fraud": chance.integers(0, 2, 200),
    }
    return events_of(compiled, CARD, at=at, columns=columns)


def told_by(
    window: Callable[[np.ndarray, np.ndarray, np.ndarray, int], np.ndarray], delay: int = 7 * DAY
) -> Pipeline:
    """Return a pipeline of plain numpy that sees for each event those that ``window`` lets it see."""

    def pipeline(events: Events) -> np.ndarray:
        places, at, payers = np.arange(len(events.at)), events.at, events.ids[:, 0, 1]
        rows = np.empty((len(at), 3))
        for place in places:
            same = payers == payers[place]
            recent = same & window(places, at, events.numbers[:, 0], int(place)) & (at > at[place] - 7 * DAY)
            old = same & (at <= at[place] - delay) & (at > at[place] - delay - 7 * DAY) & (places < place)
            frauds = events.numbers[old, 1]
            rows[place] = (
                recent.sum(),
                events.numbers[recent, 0].sum(),
                frauds.mean() if len(frauds) else np.nan,
            )
        return rows

    return pipeline


def known_before(places: np.ndarray, at: np.ndarray, _: np.ndarray, place: int) -> np.ndarray:
    """See what was known before."""
    return np.asarray((places < place) & (at <= at[place]))


def up_to_the_same_time(places: np.ndarray, at: np.ndarray, _: np.ndarray, place: int) -> np.ndarray:
    """Plant ``<=``: see events of the same moment that became known later."""
    return np.asarray((at <= at[place]) & (places != place))


def test_our_own_replay_tells_the_past_only(compiled: Compiled, events: Events) -> None:
    """What is told at an event stays, whatever comes after it."""

    def ours(events: Events) -> np.ndarray:
        store = FeatureStore(compiled, bytes_max=1 << 24)
        return store.replay("cards", events, purpose=Purpose.FRAUD).values

    require_no_leak(ours, compiled, "cards", events, at=PLACES)
    np.testing.assert_array_equal(ours(events), told_by(known_before)(events))


def test_an_update_before_the_read_is_found_out(compiled: Compiled, events: Events) -> None:
    """The event's own label, or what it changes, must not be among what it is told."""

    def update_first(events: Events) -> np.ndarray:
        rows = told_by(known_before)(events)
        store = FeatureStore(compiled, bytes_max=1 << 24)
        for place in range(len(events.at)):
            one = Events(*(column[place : place + 1] for column in events))
            store.follow(one)
            rows[place] = store.read("cards", one, purpose=Purpose.FRAUD).values[0]
        return rows

    # The amount is the asking event's own and may be told; that it is counted already shows in its label.
    with_label = told_by(lambda places, at, _, place: (places <= place) & (at <= at[place]), delay=0)
    with pytest.raises(FeatureLeaks, match="frauds"):
        require_no_leak(with_label, compiled, "cards", events, at=PLACES)
    assert (update_first(events)[:, 0] == told_by(known_before)(events)[:, 0] + 1).all()


def test_events_of_the_same_moment_that_came_later_are_found_out(compiled: Compiled, events: Events) -> None:
    """``<=`` in place of ``<`` on the time lets a row see its neighbours' future."""
    with pytest.raises(FeatureLeaks, match=r"before|spent"):
        require_no_leak(told_by(up_to_the_same_time), compiled, "cards", events, at=PLACES)


def test_a_label_without_its_delay_is_found_out(compiled: Compiled, events: Events) -> None:
    """A share of frauds that are not reported yet is refused, in a pipeline as in a definition."""
    with pytest.raises(FeatureLeaks, match="frauds"):
        require_no_leak(told_by(known_before, delay=0), compiled, "cards", events, at=PLACES)
    early = Feature(
        name="early",
        value=share(CARD, where=CARD["fraud"] == 1, by="payer", over="7d", delay="6d"),
        unit="share",
        meaning="Too early.",
        owner="tests",
    )
    with pytest.raises(LabelWithoutDelay, match=r"test_leaks\.py:\d+: early: card\.fraud is known 7d after"):
        compile_sets([FeatureSet(name="early", on=CARD, owner="tests", features=[early])])


def test_rows_that_went_missing_are_found_out(compiled: Compiled, events: Events) -> None:
    """Rows in are rows out."""
    with pytest.raises(FeatureLeaks, match="200 events asked"):
        require_no_leak(lambda given: told_by(known_before)(given)[1:], compiled, "cards", events, at=PLACES)
