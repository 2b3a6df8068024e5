"""What a mapping says: which columns of which files are parties, transfers and facts.

The structures are the reference; ``docs/import.md`` explains every field with examples. They only hold
what was written: ``checks`` says whether it makes sense, ``mapping_file`` where in the file it does not.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

__all__ = [
    "Amount",
    "At",
    "Columns",
    "Event",
    "Fact",
    "File",
    "Mapping",
    "Party",
    "Reference",
    "Side",
    "Transfer",
    "Where",
    "code_of",
    "names_of",
]

Columns = str | list[str]

# Codes below are those of the products' own charts.
_FIRST_CODE: Final = 1_000


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a mapping; a field that is not known is a spelling mistake, never ignored."""


class File(_Written, frozen=True):
    """A file: CSV with a header, Parquet, or a bank's camt.053 statement."""

    path: str
    format: Literal["csv", "parquet", "camt.053"]
    separator: str = ","


class Party(_Written, frozen=True):
    """A kind of party; with a file, only the keys in it exist, without one whoever is referred to does."""

    kind: Literal["person", "merchant"]
    file: str | None = None
    key: Columns | None = None


class Where(_Written, frozen=True):
    """A condition on one column; ``negate``, written ``not``, turns it round."""

    column: str
    equals: str | None = None
    one_of: list[str] | None = msgspec.field(default=None, name="in")
    prefix: Columns | None = None
    positive: bool | None = None
    missing: bool | None = None
    negate: bool = msgspec.field(default=False, name="not")


class At(_Written, frozen=True):
    """When a row happened: a column read as a time, or counted in steps from a start."""

    column: str | None = None
    format: str | None = None
    start: str | None = None
    step: str | None = None


class Amount(_Written, frozen=True):
    """How much moved, and what a minus sign means."""

    column: str
    unit: Literal["major", "minor"] = "major"
    sign: Literal["positive", "absolute", "reverse"] = "positive"
    times: str | None = None
    decimals: int | None = None
    round: Literal["half_even"] | None = None


class Side(_Written, frozen=True):
    """Who pays or is paid: a party by its key, or an account outside of what the source knows."""

    party: str | None = None
    key: Columns | None = None
    value: str | None = None
    external: str | None = None
    or_external: str | None = None


class Transfer(_Written, frozen=True):
    """Money that moves from one wallet into another."""

    payer: Side
    payee: Side
    amount: Amount
    code: int | None = None
    currency_column: str | None = None


class Reference(_Written, frozen=True):
    """An id in a fact: that of a party, or of another event of the mapping."""

    party: str | None = None
    event: str | None = None
    key: Columns | None = None


class Fact(_Written, frozen=True):
    """Something that is known of ids, at once or some time after it happened."""

    ids: dict[str, Reference] = {}
    numbers: dict[str, str] = {}
    amounts: dict[str, str] = {}
    reals: dict[str, str] = {}
    known_after: str | None = None


class Event(_Written, frozen=True):
    """One kind of event: the rows of a file that are such events, and what each becomes."""

    kind: str
    file: str
    key: Columns
    at: At
    where: list[Where] = []
    lines: bool = False
    transfer: Transfer | None = None
    fact: Fact | None = None


class Mapping(_Written, frozen=True):
    """A team's history: its name, its files, and what their rows are."""

    source: str
    files: dict[str, File]
    events: list[Event]
    parties: dict[str, Party] = {}
    currency: str | None = None


def names_of(columns: Columns | None) -> list[str]:
    """Return columns as a list, whether one was written or several."""
    return [columns] if isinstance(columns, str) else list(columns or ())


def code_of(mapping: Mapping, event: Event) -> int:
    """Return the code of an event's transfers: its own, or 1,000 and its place among the events."""
    given = event.transfer.code if event.transfer is not None else None
    return _FIRST_CODE + mapping.events.index(event) if given is None else given
