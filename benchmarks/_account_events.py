"""An imported history as events of features: the rows that an import reads, in the order of its journal.

No row is made by hand: the mapping of the import says what a row of a file is, the kinds of the features what
of it they read, and the features' own store tells them. Whoever asks for a loan agrees by it that the
account's history is looked at for credit; without that every feature would be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.base.purposes import Purpose
from formicary.economy.history.mapping import code_of
from formicary.economy.history.mapping_file import MappingFile
from formicary.economy.history.reading import History, read_history
from formicary.economy.history.rows import EventRows
from formicary.factory.features._layout import Events, Reals, Words
from formicary.factory.features._plan_builder import CONSENT_KIND
from formicary.factory.features.columns import events_of, join_events
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.features.kinds import EventKind, Facts, Transfers
from formicary.factory.features.store import FeatureStore

__all__ = ["Imported", "consents", "imported", "ordered_events", "replayed"]

Order: TypeAlias = npt.NDArray[np.int64]

_MAPPINGS: Final = Path(__file__).parents[1] / "examples" / "imports"
_BYTES_MAX: Final = 1 << 32
_SIDES: Final = {"credit_party": "payee", "debit_party": "payer"}
# Before every event of the mapping at the same time.
_FIRST: Final = -1


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A mapping that was read, and the history that it makes of its files."""

    mapping: MappingFile
    history: History

    def rows(self, kind: str) -> EventRows:
        """Return the rows of an event of the mapping by its name."""
        return next(rows for rows in self.history.events if rows.event.kind == kind)


def imported(name: str, *, data_sets: Path, now: int) -> Imported:
    """Read one of the mappings of ``examples/imports`` with its files; ``now`` is in nanoseconds."""
    mapping = MappingFile(_MAPPINGS / f"{name}.yaml")
    return Imported(mapping=mapping, history=read_history(mapping, data_sets=data_sets, now=now))


def replayed(found: Imported, features: FeatureSet, compiled: Compiled) -> tuple[Mapping[str, Reals], Words]:
    """Return what every asking event was told by name, (n,), and the rows of the asking file, (n,), alike."""
    events, asking = ordered_events(found, features, compiled)
    told = FeatureStore(compiled, bytes_max=_BYTES_MAX).replay(features.name, events, purpose=Purpose.CREDIT)
    return dict(zip(told.names, told.values.T, strict=True)), asking


def ordered_events(found: Imported, features: FeatureSet, compiled: Compiled) -> tuple[Events, Words]:
    """Return all events that the features know, in the order of an import, and the rows that ask, (n,)."""
    parts, orders = [], []
    for number, rows in enumerate(found.history.events):
        for kind in compiled.kinds:
            if _is_of(kind, rows, found):
                parts.append(_events(compiled, kind, rows.frame, found, rows))
                orders.append(_order(rows.frame, number))
    asking = next(rows for rows in found.history.events if _is_of(features.on, rows, found))
    parts.append(consents(compiled, asking.frame))
    orders.append(_order(asking.frame, _FIRST))
    places = pl.concat(orders).select(pl.struct(pl.all()).rank("ordinal")).to_series().to_numpy()
    ends = np.cumsum([len(part.kinds) for part in parts])[:-1]
    rows_in_order = asking.frame.sort("known", "row")["row"].to_numpy().astype(np.int64)
    return join_events(parts, np.split(places, ends)), rows_in_order


def consents(compiled: Compiled, asking: pl.DataFrame) -> Events:
    """Return the consent that comes with each asking row of a fact."""
    columns: dict[str, npt.ArrayLike] = {
        "party": _words(asking, "id.account"),
        "purpose": np.full(len(asking), int(Purpose.CREDIT)),
        "granted": np.ones(len(asking), np.int64),
    }
    return events_of(compiled, CONSENT_KIND, at=asking["at"].to_numpy(), columns=columns)


def _is_of(kind: EventKind, rows: EventRows, found: Imported) -> bool:
    if isinstance(kind.source, Facts):
        return rows.event.fact is not None and rows.event.kind == kind.source.kind
    if isinstance(kind.source, Transfers) and rows.event.transfer is not None:
        return code_of(found.mapping.mapping, rows.event) in kind.source.codes
    return False


def _events(
    compiled: Compiled, kind: EventKind, frame: pl.DataFrame, found: Imported, rows: EventRows
) -> Events:
    columns = dict(_columns(kind, frame, code_of(found.mapping.mapping, rows.event)))
    return events_of(compiled, kind, at=frame["at"].to_numpy(), columns=columns)


def _columns(kind: EventKind, frame: pl.DataFrame, code: int) -> Iterator[tuple[str, npt.ArrayLike]]:
    is_fact = isinstance(kind.source, Facts)
    for name, field in kind.fields.items():
        if field.is_id:
            yield name, _words(frame, f"id.{field.source}" if is_fact else _SIDES[field.source])
        elif is_fact:
            yield name, frame[f"number.{field.source}"].to_numpy()
        else:
            yield name, np.full(len(frame), code) if field.source == "code" else frame["amount"].to_numpy()


def _words(frame: pl.DataFrame, name: str) -> Words:
    words: Sequence[Words] = [frame[f"{name}_{part}"].to_numpy().view(np.int64) for part in ("high", "low")]
    return np.column_stack(words)


def _order(frame: pl.DataFrame, event: int) -> pl.DataFrame:
    return frame.select("known", pl.lit(event, pl.Int64).alias("event"), "row")
