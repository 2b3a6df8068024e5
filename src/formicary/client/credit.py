"""The credit score's part of the client: a party's own score, and what it lets others see of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from formicary.client.pages import pages
from formicary.client.transport import Transport

__all__ = [
    "Advice",
    "CreditScore",
    "CreditScores",
    "ScoreAuthorisation",
    "ScoreDimension",
    "ScoreDispute",
    "ScoreExplanation",
    "ScoreQuery",
    "ScoreRelations",
    "ShownScore",
]


class ScoreDimension(msgspec.Struct, frozen=True, kw_only=True):
    """Points of a dimension, of the most there are; in an explanation also what is missing, and advice."""

    dimension: str
    points: int
    most: int
    missing: list[str] = []
    advice: list[Advice] = []


class Advice(msgspec.Struct, frozen=True, kw_only=True):
    """What would raise a score by so many points: a reading at its target, all else the same."""

    feature: str
    said: str
    raised_by: str
    unit: str
    reading: int | None
    target: int
    points: int


class CreditScore(msgspec.Struct, frozen=True, kw_only=True):
    """A party's score."""

    party: str
    score: int
    band: str
    dimensions: list[ScoreDimension]
    relations: bool
    business_date: str
    refreshed_at: str
    next_refresh_at: str
    terms: int
    disputed: bool


class ScoreExplanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a score is what it is: at most four reasons, the worst first, and every dimension."""

    party: str
    score: int
    band: str
    terms: int
    reasons: list[str]
    dimensions: list[ScoreDimension]


class ScoreRelations(msgspec.Struct, frozen=True, kw_only=True):
    """Whether relations count in a party's score."""

    party: str
    relations: bool


class ScoreAuthorisation(msgspec.Struct, frozen=True, kw_only=True):
    """What a party lets a third party ask; ``active`` while it may."""

    party: str
    third_party: str
    scope: str
    expires_at: str
    active: bool


class ShownScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a third party is shown."""

    score: int | None
    band: str


class ScoreQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A query, as its party sees it."""

    party: str
    third_party: str
    at: str
    scope: str
    score: int | None
    band: str


class ScoreDispute(msgspec.Struct, frozen=True, kw_only=True):
    """A party's latest dispute; ``decided_by`` is the key that said who is right."""

    party: str
    status: str
    dimension: str
    corrections: int
    changed_at: str
    decided_by: str | None


class CreditScores:
    """Credit scores to ask for; errors and ``key`` are as in ``Formicary``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def score(self, party: str) -> CreditScore:
        """Return a party's score."""
        return self._transport.get(_path(party), CreditScore)

    def explain(self, party: str) -> ScoreExplanation:
        """Return why it is what it is, and what would raise it."""
        return self._transport.get(_path(party, "/explanation"), ScoreExplanation)

    def refresh(self, party: str, *, key: str | None = None) -> CreditScore:
        """Make a party's score anew."""
        return self._transport.post(_path(party, "/refresh"), CreditScore, key=key)

    def switch_relations(self, party: str, *, on: bool, key: str | None = None) -> ScoreRelations:
        """Let relations count, or leave them out; on with the party's own token."""
        return self._transport.post(_path(party, "/relations"), ScoreRelations, {"on": on}, key=key)

    def authorise(
        self, party: str, third_party: str, *, scope: str, expires_at: str, key: str | None = None
    ) -> ScoreAuthorisation:
        """Let a third party ask for ``band`` or ``score_and_band``; with the party's own token."""
        body = {"third_party": third_party, "scope": scope, "expires_at": expires_at}
        return self._transport.post(_path(party, "/authorisations"), ScoreAuthorisation, body, key=key)

    def authorisations(self, party: str) -> Iterator[ScoreAuthorisation]:
        """Yield whom a party lets ask, or did."""
        return pages(self._transport, _path(party, "/authorisations"), ScoreAuthorisation)

    def revoke(self, party: str, third_party: str, *, key: str | None = None) -> ScoreAuthorisation:
        """Take an authorisation back."""
        path = _path(party, f"/authorisations/{third_party}/revoke")
        return self._transport.post(path, ScoreAuthorisation, key=key)

    def query(self, party: str, *, key: str | None = None) -> ShownScore:
        """Return what the party authorised the third party whose key this is to see."""
        return self._transport.post(_path(party, "/queries"), ShownScore, key=key)

    def queries(self, party: str) -> Iterator[ScoreQuery]:
        """Yield every query of a party's score, the oldest first."""
        return pages(self._transport, _path(party, "/queries"), ScoreQuery)

    def dispute(self, party: str, dimension: str, *, key: str | None = None) -> ScoreDispute:
        """Have a person look at what a dimension of a party's score rests on."""
        body = {"party": party, "dimension": dimension}
        return self._transport.post("/v1/score-disputes", ScoreDispute, body, key=key)

    def disputes(self, status: str = "open") -> Iterator[ScoreDispute]:
        """Yield parties' latest disputes that are ``open``, ``upheld`` or ``rejected``."""
        return pages(self._transport, "/v1/score-disputes", ScoreDispute, status=status)

    def decide_dispute(
        self,
        party: str,
        verdict: str,
        *,
        corrections: Sequence[Mapping[str, Any]] = (),
        key: str | None = None,
    ) -> ScoreDispute:
        """Say that a dispute is ``upheld``, with what is corrected, or ``rejected``."""
        body = {"verdict": verdict, "corrections": [dict(one) for one in corrections]}
        return self._transport.post(f"/v1/score-disputes/{party}/verdict", ScoreDispute, body, key=key)


def _path(party: str, rest: str = "") -> str:
    return f"/v1/credit-scores/{party}{rest}"
