"""Loads the kernels of decisions, so that no first payment under a policy waits for a compiler."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.base.purposes import Purpose
from formicary.factory.decisions._checked_kernels import hash_decisions
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.judges import Judges, words_of_decisions
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import compile_policy
from formicary.factory.features.aggregates import count
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.kinds import EventKind, Transfers, party
from formicary.factory.features.store import FeatureStore
from formicary.factory.ledger import (
    ACCOUNT_RESULT,
    TRANSFER_RESULT,
    Account,
    CreateTransferStatus,
    LedgerMachine,
    Transfer,
    account_array,
    transfer_array,
)

__all__ = ["load_kernels"]

_BYTES: Final = 1 << 20
_RULES: Final = """
name: first
version: 1
point: first
rules:
  - {name: never, when: events < 0, outcome: reject, reason: It never holds., if_unknown: allow}
"""


def load_kernels() -> None:
    """Decide about one transfer of a small ledger."""
    kind = EventKind("transfer", Transfers(codes=(1,)), payer=party("debit_party"))
    feature = Feature(
        name="events",
        value=count(kind, by="payer", over="1d"),
        unit="events",
        meaning="How many there were.",
        purposes=frozenset({Purpose.FRAUD}),
    )
    features = FeatureSet(name="first", on=kind, features=[feature], owner="factory")
    point = DecisionPoint(
        name="first",
        on=kind,
        outcomes=("allow", "reject"),
        effects=(Effect.ALLOW, Effect.REJECT),
        safe_outcome="reject",
        feature_set=features,
        purpose=Purpose.FRAUD,
    )
    armed = compile_policy(point, "{name: first, version: 1}", _RULES)
    judges = Judges(
        [armed], lambda _policy, _score: None, FeatureStore(compile_sets([features]), bytes_max=_BYTES)
    )
    with tempfile.TemporaryDirectory(prefix="formicary-warm-up-") as folder:
        machine = LedgerMachine(Path(folder), generation_rows=1)
        accounts = account_array([Account(id=number, ledger=1, code=1) for number in (1, 2)])
        machine.reserve(accounts=len(accounts), transfers=1)
        opened = np.zeros(len(accounts), ACCOUNT_RESULT)
        machine.decide_accounts(accounts, np.arange(len(accounts)), opened, first_stamp=1)
        moved = Transfer(id=1, debit_account_id=1, credit_account_id=2, amount=1, ledger=1, code=1)
        results = np.zeros(1, TRANSFER_RESULT)
        judges.prepare(1)
        machine.decide_transfers(
            transfer_array([moved]), np.arange(1), results, first_stamp=3, decide=judges.decide
        )
        decisions = judges.take(machine.take_decisions())
        hash_decisions(machine.state, words_of_decisions(decisions))
        judges.count(decisions, machine.recent_rows(0))
    if len(decisions) != 1 or results["status"][0] != CreateTransferStatus.CREATED:
        message = "a transfer that nothing speaks against was not decided about, or not made"
        raise ProgrammingError(message)
