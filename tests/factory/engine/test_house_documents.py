"""Documents of the house: what the journal keeps of them is what was written."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from formicary.factory.engine.house_documents import DocumentMalformed, storable

DEEPEST = {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"text": "Größe “½”\n", "none": None, "yes": True, "list": [1, 0.5, "x", {"a": []}]},
        {"low": -(2**63), "high": 2**63 - 1, "far": -1e15, "near": 5e-324},
        {"~ any printable key": 1, "x" * 64: 2},
        DEEPEST,
    ],
)
def test_plain_values_are_kept(document: dict[str, Any]) -> None:
    """As JSON says them, types included; reals stay reals however a database spells them."""
    kept = storable(document)
    assert repr(kept) == repr(document)
    assert repr(msgspec.json.decode(msgspec.json.encode(kept))) == repr(document)


def test_a_negative_zero_is_a_zero() -> None:
    """The database knows no other."""
    assert math.copysign(1, storable({"zero": -0.0})["zero"]) == 1


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"a": [1, {"b": "x\0"}]}, r"the document\.a\[1\]\.b is no value"),
        ({"a": 2**63}, r"\.a is no value"),
        ({"a": -(2**63) - 1}, r"\.a is no value"),
        ({"a": 1.1e15}, r"\.a is no value"),
        ({"a": math.inf}, r"\.a is no value"),
        ({"a": math.nan}, r"\.a is no value"),
        ({"a": (1, 2)}, r"\.a is no value"),
        ({"a": b"x"}, r"\.a is no value"),
        ({"a": {"ä": 1}}, r"\.a is no value"),
        ({"x" * 65: 1}, "the document is no value"),
        ({"": 1}, "the document is no value"),
        ({5: 1}, "the document is no value"),
        ({"a": DEEPEST}, "is nested too deeply"),
    ],
)
def test_what_is_not_kept_is_named(document: dict[Any, Any], said: str) -> None:
    """Whoever wrote a long manifest finds the place."""
    with pytest.raises(DocumentMalformed, match=said):
        storable(document)
