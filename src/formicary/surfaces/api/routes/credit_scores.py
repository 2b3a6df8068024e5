"""``/v1/credit-scores``: a party's own score, why it is what it is, and what would raise it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from fastapi import APIRouter

from formicary.base.public_ids import Prefix, encode
from formicary.base.purposes import Purpose
from formicary.base.scopes import Scope
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.products.credit.decider import kept_assessment
from formicary.products.credit.product import DISPUTES, SCORES
from formicary.products.credit.refusals import ScoreNeedsConsent, ScoreNotThere
from formicary.products.credit.schemas import DisputeStatus, RefreshScore, SwitchRelations
from formicary.products.credit.scoring import Assessment, Gain, gains, reasons
from formicary.products.credit.terms import Dimension, terms_of
from formicary.surfaces.api.problems import ConsentActNotAllowed
from formicary.surfaces.api.routes.shared import Asked, Body, Caller, Document, Id, read_path_id
from formicary.surfaces.api.values import time_text

__all__ = ["own_party", "require_own_act", "router"]

router: Final = APIRouter(prefix="/v1/credit-scores", tags=["credit score"])

_EPOCH: Final = date(1970, 1, 1)


class RelationsBody(Body):
    """Whether relations count in the score."""

    on: bool


class RelationsDocument(Document):
    """Whether relations count in a party's score."""

    party: str
    relations: bool


class DimensionDocument(Document):
    """Points of one dimension, of the most that there are."""

    dimension: str
    points: int
    most: int


class ScoreDocument(Document):
    """A party's score; ``disputed`` while a person looks at what the party says is wrong."""

    party: str
    score: int
    band: str
    dimensions: list[DimensionDocument]
    relations: bool
    business_date: str
    refreshed_at: str
    next_refresh_at: str
    terms: int
    disputed: bool


class AdviceDocument(Document):
    """What would raise the score by so many points: a reading at its target, all else the same.

    ``reading`` is null where nothing is known.
    """

    feature: str
    said: str
    raised_by: str
    unit: str
    reading: int | None
    target: int
    points: int


class ExplainedDimension(Document):
    """A dimension: what is missing of it, and what would raise it."""

    dimension: str
    points: int
    most: int
    missing: list[str]
    advice: list[AdviceDocument]


class ScoreExplanation(Document):
    """Why a score is what it is: at most four reasons, the worst first, and each dimension by itself."""

    party: str
    score: int
    band: str
    terms: int
    reasons: list[str]
    dimensions: list[ExplainedDimension]


@router.get("/{party_id}")
async def get_score(party_id: Id, asked: Asked) -> ScoreDocument:
    """Show a party its own score."""
    asked.principal.require(Scope.SCORES_READ)
    return await _document(asked, await own_party(asked, party_id))


@router.get("/{party_id}/explanation")
async def explain_score(party_id: Id, asked: Asked) -> ScoreExplanation:
    """Show a party why its score is what it is, and what would raise it."""
    asked.principal.require(Scope.SCORES_READ)
    party = await own_party(asked, party_id)
    made = kept_assessment(await _kept(asked, party))
    return ScoreExplanation(
        party=encode(Prefix.PARTY, party),
        score=made.score,
        band=made.terms.band_names[made.band],
        terms=made.terms.version,
        reasons=[one.scale.means for one in reasons(made)],
        dimensions=_explained(made),
    )


@router.post("/{party_id}/refresh")
async def refresh_score(party_id: Id, asked: Asked) -> ScoreDocument:
    """Make a party's score anew; without its consent there is none, and what there was is gone."""
    asked.principal.require(Scope.SCORES_WRITE)
    party = await own_party(asked, party_id)
    command = RefreshScore(subject=party)
    await asked.services.command(SCORES.name, command, principal=asked.principal, key=asked.key)
    return await _document(asked, party)


@router.post("/{party_id}/relations")
async def switch_relations(party_id: Id, body: RelationsBody, asked: Asked) -> RelationsDocument:
    """Let relations count, or leave them out; on with the party's own token only."""
    asked.principal.require(Scope.SCORES_WRITE)
    party = await own_party(asked, party_id)
    if body.on:
        require_own_act(asked)
    command = SwitchRelations(subject=party, on=body.on)
    await asked.services.command(SCORES.name, command, principal=asked.principal, key=asked.key)
    fields = await asked.services.aggregate(SCORES.name, party)
    return RelationsDocument(party=encode(Prefix.PARTY, party), relations=bool(fields["relations"]))


async def own_party(asked: Caller, party_id: str) -> int:
    """Return the id of a party that is there, and the caller's to see."""
    party = read_path_id(Prefix.PARTY, party_id)
    asked.principal.require_party(party)
    await asked.services.aggregate(PARTY_PRODUCT.name, party)
    return party


def require_own_act(asked: Caller) -> None:
    """Raise ``ConsentActNotAllowed`` unless the party itself asks: no key acts in its name."""
    if asked.principal.is_key:
        raise ConsentActNotAllowed


async def _kept(asked: Caller, party: int) -> dict[str, Any]:
    """Return a party's score, unless it took its consent back meanwhile."""
    backend = asked.services.backend
    consent = (await backend.aggregates(CONSENT_PRODUCT.name, [party]))[0]
    if consent is None or not consent["granted"] >> Purpose.CREDIT & 1:
        raise ScoreNeedsConsent
    kept = (await backend.aggregates(SCORES.name, [party]))[0]
    if kept is None or not kept["score"]:
        raise ScoreNotThere
    return kept


async def _document(asked: Caller, party: int) -> ScoreDocument:
    kept = await _kept(asked, party)
    dispute = (await asked.services.backend.aggregates(DISPUTES.name, [party]))[0]
    return ScoreDocument(
        party=encode(Prefix.PARTY, party),
        score=kept["score"],
        band=terms_of(kept["terms"]).band_names[kept["band"]],
        dimensions=[
            DimensionDocument(dimension=one.name.lower(), points=kept["points"][one], most=kept["most"][one])
            for one in Dimension
        ],
        relations=bool(kept["relations"]),
        business_date=(_EPOCH + timedelta(days=kept["business_day"])).isoformat(),
        refreshed_at=time_text(kept["refreshed_at"]),
        next_refresh_at=time_text(kept["due"]),
        terms=kept["terms"],
        disputed=dispute is not None and dispute["status"] == DisputeStatus.OPEN,
    )


def _explained(made: Assessment) -> list[ExplainedDimension]:
    advice = gains(made)
    pairs = list(zip(made.terms.scales, made.readings, strict=True))
    return [
        ExplainedDimension(
            dimension=dimension.name.lower(),
            points=made.points[dimension],
            most=made.most[dimension],
            missing=[
                scale.feature
                for scale, reading in pairs
                if scale.dimension is dimension and reading is None and made.most[dimension]
            ],
            advice=[_advice(one) for one in advice if one.scale.dimension is dimension],
        )
        for dimension in Dimension
    ]


def _advice(gain: Gain) -> AdviceDocument:
    return AdviceDocument(
        feature=gain.scale.feature,
        said=gain.scale.means,
        raised_by=gain.scale.raised_by,
        unit=gain.scale.unit,
        reading=gain.reading,
        target=gain.target,
        points=gain.points,
    )
