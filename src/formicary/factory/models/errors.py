"""What can be wrong with a model, its data or its file.

::

    Refusal
    └── ModelRefused
        ├── UnknownModel                         which is meant
        ├── ModelMalformed                       what a declaration says
        ├── LabelsTooFew, TableUnusable          what it should be trained on
        ├── LeakSuspected                        a column that tells the label
        ├── GateMissed                           what it showed
        └── ModelCorrupt                         a stored model

    OperationalFault
    └── TrainerMissing                           the machine
"""

from __future__ import annotations

from formicary.base.errors import OperationalFault, Refusal

__all__ = [
    "GateMissed",
    "LabelsTooFew",
    "LeakSuspected",
    "ModelCorrupt",
    "ModelMalformed",
    "ModelRefused",
    "TableUnusable",
    "TrainerMissing",
    "UnknownModel",
]


class ModelRefused(Refusal):
    """A model cannot be declared, trained or read as it is."""

    code = "model_refused"


class UnknownModel(ModelRefused):
    """No product declares a model of this name."""

    code = "unknown_model"


class ModelMalformed(ModelRefused):
    """A declaration of a model contradicts itself."""

    code = "model_malformed"


class LabelsTooFew(ModelRefused):
    """There are too few labels of a class, or of one class alone, to learn from."""

    code = "labels_too_few"


class TableUnusable(ModelRefused):
    """A table to train on lacks a column, or a column tells nothing."""

    code = "table_unusable"


class LeakSuspected(ModelRefused):
    """A column tells the label so well that it was likely written after it."""

    code = "leak_suspected"


class GateMissed(ModelRefused):
    """A model does not show what its specification asks for; the one before it stays."""

    code = "gate_missed"


class ModelCorrupt(ModelRefused):
    """A stored model is not what its hash says, or no model at all."""

    code = "model_corrupt"


class TrainerMissing(OperationalFault):
    """What trains forests cannot be loaded on this machine; whoever decides with them does not need it."""
