"""The daily job on a home: beside a running engine, and where none runs."""

from __future__ import annotations

import pytest

from formicary.factory.features.slow.party_graph import PARTY_GRAPH_GROUPS
from formicary.factory.features.slow.spans import day_of
from formicary.factory.ledger import Account, Transfer
from formicary.runtime import daily as daily_module
from formicary.runtime.daily import DayNotOver, run_daily
from formicary.runtime.program import LocalProgram
from formicary.runtime.settings import Settings
from tests.runtime.test_backfill import nobody
from tests.runtime.test_ledgers import running_engine


def test_beside_an_engine_and_without(hosted_home: Settings) -> None:
    """A day that is not over is refused; of a day before there was anything, nothing is recorded."""
    program = LocalProgram(hosted_home)
    today = day_of(program.now())
    with running_engine(hosted_home):
        with program.ledger() as ledger:
            ledger.create_accounts(
                [Account(id=one, ledger=826, code=1, user_data_128=one + 5) for one in (1, 2)]
            )
            ledger.create_transfers(
                [Transfer(id=7, debit_account_id=1, credit_account_id=2, amount=5, ledger=826, code=1)]
            )
        with pytest.raises(DayNotOver):
            program.daily(today, labels=None, progress=nobody)
        empty = program.daily(today - 1, labels="fraud_label", progress=nobody)
        assert (empty.position, empty.parties, empty.recorded) == (0, 0, 0)
    assert program.daily(today - 1, labels=None, progress=nobody) == empty


def test_a_day_is_recorded_once(hosted_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was found is told to the running engine, and again to one in this process: nothing is new."""
    program = LocalProgram(hosted_home)
    with program.ledger() as ledger:
        ledger.create_accounts([Account(id=one, ledger=826, code=1, user_data_128=one + 5) for one in (1, 2)])
        ledger.create_transfers(
            [Transfer(id=7, debit_account_id=1, credit_account_id=2, amount=5, ledger=826, code=1)]
        )
    # The day before begins now: a day of the test's own, which is over at once.
    end = program.now()
    monkeypatch.setattr(daily_module, "day_start", lambda _: end)
    monkeypatch.setattr("formicary.factory.facts.party_graph.day_start", lambda _: end)
    facts, steps = 2 * len(PARTY_GRAPH_GROUPS), list[tuple[int, int]]()
    with running_engine(hosted_home):
        first = run_daily(hosted_home, 3, None, lambda *step: steps.append(step))
        assert (first.transfers, first.parties, first.recorded, first.there) == (1, 2, facts, 0)
        again = run_daily(hosted_home, 3, None, nobody)
    assert (again.recorded, again.there, again.position) == (0, facts, first.position)
    assert run_daily(hosted_home, 3, None, nobody) == again
    assert steps[-1][0] == steps[-1][1]
