"""Aggregates found by the ids that they hold, and sums that are kept: the same as looking at all of them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.base.purposes import Purpose
from formicary.factory.engine.columnar import ColumnarAggregates, ids_of
from formicary.factory.engine.conformance import check_product
from formicary.factory.engine.products import AGGREGATE_HEADER, Decision, Totals
from formicary.factory.features.aggregates import count
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.kinds import EventKind, Transfers, party
from formicary.factory.models.errors import UnknownModel
from tests.factory.engine.meters_product import METER, METERS
from tests.factory.learning.learning_kit import SPEC

TRADE = np.dtype(
    [
        *AGGREGATE_HEADER,
        ("shop", "<u4"),
        ("party_high", "<u8"),
        ("party_low", "<u8"),
        ("amount", "<i8"),
        ("held", "<i8"),
    ]
)


PAID = EventKind("paid", Transfers(codes=(7,)), payer=party("debit_party"))
SHOPS = FeatureSet(
    name="shops",
    on=PAID,
    owner="tests",
    features=(
        Feature(
            name="paid_30d",
            value=count(PAID, by="payer", over="30d"),
            unit="payments",
            meaning="How often the payer paid in the last 30 days.",
        ),
    ),
)


def measure(trades: Any) -> tuple[Any, Any]:
    """Return the shop of each trade, its amount and what is held."""
    return trades["shop"].astype(np.int64), np.column_stack([trades["amount"], trades["held"]])


SUMS = Totals(names=("amount", "held"), measure=measure)


def summed(records: Any) -> dict[int, tuple[int, ...]]:
    """Return the sums by looking at every record."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for record in records:
        sums[int(record["shop"])][0] += int(record["amount"])
        sums[int(record["shop"])][1] += int(record["held"])
    return {shop: tuple(total) for shop, total in sums.items() if any(total)}


def held_by(records: Any, party: int) -> list[int]:
    """Return the ids of the trades of a party, in order, by looking at every record."""
    wanted = (party >> 64, party & (2**64 - 1))
    holders = [(int(one["party_high"]), int(one["party_low"])) for one in records]
    return [int(one["id_low"]) for one, held in zip(records, holders, strict=True) if held == wanted]


SHOWN = Totals(
    names=("shows",),
    measure=lambda meters: (meters["tariff"].astype(np.int64), meters["shows"][:, None].copy()),
)


def new() -> ColumnarAggregates:
    """Return no trades yet."""
    return ColumnarAggregates(TRADE, found_by=("party",), totals=SUMS)


@pytest.mark.parametrize("seed", range(3))
def test_looks_are_what_all_of_them_say(seed: int) -> None:
    """Put, changed, swept and restored in any order, found and summed is what a walk over all gives."""
    random, trades = Random(seed), new()
    parties = [(random.randrange(3) << 64) | random.randrange(20) for _ in range(30)]
    for number in range(1, 150):
        subject = [random.randrange(1, number + 1)]
        taken = trades.take(subject)
        if not taken["events"][0]:
            party = random.choice(parties)
            taken["party_high"], taken["party_low"] = party >> 64, party & (2**64 - 1)
        taken["events"] += 1
        taken["shop"], taken["amount"] = random.randrange(3), random.randrange(-5, 5)
        trades.put(subject, taken)
        if number % 10 == 0:
            first = random.randrange(len(trades))

            def change(records: Any) -> None:
                records["held"] = np.arange(len(records)) % 3
                records["shop"][:2] = 7

            trades.sweep(first, len(trades), change)
        if number % 40 == 0:
            ids = ids_of([(9 << 64) | (number * 100 + one) for one in range(5)])
            trades.create(ids, timestamp=1)
        assert trades.totals == summed(trades.records)
        party = random.choice(parties)
        assert trades.found("party", party)["id_low"].tolist() == held_by(trades.records, party)
    again = new()
    again.restore(trades.records)
    assert again.totals == trades.totals
    assert len(again.found("party", 10**20)) == 0
    for party in parties:
        assert again.found("party", party)["id_low"].tolist() == held_by(trades.records, party)


def test_an_id_that_was_changed_is_a_programmers_error() -> None:
    """What an aggregate is found by is set when it is created."""
    trades = new()
    taken = trades.take([1])
    taken["party_low"] = 5
    trades.put([1], taken)
    assert len(trades.found("party", 5)) == 1
    taken["party_low"] = 6
    with pytest.raises(ProgrammingError, match="was changed"):
        trades.put([1], taken)


def test_the_contract_says_what_can_be_looked_at() -> None:
    """Ids are two whole words of a columnar aggregate, and what is all zero adds nothing."""
    one = Totals(
        names=("shows",),
        measure=lambda meters: (meters["tariff"].astype(np.int64), meters["shows"][:, None] + 1),
    )
    found = {(finding.rule, finding.place) for finding in check_product(replace(METERS, totals=one))}
    assert found == {("look", "totals")}
    said = replace(SHOWN, unchanged_by=("MetersTurned", "MetersBilled"))
    found = {(finding.rule, finding.place) for finding in check_product(replace(METERS, totals=said))}
    assert found == {("sweep", "MetersTurned")}

    def sweep(kind: str, meters: Any, event: Any) -> None:
        METERS.sweep(kind, meters, event)
        meters["led_high"] += 1

    aggregate = np.dtype([*METER.descr, ("led_high", "<u8"), ("led_low", "<u8")])
    moved = replace(METERS, aggregate=aggregate, found_by=("led",), sweep=sweep)
    details = {finding.place: finding.detail for finding in check_product(moved)}
    assert "MetersFitted" not in details
    assert details["MetersTurned"] == "it changes an id that aggregates are found by"
    wrong = replace(METERS, found_by=("nobody", "shows"))
    assert [finding.place for finding in check_product(wrong)] == ["nobody", "shows"]
    plain = replace(METERS, is_columnar=False, sweeps=(), found_by=("id",))
    assert ("look", "is_columnar") in {(one.rule, one.place) for one in check_product(plain)}


def test_a_decider_that_looks_at_everything_keeps_the_contract() -> None:
    """It is told of nothing, and of something; what it asks for has the shape that it has in an engine."""
    seen: list[Any] = []

    def decide(command: Any, record: Any, context: Any) -> Decision:
        with pytest.raises(UnknownModel):
            context.assess("nobody", {})
        ids = ids_of([1, 2])
        known = context.features_of(SHOPS.name, purpose=Purpose.FRAUD, asking={"payer": ids})
        seen.append(
            (
                len(context.found(METERS.name, "led", 7)),
                context.totals(METERS.name),
                context.numbers(METERS.name, ids).tolist(),
                np.stack(context.holders(METERS.name, "led", ids)).tolist(),
                known.values.shape,
                context.assess(SPEC.name, {"debt": 1.0}) is not None,
                context.assess_all(SPEC.name, SPEC.names, np.zeros((2, 3))) is not None,
                context.transfer(1) is not None,
            )
        )
        return METERS.decide(command, record, context)

    aggregate = np.dtype([*METER.descr, ("led_high", "<u8"), ("led_low", "<u8")])
    curious = replace(
        METERS,
        aggregate=aggregate,
        found_by=("led",),
        totals=SHOWN,
        models=(SPEC,),
        features=(SHOPS,),
        decide=decide,
    )
    check_product(curious)
    assert {one[4] for one in seen} == {(2, 1)}
    assert {one[5:] for one in seen} == {(False, False, False), (True, True, True)}
    assert {tuple(one[2]) for one in seen} == {(-1, -1)}
    assert {tuple(map(tuple, one[3])) for one in seen} == {((), ()), ((0, 0), (0, 1))}
