"""What runs in the engine's process."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from formicary.base.clock import Clock, LiveClock
from formicary.base.errors import OperationalFault
from formicary.base.lots import lots
from formicary.factory.decisions.assessments import load_kernels as load_kernels_of_assessments
from formicary.factory.decisions.warm_up import load_kernels as load_kernels_of_decisions
from formicary.factory.engine.columnar import load_kernels as load_kernels_of_columns
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.products import Product
from formicary.factory.engine.server import EngineServer
from formicary.factory.engine.state import FactoryState, known_events
from formicary.factory.features.warm_up import load_kernels as load_kernels_of_features
from formicary.factory.follower.checked_fold import CheckedFold
from formicary.factory.follower.entry_points import EntryPoints
from formicary.factory.history import load_kernels
from formicary.factory.journal.access import Access
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.columns import COMMIT_ROW
from formicary.factory.journal.errors import Fenced
from formicary.factory.journal.journal import Journal
from formicary.factory.ledger import (
    ACCOUNT,
    SEMANTICS,
    TRANSFER,
    Account,
    Ledger,
    Transfer,
    TransferFlags,
)
from formicary.factory.ledger.room import FIRST_ROOM
from formicary.products.lending.servicing.warm_up import load_kernels as load_kernels_of_lending
from formicary.runtime.children import AskedToEnd
from formicary.runtime.garbage import spare_what_is_there

__all__ = ["engine_main", "warm_up"]

Records = npt.NDArray[Any]

_LOG: Final = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 0.02


def warm_up() -> None:
    """Load every kernel a process needs, compiling those that are not in the cache."""
    ledger = Ledger(LiveClock(), generation_rows=1)
    ledger.create_accounts([Account(id=number, ledger=1, code=1) for number in (1, 2)])
    flags = (TransferFlags.PENDING, TransferFlags.NONE)
    for number, flag in enumerate(flags, start=1):
        transfer = Transfer(
            id=number, debit_account_id=1, credit_account_id=2, amount=1, ledger=1, code=1, flags=flag
        )
        ledger.create_transfers([transfer])
    ledger.tick()
    # More than the first room holds: only then do arrays grow, and holds make room. All are refused.
    ledger.create_accounts(np.zeros(2 * FIRST_ROOM, ACCOUNT))
    ledger.create_transfers(np.zeros(2 * FIRST_ROOM, TRANSFER))
    _warm_up_folding(ledger.account_rows, ledger.rows)
    load_kernels_of_features()
    load_kernels_of_decisions()
    load_kernels_of_assessments()
    load_kernels_of_columns()
    load_kernels_of_lending()
    # The arms of who met an experiment.
    lots(np.zeros((1, 2), np.uint64), 0)


def _warm_up_folding(accounts: Records, transfers: Records) -> None:
    """Fold a small journal, as recovery does and as the follower does, and look back into it."""
    opened, head = len(accounts), len(accounts) + len(transfers)
    no_commits = np.empty(0, COMMIT_ROW)
    with tempfile.TemporaryDirectory(prefix="formicary-warm-up-") as folder:
        FactoryState(Path(folder), generation_rows=1).fold(accounts, transfers, (), until=head)
        checked = CheckedFold(FactoryState(Path(folder), generation_rows=1))
        for block in (
            Block(accounts=accounts, transfers=transfers[:0], events=(), after=0, until=opened),
            Block(accounts=accounts[:0], transfers=transfers, events=(), after=opened, until=head),
        ):
            checked.fold(block, no_commits)
        EntryPoints().note(checked.state.machine, transfers)
        load_kernels(checked.state.machine, 1)
        checked.state.machine.accounts_at(np.zeros((1, 2), np.uint64))


def engine_main(
    access: Access,
    socket_path: Path,
    new_state: Callable[[], FactoryState],
    *,
    products: Sequence[Product] = (),
    clock: Clock | None = None,
) -> None:
    """Serve until asked to end; recover after every fault of the journal.

    Raises
    ------
    Fenced
        Another engine took the journal over.
    """
    stop = AskedToEnd()
    while not stop.asked:
        try:
            journal = Journal(access, semantics=SEMANTICS, upcasters=known_events(products))
        except OperationalFault as fault:
            _LOG.warning("the journal cannot be opened yet: %s", fault)
            time.sleep(_RETRY_SECONDS)
            continue
        engine = Engine(journal, new_state, clock or LiveClock())
        try:
            _recover_and_serve(engine, journal, socket_path, stop)
        except Fenced:
            raise
        except OperationalFault as fault:
            _LOG.warning("the engine recovers: %s", fault)
            time.sleep(_RETRY_SECONDS)
        finally:
            journal.close()


def _recover_and_serve(engine: Engine, journal: Journal, socket_path: Path, stop: AskedToEnd) -> None:
    began = time.monotonic()
    position = engine.recover()
    _LOG.info("recovered to position %d in %.3f s", position, time.monotonic() - began)
    server = EngineServer(engine, socket_path, journal.begin)
    spare_what_is_there()
    stop.then = server.stop
    try:
        if not stop.asked:
            server.run()
    finally:
        server.close()
