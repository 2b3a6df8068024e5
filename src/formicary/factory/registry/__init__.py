"""The registry: which models there are, which of them decides, which policy is armed, and since when."""

from formicary.factory.registry.messages import (
    Alias,
    AliasMoved,
    ArmPolicy,
    DisarmPolicy,
    Metrics,
    ModelPartStored,
    ModelRegistered,
    MoveAlias,
    PolicyArmed,
    PolicyDisarmed,
    RegisterModel,
    SetTrial,
    StoreModelPart,
    TrialSet,
    VersionCounted,
)
from formicary.factory.registry.product import ENTRY, NAME, registry_product

__all__ = [
    "ENTRY",
    "NAME",
    "Alias",
    "AliasMoved",
    "ArmPolicy",
    "DisarmPolicy",
    "Metrics",
    "ModelPartStored",
    "ModelRegistered",
    "MoveAlias",
    "PolicyArmed",
    "PolicyDisarmed",
    "RegisterModel",
    "SetTrial",
    "StoreModelPart",
    "TrialSet",
    "VersionCounted",
    "registry_product",
]
