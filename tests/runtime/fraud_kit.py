"""Half a year of payments with planted frauds, in the deployment's own journal, as an import brings them."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import numpy as np

from formicary.base.clock import SimulatedClock
from formicary.factory.facts import RecordFacts
from formicary.factory.ledger import (
    Account,
    AccountFlags,
    Transfer,
    TransferFlags,
    account_array,
    transfer_array,
)
from formicary.products.payments.postings import TransferCode
from formicary.runtime.products import PRODUCTS
from formicary.runtime.settings import Settings
from formicary.runtime.wiring import open_factory

DAY: Final = 86_400 * 10**9
START: Final = 1_700_000_000 * 10**9
DAYS: Final = 180
PARTIES: Final = tuple(2**90 + number for number in range(1, 121))
SOURCE: Final = 2**99
GBP: Final = 826


def payments(count: int, *, seed: int) -> list[tuple[int, int, int, int, bool]]:
    """Return time, payer, payee, amount and whether it is a fraud, in order of time.

    Everybody has three payees and a usual amount; a thief pays somebody else, more, and so do others now and
    then.
    """
    chance = Random(seed)
    times = sorted(chance.sample(range(DAYS * 86_400), count))
    made = []
    for seconds in times:
        one = chance.randrange(len(PARTIES))
        is_odd = chance.random() < 0.2
        other = chance.randrange(len(PARTIES)) if is_odd else one + chance.randint(1, 3)
        payee = PARTIES[other % len(PARTIES)] if other % len(PARTIES) != one else PARTIES[one - 1]
        usual = 1_000 + 50 * one
        amount = int(usual * (chance.lognormvariate(0.6 if is_odd else 0.0, 0.5)))
        risk = 0.55 if is_odd and amount > 1.5 * usual else 0.02
        made.append((START + seconds * 10**9, PARTIES[one], payee, amount, chance.random() < risk))
    return made


def fill(settings: Settings, *, count: int = 3_000, seed: int = 5, reversed_every: int = 10) -> int:
    """Write accounts, payments and then their outcomes to the journal; return its last position.

    A chargeback is told at the end, and every tenth is taken back at once.
    """
    clock = SimulatedClock(START + DAYS * DAY)
    made = payments(count, seed=seed)
    with open_factory(settings, clock=clock, products=PRODUCTS) as factory:
        (results,) = factory.execute([account_array(_accounts())])
        assert not np.any(results["status"])
        (results,) = factory.execute([transfer_array(_transfers(made))])
        assert not np.any(results["status"])
        clock.advance(DAY)
        frauds = [number for number, one in enumerate(made, start=1) if one[4]]
        _tell(factory, "charged_back", frauds, made)
        _tell(factory, "confirmed", frauds[::reversed_every], made)
        return factory.engine.state.position


def _accounts() -> list[Account]:
    more: dict[str, Any] = {"ledger": GBP, "code": 101, "flags": AccountFlags.IMPORTED}
    return [
        Account(id=party, user_data_128=party, timestamp=START - 10**9 + number, **more)
        for number, party in enumerate(PARTIES)
    ]


def _transfers(made: list[tuple[int, int, int, int, bool]]) -> list[Transfer]:
    more: dict[str, Any] = {
        "ledger": GBP,
        "code": TransferCode.PERSON_PAYMENT,
        "flags": TransferFlags.IMPORTED,
    }
    return [
        Transfer(
            id=number, debit_account_id=payer, credit_account_id=payee, amount=amount, timestamp=at, **more
        )
        for number, (at, payer, payee, amount, _) in enumerate(made, start=1)
    ]


def _tell(factory: Any, sign: str, frauds: list[int], made: list[tuple[int, int, int, int, bool]]) -> None:
    told = RecordFacts(
        subject=SOURCE,
        kind="payment_outcome",
        at=[made[number - 1][0] + DAY for number in frauds],
        ids={"payment": [f"{number:032x}" for number in frauds]},
        numbers={sign: [1] * len(frauds)},
    )
    assert factory.command("facts", told, principal="bank", key=sign).code == ""
