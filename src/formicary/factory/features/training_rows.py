"""The rows of a training set as columns: who asked when, what was told, and what was withheld."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from formicary.base.purposes import Purpose
from formicary.factory.features._layout import Events, Reals, Words
from formicary.factory.features.compiler import CompiledView
from formicary.factory.features.errors import DuplicateFeature
from formicary.factory.features.journal_fold import Replayed
from formicary.factory.features.kinds import FieldType
from formicary.factory.features.store import FeatureStore

__all__ = ["require_columns", "training_table", "withhold"]

_POSITION: Final = "position"
_AT: Final = "at"
_TRANSFER: Final = "transfer"
_WITHHELD: Final = "withheld"
_ASKING: Final = "asking_"
_ID_BYTES: Final = 16


def require_columns(view: CompiledView) -> None:
    """Raise ``DuplicateFeature`` where a feature has the name of another column."""
    taken = {_POSITION, _AT, _TRANSFER, _WITHHELD, *(_ASKING + field for field in view.set.on)}
    for feature in view.set.features:
        if feature.name in taken:
            raise feature.error(DuplicateFeature, "a training set has another column of this name")


def withhold(view: CompiledView, replayed: Replayed, agreeing: FeatureStore, purpose: Purpose) -> None:
    """Make missing, in place, what is told of parties that do not agree to the purpose in ``agreeing``."""
    if view.consent_bit(purpose) < 0:
        return
    subjects = view.view.subjects
    for column in range(len(view.subjects)):
        bit = np.int64(1 << column)
        told = (subjects & bit) != 0
        if told.any():
            lacking = ~agreeing.consents(replayed.asking.ids[:, column], purpose)
            replayed.values.withheld[lacking] |= bit
            replayed.values.values[np.ix_(lacking, told)] = np.nan


def training_table(view: CompiledView, rows: Sequence[Replayed]) -> pa.Table:
    """Return rows (n,) as a table.

    Its columns are ``position``, ``at`` in nanoseconds, the id of the ``transfer`` where transfers ask,
    the asking event's own fields as ``asking_<field>``, every feature under its name, and ``withheld``, the
    fields whose parties gave no consent.
    """
    kind = view.set.on
    asking = Events(*(np.concatenate(columns) for columns in zip(*(one.asking for one in rows), strict=True)))
    columns: dict[str, Any] = {
        _POSITION: pa.array(np.concatenate([one.positions for one in rows]), pa.int64()),
        _AT: pa.array(asking.at, pa.int64()),
    }
    transfers = [one.transfers for one in rows if one.transfers is not None]
    if transfers:
        columns[_TRANSFER] = _ids(np.concatenate(transfers))
    for place, name in enumerate(kind.ids):
        columns[_ASKING + name] = _ids(asking.ids[:, place])
    for place, name in enumerate(kind.numbers):
        numbers = np.ascontiguousarray(asking.numbers[:, place])
        is_real = kind.field(name).type == FieldType.REAL
        columns[_ASKING + name] = pa.array(numbers.view(np.float64) if is_real else numbers)
    values = np.concatenate([one.values.values for one in rows])
    for place, name in enumerate(view.names):
        columns[name] = _reals(values[:, place])
    withheld = np.concatenate([one.values.withheld for one in rows])
    columns[_WITHHELD] = _names(withheld, view.subjects)
    return pa.table(columns)


def _ids(words: Words) -> pa.Array:
    """Return ids (n, 2) as 16 bytes each, the first byte the highest; none is null."""
    absent = (words == 0).all(axis=1)
    data = words.astype(">i8").tobytes()
    return _with_nulls(pa.binary(_ID_BYTES), absent, data)


def _reals(values: Reals) -> pa.Array:
    missing = np.isnan(values)
    return _with_nulls(pa.float64(), missing, np.where(missing, 0.0, values).tobytes())


def _with_nulls(kind: pa.DataType, missing: npt.NDArray[np.bool_], data: bytes) -> pa.Array:
    present = pa.py_buffer(np.packbits(~missing, bitorder="little").tobytes())
    return pa.Array.from_buffers(kind, len(missing), [present, pa.py_buffer(data)])


def _names(bits: Words, names: Sequence[str]) -> pa.Array:
    """Return for each set of bits (n,) the names of those that are set."""
    is_set = (bits[:, np.newaxis] >> np.arange(len(names))) & 1
    ends = np.concatenate([[0], np.cumsum(is_set.sum(axis=1))]).astype(np.int32)
    chosen = [names[place] for place in np.nonzero(is_set)[1].tolist()]
    return pa.ListArray.from_arrays(pa.array(ends), pa.array(chosen, pa.string()))
