"""What a decider is told besides its aggregate, and where rows that left memory are found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.factory.decisions.assessments import Assessed, Assessment
from formicary.factory.engine.feature_reads import FeatureReading, tell_all, tell_features
from formicary.factory.engine.requests import derive_id
from formicary.factory.engine.state import FactoryState
from formicary.factory.features.store import Values
from formicary.factory.history.memory import find_transfers
from formicary.factory.journal.events import Event
from formicary.factory.ledger.views import is_created, transfers_view

__all__ = ["DecidingContext", "OldRows"]

Rows = npt.NDArray[Any]


class OldRows(Protocol):
    """Where rows that left memory are found again."""

    def transfers_at(self, positions: npt.NDArray[np.int64]) -> Rows:
        """Return the transfers at positions (n,), in that order, (n,) of ``TRANSFER_ROW``."""

    def caused_by(self, command_ids: Sequence[int], *, kind: str) -> Mapping[int, Event]:
        """Return the event of a kind that each command caused, by the command's id, where there is one."""


class DecidingContext:
    """The state of the ledger at one command, as ``products.Context`` describes it."""

    def __init__(self, now: int, command_id: int, state: FactoryState, old_rows: OldRows) -> None:
        self.now = now
        self._command_id = command_id
        self._state = state
        self._machine = state.machine
        self._old_rows = old_rows

    def derive_id(self, ordinal: int) -> int:
        """Return the id of the ordinal-th thing that the command makes."""
        return derive_id(self._command_id, ordinal)

    def account(self, account_id: int) -> Rows | None:
        """Return an account as it is now."""
        number = self._machine.account_number(account_id)
        return None if number < 0 else self._machine.account_view(number)

    def accounts(self, ids: npt.NDArray[np.uint64]) -> Rows:
        """Return accounts as they are now, zeros where there is none."""
        return self._machine.accounts_at(ids)

    def columns(self, product: str) -> Rows:
        """Return all aggregates of a neighbour, or of the product's own."""
        columns = self._state.aggregates[product].records
        columns.flags.writeable = False
        return columns

    def aggregate(self, product: str, subject: int) -> Rows | None:
        """Return an aggregate of a neighbour, or another one of the product's own, as it is now."""
        return self._state.aggregates[product].find(subject)

    def found(self, product: str, field: str, subject: int) -> Rows:
        """Return aggregates of a columnar neighbour, or of the product's own, that hold an id."""
        return self._state.columns[product].found(field, subject)

    def totals(self, product: str) -> Mapping[int, tuple[int, ...]]:
        """Return what the aggregates of a neighbour, or of the product's own, sum up to now, by key."""
        return self._state.columns[product].totals

    def assess(self, model: str, values: Mapping[str, float | None]) -> Assessment | None:
        """Tell what the champion of a model says of values."""
        return self._state.assessors.assess(model, values)

    def features(self, name: str, *, purpose: Purpose, asking: Mapping[str, int]) -> FeatureReading:
        """Tell a set of features as known now, everything decided before included."""
        return tell_features(self._state, name, purpose=purpose, at=self.now, asking=asking)

    def numbers(self, product: str, ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return the numbers of aggregates of a columnar product by ids, -1 where there is none."""
        return self._state.columns[product].numbers(ids)

    def holders(self, product: str, field: str, ids: npt.NDArray[np.uint64]) -> tuple[Rows, Rows]:
        """Return the numbers of the aggregates that hold ids in a field, and the places of those ids."""
        return self._state.columns[product].holders(field, ids)

    def features_of(self, name: str, *, purpose: Purpose, asking: Mapping[str, npt.NDArray[Any]]) -> Values:
        """Tell a set of features of many as known now."""
        return tell_all(self._state, name, purpose=purpose, at=self.now, asking=asking)

    def assess_all(
        self, model: str, names: Sequence[str], values: npt.NDArray[np.float64]
    ) -> Assessed | None:
        """Tell what the champion of a model says of rows of values."""
        return self._state.assessors.assess_all(model, names, values)

    def transfer(self, transfer_id: int) -> Rows | None:
        """Return a transfer that was made, also one that left memory."""
        # Seldom asked, so looked up when asked: what is found does not depend on where it is found.
        rows, positions = find_transfers(self._machine, [transfer_id])
        if len(positions):
            rows = self._old_rows.transfers_at(positions)
        made = transfers_view(rows[is_created(rows)])
        return np.asarray(made[0]) if len(made) else None
