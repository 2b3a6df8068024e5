"""All state of the factory, and how a journal folds into it.

The engine, its standby, recovery and verification all use this one class: what they hold can
only differ if the journal does.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.base.limits import GENERATION_ROWS, RECEIPTS_IN_MEMORY_MAX
from formicary.factory.decisions._checked_kernels import hash_decisions
from formicary.factory.decisions.assessments import Assessors
from formicary.factory.decisions.judges import Judges, words_of_decisions
from formicary.factory.decisions.live import CAP_TRIPPED, LiveDecisions
from formicary.factory.engine.aggregates import Aggregates
from formicary.factory.engine.columnar import ColumnarAggregates, columns_of
from formicary.factory.engine.products import Decision, DomainEvent, Product
from formicary.factory.engine.sweeps import apply_sweep
from formicary.factory.features.compiler import compiled
from formicary.factory.features.journal_fold import FACTS_RECORDED, fold_rows, require_readable
from formicary.factory.features.live import FEATURES_ACTIVATED, FeaturesActivated, LiveFeature
from formicary.factory.features.quality.observed import Observed
from formicary.factory.features.store import FeatureStore
from formicary.factory.journal.batch import NO_DECISIONS
from formicary.factory.journal.errors import JournalCorrupted, JournalTooNew
from formicary.factory.journal.events import Event
from formicary.factory.journal.semantics import SEMANTICS_ACTIVATED, declare_semantics, eras_of
from formicary.factory.journal.upcasters import Upcasters
from formicary.factory.ledger import LedgerMachine

__all__ = [
    "ANSWERED",
    "TIMER_FIRED",
    "TIMER_SET",
    "FactoryState",
    "PendingTimer",
    "Receipt",
    "TimerFiring",
    "known_events",
]

ANSWERED: Final = "engine.answered"
TIMER_SET: Final = "engine.timer_set"
TIMER_FIRED: Final = "engine.timer_fired"
_WORD: Final = 2**64 - 1


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a command, kept so that a repeated command gets it again.

    ``code`` is empty where the command was done, else why it was refused.
    """

    product: str
    fingerprint: str
    code: str = ""
    answer: dict[str, Any] = {}


class PendingTimer(msgspec.Struct, frozen=True):
    """A product's timer, from when it is set until it fires."""

    product: str
    subject: str
    name: str
    due: int


class TimerFiring(msgspec.Struct, frozen=True, kw_only=True):
    """Which timer fired: the position of the event that set it; ``code`` says why nothing came of it."""

    set_at: int
    code: str = ""


class FactoryState:
    """The ledger, every product's aggregates, the timers, and the latest receipts.

    Parameters
    ----------
    folder
        Where the ledger writes the ids that left memory.
    products
        The products whose events the journal may hold.
    """

    def __init__(
        self, folder: Path, products: Iterable[Product] = (), *, generation_rows: int = GENERATION_ROWS
    ) -> None:
        self.machine = LedgerMachine(folder, generation_rows=generation_rows)
        self.products = {product.name: product for product in products}
        for product in self.products.values():
            missing = [one.name for one in product.neighbours if self.products.get(one.name) is not one]
            if missing:
                message = f"{product.name} does not run without its neighbours {', '.join(missing)}"
                raise ProgrammingError(message)
            if product.sweeps and not product.is_columnar:
                message = f"{product.name} has sweeps, and no columns to sweep"
                raise ProgrammingError(message)
        self.columns = {
            name: columns_of(product) for name, product in self.products.items() if product.is_columnar
        }
        """The aggregates of the products that may have millions of them."""
        self.aggregates: dict[str, Aggregates | ColumnarAggregates] = {
            name: self.columns[name]
            if product.is_columnar
            else Aggregates(product.aggregate, first_bytes=product.aggregate_first_bytes)
            for name, product in self.products.items()
        }
        self.sweeps = frozenset(
            product.event_kind(event) for product in self.products.values() for event in product.sweeps
        )
        """The kinds of events that change many aggregates at once."""
        self.timers: dict[int, PendingTimer] = {}
        self._receipts: OrderedDict[int, Receipt] = OrderedDict()
        self.semantics = 0
        """The version of the kernels' semantics that the journal says is active; 0 before the first."""
        self.live_features: dict[str, LiveFeature] = {}
        """The features that are live, by set and name."""
        sets = tuple(one for product in self.products.values() for one in product.features)
        self.features = FeatureStore(compiled(sets)) if sets else None
        """What is known of the keys of all events; None where no product asks for features.

        It has a position of its own, since it is built anew when features change, and is no part of
        ``state_hash``: its words follow from the rows.
        """
        points = [product.decision_points for product in self.products.values()]
        self.decisions = LiveDecisions(itertools.chain.from_iterable(points))
        """What decides: armed policies and the models behind aliases."""
        self.assessors = Assessors(
            (spec for product in self.products.values() for spec in product.models),
            self.decisions,
            None if self.features is None else self.features.compiled,
        )
        """The champions that deciders ask."""
        self.observed: dict[str, Observed] = {}
        """What sets of features were told as lately, by name: figures of this process, in no hash."""
        self._events_hash = 0
        self._decoders = {
            product.event_kind(event): (product, msgspec.json.Decoder(event))
            for product in self.products.values()
            for event in product.events
        }

    @property
    def position(self) -> int:
        """The position of the last row that this state knows."""
        return self.machine.position

    @property
    def state_hash(self) -> int:
        """An unsigned 64-bit hash of all state: equal for equal journals, however they were cut."""
        aggregates = sum(kept.hash for kept in self.aggregates.values())
        return (self.machine.state_hash + self._events_hash + aggregates) & _WORD

    @property
    def judges(self) -> Judges | None:
        """What decides about transfers at this moment, None where nothing is armed."""
        return self.decisions.judges(self.features)

    def receipt(self, command_id: int) -> Receipt | None:
        """Return the receipt of a command, if it is among the latest."""
        return self._receipts.get(command_id)

    def require_readable(self, product: Product, decision: Decision) -> None:
        """Refuse a decision with an event that features could not be told of: nothing is done of it yet.

        Raises
        ------
        MalformedEvents
            See ``journal_fold.require_readable``.
        """
        if self.features is None:
            return
        named = [(product, event) for event in decision.events]
        named += [(self.products[one.product], one.event) for one in decision.consequences]
        for owner, event in named:
            if owner.event_kind(type(event)) == FACTS_RECORDED:
                require_readable(self.features, msgspec.json.encode(event))

    # -- folding ---------------------------------------------------------------------------

    def fold(
        self,
        accounts: Any,
        transfers: Any,
        events: Sequence[Event],
        *,
        until: int,
        decisions: Any = NO_DECISIONS,
    ) -> None:
        """Give effect to the rows of a block that ends at ``until``.

        Within a block the ledger's rows come before the events: the two touch no common state. Decisions come
        last, as a policy that is armed in the block counts its own. Features are folded apart, by
        ``fold_features``.

        Raises
        ------
        JournalCorrupted
            A row is not what it does; this state must not be used any more.
        JournalTooNew
            An event is of a kind that neither the factory nor one of its products knows.
        """
        bad = self.machine.fold(accounts, transfers, until=until)
        if bad is not None:
            message = f"the row at position {bad} is not what folding it gives"
            raise JournalCorrupted(message)
        self.apply(events)
        if len(decisions) or self.decisions.is_waiting:
            self._fold_decisions(decisions, transfers)

    def _fold_decisions(self, decisions: Any, transfers: Any) -> None:
        hash_decisions(self.machine.state, words_of_decisions(decisions))
        self.decisions.count(decisions, transfers, self.features)

    def fold_features(self, accounts: Any, transfers: Any, events: Sequence[Event], *, until: int) -> None:
        """Give the rows of a block, or those just decided, to the features; what they know they leave out."""
        if self.features is not None:
            fold_rows(self.features, accounts=accounts, transfers=transfers, events=events, until=until)

    def apply(self, events: Sequence[Event]) -> None:
        """Give effect to events, in their order: just decided ones, or read from the journal."""
        waiting: list[Event] = []
        for event in events:
            self._events_hash = (self._events_hash + _event_hash(event)) & _WORD
            self.decisions.apply(event)
            if event.kind in self._decoders:
                subjects = [other.subject for other in waiting]
                goes_alone = event.kind in self.sweeps or event.subject in subjects
                if waiting and (waiting[0].kind != event.kind or goes_alone):
                    self._evolve(waiting)
                    waiting = []
                waiting.append(event)
            else:
                self._apply_own(event)
        if waiting:
            self._evolve(waiting)
        if events:
            self.machine.note_stamp(events[-1].timestamp)

    def _evolve(self, events: Sequence[Event]) -> None:
        product, decoder = self._decoders[events[0].kind]
        bodies: list[DomainEvent] = [decoder.decode(event.body) for event in events]
        subjects = [event.subject for event in events]
        kept = self.aggregates[product.name]
        if events[0].kind in self.sweeps:
            apply_sweep(product, self.columns[product.name], events[0], bodies[0])
            if kept.find(subjects[0]) is None:
                return
        records = kept.take(subjects)
        product.evolve(events[0].kind.partition(".")[2], records, bodies)
        records["timestamp"] = [event.timestamp for event in events]
        records["events"] += 1
        kept.put(subjects, records)

    def _apply_own(self, event: Event) -> None:
        if event.kind == ANSWERED:
            self._receipts[event.command_id] = msgspec.json.decode(event.body, type=Receipt)
            if len(self._receipts) > RECEIPTS_IN_MEMORY_MAX:
                self._receipts.popitem(last=False)
        elif event.kind == TIMER_SET:
            timer = msgspec.json.decode(event.body, type=PendingTimer)
            self.timers[event.position] = timer
            self.machine.set_timer(timer.due, event.position)
        elif event.kind == SEMANTICS_ACTIVATED:
            self.semantics = eras_of([event])[0].semantics
        elif event.kind == FEATURES_ACTIVATED:
            self.live_features |= msgspec.json.decode(event.body, type=FeaturesActivated).features
        elif event.kind == CAP_TRIPPED:
            # Told at its time; what is counted follows from the decisions.
            return
        elif event.kind == TIMER_FIRED:
            del self.timers[msgspec.json.decode(event.body, type=TimerFiring).set_at]
        else:
            message = f"position {event.position} holds {event.kind!r}, which no product here knows"
            raise JournalTooNew(message)

    # -- snapshots -------------------------------------------------------------------------

    def sections(self) -> dict[str, Any]:
        """Return everything a snapshot needs, as named arrays."""
        sections = {f"ledger.{name}": array for name, array in self.machine.sections().items()}
        for name, kept in self.aggregates.items():
            sections[f"aggregates.{name}"] = kept.records
        small = {
            "timers": {str(position): timer for position, timer in self.timers.items()},
            "receipts": [[f"{command_id:032x}", receipt] for command_id, receipt in self._receipts.items()],
            "events_hash": self._events_hash,
            "semantics": self.semantics,
            "live_features": self.live_features,
        }
        sections["engine"] = np.frombuffer(msgspec.json.encode(small), np.uint8)
        for name, content in self.decisions.sections().items():
            sections[f"decisions.{name}"] = np.frombuffer(content, np.uint8)
        if self.features is not None:
            sections |= {f"features.{name}": array for name, array in self.features.sections().items()}
        return sections

    def restore(self, sections: Mapping[str, Any], sealed: Sequence[Path] = ()) -> None:
        """Take over a snapshot's sections and the files of its sealed ids; the state must be new."""
        ledger = {
            name.removeprefix("ledger."): array
            for name, array in sections.items()
            if name.startswith("ledger.")
        }
        self.machine.restore(ledger)
        for path in sealed:
            self.machine.sealed.load(path)
        for name, kept in self.aggregates.items():
            if f"aggregates.{name}" in sections:
                kept.restore(np.array(sections[f"aggregates.{name}"]))
        small = msgspec.json.decode(np.asarray(sections["engine"]).tobytes(), type=_Small)
        self.timers = {int(position): timer for position, timer in small.timers.items()}
        self._receipts = OrderedDict((int(key, 16), receipt) for key, receipt in small.receipts)
        self._events_hash = small.events_hash
        self.semantics = small.semantics
        self.live_features = small.live_features
        self.decisions.restore(
            {
                name.removeprefix("decisions."): np.asarray(array).tobytes()
                for name, array in sections.items()
                if name.startswith("decisions.")
            }
        )
        written = {name: array for name, array in sections.items() if name.startswith("features.")}
        if self.features is not None and written:
            # Written for other features they are built anew from the journal.
            self.features.restore({name.removeprefix("features."): array for name, array in written.items()})


class _Small(msgspec.Struct):
    timers: dict[str, PendingTimer]
    receipts: list[tuple[str, Receipt]]
    events_hash: int
    semantics: int
    live_features: dict[str, LiveFeature] = {}


def known_events(products: Iterable[Product] = ()) -> Upcasters:
    """Return the event kinds that a factory with these products knows, and the ways up from older ones."""
    upcasters = Upcasters()
    declare_semantics(upcasters)
    for kind in (ANSWERED, TIMER_SET, TIMER_FIRED, FEATURES_ACTIVATED, CAP_TRIPPED):
        upcasters.declare(kind, version=1)
    for product in products:
        for event in product.events:
            upcasters.declare(product.event_kind(event), version=product.event_version)
        product.upcast(upcasters)
    return upcasters


def _event_hash(event: Event) -> int:
    # The body is hashed by its meaning: the database keeps JSON, not its bytes.
    body = msgspec.json.encode(msgspec.json.decode(event.body), order="sorted")
    header = (
        f"{event.position} {event.timestamp} {event.kind} {event.version} {event.command_id} {event.subject} "
    )
    digest = hashlib.blake2b(header.encode() + body, digest_size=8).digest()
    return int.from_bytes(digest, "little")
