"""Values as people write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.base.currencies import UnknownCurrency
from formicary.base.ids import MalformedId, format_id
from formicary.base.money import MalformedAmount, TooManyDecimals
from formicary.factory.ledger import AMOUNT_MAX, ID_MAX
from formicary.surfaces.cli.values import (
    AmountOutOfRange,
    MalformedTime,
    amount_text,
    ledger_name,
    ledger_number,
    parse_amount,
    parse_identifier,
    parse_time,
    time_text,
)

GBP = 826
BOOK = 70_000


@pytest.mark.parametrize(
    ("text", "identifier"),
    [("0", 0), ("17", 17), (str(ID_MAX), ID_MAX), (format_id(ID_MAX - 1), ID_MAX - 1)],
)
def test_identifiers(text: str, identifier: int) -> None:
    """An id is UUID text, or a number for those who count from 1."""
    assert parse_identifier(text) == identifier


@pytest.mark.parametrize("text", ["", "x", "-1", "1.0", str(ID_MAX + 1), "9" * 1_000, "٣"])
def test_malformed_identifiers(text: str) -> None:
    """Anything else is refused, however long it is."""
    with pytest.raises(MalformedId):
        parse_identifier(text)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01", 0),
        ("2011-12-09T12:50:00Z", 1_323_435_000_000_000_000),
        ("2011-12-09T13:50:00+01:00", 1_323_435_000_000_000_000),
        ("2011-12-09 12:50", 1_323_435_000_000_000_000),
        ("1969-12-31T23:59:59.000001Z", -999_999_000),
        ("1323435000000000123", 1_323_435_000_000_000_123),
    ],
)
def test_times(text: str, nanoseconds: int) -> None:
    """A time is as in RFC 3339, UTC unless it says otherwise, or a number of nanoseconds."""
    assert parse_time(text) == nanoseconds


@pytest.mark.parametrize("text", ["", "noon", "2011-13-01", "9" * 30])
def test_malformed_times(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(MalformedTime):
        parse_time(text)


def test_times_are_written_to_the_nanosecond() -> None:
    """Stamps of one request differ in the last digits only."""
    assert time_text(1_323_435_000_000_000_123) == "2011-12-09T12:50:00.000000123Z"


@given(st.integers(0, 4 * 10**15))
def test_written_times_are_read_back(microseconds: int) -> None:
    """What is written can be given back, to the microsecond that a calendar knows."""
    assert parse_time(time_text(1_000 * microseconds)) == 1_000 * microseconds


@pytest.mark.parametrize(("text", "number"), [("GBP", 826), ("gbp", 826), ("826", 826), ("70000", 70_000)])
def test_ledgers(text: str, number: int) -> None:
    """A ledger is a currency's code or a number."""
    assert ledger_number(text) == number


@pytest.mark.parametrize("text", ["", "QQQ", "0", "4294967296", "9" * 1_000])
def test_unknown_ledgers(text: str) -> None:
    """An unknown code, zero, and numbers of more than 32 bits are none."""
    with pytest.raises(UnknownCurrency):
        ledger_number(text)


def test_ledgers_are_written_by_their_currency() -> None:
    """A book that is no currency keeps its number."""
    assert (ledger_name(GBP), ledger_name(BOOK)) == ("GBP", "70000")


@pytest.mark.parametrize(
    ("text", "ledger", "amount"),
    [("12.5", GBP, 1_250), ("0", GBP, 0), ("7", BOOK, 7), (str(AMOUNT_MAX), BOOK, AMOUNT_MAX)],
)
def test_amounts(text: str, ledger: int, amount: int) -> None:
    """Amounts are in units of the currency; a book that is none has no decimals."""
    assert parse_amount(text, ledger) == amount


@pytest.mark.parametrize(
    ("text", "ledger", "refusal"),
    [
        ("1.234", GBP, TooManyDecimals),
        ("1e3", GBP, MalformedAmount),
        ("1.5", BOOK, MalformedAmount),
        ("9" * 100, BOOK, MalformedAmount),
        ("-1", GBP, AmountOutOfRange),
        (str(AMOUNT_MAX), GBP, AmountOutOfRange),
        (str(AMOUNT_MAX + 1), BOOK, AmountOutOfRange),
    ],
)
def test_refused_amounts(text: str, ledger: int, refusal: type[Exception]) -> None:
    """Nothing is rounded and nothing wraps around."""
    with pytest.raises(refusal):
        parse_amount(text, ledger)


def test_amounts_are_written_with_decimals() -> None:
    """A person reads units of the currency, grouped."""
    assert (amount_text(123_456_789, GBP), amount_text(1_234, BOOK)) == ("1,234,567.89", "1,234")
