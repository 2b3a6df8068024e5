"""The callers: they send, wait, send again, and remember every answer."""

from __future__ import annotations

from typing import Any, Final

from formicary.factory.ledger import CreateTransferStatus
from proofs.simulator.comparison import plain_answer
from proofs.simulator.dice import Dice
from proofs.simulator.operations import Operation
from proofs.simulator.records import unpack
from proofs.simulator.violations import require
from proofs.simulator.workload import Workload
from tests.factory.ledger.oracle_rules import is_transfer

__all__ = ["Callers"]

_RETRIED: Final = (CreateTransferStatus.EXISTS, CreateTransferStatus.LINKED_EVENT_FAILED)


class Callers:
    """A few callers, each with one operation at a time.

    ``created`` are the transfers that somebody was told of, with the timestamp that they were told;
    ``receipts`` are the commands that were answered; ``acknowledged`` is the highest position told of.
    """

    def __init__(self, dice: Dice, *, count: int, operations_max: int) -> None:
        self._dice = dice
        self._workload = Workload(dice)
        self._left = operations_max
        self._waiting: list[Operation | None] = [None] * count
        self.finished: list[Operation] = []
        self.created: dict[int, int] = {}
        self.receipts: dict[int, Any] = {}
        self.acknowledged = 0
        self._first_told: set[int] = set()

    @property
    def are_done(self) -> bool:
        """Whether everything that was to be asked is answered."""
        return self._left == 0 and not any(self._waiting)

    @property
    def have_more(self) -> bool:
        """Whether somebody has something new to ask."""
        return self._left > 0 and None in self._waiting

    def next(self) -> Operation | None:
        """Return an operation to send, for the first time or again; None if this caller has nothing to do."""
        caller = self._dice.random.randrange(len(self._waiting))
        if self._waiting[caller] is None and self._left:
            self._left -= 1
            self._waiting[caller] = self._workload.next()
        return self._waiting[caller]

    def waiting(self) -> list[Operation]:
        """Return the operations that have no answer."""
        return [operation for operation in self._waiting if operation is not None]

    def receive(self, operation: Operation, answer: Any, position: int) -> None:
        """Take an answer, the first or another one, that holds as of a position."""
        plain = plain_answer(answer)
        if operation in self._waiting:
            self._waiting[self._waiting.index(operation)] = None
            self.finished.append(operation)
        operation.answers.append(plain)
        self.acknowledged = max(self.acknowledged, position)
        if isinstance(plain, list):
            self._learn_results(operation, plain)
        elif not operation.name.startswith("read"):
            self._learn_receipt(operation, plain)

    def _learn_results(self, operation: Operation, outcomes: list[tuple[Any, ...]]) -> None:
        for event, (status, timestamp, _) in zip(unpack(operation.question), outcomes, strict=True):
            if not is_transfer(event):
                continue
            told = self.created.get(event["id"])
            if status == CreateTransferStatus.CREATED:
                # A retry's answer may have overtaken this one, but no second creation.
                require(
                    event["id"] not in self._first_told, "a transfer is created once", f"{event['id']} again"
                )
                self._first_told.add(event["id"])
            if status in (CreateTransferStatus.CREATED, CreateTransferStatus.EXISTS):
                require(told in (None, timestamp), "the same answer for the same id", f"{event['id']}")
                self.created[event["id"]] = timestamp
            else:
                require(
                    told is None or status in _RETRIED, "no acknowledged effect is lost", f"{event['id']}"
                )

    def _learn_receipt(self, operation: Operation, plain: Any) -> None:
        if isinstance(plain, str):
            return
        earlier = self.receipts.setdefault(operation.question.command_id, plain)
        require(earlier == plain, "the same answer for the same key", f"{plain} after {earlier}")
