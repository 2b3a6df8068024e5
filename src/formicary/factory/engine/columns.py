"""Columns of numbers in events: one value for each aggregate that an event changes.

A list of numbers in JSON takes twice the bytes of a column and a hundred times as long to read. A column is
the little-endian bytes of its values in base64, and its type stands in the event::

    AMOUNTS = Column("<i8")


    class Accrued(DomainEvent, frozen=True):
        first: int
        after: int
        amounts: Annotated[str, AMOUNTS.meta]


    Accrued(first=0, after=3, amounts=AMOUNTS.pack(amounts))
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import inspect

from formicary.base.errors import ProgrammingError
from formicary.base.limits import SWEEP_BYTES_MAX
from formicary.factory.engine.packing import NumberOutOfRange

__all__ = ["IDS", "Column", "column_of", "columns_of"]

_INTEGERS: Final = "iu"
_EXTRA: Final = "column"


class Column:
    """What a column of an event holds.

    Parameters
    ----------
    dtype
        Of one value: an integer with its size and byte order, as ``"<i8"``, or a few of them as one.
    like
        Values that may be in it, for whoever makes events up to check a product.

    Attributes
    ----------
    meta
        Marks the event's field, a text.

    Raises
    ------
    ProgrammingError
        The values are no little-endian integers.
    """

    def __init__(self, dtype: npt.DTypeLike, *, like: Sequence[Any] = (0, 1)) -> None:
        self.dtype = np.dtype(dtype)
        if self.dtype.base.kind not in _INTEGERS or self.dtype.base.str[0] == ">":
            message = f"a column holds little-endian integers, not {self.dtype}"
            raise ProgrammingError(message)
        self.like = np.array(like).astype(self.dtype.base)
        self.meta = msgspec.Meta(
            pattern=r"^[A-Za-z0-9+/]*={0,2}\Z",
            max_length=SWEEP_BYTES_MAX,
            extra={_EXTRA: self},
            extra_json_schema={"examples": [self.pack(self.like), ""]},
        )

    def __repr__(self) -> str:
        return f"Column({self.dtype.str!r})"

    def pack(self, values: npt.ArrayLike) -> str:
        """Return values (n,) as the text that stands in an event.

        Raises
        ------
        NumberOutOfRange
            One of them does not fit, or they are no integers.
        """
        given = np.asarray(values)
        # A list of large integers becomes reals, which have lost some of them.
        if given.size and given.dtype.kind not in _INTEGERS:
            raise NumberOutOfRange
        packed = np.ascontiguousarray(given.astype(self.dtype.base))
        if not np.array_equal(packed, given):
            raise NumberOutOfRange
        return base64.b64encode(packed.tobytes()).decode()

    def unpack(self, text: str) -> npt.NDArray[Any]:
        """Return the values (n,) of a text, which cannot be written to.

        Raises
        ------
        ValueError
            It is no column of such values.
        """
        return np.frombuffer(base64.b64decode(text), self.dtype)

    def count(self, text: str) -> int:
        """Return how many values a text holds, by its length alone; -1 where it holds a part of one."""
        size = len(text) // 4 * 3 - text.count("=", -2)
        return size // self.dtype.itemsize if size % self.dtype.itemsize == 0 else -1


IDS: Final = Column(("<u8", (2,)), like=((0, 2**32), (2**63, 7)))
"""128-bit ids as words (n, 2), the high one first."""


def columns_of(event: type[msgspec.Struct]) -> Mapping[str, Column]:
    """Return the columns of an event by the names of their fields."""
    return _columns_of(event)


@functools.cache
def _columns_of(event: type[msgspec.Struct]) -> Mapping[str, Column]:
    info = inspect.type_info(event)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    found = {field.name: column_of(field.type) for field in fields}
    return {name: column for name, column in found.items() if column is not None}


def column_of(kind: inspect.Type) -> Column | None:
    """Return the column that a type of a field is, None where it is none."""
    extra = kind.extra if isinstance(kind, inspect.Metadata) else None
    return (extra or {}).get(_EXTRA)
