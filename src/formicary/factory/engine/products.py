"""What a product gives the factory: a manifest, a decider, and nothing else.

A product *decides* (may refuse) and *evolves* (cannot)::

    decide(command, aggregate, context) -> Decision      or raises a Refusal
    evolve(event kind, aggregates (n,), events (n,))     changes the aggregates in place
    sweep(event kind, aggregates (n,), event)            the same, by one event for all of them

The factory calls them, journals what was decided, moves the money as one chain,
keeps the aggregates, sets the timers and answers a repeated command with its first answer.

Aggregates in the thousands are found by a dictionary. A product with more says that it ``is_columnar``; its
``sweeps`` then create and change as many at once as an event says, and its deciders read all of them as
columns (docs/aggregates.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.features.definitions import FeatureSet
from formicary.factory.journal.upcasters import Upcasters
from formicary.factory.ledger import Account, Transfer
from formicary.factory.models.spec import ModelSpec

__all__ = [
    "AGGREGATE_HEADER",
    "Command",
    "Consequence",
    "Context",
    "Decision",
    "DomainEvent",
    "Product",
    "Timer",
    "TimerFired",
    "Totals",
    "no_sweep",
]

AGGREGATE_HEADER: Final = [("id_high", "<u8"), ("id_low", "<u8"), ("timestamp", "<i8"), ("events", "<u4")]
"""The fields every aggregate begins with: its id, when it last changed, how many events made it."""


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What somebody wants done, in the imperative; ``subject`` is the aggregate's 128-bit id."""

    subject: int


class DomainEvent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """What happened to an aggregate, in the past tense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """Wake the aggregate at ``due`` nanoseconds under a name of the product's choosing."""

    name: str
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    """A timer that fell due: what a decider gets in place of a command."""

    subject: int
    name: str
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """An event of another aggregate, its own or a neighbour's, which happens because of a decision."""

    product: str
    subject: int
    event: DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to happen, all of it or nothing.

    ``transfers`` become one linked chain of at most ``REQUEST_ITEMS_MAX``; where the ledger refuses one, the
    command is refused with that status and nothing else of the decision happens. They may come packed, (n,)
    of ``TRANSFER``. Transfer ids of 0 are derived from the command's id and the transfer's ordinal.
    ``events`` happen to the command's own aggregate, ``consequences`` after them to other aggregates, of
    neighbours or of the product's own.
    """

    events: Sequence[DomainEvent] = ()
    consequences: Sequence[Consequence] = ()
    accounts: Sequence[Account] = ()
    transfers: Sequence[Transfer] | npt.NDArray[Any] = ()
    timers: Sequence[Timer] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)


class Context(Protocol):
    """What a decider may know besides its aggregate."""

    @property
    def now(self) -> int:
        """The stamp of the command in nanoseconds."""

    def derive_id(self, ordinal: int) -> int:
        """Return a 128-bit id that follows from the command's id and an ordinal."""

    def account(self, account_id: int) -> npt.NDArray[Any] | None:
        """Return an account as it is now, one ``ACCOUNT`` record, or None."""

    def accounts(self, ids: npt.NDArray[np.uint64]) -> npt.NDArray[Any]:
        """Return accounts by ids (n, 2), high word first, as they are now, (n,) of ``ACCOUNT``.

        Where there is no account all is zero.
        """

    def columns(self, product: str) -> npt.NDArray[Any]:
        """Return all aggregates of a neighbour, or of the decider's own product, in order of creation, (n,).

        A view that cannot be written to, of no use after the decision.
        """

    def aggregate(self, product: str, subject: int) -> npt.NDArray[Any] | None:
        """Return another aggregate as it is now, shape () of its product's dtype, or None.

        The product is a neighbour, or the decider's own.
        """

    def found(self, product: str, field: str, subject: int) -> npt.NDArray[Any]:
        """Return the aggregates that hold an id in a field of ``found_by``, in order of creation, (n,).

        Copies, of a columnar neighbour or of the decider's own product.
        """

    def totals(self, product: str) -> Mapping[int, tuple[int, ...]]:
        """Return the sums over all aggregates of a product that keeps ``totals``, by key, as they are now.

        Of a columnar neighbour, or of the decider's own product; a key of which there is nothing is missing.
        """

    def assess(self, model: str, values: Mapping[str, float | None]) -> Any:
        """Return what the champion of a model says of values by name, an ``Assessment``, or None.

        The model is one that a product which runs declares, the values those of the set of features that it
        asks. None where no version is the champion, or it cannot read these values, or not be explained.
        """

    def features(self, name: str, *, purpose: Purpose, asking: Mapping[str, int]) -> Any:
        """Return a set of features for an asking event's fields as known now, a ``FeatureReading``.

        A decider puts it into its events: a decision's record says what was known, and what was withheld for
        want of consent.
        """

    def numbers(self, product: str, ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return the numbers of aggregates by ids (n, 2), their places in ``columns``, -1 for none.

        Of a columnar neighbour, or of the decider's own product.
        """

    def holders(
        self, product: str, field: str, ids: npt.NDArray[np.uint64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the numbers of all aggregates that hold ids (n, 2) in a field, and the places of those ids.

        Both (m,), in the order of ids and of creation. The field is one by which aggregates are ``found_by``;
        ``found`` returns those of one id.
        """

    def features_of(self, name: str, *, purpose: Purpose, asking: Mapping[str, npt.NDArray[Any]]) -> Any:
        """Return a set of features for many asking events as known now, ``Values`` (n, f).

        ``asking`` has their fields in columns: ids (n, 2), numbers (n,).
        """

    def assess_all(self, model: str, names: Sequence[str], values: npt.NDArray[np.float64]) -> Any:
        """Return what the champion of a model says of rows of values (n, names), an ``Assessed``, or None.

        As ``assess``, of many; a row has the chance that it has alone.
        """

    def transfer(self, transfer_id: int) -> npt.NDArray[Any] | None:
        """Return a transfer that was made, however long ago, one ``TRANSFER`` record, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums over a columnar product's aggregates that are kept as these change; they are in no hash.

    Attributes
    ----------
    names
        What is summed up.
    measure
        Returns of aggregates (n,) their keys (n,), small whole numbers in words, and what each adds,
        (n, names) in words: at most 10^14 of each, and nothing of an aggregate that is all zero.
    unchanged_by
        The names of sweeps that change none of it, so that nothing has to be looked at twice for them.
    """

    names: tuple[str, ...]
    measure: Callable[[npt.NDArray[Any]], tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]
    unchanged_by: tuple[str, ...] = ()


def _nothing_to_upcast(_: Upcasters) -> None:
    """Register no upcasters: every event has its first form."""


def no_sweep(_: str, __: npt.NDArray[Any], ___: Any) -> None:
    """Sweep nothing: the product has no event that changes many aggregates at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product's manifest: what it adds to the factory, on one page.

    ``aggregate`` is a struct dtype whose first fields are ``AGGREGATE_HEADER``; where fields came later, at
    its end, ``aggregate_first_bytes`` is its size before, so that older journals keep their hashes.
    ``event_version`` is the version its events are written with, and ``upcast`` registers the ways up from
    older versions.
    ``neighbours`` are the products whose aggregates its decider looks at, and whose events may be
    consequences of its decisions; where this product runs, they run as well. ``features`` are what it wants
    to be told of the keys of its events, ``models`` what it wants to have predicted from them, and
    ``decision_points`` where policies decide about its transfers.

    ``is_columnar`` says that there may be millions of its aggregates, whose dtype is whole words of 8 bytes.
    ``sweeps`` are those of its events that change many of them at once: they have fields ``first`` and
    ``after``, numbers in the order of creation, and ``sweep`` changes those from ``first`` up to before
    ``after`` in place, but for their headers. An event with a field ``ids``, of ``columns.IDS``, creates them
    first. ``found_by`` are fields of ids, two words ``…_high`` and ``…_low``, that are set when an aggregate
    is created and never again, and by which deciders find it; ``totals`` are the sums that they look at.

    Where the event's own subject is an aggregate, ``evolve`` is told of it as well; it is made none.
    """

    name: str
    aggregate: np.dtype[np.void]
    commands: tuple[type[Command], ...]
    events: tuple[type[DomainEvent], ...]
    decide: Callable[[Command | TimerFired, npt.NDArray[Any] | None, Context], Decision]
    evolve: Callable[[str, npt.NDArray[Any], Sequence[DomainEvent]], None]
    is_columnar: bool = False
    sweeps: tuple[type[DomainEvent], ...] = ()
    sweep: Callable[[str, npt.NDArray[Any], Any], None] = no_sweep
    found_by: tuple[str, ...] = ()
    totals: Totals | None = None
    timers: tuple[str, ...] = ()
    neighbours: tuple[Product, ...] = ()
    features: tuple[FeatureSet, ...] = ()
    decision_points: tuple[DecisionPoint, ...] = ()
    models: tuple[ModelSpec, ...] = ()
    event_version: int = 1
    aggregate_first_bytes: int = 0
    upcast: Callable[[Upcasters], None] = _nothing_to_upcast

    def event_kind(self, event: type[DomainEvent]) -> str:
        """Return the journal's name of an event kind: ``product.EventName``."""
        return f"{self.name}.{event.__name__}"
