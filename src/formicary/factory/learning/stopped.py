"""Rows that were stopped at a decision point: held, sent to a check, or rejected.

They moved nothing, so that they are in no training set; but their decision recorded every value that was
read. Whoever learned only from what was let through would learn nothing of what the champion stops. Their
labels are those that somebody tells, as who looks at what is held: that nothing is told of a row is no sign
of anything, as what never happened cannot come out badly.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.factory.decisions.effects import Effect
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.policies import point_id
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.journal_fold import FACTS_RECORDED, journaled_events
from formicary.factory.features.sources import RowSource
from formicary.factory.features.store import FeatureStore
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.rows import DECISION_ROW, TRANSFER_ROW
from formicary.factory.learning.journaled import DecisionSource
from formicary.factory.ledger import CreateTransferStatus
from formicary.factory.models.labels import IMMATURE, NEGATIVE, Asked, Cutoff, Outcomes, labels_of
from formicary.factory.models.outcomes import outcomes_of
from formicary.factory.models.questions import Label
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.training_set import AskedRows

__all__ = ["stopped_rows", "together"]

Rows: TypeAlias = npt.NDArray[Any]
Words: TypeAlias = npt.NDArray[np.int64]


def stopped_rows(
    source: DecisionSource,
    compiled: Compiled,
    spec: ModelSpec,
    point: DecisionPoint,
    *,
    fields: tuple[str, ...],
    now: int,
) -> AskedRows:
    """Return the rows that were stopped at a point, with the labels that were told by a time in nanoseconds.

    ``fields`` as in ``asked_rows``.
    """
    store = FeatureStore(compiled)
    decisions, transfers = _stopped(source, store, point)
    told, _ = journaled_events(store, transfers=transfers, events=())
    is_asking = told.kinds == compiled.views[point.reads[0].name].view.kind
    ids = {name: told.ids[is_asking, place] for place, name in enumerate(point.on.ids)}
    numbers = {name: told.numbers[is_asking, place] for place, name in enumerate(point.on.numbers)}
    places = {name: f"value_{place:02}" for place, name in enumerate(point.features)}
    assert spec.question is not None  # noqa: S101, its rows are decided about
    label = spec.question.label
    named = ids[label.names] if label.names else _words(transfers)
    asked = Asked(ids=named.astype(np.uint64), at=decisions["timestamp"], positions=transfers["position"])
    return AskedRows(
        values=np.stack([decisions[places[name]] for name in spec.names], axis=1),
        at=decisions["timestamp"],
        positions=transfers["position"],
        labels=_labels(source, asked, label, now),
        ids={name: ids[name].astype(np.uint64) for name in fields if name in ids},
        numbers={
            name: (numbers[name] if name in numbers else decisions[places[name]]).astype(np.float64)
            for name in fields
            if name not in ids
        },
    )


def together(one: AskedRows, other: AskedRows) -> AskedRows:
    """Return rows (n) and other rows (m) of the same fields in the order of time, (n + m)."""
    order = np.argsort(np.concatenate([one.at, other.at]), kind="stable")

    def both(ours: Rows, theirs: Rows) -> Rows:
        return np.concatenate([ours, theirs])[order]

    return AskedRows(
        values=both(one.values, other.values),
        at=both(one.at, other.at),
        positions=both(one.positions, other.positions),
        labels=both(one.labels, other.labels),
        ids={name: both(column, other.ids[name]) for name, column in one.ids.items()},
        numbers={name: both(column, other.numbers[name]) for name, column in one.numbers.items()},
    )


def _stopped(source: DecisionSource, store: FeatureStore, point: DecisionPoint) -> tuple[Rows, Rows]:
    """Return the decisions (n,) that let nothing through and their transfers (n,), as if they had been made.

    The store is told whose the accounts are.
    """
    decisions = list[Rows]()
    for block in source.read(after=0, until=source.head()):
        _note_holders(store, block)
        of_point = block.decisions["point"] == point_id(point.name)
        decisions.append(block.decisions[of_point & (block.decisions["effect"] != Effect.ALLOW)])
    found = joined(decisions, DECISION_ROW)
    transfers = source.transfers_at(found["position"] + 1) if len(found) else np.zeros(0, TRANSFER_ROW)
    transfers["status"], transfers["flags"] = CreateTransferStatus.CREATED, 0
    # A transfer that was stopped may have no time of its own.
    transfers["timestamp"] = found["timestamp"]
    return found, transfers


def _note_holders(store: FeatureStore, block: Block) -> None:
    if len(block.accounts):
        ids, parties = (_words(block.accounts, prefix) for prefix in ("id", "user_data_128"))
        store.note_holders(ids, parties)


def _words(rows: Rows, prefix: str = "id") -> Words:
    halves = [rows[f"{prefix}_{half}"] for half in ("high", "low")]
    return np.ascontiguousarray(np.stack(halves, axis=1)).view(np.int64)


def _labels(source: RowSource, asked: Asked, label: Label, now: int) -> npt.NDArray[np.int8]:
    told = outcomes_of(source.events_of([FACTS_RECORDED], after=0, until=source.head()), label)
    cutoff = Cutoff(position=source.head(), now=now)
    labels = labels_of(
        asked,
        told.outcomes,
        cutoff,
        horizon_ns=label.horizon_ns,
        is_early=label.is_early,
        is_shared=bool(label.names),
    )
    labels[(labels == NEGATIVE) & ~_named(asked, told.outcomes)] = IMMATURE
    return labels


def _named(asked: Asked, outcomes: Outcomes) -> npt.NDArray[np.bool_]:
    """Return which rows (n,) an outcome names."""
    ours, theirs = (
        np.ascontiguousarray(ids, np.uint64).view("V16")[:, 0] for ids in (asked.ids, outcomes.ids)
    )
    return np.isin(ours, theirs)
