"""What stands beside a model's file: what it is, what it showed, and what it was made of.

Whoever registers or judges a model reads this first; nothing here loads the model itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from formicary.factory.features.live import LiveFeature

__all__ = ["ModelManifest", "ModelMetrics", "TrainedModel", "TrainedOn", "TrainingReport", "manifest_file"]

TrainingReport: TypeAlias = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""

_SUFFIX: Final = ".model"
_MANIFEST_SUFFIX: Final = ".json"


class TrainedOn(msgspec.Struct, frozen=True, kw_only=True):
    """What a model learnt from.

    Attributes
    ----------
    hash
        Of the training set, features and labels; of the file, where rows came from a table.
    rows, positives
        How many rows were learnt from, and with the label 1.
    set, purpose, first, last, features
        The set of features, what for, the positions of the journal, and what each feature meant; empty for
        a table, as is all that follows.
    features_hash
        What all of the features' state meant.
    label_hash
        What the label meant.
    now
        The time up to which outcomes were known, in nanoseconds.
    immature, unnamed
        How many rows had no label yet, and how many can have none.
    outcomes, passed_over
        How many facts told an outcome, and how many of their kind told none.
    """

    hash: str
    rows: int
    positives: int
    set: str = ""
    purpose: str = ""
    first: int = 0
    last: int = 0
    features: dict[str, LiveFeature] = {}
    features_hash: str = ""
    label_hash: str = ""
    now: int = 0
    immature: int = 0
    unnamed: int = 0
    outcomes: int = 0
    passed_over: int = 0


class ModelMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What forest and scorecard showed on rows that they did not learn from, by name."""

    forest: dict[str, float]
    scorecard: dict[str, float]


class ModelManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a model was made of.

    Attributes
    ----------
    model, hash, spec_hash
        Its name, its identity, and that of its declaration.
    columns
        What it reads, in order.
    code_version
        The release that trained it.
    seed
        Of every draw.
    gates
        What it had to show, by name.
    metrics
        What it showed.
    trained_on
        What it learnt from.
    """

    model: str
    hash: str
    spec_hash: str
    columns: tuple[str, ...]
    code_version: str
    seed: int
    gates: dict[str, float]
    metrics: ModelMetrics
    trained_on: TrainedOn


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A model that was trained just now: its file, and what the manifest beside it says."""

    file: Path
    manifest: ModelManifest


def manifest_file(file: Path) -> Path:
    """Return where the manifest of a model's file is.

    Examples
    --------
    >>> manifest_file(Path("a.model")).name, manifest_file(Path("a.json")).name
    ('a.json', 'a.json.json')
    """
    name = file.stem if file.suffix == _SUFFIX else file.name
    return file.with_name(name + _MANIFEST_SUFFIX)
