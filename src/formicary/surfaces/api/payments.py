"""``POST /v1/payments`` and ``/v1/payments/batch``: plain ledger transfers, with one validation each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from formicary.base.arrays import joined
from formicary.base.errors import Refusal
from formicary.base.limits import API_BATCH_BODY_BYTES_MAX, API_BODY_BYTES_MAX, REQUEST_ITEMS_MAX
from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.requests import KeyReused, command_id_of
from formicary.factory.ledger import AMOUNT_MAX, TRANSFER_RESULT, CreateTransferStatus
from formicary.products.payments.batches import Columns, batch_transfers, payment_id, payment_ids
from formicary.products.payments.postings import InvalidAmount, code_of, payment
from formicary.products.payments.terms import MERCHANT_FEE_POINTS, fee_of
from formicary.surfaces.api.auth import Principal
from formicary.surfaces.api.exchange import Answer, Exchange
from formicary.surfaces.api.gatherer import Gatherer
from formicary.surfaces.api.metrics import Metrics
from formicary.surfaces.api.party_kinds import PartyKinds
from formicary.surfaces.api.ports import Backend, Records
from formicary.surfaces.api.problems import MalformedBody, RefusedAs
from formicary.surfaces.api.public_id_columns import id_texts
from formicary.surfaces.api.rate_limits import RateLimits
from formicary.surfaces.api.values import reference_hash, time_text, time_texts
from formicary.surfaces.api.velocity import Outgoing, VelocityLimitExceeded, VelocityLimits
from formicary.surfaces.api.wallets import Wallet, find_wallet, wallet

__all__ = ["BatchBody", "BatchDocument", "PaymentBody", "PaymentDocument", "PaymentRoutes"]

_REFERENCE_CHARACTERS_MAX: Final = 140
_PAYMENTS_PER_TOKEN: Final = 100
_CREATED: Final = int(CreateTransferStatus.CREATED)
_EXISTS: Final = int(CreateTransferStatus.EXISTS)
_LINKED_EVENT_FAILED: Final = int(CreateTransferStatus.LINKED_EVENT_FAILED)
_ID_ALREADY_FAILED: Final = int(CreateTransferStatus.ID_ALREADY_FAILED)

# Longer than any id; what is kept by its text must not be of any length.
Word = Annotated[str, msgspec.Meta(max_length=64)]
Reference = Annotated[str, msgspec.Meta(max_length=_REFERENCE_CHARACTERS_MAX)]


class PaymentBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """A payment to make: ``amount`` minor units of ``currency`` from one party's wallet to another's."""

    payer: Word
    payee: Word
    amount: int
    currency: Word
    reference: Reference = ""


class BatchBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Payments to make, each by itself: one that is refused stops none of the others."""

    payments: Annotated[list[PaymentBody], msgspec.Meta(min_length=1, max_length=REQUEST_ITEMS_MAX)]


class PaymentDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A payment that was made; the fee is the payee's, in minor units."""

    id: str
    status: str
    payer: str
    payee: str
    amount: int
    fee: int
    currency: str
    created_at: str


class ItemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How one payment of a batch went: ``completed``, or ``refused`` with a documented code."""

    status: str
    id: str = ""
    created_at: str = ""
    code: str = ""


class BatchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch went, item by item, in the order asked."""

    completed: int
    refused: int
    items: list[ItemDocument]


_PAYMENT: Final = msgspec.json.Decoder(PaymentBody)
_BATCH: Final = msgspec.json.Decoder(BatchBody)
_ENCODER: Final = msgspec.json.Encoder()


class PaymentRoutes:
    """Makes payments.

    Parameters
    ----------
    backend
        Where a batch's transfers go, and where earlier refusals are looked up.
    gatherer
        Where single ones go, together with those of other callers.
    """

    def __init__(
        self,
        backend: Backend,
        gatherer: Gatherer,
        kinds: PartyKinds,
        *,
        metrics: Metrics,
        rate_limits: RateLimits,
        velocity_limits: VelocityLimits,
    ) -> None:
        self._backend = backend
        self._gatherer = gatherer
        self._kinds = kinds
        self._metrics = metrics
        self._rate_limits = rate_limits
        self._velocity_limits = velocity_limits

    # -- one -------------------------------------------------------------------------------

    async def create(self, exchange: Exchange, principal: Principal) -> Answer:
        """Make one payment: 201 with its document, or a problem document."""
        principal.require(Scope.PAYMENTS_WRITE)
        key = exchange.idempotency_key()
        body = _decoded(_PAYMENT, await exchange.body(bytes_max=API_BODY_BYTES_MAX))
        payer = wallet(body.payer, body.currency, param="payer")
        payee = wallet(body.payee, body.currency, param="payee")
        if not 0 < body.amount <= AMOUNT_MAX:
            raise RefusedAs(InvalidAmount.code, param="amount")
        if not principal.acts_for(payer.party):
            # As if it did not exist.
            raise RefusedAs(code_of("debit_account_not_found"))
        to_merchant = await self._kinds.is_merchant(payee.party)
        fee = fee_of(body.amount, MERCHANT_FEE_POINTS) if to_merchant else 0
        fingerprint = _fingerprint(body)
        transfers = payment(
            command_id=command_id_of(principal.name, key),
            payer=payer.party,
            payee=payee.party,
            currency=payer.ledger,
            amount=body.amount,
            fee=fee,
            to_merchant=to_merchant,
            reference=reference_hash(body.reference),
            fingerprint=fingerprint,
        )
        if limits := await self._velocity_limits.limited((payer.party,)):
            outgoing = Outgoing(payer.party, payer.account, body.amount, transfers[0].id)
            async with self._velocity_limits.guard([outgoing], limits) as beyond:
                if beyond:
                    self._metrics.note_payments(VelocityLimitExceeded.code)
                    raise VelocityLimitExceeded
                results = await self._gatherer.create(transfers)
        else:
            results = await self._gatherer.create(transfers)
        status = _decisive(results["status"].tolist())
        if status not in (_CREATED, _EXISTS):
            code = await self._reason(status, transfers[0].id, fingerprint)
            self._metrics.note_payments(code)
            raise RefusedAs(code)
        self._metrics.note_payments("completed")
        document = PaymentDocument(
            id=encode(Prefix.PAYMENT, transfers[0].id),
            status="completed",
            payer=body.payer,
            payee=body.payee,
            amount=body.amount,
            fee=fee,
            currency=body.currency,
            created_at=time_text(results["timestamp"][0].item()),
        )
        return Answer(_ENCODER.encode(document), status=201)

    async def _reason(self, status: int, payment_id: int, fingerprint: int) -> str:
        """Return the code of a refusal; one that is repeated gets the code that it got at first."""
        if status == _ID_ALREADY_FAILED:
            recorded = await self._backend.remember(lambda history: history.recorded([payment_id]))
            if len(recorded):
                if recorded["user_data_64"][0].item() != fingerprint:
                    return KeyReused.code
                status = recorded["status"][0].item()
        return _code(status)

    # -- many ------------------------------------------------------------------------------

    async def create_batch(self, exchange: Exchange, principal: Principal) -> Answer:
        """Make many payments: 200 with one status each."""
        principal.require(Scope.PAYMENTS_WRITE)
        key = exchange.idempotency_key()
        raw = await exchange.body(bytes_max=API_BATCH_BODY_BYTES_MAX)
        items = _decoded(_BATCH, raw).payments
        self._rate_limits.take(principal.name, len(items) / _PAYMENTS_PER_TOKEN)
        payers = [find_wallet(item.payer, item.currency) for item in items]
        payees = [find_wallet(item.payee, item.currency) for item in items]
        codes = _item_refusals(items, payers, payees, principal)
        statuses = np.zeros(len(items), np.int64)
        stamps = np.zeros(len(items), np.int64)
        command_id = command_id_of(principal.name, key)
        async with self._within_limits(items, payers, codes, command_id):
            wanted = [number for number, code in enumerate(codes) if not code]
            if wanted:
                merchants = await self._kinds.merchants({payees[number].party for number in wanted})
                columns = _columns(items, payers, payees, merchants, codes)
                fingerprint = int.from_bytes(hashlib.blake2b(raw, digest_size=8).digest(), "big")
                transfers, begins = batch_transfers(command_id, columns, fingerprint=fingerprint)
                results = await self._send(transfers, begins, wanted)
                statuses[wanted], stamps[wanted] = results
                await self._explain(codes, statuses, command_id, fingerprint)
        document = _batch_document(codes, stamps, command_id)
        for outcome, count in Counter(codes).items():
            self._metrics.note_payments(outcome or "completed", count)
        return Answer(_ENCODER.encode(document))

    @asynccontextmanager
    async def _within_limits(
        self, items: list[PaymentBody], payers: list[Wallet], codes: list[str], command_id: int
    ) -> AsyncIterator[None]:
        """Put down the code of every payment that goes beyond its payer's limits."""
        wanted = [number for number, code in enumerate(codes) if not code]
        limited = await self._velocity_limits.limited({payers[number].party for number in wanted})
        numbers = [number for number in wanted if payers[number].party in limited] if limited else []
        if not numbers:
            yield
            return
        outgoing = [
            Outgoing(
                payers[number].party,
                payers[number].account,
                items[number].amount,
                payment_id(command_id, number),
            )
            for number in numbers
        ]
        async with self._velocity_limits.guard(outgoing, limited) as beyond:
            for place in beyond:
                codes[numbers[place]] = VelocityLimitExceeded.code
            yield

    async def _send(self, transfers: Records, begins: Records, wanted: list[int]) -> tuple[Records, Records]:
        """Make the transfers of the payments wanted; return the decisive status and the stamp of each."""
        is_wanted = np.zeros(len(begins), bool)
        is_wanted[wanted] = True
        keep = np.repeat(is_wanted, np.diff(begins, append=len(transfers)))
        kept = transfers[keep]
        firsts = (np.cumsum(keep) - 1)[begins[wanted]]
        parts, at = [], 0
        while at < len(kept):
            # Cut where a payment begins.
            until = int(firsts[np.searchsorted(firsts, at + REQUEST_ITEMS_MAX, "right") - 1])
            until = len(kept) if len(kept) - at <= REQUEST_ITEMS_MAX else until
            parts.append(await self._backend.create_transfers(kept[at:until]))
            at = until
        results = joined(parts, TRANSFER_RESULT)
        status = results["status"][firsts].astype(np.int64)
        broken = status == _LINKED_EVENT_FAILED
        seconds = np.minimum(firsts + 1, len(results) - 1)
        status[broken] = results["status"][seconds][broken]
        return status, results["timestamp"][firsts]

    async def _explain(self, codes: list[str], statuses: Records, command_id: int, fingerprint: int) -> None:
        """Put down the code of every payment that the ledger refused."""
        refused = np.flatnonzero((statuses != _CREATED) & (statuses != _EXISTS)).tolist()
        failed_before = [number for number in refused if statuses[number] == _ID_ALREADY_FAILED]
        recorded: dict[int, Any] = {}
        if failed_before:
            ids = {payment_id(command_id, number): number for number in failed_before}
            rows = await self._backend.remember(lambda history: history.recorded(list(ids)))
            for row in rows:
                recorded[ids[int(row["id_high"]) << 64 | int(row["id_low"])]] = row
        for number in refused:
            status, row = int(statuses[number]), recorded.get(number)
            if row is not None:
                status = int(row["status"])
                if int(row["user_data_64"]) != fingerprint:
                    codes[number] = KeyReused.code
                    continue
            codes[number] = _code(status)


_NO_REFERENCE: Final = bytes(16)


def _decoded(decoder: msgspec.json.Decoder[Any], raw: bytes) -> Any:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise MalformedBody(str(error)) from error


def _fingerprint(body: PaymentBody) -> int:
    digest = hashlib.blake2b(_ENCODER.encode(body), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _decisive(statuses: list[int]) -> int:
    """Return the status that decides about a chain: a repeated one answers ``exists`` and breaks there."""
    return next((status for status in statuses if status != _LINKED_EVENT_FAILED), _LINKED_EVENT_FAILED)


def _code(status: int) -> str:
    return code_of(CreateTransferStatus(status).name.lower())


def _item_refusals(
    items: list[PaymentBody], payers: list[Wallet], payees: list[Wallet], principal: Principal
) -> list[str]:
    """Return why each payment cannot even be asked of the ledger: a code, empty where it can."""
    codes = []
    for item, payer, payee in zip(items, payers, payees, strict=True):
        refusal = payer.refusal or payee.refusal
        if refusal is not None:
            codes.append(refusal.code)
        elif not 0 < item.amount <= AMOUNT_MAX:
            codes.append(InvalidAmount.code)
        elif not (principal.is_house or payer.party == principal.party):
            codes.append(code_of("debit_account_not_found"))
        else:
            codes.append(_reference_refusal(item.reference) if item.reference else "")
    return codes


def _reference_refusal(reference: str) -> str:
    try:
        reference_hash(reference)
    except Refusal as refusal:
        return refusal.code
    return ""


def _columns(
    items: list[PaymentBody],
    payers: list[Wallet],
    payees: list[Wallet],
    merchants: set[int],
    codes: list[str],
) -> Columns:
    """Return payments as columns; those with a code are there as zeros, so that ids keep their places."""
    references = b"".join(
        reference_hash(item.reference).to_bytes(16) if item.reference and not code else _NO_REFERENCE
        for item, code in zip(items, codes, strict=True)
    )
    amounts = [0 if code else item.amount for item, code in zip(items, codes, strict=True)]
    debits = _words(b"".join([payer.account_bytes for payer in payers]))
    credits_ = _words(b"".join([payee.account_bytes for payee in payees]))
    hashes = _words(references)
    return Columns(
        debit_high=debits[:, 0],
        debit_low=debits[:, 1],
        credit_high=credits_[:, 0],
        credit_low=credits_[:, 1],
        amount=np.array(amounts, np.int64),
        ledger=np.array([max(payer.ledger, 0) for payer in payers], np.int64),
        reference_high=hashes[:, 0],
        reference_low=hashes[:, 1],
        to_merchant=np.array([payee.party in merchants for payee in payees], bool),
    )


def _words(ids: bytes) -> Records:
    """Return ids of 16 big-endian bytes as their high and low words, (n, 2)."""
    return np.frombuffer(ids, ">u8").reshape(-1, 2)


def _batch_document(codes: list[str], stamps: Records, command_id: int) -> BatchDocument:
    texts = id_texts(Prefix.PAYMENT, *payment_ids(command_id, len(codes)))
    items = [
        ItemDocument(status="refused", code=code)
        if code
        else ItemDocument(status="completed", id=text, created_at=time)
        for code, text, time in zip(codes, texts, time_texts(stamps), strict=True)
    ]
    refused = sum(map(bool, codes))
    return BatchDocument(completed=len(codes) - refused, refused=refused, items=items)
