"""What the credit score is asked, what happened to it, and what is kept of scores and their sharing."""

from __future__ import annotations

import hashlib
from enum import IntEnum
from typing import Annotated, Final

import msgspec
import numpy as np

from formicary.factory.engine.products import AGGREGATE_HEADER, Command, DomainEvent
from formicary.products.credit.terms import BANDS_MAX, SCALES_MAX, Dimension

__all__ = [
    "AUTHORISATION",
    "CREDIT_SCORE",
    "DISPUTE",
    "NAME",
    "QUERY",
    "AuthorisationGiven",
    "AuthorisationRevoked",
    "Cause",
    "CorrectedFact",
    "Correction",
    "DisputeOpened",
    "DisputeRejected",
    "DisputeStatus",
    "DisputeUpheld",
    "GiveAuthorisation",
    "OpenDispute",
    "QueryScore",
    "Reading",
    "RefreshScore",
    "RejectDispute",
    "RelationsSwitched",
    "RevokeAuthorisation",
    "ScoreQueried",
    "ScoreRefreshed",
    "ScoreWithdrawn",
    "SharedScope",
    "SwitchRelations",
    "UpholdDispute",
    "authorisation_id",
]

NAME: Final = "credit_score"
"""The product that keeps scores; the others keep what is made of them."""

_DIMENSIONS: Final = len(Dimension)

HexId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
Time = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
Value = Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$", max_length=63)]


class Cause(IntEnum):
    """Why a score was made."""

    ASKED = 1
    MONTHLY = 2
    SWITCHED = 3
    CORRECTED = 4


class SharedScope(IntEnum):
    """What a third party is shown; never more than this."""

    BAND = 1
    SCORE_AND_BAND = 2


class DisputeStatus(IntEnum):
    """What became of a dispute."""

    OPEN = 1
    UPHELD = 2
    REJECTED = 3


class CorrectedFact(IntEnum):
    """The kinds of facts that a dispute can correct."""

    OBLIGATION = 1
    IDENTITY_CHECK = 2


# -- what is kept --------------------------------------------------------------------------

CREDIT_SCORE: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        # 0 where there is none: never made, or withdrawn.
        ("score", "<u4"),
        ("band", "<u4"),
        ("terms", "<u4"),
        ("relations", "<u4"),
        ("refreshes", "<u4"),
        # By the number of Cause; days since 1970 of the business date; when it was made, and is made next.
        ("cause", "<u4"),
        ("business_day", "<i8"),
        ("refreshed_at", "<i8"),
        ("due", "<i8"),
        ("most", "<u4", (_DIMENSIONS,)),
        ("points", "<u4", (_DIMENSIONS,)),
        # By the places of scales in the terms: what was read, where it was known.
        ("readings", "<i8", (SCALES_MAX,)),
        ("known", "u1", (SCALES_MAX,)),
    ]
)
"""A party's score now, by the party's id."""

AUTHORISATION: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("third_party_high", "<u8"),
        ("third_party_low", "<u8"),
        # By the numbers of SharedScope; until when, in nanoseconds; 1 where it was taken back.
        ("scope", "<u4"),
        ("is_revoked", "<u4"),
        ("expires_at", "<i8"),
    ]
)
"""What one party lets one third party ask, under the id that follows from both."""

QUERY: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("third_party_high", "<u8"),
        ("third_party_low", "<u8"),
        # What was shown; a score of 0 was not.
        ("scope", "<u4"),
        ("score", "<u4"),
        ("band", "<u4"),
        ("terms", "<u4"),
        ("at", "<i8"),
    ]
)
"""One query of a third party: who asked about whom, and what it was shown."""

DISPUTE: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("status", "<u4"),
        ("dimension", "<u4"),
        ("opened", "<u4"),
        ("corrections", "<u4"),
        ("due", "<i8"),
        ("by_high", "<u8"),
        ("by_low", "<u8"),
    ]
)
"""A party's latest dispute, by the party's id, and how many it opened."""


def authorisation_id(party: int, third_party: int) -> int:
    """Return the id of what a party lets a third party ask."""
    named = party.to_bytes(16, "big") + third_party.to_bytes(16, "big")
    return int.from_bytes(hashlib.blake2b(named, digest_size=16, person=b"score-authorised").digest(), "big")


# -- what is asked -------------------------------------------------------------------------


class RefreshScore(Command, frozen=True, kw_only=True):
    """Make the score of the party ``subject`` anew."""


class SwitchRelations(Command, frozen=True, kw_only=True):
    """Let relations count in the party's score, or leave them out; they are out until the party says so."""

    on: bool


class GiveAuthorisation(Command, frozen=True, kw_only=True):
    """Let a third party ask for a party's score; ``subject`` is ``authorisation_id`` of both."""

    party: HexId
    third_party: HexId
    scope: SharedScope
    expires_at: Time


class RevokeAuthorisation(Command, frozen=True, kw_only=True):
    """Take an authorisation back, at once and without a reason."""


class QueryScore(Command, frozen=True, kw_only=True):
    """Show a third party what a party authorised it to see; ``subject`` is the query's own id."""

    party: HexId
    third_party: HexId


class OpenDispute(Command, frozen=True, kw_only=True):
    """Say that a dimension of the score of the party ``subject`` rests on something wrong."""

    dimension: Dimension


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that was wrong, and what is right.

    Attributes
    ----------
    fact
        Its kind.
    at
        The time it was told of, in nanoseconds.
    was
        What it said: 1 for late, or for passed.
    is_now
        What is right; None where there was nothing to tell at all.
    """

    fact: CorrectedFact
    at: Time
    was: Annotated[int, msgspec.Meta(ge=0, le=1)]
    is_now: Annotated[int, msgspec.Meta(ge=0, le=1)] | None


Corrections = Annotated[list[Correction], msgspec.Meta(max_length=64)]


class UpholdDispute(Command, frozen=True, kw_only=True):
    """Say that the party is right, correct the facts, and have the score made anew; ``by`` a credential."""

    by: HexId
    corrections: Corrections


class RejectDispute(Command, frozen=True, kw_only=True):
    """Say that the score is right; ``by`` is the credential of whoever says so."""

    by: HexId


# -- what happened -------------------------------------------------------------------------


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one feature, None where missing, and the marks that it got."""

    feature: Name
    reading: Value | None
    marks: Count


class ScoreRefreshed(DomainEvent, frozen=True, kw_only=True):
    """A score was made.

    It explains itself: what was read, by which version of the terms, with the weights and bands of then.

    Attributes
    ----------
    position
        What of the journal was known.
    most, points
        By dimension, as ``weights`` are: percents of which those of relations are 0 where they are left out.
    due
        When it is made next by itself, in nanoseconds.
    """

    cause: Cause
    score: Count
    band: Count
    terms: Count
    weights: Annotated[list[Count], msgspec.Meta(min_length=_DIMENSIONS, max_length=_DIMENSIONS)]
    bands: Annotated[list[Count], msgspec.Meta(max_length=BANDS_MAX)]
    most: Annotated[list[Count], msgspec.Meta(min_length=_DIMENSIONS, max_length=_DIMENSIONS)]
    points: Annotated[list[Count], msgspec.Meta(min_length=_DIMENSIONS, max_length=_DIMENSIONS)]
    readings: Annotated[list[Reading], msgspec.Meta(max_length=SCALES_MAX)]
    position: Time
    business_day: Count
    at: Time
    due: Time


class ScoreWithdrawn(DomainEvent, frozen=True, kw_only=True):
    """There is no score any more: the party took its consent back, or takes part no more."""


class RelationsSwitched(DomainEvent, frozen=True, kw_only=True):
    """The party said whether relations count."""

    on: bool


class AuthorisationGiven(DomainEvent, frozen=True, kw_only=True):
    """A party lets a third party ask for its score until a time."""

    party: HexId
    third_party: HexId
    scope: SharedScope
    expires_at: Time


class AuthorisationRevoked(DomainEvent, frozen=True, kw_only=True):
    """The third party may not ask any more."""


class ScoreQueried(DomainEvent, frozen=True, kw_only=True):
    """A third party was shown a band, and a score unless that is 0."""

    party: HexId
    third_party: HexId
    scope: SharedScope
    score: Count
    band: Count
    terms: Count
    at: Time


class DisputeOpened(DomainEvent, frozen=True, kw_only=True):
    """A party says that its score rests on something wrong."""

    dimension: Dimension


class DisputeUpheld(DomainEvent, frozen=True, kw_only=True):
    """The party is right; what was wrong is corrected, and the score is made anew at ``due``."""

    by: HexId
    corrections: Corrections
    due: Time


class DisputeRejected(DomainEvent, frozen=True, kw_only=True):
    """The score is right."""

    by: HexId
