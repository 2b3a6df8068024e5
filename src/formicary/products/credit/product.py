"""What the credit score adds to the factory, on one page.

It is told nothing of its own but two kinds of facts; the rest it reads from what payments already tell of a
party. Nobody else reads it: no decision point, no model and no feature of this house knows a score.
"""

from __future__ import annotations

from typing import Final

from formicary.factory.engine.products import Product
from formicary.factory.facts import FACTS_PRODUCT
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.products.credit import decider, dispute, schemas, sharing
from formicary.products.credit.features import FEATURES

__all__ = ["CREDIT", "DISPUTES", "QUERIES", "SCORES", "SHARING"]

SCORES: Final = Product(
    name=schemas.NAME,
    aggregate=schemas.CREDIT_SCORE,
    commands=(schemas.RefreshScore, schemas.SwitchRelations),
    events=(schemas.ScoreRefreshed, schemas.ScoreWithdrawn, schemas.RelationsSwitched),
    decide=decider.decide,
    evolve=decider.evolve,
    timers=(decider.MONTHLY,),
    neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT),
    features=FEATURES,
)
"""A party's score, made with its consent only."""

SHARING: Final = Product(
    name=sharing.AUTHORISATIONS,
    aggregate=schemas.AUTHORISATION,
    commands=(schemas.GiveAuthorisation, schemas.RevokeAuthorisation),
    events=(schemas.AuthorisationGiven, schemas.AuthorisationRevoked),
    decide=sharing.decide_authorisation,
    evolve=sharing.evolve_authorisation,
    neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT),
)
"""Which third parties a party lets ask, and until when."""

QUERIES: Final = Product(
    name="score_query",
    aggregate=schemas.QUERY,
    commands=(schemas.QueryScore,),
    events=(schemas.ScoreQueried,),
    decide=sharing.decide_query,
    evolve=sharing.evolve_query,
    neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT, SCORES, SHARING),
)
"""Who asked, and what it was shown."""

DISPUTES: Final = Product(
    name="score_dispute",
    aggregate=schemas.DISPUTE,
    commands=(schemas.OpenDispute, schemas.UpholdDispute, schemas.RejectDispute),
    events=(schemas.DisputeOpened, schemas.DisputeUpheld, schemas.DisputeRejected),
    decide=dispute.decide,
    evolve=dispute.evolve,
    timers=(dispute.RECOMPUTE,),
    neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT, SCORES, FACTS_PRODUCT),
)
"""What a party says is wrong, and what came of it."""

CREDIT: Final = (SCORES, SHARING, QUERIES, DISPUTES)
"""Every product of the credit score."""
