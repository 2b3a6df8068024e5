"""What a party may pay a day: limits that two persons agreed on, looked at before a payment is asked for.

They slow down a thief or a runaway program; what never gives way is the ledger's floor. Payments out of one
wallet count, day by day in UTC. A worker looks at one payment of a limited party after the other, so there
is no slipping through between looking and paying; workers do not know of each other's payments under way, so
each of them may let one more through. A change of limits is known everywhere within a minute.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

import numpy as np

from formicary.base.errors import Refusal
from formicary.base.limits import AGGREGATES_READ_MAX, API_RATE_KEYS_MAX, QUERY_LIMIT_MAX
from formicary.factory.history import History
from formicary.factory.identity.party import PARTY_PRODUCT
from formicary.factory.ledger import AccountFilter, id_column
from formicary.products.payments.postings import TransferCode
from formicary.surfaces.api.ports import Backend

__all__ = ["Outgoing", "VelocityLimitExceeded", "VelocityLimits"]

_SECONDS_KEPT: Final = 60.0
_NANOSECONDS_PER_DAY: Final = 86_400 * 1_000_000_000
_COUNTED: Final = (TransferCode.PERSON_PAYMENT, TransferCode.MERCHANT_PAYMENT)


class VelocityLimitExceeded(Refusal):
    """With this payment the payer would pay more, or more often, than it may on one day."""

    code = "velocity_limit_exceeded"


class Limits(NamedTuple):
    """What a party may pay a day, in minor units and in payments; 0 is no limit."""

    amount_max: int
    count_max: int


class Outgoing(NamedTuple):
    """A payment that is about to be asked for."""

    party: int
    account: int
    amount: int
    payment_id: int


class VelocityLimits:
    """The limits of payers.

    Parameters
    ----------
    backend
        Knows parties, and what they paid.
    now
        The time in nanoseconds, whose day counts.
    monotonic
        A clock in seconds that never goes back.
    """

    def __init__(self, backend: Backend, *, now: Callable[[], int], monotonic: Callable[[], float]) -> None:
        self._backend = backend
        self._now = now
        self._monotonic = monotonic
        self._known: dict[int, tuple[Limits, float]] = {}
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def limited(self, parties: Collection[int]) -> set[int]:
        """Return those of some parties that have limits; for most there is nothing to look up."""
        now = self._monotonic()
        unknown = [party for party in parties if self._until(party) <= now]
        for at in range(0, len(unknown), AGGREGATES_READ_MAX):
            await self._look_up(unknown[at : at + AGGREGATES_READ_MAX])
        return {party for party in parties if party in self._known and any(self._known[party][0])}

    @asynccontextmanager
    async def guard(self, payments: Sequence[Outgoing]) -> AsyncIterator[set[int]]:
        """Yield the numbers of those payments of limited parties that go beyond a limit.

        Until this is left, no other payment of these parties is looked at. What was asked for before under
        the same id is not held up: it has its answer already.
        """
        async with AsyncExitStack() as stack:
            # Always in the same order, or two batches wait for each other.
            for party in sorted({payment.party for payment in payments}):
                turn = self._turns.setdefault(party, asyncio.Lock())
                await stack.enter_async_context(turn)
            yield await self._beyond(payments)

    async def _beyond(self, payments: Sequence[Outgoing]) -> set[int]:
        now = self._now()
        since = now - now % _NANOSECONDS_PER_DAY
        accounts = list(dict.fromkeys(payment.account for payment in payments))
        ids = [payment.payment_id for payment in payments]

        def look(history: History) -> tuple[dict[int, tuple[int, int]], set[int]]:
            paid = {account: paid_since(history, account, since) for account in accounts}
            return paid, set(id_column(history.recorded(ids)))

        paid, answered = await self._backend.remember(look)
        beyond = set()
        for number, payment in enumerate(payments):
            if payment.payment_id in answered:
                continue
            amount, count = paid[payment.account]
            amount, count = amount + payment.amount, count + 1
            limits = self._known[payment.party][0]
            if 0 < limits.amount_max < amount or 0 < limits.count_max < count:
                beyond.add(number)
            else:
                paid[payment.account] = amount, count
        return beyond

    def _until(self, party: int) -> float:
        known = self._known.get(party)
        return -1.0 if known is None else known[1]

    async def _look_up(self, parties: list[int]) -> None:
        if len(self._known) > API_RATE_KEYS_MAX:
            self._known.clear()
        found = await self._backend.aggregates(PARTY_PRODUCT.name, parties)
        until = self._monotonic() + _SECONDS_KEPT
        for party, fields in zip(parties, found, strict=True):
            # Whoever is not there pays nothing, and may come.
            if fields is not None:
                limits = Limits(fields["daily_amount_max"], fields["daily_count_max"])
                self._known[party] = limits, until


def paid_since(history: History, account: int, since: int) -> tuple[int, int]:
    """Return how much was paid out of an account since a time in nanoseconds, and how often."""
    amount = count = 0
    while True:
        page = history.get_account_transfers(
            AccountFilter(account_id=account, credits=False, timestamp_min=since, limit=QUERY_LIMIT_MAX)
        )
        counted = page["amount"][np.isin(page["code"], _COUNTED)].tolist()
        amount, count = amount + sum(counted), count + len(counted)
        if len(page) < QUERY_LIMIT_MAX:
            return amount, count
        since = int(page["timestamp"][-1]) + 1
