"""Aggregates as plain fields."""

from __future__ import annotations

import msgspec
import numpy as np

from formicary.factory.engine.products import AGGREGATE_HEADER
from formicary.factory.engine.reads import fields_of, record_of

DTYPE = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("is_open", "?"),
        ("owner_high", "<u8"),
        ("owner_low", "<u8"),
        ("sides_high", "<u8", (2,)),
        ("sides_low", "<u8", (2,)),
        ("amounts", "<i8", (2,)),
        ("very_high", "<i8"),
        ("very_much_low", "<i8"),
    ]
)


def test_words_are_joined_and_arrays_are_lists() -> None:
    """Ids are 32 digits, also in an array; a name that only looks like half an id stays as it is."""
    record = np.zeros((), DTYPE)
    record["id_high"], record["id_low"] = 2**64 - 1, 1
    record["owner_low"] = 2**63
    record["sides_high"], record["sides_low"] = (0, 1), (2, 3)
    record["amounts"] = (-5, 7)
    record["very_high"], record["very_much_low"] = 8, 9
    fields = fields_of(record)
    assert fields == {
        "id": 16 * "f" + f"{1:016x}",
        "timestamp": 0,
        "events": 0,
        "is_open": False,
        "owner": f"{2**63:032x}",
        "sides": [f"{2:032x}", f"{2**64 + 3:032x}"],
        "amounts": [-5, 7],
        "very_high": 8,
        "very_much_low": 9,
    }
    assert msgspec.json.decode(msgspec.json.encode(fields)) == fields
    assert fields_of(record_of(fields, DTYPE)[0]) == fields
