"""Event kinds: what happens, with typed fields, and where the factory finds it.

::

    PAYMENT = EventKind(
        "payment", Transfers(codes=(101, 102)),
        payer=party("debit_party"), payee=party("credit_party"), amount=amount("amount"),
    )
    PAYMENT["amount"]
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from formicary.factory.features.durations import duration
from formicary.factory.features.errors import FeatureMalformed, TypeMismatch, UnknownField
from formicary.factory.features.expressions import Expression
from formicary.factory.features.places import place_of_caller

__all__ = [
    "TRANSFER_IDS",
    "TRANSFER_NUMBERS",
    "EventKind",
    "Facts",
    "Field",
    "FieldType",
    "FieldValue",
    "Transfers",
    "amount",
    "identifier",
    "number",
    "party",
    "real",
]

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")

TRANSFER_IDS: Final = (
    "debit_party",
    "credit_party",
    "debit_account",
    "credit_account",
    "id",
    "user_data_128",
)
"""What a transfer names: a party is its account's ``user_data_128``."""
TRANSFER_NUMBERS: Final = ("amount", "code", "ledger", "user_data_64", "user_data_32")


class FieldType(StrEnum):
    """What a field holds."""

    PARTY = "party"
    """The id of a party, whose consent counts."""
    ID = "id"
    """The id of anything else: a device, an account, an order."""
    AMOUNT = "amount"
    """An integer of minor units."""
    NUMBER = "number"
    """A whole number, a code or a yes (1) or no (0)."""
    REAL = "real"
    """A floating-point number, as slow features are; it can be read back, but not summed."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field; ``known_after`` is how long after the event it is known, in nanoseconds, as for labels."""

    type: FieldType
    source: str = ""
    known_after: int = 0

    @property
    def is_id(self) -> bool:
        """Whether it names something, so that it can be a key."""
        return self.type in (FieldType.PARTY, FieldType.ID)

    @property
    def is_integer(self) -> bool:
        """Whether it can be summed."""
        return self.type in (FieldType.AMOUNT, FieldType.NUMBER)


def party(source: str = "") -> Field:
    """Return a field with the id of a party; ``source`` is its name in the source, if that is another."""
    return Field(type=FieldType.PARTY, source=source)


def identifier(source: str = "") -> Field:
    """Return a field with the id of something that is no party."""
    return Field(type=FieldType.ID, source=source)


def amount(source: str = "") -> Field:
    """Return a field with minor units."""
    return Field(type=FieldType.AMOUNT, source=source)


def number(source: str = "", *, known_after: str = "") -> Field:
    """Return a field with a whole number; a label says after how long it is ``known_after``."""
    return Field(
        type=FieldType.NUMBER, source=source, known_after=duration(known_after) if known_after else 0
    )


def real(source: str = "") -> Field:
    """Return a field with a floating-point number."""
    return Field(type=FieldType.REAL, source=source)


@dataclass(frozen=True)
class Transfers:
    """The source of a kind: transfers of the ledger with one of these codes.

    Fields are named in ``TRANSFER_IDS`` and ``TRANSFER_NUMBERS``. What was refused, pending or expired moved
    no money and is none of them.
    """

    codes: tuple[int, ...]

    def __post_init__(self) -> None:
        # The member of an enumeration is written with its name, which is no part of what a feature means.
        object.__setattr__(self, "codes", tuple(int(code) for code in self.codes))


@dataclass(frozen=True)
class Facts:
    """The source of a kind: facts that were recorded under a name, fields as they were recorded."""

    kind: str


class EventKind:
    """A kind of event.

    Parameters
    ----------
    name
        A singular noun in snake case.
    source
        Where the journal has it; None for a kind that only tables hold.
    fields
        Its fields by name. The time of the event is always known: the hour and the weekday are expressions.

    Raises
    ------
    FeatureMalformed
        The name or a field's is no identifier.
    UnknownField
        The source has no such field.
    """

    def __init__(self, name: str, source: Transfers | Facts | None = None, **fields: Field) -> None:
        for named in (name, *fields):
            if not NAME.fullmatch(named):
                message = f"{named!r} is no name in snake case"
                raise FeatureMalformed(message, place=place_of_caller(), name=name)
        self.name = name
        self.source = source
        self.fields: Mapping[str, Field] = {
            key: replace(field, source=field.source or key) for key, field in fields.items()
        }
        if isinstance(source, Transfers):
            self._require_of_transfers()

    def __getitem__(self, field: str) -> FieldValue:
        """Return a field to use in definitions; whether there is one of this name shows when they compile."""
        return FieldValue(self, field)

    def __repr__(self) -> str:
        return f"EventKind({self.name!r})"

    def field(self, name: str) -> Field:
        """Return the declaration of a field.

        Raises
        ------
        UnknownField
            There is none of this name.
        """
        if name not in self.fields:
            message = f"{self.name} has no field {name!r}, only {', '.join(self.fields)}"
            raise UnknownField(message)
        return self.fields[name]

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of the fields that are ids, in the order of their columns."""
        return tuple(name for name, field in self.fields.items() if field.is_id)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The names of the other fields, in the order of their columns."""
        return tuple(name for name, field in self.fields.items() if not field.is_id)

    def id_column(self, name: str) -> int:
        """Return the column of an id.

        Raises
        ------
        TypeMismatch
            The field is no id.
        """
        if not self.field(name).is_id:
            message = f"{self.name}.{name} is no id, so it cannot be a key"
            raise TypeMismatch(message)
        return self.ids.index(name)

    def canonical(self) -> str:
        """Return all that the kind means, as text: equal texts mean the same."""
        fields = ", ".join(
            f"{name}={field.type}:{field.source}:{field.known_after}" for name, field in self.fields.items()
        )
        return f"{self.name} from {self.source!r} with {fields}"

    def _require_of_transfers(self) -> None:
        for name, field in self.fields.items():
            known = TRANSFER_IDS if field.is_id else TRANSFER_NUMBERS
            if field.source not in known:
                message = f"a transfer has no {field.source!r}, only {', '.join(known)}"
                raise UnknownField(message, place=place_of_caller(), name=f"{self.name}.{name}")

    def __iter__(self) -> Iterator[str]:
        """Go through the names of the fields."""
        return iter(self.fields)


class FieldValue(Expression):
    """A field of an event, in a definition."""

    def __init__(self, kind: EventKind, field: str) -> None:
        self.kind = kind
        self.field = field

    @property
    def type(self) -> FieldType:
        """What it holds."""
        return self.kind.field(self.field).type

    def canonical(self) -> str:
        """Return ``kind.field``."""
        return f"{self.kind.name}.{self.field}"
