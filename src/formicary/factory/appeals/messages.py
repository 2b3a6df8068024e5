"""What is said of appeals: the commands, the events, the aggregate, and why an appeal is refused."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Annotated, Final

import msgspec
import numpy as np

from formicary.base.errors import Refusal
from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent

__all__ = [
    "APPEAL",
    "AppealDecided",
    "AppealExists",
    "AppealNotOpen",
    "AppealOpened",
    "AppealStatus",
    "DecideAppeal",
    "NothingToAppeal",
    "OpenAppeal",
    "Verdict",
]

HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Position = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]

APPEAL: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("status", "<u4"),
        # The position of the decision, whom it went against, since when that is asked, and who decided.
        ("decision", "<i8"),
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("opened", "<i8"),
        ("by_high", "<u8"),
        ("by_low", "<u8"),
    ]
)
"""An appeal. Its id is that of the transfer which was decided about: a decision is appealed once."""


class AppealStatus(IntEnum):
    """What became of an appeal."""

    OPEN = 1
    UPHELD = 2
    OVERTURNED = 3


class Verdict(StrEnum):
    """What a person says of a decision."""

    UPHELD = "upheld"
    """It was right."""
    OVERTURNED = "overturned"
    """It was wrong."""


class AppealExists(Refusal):
    """The decision was appealed before; there is one appeal a decision, and its verdict is final."""

    code = "appeal_exists"


class AppealNotOpen(Refusal):
    """There is no such appeal, or somebody has decided it."""

    code = "appeal_not_open"


class NothingToAppeal(Refusal):
    """No decision went against whoever asks, or one that only wants a check first."""

    code = "nothing_to_appeal"


class OpenAppeal(Command, frozen=True, kw_only=True):
    """Have a person look at a decision; ``subject`` is the id of the transfer that it was about.

    The way in has read the decision at this position and found that it went against the party: the journal is
    not read here.
    """

    decision: Position
    party: HexId


class DecideAppeal(Command, frozen=True, kw_only=True):
    """Say whether the decision was right; ``by`` is the credential of whoever says so."""

    verdict: Verdict
    by: HexId


class AppealOpened(DomainEvent, frozen=True, kw_only=True):
    """A party asks for a person."""

    decision: Position
    party: HexId
    at: Time


class AppealDecided(DomainEvent, frozen=True, kw_only=True):
    """A person said whether the decision was right."""

    verdict: Verdict
    by: HexId
