"""What a decider is told of the ledger."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.base.clock import SimulatedClock
from formicary.base.purposes import Purpose
from formicary.factory.engine.columnar import ids_of
from formicary.factory.engine.context import DecidingContext
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.feature_reads import UnknownFeatureSet
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import FactoryState
from formicary.factory.features.columns import events_of
from formicary.factory.ledger import Account, AccountFlags, Transfer, account_array, transfer_array
from formicary.factory.models.errors import UnknownModel
from tests.factory.engine.meters_product import METERS
from tests.factory.engine.null_journal import NullJournal
from tests.factory.engine.test_looks import PAID, SHOPS, SUMS, TRADE

FLOORED = 3
IDS_PAID = np.array([[0, 5], [0, 6], [0, 5]], np.int64)
TRADES = replace(
    METERS,
    name="trades",
    aggregate=TRADE,
    found_by=("party",),
    totals=SUMS,
    features=(SHOPS,),
)


@pytest.mark.parametrize("generation_rows", [1, 1 << 20])
def test_a_transfer_is_found_however_long_ago(tmp_path: Path, generation_rows: int) -> None:
    """In memory or sealed, a transfer that was made is found; an id that is burnt or unknown is not."""
    journal, clock = NullJournal(), SimulatedClock(10**18)
    engine = Engine(journal, lambda: FactoryState(tmp_path, generation_rows=generation_rows), clock)
    engine.recover()
    accounts = [Account(id=number, ledger=1, code=1) for number in (1, 2)]
    floor = AccountFlags.DEBITS_MUST_NOT_EXCEED_CREDITS
    accounts.append(Account(id=FLOORED, ledger=1, code=1, flags=floor))
    engine.execute([LedgerRequest(account_array(accounts))])
    for number in range(1, 6):
        engine.execute([pays(number, 1 if number != 3 else FLOORED)])
    context = DecidingContext(10**18, 7, engine.state, journal)
    assert len(engine.state.machine.sealed) == (3 if generation_rows == 1 else 0)
    assert [found(context, number) for number in range(7)] == [None, 11, 12, None, 14, 15, None]


def test_an_account_is_found_and_ids_are_derived(tmp_path: Path) -> None:
    """Accounts are as they are now; ids follow from the command's id."""
    context = DecidingContext(10**18, 7, FactoryState(tmp_path), NullJournal())
    assert context.account(1) is None
    assert context.derive_id(0) != context.derive_id(1)


def test_aggregates_are_told_as_they_are_now(tmp_path: Path) -> None:
    """All of a product, one, and those that hold an id, by number; with what they sum up to."""
    state = FactoryState(tmp_path, [TRADES])
    trades = state.columns["trades"]
    taken = trades.take([7, 9])
    taken["party_low"], taken["shop"], taken["amount"], taken["events"] = (5, 6), 3, (10, 20), 1
    trades.put([7, 9], taken)
    context = DecidingContext(10**18, 7, state, NullJournal())
    assert context.columns("trades")["amount"].tolist() == [10, 20]
    assert not context.columns("trades").flags.writeable
    one = context.aggregate("trades", 9)
    assert one is not None
    assert int(one["amount"]) == 20
    assert context.aggregate("trades", 8) is None
    assert context.found("trades", "party", 5)["id_low"].tolist() == [7]
    assert context.totals("trades") == {3: (30, 0)}
    assert context.numbers("trades", ids_of([9, 8, 7])).tolist() == [1, -1, 0]
    numbers, places = context.holders("trades", "party", ids_of([7, 6]))
    assert (numbers.tolist(), places.tolist()) == ([1], [1])


def test_features_of_many_are_those_of_each(tmp_path: Path) -> None:
    """Asked about at once or one by one; a set that is not there is refused, and so is a model."""
    state = FactoryState(tmp_path, [TRADES])
    assert state.features is not None
    paid = events_of(state.features.compiled, PAID, at=[10**18] * 3, columns={"payer": IDS_PAID})
    state.features.follow(paid)
    context = DecidingContext(10**18 + 1, 7, state, NullJournal())
    asked = [5, 6, 7]
    told = context.features_of(SHOPS.name, purpose=Purpose.FRAUD, asking={"payer": ids_of(asked)})
    each = [context.features(SHOPS.name, purpose=Purpose.FRAUD, asking={"payer": one}) for one in asked]
    assert told.values[:, 0].tolist() == [one.values["paid_30d"] for one in each] == [2.0, 1.0, 0.0]
    with pytest.raises(UnknownFeatureSet):
        context.features_of("nobody", purpose=Purpose.FRAUD, asking={"payer": ids_of(asked)})
    with pytest.raises(UnknownModel):
        context.assess("nobody", {})
    with pytest.raises(UnknownModel):
        context.assess_all("nobody", (), np.zeros((1, 0)))


def pays(number: int, debit: int) -> LedgerRequest:
    """Return the request of one transfer, whose amount is ten more than its id."""
    transfer = Transfer(
        id=number, debit_account_id=debit, credit_account_id=2, amount=10 + number, ledger=1, code=1
    )
    return LedgerRequest(transfer_array([transfer]))


def found(context: DecidingContext, number: int) -> Any:
    """Return the amount of a transfer, or None."""
    transfer = context.transfer(number)
    return None if transfer is None else int(transfer["amount"])
