"""The quality of a set of features in one window: made from what was told, added up, kept in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError, Refusal
from formicary.factory.features.compiler import CompiledView
from formicary.factory.features.quality.freshness import freshness_of_features
from formicary.factory.features.quality.sketch import SketchDocument, ValueSketch, sketch_of
from formicary.factory.features.store import Values

__all__ = ["FeatureQuality", "MalformedReport", "QualityReport", "profile", "profile_columns", "read_report"]

_VERSION: Final = 1


class MalformedReport(Refusal):
    """The file is no report of the quality of features, or contradicts itself."""

    code = "malformed_quality_report"


class FeatureDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One feature of a report as JSON keeps it."""

    name: str
    meaning: str
    values: SketchDocument
    seconds: SketchDocument


class ReportDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A report as JSON keeps it."""

    version: int
    set: str
    features: list[FeatureDocument]


@dataclass(frozen=True, kw_only=True)
class FeatureQuality:
    """What one feature was told as.

    Attributes
    ----------
    meaning
        The hash of its definition; empty where only its values are known.
    values
        What was told.
    seconds
        How long ago the rows of its keys had changed; no rows where that was not asked.
    """

    name: str
    meaning: str
    values: ValueSketch
    seconds: ValueSketch


@dataclass(frozen=True, kw_only=True)
class QualityReport:
    """What the features of a set were told as in one window."""

    set: str
    features: tuple[FeatureQuality, ...]

    @property
    def rows(self) -> int:
        """How often the set was told."""
        return self.features[0].values.rows if self.features else 0

    def merge(self, other: QualityReport) -> QualityReport:
        """Return the report of both windows.

        Raises
        ------
        ProgrammingError
            They are not of the same features.
        """
        ours, theirs = ([(one.name, one.meaning) for one in side.features] for side in (self, other))
        if self.set != other.set or ours != theirs:
            message = f"reports of {self.set} and {other.set} with other features do not add up"
            raise ProgrammingError(message)
        pairs = zip(self.features, other.features, strict=True)
        features = tuple(
            FeatureQuality(
                name=one.name,
                meaning=one.meaning,
                values=one.values.merge(more.values),
                seconds=one.seconds.merge(more.seconds),
            )
            for one, more in pairs
        )
        return QualityReport(set=self.set, features=features)

    def json(self) -> bytes:
        """Return the report as a file keeps it: equal reports give equal bytes."""
        features = [
            FeatureDocument(
                name=one.name,
                meaning=one.meaning,
                values=one.values.document(),
                seconds=one.seconds.document(),
            )
            for one in self.features
        ]
        return msgspec.json.encode(ReportDocument(version=_VERSION, set=self.set, features=features))


def read_report(content: bytes) -> QualityReport:
    """Return the report that a file keeps.

    Raises
    ------
    MalformedReport
        It is none, or one of another version.
    """
    try:
        document = msgspec.json.decode(content, type=ReportDocument)
        features = tuple(
            FeatureQuality(
                name=one.name,
                meaning=one.meaning,
                values=ValueSketch.of_document(one.values),
                seconds=ValueSketch.of_document(one.seconds),
            )
            for one in document.features
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise MalformedReport(str(error)) from error
    if document.version != _VERSION:
        message = f"the report has version {document.version}, known is {_VERSION}"
        raise MalformedReport(message)
    return QualityReport(set=document.set, features=features)


def profile(
    view: CompiledView, values: Values, seconds: npt.NDArray[np.float64] | None = None
) -> QualityReport:
    """Return the report of what asking events (n) were told.

    Parameters
    ----------
    view
        The set.
    values
        What it told.
    seconds
        (n, look-ups) how old the rows were, as ``freshness.ages`` gives it; left out where nobody asked.
    """
    if values.names != view.names:
        message = f"{view.set.name} did not tell these values"
        raise ProgrammingError(message)
    if seconds is None:
        freshness: Sequence[ValueSketch] = [ValueSketch()] * len(view.names)
    else:
        freshness = freshness_of_features(view, seconds)
    subjects = view.view.subjects
    features = tuple(
        FeatureQuality(
            name=feature.name,
            meaning=feature.fingerprint,
            values=sketch_of(values.values[:, number], (values.withheld & subjects[number]) != 0),
            seconds=freshness[number],
        )
        for number, feature in enumerate(view.set.features)
    )
    return QualityReport(set=view.set.name, features=features)


def profile_columns(
    name: str,
    columns: Mapping[str, npt.NDArray[np.float64]],
    withheld: npt.NDArray[np.bool_],
    *,
    meanings: Mapping[str, str] = MappingProxyType({}),
) -> QualityReport:
    """Return the report of a table of which only the values are known.

    Parameters
    ----------
    name
        What it is of.
    columns
        Features and their values (n,), NaN where missing.
    withheld
        (n,) in which rows consent was lacking: what is missing there counts as withheld.
    meanings
        The hashes of their definitions, as far as they are known.
    """
    features = tuple(
        FeatureQuality(
            name=feature,
            meaning=meanings.get(feature, ""),
            values=sketch_of(column, withheld),
            seconds=ValueSketch(),
        )
        for feature, column in columns.items()
    )
    return QualityReport(set=name, features=features)
