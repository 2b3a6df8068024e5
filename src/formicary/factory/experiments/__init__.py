"""Experiments: what is tried out on a share of parties, who met it, and what came of it.

What is tried out is nobody's business here: a model, a rule, a price, an offer or a screen. Whoever shows it
asks for the arm of a party (``assignment``) and tells that the party met it. The engine runs neither the
analysis nor what plans one: those modules need scipy.
"""

from formicary.factory.experiments.messages import (
    ENTRY,
    Cause,
    DefineExperiment,
    ExperimentDefined,
    ExperimentStarted,
    ExperimentStatus,
    ExperimentStopped,
    ExposuresRecorded,
    LotsFreed,
    LotsTaken,
    MeetExperiment,
    RecordExposures,
    StartExperiment,
    StopExperiment,
)
from formicary.factory.experiments.product import EXPERIMENTS_PRODUCT, NAME, arms_in, experiment_id, layer_id

__all__ = [
    "ENTRY",
    "EXPERIMENTS_PRODUCT",
    "NAME",
    "Cause",
    "DefineExperiment",
    "ExperimentDefined",
    "ExperimentStarted",
    "ExperimentStatus",
    "ExperimentStopped",
    "ExposuresRecorded",
    "LotsFreed",
    "LotsTaken",
    "MeetExperiment",
    "RecordExposures",
    "StartExperiment",
    "StopExperiment",
    "arms_in",
    "experiment_id",
    "layer_id",
]
