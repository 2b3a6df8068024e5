"""Loading the kernels of history before somebody waits for them."""

from __future__ import annotations

import numpy as np

from formicary.factory.history._walk import pick
from formicary.factory.history.looks import LatestEntries, TransfersById, pack_ids
from formicary.factory.history.memory import compiled_filter
from formicary.factory.journal.rows import TRANSFER_ROW
from formicary.factory.ledger import AccountFilter, LedgerMachine

__all__ = ["load_kernels"]


def load_kernels(machine: LedgerMachine, account_id: int) -> None:
    """Load every kernel of history, compiling those that are not in the cache; the account must exist."""
    wanted = AccountFilter(account_id=account_id, limit=1)
    compiled = compiled_filter(wanted, expiries=True)
    ids = pack_ids(account_id)
    LatestEntries(ids=ids, wanted=compiled.tobytes(), limit=1)(machine)
    TransfersById(ids=ids)(machine)
    pick(np.empty(0, TRANSFER_ROW), compiled[()], 0, np.empty(1, TRANSFER_ROW))
