"""Records of arrays that a kernel is given as one array of addresses.

numba looks at every array that a kernel is called with and takes it apart, a sixth of a microsecond each.
What is the same at every call is noted once, and the kernel opens the note: a call with fifty arrays then
costs what one with a single array does.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Annotated, Any, Final, NamedTuple, TypeVar, cast, get_args, get_origin, get_type_hints

import numba
import numba.core.cgutils
import numba.extending
import numba.np.arrayobj
import numpy as np
import numpy.typing as npt

__all__ = ["Note", "Table", "noted", "opener", "words_of"]

Note = npt.NDArray[np.int64]
"""Addresses and lengths of arrays, (n,). It keeps none of them: its maker does, for as long as it is used."""

Table = Annotated[npt.NDArray[np.int64], 2]
"""An array of two dimensions in a record; of those that say nothing there is one."""

Record = TypeVar("Record", bound=NamedTuple)

_CONFIG: Final[Any] = numba.config
# What a field is made of, no dimensions for an integer.
_Field = tuple[np.dtype[Any], int]
# The address, and the lengths of three dimensions at most; or the integer.
_FIELD_WORDS: Final = 4


def words_of(*kinds: type[Any]) -> int:
    """Return how many words of a note records take."""
    return _FIELD_WORDS * sum(len(kind._fields) for kind in kinds)


def noted(*records: NamedTuple) -> Note:
    """Return the note of records of contiguous arrays and integers, one after the other."""
    note = np.zeros(words_of(*map(type, records)), np.int64)
    fields = [field for record in records for field in record]
    for place, field in enumerate(fields):
        first = place * _FIELD_WORDS
        if isinstance(field, int):
            note[first] = field
        else:
            note[first] = field.ctypes.data
            note[first + 1 : first + 1 + field.ndim] = field.shape
    return note


def opener(kind: type[Record]) -> Callable[[Note, int], Record]:
    """Return what gives a record back from a note, in a kernel: ``open_it(note, place of its first word)``.

    Fields of ``kind`` are annotated as ``int`` or as arrays, with ``Annotated[…, dimensions]`` where there
    are more than one.
    """
    fields = [_field_of(hint) for hint in get_type_hints(kind, include_extras=True).values()]
    if _CONFIG.DISABLE_JIT:
        return lambda note, first: kind(*_plain(fields, note, first))
    return cast("Callable[[Note, int], Record]", numba.extending.intrinsic(_typed(kind, fields)))


def _field_of(hint: Any) -> _Field:
    if hint is int:
        return np.dtype(np.int64), 0
    dimensions = 1
    if get_origin(hint) is Annotated:
        hint, dimensions = get_args(hint)
    return np.dtype(get_args(get_args(hint)[1])[0]), dimensions


def _typed(kind: type[Record], fields: list[_Field]) -> Callable[..., Any]:
    types: Any = numba.types
    record = types.NamedTuple(
        [
            types.Array(numba.from_dtype(dtype), dimensions, "C") if dimensions else types.intp
            for dtype, dimensions in fields
        ],
        kind,
    )

    def typed(_: Any, note: Any, first: Any) -> Any:  # noqa: ARG001, numba goes by the names
        return record(note, types.intp), _generator(record, fields)

    return typed


def _generator(record: Any, fields: list[_Field]) -> Callable[..., Any]:
    cgutils: Any = numba.core.cgutils
    populate: Any = numba.np.arrayobj.populate_array

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        words = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.gep(words, [arguments[1]])
        made = []
        for number, (dtype, dimensions) in enumerate(fields):
            at = [context.get_constant(numba.types.intp, number * _FIELD_WORDS + word) for word in range(4)]
            address, *shape = (builder.load(builder.gep(place, [word])) for word in at[: 1 + dimensions])
            if not dimensions:
                made.append(address)
                continue
            strides = [context.get_constant(numba.types.intp, dtype.itemsize)]
            for length in reversed(shape[1:]):
                strides.insert(0, builder.mul(strides[0], length))
            array = context.make_array(record.types[number])(context, builder)
            populate(
                array,
                data=builder.inttoptr(address, array.data.type),
                shape=cgutils.pack_array(builder, shape),
                strides=cgutils.pack_array(builder, strides),
                itemsize=strides[-1],
                meminfo=None,
            )
            made.append(array._getvalue())  # noqa: SLF001, numba's own name for it
        return context.make_tuple(builder, record, made)

    return generate


def _plain(fields: list[_Field], note: Note, first: int) -> list[Any]:
    """Return the fields of a record, where kernels are plain Python."""
    made: list[Any] = []
    for number, (dtype, dimensions) in enumerate(fields):
        place = first + number * _FIELD_WORDS
        if not dimensions:
            made.append(int(note[place]))
            continue
        shape = tuple(int(length) for length in note[place + 1 : place + 1 + dimensions])
        size = int(np.prod(shape)) * dtype.itemsize
        data: Any = (ctypes.c_char * size).from_address(int(note[place])) if size else b""
        made.append(np.frombuffer(data, dtype).reshape(shape))
    return made
