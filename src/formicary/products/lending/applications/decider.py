"""The decision about an application, whole and at once: no money moves, and nobody is in the path.

What is decided, and in which order: who asks (consent, wallet), what is known now (features, champion), what
the party owes here and how late it is, whether its sales fell or the fraud check has something against it,
what the policy and the book give, why, and what would have been enough. An approval is the party's standing
offer from then on; a decision that went against the party takes the standing offer back.

The fraud check is what the house knows and no more: frauds that were told of payments to the party in a
year, above what the policy takes, or a stop that somebody of the house put on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.currencies import currency_of_ledger
from formicary.base.purposes import Purpose
from formicary.factory.decisions.assessments import Assessment
from formicary.factory.engine.products import (
    Command,
    Consequence,
    Context,
    Decision,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import MalformedCommand, require_well_formed
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.factory.ledger import ID_MAX
from formicary.products.lending.applications import refusals
from formicary.products.lending.applications.book import BookTold, book_told, told_party
from formicary.products.lending.applications.borrowers import BORROWERS, Borrower, borrower_of
from formicary.products.lending.applications.explained import enough, parties_of, reasons_told, whole
from formicary.products.lending.applications.house import HOUSES_PRODUCT, House, house_of
from formicary.products.lending.applications.schemas import (
    APPLICATION,
    NAME,
    ApplyForCredit,
    CreditDecided,
    Offered,
    PartyTold,
    Scored,
    text_of,
)
from formicary.products.lending.limits import LENDING_AMOUNT_MAX
from formicary.products.lending.millionths import UNTOLD, millionths_of
from formicary.products.lending.servicing.drawing import require_wallet
from formicary.products.lending.servicing.exposure import OfParty
from formicary.products.lending.servicing.fields import Believed, LoanTerms, Rows, put_ids
from formicary.products.lending.servicing.layout import Origin
from formicary.products.lending.servicing.offers import (
    OFFER,
    OFFERS,
    OPEN,
    OfferMade,
    OfferWithdrawn,
    require_consent,
    standing_offer_id,
)
from formicary.products.lending.servicing.terms import day_at, quoted
from formicary.products.lending.underwriting.features import MERCHANT_CREDIT
from formicary.products.lending.underwriting.models import MERCHANT_DEFAULT
from formicary.products.lending.underwriting.preapproval import (
    DECISION,
    Condition,
    honoured,
    offers_expire_at,
)
from formicary.products.lending.underwriting.preapproval import decide as decide_about
from formicary.products.lending.underwriting.pricing import NO_RATE
from formicary.products.lending.watching.borrowers import WATCHED, warned_days_of

__all__ = ["applications_product", "decide", "evolve", "loan_rate"]

_DAYS_OF_A_YEAR: Final = 365
_BILLIONTHS: Final = 1_000

_HISTORY_DAYS_MAX: Final = 10**6
_AGAINST: Final = sum(
    1 << one for one in Condition if one not in (Condition.WANTED, Condition.MODEL, Condition.CAPITAL)
)
"""What speaks against a party itself: its standing offer is taken back."""


def loan_rate(rate: int) -> int:
    """Return a price in millionths a day as a loan's rate, billionths a year of actual/365: exact."""
    return rate * _DAYS_OF_A_YEAR * _BILLIONTHS


def decide(command: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide about an application."""
    require_well_formed(command)
    assert isinstance(command, ApplyForCredit)  # noqa: S101, as the manifest says
    if record is not None and record["policy"]:
        raise refusals.ApplicationExists
    if not 1 <= command.subject <= ID_MAX:
        raise MalformedCommand
    party = int(command.party, 16)
    currency_of_ledger(command.currency)
    require_consent(context, party)
    if command.wallet is not None:
        require_wallet(context, int(command.wallet, 16), party, command.currency)
    house = house_of(context, command.currency)
    return _decided(command, party, house, context)


def _decided(command: ApplyForCredit, party: int, house: House, context: Context) -> Decision:
    told = context.features(MERCHANT_CREDIT.name, purpose=Purpose.CREDIT, asking={"party": party})
    assessment: Assessment | None = context.assess(MERCHANT_DEFAULT.name, told.values)
    borrower = borrower_of(context, party)
    owed = told_party(context, party, command.currency)
    warned = warned_days_of(context, party)
    known = _party_told(house, told.values, assessment, borrower, (owed, warned))
    book = book_told(context, house, owed, borrower.segment)
    standing = context.aggregate(OFFERS.name, standing_offer_id(party, command.currency))
    standing_rate = _standing_rate(standing, context.now)
    decided = _judged(house, known, book, command.wanted, standing_rate)
    failed, limit = int(decided["failed"][0]), int(decided["limit"][0])
    offered = _offered(command, party, house, decided[0], context) if limit else None
    is_against = limit == 0 or bool(decided["is_cut"][0])
    changes = []
    if assessment is not None and not limit:
        changes = enough(house, known, command.wanted, failed, assessment)
    event = CreditDecided(
        party=command.party,
        currency=command.currency,
        wanted=command.wanted,
        wallet=command.wallet,
        policy=house.version,
        position=told.position,
        values=_texts(told.values),
        scored=None if assessment is None else _scored(assessment),
        told=known,
        book=book,
        standing_rate=standing_rate,
        limit=limit,
        rate=int(decided["rate"][0]),
        expected_loss=int(decided["expected_loss"][0]),
        failed=failed,
        binding=int(decided["binding"][0]),
        is_cut=bool(decided["is_cut"][0]),
        reasons=reasons_told(decided, assessment) if is_against else [],
        changes=changes,
        offered=offered,
        creditor=house.settings.creditor if is_against else None,
    )
    return Decision(
        events=[event],
        consequences=_consequences(event, known, party, standing, is_open=standing_rate != NO_RATE),
        answer=_answer(event, context.now),
    )


def _party_told(
    house: House, values: Any, assessment: Assessment | None, borrower: Borrower, own: tuple[OfParty, int]
) -> PartyTold:
    """Return what the party is taken for; a feature that is missing counts as nothing.

    ``own`` is what the house knows by itself: what the party owes, and how long ago it was warned of.
    """
    owed, warned = own
    frauds = whole(values["frauds_365d"], _HISTORY_DAYS_MAX)
    default = UNTOLD if assessment is None else int(millionths_of([assessment.chance])[0])
    return PartyTold(
        default=default,
        loss=UNTOLD if assessment is None else house.settings.loss,
        sales_30d=whole(values["sales_30d"]),
        sales_90d=whole(values["sales_90d"]),
        debt_service=min(owed.debt_service + borrower.other_debts, LENDING_AMOUNT_MAX),
        history_days=whole(values["days_known"], _HISTORY_DAYS_MAX),
        arrears_days=min(owed.arrears_days, _HISTORY_DAYS_MAX),
        frauds=frauds,
        is_stopped=borrower.is_stopped or frauds > house.settings.frauds_max,
        segment=borrower.segment,
        warned_days=min(warned, _HISTORY_DAYS_MAX),
    )


def _judged(house: House, known: PartyTold, book: BookTold, wanted: int, standing_rate: int) -> Any:
    """Return the decision, (1,) of ``DECISION``, by the function that makes offers to all parties."""
    parties = parties_of(known, house.settings.retained)
    fresh = decide_about(house.credit, house.capital, book.book(), parties, wanted=[wanted])
    standing = np.zeros(1, DECISION)
    standing["limit"], standing["rate"] = int(standing_rate != NO_RATE), standing_rate
    return honoured(standing, fresh.decisions)


def _standing_rate(standing: Rows | None, now: int) -> int:
    """Return the price of a standing offer that is open, in millionths a day, rounded down."""
    if standing is None or standing["state"] != OPEN or standing["expires"] <= now:
        return NO_RATE
    return int(standing["rate"]) // (_DAYS_OF_A_YEAR * _BILLIONTHS)


def _offered(command: ApplyForCredit, party: int, house: House, decided: Any, context: Context) -> Offered:
    terms: LoanTerms = msgspec.structs.replace(house.settings.terms, rate=loan_rate(int(decided["rate"])))
    record = np.zeros(1, OFFER)
    terms.put(record)
    quote = quoted(record[0], amount=int(decided["limit"]), day=day_at(context.now))
    return Offered(
        offer=f"{standing_offer_id(party, command.currency):032x}",
        terms=terms,
        expires=offers_expire_at(house.credit, context.now),
        effective_rate=quote.effective_rate,
        instalment=quote.instalment,
    )


def _consequences(
    event: CreditDecided, known: PartyTold, party: int, standing: Rows | None, *, is_open: bool
) -> list[Consequence]:
    """Return what becomes of the party's standing offer."""
    subject = standing_offer_id(party, event.currency)
    if event.offered is not None:
        made = OfferMade(
            party=event.party,
            currency=event.currency,
            limit=event.limit,
            terms=event.offered.terms,
            expires=event.offered.expires,
            effective_rate=event.offered.effective_rate,
            believed=Believed(
                default=max(known.default, 0),
                loss=max(known.loss, 0),
                segment=known.segment,
                origin=Origin.APPLICATION,
            ),
        )
        return [Consequence(product=OFFERS.name, subject=subject, event=made)]
    if is_open and standing is not None and event.failed & _AGAINST:
        return [Consequence(product=OFFERS.name, subject=subject, event=OfferWithdrawn())]
    return []


def _scored(assessment: Assessment) -> Scored:
    return Scored(model=assessment.hash, raw=text_of(assessment.raw), chance=text_of(assessment.chance))


def _texts(values: Any) -> dict[str, str | None]:
    return {name: None if value is None else text_of(value) for name, value in values.items()}


def _answer(event: CreditDecided, now: int) -> dict[str, Any]:
    offered = event.offered
    return {
        "limit": event.limit,
        "rate": event.rate,
        "is_cut": event.is_cut,
        "offer": None if offered is None else offered.offer,
        "effective_rate": 0 if offered is None else offered.effective_rate,
        "instalment": 0 if offered is None else offered.instalment,
        "expires": 0 if offered is None else offered.expires,
        "policy": event.policy,
        "model": None if event.scored is None else event.scored.model,
        "at": now,
        "reasons": [reason.said for reason in event.reasons],
    }


# -- evolving ------------------------------------------------------------------------------


def evolve(_: str, applications: Rows, events: Sequence[Any]) -> None:
    """Change applications (n,) as events (n,) say."""
    put_ids(applications, "party", [event.party for event in events])
    put_ids(applications, "model", [_NOTHING if one.scored is None else one.scored.model for one in events])
    put_ids(applications, "offer", [_NOTHING if one.offered is None else one.offered.offer for one in events])
    for name in _COPIED:
        applications[name] = [getattr(event, name) for event in events]
    for name in ("default", "loss"):
        applications[name] = [getattr(event.told, name) for event in events]
    for name in ("effective_rate", "instalment", "expires"):
        applications[name] = [
            0 if event.offered is None else getattr(event.offered, name) for event in events
        ]


_NOTHING: Final = "0" * 32
_COPIED: Final = (
    "currency",
    "wanted",
    "limit",
    "rate",
    "expected_loss",
    "position",
    "policy",
    "failed",
    "binding",
    "is_cut",
)


def applications_product(loans: Product) -> Product:
    """Return the product of applications beside a product of loans."""
    return Product(
        name=NAME,
        aggregate=APPLICATION,
        commands=(ApplyForCredit,),
        events=(CreditDecided,),
        decide=decide,
        evolve=evolve,
        is_columnar=True,
        found_by=("party",),
        neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT, HOUSES_PRODUCT, BORROWERS, OFFERS, WATCHED, loans),
    )
