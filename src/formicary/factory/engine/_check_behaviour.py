"""Checks of what a product does with samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product as combinations
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.base.errors import Refusal
from formicary.base.purposes import Purpose
from formicary.factory.decisions.assessments import Assessed, Assessment, Assessor, model_without_data
from formicary.factory.engine._findings import CRASHES, Finding
from formicary.factory.engine._samples import SUBJECT, samples
from formicary.factory.engine.feature_reads import FeatureReading
from formicary.factory.engine.packing import pack_decision
from formicary.factory.engine.products import (
    AGGREGATE_HEADER,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import derive_id
from formicary.factory.engine.running_totals import RunningTotals
from formicary.factory.features.store import Values
from formicary.factory.ledger import ACCOUNT, TRANSFER
from formicary.factory.models.errors import UnknownModel

__all__ = ["HEADER_NAMES", "check_decide", "check_evolve", "states_of"]

Rows = npt.NDArray[Any]
_NOW: Final = 1_700_000_000 * 10**9
_WORD: Final = 2**64 - 1
HEADER_NAMES: Final = [name for name, _ in AGGREGATE_HEADER]


# -- evolving ------------------------------------------------------------------------------


def check_evolve(product: Product) -> Iterator[Finding]:
    """Check ``evolve`` with every event, in the states that one and two events lead to."""
    for event in product.events:
        made = samples(event)
        try:
            yield from _check_kind(product, made)
        except CRASHES as error:
            yield Finding("evolve", event.__name__, f"{type(error).__name__}: {error}")


def _check_kind(product: Product, events: Sequence[DomainEvent]) -> Iterator[Finding]:
    name = type(events[0]).__name__
    for state in states_of(product):
        before = np.repeat(state, len(events))
        # Every one of them is another aggregate.
        before["id_low"] += np.arange(len(events), dtype=np.uint64)
        together, again = _evolved(product, before, events), _evolved(product, before, events)
        if together.tobytes() != again.tobytes():
            yield Finding("evolve", name, "the same events lead to different states")
        alone = [_evolved(product, before[[i]], [event]).tobytes() for i, event in enumerate(events)]
        if together.tobytes() != b"".join(alone):
            yield Finding("evolve", name, "many events together lead to another state than each alone")
        if any(not np.array_equal(together[field], before[field]) for field in HEADER_NAMES):
            yield Finding("evolve", name, "it changes the header, which is the factory's")


def _evolved(product: Product, before: Rows, events: Sequence[DomainEvent]) -> Rows:
    after = before.copy()
    product.evolve(type(events[0]).__name__, after, events)
    return after


def states_of(product: Product) -> list[Rows]:
    """Return aggregates (1,): a new one, and what one and two events make of it."""
    new = np.zeros(1, product.aggregate)
    new["id_high"], new["id_low"] = SUBJECT >> 64, SUBJECT & _WORD
    states, events = [new], [samples(event)[0] for event in product.events]
    for event in events:
        once = _evolved(product, new, [event])
        states += [once, *(_evolved(product, once, [other]) for other in events)]
    unlike = {state.tobytes(): state for state in states}
    return list(unlike.values())


# -- deciding ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Context:
    """What a decider is told; every account and transfer there is has nothing in it."""

    is_known: bool
    products: Mapping[str, Product]
    beside: Mapping[str, Rows]
    now: int = _NOW

    def derive_id(self, ordinal: int) -> int:
        return derive_id(SUBJECT, ordinal)

    def account(self, account_id: int) -> Rows | None:
        if not self.is_known:
            return None
        account = np.zeros(1, ACCOUNT)
        account["id_high"], account["id_low"] = account_id >> 64, account_id & _WORD
        return np.asarray(account[0])

    def accounts(self, ids: npt.NDArray[np.uint64]) -> Rows:
        accounts = np.zeros(len(ids), ACCOUNT)
        if self.is_known:
            accounts["id_high"], accounts["id_low"] = ids[:, 0], ids[:, 1]
        return accounts

    def columns(self, product: str) -> Rows:
        columns = self.beside[product].view()
        columns.flags.writeable = False
        return columns

    def aggregate(self, product: str, subject: int) -> Rows | None:
        found = self.beside[product]
        if not len(found):
            return None
        neighbour = found[:1].copy()
        neighbour["id_high"], neighbour["id_low"] = subject >> 64, subject & _WORD
        return np.asarray(neighbour[0])

    def found(self, product: str, field: str, subject: int) -> Rows:
        found = self.beside[product].copy()
        found[f"{field}_high"], found[f"{field}_low"] = subject >> 64, subject & _WORD
        return found

    def totals(self, product: str) -> Mapping[int, tuple[int, ...]]:
        sums = RunningTotals(self.products[product].totals)
        sums.begin(self.beside[product])
        return sums.sums

    def assess(self, model: str, values: Mapping[str, float | None]) -> Assessment | None:
        specs = {spec.name: spec for one in self.products.values() for spec in one.models}
        if model not in specs:
            raise UnknownModel
        if not self.is_known:
            return None
        assessor = Assessor(model_without_data(specs[model]))
        row = np.array([values.get(name) for name in assessor.names], np.float64)
        return Assessment(
            model=model, hash=assessor.model.hash, raw=0.0, chance=0.5, values=row, assessor=assessor
        )

    def numbers(self, product: str, ids: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        del product
        return np.full(len(ids), -1)

    def holders(self, product: str, field: str, ids: npt.NDArray[np.uint64]) -> tuple[Rows, Rows]:
        del field
        # Each id is held by the first one, where there is one.
        count = len(ids) if self.is_known and len(self.beside[product]) else 0
        return np.zeros(count, np.int64), np.arange(count)

    def features_of(self, name: str, *, purpose: Purpose, asking: Mapping[str, npt.NDArray[Any]]) -> Values:
        del purpose
        (view,) = (one for product in self.products.values() for one in product.features if one.name == name)
        names = tuple(feature.name for feature in view.features)
        count = len(next(iter(asking.values())))
        return Values(
            names=names,
            values=np.full((count, len(names)), 1.0 if self.is_known else np.nan),
            withheld=np.zeros(count, np.int64),
            subjects=("party",),
        )

    def assess_all(
        self, model: str, names: Sequence[str], values: npt.NDArray[np.float64]
    ) -> Assessed | None:
        del model, names
        return Assessed(hash="0" * 32, chances=np.full(len(values), 0.5)) if self.is_known else None

    def features(self, name: str, *, purpose: Purpose, asking: Mapping[str, int]) -> FeatureReading:
        del asking
        return FeatureReading(
            set=name, purpose=purpose.name.lower(), position=0, values=defaultdict(lambda: None), withheld=()
        )

    def transfer(self, transfer_id: int) -> Rows | None:
        if not self.is_known:
            return None
        transfer = np.zeros(1, TRANSFER)
        transfer["id_high"], transfer["id_low"] = transfer_id >> 64, transfer_id & _WORD
        return np.asarray(transfer[0])


def check_decide(product: Product) -> Iterator[Finding]:
    """Check ``decide`` with every command and timer, on every state that the samples reach."""
    asked = [command for kind in product.commands for command in samples(kind)]
    fired = [TimerFired(subject=SUBJECT, name=name, due=_NOW) for name in product.timers]
    aggregates = [None, *(state[0] for state in states_of(product))]
    found: dict[tuple[str, str], Finding] = {}
    products = {one.name: one for one in (product, *product.neighbours)}
    contexts = [
        _Context(is_known, products, beside)
        for is_known, beside in zip((True, False), _beside(product), strict=True)
    ]
    for command, aggregate, context in combinations([*asked, *fired], aggregates, contexts):
        place = command.name if isinstance(command, TimerFired) else type(command).__name__
        copy = None if aggregate is None else aggregate.copy()
        for rule, detail in _check_decision(product, command, copy, context):
            found.setdefault((place, rule), Finding(rule, place, detail))
    yield from found.values()


def _beside(product: Product) -> tuple[Mapping[str, Rows], Mapping[str, Rows]]:
    """Return other aggregates, own and of each neighbour: one that something happened to, and none."""
    there = {one.name: states_of(one)[:2][-1] for one in (product, *product.neighbours)}
    return there, {name: state[:0] for name, state in there.items()}


def _check_decision(
    product: Product, command: Any, aggregate: Any, context: _Context
) -> Iterator[tuple[str, str]]:
    before = b"" if aggregate is None else aggregate.tobytes()
    try:
        (first, decision), (again, _) = (_outcome(product, command, aggregate, context) for _ in range(2))
    except CRASHES as error:
        yield "decide", f"{type(error).__name__}: {error}"
        return
    if first != again:
        yield "pure", "the same command in the same state was decided differently"
    if aggregate is not None and aggregate.tobytes() != before:
        yield "pure", "it changed the aggregate"
    if decision is not None:
        yield from _check_content(product, decision)
        if isinstance(command, TimerFired) and any(timer.due <= context.now for timer in decision.timers):
            yield "timer", "it sets a timer that is due at once, which would never end"


def _outcome(
    product: Product, command: Any, aggregate: Any, context: _Context
) -> tuple[Any, Decision | None]:
    """Return what a decision comes to, to be compared, and the decision; None where it was refused."""
    try:
        decision = product.decide(command, aggregate, context)
        packed = pack_decision(decision, context.derive_id)
    except Refusal as refusal:
        return refusal.code, None
    return (replace(decision, transfers=()), *(rows.tobytes() for rows in packed)), decision


def _check_content(product: Product, decision: Decision) -> Iterator[tuple[str, str]]:
    for event in decision.events:
        if type(event) not in product.events:
            yield "events", f"{type(event).__name__} is not in the manifest"
        elif not _reads_back(event):
            yield "events", f"{event} does not read back as what was written"
    for consequence in decision.consequences:
        beside = (product, *product.neighbours)
        declared = [one for one in beside if one.name == consequence.product]
        if not declared or type(consequence.event) not in declared[0].events:
            yield "consequences", f"{consequence.event} is no event of a neighbour, or of its own"
        elif not _reads_back(consequence.event):
            yield "consequences", f"{consequence.event} does not read back as what was written"
    for timer in decision.timers:
        if timer.name not in product.timers:
            yield "timer", f"{timer.name!r} is not in the manifest"
    if not _is_plain(dict(decision.answer)):
        yield "answer", "only texts, integers, truth values, lists and mappings are replayed as they were"
    # Packed ones are integers.
    listed = () if isinstance(decision.transfers, np.ndarray) else decision.transfers
    amounts = [transfer.amount for transfer in listed]
    limits = [account.credit_limit for account in decision.accounts]
    if any(type(number) is not int for number in (*amounts, *limits)):
        yield "money", "an amount is no integer"


def _reads_back(event: DomainEvent) -> bool:
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event)
    except msgspec.MsgspecError:
        return False


def _is_plain(value: Any) -> bool:
    """Tell whether JSON gives a value back as it was, whoever stored it meanwhile; no float is sure to."""
    if isinstance(value, dict):
        return all(type(key) is str and _is_plain(one) for key, one in value.items())
    if isinstance(value, list):
        return all(_is_plain(one) for one in value)
    return type(value) in (str, int, bool, type(None))
