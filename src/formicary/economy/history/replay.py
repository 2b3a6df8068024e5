"""Asking an engine for a history, step by step, and counting what it answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from formicary.economy.history.engine import HistoryEngine
from formicary.economy.history.mapping import Mapping
from formicary.economy.history.plan import Plan, Step
from formicary.economy.history.rejections import REJECTIONS, Reason, rejections
from formicary.economy.moments import ReplayRefused
from formicary.factory.engine.requests import CommandRequest, KeyReused
from formicary.factory.engine.state import Receipt
from formicary.factory.ledger import ACCOUNT, CreateAccountStatus, CreateTransferStatus

__all__ = ["Outcome", "replay_history"]

Items = npt.NDArray[Any]

_OLDER: int = CreateTransferStatus.IMPORTED_EVENT_TIMESTAMP_MUST_NOT_REGRESS


@dataclass(slots=True)
class Outcome:
    """How a history was answered: what is new and what was there before, by event and in all."""

    parties: int = 0
    parties_before: int = 0
    accounts: int = 0
    accounts_before: int = 0
    created: Counter[int] = field(default_factory=Counter)
    existing: Counter[int] = field(default_factory=Counter)
    rejected: pl.DataFrame = field(default_factory=REJECTIONS.to_frame)


def replay_history(
    mapping: Mapping, plan: Plan, engine: HistoryEngine, *, done: Callable[[int], None]
) -> Outcome:
    """Ask for everything in a plan, in its order; return how it was answered.

    Raises
    ------
    ReplayRefused
        A party or a wallet is not as the history has it: the deployment uses its id for something else.
    """
    counting = _Counting(mapping, plan)
    for step in plan.steps(engine.latest):
        commands = [one.command_id for one in step.requests if isinstance(one, CommandRequest)]
        before = engine.answered(commands) if commands else ()
        engine.set_time(step.at)
        counting.count(step, engine.execute(step.requests), before)
        done(len(step))
    return counting.outcome


class _Counting:
    def __init__(self, mapping: Mapping, plan: Plan) -> None:
        self._mapping = mapping
        self._events = plan.events["event"].to_numpy()
        self._rows = plan.events["row"].to_numpy()
        self.outcome = Outcome()

    def count(self, step: Step, answers: Sequence[Any], before: Collection[int]) -> None:
        for request, rows, answer in zip(step.requests, step.rows, answers, strict=True):
            if isinstance(request, CommandRequest):
                self._count_command(rows, answer, was_before=request.command_id in before)
            elif request.dtype == ACCOUNT:
                self._count_accounts(answer["status"])
            else:
                self._count_transfers(rows, answer["status"])

    def _count_command(self, rows: Items, answer: Any, *, was_before: bool) -> None:
        code = answer.code if not isinstance(answer, KeyReused) else Reason.CHANGED
        is_done = isinstance(answer, Receipt) and not code
        if len(rows) == 0:
            if not is_done:
                message = f"a party cannot be registered: {code}"
                raise ReplayRefused(message)
            self.outcome.parties += not was_before
            self.outcome.parties_before += was_before
        elif is_done:
            event = int(self._events[rows[0]])
            (self.outcome.existing if was_before else self.outcome.created)[event] += len(rows)
        elif code == Reason.CHANGED:
            self._reject(rows, "", Reason.CHANGED)
        else:
            self._reject(rows, code, Reason.REFUSED)

    def _count_accounts(self, statuses: Items) -> None:
        created, exists = CreateAccountStatus.CREATED, CreateAccountStatus.EXISTS
        self.outcome.accounts += int((statuses == created).sum())
        self.outcome.accounts_before += int((statuses == exists).sum())
        others = statuses[(statuses != created) & (statuses != exists)]
        # A wallet that is there with a limit serves as well: what it refuses is said row by row.
        bad = [CreateAccountStatus(one).name.lower() for one in np.unique(others).tolist()]
        if any(name != "exists_with_different_flags" for name in bad):
            message = f"wallets cannot be opened: {', '.join(bad)}"
            raise ReplayRefused(message)
        self.outcome.accounts_before += len(others)

    def _count_transfers(self, rows: Items, statuses: Items) -> None:
        for status in np.unique(statuses).tolist():
            some = rows[statuses == status]
            name = CreateTransferStatus(status).name.lower()
            if status == CreateTransferStatus.CREATED:
                self._add(self.outcome.created, some)
            elif status == CreateTransferStatus.EXISTS:
                self._add(self.outcome.existing, some)
            elif status == _OLDER:
                self._reject(some, "", Reason.OLDER_THAN_JOURNAL)
            elif name.startswith("exists_with_different"):
                self._reject(some, name, Reason.CHANGED)
            else:
                self._reject(some, name, Reason.REFUSED)

    def _add(self, counter: Counter[int], rows: Items) -> None:
        events, counts = np.unique(self._events[rows], return_counts=True)
        counter.update(dict(zip(events.tolist(), counts.tolist(), strict=True)))

    def _reject(self, rows: Items, column: str, reason: Reason) -> None:
        for number in np.unique(self._events[rows]).tolist():
            event = self._mapping.events[number]
            some = pl.Series(self._rows[rows[self._events[rows] == number]])
            texts = [pl.repeat(text, len(some), dtype=pl.String, eager=True) for text in (column, reason)]
            self.outcome.rejected.extend(rejections(event.kind, event.file, some, *texts))
