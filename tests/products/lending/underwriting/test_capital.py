"""Lending stops by itself: against a plain oracle, in any cuts, and at each limit by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.products.lending.millionths import MILLION
from formicary.products.lending.underwriting.capital import Binding, Book, CapitalPolicy, lend

POLICY = CapitalPolicy(
    leverage_min_millionths=100_000,
    party_max_millionths=250_000,
    segment_max_millionths=2_000_000,
    liquidity_reserve=100,
    drawn_millionths=500_000,
    least=20,
    step=10,
)
BOOK = Book(own_funds=1_000, cash=5_100)

rows_of = st.lists(
    st.tuples(
        st.integers(0, 40).map(lambda tens: 10 * tens),
        st.integers(0, 2),
        st.integers(0, 5),
        st.sampled_from([MILLION, 700_001, 300_000, 299_999]),
    ),
    max_size=40,
)
books = st.builds(
    Book,
    own_funds=st.integers(-100, 1_500),
    cash=st.integers(-100, 3_000),
    exposure=st.integers(0, 3_000),
    undrawn=st.integers(0, 1_000),
    by_segment=st.dictionaries(st.integers(0, 2), st.integers(0, 2_500)),
    by_party=st.dictionaries(st.integers(0, 5), st.integers(0, 300)),
)


def holds(policy: CapitalPolicy, book: Book, segment: int, party: int) -> bool:
    """Tell whether a book is within all limits, by fractions and from its totals alone."""
    return (
        book.exposure * policy.leverage_min_millionths <= book.own_funds * MILLION
        and book.by_party.get(party, 0) * MILLION <= book.own_funds * policy.party_max_millionths
        and book.by_segment.get(segment, 0) * MILLION <= book.own_funds * policy.segment_max_millionths
        and book.undrawn * policy.drawn_millionths <= (book.cash - policy.liquidity_reserve) * MILLION
    )


def with_line(book: Book, amount: int, segment: int, party: int, retained: int) -> Book:
    """Return a book with a line, rounded up as the lender's share is."""
    own = -int(-Fraction(amount * retained, MILLION) // 1)
    return replace(
        book,
        exposure=book.exposure + own,
        undrawn=book.undrawn + own,
        by_segment={**book.by_segment, segment: book.by_segment.get(segment, 0) + own},
        by_party={**book.by_party, party: book.by_party.get(party, 0) + own},
    )


def columns(rows: list[tuple[int, int, int, int]]) -> dict[str, Any]:
    """Return rows as columns."""
    names = ("wanted", "segments", "parties", "retained")
    return dict(zip(names, np.array(rows, np.int64).reshape(-1, 4).T, strict=True))


@settings(max_examples=30)
@given(books, rows_of)
def test_each_row_gets_the_most_that_is_allowed(book: Book, rows: list[tuple[int, int, int, int]]) -> None:
    """The oracle tries amounts from the largest down, and looks at the whole book each time."""
    lent = lend(POLICY, book, **columns(rows))
    for (wanted, segment, party, retained), amount, binding in zip(
        rows, lent.amounts.tolist(), lent.bindings.tolist(), strict=True
    ):
        tried = [one for one in range(wanted, 19, -10) if retained >= 300_000]
        books_ = [with_line(book, one, segment, party, retained) for one in tried]
        most = next(
            (one for one, after in zip(tried, books_, strict=True) if holds(POLICY, after, segment, party)), 0
        )
        if wanted == 10:
            most = 10 * (
                retained >= 300_000
                and holds(POLICY, with_line(book, 10, segment, party, retained), segment, party)
            )
        assert amount == most
        assert (binding == Binding.NOTHING) == (amount == wanted)
        if amount:
            book = with_line(book, amount, segment, party, retained)
    assert (lent.book.exposure, lent.book.undrawn) == (book.exposure, book.undrawn)
    assert (lent.book.by_party, lent.book.by_segment) == (book.by_party, book.by_segment)


@settings(max_examples=15)
@given(books, rows_of, st.integers(0, 40))
def test_cuts_change_nothing(book: Book, rows: list[tuple[int, int, int, int]], cut: int) -> None:
    """A batch gives what its parts give, and one by one is the finest of cuts."""
    whole = lend(POLICY, book, **columns(rows))
    for parts in ([rows[:cut], rows[cut:]], [[row] for row in rows]):
        running, amounts, bindings = book, list[int](), list[int]()
        for part in parts:
            told = lend(POLICY, running, **columns(part))
            running = told.book
            amounts += told.amounts.tolist()
            bindings += told.bindings.tolist()
        assert (amounts, bindings) == (whole.amounts.tolist(), whole.bindings.tolist())
        assert running == whole.book


@pytest.mark.parametrize(
    ("policy", "book", "row", "amount", "binding"),
    [
        ({}, {}, (240, 0, 0, MILLION), 240, Binding.NOTHING),
        ({}, {}, (260, 0, 0, MILLION), 250, Binding.PARTY),
        ({}, {"by_party": {0: 240}}, (30, 0, 0, MILLION), 0, Binding.PARTY),
        ({}, {"by_segment": {0: 1_900}}, (200, 0, 0, MILLION), 100, Binding.SEGMENT),
        ({}, {"by_segment": {0: 1_900}}, (200, 1, 0, MILLION), 200, Binding.NOTHING),
        ({}, {"exposure": 9_950}, (200, 0, 0, MILLION), 50, Binding.LEVERAGE),
        ({}, {"undrawn": 9_935}, (200, 0, 0, MILLION), 60, Binding.LIQUIDITY),
        ({}, {"cash": 100}, (200, 0, 0, MILLION), 0, Binding.LIQUIDITY),
        ({}, {"own_funds": 0}, (200, 0, 0, MILLION), 0, Binding.LEVERAGE),
        ({}, {"own_funds": -50}, (200, 0, 0, MILLION), 0, Binding.LEVERAGE),
        ({}, {}, (200, 0, 0, 299_999), 0, Binding.RETAINED),
        ({}, {"exposure": 9_940}, (200, 0, 0, 300_000), 200, Binding.NOTHING),
        ({"step": 1, "least": 1}, {"exposure": 9_995}, (200, 0, 0, 300_000), 16, Binding.LEVERAGE),
    ],
)
def test_each_limit_binds(
    policy: dict[str, Any],
    book: dict[str, Any],
    row: tuple[int, int, int, int],
    amount: int,
    binding: Binding,
) -> None:
    """By hand."""
    lent = lend(replace(POLICY, **policy), replace(BOOK, **book), **columns([row]))
    assert (lent.amounts.tolist(), lent.bindings.tolist()) == ([amount], [binding])


def test_what_is_lent_is_all_retained_unless_said() -> None:
    """And nothing wanted binds nothing."""
    lent = lend(POLICY, BOOK, wanted=[0, 100], segments=[0, 0], parties=[0, 0])
    assert lent.amounts.tolist() == [0, 100]
    assert lent.book == replace(BOOK, exposure=100, undrawn=100, by_segment={0: 100}, by_party={0: 100})


def test_columns_of_other_lengths_are_refused() -> None:
    """Rows would be lent to the wrong party."""
    with pytest.raises(ProgrammingError, match="differ in length"):
        lend(POLICY, BOOK, wanted=[100], segments=[0, 0], parties=[0])
