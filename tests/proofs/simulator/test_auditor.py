"""The auditor's eye: rows that contradict one another are seen, whoever wrote them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from formicary.factory.engine.core import Core
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import FactoryState
from formicary.factory.journal.batch import Batch
from formicary.factory.ledger import Account, Transfer, account_array, transfer_array
from proofs.simulator.auditor import Auditor
from proofs.simulator.violations import Violation
from tests.factory.engine.null_journal import NullJournal
from tests.factory.ledger.kit import START


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """Return one batch: two accounts and a transfer."""
    core = Core(FactoryState(tmp_path), NullJournal())
    accounts = account_array([Account(id=number, ledger=1, code=1) for number in (1, 2)])
    transfers = transfer_array(
        [Transfer(id=3, debit_account_id=1, credit_account_id=2, amount=5, ledger=1, code=1)]
    )
    decided = core.decide([LedgerRequest(accounts), LedgerRequest(transfers)], START).batch
    assert decided is not None
    return decided


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    """Return one that has seen nothing."""
    return Auditor(FactoryState(tmp_path))


def test_a_sound_batch_passes(auditor: Auditor, batch: Batch) -> None:
    """What an engine decides is accepted, and remembered."""
    auditor.committed(batch)
    auditor.finished()
    assert auditor.transfers == {3: START + 2}


def test_a_gap_is_seen(auditor: Auditor, batch: Batch) -> None:
    """A batch that is committed twice does not follow itself."""
    auditor.committed(batch)
    with pytest.raises(Violation, match="positions have no gap"):
        auditor.committed(batch)


def test_a_wrong_total_is_seen(auditor: Auditor, batch: Batch) -> None:
    """A row whose totals are not those it leads to does not fold."""
    batch.transfers["debit_debits_posted"] += 1
    with pytest.raises(Violation, match="every row is what it does"):
        auditor.committed(batch)


def test_a_wrong_hash_is_seen(auditor: Auditor, batch: Batch) -> None:
    """A commit that claims another state than its rows lead to is refused."""
    with pytest.raises(Violation, match="refolding gives the same hash"):
        auditor.committed(replace(batch, state_hash=batch.state_hash ^ 1))


def test_a_doubled_stamp_is_seen(auditor: Auditor, batch: Batch) -> None:
    """Two transfers never have one timestamp."""
    auditor.committed(batch)
    again = batch.transfers.copy()
    again["position"], again["id_low"] = 4, 4
    following = replace(batch, accounts=batch.accounts[:0], transfers=again, first=4, last=4)
    with pytest.raises(Violation, match="stamps are unique and grow"):
        auditor.committed(following)
