"""Tables of features in Parquet: a training set's folder, or any file with a column for each feature."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from formicary.base.errors import Refusal
from formicary.factory.features.quality.report import QualityReport, profile_columns, read_report

__all__ = ["FeaturesUnreadable", "report_of"]

_MANIFEST: Final = "manifest.json"
_WITHHELD: Final = "withheld"
_OTHERS: Final = ("position", "at", _WITHHELD)
_ASKING: Final = "asking_"
_ROWS_AT_A_TIME: Final = 65_536
_REPORT_BYTES_MAX: Final = 256 << 20


class FeaturesUnreadable(Refusal):
    """There is no table of features: no Parquet file, or none with columns of numbers."""

    code = "features_unreadable"


class _Feature(msgspec.Struct, frozen=True):
    fingerprint: str = ""


class _Request(msgspec.Struct, frozen=True):
    set: str
    features: dict[str, _Feature]


class _Part(msgspec.Struct, frozen=True):
    name: str


class _Manifest(msgspec.Struct, frozen=True):
    request: _Request
    parts: tuple[_Part, ...]


def report_of(path: Path) -> QualityReport:
    """Return the report of a training set's folder, of a Parquet file, or one that was kept as a file.

    Of a training set the manifest says which columns are features and what they mean; elsewhere every column
    of numbers is one but ``position``, ``at`` and those that begin with ``asking_``. Where ``withheld`` names
    anyone, what is missing in the row counts as withheld.

    Raises
    ------
    FeaturesUnreadable
        There is no table here.
    MalformedReport
        The file is neither Parquet nor a report.
    """
    try:
        if path.is_dir():
            return _report_of_folder(path)
        with path.open("rb") as opened:
            begins = opened.read(4)
            if begins != b"PAR1":
                return read_report(begins + opened.read(_REPORT_BYTES_MAX))
        return _report_of_files(path.stem, [path], None)
    except (OSError, pa.ArrowException) as error:
        message = f"{path} cannot be read: {error}"
        raise FeaturesUnreadable(message) from error


def _report_of_folder(folder: Path) -> QualityReport:
    manifest = folder / _MANIFEST
    if not manifest.exists():
        return _report_of_files(folder.name, sorted(folder.glob("*.parquet")), None)
    try:
        known = msgspec.json.decode(manifest.read_bytes(), type=_Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"{manifest} is no training set's: {error}"
        raise FeaturesUnreadable(message) from error
    meanings = {name: feature.fingerprint for name, feature in known.request.features.items()}
    # A name in a file leads nowhere else.
    files = [folder / Path(part.name).name for part in known.parts]
    return _report_of_files(known.request.set, files, meanings)


def _report_of_files(name: str, files: list[Path], meanings: Mapping[str, str] | None) -> QualityReport:
    report = None
    for file in files:
        opened = pq.ParquetFile(file)
        wanted = _feature_columns(opened.schema_arrow) if meanings is None else list(meanings)
        known = set(opened.schema_arrow.names)
        if not wanted or not known.issuperset(wanted):
            message = f"{file} has no columns of features, or lacks one of {', '.join(wanted) or 'any'}"
            raise FeaturesUnreadable(message)
        read = [*wanted, *({_WITHHELD} & known)]
        for batch in opened.iter_batches(batch_size=_ROWS_AT_A_TIME, columns=read):
            columns = {feature: _reals(batch.column(feature)) for feature in wanted}
            part = profile_columns(name, columns, _withheld(batch), meanings=meanings or {})
            if report is not None and [one.name for one in report.features] != wanted:
                message = f"{file} has other columns than the files before it"
                raise FeaturesUnreadable(message)
            report = part if report is None else report.merge(part)
    if report is None:
        message = f"{name} has no rows of features"
        raise FeaturesUnreadable(message)
    return report


def _feature_columns(schema: Any) -> list[str]:
    return [
        field.name
        for field in schema
        if field.name not in _OTHERS
        and not field.name.startswith(_ASKING)
        and (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
    ]


def _reals(column: Any) -> npt.NDArray[np.float64]:
    cast = column.cast(pa.float64(), safe=False)
    return np.asarray(cast.to_numpy(zero_copy_only=False), np.float64)


def _withheld(batch: Any) -> npt.NDArray[np.bool_]:
    """Return in which rows (n,) anyone is named, where that is a list, or is told otherwise than by 0."""
    if _WITHHELD not in batch.schema.names:
        return np.zeros(batch.num_rows, np.bool_)
    column = batch.column(_WITHHELD)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        column = pc.list_value_length(column)
    told = np.asarray(pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False))
    return told.astype(np.bool_)
