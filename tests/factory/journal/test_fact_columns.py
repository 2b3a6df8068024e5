"""Facts come back from a body as they went in, whatever the database did to its spelling."""

from __future__ import annotations

import struct
import sys
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.factory.journal.access import Access
from formicary.factory.journal.fact_columns import bits_of_reals, facts_of
from tests.factory.journal.kit import batch, event, owned, read_all

INTEGERS = st.integers(-(2**63), 2**63 - 1)
REALS = st.floats(allow_nan=False, allow_infinity=False)
IDS = st.integers(0, 2**128 - 1)
AWKWARD = [0.0, -0.0, 1e300, -1e300, 5e-324, 0.1, sys.float_info.max, sys.float_info.min, 1.0, 1e16]


def columns(values: st.SearchStrategy[Any], rows: int) -> st.SearchStrategy[dict[str, list[Any]]]:
    """Return columns of so many rows under up to three names."""
    column = st.lists(values, min_size=rows, max_size=rows)
    return st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), column, max_size=3)


@st.composite
def facts(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the columns of some facts."""
    rows = draw(st.integers(1, 5))
    return {
        "kind": "label",
        "at": draw(st.lists(st.integers(0, 2**63 - 1), min_size=rows, max_size=rows)),
        "ids": draw(columns(IDS, rows)),
        "numbers": draw(columns(INTEGERS, rows)),
        "reals": draw(columns(REALS, rows)),
    }


def body_of(told: dict[str, Any]) -> bytes:
    """Return the body of the event of some facts."""
    ids = {field: [f"{value:032x}" for value in column] for field, column in told["ids"].items()}
    bits = {field: bits_of_reals(column) for field, column in told["reals"].items()}
    return msgspec.json.encode(
        {"type": "FactsRecorded", "kind": told["kind"], "at": told["at"], "ids": ids}
        | {"numbers": told["numbers"], "real_bits": bits}
    )


def respelled(body: bytes) -> bytes:
    """Return the same JSON with its keys in another order, and with spaces."""
    return msgspec.json.format(msgspec.json.encode(msgspec.json.decode(body), order="sorted"), indent=1)


@settings(max_examples=200)
@given(facts())
def test_what_went_in_comes_back(told: dict[str, Any]) -> None:
    """Each column under its name, to the last bit, with the type and shape that is promised."""
    found = facts_of(respelled(body_of(told)))
    assert found.kind == told["kind"]
    assert found.at.dtype == np.int64
    assert found.at.tolist() == told["at"]
    for group in ("ids", "numbers", "reals"):
        assert list(getattr(found, group)) == sorted(told[group])
    for field, words in found.ids.items():
        assert words.dtype == np.uint64
        assert words.shape == (len(told["at"]), 2)
        assert [high << 64 | low for high, low in words.tolist()] == told["ids"][field]
    for field, numbers in found.numbers.items():
        assert numbers.dtype == np.int64
        assert numbers.tolist() == told["numbers"][field]
    for field, reals in found.reals.items():
        assert reals.dtype == np.float64
        assert reals.tobytes() == struct.pack(f"<{len(reals)}d", *told["reals"][field])


def test_no_facts_and_no_fields() -> None:
    """Columns keep their shapes where there is nothing in them."""
    found = facts_of(b'{"kind":"label","at":[],"ids":{"payment":[]},"numbers":{},"real_bits":{}}')
    assert (found.at.shape, found.ids["payment"].shape, found.numbers, found.reals) == ((0,), (0, 2), {}, {})


def test_reals_survive_the_database(access: Access) -> None:
    """The database would spell 1e300 with all its digits and -0.0 without its sign; bits it keeps."""
    told = {"kind": "label", "at": [5] * len(AWKWARD), "ids": {}, "numbers": {}, "reals": {"x": AWKWARD}}
    with owned(access) as journal:
        journal.append(batch(events=[event(1, body=body_of(told))]))
        (_, _, (stored,)) = read_all(journal)
    assert facts_of(stored.body).reals["x"].tobytes() == struct.pack(f"<{len(AWKWARD)}d", *AWKWARD)
    assert msgspec.json.decode(stored.body) == msgspec.json.decode(body_of(told))
