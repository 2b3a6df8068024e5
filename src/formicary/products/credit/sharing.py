"""Showing scores to others: a party authorises one third party, for a while, and sees every query.

A third party gets a score and its band, or the band alone, and never what they are made of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.factory.engine.products import Command, Context, Decision, TimerFired
from formicary.factory.engine.requests import require_well_formed
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, require_active_party
from formicary.products.credit import refusals, schemas
from formicary.products.credit.decider import agrees
from formicary.products.credit.schemas import NAME, SharedScope

__all__ = [
    "AUTHORISATIONS",
    "decide_authorisation",
    "decide_query",
    "evolve_authorisation",
    "evolve_query",
]

Rows = npt.NDArray[Any]

AUTHORISATIONS: Final = "score_authorisation"
"""The name of the product that keeps who may ask."""

_EXPIRY_MAX: Final = 366 * 86_400 * 1_000_000_000
_WORD: Final = 2**64 - 1


def decide_authorisation(asked: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide what a party lets a third party ask."""
    require_well_formed(asked)
    if isinstance(asked, schemas.GiveAuthorisation):
        return _give(asked, context)
    if record is None or record["is_revoked"]:
        raise refusals.AuthorisationNotGiven
    return Decision(events=[schemas.AuthorisationRevoked()])


def _give(asked: schemas.GiveAuthorisation, context: Context) -> Decision:
    party, third_party = int(asked.party, 16), int(asked.third_party, 16)
    require_active_party(context, party)
    require_active_party(context, third_party)
    told = context.aggregate(PARTY_PRODUCT.name, third_party)
    is_house = told is None or told["kind"] == PartyKind.HOUSE
    if is_house or party == third_party or asked.subject != schemas.authorisation_id(party, third_party):
        raise refusals.ThirdPartyNotAllowed
    if not agrees(context, party, Purpose.SCORE_SHARING):
        raise refusals.SharingNeedsConsent
    if not context.now < asked.expires_at <= context.now + _EXPIRY_MAX:
        raise refusals.ExpiryPassed
    given = schemas.AuthorisationGiven(
        party=asked.party, third_party=asked.third_party, scope=asked.scope, expires_at=asked.expires_at
    )
    return Decision(events=[given])


def evolve_authorisation(kind: str, authorisations: Rows, events: Sequence[Any]) -> None:
    """Change authorisations (n,) as events (n,) of one kind say."""
    if kind == "AuthorisationRevoked":
        authorisations["is_revoked"] = 1
        return
    _put_parties(authorisations, events)
    authorisations["is_revoked"] = 0
    for name in ("scope", "expires_at"):
        authorisations[name] = [getattr(event, name) for event in events]


def decide_query(asked: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide what a third party is shown; the receipt's answer is that, and nothing else."""
    require_well_formed(asked)
    assert isinstance(asked, schemas.QueryScore)  # noqa: S101, as the manifest says
    if record is not None:
        raise refusals.QueryExists
    party = int(asked.party, 16)
    scope = _scope(party, int(asked.third_party, 16), context)
    require_active_party(context, party)
    for purpose, refusal in (
        (Purpose.SCORE_SHARING, refusals.SharingNeedsConsent),
        (Purpose.CREDIT, refusals.ScoreNotThere),
    ):
        if not agrees(context, party, purpose):
            raise refusal
    kept = context.aggregate(NAME, party)
    if kept is None or not kept["score"]:
        raise refusals.ScoreNotThere
    shown = int(kept["score"]) if scope is SharedScope.SCORE_AND_BAND else 0
    event = schemas.ScoreQueried(
        party=asked.party,
        third_party=asked.third_party,
        scope=scope,
        score=shown,
        band=int(kept["band"]),
        terms=int(kept["terms"]),
        at=context.now,
    )
    answer = {"score": shown or None, "band": event.band, "terms": event.terms}
    return Decision(events=[event], answer=answer)


def _scope(party: int, third_party: int, context: Context) -> SharedScope:
    """Return what a third party may be shown now, or refuse."""
    given = context.aggregate(AUTHORISATIONS, schemas.authorisation_id(party, third_party))
    if given is None:
        raise refusals.AuthorisationNotGiven
    if given["is_revoked"]:
        raise refusals.AuthorisationTaken
    if given["expires_at"] <= context.now:
        raise refusals.AuthorisationExpired
    return SharedScope(int(given["scope"]))


def evolve_query(_: str, queries: Rows, events: Sequence[Any]) -> None:
    """Take down queries (n,) as events (n,) say."""
    _put_parties(queries, events)
    for name in ("scope", "score", "band", "terms", "at"):
        queries[name] = [getattr(event, name) for event in events]


def _put_parties(records: Rows, events: Sequence[Any]) -> None:
    for name in ("party", "third_party"):
        ids = [int(getattr(event, name), 16) for event in events]
        records[f"{name}_high"] = np.array([one >> 64 for one in ids], np.uint64)
        records[f"{name}_low"] = np.array([one & _WORD for one in ids], np.uint64)
