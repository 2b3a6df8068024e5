"""Why the registry refuses.

The bytes of a model that are not what their hash says are ``ModelCorrupt``; a policy that cannot decide is
``PolicyRefused``.

::

    Refusal
    ├── DecisionNotFound, DecisionNotExplained   what is asked about a decision
    └── RegistryRefused
        ├── PartUnexpected, ModelIncomplete      bytes that come in parts
        ├── ModelExists, EntryTooLarge           a registration
        ├── ModelNotFound, AliasUnchanged        an alias
        ├── NoChallenger, TrialUnchanged         a trial
        └── PolicyOutdated, PolicyTooLarge, PolicyNotArmed     a policy
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = [
    "AliasUnchanged",
    "DecisionNotExplained",
    "DecisionNotFound",
    "EntryTooLarge",
    "ModelExists",
    "ModelIncomplete",
    "ModelNotFound",
    "NoChallenger",
    "PartUnexpected",
    "PolicyNotArmed",
    "PolicyOutdated",
    "PolicyTooLarge",
    "RegistryRefused",
    "TrialUnchanged",
]


class RegistryRefused(Refusal):
    """The registry of models and policies does not take this."""

    code = "registry_refused"


class PartUnexpected(RegistryRefused):
    """A part of a model is not the one that comes next, or not as long as it must be."""

    code = "model_part_unexpected"


class ModelIncomplete(RegistryRefused):
    """Not all parts of a model are there."""

    code = "model_incomplete"


class ModelExists(RegistryRefused):
    """The model is registered already."""

    code = "model_exists"


class EntryTooLarge(RegistryRefused):
    """What is said of a model takes too many bytes."""

    code = "model_entry_too_large"


class ModelNotFound(RegistryRefused):
    """No such model, or no such version of it, is registered."""

    code = "model_not_found"


class AliasUnchanged(RegistryRefused):
    """The alias is there already, or the model has none that could be taken off."""

    code = "alias_unchanged"


class NoChallenger(RegistryRefused):
    """No version of the model is its challenger, so there is nothing to try out."""

    code = "no_challenger"


class TrialUnchanged(RegistryRefused):
    """The challenger decides for this share of parties already."""

    code = "trial_unchanged"


class PolicyOutdated(RegistryRefused):
    """A policy's version is not larger than that of every one which was armed there before."""

    code = "policy_outdated"


class PolicyTooLarge(RegistryRefused):
    """A policy and its rules take too many bytes."""

    code = "policy_too_large"


class PolicyNotArmed(RegistryRefused):
    """No policy is armed at this decision point."""

    code = "policy_not_armed"


class DecisionNotFound(Refusal):
    """Nothing was decided there, or about this transfer."""

    code = "decision_not_found"


class DecisionNotExplained(Refusal):
    """A decision's point or policy is none that this release can read."""

    code = "decision_not_explained"
