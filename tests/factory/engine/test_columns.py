"""Columns of numbers in events."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.engine.columns import IDS, Column, columns_of
from formicary.factory.engine.packing import NumberOutOfRange
from tests.factory.engine.meters_product import SHOWN, TARIFFS, MeterFitted, MetersFitted


@pytest.mark.parametrize("dtype", ["<u1", "<i2", "<u4", "<i8", "<u8"])
def test_a_column_is_its_bytes(dtype: str) -> None:
    """What is packed is the values' little-endian bytes in base64, and reads back as the values."""
    limits = np.iinfo(np.dtype(dtype))
    values = [limits.min, 0, 1, limits.max]
    column = Column(dtype)
    text = column.pack(np.array(values, dtype))
    size = np.dtype(dtype).itemsize
    written = b"".join(value.to_bytes(size, "little", signed=limits.min < 0) for value in values)
    assert base64.b64decode(text) == written
    assert column.unpack(text).tolist() == values
    assert column.unpack(column.pack([])).tolist() == []
    assert [column.count(column.pack(np.array(values, dtype)[:count])) for count in range(5)] == list(
        range(5)
    )


def test_ids_are_pairs_of_words() -> None:
    """A column may hold a few numbers for each record, as the two words of an id."""
    ids = np.array([[2**63, 1], [0, 2**64 - 1], [7, 8]], np.uint64)
    assert IDS.unpack(IDS.pack(ids)).tolist() == ids.tolist()
    assert IDS.unpack("").shape == (0, 2)


@pytest.mark.parametrize("values", [[-1], [2**32], [0.5], [2**64], [2**63, 0]])
def test_what_does_not_fit_is_refused(values: list[Any]) -> None:
    """No number is cut off, wraps around, or loses what stands behind the point."""
    with pytest.raises(NumberOutOfRange):
        TARIFFS.pack(np.array(values))


@pytest.mark.parametrize("dtype", ["<f8", ">i8", "<U4", "?"])
def test_a_column_holds_little_endian_integers(dtype: str) -> None:
    """The database keeps nothing else as it was written, and every machine reads it."""
    with pytest.raises(ProgrammingError, match="little-endian integers"):
        Column(dtype)


def test_a_text_that_is_no_column_is_an_error() -> None:
    """A part of a value is none."""
    with pytest.raises(ValueError, match="buffer size"):
        SHOWN.unpack("AAAA")
    assert SHOWN.count("AAAA") == -1


def test_an_event_tells_its_columns() -> None:
    """They stand in its type, and their texts are of base64 only."""
    assert dict(columns_of(MetersFitted)) == {"ids": IDS, "tariffs": TARIFFS}
    assert dict(columns_of(MeterFitted)) == {}
    body = {"type": "MetersFitted", "first": 0, "after": 1, "ids": "", "tariffs": "not base64"}
    with pytest.raises(msgspec.ValidationError, match="tariffs"):
        msgspec.convert(body, MetersFitted)
