"""Loans as callers see them: what is agreed, what is owed today, what is due, what is to come."""

from __future__ import annotations

from typing import Any

from formicary.base.civil import date_text
from formicary.base.public_ids import Prefix, encode
from formicary.factory.engine.reads import record_of
from formicary.factory.ledger import id_column
from formicary.products.lending.servicing import steps
from formicary.products.lending.servicing.layout import LOAN, Bucket, LoanState
from formicary.products.lending.servicing.postings import LoanTransfer
from formicary.products.lending.servicing.standing import Instalment, ahead, standing
from formicary.products.lending.servicing.terms import day_at
from formicary.surfaces.api.routes.loan_terms import TermsDocument, terms_document
from formicary.surfaces.api.routes.shared import Document, currency_code
from formicary.surfaces.api.values import time_text

__all__ = [
    "EntryDocument",
    "InstalmentDocument",
    "LoanDocument",
    "ScheduleDocument",
    "entry_documents",
    "loan_document",
    "schedule_document",
]


class PartsDocument(Document):
    """An amount in minor units, by what it is for."""

    fees: int
    interest: int
    principal: int


class ProvisionDocument(Document):
    """What is put aside, as of the last close of business, and the chances in millionths behind it.

    Of a joint loan a partner carries ``partner_share``, in millionths, and nothing is put aside for that.
    """

    stage: int
    allowance: int
    default: int
    default_now: int
    loss: int
    partner_share: int
    impaired: bool


class LoanDocument(Document):
    """A loan as it stands today, in minor units.

    ``owed`` is all that pays it off, of which ``due`` is unpaid since the first of ``days_late``, and
    ``accrued`` interest that is not due yet. ``bucket`` is as a business date says it. ``charged`` is what is
    still owed after a charge-off. ``provision`` is shown to the house.
    """

    id: str
    party: str
    wallet: str
    currency: str
    state: str
    limit: int
    terms: TermsDocument
    instalment: int
    balance: int
    owed: int
    due: PartsDocument
    accrued: int
    next_due: str | None
    days_late: int
    bucket: str
    non_accrual: bool
    collected: bool
    charged: PartsDocument
    recovered: int
    refinanced: int
    provision: ProvisionDocument | None
    changed_at: str


class InstalmentDocument(Document):
    """What falls due on a day, in minor units, and what is owed of the principal after that."""

    due: str
    principal: int
    interest: int
    fees: int
    payment: int
    balance: int


class ScheduleDocument(Document):
    """What is still to fall due, if what is due is paid today; of a line, of what is drawn."""

    loan: str
    as_of: str
    items: list[InstalmentDocument]


class EntryDocument(Document):
    """Money that moved because of a loan, from one account to another, in minor units."""

    id: str
    kind: str
    debit_account: str
    credit_account: str
    amount: int
    at: str


def loan_document(fields: dict[str, Any], now: int, *, is_house: bool) -> LoanDocument:
    """Return a loan's fields as the caller sees them at a time in nanoseconds."""
    copy = standing(record_of(fields, LOAN), day_at(now))
    loan = {name: copy[name].item() for name in LOAN.names or ()}
    state, day = LoanState(loan["state"]), loan["until"]
    is_active = state is LoanState.ACTIVE
    provision = ProvisionDocument(
        impaired=bool(loan["is_impaired"]),
        **{
            name: loan[name]
            for name in ("stage", "allowance", "default", "default_now", "loss", "partner_share")
        },
    )
    return LoanDocument(
        id=encode(Prefix.LOAN, int(fields["id"], 16)),
        party=encode(Prefix.PARTY, int(fields["party"], 16)),
        wallet=encode(Prefix.ACCOUNT, int(fields["wallet"], 16)),
        currency=currency_code(loan["currency"]),
        state=state.name.lower(),
        terms=terms_document(loan),
        owed=steps.owed(copy),
        due=_parts(loan, "{}_due"),
        next_due=date_text(loan["next_due"]) if is_active else None,
        days_late=day - loan["arrears_since"] if loan["arrears_since"] and is_active else 0,
        bucket=Bucket(loan["bucket"]).name.lower(),
        non_accrual=bool(loan["is_non_accrual"]),
        collected=bool(loan["is_collected"]),
        charged=_parts(loan, "charged_{}"),
        provision=provision if is_house else None,
        changed_at=time_text(fields["timestamp"]),
        **{
            name: loan[name]
            for name in ("limit", "instalment", "balance", "accrued", "recovered", "refinanced")
        },
    )


def _parts(loan: dict[str, Any], name: str) -> PartsDocument:
    return PartsDocument(**{part: loan[name.format(part)] for part in ("fees", "interest", "principal")})


def schedule_document(fields: dict[str, Any], now: int) -> ScheduleDocument:
    """Return what is still to fall due of a loan."""
    record, day = record_of(fields, LOAN), day_at(now)
    return ScheduleDocument(
        loan=encode(Prefix.LOAN, int(fields["id"], 16)),
        as_of=date_text(max(day, record["until"].item())),
        items=[_instalment(row) for row in ahead(record, day)],
    )


def _instalment(row: Instalment) -> InstalmentDocument:
    return InstalmentDocument(
        due=date_text(row.due),
        principal=row.principal,
        interest=row.interest,
        fees=row.fees,
        payment=row.principal + row.interest + row.fees,
        balance=row.balance,
    )


def entry_documents(rows: Any) -> list[EntryDocument]:
    """Return transfers (n,) of ``TRANSFER`` of a loan as callers see them."""
    known = {int(code): code.name.lower() for code in LoanTransfer}
    columns = (
        id_column(rows),
        id_column(rows, "debit_account_id"),
        id_column(rows, "credit_account_id"),
        *(rows[name].tolist() for name in ("amount", "code", "timestamp")),
    )
    return [
        EntryDocument(
            id=encode(Prefix.PAYMENT, identifier),
            kind=known.get(code, "other"),
            debit_account=encode(Prefix.ACCOUNT, debit),
            credit_account=encode(Prefix.ACCOUNT, credit),
            amount=amount,
            at=time_text(timestamp),
        )
        for identifier, debit, credit, amount, code, timestamp in zip(*columns, strict=True)
    ]
