"""``POST /v1/payments``: the hot route, a plain ledger transfer with one validation and one hash."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Annotated, Final

import msgspec

from formicary.base.currencies import currency
from formicary.base.limits import API_BODY_BYTES_MAX
from formicary.base.public_ids import Prefix, decode, encode
from formicary.factory.engine.requests import derive_id
from formicary.factory.ledger import AMOUNT_MAX, Transfer
from formicary.surfaces.api.auth import Principal
from formicary.surfaces.api.exchange import Answer, Exchange
from formicary.surfaces.api.gatherer import Gatherer
from formicary.surfaces.api.problems import MalformedBody

__all__ = ["PaymentRoutes"]

_ACCOUNTS_KEPT: Final = 1 << 17


class PaymentBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment to make."""

    payer: str
    payee: str
    amount: Annotated[int, msgspec.Meta(gt=0, le=AMOUNT_MAX)]
    currency: str
    reference: Annotated[str, msgspec.Meta(max_length=140)] = ""


class PaymentDocument(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    status: str
    payer: str
    payee: str
    amount: int
    currency: str
    created_at: int


_BODY: Final = msgspec.json.Decoder(PaymentBody)
_ENCODER: Final = msgspec.json.Encoder()


@lru_cache(maxsize=_ACCOUNTS_KEPT)
def _wallet(party: str, code: str) -> tuple[int, int, int]:
    number = currency(code).number
    identifier = decode(Prefix.PARTY, party)
    return identifier, derive_id(identifier, number), number


class PaymentRoutes:
    def __init__(self, gatherer: Gatherer) -> None:
        self._gatherer = gatherer

    async def create(self, exchange: Exchange, principal: Principal) -> Answer:
        key = exchange.idempotency_key()
        raw = await exchange.body(bytes_max=API_BODY_BYTES_MAX)
        try:
            body = _BODY.decode(raw)
        except msgspec.MsgspecError as error:
            raise MalformedBody(str(error)) from error
        payer, debit, ledger = _wallet(body.payer, body.currency)
        principal.require_party(payer)
        _, credit, _ = _wallet(body.payee, body.currency)
        named = f"{len(principal.name)}:{principal.name}{key}".encode()
        command_id = int.from_bytes(hashlib.blake2b(named, digest_size=16).digest(), "big")
        fingerprint = hashlib.blake2b(
            f"{payer}{credit}{body.amount}{body.currency}{body.reference}".encode(), digest_size=8
        ).digest()
        transfer_id = derive_id(command_id, 0)
        results = await self._gatherer.create(
            [
                Transfer(
                    id=transfer_id,
                    debit_account_id=debit,
                    credit_account_id=credit,
                    amount=body.amount,
                    ledger=ledger,
                    code=1,
                    user_data_64=int.from_bytes(fingerprint, "big"),
                )
            ]
        )
        timestamp, status = results[0]["timestamp"].item(), results[0]["status"].item()
        document = PaymentDocument(
            id=encode(Prefix.PAYMENT, transfer_id),
            status="completed" if status in (0, 46) else f"refused {status}",
            payer=body.payer,
            payee=body.payee,
            amount=body.amount,
            currency=body.currency,
            created_at=timestamp,
        )
        return Answer(_ENCODER.encode(document), status=201)
