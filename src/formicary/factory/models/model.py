"""A model that was trained: a calibrated forest, the scorecard beside it, and what both showed."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.limits import MODEL_PART_BYTES_MAX
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.errors import ModelCorrupt, ModelMalformed
from formicary.factory.models.forest import Forest
from formicary.factory.models.scorecard import Scorecard
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.table import Categories, encoded

__all__ = ["Evidence", "Model", "identity_of", "scorecard_columns", "with_part"]

Reals: TypeAlias = npt.NDArray[np.float64]

_MAGIC: Final = b"formicary model 1\n"
_LENGTH_BYTES: Final = 8
_NO_NAME: Final = -1


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What a model showed on rows that it did not learn from, and what it learnt from.

    Attributes
    ----------
    rows, positives
        How many rows there were, and with the label 1; none has it where amounts are predicted.
    forest, scorecard
        Metrics by name, of the rows that were left out of training.
    scorecard_absent
        Why there is no scorecard; empty where there is one.
    trials
        How many sets of hyper-parameters were tried.
    suspected
        Columns that tell the label well, and why they are known before it.
    """

    rows: int
    positives: int
    forest: Mapping[str, float]
    scorecard: Mapping[str, float]
    trials: int
    suspected: Mapping[str, str]
    scorecard_absent: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """One version of a model; its hash is its identity.

    Attributes
    ----------
    name
        Of the specification.
    spec_hash
        Of the specification that it was trained for.
    forest
        What decides, before calibration.
    calibration
        From raw scores to chances; None where amounts are predicted.
    categories
        Names behind codes.
    scorecard
        The transparent challenger; None where ``Evidence.scorecard_absent`` says why.
    evidence
        What was shown.
    """

    name: str
    spec_hash: str
    forest: Forest
    calibration: Calibration | None
    categories: Categories
    scorecard: Scorecard | None
    evidence: Evidence

    @cached_property
    def hash(self) -> str:
        """The identity of the version: 32 hexadecimal digits over all that it is made of."""
        return identity_of(self.to_bytes())

    def chances(self, spec: ModelSpec, columns: Mapping[str, npt.ArrayLike]) -> Reals:
        """Return the calibrated chance of each row, (n,), of columns by name as ``table_of`` takes them.

        Raises
        ------
        ModelMalformed
            The specification is another than the model was trained for, or of amounts.
        """
        self._require_trained_for(spec)
        if self.calibration is None:
            message = f"{self.name} predicts amounts, not chances"
            raise ModelMalformed(message)
        return self.calibration.apply(self.forest.raw_scores(encoded(spec, columns, self.categories)))

    def amounts(self, spec: ModelSpec, columns: Mapping[str, npt.ArrayLike]) -> Reals:
        """Return the amount expected of each row, (n,), of columns by name as ``table_of`` takes them.

        Raises
        ------
        ModelMalformed
            The specification is another than the model was trained for, or of chances.
        """
        self._require_trained_for(spec)
        if self.calibration is not None:
            message = f"{self.name} predicts chances, not amounts"
            raise ModelMalformed(message)
        return self.forest.predictions(encoded(spec, columns, self.categories))

    def _require_trained_for(self, spec: ModelSpec) -> None:
        if spec.hash != self.spec_hash:
            message = f"{self.name} was trained for another specification than {spec.name} is now"
            raise ModelMalformed(message)

    def to_bytes(self) -> bytes:
        """Return what ``from_bytes`` reads: a header of JSON, then the forest."""
        header = json.dumps(
            {
                "name": self.name,
                "spec_hash": self.spec_hash,
                "calibration": self.calibration and self.calibration.to_dict(),
                "categories": {name: list(names) for name, names in self.categories.items()},
                "scorecard": self.scorecard and self.scorecard.to_dict(),
                "evidence": _plain(self.evidence),
            },
            sort_keys=True,
        ).encode()
        return _MAGIC + len(header).to_bytes(_LENGTH_BYTES, "little") + header + self.forest.to_bytes()

    @classmethod
    def from_bytes(cls, stored: bytes, *, expected_hash: str) -> Model:
        """Return the model that ``to_bytes`` stored.

        Raises
        ------
        ModelCorrupt
            The bytes are no model, or another than the one of the hash.
        """
        if identity_of(stored) != expected_hash:
            message = f"the bytes are not those of the model {expected_hash}"
            raise ModelCorrupt(message)
        if not stored.startswith(_MAGIC):
            message = "a stored model begins with its own name"
            raise ModelCorrupt(message)
        first = len(_MAGIC) + _LENGTH_BYTES
        length = int.from_bytes(stored[len(_MAGIC) : first], "little")
        try:
            header = json.loads(stored[first : first + length])
            return cls(
                name=header["name"],
                spec_hash=header["spec_hash"],
                forest=Forest.from_bytes(stored[first + length :]),
                calibration=header["calibration"] and Calibration.from_dict(header["calibration"]),
                categories={name: tuple(names) for name, names in header["categories"].items()},
                scorecard=header["scorecard"] and Scorecard.from_dict(header["scorecard"]),
                evidence=Evidence(**header["evidence"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"a stored model is unreadable: {error!r}"
            raise ModelCorrupt(message) from error


def identity_of(stored: bytes) -> str:
    """Return the identity of a stored model, 32 hexadecimal digits: a chain of hashes over its parts.

    A model is megabytes and comes in parts; what is known of the parts before is one hash, which whoever is
    given them one by one can keep.
    """
    firsts = range(0, max(len(stored), 1), MODEL_PART_BYTES_MAX)
    parts = (stored[first : first + MODEL_PART_BYTES_MAX] for first in firsts)
    return functools.reduce(with_part, parts, b"").hex()


def with_part(before: bytes, part: bytes) -> bytes:
    """Return the hash of a model's parts up to one, by the hash of those before it, empty for none."""
    return hashlib.blake2b(before + part, digest_size=16).digest()


def scorecard_columns(spec: ModelSpec, values: Reals) -> dict[str, npt.NDArray[Any]]:
    """Return values (n, columns) of a table as a scorecard takes them: codes as integers, -1 for none."""
    found: dict[str, npt.NDArray[Any]] = {}
    for place, column in enumerate(spec.columns):
        found[column.name] = one = values[:, place]
        if column.is_category:
            found[column.name] = np.where(np.isnan(one), _NO_NAME, one).astype(np.int64)
    return found


def _plain(evidence: Evidence) -> dict[str, Any]:
    return {
        "rows": evidence.rows,
        "positives": evidence.positives,
        "forest": dict(evidence.forest),
        "scorecard": dict(evidence.scorecard),
        "trials": evidence.trials,
        "suspected": dict(evidence.suspected),
        "scorecard_absent": evidence.scorecard_absent,
    }
