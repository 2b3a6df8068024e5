"""Amounts of rows as minor units of their currency: exact, or rejected; the sign is the mapping's to read."""

from __future__ import annotations

from typing import Final

import polars as pl

from formicary.base.currencies import CURRENCIES, Currency
from formicary.economy.history.columns import Scaled, half_even, key_text, scaled
from formicary.economy.history.mapping import Amount
from formicary.economy.history.rejections import Marks, Reason

__all__ = ["currencies", "minor_units", "parsed_amounts", "signed"]

_AMOUNT_MAX: Final = 2**63 - 1
_NUMBERS: Final = {known.code: known.number for known in CURRENCIES}
_EXPONENTS: Final = {known.number: known.exponent for known in CURRENCIES}


def currencies(frame: pl.DataFrame, column: str | None, given: Currency | None, marks: Marks) -> pl.Series:
    """Return the numbers of the currencies of rows (n): those of a column, else the one given."""
    if column is None:
        number = given.number if given is not None else 0
        return pl.repeat(number, len(frame), dtype=pl.UInt32, eager=True)
    text = key_text(frame, [column])
    numbers = text.replace_strict(_NUMBERS, default=None, return_dtype=pl.UInt32)
    marks.mark(text.is_null(), column, Reason.MISSING_VALUE)
    marks.mark(numbers.is_null(), column, Reason.UNKNOWN_CURRENCY)
    return numbers


def parsed_amounts(frame: pl.DataFrame, amount: Amount, ledgers: pl.Series, marks: Marks) -> pl.Series:
    """Return the amounts of rows (n) as integers of 10^-``decimals``, times another column if so written."""
    column = frame[amount.column]
    marks.mark(key_text(frame, [amount.column]).is_null(), amount.column, Reason.MISSING_VALUE)
    values = _by_decimals(column, amount, ledgers, marks)
    if amount.times is None:
        return values
    marks.mark(key_text(frame, [amount.times]).is_null(), amount.times, Reason.MISSING_VALUE)
    factors = scaled(frame[amount.times], 0)
    _mark_numbers(factors, amount.times, marks)
    size = values.cast(pl.Float64).abs() * factors.values.cast(pl.Float64).abs()
    marks.mark(size >= 2.0**63, amount.column, Reason.NUMBER_TOO_LARGE)
    return values * factors.values


def _by_decimals(column: pl.Series, amount: Amount, ledgers: pl.Series, marks: Marks) -> pl.Series:
    wanted = decimals_of(amount, ledgers)
    values = pl.repeat(None, len(column), dtype=pl.Int64, eager=True)
    for decimals in wanted.unique().drop_nulls().to_list():
        here = wanted.eq_missing(pl.Series([decimals], dtype=wanted.dtype))
        read = scaled(column, decimals)
        _mark_numbers(Scaled(read.values, *(mask & here for mask in read[1:])), amount.column, marks)
        values = read.values.zip_with(here, values)
    return values


def decimals_of(amount: Amount, ledgers: pl.Series) -> pl.Series:
    """Return how many decimals of each amount are read (n): those written, else those of its currency."""
    if amount.unit == "minor":
        return pl.repeat(0, len(ledgers), dtype=pl.Int64, eager=True)
    if amount.decimals is not None:
        return pl.repeat(amount.decimals, len(ledgers), dtype=pl.Int64, eager=True)
    return exponents(ledgers)


def exponents(ledgers: pl.Series) -> pl.Series:
    """Return the decimals of currencies (n) by their numbers."""
    return ledgers.replace_strict(_EXPONENTS, default=None, return_dtype=pl.Int64)


def _mark_numbers(read: Scaled, column: str, marks: Marks) -> None:
    marks.mark(read.not_numbers, column, Reason.NOT_A_NUMBER)
    marks.mark(read.too_many_decimals, column, Reason.TOO_MANY_DECIMALS)
    marks.mark(read.too_large, column, Reason.NUMBER_TOO_LARGE)


def minor_units(values: pl.Series, amount: Amount, ledgers: pl.Series, marks: Marks) -> pl.Series:
    """Return parsed amounts, or their sums, as minor units (n)."""
    if amount.unit == "minor":
        return values
    shifts = decimals_of(amount, ledgers) - exponents(ledgers)
    found = values
    for shift in shifts.unique().drop_nulls().to_list():
        here = shifts.eq_missing(pl.Series([shift], dtype=shifts.dtype))
        if shift > 0:
            if amount.round is None:
                marks.mark((values % 10**shift != 0) & here, amount.column, Reason.TOO_MANY_DECIMALS)
            found = half_even(values, shift).zip_with(here, found)
        elif shift < 0:
            bound = _AMOUNT_MAX // 10**-shift
            marks.mark((values.abs() > bound) & here, amount.column, Reason.NUMBER_TOO_LARGE)
            found = (values * 10**-shift).zip_with(here, found)
    return found


def signed(frame: pl.DataFrame, amount: Amount, marks: Marks) -> pl.DataFrame:
    """Return transfers whose amount is not negative: as written, without the sign, or the other way round."""
    is_negative = frame["amount"] < 0
    if amount.sign == "positive":
        marks.mark(is_negative, amount.column, Reason.NEGATIVE_AMOUNT)
    positive = frame.with_columns(frame["amount"].abs())
    if amount.sign != "reverse":
        return positive
    turned = is_negative.fill_null(value=False)
    return positive.with_columns(
        positive[f"{other}_{part}"].zip_with(turned, positive[f"{side}_{part}"]).alias(f"{side}_{part}")
        for side, other in (("payer", "payee"), ("payee", "payer"))
        for part in ("high", "low", "kind")
    )
