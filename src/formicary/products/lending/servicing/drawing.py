"""Lending: an offer is accepted, a loan is drawn, another one is paid off by it.

Consent, the offer's end and what the house may lend are asked for each time that something new is lent: what
was true when the offer was made need not be true any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from formicary.factory.engine.products import Consequence, Context, Decision
from formicary.factory.engine.requests import MalformedCommand
from formicary.factory.ledger import ID_MAX, AccountFlags
from formicary.products.lending.limits import REFINANCINGS_MAX
from formicary.products.lending.servicing import refusals, schemas, steps
from formicary.products.lending.servicing.fields import Believed, LoanTerms, Rows, id_of
from formicary.products.lending.servicing.layout import Bucket, LoanKind, LoanState
from formicary.products.lending.servicing.offers import OFFERS, OPEN, OfferAccepted, require_consent
from formicary.products.lending.servicing.postings import (
    Line,
    LoanAccount,
    LoanTransfer,
    house_account_id,
    missing_accounts,
    principal_account,
)
from formicary.products.lending.servicing.terms import day_at, quoted
from formicary.products.lending.servicing.today import Today

__all__ = ["Asking", "MayLend", "accept", "anybody", "draw", "refinance", "require_wallet"]

_LOANS: Final = "loan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who is about to be lent how much more: what the house's own limits are asked about.

    ``is_committed`` says that it was accepted before and is drawn now: exposure has it already. ``cash`` is
    what of it leaves the house at once. ``partner_share`` is what a partner carries of it, in millionths;
    None before anybody said.
    """

    party: int
    currency: int
    kind: LoanKind
    amount: int
    segment: int
    is_committed: bool
    cash: int = 0
    partner_share: int | None = None


MayLend = Callable[[Context, Asking], int]
"""Refuses where the house lends no more: a limit of capital is reached, or a model is missing.

Returns what a partner carries of what is new, in millionths.
"""


def anybody(_: Context, __: Asking) -> int:
    """Let the house lend to whoever has an offer, by itself."""
    return 0


def accept(
    command: schemas.AcceptOffer, record: Rows | None, context: Context, may_lend: MayLend
) -> Decision:
    """Decide that a party takes an offer."""
    if record is not None and record["state"]:
        raise refusals.LoanExists
    if not 1 <= command.subject < ID_MAX:
        raise MalformedCommand
    party, wallet = int(command.party, 16), int(command.wallet, 16)
    offer = _open_offer(command, context)
    require_consent(context, party)
    currency, kind = int(offer["currency"]), LoanKind(int(offer["kind"]))
    require_wallet(context, wallet, party, currency)
    if not 1 <= command.amount <= offer["limit"]:
        raise refusals.DrawOutOfRange
    quote = quoted(offer, amount=command.amount, day=day_at(context.now))
    if quote.effective_rate != command.effective_rate:
        raise refusals.RateNotShown
    believed = Believed.of(offer)
    asking = Asking(
        party=party,
        currency=currency,
        kind=kind,
        amount=command.amount,
        segment=believed.segment,
        is_committed=False,
    )
    partner_share = may_lend(context, asking)
    accepted = schemas.LoanAccepted(
        offer=command.offer,
        party=command.party,
        wallet=command.wallet,
        currency=currency,
        limit=command.amount,
        terms=_terms(offer),
        is_collected=command.is_collected,
        believed=believed,
        partner_share=partner_share,
    )
    taken = Consequence(product=OFFERS.name, subject=int(command.offer, 16), event=OfferAccepted())
    return Decision(
        events=[accepted],
        consequences=[taken],
        accounts=[principal_account(command.subject, party, currency), *missing_accounts(context, currency)],
        answer={"instalment": quote.instalment, "effective_rate": quote.effective_rate},
    )


def _open_offer(command: schemas.AcceptOffer, context: Context) -> Rows:
    offer = context.aggregate(OFFERS.name, int(command.offer, 16))
    if offer is None or not offer["state"]:
        raise refusals.OfferNotFound
    if id_of(offer, "party") != int(command.party, 16):
        raise refusals.NotYourOffer
    if offer["state"] != OPEN:
        raise refusals.OfferTaken
    if offer["expires"] <= context.now:
        raise refusals.OfferExpired
    return offer


def _terms(offer: Rows) -> LoanTerms:
    names = {name: name for name in LoanTerms.__struct_fields__} | {"instalments": "left"}
    fields: dict[str, Any] = {name: int(offer[there]) for name, there in names.items()}
    return LoanTerms(**fields | {"is_level": bool(fields["is_level"])})


def require_wallet(context: Context, wallet: int, party: int, currency: int) -> None:
    """Raise ``LoanWalletUnusable`` unless an account is a party's, open and of a currency."""
    account = context.account(wallet)
    if (
        account is None
        or account["flags"] & AccountFlags.CLOSED
        or account["ledger"] != currency
        or id_of(account, "user_data_128") != party
    ):
        raise refusals.LoanWalletUnusable


def draw(record: Rows, amount: int, context: Context, may_lend: MayLend) -> Decision:
    """Decide that a loan pays out into the wallet."""
    today = Today(record, context)
    instalment = _new_credit(today, amount, context, may_lend, cash=amount)
    today.draws(amount)
    _pays_out(today, amount)
    drawn = schemas.LoanPaidOut(day=today.day, amount=amount, instalment=instalment)
    return today.decision(drawn, **_told(today))


def _pays_out(today: Today, amount: int) -> None:
    """Let an amount go to the wallet, and the fee of the draw back from it."""
    fees = house_account_id(LoanAccount.FEE_INCOME, today.currency)
    today.lines += [
        Line(today.id, today.wallet, amount, LoanTransfer.DRAW),
        Line(today.wallet, fees, int(today.record["draw_fee"]), LoanTransfer.DRAW_FEE),
    ]


def _new_credit(today: Today, amount: int, context: Context, may_lend: MayLend, *, cash: int) -> int:
    """Refuse unless an amount may be drawn of a loan now, and so much of it paid out in cash.

    Return the instalment from then on.
    """
    loan = today.record
    party, is_line = id_of(loan, "party"), loan["kind"] == LoanKind.LINE
    kind = LoanKind.LINE if is_line else LoanKind.INSTALMENT
    if loan["state"] == LoanState.ACTIVE and not is_line:
        raise refusals.LoanDrawn
    if loan["state"] not in (LoanState.ACCEPTED, LoanState.ACTIVE):
        raise refusals.LoanNotOpen
    if loan["bucket"] != Bucket.CURRENT:
        raise refusals.LoanInArrears
    room = int(loan["limit"]) - int(loan["balance"])
    if not int(loan["draw_fee"]) < amount <= room or not (is_line or amount == room):
        raise refusals.DrawOutOfRange
    require_consent(context, party)
    asking = Asking(
        party=party,
        currency=today.currency,
        kind=kind,
        amount=amount,
        segment=int(loan["segment"]),
        is_committed=True,
        cash=cash,
        partner_share=int(loan["partner_share"]),
    )
    may_lend(context, asking)
    return 0 if is_line else quoted(loan, amount=amount, day=today.day).instalment


def refinance(record: Rows, other: int, context: Context, may_lend: MayLend) -> Decision:
    """Decide that an accepted loan pays off another one, and the rest goes to the wallet."""
    found = context.aggregate(_LOANS, other)
    if found is None or not found["state"]:
        raise refusals.LoanNotFound
    new, old = Today(record, context), Today(found, context)
    _require_refinanceable(new, old)
    amount, owed = int(record["limit"]), steps.owed(old.loan)
    rest = amount - owed
    instalment = _new_credit(new, amount, context, may_lend, cash=max(rest, 0))
    if not 0 < owed <= amount or (rest and rest <= int(record["draw_fee"])):
        raise refusals.RefinancingRefused
    new.draws(amount)
    old.pays(owed, new.id)
    new.lines = [*old.lines, *new.lines]
    if rest:
        _pays_out(new, rest)
    count = int(old.record["refinanced"]) + 1
    drawn = schemas.LoanPaidOut(day=new.day, amount=amount, instalment=instalment, refinanced=count)
    decision = new.decision(drawn, paid_off=owed, **_told(new))
    repaid = schemas.LoanRepaid(day=old.day, amount=owed)
    return Decision(
        events=decision.events,
        consequences=[Consequence(product=_LOANS, subject=old.id, event=repaid)],
        accounts=decision.accounts,
        transfers=decision.transfers,
        answer=decision.answer,
    )


def _require_refinanceable(new: Today, old: Today) -> None:
    is_same = all(old.record[name] == new.record[name] for name in ("party_high", "party_low", "currency"))
    if (
        new.record["kind"] != LoanKind.INSTALMENT
        or old.id == new.id
        or not is_same
        or old.record["state"] != LoanState.ACTIVE
        or old.record["is_non_accrual"]
        or old.record["refinanced"] >= REFINANCINGS_MAX
    ):
        raise refusals.RefinancingRefused


def _told(today: Today) -> dict[str, int]:
    return {"balance": int(today.record["balance"]), "next_due": int(today.record["next_due"])}
