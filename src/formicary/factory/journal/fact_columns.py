"""The body of an event of facts, as columns: for whoever folds facts and is not to know who records them.

A real is kept as its 64 bits, read as a signed integer. The database keeps the value of a number, not its
spelling: 1e300 would come back as an integer of 301 digits and -0.0 as 0, and the state's hash would change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

__all__ = ["FactColumns", "bits_of_reals", "facts_of"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FactColumns:
    """Facts of one kind, n of them.

    Attributes
    ----------
    kind
        What they are facts of, in snake case.
    at
        When each was so, in nanoseconds since the Unix epoch, (n,).
    ids
        By field, in the order of their names: 128-bit ids as two words, high and low, (n, 2).
    numbers
        By field: integers, (n,).
    reals
        By field: finite floats, NaN where missing, (n,).
    """

    kind: str
    at: npt.NDArray[np.int64]
    ids: dict[str, npt.NDArray[np.uint64]]
    numbers: dict[str, npt.NDArray[np.int64]]
    reals: dict[str, npt.NDArray[np.float64]]


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    at: list[int]
    ids: dict[str, list[str]]
    numbers: dict[str, list[int]]
    real_bits: dict[str, list[int]]


def facts_of(body: bytes) -> FactColumns:
    """Return what an event ``facts.FactsRecorded`` holds.

    Examples
    --------
    >>> body = b'{"kind":"label","at":[5],"ids":{},"numbers":{"is_fraud":[1]},"real_bits":{}}'
    >>> facts_of(body).numbers["is_fraud"].tolist()
    [1]
    """
    read = msgspec.json.decode(body, type=_Body)
    return FactColumns(
        kind=read.kind,
        at=np.array(read.at, np.int64),
        ids={field: _words(column) for field, column in sorted(read.ids.items())},
        numbers={field: np.array(column, np.int64) for field, column in sorted(read.numbers.items())},
        reals={
            field: np.array(column, np.int64).view(np.float64)
            for field, column in sorted(read.real_bits.items())
        },
    )


def bits_of_reals(reals: Sequence[float | None]) -> list[int]:
    """Return finite floats, None where missing, (n,) as ``facts_of`` finds them in a body: bits, (n,)."""
    # Of the many bits that are no number always the same: equal facts have equal bodies.
    told = [math.nan if value is None else value for value in reals]
    bits: list[int] = np.array(told, np.float64).view(np.int64).tolist()
    return bits


def _words(ids: Sequence[str]) -> npt.NDArray[np.uint64]:
    big_endian = np.frombuffer(bytes.fromhex("".join(ids)), ">u8")
    return big_endian.astype(np.uint64).reshape(-1, 2)
