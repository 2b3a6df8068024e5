"""Columns of text or numbers as keys, exact integers and times; what cannot be read is null or marked.

Pure functions over polars series, n values each.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

import polars as pl

from formicary.base.times import parse_time
from formicary.economy.history.durations import parse_duration
from formicary.economy.history.mapping import At

__all__ = ["Scaled", "half_even", "key_text", "scaled", "times"]

_NUMBER: Final = r"^(-?)([0-9]+)(?:\.([0-9]+))?$"
_WHOLE_MAX: Final = 2**63 - 1
# Below it every integer is a double of its own.
_EXACT_MAX: Final = 2.0**53
# A decimal as a double is off by some units in its last place, a decimal too many by far more.
_TOLERANCE_UNITS: Final = 1e-6
_TOLERANCE_SHARE: Final = 2.0**-48
# The separator of a composed key; a key that holds it is somebody's trick and only meets itself.
_BETWEEN: Final = "\x1f"
_NANOSECONDS_PER_MICROSECOND: Final = 1_000
# 2262-04-10: past every date that nanoseconds in 64 bits can hold, so that it is in the future.
_MICROSECONDS_MAX: Final = 2**63 // 1_000 - 1
_TEXT_FORMATS: Final = ("%+", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d")
# Has two digits wherever a format can have two.
_SAMPLE: Final = datetime(2011, 11, 11, 11, 11, 11)  # noqa: DTZ001, only its digits are counted


class Scaled(NamedTuple):
    """Numbers as integers of a smaller unit (n), null where one of the masks (n) says why."""

    values: pl.Series
    not_numbers: pl.Series
    too_many_decimals: pl.Series
    too_large: pl.Series


def key_text(frame: pl.DataFrame, columns: list[str]) -> pl.Series:
    """Return the key of each row as text, null where a part of it is missing.

    A number that is whole reads the same from every format: 17850.0 is "17850".
    """
    parts = [_text(frame[column]).alias(str(at)) for at, column in enumerate(columns)]
    if len(parts) == 1:
        return parts[0]
    return pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator=_BETWEEN)).to_series()


def _text(column: pl.Series) -> pl.Series:
    if column.dtype.is_float():
        is_whole = (column == column.round()) & (column.abs() < _EXACT_MAX)
        whole = column.set(~is_whole.fill_null(value=False), None).cast(pl.Int64, strict=False)
        column = whole.cast(pl.String).zip_with(is_whole.fill_null(value=False), column.cast(pl.String))
    text = column.cast(pl.String)
    return text.set(text == "", None)


def scaled(column: pl.Series, decimals: int) -> Scaled:
    """Return numbers times ten to the power of ``decimals``, exactly or not at all."""
    if column.dtype.is_integer():
        return _scaled_integers(column, decimals)
    if column.dtype.is_float():
        return _scaled_floats(column, decimals)
    return _scaled_text(column.cast(pl.String, strict=False), decimals)


def _scaled_integers(column: pl.Series, decimals: int) -> Scaled:
    never = column.is_null() & False
    bound = _WHOLE_MAX // 10**decimals
    narrow = column.cast(pl.Int64, strict=False)
    too_large = column.is_not_null() & (narrow.is_null() | (narrow > bound) | (narrow < -bound))
    values = narrow.set(too_large.fill_null(value=True), None) * 10**decimals
    return Scaled(values, never, never, too_large.fill_null(value=True) & column.is_not_null())


def _scaled_floats(column: pl.Series, decimals: int) -> Scaled:
    there = column.is_not_null()
    not_numbers = there & ~column.is_finite().fill_null(value=False)
    exact = column.cast(pl.Float64) * 10.0**decimals
    too_large = there & ~not_numbers & (exact.abs() >= _EXACT_MAX).fill_null(value=False)
    # Larger doubles are further apart.
    allowed = (exact.abs() * _TOLERANCE_SHARE).clip(lower_bound=_TOLERANCE_UNITS)
    off = ((exact - exact.round()).abs() > allowed).fill_null(value=False)
    too_many = there & ~not_numbers & ~too_large & off
    values = exact.round().set(not_numbers | too_large | too_many, None).cast(pl.Int64)
    return Scaled(values, not_numbers, too_many, too_large)


def _scaled_text(column: pl.Series, decimals: int) -> Scaled:
    there = column.is_not_null() & (column != "").fill_null(value=False)
    parts = column.str.extract_groups(_NUMBER).struct.unnest()
    sign, whole, behind = (parts[name] for name in parts.columns)
    not_numbers = there & whole.is_null()
    behind = behind.fill_null("")
    too_many = there & ~not_numbers & (behind.str.len_chars() > decimals)
    digits = sign + whole + behind.str.pad_end(decimals, "0")
    values = digits.cast(pl.Int64, strict=False)
    too_large = there & ~not_numbers & ~too_many & values.is_null()
    return Scaled(values.set(too_many, None), not_numbers, too_many, too_large)


def half_even(values: pl.Series, digits: int) -> pl.Series:
    """Return integers divided by ten to the power of ``digits``, rounded half to even."""
    if digits == 0:
        return values
    size = 10**digits
    # Rounded down, so that the rest is never negative.
    quotient = values // size
    twice = (values - quotient * size) * 2
    up = (twice > size) | ((twice == size) & (quotient % 2 != 0))
    rounded: pl.Series = quotient + up.cast(pl.Int64)
    return rounded


def times(column: pl.Series | None, at: At, rows: int) -> pl.Series:
    """Return the times of rows in nanoseconds since 1970 (n), null where there is none to be read."""
    start = parse_time(at.start) if at.start is not None else 0
    if column is None:
        return pl.repeat(start, rows, dtype=pl.Int64, eager=True)
    if at.step is not None:
        return _counted(column, start, parse_duration(at.step) or 0)
    if column.dtype.is_temporal():
        return _from_temporal(column)
    text = column.cast(pl.String, strict=False)
    if at.format is not None:
        return _from_microseconds(_parsed(_padded(column, text, at.format), at.format))
    parsed = [_parsed(text, one) for one in _TEXT_FORMATS]
    return _from_microseconds(pl.select(pl.coalesce(parsed)).to_series())


def _counted(column: pl.Series, start: int, step: int) -> pl.Series:
    steps = column.cast(pl.Int64, strict=False) if column.dtype == pl.String else column
    # Beyond 64 bits it is far in the future or the past, whatever it is exactly.
    size = (steps.cast(pl.Float64, strict=False) * float(step) + float(start)).clip(-(2.0**62), 2.0**62)
    is_far = (size.abs() >= 2.0**62).fill_null(value=False)
    near = steps.set(is_far, None) if not is_far.all() else steps.clear(len(steps))
    exact = (near * step).round().cast(pl.Int64, strict=False) + start
    return size.cast(pl.Int64, strict=False).zip_with(is_far, exact)


def _from_temporal(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Datetime("ns"):
        return column.dt.epoch("ns")
    if column.dtype == pl.Date or isinstance(column.dtype, pl.Datetime):
        return _from_microseconds(column.cast(pl.Datetime("us")).dt.epoch("us"))
    return pl.repeat(None, len(column), dtype=pl.Int64, eager=True)


def _parsed(text: pl.Series, form: str) -> pl.Series:
    return text.str.strptime(pl.Datetime("us"), form, strict=False).dt.epoch("us")


def _from_microseconds(column: pl.Series) -> pl.Series:
    return column.clip(-_MICROSECONDS_MAX, _MICROSECONDS_MAX) * _NANOSECONDS_PER_MICROSECOND


def _padded(column: pl.Series, text: pl.Series, form: str) -> pl.Series:
    """Give numbers back the zeros that a date of digits begins with."""
    return text.str.zfill(len(_SAMPLE.strftime(form))) if column.dtype.is_integer() else text
