"""Which rows of a file are of an event: all conditions hold."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from formicary.economy.history.columns import key_text
from formicary.economy.history.mapping import Where, names_of

__all__ = ["matching"]


def matching(frame: pl.DataFrame, conditions: Sequence[Where]) -> pl.DataFrame:
    """Return the rows of a frame for which every condition holds."""
    for condition in conditions:
        frame = frame.filter(_holds(frame, condition))
    return frame


def _holds(frame: pl.DataFrame, condition: Where) -> pl.Series:
    found = _found(frame, condition).fill_null(value=False)
    return ~found if condition.negate else found


def _found(frame: pl.DataFrame, condition: Where) -> pl.Series:
    text = key_text(frame, [condition.column])
    if condition.equals is not None:
        return text == condition.equals
    if condition.one_of is not None:
        return text.is_in(condition.one_of)
    if condition.missing is not None:
        return text.is_null() == condition.missing
    if condition.positive is not None:
        is_positive = text.cast(pl.Float64, strict=False) > 0
        return is_positive if condition.positive else ~is_positive
    begins = [text.str.starts_with(prefix) for prefix in names_of(condition.prefix)]
    return pl.select(pl.any_horizontal(begins)).to_series()
