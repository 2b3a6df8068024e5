"""Rows of the ledger as events, one at a time in a kernel, as ``journal_fold`` makes them of columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from formicary.base.kernels import fixed, kernel_part
from formicary.base.records import Table
from formicary.factory.features._layout import HEADER_HOLDER, HOLDER_TABLE, VALUE_MAX, Events, State
from formicary.factory.features._rows import find_row
from formicary.factory.features.kinds import TRANSFER_IDS, TRANSFER_NUMBERS, EventKind, FieldType, Transfers

if TYPE_CHECKING:
    from formicary.factory.features.compiler import Compiled

__all__ = ["Feed", "feed_of", "write_event"]

NO_FIELD: Final = -1
# Added to the source of a number that is kept as a floating-point one.
AS_REAL: Final = 8

DEBIT_PARTY: Final = TRANSFER_IDS.index("debit_party")
CREDIT_PARTY: Final = TRANSFER_IDS.index("credit_party")
DEBIT_ACCOUNT: Final = TRANSFER_IDS.index("debit_account")
CREDIT_ACCOUNT: Final = TRANSFER_IDS.index("credit_account")
OWN_ID: Final = TRANSFER_IDS.index("id")
AMOUNT: Final = TRANSFER_NUMBERS.index("amount")
CODE: Final = TRANSFER_NUMBERS.index("code")
LEDGER: Final = TRANSFER_NUMBERS.index("ledger")
USER_DATA_64: Final = TRANSFER_NUMBERS.index("user_data_64")


class Feed(NamedTuple):
    """How transfers become events."""

    codes: Table
    """(n, 2): a code of transfers, and the number of a kind of events that they are."""
    ids: Table
    """(kinds, columns): the place in ``TRANSFER_IDS`` that each id comes from, ``NO_FIELD`` for none."""
    numbers: Table
    """(kinds, columns): the same of numbers, in ``TRANSFER_NUMBERS``."""


def feed_of(compiled: Compiled) -> Feed:
    """Return how transfers become the events that sets of features know."""
    ids = np.full((len(compiled.kinds), compiled.id_columns), NO_FIELD, np.int64)
    numbers = np.full((len(compiled.kinds), compiled.number_columns), NO_FIELD, np.int64)
    codes: list[tuple[int, int]] = []
    for number, kind in enumerate(compiled.kinds):
        if isinstance(kind.source, Transfers):
            codes += [(code, number) for code in kind.source.codes]
            _note_sources(kind, ids[number], numbers[number])
    return Feed(np.array(codes, np.int64).reshape(-1, 2), ids, numbers)


def _note_sources(kind: EventKind, ids: Any, numbers: Any) -> None:
    for name in kind.ids:
        ids[kind.ids.index(name)] = TRANSFER_IDS.index(kind.fields[name].source)
    for name in kind.numbers:
        field = kind.fields[name]
        source = TRANSFER_NUMBERS.index(field.source)
        numbers[kind.numbers.index(name)] = source + (AS_REAL if field.type == FieldType.REAL else 0)


@kernel_part
def write_event(state: State, feed: Feed, kind: Any, row: Any, amount: Any, at: Any, event: Events) -> None:
    """Write what a transfer is as an event of a kind to ``event``, which is one event long.

    ``row`` is a record of a transfer, made or asked for; ``amount`` is what it moves.
    """
    event.kinds[0] = kind
    event.at[0] = at
    for column in range(feed.ids.shape[1]):
        high, low = _id_of(state, row, fixed(feed.ids, kind, column))
        event.ids[0, column, 0] = high
        event.ids[0, column, 1] = low
    for column in range(feed.numbers.shape[1]):
        event.numbers[0, column] = _number_of(row, amount, fixed(feed.numbers, kind, column))


@kernel_part
def _id_of(state: State, row: Any, source: Any) -> tuple[Any, Any]:
    high, low = np.int64(0), np.int64(0)
    if source in (DEBIT_PARTY, DEBIT_ACCOUNT):
        high, low = np.int64(row["debit_account_id_high"]), np.int64(row["debit_account_id_low"])
    elif source in (CREDIT_PARTY, CREDIT_ACCOUNT):
        high, low = np.int64(row["credit_account_id_high"]), np.int64(row["credit_account_id_low"])
    elif source == OWN_ID:
        high, low = np.int64(row["id_high"]), np.int64(row["id_low"])
    elif source != NO_FIELD:
        high, low = np.int64(row["user_data_128_high"]), np.int64(row["user_data_128_low"])
    if source in (DEBIT_PARTY, CREDIT_PARTY):
        place = find_row(state, HOLDER_TABLE, high, low)
        high = state.words[place + HEADER_HOLDER] if place >= 0 else np.int64(0)
        low = state.words[place + HEADER_HOLDER + 1] if place >= 0 else np.int64(0)
    return high, low


@kernel_part
def _number_of(row: Any, amount: Any, source: Any) -> Any:
    if source == NO_FIELD:
        return np.int64(0)
    name = source & (AS_REAL - 1)
    if name == AMOUNT:
        value = np.int64(amount)
    elif name == CODE:
        value = np.int64(row["code"])
    elif name == LEDGER:
        value = np.int64(row["ledger"])
    elif name == USER_DATA_64:
        value = np.int64(row["user_data_64"])
    else:
        value = np.int64(row["user_data_32"])
    if source >= AS_REAL:
        return np.float64(value).view(np.int64)
    return min(max(value, -VALUE_MAX), VALUE_MAX)
