"""Which lines of a merchant's invoices are money, to the penny."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.rounding import div_half_even
from formicary.economy.invoices import (
    LINES,
    MILLS_PER_PENNY,
    LineClass,
    classify,
    documents,
    half_even_pence,
)
from tests.economy.kit import MINUTE, START, lines


@pytest.mark.parametrize(
    ("invoice", "quantity", "price_mills", "expected"),
    [
        ("536365", 6, 2_550, LineClass.INVOICED),
        ("536365", 6, 0, LineClass.INVOICED),
        ("536365", -6, 0, LineClass.STOCK_CORRECTION),
        ("536365", -6, 2_550, LineClass.STOCK_CORRECTION),
        ("536365", 1, -2_550, LineClass.INVOICED),
        ("C536365", -6, 2_550, LineClass.INVOICED),
        ("C536365", 6, 2_550, LineClass.INVOICED),
        ("A563185", 1, 11_062_060, LineClass.ADJUSTMENT),
        ("A563186", 1, -11_062_060, LineClass.ADJUSTMENT),
        ("A563187", -1, 11_062_060, LineClass.ADJUSTMENT),
    ],
)
def test_class_of_a_line(invoice: str, quantity: int, price_mills: int, expected: LineClass) -> None:
    """A line's class follows from its invoice's number and its quantity alone."""
    classified = classify(lines((invoice, None, quantity, price_mills)))
    assert classified["class"].to_list() == [expected]
    assert classified["mills"].to_list() == [quantity * price_mills]


def test_an_invoice_is_rounded_once() -> None:
    """Lines are summed exactly before the sum is rounded: three thirds of a penny are a penny."""
    found = documents(lines(("1", 7, 1, 3), ("1", 7, 1, 3), ("1", 7, 1, 4)))
    assert found.select("mills", "pence", "lines").rows() == [(10, 1, 3)]


@pytest.mark.parametrize(
    ("mills", "pence"), [(0, 0), (4, 0), (5, 0), (6, 1), (15, 2), (25, 2), (-5, 0), (-15, -2), (-26, -3)]
)
def test_half_pennies_go_to_the_even_penny(mills: int, pence: int) -> None:
    """Half a penny is rounded to the even neighbour, refunds as their payments were."""
    rounded = pl.DataFrame({"mills": [mills]}).select(half_even_pence(pl.col("mills")))
    assert rounded.item() == pence


@given(st.lists(st.integers(-(10**15), 10**15), max_size=20))
def test_rounding_is_the_named_one(mills: list[int]) -> None:
    """The vectorised rounding is ``div_half_even`` to the last unit."""
    frame = pl.DataFrame({"mills": mills}, {"mills": pl.Int64})
    rounded = frame.select(half_even_pence(pl.col("mills")).alias("pence"))["pence"].to_list()
    assert rounded == [div_half_even(one, MILLS_PER_PENNY) for one in mills]


def test_a_stock_correction_is_taken_out_of_its_invoice() -> None:
    """The other lines of the invoice are paid; the correction is counted and moves no money."""
    found = documents(lines(("1", 7, 2, 500), ("1", 7, -3, 500)))
    assert found.select("class", "mills", "pence").rows() == [
        (LineClass.INVOICED, 1_000, 100),
        (LineClass.STOCK_CORRECTION, -1_500, 0),
    ]


def test_documents_follow_the_time_of_their_first_line() -> None:
    """An invoice that was written over two minutes belongs to the first."""
    rows = [("2", START + MINUTE, 7, 1, 10), ("1", START + MINUTE, 7, 1, 10), ("1", START, None, 1, 10)]
    found = documents(pl.DataFrame(rows, LINES, orient="row"))
    assert found.select("invoice", "at", "customer").rows() == [("1", START, 7), ("2", START + MINUTE, 7)]


def test_a_guest_has_no_customer() -> None:
    """An invoice of which no line names a customer is a guest's."""
    assert documents(lines(("1", None, 1, 10)))["customer"].to_list() == [None]


LINE = st.tuples(
    st.sampled_from(["1", "2", "C3", "A4"]),
    st.one_of(st.none(), st.integers(1, 3)),
    st.integers(-50, 50),
    st.integers(-20_000, 20_000),
)


@given(st.lists(LINE, max_size=30))
def test_no_line_is_lost(rows: list[tuple[str, int | None, int, int]]) -> None:
    """Whatever the lines, documents hold each once, and their sums are the file's."""
    file = lines(*rows)
    found = documents(file)
    assert found["lines"].sum() == len(rows)
    assert found["mills"].sum() == sum(quantity * price for _, _, quantity, price in rows)
