"""The engine's decisions against the model's, answer by answer and row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.errors import Refusal
from formicary.factory.engine.state import Receipt
from formicary.factory.journal.batch import Batch
from formicary.factory.journal.events import Event
from proofs.simulator.records import unpack
from proofs.simulator.violations import require, violate
from tests.factory.ledger.oracle import entry_totals
from tests.factory.ledger.oracle_rules import TOTALS, Record

__all__ = ["compare_answers", "compare_rows", "plain_answer"]

# The model does not number events within a request, and nothing is in reserve.
_NOT_COMPARED: Final = frozenset({"request", "reserved"})
_NOT_IN_ACCOUNT_ROW: Final = _NOT_COMPARED | set(TOTALS)


def compare_answers(answers: Sequence[Any], expected: Sequence[Any]) -> None:
    """Require that every answer is the model's."""
    for answer, wanted in zip(map(plain_answer, answers), expected, strict=True):
        require(answer == wanted, "answers are the model's", f"{answer} instead of {wanted}")


def plain_answer(answer: Any) -> Any:
    """Return an answer in plain values, as the model gives it."""
    if isinstance(answer, np.ndarray):
        return [_outcome(result) for result in unpack(answer)]
    if isinstance(answer, Receipt):
        return answer.code, answer.answer, answer.fingerprint
    return answer.code if isinstance(answer, Refusal) else answer


def compare_rows(batch: Batch | None, expected: Sequence[Record]) -> None:
    """Require that a batch holds exactly the rows which the model wrote."""
    rows = [] if batch is None else _records(batch)
    require(len(rows) == len(expected), "rows are the model's", f"{len(rows)} instead of {len(expected)}")
    for row, wanted in zip(rows, expected, strict=True):
        left_out = _NOT_COMPARED if "amount" in row else _NOT_IN_ACCOUNT_ROW
        for name in row.keys() - left_out:
            if row[name] != wanted.get(name):
                detail = f"{name} at position {row['position']}: {row[name]} instead of {wanted.get(name)}"
                violate("rows are the model's", detail)


def _outcome(result: Record) -> tuple[Any, ...]:
    totals = entry_totals(result) if "debit_debits_posted" in result else (0,) * 8
    return result["status"], result["timestamp"], totals


def _records(batch: Batch) -> list[Any]:
    rows = (batch.accounts, batch.transfers, batch.decisions)
    records: list[Any] = [record for one in rows for record in unpack(one)]
    records += [_event(event) for event in batch.events]
    return sorted(records, key=lambda record: record["position"])


def _event(event: Event) -> dict[str, Any]:
    names = ("position", "timestamp", "kind", "command_id", "subject")
    return {name: getattr(event, name) for name in names} | {"body": msgspec.json.decode(event.body)}
