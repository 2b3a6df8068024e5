"""Ids and bounded numbers of commands, events and aggregates, the same in every product of this package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import numpy.typing as npt

from formicary.factory.engine.requests import require_well_formed
from formicary.factory.ledger import AMOUNT_MAX

__all__ = ["NOBODY", "Amount", "Count", "HexId", "Rows", "Time", "id_of", "put_ids", "require_well_formed"]

Rows = npt.NDArray[Any]

HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
"""A 128-bit id, or half of a 256-bit hash, as 32 hexadecimal digits."""

Amount = Annotated[int, msgspec.Meta(ge=0, le=AMOUNT_MAX)]
"""Minor units."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
"""A number of things, in 32 bits."""

Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""Nanoseconds since the Unix epoch."""

NOBODY: Final = "0" * 32
"""The id that nobody has."""

_WORD: Final = 2**64 - 1


def id_of(record: Rows, name: str) -> int:
    """Return a 128-bit id of an aggregate, shape ()."""
    return (int(record[f"{name}_high"]) << 64) | int(record[f"{name}_low"])


def put_ids(records: Rows, name: str, ids: Sequence[str]) -> None:
    """Write ids (n,) into aggregates (n,)."""
    numbers = [int(text, 16) for text in ids]
    records[f"{name}_high"] = [number >> 64 for number in numbers]
    records[f"{name}_low"] = [number & _WORD for number in numbers]
