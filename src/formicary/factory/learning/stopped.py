"""Rows that were stopped at a decision point: held, sent to a check, or rejected; and who stands for them.

They moved nothing, so that they are in no training set; but their decision recorded every value that was
read. Whoever learned only from what was let through would learn nothing of what the champion stops. Their
labels are those that somebody tells, as who looks at what is held: that nothing is told of a row is no sign
of anything, as what never happened cannot come out badly.

- What was held and then released did happen: once it is old enough, nothing told is a sign as of any other.
  It is the row that asked; that its money moved later is no second one.
- Where a lot might have let a row pass, those that it did stand for those that it did not, each for one over
  its propensity (``decisions.propensities``). What somebody told of the latter is left out: it would count
  twice, and be told of some rather than others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.factory.decisions import _judge_layout as layout
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
from formicary.factory.ledger import CreateTransferStatus, TransferFlags
from formicary.factory.ledger.views import is_created
from formicary.factory.models.labels import IMMATURE, NEGATIVE, Asked, Cutoff, Outcomes, labels_of
from formicary.factory.models.outcomes import outcomes_of
from formicary.factory.models.questions import Label
from formicary.factory.models.spec import ModelSpec
from formicary.factory.models.training_set import AskedRows

__all__ = ["Stopped", "stopped_rows", "together"]

Rows: TypeAlias = npt.NDArray[Any]
Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Stopped:
    """What was stopped, and what a lot let pass.

    Attributes
    ----------
    rows
        The rows (n,) that were stopped.
    released
        Where the journal says of held ones that their money moved, (r,), ascending.
    explored, propensities
        Where what a lot let pass stands in the journal, (m,), ascending, and how probable that was, (m,).
    """

    rows: AskedRows
    released: Words
    explored: Words
    propensities: Reals

    def weights(self, positions: Words) -> Reals:
        """Return for how many rows those at positions (n,) stand, (n,)."""
        weights = np.ones(len(positions))
        _, here, there = np.intersect1d(positions, self.explored, return_indices=True)
        weights[here] = 1.0 / self.propensities[there]
        return weights


def stopped_rows(
    source: DecisionSource,
    compiled: Compiled,
    spec: ModelSpec,
    point: DecisionPoint,
    *,
    fields: tuple[str, ...],
    now: int,
) -> Stopped:
    """Return the rows that were stopped at a point, with their labels as of a time in nanoseconds.

    ``fields`` as in ``asked_rows``.
    """
    store = FeatureStore(compiled)
    judged = _judged(source, store, point)
    decisions, transfers = judged.decisions, judged.transfers
    told, _ = journaled_events(store, transfers=transfers, events=())
    is_asking = told.kinds == compiled.views[point.reads[0].name].view.kind
    ids = {name: told.ids[is_asking, place] for place, name in enumerate(point.on.ids)}
    numbers = {name: told.numbers[is_asking, place] for place, name in enumerate(point.on.numbers)}
    places = {name: f"value_{place:02}" for place, name in enumerate(point.features)}
    assert spec.question is not None  # noqa: S101, its rows are decided about
    label = spec.question.label
    named = ids[label.names] if label.names else _words(transfers)
    asked = Asked(ids=named.astype(np.uint64), at=decisions["timestamp"], positions=transfers["position"])
    labels = _labels(source, asked, label, now, is_released=np.isin(judged.ids, judged.released_ids))
    labels[decisions["propensity"] < 1] = IMMATURE
    rows = AskedRows(
        values=np.stack([decisions[places[name]] for name in spec.names], axis=1),
        at=decisions["timestamp"],
        positions=transfers["position"],
        labels=labels,
        ids={name: ids[name].astype(np.uint64) for name in fields if name in ids},
        numbers={
            name: (numbers[name] if name in numbers else decisions[places[name]]).astype(np.float64)
            for name in fields
            if name not in ids
        },
    )
    return Stopped(
        rows=rows,
        released=judged.released_at[np.isin(judged.released_ids, judged.ids)],
        explored=judged.explored["position"] + 1,
        propensities=np.ascontiguousarray(judged.explored["propensity"]),
    )


def together(one: AskedRows, stopped: Stopped) -> AskedRows:
    """Return the rows (n) of a training set and those (m) that were stopped, each once, in order of time."""
    one, other = _but(one, stopped.released), stopped.rows
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


def _but(rows: AskedRows, positions: Words) -> AskedRows:
    """Return rows without those at some positions."""
    kept = ~np.isin(rows.positions, positions)
    return AskedRows(
        values=rows.values[kept],
        at=rows.at[kept],
        positions=rows.positions[kept],
        labels=rows.labels[kept],
        ids={name: column[kept] for name, column in rows.ids.items()},
        numbers={name: column[kept] for name, column in rows.numbers.items()},
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Judged:
    """Decisions (n,) that let nothing through, their transfers (n,) as if they had been made, and their ids.

    Beside them decisions (m,) by which a lot let something through, and what posted a pending transfer:
    where (r,), and the ids of what was pending (r,). Ids are 16 bytes each.
    """

    decisions: Rows
    transfers: Rows
    ids: Rows
    explored: Rows
    released_at: Words
    released_ids: Rows


def _judged(source: DecisionSource, store: FeatureStore, point: DecisionPoint) -> _Judged:
    """Go through a journal once; the store is told whose the accounts are."""
    decisions, posts = list[Rows](), list[Rows]()
    for block in source.read(after=0, until=source.head()):
        _note_holders(store, block)
        of_point = block.decisions[block.decisions["point"] == point_id(point.name)]
        is_explored = (of_point["path"] & layout.EXPLORED) != 0
        decisions.append(of_point[is_explored | (of_point["effect"] != Effect.ALLOW)])
        is_post = (block.transfers["flags"] & int(TransferFlags.POST_PENDING_TRANSFER)) != 0
        posts.append(block.transfers[is_post & is_created(block.transfers)])
    both, posted = joined(decisions, DECISION_ROW), joined(posts, TRANSFER_ROW)
    is_let = both["effect"] == Effect.ALLOW
    found, transfers = _as_made(source, both[~is_let])
    return _Judged(
        decisions=found,
        transfers=transfers,
        ids=_joined_words(_words(transfers)),
        explored=both[is_let],
        released_at=np.ascontiguousarray(posted["position"]),
        released_ids=_joined_words(_words(posted, "pending_id")),
    )


def _as_made(source: DecisionSource, found: Rows) -> tuple[Rows, Rows]:
    """Return decisions (n,) and their transfers (n,), as if these had been made."""
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


def _joined_words(words: npt.NDArray[Any]) -> Rows:
    """Return ids (n, 2) as one value each, (n,)."""
    return np.ascontiguousarray(words.astype(np.uint64)).view("V16")[:, 0]


def _labels(
    source: RowSource, asked: Asked, label: Label, now: int, *, is_released: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int8]:
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
    labels[(labels == NEGATIVE) & ~is_released & ~_named(asked, told.outcomes)] = IMMATURE
    return labels


def _named(asked: Asked, outcomes: Outcomes) -> npt.NDArray[np.bool_]:
    """Return which rows (n,) an outcome names."""
    return np.isin(_joined_words(asked.ids), _joined_words(outcomes.ids))
