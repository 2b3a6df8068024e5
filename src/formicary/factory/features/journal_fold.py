"""From rows of the journal to events of features: transfers, facts and consent, in the order of positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.factory.features._layout import Events, Words
from formicary.factory.features._plan_builder import CONSENT_KIND
from formicary.factory.features.columns import MalformedEvents, events_of, join_events
from formicary.factory.features.kinds import EventKind, Facts, FieldType, Transfers
from formicary.factory.features.store import FeatureStore, Values
from formicary.factory.journal.events import Event
from formicary.factory.journal.fact_columns import FactColumns, facts_of
from formicary.factory.ledger import TransferFlags
from formicary.factory.ledger.views import is_created

__all__ = [
    "CONSENT_EVENTS",
    "FACTS_RECORDED",
    "Replayed",
    "fold_rows",
    "journaled_events",
    "moved_rows",
    "positions_of_kind",
    "replay_rows",
    "require_readable",
]

Rows = npt.NDArray[Any]

FACTS_RECORDED: Final = "facts.FactsRecorded"
"""The kind of the journal's events that facts are told by."""
_GRANTED: Final = "consent.ConsentGranted"
_REVOKED: Final = "consent.ConsentRevoked"
CONSENT_EVENTS: Final = (_GRANTED, _REVOKED)
"""The kinds of the journal's events that say who agrees to what."""
_ACCOUNT_OF: Final = {"debit_party": "debit_account_id", "credit_party": "credit_account_id"}
_ID_OF: Final = {"debit_account": "debit_account_id", "credit_account": "credit_account_id"}
# What only reserves money, or gives a reservation back, has moved none.
_MOVES_NOTHING: Final = int(TransferFlags.PENDING | TransferFlags.VOID_PENDING_TRANSFER)


class _Consent(msgspec.Struct):
    purpose: int


class _FactTimes(msgspec.Struct):
    kind: str
    at: list[int]


@dataclass(frozen=True, kw_only=True)
class Replayed:
    """The asking events of some rows of the journal.

    Attributes
    ----------
    asking
        The events (n,), in the order in which they became known.
    positions
        Where each stands in the journal, (n,).
    values
        What each was told.
    transfers
        The id of the transfer that each is, (n, 2); None where facts ask.
    """

    asking: Events
    positions: Words
    values: Values
    transfers: Words | None = None


def fold_rows(
    store: FeatureStore, *, accounts: Rows, transfers: Rows, events: Sequence[Event], until: int
) -> None:
    """Let the rows after the store's position up to ``until`` change what is known of their keys.

    Parameters
    ----------
    store
        Rows at or before its position are left out: it knows them.
    accounts, transfers, events
        (a,) ``ACCOUNT_ROW``, (t,) ``TRANSFER_ROW``, and events, each in the order of its positions.
    until
        The position that the store then stands at.
    """
    if until <= store.position:
        return
    fresh, _ = _fresh_events(store, accounts=accounts, transfers=transfers, events=events)
    store.follow(fresh)
    store.position = until


def replay_rows(
    store: FeatureStore,
    view: str,
    *,
    purpose: Purpose,
    accounts: Rows,
    transfers: Rows,
    events: Sequence[Event],
    first: int,
    until: int,
) -> Replayed:
    """Do the same as ``fold_rows``, and tell what each asking event from position ``first`` on was told.

    An event is told what was known just before it, by the rows of smaller positions.
    """
    joined, positions = _fresh_events(store, accounts=accounts, transfers=transfers, events=events)
    asked = positions >= first
    values = store.replay(view, joined, purpose=purpose, asked=asked)
    compiled = store.compiled.views[view]
    asked &= joined.kinds == compiled.view.kind
    store.position = max(store.position, until)
    return Replayed(
        asking=Events(*(column[asked] for column in joined)),
        positions=positions[asked],
        values=values,
        transfers=_transfers_at(compiled.set.on, transfers, positions[asked]),
    )


def positions_of_kind(kind: EventKind, *, transfers: Rows, events: Sequence[Event]) -> Words:
    """Return the position of each event of a kind that rows hold, (n,) in order, from the rows alone.

    So many rows must come out where they go in, whatever is made of them on the way.
    """
    if isinstance(kind.source, Transfers) and len(transfers):
        moved = moved_rows(transfers)
        return np.ascontiguousarray(moved["position"][np.isin(moved["code"], kind.source.codes)])
    if not isinstance(kind.source, Facts):
        return np.empty(0, np.int64)
    told = [event for event in events if event.kind == FACTS_RECORDED]
    facts = [msgspec.json.decode(event.body, type=_FactTimes) for event in told]
    counts = [len(one.at) if one.kind == kind.source.kind else 0 for one in facts]
    return np.repeat(np.array([event.position for event in told], np.int64), counts)


def _transfers_at(kind: EventKind, transfers: Rows, positions: Words) -> Words | None:
    """Return the ids, (n, 2), of the transfers at positions (n,), None where a kind is made of none."""
    if not isinstance(kind.source, Transfers):
        return None
    if not len(positions):
        return np.empty((0, 2), np.int64)
    return _words_of(transfers[np.searchsorted(transfers["position"], positions)], "id")


def _fresh_events(
    store: FeatureStore, *, accounts: Rows, transfers: Rows, events: Sequence[Event]
) -> tuple[Events, Words]:
    """Note whose the new accounts are; return what else the store does not know as events and positions."""
    if len(accounts):
        fresh = accounts[accounts["position"] > store.position]
        store.note_holders(_words_of(fresh, "id"), _words_of(fresh, "user_data_128"))
    if len(transfers):
        transfers = transfers[transfers["position"] > store.position]
    fresh_events = [event for event in events if event.position > store.position]
    return journaled_events(store, transfers=transfers, events=fresh_events)


def journaled_events(
    store: FeatureStore, *, transfers: Rows, events: Sequence[Event]
) -> tuple[Events, Words]:
    """Return rows of the journal as events of the kinds that features know, and their positions (n,)."""
    nothing = np.empty(0, np.int64)
    parts = [events_of(store.compiled, CONSENT_KIND, at=nothing, columns={})]
    positions: list[Words] = [nothing]
    for kind, rows in _of_kinds(store.compiled.kinds, transfers):
        columns = {name: _transfer_column(store, rows, kind.field(name).source) for name in kind}
        parts.append(events_of(store.compiled, kind, at=rows["timestamp"], columns=columns))
        positions.append(np.ascontiguousarray(rows["position"]))
    for event in events:
        for part in _of_event(store, event):
            parts.append(part)
            positions.append(np.full(len(part.kinds), event.position))
    return join_events(parts, positions), np.sort(np.concatenate(positions), kind="stable")


def _of_kinds(kinds: Sequence[EventKind], transfers: Rows) -> Iterator[tuple[EventKind, Rows]]:
    if not len(transfers):
        return
    moved = moved_rows(transfers)
    for kind in kinds:
        if isinstance(kind.source, Transfers):
            rows = moved[np.isin(moved["code"], kind.source.codes)]
            if len(rows):
                yield kind, rows


def moved_rows(transfers: Rows) -> Rows:
    """Return the rows of transfers that moved money."""
    return np.asarray(transfers[is_created(transfers) & ((transfers["flags"] & _MOVES_NOTHING) == 0)])


def _transfer_column(store: FeatureStore, rows: Rows, source: str) -> Rows:
    if source in _ACCOUNT_OF:
        return store.holders_of(_words_of(rows, _ACCOUNT_OF[source]))
    if source in _ID_OF:
        return _words_of(rows, _ID_OF[source])
    if source in ("id", "user_data_128"):
        return _words_of(rows, source)
    return rows[source].astype(np.int64)


def _of_event(store: FeatureStore, event: Event) -> Iterator[Events]:
    if event.kind in (_GRANTED, _REVOKED):
        body = msgspec.json.decode(event.body, type=_Consent)
        columns: dict[str, npt.ArrayLike] = {
            "party": _words_of_ids([event.subject]),
            "purpose": [body.purpose],
            "granted": [int(event.kind == _GRANTED)],
        }
        yield events_of(store.compiled, CONSENT_KIND, at=[event.timestamp], columns=columns)
    elif event.kind == FACTS_RECORDED:
        facts = facts_of(event.body)
        for kind in store.compiled.kinds:
            if isinstance(kind.source, Facts) and kind.source.kind == facts.kind:
                yield events_of(store.compiled, kind, at=facts.at, columns=_fact_columns(kind, facts))


def require_readable(store: FeatureStore, body: bytes) -> None:
    """Refuse facts that could not be folded: without a field that a feature reads.

    Raises
    ------
    MalformedEvents
        They lack one. Once they are journaled there is no refusing them.
    """
    facts = facts_of(body)
    for kind in store.compiled.kinds:
        if isinstance(kind.source, Facts) and kind.source.kind == facts.kind:
            _fact_columns(kind, facts)


def _fact_columns(kind: EventKind, facts: FactColumns) -> dict[str, Rows]:
    columns: dict[str, Rows] = {}
    for name, field in kind.fields.items():
        given: dict[str, Any] = facts.numbers
        if field.is_id:
            given = facts.ids
        elif field.type == FieldType.REAL:
            given = facts.reals
        if field.source not in given:
            message = (
                f"a fact {facts.kind!r} has no {field.type} {field.source!r}, which {kind.name}.{name} reads"
            )
            raise MalformedEvents(message)
        columns[name] = given[field.source]
    return columns


def _words_of(rows: Rows, name: str) -> Words:
    words = np.empty((len(rows), 2), np.int64)
    words[:, 0] = rows[f"{name}_high"].astype(np.int64)
    words[:, 1] = rows[f"{name}_low"].astype(np.int64)
    return words


def _words_of_ids(ids: Sequence[int]) -> Words:
    words = np.array([(wanted >> 64, wanted & (2**64 - 1)) for wanted in ids], np.uint64)
    return words.view(np.int64).reshape(-1, 2)
