"""Parties' wallets as bodies name them: read once, kept by the text."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from formicary.base.currencies import currency
from formicary.base.errors import Refusal
from formicary.base.public_ids import Prefix, decode
from formicary.products.payments.postings import account_id
from formicary.surfaces.api.problems import RefusedAs

__all__ = ["Wallet", "find_wallet", "wallet"]

_KEPT_MAX: Final = 1 << 18
_ID_BYTES: Final = 16


class Wallet(NamedTuple):
    """A party's account in a currency: its id as a number and as big-endian bytes; or why it is none."""

    party: int
    account: int
    account_bytes: bytes
    ledger: int
    refusal: Refusal | None = None


def wallet(party: str, code: str, *, param: str) -> Wallet:
    """Return the wallet of a party, ``pty_…``, in a currency.

    Raises
    ------
    RefusedAs
        ``malformed_id`` or ``unknown_currency``.
    """
    found = find_wallet(party, code)
    if found.refusal is not None:
        of = "currency" if found.ledger < 0 else param
        raise RefusedAs(found.refusal.code, param=of, detail=str(found.refusal))
    return found


@lru_cache(maxsize=_KEPT_MAX)
def find_wallet(party: str, code: str) -> Wallet:
    """Return the wallet of a party in a currency; what cannot be one carries its refusal."""
    return _read(party, code)


def _read(party: str, code: str) -> Wallet:
    ledger = -1
    try:
        ledger = currency(code).number
        identifier = decode(Prefix.PARTY, party)
    except Refusal as refusal:
        return Wallet(0, 0, bytes(_ID_BYTES), ledger, refusal)
    account = account_id(identifier, ledger)
    return Wallet(identifier, account, account.to_bytes(_ID_BYTES), ledger)
