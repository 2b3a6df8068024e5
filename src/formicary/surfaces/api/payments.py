"""``POST /v1/payments`` and ``/v1/payments/batch``: plain ledger transfers, with one validation each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Annotated, Any, Final

import msgspec
import numpy as np

from formicary.base.arrays import joined
from formicary.base.errors import Refusal
from formicary.base.limits import API_BATCH_BODY_BYTES_MAX, API_BODY_BYTES_MAX, REQUEST_ITEMS_MAX
from formicary.base.public_ids import Prefix, encode
from formicary.base.scopes import Scope
from formicary.factory.engine.requests import command_id_of
from formicary.factory.ledger import AMOUNT_MAX, TRANSFER_RESULT, CreateTransferStatus
from formicary.products.payments.batches import Columns, batch_transfers, payment_id, payment_ids
from formicary.products.payments.postings import InvalidAmount, code_of, payment
from formicary.products.payments.terms import MERCHANT_FEE_POINTS, fee_of
from formicary.surfaces.api.auth import Principal
from formicary.surfaces.api.exchange import Answer, Exchange
from formicary.surfaces.api.gatherer import Gatherer
from formicary.surfaces.api.metrics import Metrics
from formicary.surfaces.api.party_kinds import PartyKinds
from formicary.surfaces.api.payment_outcomes import CREATED, EXISTS, MADE, PaymentOutcome, PaymentOutcomes
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
_LINKED_EVENT_FAILED: Final = int(CreateTransferStatus.LINKED_EVENT_FAILED)

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


class PaymentDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment that was made, or whose money is held; the fee is the payee's, in minor units.

    Held money goes back by itself at ``release_by``, and ``reasons`` say why it waits.
    """

    id: str
    status: str
    payer: str
    payee: str
    amount: int
    fee: int
    currency: str
    created_at: str
    release_by: str = ""
    reasons: tuple[str, ...] = ()


class ItemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """How one payment of a batch went: ``completed``, ``held``, or ``refused`` with a documented code.

    One that a decision refused has an id as well, to appeal by.
    """

    status: str
    id: str = ""
    created_at: str = ""
    code: str = ""
    release_by: str = ""
    check: str = ""
    reasons: tuple[str, ...] = ()


class BatchDocument(msgspec.Struct, frozen=True, kw_only=True):
    """How a batch went, item by item, in the order asked."""

    completed: int
    held: int
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
        Where a batch's transfers go.
    gatherer
        Where single ones go, together with those of other callers.
    outcomes
        How those went that were not made at once.
    """

    def __init__(
        self,
        backend: Backend,
        gatherer: Gatherer,
        kinds: PartyKinds,
        outcomes: PaymentOutcomes,
        *,
        metrics: Metrics,
        rate_limits: RateLimits,
        velocity_limits: VelocityLimits,
    ) -> None:
        self._backend = backend
        self._gatherer = gatherer
        self._kinds = kinds
        self._outcomes = outcomes
        self._metrics = metrics
        self._rate_limits = rate_limits
        self._velocity_limits = velocity_limits

    # -- one -------------------------------------------------------------------------------

    async def create(self, exchange: Exchange, principal: Principal) -> Answer:
        """Make one payment: 201 with its document, 202 where its money is held, or a problem document."""
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
        status, outcome, identifier = _decisive(results["status"].tolist()), MADE, transfers[0].id
        if status not in (CREATED, EXISTS):
            outcome = (await self._outcomes.explained({identifier: status}, fingerprint))[identifier]
        self._metrics.note_payments(outcome.counted_as)
        if outcome.code:
            raise outcome.refusal(identifier)
        document = PaymentDocument(
            id=encode(Prefix.PAYMENT, identifier),
            status=outcome.status,
            payer=body.payer,
            payee=body.payee,
            amount=body.amount,
            fee=fee,
            currency=body.currency,
            created_at=time_text(results["timestamp"][0].item()),
            release_by=outcome.release_by,
            reasons=outcome.reasons,
        )
        status_code = HTTPStatus.CREATED if outcome is MADE else HTTPStatus.ACCEPTED
        return Answer(_ENCODER.encode(document), status=status_code)

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
        outcomes: dict[int, PaymentOutcome] = {}
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
                outcomes = await self._explained(statuses, command_id, fingerprint)
        for number, code in enumerate(codes):
            if code:
                outcomes[number] = PaymentOutcome(status="refused", code=code)
        document = _batch_document(outcomes, stamps, command_id)
        went = Counter(outcome.counted_as for outcome in outcomes.values())
        went[MADE.counted_as] = document.completed
        for outcome, count in (+went).items():
            self._metrics.note_payments(outcome, count)
        return Answer(_ENCODER.encode(document))

    async def _explained(
        self, statuses: Records, command_id: int, fingerprint: int
    ) -> dict[int, PaymentOutcome]:
        """Return by its number how every payment went that the ledger did not make."""
        others = np.flatnonzero((statuses != CREATED) & (statuses != EXISTS)).tolist()
        ids = {number: payment_id(command_id, number) for number in others}
        found = await self._outcomes.explained(
            {ids[number]: int(statuses[number]) for number in others}, fingerprint
        )
        return {number: found[ids[number]] for number in others}

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


def _batch_document(
    outcomes: Mapping[int, PaymentOutcome], stamps: Records, command_id: int
) -> BatchDocument:
    texts = id_texts(Prefix.PAYMENT, *payment_ids(command_id, len(stamps)))
    items = [
        ItemDocument(status=MADE.status, id=text, created_at=time)
        for text, time in zip(texts, time_texts(stamps), strict=True)
    ]
    for number, outcome in outcomes.items():
        items[number] = ItemDocument(
            status=outcome.status,
            id=texts[number] if outcome.is_decided else "",
            created_at="" if outcome.code else items[number].created_at,
            code=outcome.code,
            release_by=outcome.release_by,
            check=outcome.check,
            reasons=outcome.reasons,
        )
    refused = sum(bool(outcome.code) for outcome in outcomes.values())
    held = len(outcomes) - refused
    return BatchDocument(completed=len(items) - len(outcomes), held=held, refused=refused, items=items)
