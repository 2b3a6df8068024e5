"""Transfers as callers see them."""

from __future__ import annotations

from typing import Any

from formicary.base.public_ids import Prefix, encode
from formicary.factory.ledger import TransferFlags, id_column
from formicary.products.payments.postings import TransferCode
from formicary.surfaces.api.routes.shared import Document, currency_code
from formicary.surfaces.api.values import time_text

__all__ = ["TransferDocument", "TransferPage", "transfer_documents", "transfer_page"]


class TransferDocument(Document):
    """Money that moved between two accounts, in minor units; ``state`` says whether it is only held."""

    id: str
    kind: str
    state: str
    debit_account: str
    credit_account: str
    amount: int
    currency: str
    tag: int
    at: str


class TransferPage(Document):
    """Transfers; ``next`` is the cursor of the page after, None at the end."""

    items: list[TransferDocument]
    next: str | None


def transfer_page(rows: Any, limit: int) -> TransferPage:
    """Return a page of at most ``limit`` of rows (n,) of ``TRANSFER``, of which one more was looked for."""
    shown = rows[:limit]
    more = len(rows) > limit
    return TransferPage(
        items=transfer_documents(shown), next=str(int(shown[-1]["timestamp"])) if more else None
    )


def transfer_documents(rows: Any) -> list[TransferDocument]:
    """Return transfers (n,) of ``TRANSFER`` as callers see them."""
    columns = (
        id_column(rows),
        id_column(rows, "debit_account_id"),
        id_column(rows, "credit_account_id"),
        *(rows[name].tolist() for name in ("amount", "ledger", "code", "flags", "timestamp", "user_data_32")),
    )
    return [_document(*values) for values in zip(*columns, strict=True)]


def _document(  # noqa: PLR0917, the columns of a row in their order
    identifier: int,
    debit: int,
    credit: int,
    amount: int,
    ledger: int,
    code: int,
    flags: int,
    timestamp: int,
    tag: int,
) -> TransferDocument:
    return TransferDocument(
        id=encode(Prefix.PAYMENT, identifier),
        kind=TransferCode(code).name.lower() if code in list(TransferCode) else "other",
        state=_state(flags),
        debit_account=encode(Prefix.ACCOUNT, debit),
        credit_account=encode(Prefix.ACCOUNT, credit),
        amount=amount,
        currency=currency_code(ledger),
        tag=tag,
        at=time_text(timestamp),
    )


def _state(flags: int) -> str:
    if flags & TransferFlags.PENDING:
        return "held"
    return "voided" if flags & TransferFlags.VOID_PENDING_TRANSFER else "posted"
