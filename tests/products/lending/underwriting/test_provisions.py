"""Stages and allowances, by hand and by fractions; what moved adds up, by another program."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.products.lending.limits import LENDING_YEARS_MAX
from formicary.products.lending.millionths import MILLION
from formicary.products.lending.underwriting import movements as module
from formicary.products.lending.underwriting.movements import MOVEMENT, movements, postings
from formicary.products.lending.underwriting.provisions import (
    PROVISION,
    Loans,
    ProvisionPolicy,
    Stage,
    chances_within,
    provisions,
)

POLICY = ProvisionPolicy()
GOOD: dict[str, Any] = {
    "currency": 156,
    "drawn": 1_000_000,
    "undrawn": 400_000,
    "days_past_due": 0,
    "days_left": 730,
    "default": 20_000,
    "default_at_start": 15_000,
    "loss": 450_000,
    "is_impaired": False,
}


def loans(*changes: dict[str, Any]) -> Loans:
    """Return loans, each as it should be but for its changes."""
    rows = [{**GOOD, **changed} for changed in changes]
    columns: dict[str, Any] = {name: np.array([row[name] for row in rows]) for name in GOOD}
    columns["currency"] = columns["currency"].astype(np.uint16)
    ids = np.array([[0, place + 1] for place in range(len(rows))], np.uint64)
    return Loans(loan=ids, **columns)


@pytest.mark.parametrize(
    ("changes", "stage", "chance", "allowance"),
    [
        # 2 % of 45 % of 12,000.00, as half of the undrawn line is drawn by then.
        ({}, Stage.PERFORMING, 20_000, 10_800),
        ({"days_left": 73}, Stage.PERFORMING, 4_000, 2_160),
        ({"days_past_due": 29}, Stage.PERFORMING, 20_000, 10_800),
        # Two years: 1 - 0.98 ** 2 is 3.96 %.
        ({"days_past_due": 30}, Stage.INCREASED, 39_600, 21_384),
        ({"default_at_start": 10_000}, Stage.INCREASED, 39_600, 21_384),
        ({"default_at_start": 10_001}, Stage.PERFORMING, 20_000, 10_800),
        ({"default": 0, "default_at_start": 0}, Stage.PERFORMING, 0, 0),
        ({"days_past_due": 89}, Stage.INCREASED, 39_600, 21_384),
        ({"days_past_due": 90}, Stage.IMPAIRED, MILLION, 540_000),
        ({"is_impaired": True}, Stage.IMPAIRED, MILLION, 540_000),
        # Exactly half a minor unit goes to the even neighbour: 0.5 to 0 and 1.5 to 2.
        ({"is_impaired": True, "drawn": 1, "undrawn": 0, "loss": 500_000}, Stage.IMPAIRED, MILLION, 0),
        ({"is_impaired": True, "drawn": 3, "undrawn": 0, "loss": 500_000}, Stage.IMPAIRED, MILLION, 2),
        # A line that can be ended today is there for one day.
        ({"days_left": 0}, Stage.PERFORMING, 55, 30),
    ],
)
def test_a_loan_by_hand(changes: dict[str, Any], stage: Stage, chance: int, allowance: int) -> None:
    """Stage, chance and allowance."""
    (told,) = provisions(POLICY, loans(changes))
    assert (told["stage"], told["chance"], told["allowance"]) == (stage, chance, allowance)


def test_twice_next_to_nothing_counts_for_nothing() -> None:
    """Where a policy says by how much a risk must have risen."""
    policy = replace(POLICY, rise_min_millionths=5_000)
    small = {"default": 9_999, "default_at_start": 5_000}
    told = provisions(policy, loans(small, {**small, "default": 10_000}))
    assert told["stage"].tolist() == [Stage.PERFORMING, Stage.INCREASED]


@settings(max_examples=40)
@given(st.integers(0, MILLION), st.integers(0, 365 * LENDING_YEARS_MAX))
def test_chances_compound(default: int, days: int) -> None:
    """By fractions: at most half a millionth is lost a year, and more days are no less."""
    told, later = chances_within(
        np.array([default] * 2), np.array([days, min(days + 1, 365 * LENDING_YEARS_MAX)])
    )
    years, rest = divmod(days, 365)
    p = Fraction(default, MILLION)
    exact = 1 - (1 - p) ** years * (1 - p * Fraction(rest, 365))
    assert abs(int(told) - exact * MILLION) <= Fraction(years + 1, 2)
    assert told <= later
    assert chances_within(np.array([default]), np.array([365]))[0] == default


def test_what_does_not_belong_together_is_refused() -> None:
    """Loans of other lengths, and days of no loan."""
    with pytest.raises(ProgrammingError, match="differ in shape"):
        replace(loans({}, {}), loss=np.array([1]))
    with pytest.raises(ProgrammingError, match="those of 40 years"):
        chances_within(np.array([1]), np.array([365 * 41]))
    assert len(provisions(POLICY, Loans(**{name: one[:0] for name, one in vars(loans({})).items()}))) == 0


# -- movements -----------------------------------------------------------------------------


def book(rows: list[tuple[int, int, int, int]]) -> Any:
    """Return provisions of rows of loan, currency, stage and allowance."""
    told = np.zeros(len(rows), PROVISION)
    for place, (loan, currency, stage, allowance) in enumerate(rows):
        told[place]["loan"][1], told[place]["currency"] = loan, currency
        told[place]["stage"], told[place]["allowance"] = stage, allowance
    return told


def test_a_day_by_hand() -> None:
    """One stays and takes more, one gets worse, one is new, one is gone; a second currency beside."""
    before = book([(3, 156, 1, 50), (1, 156, 1, 100), (2, 156, 1, 70), (9, 978, 3, 8)])
    after = book([(1, 156, 1, 120), (2, 156, 2, 300), (4, 156, 1, 10), (9, 978, 3, 8)])
    told = movements(before, after)
    assert [tuple(row) for row in told.tolist()] == [
        (156, 1, 220, 10, 0, 70, 20, 50, 130),
        (156, 2, 0, 0, 70, 0, 230, 0, 300),
        (978, 3, 8, 0, 0, 0, 0, 0, 8),
    ]
    assert postings(told).tolist() == [(156, 1, -90), (156, 2, 300)]
    assert len(movements(book([]), book([]))) == 0


def test_movements_are_those_of_sql() -> None:
    """Joined and summed up by DuckDB: a third of the loans is new, a third gone, many change stages."""
    random = np.random.default_rng(9)
    sides = [
        [
            (loan, 156 + loan % 2, int(random.integers(1, 4)), int(random.integers(0, 1_000)))
            for loan in random.permutation(np.arange(first, first + 200)).tolist()
        ]
        for first in (1, 100)
    ]
    told = {(row["currency"], row["stage"]): row for row in movements(book(sides[0]), book(sides[1]))}
    with duckdb.connect() as connection:
        for name, side in zip(("b", "a"), sides, strict=True):
            rows = np.array(side, np.int64).reshape(-1, 4).T
            table = pa.table(dict(zip(("loan", "currency", "stage", "allowance"), rows, strict=True)))
            connection.register(name, table)
        found = connection.execute(
            """
            with j as (
                select coalesce(a.currency, b.currency) as currency,
                    b.stage as old, a.stage as new, b.allowance as was, a.allowance as now
                from a full join b using (loan)
            ), s as (
                select currency, old as stage, was as opening, 0 as fresh, 0 as moved_in,
                    case when new <> old then was else 0 end as moved_out, 0 as remeasured,
                    case when new is null then was else 0 end as gone, 0 as closing
                from j where old is not null
                union all
                select currency, new, 0, case when old is null then now else 0 end,
                    case when new <> old then was else 0 end, 0,
                    case when old is null then 0 else now - was end, 0, now
                from j where new is not null
            )
            select currency, stage, sum(opening), sum(fresh), sum(moved_in), sum(moved_out),
                sum(remeasured), sum(gone), sum(closing) from s group by all
            """
        ).fetchall()
    assert sorted(found) == sorted(tuple(row.tolist()) for row in told.values())
    assert MOVEMENT.names is not None
    assert len(MOVEMENT.names) == 9


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ([(1, 156, 1, 5)], [(1, 978, 1, 5)], "changed its currency"),
        ([(1, 156, 1, 5), (1, 156, 2, 5)], [], "once, in one of three"),
        ([(1, 156, 0, 5)], [], "once, in one of three"),
    ],
)
def test_what_is_no_book_is_refused(before: list[Any], after: list[Any], message: str) -> None:
    """A loan is there once a day, in a stage and a currency."""
    with pytest.raises(ProgrammingError, match=message):
        movements(book(before), book(after))


def test_movements_that_do_not_add_up_are_refused() -> None:
    """A line that is off by one is found before anything is posted."""
    told = movements(book([(1, 156, 1, 5)]), book([(1, 156, 2, 9)]))
    for line in ("opening", "moved_out", "closing"):
        wrong = told.copy()
        wrong[line][0] += 1
        with pytest.raises(ProgrammingError, match="does not lead"):
            module._adding_up(wrong)


def test_rows_of_something_else_are_refused() -> None:
    """They have no loans."""
    with pytest.raises(ProgrammingError, match="provisions are rows"):
        movements(np.zeros(1), book([]))
