"""A trained forest of decision trees as flat arrays, which scores the same bits as LightGBM does.

The raw score of a row is the sum of one leaf of every tree, added up in the order of the trees in 64-bit
floats: so does LightGBM, and so do we. Nothing here needs LightGBM itself: a forest is read from bytes.

::

    booster --forest_of--> Forest --to_bytes--> bytes --Forest.from_bytes--> Forest

Reasons are path attributions (Saabas): a node's value is the expected score of what is below it, and every
step from a node to its child adds the difference to the feature that was asked. Expected values are those
that LightGBM notes in the trees, with six digits; the sums of differences do not depend on them.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.errors import ProgrammingError
from formicary.base.records import Note, noted
from formicary.factory.models._forest_content import Content, Description, check, hash_of, packed, unpacked
from formicary.factory.models._forest_dump import content_of, description_of, thresholds_of
from formicary.factory.models._forest_kernels import explain_rows, predict_scores, score_rows
from formicary.factory.models._forest_layout import OUTPUTS, Room, Trees, laid_out, new_room
from formicary.factory.models.errors import ModelCorrupt

if TYPE_CHECKING:
    import lightgbm

__all__ = ["Explained", "Forest", "Scorer", "forest_of"]

Rows = npt.NDArray[np.float64]
"""(n, features) of numbers, NaN where one is missing; categories are numbers, too."""


class Explained(NamedTuple):
    """Raw scores with their reasons."""

    scores: npt.NDArray[np.float64]
    """(n,): log-odds for a binary objective."""
    attributions: npt.NDArray[np.float64]
    """(n, features): what each feature added.

    Together with ``Forest.expected_score`` they are the raw score but for rounding.
    """


class Forest:
    """An immutable forest; two are equal if they have the same content.

    Parameters
    ----------
    content
        The nodes of all trees.
    description
        The features' names, and what makes a prediction of a raw score.

    Raises
    ------
    ModelCorrupt
        The nodes are no trees, or nobody knows such an output.
    ModelRefused
        There are too many nodes, or thresholds of a feature.
    """

    def __init__(self, content: Content, description: Description) -> None:
        """Check the nodes and lay them out for the kernels."""
        check(content, len(description.names))
        if description.output not in OUTPUTS or not np.isfinite(description.scale):
            message = f"no forest has an output {description.output!r} scaled by {description.scale}"
            raise ModelCorrupt(message)
        self.content: Final = content
        """The nodes as they are stored; they cannot be written to."""
        self._description: Final = description
        self.trees: Final[Trees] = laid_out(content)
        """The forest as kernels read it."""
        for array in (*content, *self.trees):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False

    @classmethod
    def from_bytes(cls, stored: bytes) -> Forest:
        """Return the forest that ``to_bytes`` stored.

        Raises
        ------
        ModelCorrupt
            The bytes are no forest, or not what their hash says.
        ModelRefused
            There are too many nodes, or thresholds of a feature.
        """
        return cls(*unpacked(stored))

    def to_bytes(self) -> bytes:
        """Return what ``from_bytes`` reads."""
        return packed(self.content, self._description)

    @cached_property
    def hash(self) -> bytes:
        """The identity of the forest, 32 bytes: blake2b of its content; the way it was trained is no part."""
        return hash_of(self.content, self._description)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features, in the order of a row's columns."""
        return self._description.names

    @property
    def feature_count(self) -> int:
        """How many numbers a row has."""
        return len(self._description.names)

    @property
    def tree_count(self) -> int:
        """How many trees are summed up."""
        return len(self.content.tree_nodes)

    @property
    def output(self) -> str:
        """What makes a prediction of a raw score: identity, sigmoid, exp, log1p_exp or square."""
        return self._description.output

    @property
    def output_scale(self) -> float:
        """What a sigmoid multiplies the raw score with before."""
        return self._description.scale

    @cached_property
    def expected_score(self) -> float:
        """The raw score of a row that nothing is known of: the sum of the values of all roots."""
        return float(sum(self.content.values[self.trees.roots].tolist()))

    def predicted(self, raw_scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the predictions, (n,), that raw scores (n,) of such a forest stand for."""
        scores = np.array(raw_scores, np.float64)
        predict_scores(scores, OUTPUTS.index(self.output), self.output_scale)
        return scores

    def raw_scores(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Return raw scores, (n,), of rows, (n, features)."""
        return Scorer(self).raw_scores(rows)

    def predictions(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Return predictions, (n,), of rows, (n, features): probabilities for a binary objective."""
        return Scorer(self).predictions(rows)

    def explain(self, rows: Rows) -> Explained:
        """Return raw scores and attributions of rows, (n, features)."""
        return Scorer(self).explain(rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Forest) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"Forest({self.tree_count} trees, {self.feature_count} features, {self.hash.hex()[:16]})"


class Scorer:
    """What scores rows with a forest, in one thread at a time: it keeps the room that scoring needs.

    Parameters
    ----------
    forest
        The forest.
    """

    def __init__(self, forest: Forest) -> None:
        """Take room."""
        self.forest: Final = forest
        self.room: Final[Room] = new_room(forest.trees)
        self.note: Final[Note] = noted(forest.trees, self.room)
        """For the kernels; it is only as good as this object is kept."""

    def raw_scores(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Return raw scores, (n,), of rows, (n, features)."""
        given = self._checked(rows)
        scores = np.zeros(len(given))
        score_rows(self.note, given, scores)
        return scores

    def predictions(self, rows: Rows) -> npt.NDArray[np.float64]:
        """Return predictions, (n,), of rows, (n, features): probabilities for a binary objective."""
        return self.forest.predicted(self.raw_scores(rows))

    def explain(self, rows: Rows) -> Explained:
        """Return raw scores and attributions of rows, (n, features)."""
        given = self._checked(rows)
        explained = Explained(np.zeros(len(given)), np.zeros(given.shape))
        explain_rows(self.note, given, explained.scores, explained.attributions)
        return explained

    def _checked(self, rows: Any) -> Rows:
        # A kernel looks at no bounds.
        given = np.ascontiguousarray(rows, np.float64)
        if given.ndim != 2 or given.shape[1] != self.forest.feature_count:  # noqa: PLR2004, rows and features
            message = f"rows of {self.forest.feature_count} features are scored, not an array {given.shape}"
            raise ProgrammingError(message)
        return given


def forest_of(booster: lightgbm.Booster) -> Forest:
    """Return the forest of a trained booster, up to its best iteration if training ended early.

    Raises
    ------
    ModelRefused
        It has several classes, linear leaves or averaged trees, an objective whose output is not known, or is
        too large.
    """
    dump: dict[str, Any] = booster.dump_model()
    return Forest(content_of(dump, thresholds_of(booster.model_to_string())), description_of(dump))
