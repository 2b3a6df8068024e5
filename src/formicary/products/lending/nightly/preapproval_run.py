"""Pre-approval of a whole base: limit and price of every party, kept as its standing offer.

A run is of a day and a currency. Each command of it does the next part, knows where the one before ended,
and is all or nothing, so that a run that was killed goes on with the next command and nothing is done twice:

1. *begin*: how many offers and parties there are is written down; who comes later is for the next night;
2. *renew*: standing offers are looked at again, in the order in which they were made;
3. *make*: parties that have none are looked at, in the order in which they were registered.

A part waits for nobody and holds nothing: applications and payments go on between two of them. What is
decided about a party is what an application for as much as there is would come to at that moment, with two
exceptions. What is open of other standing offers counts as lent, so that the house never offers more in all
than own funds carry. And a price that was promised holds until it expires: where it would rise, the offer
keeps rate and end, and only its limit is what is known now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from formicary.base.currencies import currency_of_ledger
from formicary.base.rounding import div_ceiling
from formicary.factory.engine.columns import IDS
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import require_well_formed
from formicary.factory.identity.consent import CONSENT_PRODUCT
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, PartyStatus
from formicary.products.lending.applications.book import LOANS
from formicary.products.lending.applications.borrowers import BORROWERS
from formicary.products.lending.applications.house import HOUSES_PRODUCT, House, house_of
from formicary.products.lending.funding.funds import funds_of
from formicary.products.lending.limits import PREAPPROVE_PARTIES_MAX
from formicary.products.lending.millionths import MILLION
from formicary.products.lending.nightly import refusals
from formicary.products.lending.nightly.known import known_parties
from formicary.products.lending.servicing.exposure import Sums, book_key, sums_of
from formicary.products.lending.servicing.fields import Amount, CurrencyNumber, Number, Rows
from formicary.products.lending.servicing.layout import OfferState, Origin
from formicary.products.lending.servicing.offers import OFFERS, standing_offer_id
from formicary.products.lending.servicing.standing_offers import (
    LIMITS,
    SHARES,
    STAYS,
    TIMES,
    OffersMade,
    OffersRenewed,
    yearly,
)
from formicary.products.lending.servicing.terms import day_at
from formicary.products.lending.underwriting.capital import Book
from formicary.products.lending.underwriting.preapproval import decide as decide_about
from formicary.products.lending.underwriting.preapproval import offers_expire_at
from formicary.products.lending.watching.borrowers import WATCHED

__all__ = ["PREAPPROVAL_RUN", "PreapproveParties", "RunBegun", "RunMade", "RunRenewed", "run_id"]
__all__ += ["preapprovals_product"]

NAME: Final = "preapproval"

_CURRENCY_BITS: Final = 16
_WORD: Final = 2**64 - 1

PREAPPROVAL_RUN: Final = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("policy", "<u4"),
        ("currency", "<u4"),
        ("is_begun", "<u4"),
        ("offers", "<i8"),
        ("renewed", "<i8"),
        ("parties", "<i8"),
        ("looked_at", "<i8"),
        ("offered", "<i8"),
        ("limits", "<i8"),
    ]
)
"""A run: over how many offers and parties it goes, how far it came, how many it offered something, how much.

It is over when all parties are looked at.
"""


class PreapproveParties(Command, frozen=True):
    """Go on with the run whose id ``run_id`` tells, by one part; begin it, if need be."""


class RunBegun(DomainEvent, frozen=True, kw_only=True):
    """A run began, by a version of the house's policy."""

    currency: CurrencyNumber
    policy: Number
    offers: Number
    parties: Number


class RunRenewed(DomainEvent, frozen=True, kw_only=True):
    """Offers up to before this one were looked at again; so many of the part hold, of so much in all."""

    renewed: Number
    offered: Number
    limits: Amount


class RunMade(DomainEvent, frozen=True, kw_only=True):
    """Parties up to before this one were looked at; so many of the part have an offer now."""

    looked_at: Number
    offered: Number
    limits: Amount


class _Part(NamedTuple):
    """What was decided about parties (n,)."""

    ids: Rows
    limits: npt.NDArray[np.int64]
    rates: npt.NDArray[np.int64]
    """Millionths a day, 0 where nothing is offered."""
    defaults: npt.NDArray[np.int64]
    losses: npt.NDArray[np.int64]
    segments: npt.NDArray[np.int64]


def run_id(day: int, currency: int) -> int:
    """Return the id of the run of a day, since 1970-01-01, in a currency by its ISO 4217 number."""
    return day << _CURRENCY_BITS | currency


def decide(command: Command | TimerFired, record: Rows | None, context: Context) -> Decision:
    """Decide the next part of a run."""
    require_well_formed(command)
    day, currency = command.subject >> _CURRENCY_BITS, command.subject & (1 << _CURRENCY_BITS) - 1
    currency_of_ledger(currency)
    house, today = house_of(context, currency), day_at(context.now)
    if record is None or not record["is_begun"]:
        if day != today:
            raise refusals.PreapprovalNotDue
        return _begin(house, context)
    if record["looked_at"] >= record["parties"] and record["renewed"] >= record["offers"]:
        raise refusals.PreapprovalEnded
    if not day <= today <= day + 1:
        raise refusals.PreapprovalNotDue
    if record["renewed"] < record["offers"]:
        return _renew(record, house, context)
    return _make(record, house, context)


def _begin(house: House, context: Context) -> Decision:
    # Without a champion a run would take every offer back.
    known_parties(context, house, np.zeros((0, 2), np.uint64))
    begun = RunBegun(
        currency=house.currency,
        policy=house.version,
        offers=len(context.columns(OFFERS.name)),
        parties=len(context.columns(PARTY_PRODUCT.name)),
    )
    return Decision(events=[begun], answer=_answer(begun.offers, 0, begun.parties, 0, 0))


def _renew(record: Rows, house: House, context: Context) -> Decision:
    first, count = int(record["renewed"]), int(record["offers"])
    after = min(first + PREAPPROVE_PARTIES_MAX, count)
    offers = context.columns(OFFERS.name)[first:after]
    places = np.flatnonzero((offers["origin"] != Origin.HOUSE) & (offers["currency"] == house.currency))
    standing = offers[places]
    part = _decided(context, house, _ids(standing, "party"), standing)
    is_open = standing["state"] == OfferState.OPEN
    is_promised = is_open & (standing["expires"] > context.now) & (standing["rate"] < yearly(part.rates))
    limits = np.full(len(offers), STAYS)
    # Of what was taken or withdrawn nothing can be taken back.
    limits[places] = np.where((part.limits == 0) & ~is_open, STAYS, part.limits)
    expires = np.where(is_promised, standing["expires"], offers_expire_at(house.credit, context.now))
    rates = np.where(is_promised, standing["rate"] // yearly(np.ones(1, np.int64)), part.rates)
    event = OffersRenewed(
        first=first,
        after=after,
        limits=LIMITS.pack(limits),
        rates=_spread(places, rates, len(offers), SHARES),
        defaults=_spread(places, part.defaults, len(offers), SHARES),
        losses=_spread(places, part.losses, len(offers), SHARES),
        segments=_spread(places, part.segments, len(offers), SHARES),
        expires=_spread(places, expires, len(offers), TIMES),
        terms=house.settings.terms,
    )
    renewed = RunRenewed(renewed=after, offered=int((part.limits > 0).sum()), limits=int(part.limits.sum()))
    return Decision(
        events=[renewed],
        consequences=[Consequence(product=OFFERS.name, subject=int(record["id_low"]), event=event)],
        answer=_answer(count, after, int(record["parties"]), 0, renewed.offered),
    )


def _make(record: Rows, house: House, context: Context) -> Decision:
    first, count = int(record["looked_at"]), int(record["parties"])
    after = min(first + PREAPPROVE_PARTIES_MAX, count)
    parties = context.columns(PARTY_PRODUCT.name)[first:after]
    asked = parties[(parties["status"] == PartyStatus.ACTIVE) & (parties["kind"] != PartyKind.HOUSE)]
    ids = _ids(asked, "id")
    standing = _words([standing_offer_id(high << 64 | low, house.currency) for high, low in ids.tolist()])
    is_new = context.numbers(OFFERS.name, standing) < 0
    part = _decided(context, house, ids[is_new], np.zeros(0, OFFERS.aggregate))
    is_offered = part.limits > 0
    made = RunMade(looked_at=after, offered=int(is_offered.sum()), limits=int(part.limits.sum()))
    consequences = []
    if made.offered:
        number = len(context.columns(OFFERS.name))
        event = OffersMade(
            first=number,
            after=number + made.offered,
            ids=IDS.pack(standing[is_new][is_offered]),
            parties=IDS.pack(part.ids[is_offered]),
            limits=LIMITS.pack(part.limits[is_offered]),
            rates=SHARES.pack(part.rates[is_offered]),
            defaults=SHARES.pack(part.defaults[is_offered]),
            losses=SHARES.pack(part.losses[is_offered]),
            segments=SHARES.pack(part.segments[is_offered]),
            currency=house.currency,
            terms=house.settings.terms,
            expires=offers_expire_at(house.credit, context.now),
        )
        consequences = [Consequence(product=OFFERS.name, subject=int(record["id_low"]), event=event)]
    offers = int(record["offers"])
    return Decision(
        events=[made],
        consequences=consequences,
        answer=_answer(offers, offers, count, after, made.offered),
    )


def _decided(context: Context, house: House, ids: Rows, standing: Rows) -> _Part:
    """Return what is decided about parties by ids (n, 2), who have standing offers (n,), or none at all."""
    known = known_parties(context, house, ids)
    book = _book(context, house, standing, known.exposures)
    told = decide_about(house.credit, house.capital, book, known.parties).decisions
    return _Part(
        ids=ids,
        limits=told["limit"],
        rates=np.maximum(told["rate"], 0),
        defaults=np.maximum(told["default"], 0).astype(np.int64),
        losses=np.maximum(told["loss"], 0).astype(np.int64),
        segments=known.parties.segments,
    )


def _book(context: Context, house: House, standing: Rows, exposures: npt.NDArray[np.int64]) -> Book:
    """Return where the lender stands, all open offers but those of this part (m,) counted as lent.

    Of what is offered it would retain what it does now.
    """
    loans = sums_of(context.totals(LOANS), house.currency)
    offered = {key: sums[0] for key, sums in context.totals(OFFERS.name).items()}
    own = standing[standing["state"] == OfferState.OPEN]
    for segment, limit in zip(own["segment"].tolist(), own["limit"].tolist(), strict=True):
        offered[book_key(house.currency, segment)] -= limit
    by_segment = {segment: sums.exposure for segment, sums in loans.items()}
    promised = 0
    for key, limit in offered.items():
        segment = key - book_key(house.currency, 0)
        if 0 <= segment < 1 << 32:
            own = div_ceiling(limit * house.settings.retained, MILLION)
            by_segment[segment] = by_segment.get(segment, 0) + own
            promised += own
    sums = sum(loans.values(), Sums())
    funds = funds_of(context, house.currency)
    return Book(
        own_funds=funds.own,
        cash=funds.cash,
        exposure=sums.exposure + promised,
        undrawn=sums.undrawn + promised,
        by_segment=by_segment,
        by_party=dict(enumerate(exposures.tolist())),
    )


def _spread(places: Rows, values: Rows, count: int, column: Any) -> str:
    """Return values at places as a column of so many, zeros between them."""
    spread = np.zeros(count, np.int64)
    spread[places] = values
    text: str = column.pack(spread)
    return text


def _ids(records: Rows, name: str) -> Rows:
    return np.column_stack([records[f"{name}_high"], records[f"{name}_low"]])


def _words(numbers: Sequence[int]) -> Rows:
    return np.array([(one >> 64, one & _WORD) for one in numbers], np.uint64).reshape(-1, 2)


def _answer(offers: int, renewed: int, parties: int, looked_at: int, offered: int) -> dict[str, Any]:
    return {
        "offers": offers,
        "renewed": renewed,
        "parties": parties,
        "looked_at": looked_at,
        "offered": offered,
        "is_ended": renewed >= offers and looked_at >= parties,
    }


def evolve(kind: str, runs: Rows, events: Sequence[Any]) -> None:
    """Change runs (n,) as events (n,) of one kind say."""
    if kind == "RunBegun":
        runs["is_begun"] = 1
        for name in ("currency", "policy", "offers", "parties"):
            runs[name] = [getattr(event, name) for event in events]
        return
    name = "renewed" if kind == "RunRenewed" else "looked_at"
    runs[name] = [getattr(event, name) for event in events]
    for name in ("offered", "limits"):
        runs[name] += [getattr(event, name) for event in events]


def preapprovals_product(loans: Product) -> Product:
    """Return the product that pre-approves parties beside a product of loans."""
    return Product(
        name=NAME,
        aggregate=PREAPPROVAL_RUN,
        commands=(PreapproveParties,),
        events=(RunBegun, RunRenewed, RunMade),
        decide=decide,
        evolve=evolve,
        neighbours=(PARTY_PRODUCT, CONSENT_PRODUCT, HOUSES_PRODUCT, BORROWERS, OFFERS, WATCHED, loans),
    )
