"""Rings of weeks: what they keep, what they say, and what is forgotten."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.factory.engine.columns import IDS
from formicary.factory.engine.requests import MalformedCommand
from formicary.products.lending.servicing.fields import AMOUNTS
from formicary.products.lending.underwriting.early_warning import NEVER, WarningPolicy, warned
from formicary.products.lending.watching.borrowers import (
    AGREES_NO_MORE,
    COUNT_KEPT_MAX,
    COUNTS,
    UNKNOWN,
    WATCHED,
    WATCHED_BORROWER,
    WEEKS,
    BorrowersWatched,
    WeeksNoted,
    counts_of,
    signals,
    sweep,
    with_counts,
)
from formicary.products.lending.watching.limits import WATCH_WEEKS_KEPT
from formicary.products.lending.watching.watch_run import WatchBorrowers

POLICY = WarningPolicy()


def rings(*histories: list[int]) -> Any:
    """Return borrowers with histories, week by week."""
    borrowers = np.zeros(len(histories), WATCHED_BORROWER)
    for place, history in enumerate(histories):
        for count in history:
            borrowers[place : place + 1] = with_counts(borrowers[place : place + 1], np.array([count]))
    return borrowers


@settings(max_examples=12)
@given(st.lists(st.lists(st.integers(0, 60), max_size=40), min_size=1, max_size=4))
def test_a_ring_says_what_its_last_weeks_say(histories: list[list[int]]) -> None:
    """Each by itself, as the pure functions have it of the list; of a past too short nothing is said."""
    told = signals(POLICY, rings(*histories))
    for place, history in enumerate(histories):
        kept = history[-WATCH_WEEKS_KEPT:]
        if len(kept) < POLICY.past_weeks:
            assert [int(column[place]) for column in told] == [0, 0, 0, 0]
            continue
        alone = warned(POLICY, [kept])
        since = int(alone.since[0])
        assert int(told.evidence[place]) == int(alone.evidence[0])
        assert int(told.usual[place]) == int(alone.usual[0])
        assert int(told.fallen[place]) == (0 if since == NEVER else len(kept) - since)
        level = sum(int(alone.evidence[0]) >= cut.evidence_millionths for cut in POLICY.cuts)
        assert int(told.shares[place]) == (0, 500_000, 1_000_000)[level]


def test_millions_of_sales_are_looked_at_in_parts() -> None:
    """Nothing is lost of what is kept, and a fall of the largest is found."""
    history = [5_000_003] * 14 + [900_001]
    borrowers = rings(history, [COUNT_KEPT_MAX] * 13)
    assert borrowers["counts"][0, -15:].tolist() == history
    told = signals(POLICY, borrowers)
    assert int(told.shares[0]) == 1_000_000
    assert int(told.fallen[0]) == 1
    # Counted in sixes: 5,000,003 are 833,333 of them.
    assert int(told.usual[0]) == 833_333 * 6 * 10**6
    assert int(told.evidence[1]) == 0


def test_a_share_stays_cut_until_the_fall_is_over() -> None:
    """Evidence that grows less takes nothing back; without any the next fall begins anew."""
    borrowers = rings([40] * 12 + [22], [40] * 12 + [40])
    borrowers["share"] = 1_000_000
    assert signals(POLICY, borrowers).shares.tolist() == [1_000_000, 0]


def noted(counts: list[int], **columns: list[int]) -> WeeksNoted:
    """Return the event of a week."""
    zeros = [0] * len(counts)
    return WeeksNoted(
        first=0,
        after=len(counts),
        week=9,
        counts=COUNTS.pack(counts),
        evidence=AMOUNTS.pack(columns.get("evidence", zeros)),
        usual=AMOUNTS.pack(columns.get("usual", zeros)),
        fallen=WEEKS.pack(columns.get("fallen", zeros)),
        shares=COUNTS.pack(columns.get("shares", zeros)),
    )


def test_a_week_that_is_not_known_changes_nothing_and_who_left_is_forgotten() -> None:
    """One is noted, one is unknown, one agrees no more."""
    borrowers = rings([7, 8], [7, 8], [7, 8])
    borrowers["id_low"], borrowers["timestamp"], borrowers["events"] = [1, 2, 3], 5, 1
    borrowers["share"], borrowers["is_warned"], borrowers["week"] = 500_000, 1, 8
    before = borrowers.copy()
    counts = [9, UNKNOWN, AGREES_NO_MORE]
    event = noted(counts, evidence=[11, 0, 0], usual=[12, 0, 0], fallen=[3, 0, 0], shares=[13, 0, 0])
    sweep("WeeksNoted", borrowers, event)
    first = borrowers[0]
    assert first["counts"][-3:].tolist() == [7, 8, 9]
    names = ("weeks", "week", "evidence", "usual", "fallen", "share", "share_before", "is_warned")
    assert [int(first[name]) for name in names] == [3, 9, 11, 12, 3, 13, 500_000, 1]
    assert borrowers[1].tobytes() == before[1].tobytes()
    gone = np.zeros(1, WATCHED_BORROWER)
    gone["id_low"], gone["timestamp"], gone["events"] = 3, 5, 1
    assert borrowers[2].tobytes() == gone.tobytes()


def test_who_is_watched_from_now_on_begins_with_a_week() -> None:
    """Nothing is said of it yet."""
    borrowers = np.zeros(1, WATCHED_BORROWER)
    begun = BorrowersWatched(first=0, after=1, ids=IDS.pack([[0, 4]]), week=9, counts=COUNTS.pack([40]))
    sweep("BorrowersWatched", borrowers, begun)
    assert [int(borrowers[0][name]) for name in ("weeks", "week", "share", "is_warned")] == [1, 9, 0, 0]


def test_why_a_count_is_not_told() -> None:
    """Missing is no week without sales, and without consent nothing is kept; the largest are bounded."""
    told = SimpleNamespace(
        names=("sales_count_7d",),
        values=np.array([[0.0], [7_654_321.0], [np.nan], [np.nan], [1e12]]),
        withheld=np.array([0, 0, 0, 1, 0]),
    )
    context: Any = SimpleNamespace(features_of=lambda *_, **__: told)
    counts = counts_of(context, np.zeros((5, 2), np.uint64))
    assert counts.tolist() == [0, 7_654_321, UNKNOWN, AGREES_NO_MORE, COUNT_KEPT_MAX]


def test_nobody_commands_a_borrower() -> None:
    """It is noted by runs alone."""
    with pytest.raises(MalformedCommand):
        WATCHED.decide(WatchBorrowers(subject=1), None, None)  # type: ignore[arg-type]
