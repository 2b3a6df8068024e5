"""The rows that a model learns from, out of the journal: features as they were known then, labels as now.

::

    <folder>/<set>-<purpose>-<last>-<meaning>/            features, one row for each asking event
                                             labels-<label>/labels.parquet, manifest.json

Features of a set are kept once for all models that ask it. As many rows come out as events asked: those
without a label have none in ``labels.parquet`` either, but the reason. The same journal up to the same
position gives the same files, and what is finished is used again.

Nothing here runs where decisions are made: this module loads pyarrow.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from formicary.base.purposes import purpose_name
from formicary.factory.features.checked_files import CheckedFile, read_checked, write_checked
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.journal_fold import FACTS_RECORDED
from formicary.factory.features.parquet_files import parquet_of
from formicary.factory.features.sources import Progress, RowSource
from formicary.factory.features.training import write_training_set
from formicary.factory.features.training_manifest import TrainingManifest, read_json, write_json
from formicary.factory.models.asked import asked_set
from formicary.factory.models.errors import LabelsTooFew, ModelMalformed
from formicary.factory.models.labels import (
    IMMATURE,
    NEGATIVE,
    POSITIVE,
    UNNAMED,
    Asked,
    Cutoff,
    labels_of,
)
from formicary.factory.models.outcomes import outcomes_of
from formicary.factory.models.questions import Label, Question
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import TrainingTable, names_of, table_of

__all__ = ["AskedRows", "LabelManifest", "LabelledRows", "asked_rows", "labelled_rows"]

Reals: TypeAlias = npt.NDArray[np.float64]
Labels: TypeAlias = npt.NDArray[np.int8]

_FILE: Final = "labels.parquet"
_MANIFEST: Final = "manifest.json"
_ASKING: Final = "asking_"
_TRANSFER: Final = "transfer"
_DIGITS: Final = 12
_STATES: Final = {POSITIVE: "positive", NEGATIVE: "negative", IMMATURE: "immature", UNNAMED: "unnamed"}


class LabelManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the labels of a training set say of themselves.

    Attributes
    ----------
    features, label
        The hashes of the features' manifest and of the declaration of the label.
    first, last, now
        The positions of the journal that they are of, and the time by the last, in nanoseconds.
    rows
        How many there are, each of one of the following states.
    positive, negative, immature, unnamed
        How many came out so or so; how many are too young to tell; how many facts could not name.
    outcomes, passed_over
        How many facts told an outcome, of these events or of others, and how many of the kind told none.
    file
        The labels themselves.
    """

    features: str
    label: str
    first: int
    last: int
    now: int
    rows: int
    positive: int
    negative: int
    immature: int
    unnamed: int
    outcomes: int
    passed_over: int
    file: CheckedFile

    @property
    def hash(self) -> str:
        """The identity of features and labels together: 32 hexadecimal digits."""
        return _hash_of(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelledRows:
    """What a model learns from, and where it is from: rows whose label is known."""

    table: TrainingTable
    features: TrainingManifest
    labels: LabelManifest


@dataclass(frozen=True, kw_only=True, eq=False)
class AskedRows:
    """Everything that a model was asked about, or would have been, in the order of time.

    Attributes
    ----------
    values
        What the model reads, (n, columns) in the order of its specification, NaN where missing.
    at, positions
        When each asked, in nanoseconds, and where it stands in the journal, (n,).
    labels
        1, 0, or -1 where none is known, (n,).
    ids, numbers
        Fields by name: ids as two words, (n, 2), zero for nothing; numbers (n,), NaN where missing.
    """

    values: Reals
    at: npt.NDArray[np.int64]
    positions: npt.NDArray[np.int64]
    labels: Labels
    ids: Mapping[str, npt.NDArray[np.uint64]]
    numbers: Mapping[str, Reals]


def asked_rows(
    source: RowSource,
    compiled: Compiled,
    spec: ModelSpec,
    folder: Path,
    *,
    fields: Sequence[str],
    last: int | None = None,
) -> AskedRows:
    """Return all rows of a model up to a position, those without a label as well; see ``labelled_rows``.

    ``fields`` are names of the asking event's fields or, where it has none of this name, of features.

    Raises
    ------
    ModelMalformed
        The model asks nothing, or what there is not, or a column of it is of names.
    """
    if any(column.is_category for column in spec.columns):
        message = f"{spec.name} reads names, and only numbers are rows here"
        raise ModelMalformed(message)
    question, chosen = asked_set(spec, [view.set for view in compiled.views.values()])
    last = source.head() if last is None else last
    place = _folder_of(compiled, question, folder, last)
    features = write_training_set(source, compiled, chosen.name, question.purpose, place, last=last)
    written = _labels(source, question.label, place, features)
    inside = place / f"labels-{written.label[:_DIGITS]}"
    told = _reals(pq.read_table(inside / _FILE, columns=["label"]).column("label"))
    kind = chosen.on
    stored = {name: f"{_ASKING}{name}" if name in kind.fields else name for name in fields}
    rows = _rows(place, features, sorted({"position", "at", *spec.names, *stored.values()}))
    order = np.argsort(rows.column("at").to_numpy(), kind="stable")
    values = np.stack([_reals(rows.column(name)) for name in spec.names], axis=1)
    return AskedRows(
        values=values[order],
        at=rows.column("at").to_numpy()[order],
        positions=rows.column("position").to_numpy()[order],
        labels=np.where(np.isnan(told), -1, np.nan_to_num(told))[order].astype(np.int8),
        ids={name: _words(rows.column(stored[name]))[order] for name in fields if name in kind.ids},
        numbers={name: _reals(rows.column(stored[name]))[order] for name in fields if name not in kind.ids},
    )


def labelled_rows(
    source: RowSource,
    compiled: Compiled,
    spec: ModelSpec,
    folder: Path,
    *,
    last: int | None = None,
    progress: Progress = lambda _done, _total: None,
) -> LabelledRows:
    """Return the rows of a model that are known up to a position, from files in a folder or written to it.

    Parameters
    ----------
    source
        The journal, or an archive of it.
    compiled
        The sets of features as the engine compiles them: all of its products' together.
    spec
        Of a model with a question.
    folder
        Of the training sets of all models; created if it is not there.
    last
        The cut-off: what stands behind it is not known. The end of the source unless given.
    progress
        Told how far the features are.

    Raises
    ------
    ModelMalformed
        The model asks nothing, or what there is not.
    LabelsTooFew
        Not one row of a class is known; the message says what became of the rows.
    TableUnusable
        See ``table_of``.
    PositionsNotThere, ArchiveCorrupted, JournalUnavailable, SegmentMissing
        See ``write_training_set``.
    """
    question, chosen = asked_set(spec, [view.set for view in compiled.views.values()])
    last = source.head() if last is None else last
    place = _folder_of(compiled, question, folder, last)
    features = write_training_set(
        source, compiled, chosen.name, question.purpose, place, last=last, progress=progress
    )
    written = _labels(source, question.label, place, features)
    if not (written.positive and written.negative):
        message = (
            f"{spec.name}: {written.positive} positives and {written.negative} negatives; of "
            f"{written.rows} rows {written.immature} are immature, and {written.unnamed} no fact can name"
        )
        raise LabelsTooFew(message)
    table = _table(spec, question, place, features, written)
    return LabelledRows(table=table, features=features, labels=written)


def _folder_of(compiled: Compiled, question: Question, folder: Path, last: int) -> Path:
    meaning = compiled.fingerprint[:_DIGITS]
    return folder / f"{question.features}-{purpose_name(question.purpose)}-{last}-{meaning}"


# -- labels --------------------------------------------------------------------------------


def _labels(source: RowSource, label: Label, folder: Path, features: TrainingManifest) -> LabelManifest:
    """Return the manifest of the labels beside features: of those that are there, or of new ones."""
    inside = folder / f"labels-{label.hash[:_DIGITS]}"
    there = read_json(inside, _MANIFEST, LabelManifest)
    known = (_hash_of(features), label.hash)
    if there is not None and (there.features, there.label) == known and read_checked(inside, there.file):
        return there
    asked = _asked(folder, features, label)
    first, last = features.request.first, features.request.last
    told = outcomes_of(source.events_of((FACTS_RECORDED,), after=first - 1, until=last), label)
    cutoff = Cutoff(position=last, now=max(told.now, _time_at(source, last), int(asked.at.max(initial=0))))
    labels = labels_of(
        asked,
        told.outcomes,
        cutoff,
        horizon_ns=label.horizon_ns,
        is_early=label.is_early,
        is_shared=bool(label.names),
    )
    manifest = LabelManifest(
        features=known[0],
        label=known[1],
        first=first,
        last=last,
        now=cutoff.now,
        rows=len(labels),
        **{name: int((labels == state).sum()) for state, name in _STATES.items()},
        outcomes=len(told.outcomes.at),
        passed_over=told.passed_over,
        file=write_checked(inside, _FILE, _labels_file(asked, labels)),
    )
    write_json(inside, _MANIFEST, manifest)
    return manifest


def _asked(folder: Path, features: TrainingManifest, label: Label) -> Asked:
    named = f"{_ASKING}{label.names}" if label.names else _TRANSFER
    rows = _rows(folder, features, ["position", "at", named])
    return Asked(
        ids=_words(rows.column(named)),
        at=rows.column("at").to_numpy(),
        positions=rows.column("position").to_numpy(),
    )


def _time_at(source: RowSource, position: int) -> int:
    """Return when the row at a position was journaled: an imported one says its own time, never a later."""
    (block,) = source.read(after=position - 1, until=position)
    times = [*block.accounts["timestamp"], *block.transfers["timestamp"]]
    return max(int(time) for time in [*times, *(event.timestamp for event in block.events)])


def _labels_file(asked: Asked, labels: Labels) -> bytes:
    states = pa.array([_STATES[state] for state in labels.tolist()], pa.string())
    known = pa.array(labels, pa.int8(), mask=labels < 0)
    columns = {"position": asked.positions, "at": asked.at, "label": known, "state": states}
    return parquet_of(pa.table(columns), dictionaries=["state"])


# -- the table -----------------------------------------------------------------------------


def _table(
    spec: ModelSpec, question: Question, folder: Path, features: TrainingManifest, written: LabelManifest
) -> TrainingTable:
    inside = folder / f"labels-{written.label[:_DIGITS]}"
    labels = _reals(pq.read_table(inside / _FILE, columns=["label"]).column("label"))
    known = ~np.isnan(labels)
    money = f"{_ASKING}{question.money}" if question.money else ""
    names = {feature.name for feature in spec.columns}
    weight = question.weight
    if weight and weight not in features.request.features:
        weight = f"{_ASKING}{weight}"
    rows = _rows(folder, features, sorted({"at", *names, *({money, weight} - {""})}))
    at = rows.column("at").to_numpy()[known]
    columns: dict[str, Any] = {name: _reals(rows.column(name))[known] for name in sorted(names)}
    for column in spec.columns:
        if column.is_category:
            columns[column.name] = names_of(columns[column.name])
    weights = _reals(rows.column(weight))[known] if weight else np.ones(len(at))
    return table_of(
        spec,
        columns,
        labels[known],
        weights=weights * _recency(question, at, written.now),
        at=at,
        money=_reals(rows.column(money))[known] if money else None,
    )


def _recency(question: Question, at: npt.NDArray[np.int64], now: int) -> Reals:
    """Return as often as which each row counts for its age, (n,), 1 at the cut-off."""
    half_life = question.half_life_ns
    if not half_life:
        return np.ones(len(at))
    return np.asarray(np.exp2((at - now) / half_life), np.float64)


# -- files ---------------------------------------------------------------------------------


def _rows(folder: Path, features: TrainingManifest, columns: Sequence[str]) -> pa.Table:
    parts = [pq.read_table(folder / part.name, columns=list(columns)) for part in features.parts]
    return pa.concat_tables(parts)


def _words(column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Return ids of 16 bytes as words (n, 2), zero where null."""
    if not len(column):
        return np.zeros((0, 2), np.uint64)
    array = column.combine_chunks()
    words = np.frombuffer(array.buffers()[1], ">u8").reshape(-1, 2)[array.offset :][: len(array)]
    return np.where(array.is_null().to_numpy(zero_copy_only=False)[:, np.newaxis], 0, words.astype(np.uint64))


def _reals(column: pa.ChunkedArray) -> Reals:
    """Return numbers as reals (n,), NaN where null."""
    return np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)


def _hash_of(document: msgspec.Struct) -> str:
    return hashlib.blake2b(msgspec.json.encode(document), digest_size=16).hexdigest()
