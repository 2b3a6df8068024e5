"""Products with one thing wrong each, for the test of ``check_product``."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from enum import Enum
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.purposes import Purpose
from formicary.factory.engine.columns import IDS
from formicary.factory.engine.house_documents import HOUSE_DOCUMENT
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    Timer,
    TimerFired,
    no_sweep,
)
from formicary.factory.journal.upcasters import Upcasters
from formicary.factory.ledger import Transfer
from formicary.factory.models.spec import ModelSpec
from tests.factory.engine.meters_product import METER, METERS, TARIFFS, MeterFitted, MetersTurned

__all__ = ["COUNTER", "Added", "bad_behaviours", "bad_events", "bad_manifests", "good_events"]

Rows = npt.NDArray[Any]
AGGREGATE: Final = np.dtype([*AGGREGATE_HEADER, ("count", "<i8")])


class Add(Command, frozen=True):
    """Add to a counter."""

    amount: Annotated[int, msgspec.Meta(gt=0, lt=10)]


class Added(DomainEvent, frozen=True):
    """Something was added."""

    amount: int


def decide(command: Command | TimerFired, aggregate: Rows | None, context: Context) -> Decision:
    """Add; a timer adds one."""
    if aggregate is not None:
        context.account(int(aggregate["count"]) % 2**64)
        # While it is checked nothing is known of anybody.
        told = context.features("any", purpose=Purpose.FRAUD, asking={"payer": 1})
        if told.values["spent"] is not None:
            raise AssertionError(told)
    amount = command.amount if isinstance(command, Add) else 1
    return Decision(
        events=[Added(amount=amount)],
        timers=[Timer(name="later", due=context.now + 1)],
        answer={"id": f"{context.derive_id(0):032x}", "ids": [{"amount": amount}]},
    )


def evolve(_: str, aggregates: Rows, events: Sequence[Any]) -> None:
    """Add up."""
    aggregates["count"] += [event.amount % 1_000 for event in events]


COUNTER: Final = Product(
    name="counter",
    aggregate=AGGREGATE,
    commands=(Add,),
    events=(Added,),
    decide=decide,
    evolve=evolve,
    timers=("later",),
)
"""A product with nothing wrong."""


# -- manifests -----------------------------------------------------------------------------


class Lax(Command, frozen=False):  # type: ignore[misc]
    """A command that can be changed."""


class SameTag(DomainEvent, frozen=True, tag="Added"):
    """An event with another's tag."""


class Lower(DomainEvent, frozen=True):
    """An event with a bad name."""


Lower.__name__ = "lower"


class Plain:
    """No struct."""


class Nameless(DomainEvent, frozen=True):
    """An event that creates aggregates, whose ids are no ids."""

    first: int
    after: int
    ids: Annotated[str, TARIFFS.meta]


_MODEL: Final = ModelSpec(name="empty", owner="tests", predicts="Nothing.", columns=())
"""A model that reads nothing."""


def bad_manifests() -> Iterator[tuple[str, str, Product]]:
    """Yield the rule, the place and the product."""
    yield "name", "product", replace(COUNTER, name="Counter")
    yield "name", "product", replace(COUNTER, name="engine")
    yield "name", "timers", replace(COUNTER, timers=("not so good",))
    yield "name", "lower", replace(COUNTER, events=(Lower,))
    yield "unique", "timers", replace(COUNTER, timers=("later", "later"))
    yield "unique", "messages", replace(COUNTER, events=(Added, Added))
    yield "unique", "tags of events", replace(COUNTER, events=(Added, SameTag))
    yield "frozen", "Lax", replace(COUNTER, commands=(Lax,))
    yield "frozen", "Add", replace(COUNTER, events=(Add,))  # type: ignore[arg-type]
    yield "frozen", "Plain", replace(COUNTER, events=(Plain,))  # type: ignore[arg-type]
    yield "version", "event_version", replace(COUNTER, event_version=0)
    yield "aggregate", "id_high", replace(COUNTER, aggregate=np.dtype([("count", "<i8")]))
    yield (
        "aggregate",
        "timestamp",
        replace(COUNTER, aggregate=np.dtype([*AGGREGATE_HEADER[:2], ("timestamp", "<i4")])),
    )
    yield "aggregate", "note", replace(COUNTER, aggregate=np.dtype([*AGGREGATE_HEADER, ("note", "<U8")]))
    padded = np.dtype([*AGGREGATE_HEADER, ("count", "<i8")], align=True)
    yield "aggregate", "dtype", replace(COUNTER, aggregate=padded)
    yield "aggregate", "dtype", replace(COUNTER, is_columnar=True)
    yield "aggregate", "dtype", replace(METERS, aggregate_first_bytes=METER.itemsize - 4)
    yield "unique", "sweeps", replace(METERS, sweeps=(MetersTurned, MetersTurned))
    yield "sweep", "is_columnar", replace(METERS, is_columnar=False)
    yield "sweep", "sweep", replace(METERS, sweeps=())
    yield "sweep", "sweep", replace(METERS, sweep=no_sweep)
    yield "sweep", "MetersTurned", replace(METERS, events=(MeterFitted,), sweeps=(MetersTurned,))
    yield "sweep", "MeterFitted", replace(METERS, sweeps=(MeterFitted,))
    yield "sweep", "Nameless.ids", replace(METERS, events=(Nameless,), sweeps=(Nameless,))
    yield "model", "models", replace(COUNTER, models=(_MODEL,))
    yield "unique", "models", replace(COUNTER, models=(_MODEL, _MODEL))
    yield "version", "upcast", replace(COUNTER, event_version=2)
    yield "version", "upcast", replace(COUNTER, upcast=_declares_otherwise)


def _declares_otherwise(upcasters: Upcasters) -> None:
    upcasters.declare("counter.Added", version=3)


# -- events --------------------------------------------------------------------------------


class Colour(Enum):
    """A closed set."""

    RED = "red"
    BLUE = "blue"


class Part(msgspec.Struct, frozen=True):
    """A struct in an event."""

    number: int


_Id = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]


def good_events() -> list[Any]:
    """Return types that an event's field may have."""
    return [
        bool,
        Colour,
        Literal["low", "high"],
        _Id,
        _Id | None,
        list[int],
        Annotated[list[int], msgspec.Meta(min_length=2)],
        dict[_Id, list[int]],
        tuple[int, ...],
        tuple[int, bool],
        Part,
        Annotated[int, msgspec.Meta(multiple_of=5, ge=-10, le=10)],
        Annotated[str, msgspec.Meta(pattern="^Q[1-4]$", max_length=2, examples=["Q1", "Q4"])],
        Annotated[str, msgspec.Meta(pattern="^[a-z0]+$", min_length=2, max_length=8)],
        Annotated[str, msgspec.Meta(max_length=200), HOUSE_DOCUMENT],
        Annotated[dict[str, float], HOUSE_DOCUMENT],
        Annotated[str, IDS.meta],
    ]


def bad_events() -> list[Any]:
    """Return types that an event's field may not have."""
    return [
        str,
        float,
        bytes,
        Any,
        dict[str, int],
        dict[_Id, str],
        dict[_Id, list[float]],
        list[str],
        tuple[int, str],
        tuple[str, ...],
        Annotated[str, msgspec.Meta(pattern="^[a-z]*$")],
        Annotated[str, msgspec.Meta(pattern="^[a-z]*$", max_length=65)],
        Annotated[str, msgspec.Meta(max_length=8)],
        Annotated[str, msgspec.Meta(pattern="[a-z]", max_length=32)],
        str | None,
        Annotated[float, msgspec.Meta(description="a share")],
        Annotated[float, msgspec.Meta(extra={"house_document": False})],
    ]


# -- behaviour -----------------------------------------------------------------------------


class Unknown(DomainEvent, frozen=True):
    """An event of no manifest."""


class Bounded(DomainEvent, frozen=True):
    """An event that does not take what it is made with."""

    amount: Annotated[int, msgspec.Meta(le=0)]


class Unreadable(Command, frozen=True):
    """A command that reads back as something else."""

    amount: int

    def __post_init__(self) -> None:
        if self.amount == 1:
            msgspec.structs.force_setattr(self, "amount", 2**40)
        elif self.amount == 2**40:
            msgspec.structs.force_setattr(self, "amount", 7)


class Picky(Command, frozen=True):
    """A command that refuses to be made."""

    amount: int

    def __post_init__(self) -> None:
        if self.amount < 0:
            message = "below zero"
            raise ValueError(message)


class Opaque(Command, frozen=True):
    """A command with a field for which nothing can be made up."""

    when: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-W[0-9]{2}$")]


def _answering(answer: Any) -> Callable[..., Decision]:
    return lambda *_: Decision(answer={"value": answer})


def _deciding(**parts: Any) -> Callable[..., Decision]:
    return lambda *_: Decision(**parts)


def bad_behaviours() -> Iterator[tuple[str, str, Product]]:
    """Yield the rule, the place and the product."""
    yield "round trip", "Unreadable", replace(COUNTER, commands=(Unreadable,), decide=_deciding())
    yield "round trip", "Picky", replace(COUNTER, commands=(Picky,))
    yield "sample", "Opaque.when", replace(COUNTER, commands=(Opaque,))
    yield from _bad_evolving()
    yield from _bad_deciding()
    yield from _bad_sweeping()


def _bad_evolving() -> Iterator[tuple[str, str, Product]]:
    counted = itertools.count()

    def counts(_: str, aggregates: Rows, __: Sequence[Any]) -> None:
        aggregates["count"] = next(counted)

    def crashes(*_: Any) -> None:
        raise KeyError

    def sums(_: str, aggregates: Rows, events: Sequence[Any]) -> None:
        aggregates["count"] = sum(event.amount % 1_000 for event in events)

    def stamps(_: str, aggregates: Rows, __: Sequence[Any]) -> None:
        aggregates["timestamp"] = 1

    for wrong in (counts, crashes, sums, stamps):
        yield "evolve", "Added", replace(COUNTER, evolve=wrong)


def _bad_sweeping() -> Iterator[tuple[str, str, Product]]:
    counted = itertools.count()

    def counts(_: str, meters: Rows, __: Any) -> None:
        meters["shows"] = next(counted)

    def crashes(*_: Any) -> None:
        raise KeyError

    def sums(_: str, meters: Rows, __: Any) -> None:
        meters["shows"] += len(meters)

    def stamps(_: str, meters: Rows, __: Any) -> None:
        meters["timestamp"] = 1

    for wrong in (counts, crashes, sums, stamps):
        for name in ("MetersTurned", "MetersFitted"):
            yield "sweep", name, replace(METERS, sweep=wrong)


def _bad_deciding() -> Iterator[tuple[str, str, Product]]:
    counted = itertools.count()

    def counts(*_: Any) -> Decision:
        return Decision(events=[Added(amount=next(counted))])

    def changes(_: Any, aggregate: Rows | None, __: Context) -> Decision:
        if aggregate is not None:
            aggregate["count"] = 0
        return Decision()

    def crashes(_: Any, aggregate: Any, __: Context) -> Decision:
        return Decision(answer={"count": aggregate["count"]})

    def renews(command: Any, _: Any, context: Context) -> Decision:
        due = context.now if isinstance(command, TimerFired) else 2**70
        return Decision(timers=[Timer(name="later", due=due)])

    payment = Transfer(id=0, debit_account_id=1, credit_account_id=2, amount=1.5, ledger=1, code=1)  # type: ignore[arg-type]
    yield "pure", "Add", replace(COUNTER, decide=counts)
    yield "pure", "Add", replace(COUNTER, decide=changes)
    yield "decide", "Add", replace(COUNTER, decide=crashes)
    yield "timer", "later", replace(COUNTER, decide=renews)
    yield "timer", "Add", replace(COUNTER, decide=_deciding(timers=[Timer(name="never", due=2**60)]))
    yield "events", "Add", replace(COUNTER, decide=_deciding(events=[Unknown()]))
    bounded = replace(COUNTER, events=(Added, Bounded), evolve=lambda *_: None)
    yield "events", "Add", replace(bounded, decide=_deciding(events=[Bounded(amount=5)]))
    yield "money", "Add", replace(COUNTER, decide=_deciding(transfers=[payment]))
    beside = replace(COUNTER, name="beside", events=(Added, Bounded), evolve=lambda *_: None)
    for product, event in (
        ("nobody", Added(amount=1)),
        ("counter", Unknown()),
        ("beside", Unknown()),
        ("beside", Bounded(amount=5)),
    ):
        consequence = Consequence(product=product, subject=1, event=event)
        decides = _deciding(consequences=[consequence])
        yield "consequences", "Add", replace(COUNTER, neighbours=(beside,), decide=decides)
    for answer in (1.5, (1, 2), [{"a": 0.5}], {1: "a"}):
        yield "answer", "Add", replace(COUNTER, decide=_answering(answer))
