"""Appeals: whoever a decision went against asks for a person, outside the path of decisions.

What the person says changes nothing by itself. It is a label: whoever trains a model, or counts how often a
policy is wrong, reads it as a fact.
"""

from formicary.factory.appeals.messages import (
    APPEAL,
    AppealDecided,
    AppealExists,
    AppealNotOpen,
    AppealOpened,
    AppealStatus,
    DecideAppeal,
    NothingToAppeal,
    OpenAppeal,
    Verdict,
)
from formicary.factory.appeals.product import APPEAL_VERDICT, NAME, SOURCE, appeals_product

__all__ = [
    "APPEAL",
    "APPEAL_VERDICT",
    "NAME",
    "SOURCE",
    "AppealDecided",
    "AppealExists",
    "AppealNotOpen",
    "AppealOpened",
    "AppealStatus",
    "DecideAppeal",
    "NothingToAppeal",
    "OpenAppeal",
    "Verdict",
    "appeals_product",
]
