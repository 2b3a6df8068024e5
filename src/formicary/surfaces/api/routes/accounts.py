"""``/v1/accounts``: parties' wallets, their balances now and as of any time, their transfers."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query

from formicary.base.currencies import CURRENCIES
from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.identity.party import PARTY_PRODUCT, PartyKind, PartyNotActive, PartyStatus
from formicary.factory.ledger import (
    AccountFilter,
    AccountFlags,
    CreateAccountStatus,
    account_array,
    id_column,
)
from formicary.products.payments.postings import AccountCode, account_id, house_accounts, wallet_account
from formicary.surfaces.api.problems import NotFound, RefusedAs
from formicary.surfaces.api.routes.shared import (
    DEFAULT_LIMIT,
    Asked,
    Body,
    Caller,
    Cursor,
    Document,
    Id,
    Limit,
    currency_code,
    read_currency,
    read_cursor,
    read_id,
    read_path_id,
)
from formicary.surfaces.api.routes.transfer_documents import TransferDocument, TransferPage, transfer_page
from formicary.surfaces.api.values import read_time, time_text

__all__ = ["TransferDocument", "own_account", "router"]

router: Final = APIRouter(prefix="/v1/accounts", tags=["accounts"])

_CODES: Final = {
    PartyKind.PERSON: AccountCode.PERSON_WALLET,
    PartyKind.MERCHANT: AccountCode.MERCHANT_WALLET,
    PartyKind.PARTNER: AccountCode.PARTNER_WALLET,
}


class AccountBody(Body):
    """A wallet to open: a party has one a currency, by its ISO 4217 code."""

    party: str
    currency: str


class AccountDocument(Document):
    """An account: what it holds, what is held back, in minor units."""

    id: str
    party: str
    currency: str
    kind: str
    status: str
    balance: int
    available: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int
    opened_at: str


class BalanceDocument(Document):
    """An account's totals at a time, in minor units."""

    account: str
    currency: str
    as_of: str
    balance: int
    available: int
    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int


@router.post("", status_code=HTTPStatus.CREATED)
async def open_account(body: AccountBody, asked: Asked) -> AccountDocument:
    """Open a party's wallet in a currency; opening it again shows it. For the house's keys only."""
    asked.principal.require(Scope.PARTIES_WRITE)
    asked.principal.require_house()
    _ = asked.key
    party = read_id(Prefix.PARTY, body.party, param="party")
    ledger = read_currency(body.currency)
    fields = (await asked.services.backend.aggregates(PARTY_PRODUCT.name, [party]))[0]
    if fields is None:
        raise NotFound
    if fields["status"] != PartyStatus.ACTIVE:
        raise PartyNotActive
    code = _CODES.get(PartyKind(fields["kind"]), AccountCode.PARTNER_WALLET)
    wanted = [*house_accounts(ledger), wallet_account(party, ledger, code)]
    results = await asked.services.backend.create_accounts(account_array(wanted))
    for status in results["status"].tolist():
        if status not in (CreateAccountStatus.CREATED, CreateAccountStatus.EXISTS):
            raise RefusedAs(CreateAccountStatus(status).name.lower())
    return account_document(await own_account(asked, account_id(party, ledger)))


@router.get("")
async def list_accounts(
    asked: Asked,
    party: Annotated[str, Query(max_length=64, description="Whose.")],
    currency_wanted: Annotated[str | None, Query(alias="currency", max_length=3)] = None,
) -> list[AccountDocument]:
    """Show a party's wallets, in order of opening."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    owner = read_id(Prefix.PARTY, party, param="party")
    asked.principal.require_party(owner)
    ids = [account_id(owner, ledger) for ledger in _ledgers(currency_wanted)]
    found = await asked.services.backend.lookup_accounts(ids)
    return [account_document(account) for account in found[found["timestamp"].argsort()]]


@router.get("/{account}")
async def get_account(account: Id, asked: Asked) -> AccountDocument:
    """Show an account as it is now."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    return account_document(await own_account(asked, read_path_id(Prefix.ACCOUNT, account)))


@router.get("/{account}/balance")
async def get_balance(
    account: Id,
    asked: Asked,
    as_of: Annotated[str | None, Query(max_length=40, description="RFC 3339; now unless given.")] = None,
) -> BalanceDocument:
    """Show an account's totals, now or as of any time since it was opened."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    identifier = read_path_id(Prefix.ACCOUNT, account)
    now = await own_account(asked, identifier)
    if as_of is None:
        return _balance(now, now, asked.services.now())
    at = read_time(as_of, param="as_of")
    totals = await asked.services.backend.remember(lambda history: history.balance_as_of(identifier, at))
    if totals is None:
        raise NotFound
    return _balance(now, totals, at)


@router.get("/{account}/transfers")
async def list_transfers(
    account: Id, asked: Asked, *, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> TransferPage:
    """Show an account's transfers, newest first."""
    asked.principal.require(Scope.ACCOUNTS_READ)
    identifier = read_path_id(Prefix.ACCOUNT, account)
    await own_account(asked, identifier)
    before = read_cursor(cursor)
    wanted = AccountFilter(
        account_id=identifier, timestamp_max=max(before - 1, 0), limit=limit + 1, reversed=True
    )
    rows = await asked.services.backend.remember(lambda history: history.get_account_transfers(wanted))
    return transfer_page(rows, limit)


async def own_account(asked: Caller, identifier: int) -> Any:
    """Return an account of a party for whom the caller acts, one ``ACCOUNT``.

    Raises
    ------
    NotFound
        There is none, or it is somebody else's.
    """
    found = await asked.services.backend.lookup_accounts([identifier])
    if not len(found):
        raise NotFound
    asked.principal.require_party(owner_of(found[0]))
    return found[0]


def owner_of(account: Any) -> int:
    """Return the party whose account it is."""
    return int(account["user_data_128_high"]) << 64 | int(account["user_data_128_low"])


def account_document(account: Any) -> AccountDocument:
    """Return an account, one ``ACCOUNT``, as callers see it."""
    code = int(account["code"])
    return AccountDocument(
        id=encode(Prefix.ACCOUNT, id_column(account.reshape(1))[0]),
        party=encode(Prefix.PARTY, owner_of(account)),
        currency=currency_code(int(account["ledger"])),
        kind=AccountCode(code).name.lower() if code in list(AccountCode) else "other",
        status="closed" if int(account["flags"]) & AccountFlags.CLOSED else "open",
        opened_at=time_text(int(account["timestamp"])),
        **_totals(account),
    )


def _balance(account: Any, totals: Any, at: int) -> BalanceDocument:
    return BalanceDocument(
        account=encode(Prefix.ACCOUNT, id_column(account.reshape(1))[0]),
        currency=currency_code(int(account["ledger"])),
        as_of=time_text(at),
        **_totals(totals),
    )


def _totals(totals: Any) -> dict[str, int]:
    names = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
    found = {name: int(totals[name]) for name in names}
    balance = found["credits_posted"] - found["debits_posted"]
    return {**found, "balance": balance, "available": balance - found["debits_pending"]}


def _ledgers(code: str | None) -> list[int]:
    if code is not None:
        return [read_currency(code)]
    return [known.number for known in CURRENCIES]
