"""Payers, payees and ids of facts: keys of rows as 128-bit ids, in two words."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.economy.history.columns import key_text
from formicary.economy.history.keys import key_ids
from formicary.economy.history.mapping import Mapping, Reference, Side, names_of
from formicary.economy.history.rejections import Marks, Reason
from formicary.economy.names import named_id

__all__ = ["Parties", "SideKind"]

_WORD = 2**64 - 1


class SideKind(IntEnum):
    """What a side of a transfer is."""

    EXTERNAL = 0
    PERSON = 1
    MERCHANT = 2


@dataclass(frozen=True, slots=True)
class Parties:
    """The parties of a mapping, and the keys (n) that files declare, by name; None where none does."""

    mapping: Mapping
    declared: MappingOf[str, pl.Series | None]

    def side(self, frame: pl.DataFrame, name: str, side: Side, marks: Marks) -> list[pl.Series]:
        """Return a side of the transfers of a frame (n): ``<name>_high``, ``_low`` and ``_kind``."""
        rows = len(frame)
        if side.party is None:
            return self._columns(name, *self._external(side.external or "", rows), 0)
        kind = int(SideKind[self.mapping.parties[side.party].kind.upper()])
        if side.value is not None:
            high, low = key_ids(self.mapping.source, "party", side.party, pl.Series([side.value]))
            return self._columns(name, high.repeat(rows), low.repeat(rows), kind)
        keys = key_text(frame, names_of(side.key))
        high, low = self.party(keys, side.party, names_of(side.key), marks, missing=side.or_external is None)
        kinds = np.full(rows, kind, np.uint8)
        if side.or_external is not None:
            missing = keys.is_null().to_numpy()
            others = self._external(side.or_external, rows)
            high, low = np.where(missing, others[0], high), np.where(missing, others[1], low)
            kinds[missing] = SideKind.EXTERNAL
        return self._columns(name, high, low, kinds)

    def reference(
        self, frame: pl.DataFrame, name: str, reference: Reference, marks: Marks
    ) -> list[pl.Series]:
        """Return an id of the facts of a frame (n): ``<name>_high`` and ``<name>_low``."""
        columns = names_of(reference.key)
        keys = key_text(frame, columns)
        if reference.party is not None:
            high, low = self.party(keys, reference.party, columns, marks, missing=True)
        else:
            marks.mark(keys.is_null(), _joined(columns), Reason.MISSING_VALUE)
            high, low = key_ids(self.mapping.source, "event", reference.event or "", keys.fill_null(""))
        return [pl.Series(f"{name}_high", high), pl.Series(f"{name}_low", low)]

    def party(
        self, keys: pl.Series, party: str, columns: list[str], marks: Marks, *, missing: bool
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        """Return the ids of parties by their keys (n); mark those that are missing or nowhere declared."""
        if missing:
            marks.mark(keys.is_null(), _joined(columns), Reason.MISSING_VALUE)
        declared = self.declared.get(party)
        if declared is not None:
            marks.mark(~keys.is_in(declared.implode()), _joined(columns), Reason.UNKNOWN_PARTY)
        return key_ids(self.mapping.source, "party", party, keys.fill_null(""))

    def _external(self, name: str, rows: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        external = named_id(self.mapping.source, "external", name)
        return np.full(rows, external >> 64, np.uint64), np.full(rows, external & _WORD, np.uint64)

    def _columns(self, name: str, high: Any, low: Any, kind: Any) -> list[pl.Series]:
        kinds = np.broadcast_to(np.asarray(kind, np.uint8), high.shape)
        return [
            pl.Series(f"{name}_high", high),
            pl.Series(f"{name}_low", low),
            pl.Series(f"{name}_kind", kinds),
        ]


def _joined(columns: list[str]) -> str:
    return "+".join(columns)
