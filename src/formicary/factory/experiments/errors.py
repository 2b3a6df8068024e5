"""Why an experiment, or what is told of it, is refused.

::

    Refusal
    └── ExperimentRefused
        ├── ExperimentMalformed, ExperimentNotFound                the document, the name
        ├── ExperimentRunning, ExperimentNotRunning, ExperimentOver    where it stands
        ├── LotsOverlap, LayerFull, HoldoutDiffers                 its layer
        ├── ExposureMalformed, ExposureOutside, ExposureUntimely   who met it, and when
        └── OutcomesUnusable, PlanRefused                          what is computed of it
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "ExperimentMalformed",
    "ExperimentNotFound",
    "ExperimentNotRunning",
    "ExperimentOver",
    "ExperimentRefused",
    "ExperimentRunning",
    "ExposureMalformed",
    "ExposureOutside",
    "ExposureUntimely",
    "HoldoutDiffers",
    "LayerFull",
    "LotsOverlap",
    "OutcomesUnusable",
    "PlanRefused",
]


class ExperimentRefused(Refusal):
    """The experiments do not take this."""

    code = "experiment_refused"


class ExperimentMalformed(ExperimentRefused):
    """A document of an experiment is no YAML, lacks a field, has an unknown one, or contradicts itself."""

    code = "experiment_malformed"


class ExperimentNotFound(ExperimentRefused):
    """No experiment of this name is defined."""

    code = "experiment_not_found"


class ExperimentRunning(ExperimentRefused):
    """The experiment runs: it cannot be changed, or started again."""

    code = "experiment_running"


class ExperimentNotRunning(ExperimentRefused):
    """The experiment does not run."""

    code = "experiment_not_running"


class ExperimentOver(ExperimentRefused):
    """The experiment was stopped; it is over for good, and its name is taken."""

    code = "experiment_over"


class LotsOverlap(ExperimentRefused):
    """Another experiment of the layer runs on some of these lots."""

    code = "lots_overlap"


class LayerFull(ExperimentRefused):
    """As many experiments run in the layer as it knows."""

    code = "layer_full"


class HoldoutDiffers(ExperimentRefused):
    """The experiments that run in the layer hold out other parties."""

    code = "holdout_differs"


class ExposureMalformed(ExperimentRefused):
    """Exposures are a time and a party each, 1 to 1,000 of them."""

    code = "exposure_malformed"


class ExposureOutside(ExperimentRefused):
    """A party that is told to have met the experiment is in none of its arms, or held out."""

    code = "exposure_outside"


class ExposureUntimely(ExperimentRefused):
    """An exposure is dated before the experiment began, after it was stopped, or in the future."""

    code = "exposure_untimely"


class OutcomesUnusable(ExperimentRefused):
    """Outcomes cannot be read, lack a column or a field, or have one of another type, or a party twice."""

    code = "outcomes_unusable"


class PlanRefused(ExperimentRefused):
    """What is to be planned contradicts itself, or is outside of what can be."""

    code = "plan_refused"
