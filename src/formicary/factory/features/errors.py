"""What can be wrong with a definition: each error names the feature, and the file and line it stands in.

::

    Refusal
    └── FeatureRefused
        ├── UnknownField, TypeMismatch, WindowNotTiled, LabelWithoutDelay     what an aggregate reads
        ├── UnknownFeature, CyclicFeatures, DuplicateFeature                  how features refer to each other
        ├── FeatureMalformed, PurposeNotDeclared, MeaningChanged              what a feature says of itself
        ├── BudgetExceeded                                                    what a key would take
        └── DefinitionsUnusable                                               the file they stand in
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "BudgetExceeded",
    "CyclicFeatures",
    "DefinitionsUnusable",
    "DuplicateFeature",
    "FeatureMalformed",
    "FeatureRefused",
    "LabelWithoutDelay",
    "MeaningChanged",
    "PurposeNotDeclared",
    "TypeMismatch",
    "UnknownFeature",
    "UnknownField",
    "WindowNotTiled",
]


class FeatureRefused(Refusal):
    """A definition of features is not what it must be.

    Attributes
    ----------
    place
        File and line of the definition; empty where they are not known yet.
    name
        The feature, or the set, that is wrong.
    said
        What is wrong with it.
    """

    code = "feature_refused"

    def __init__(self, message: str | None = None, *, place: str = "", name: str = "") -> None:
        super().__init__(message)
        self.said = super().__str__()
        self.place = place
        self.name = name

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.name, self.said) if part)


class UnknownField(FeatureRefused):
    """An event kind has no field of this name."""

    code = "unknown_field"


class TypeMismatch(FeatureRefused):
    """An operator does not take a field of this type."""

    code = "type_mismatch"


class WindowNotTiled(FeatureRefused):
    """A window or delay is no whole number of tiles, or the operator cannot be told from tiles."""

    code = "window_not_tiled"


class LabelWithoutDelay(FeatureRefused):
    """A field that is known only later is read without the delay after which it is known."""

    code = "label_without_delay"


class UnknownFeature(FeatureRefused):
    """An expression refers to a feature that is not defined."""

    code = "unknown_feature"


class CyclicFeatures(FeatureRefused):
    """A derived feature depends on itself."""

    code = "cyclic_features"


class DuplicateFeature(FeatureRefused):
    """Two features of a set, or two sets, have the same name."""

    code = "duplicate_feature"


class FeatureMalformed(FeatureRefused):
    """A feature lacks an owner, a unit or a meaning, or its name or version is not well formed."""

    code = "feature_malformed"


class PurposeNotDeclared(FeatureRefused):
    """A feature is read for a purpose that its definition does not name."""

    code = "purpose_not_declared"


class MeaningChanged(FeatureRefused):
    """The meaning of a live feature was changed under the same version: make a new version."""

    code = "feature_meaning_changed"


class DefinitionsUnusable(FeatureRefused):
    """A file of definitions cannot be read, fails, or defines no set of features."""

    code = "definitions_unusable"


class BudgetExceeded(FeatureRefused):
    """The features take more bytes a key than their set declares."""

    code = "byte_budget_exceeded"
