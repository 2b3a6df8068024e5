"""Kinds of event, sets of features and random logs for the tests of features."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from formicary.factory.features._layout import Events
from formicary.factory.features.aggregates import (
    age,
    count,
    distinct,
    first,
    last,
    maximum,
    mean,
    minimum,
    share,
    std,
    time_since,
    total,
)
from formicary.factory.features.columns import events_of, join_events
from formicary.factory.features.compiler import Compiled
from formicary.factory.features.definitions import Feature, FeatureSet, windowed
from formicary.factory.features.kinds import EventKind, amount, identifier, number, party, real
from tests.factory.features.brute import Happened

PAYMENT = EventKind(
    "payment", None, payer=party(), payee=party(), device=identifier(), amount=amount(), code=number()
)
LABEL = EventKind("label", None, payee=party(), fraud=number(), score=real())
AMOUNT = PAYMENT["amount"]
LARGE = AMOUNT > 5_000
KINDS = {kind.name: kind for kind in (PAYMENT, LABEL)}
HOUR = 3_600 * 10**9
MEANING = "What the tests ask over {window}."


def every_operator(*, exact: bool) -> FeatureSet:
    """Return a set that has each operator, conditions, delays, joined keys, and two kinds of event."""
    windows = ("1h", "12h", "5d")
    features: list[Feature] = []
    for name, by in (("payer", "payer"), ("pair", ("payer", "payee")), ("device", "device")):
        aggregates = {
            "count": lambda over, by=by: count(PAYMENT, by=by, over=over, exact=exact),
            "large": lambda over, by=by: count(PAYMENT, by=by, over=over, where=LARGE, exact=exact),
            "sum": lambda over, by=by: total(AMOUNT, by=by, over=over, exact=exact),
            "mean": lambda over, by=by: mean(AMOUNT, by=by, over=over, exact=exact),
            "std": lambda over, by=by: std(AMOUNT, by=by, over=over, exact=exact),
            "min": lambda over, by=by: minimum(AMOUNT, by=by, over=over, exact=exact),
            "max": lambda over, by=by: maximum(AMOUNT, by=by, over=over, where=LARGE, exact=exact),
            "share": lambda over, by=by: share(PAYMENT, by=by, over=over, where=LARGE, exact=exact),
            "late_sum": lambda over, by=by: total(AMOUNT, by=by, over=over, delay="1d", exact=exact),
            "late_max": lambda over, by=by: maximum(AMOUNT, by=by, over=over, delay="1d", exact=exact),
        }
        for operator, value in aggregates.items():
            features += windowed(
                f"{name}_{operator}_{{window}}", windows, value, unit="units", meaning=MEANING
            )
    others = {
        "frauds": count(LABEL, by="payee", over="5d", where=LABEL["fraud"] > 0, exact=exact),
        "last_amount": last(AMOUNT, by="payer"),
        "last_large": last(AMOUNT, by="payer", where=LARGE, over="12h"),
        "first_amount": first(AMOUNT, by="payee"),
        "last_score": last(LABEL["score"], by="payee"),
        "received_by_payer": total(AMOUNT, by="payee", of="payer", over="5d", exact=exact),
        "since": time_since(PAYMENT, by="payer"),
        "since_within": time_since(PAYMENT, by="payer", over="1h"),
        "age": age(PAYMENT, by="payer"),
    }
    features += [
        Feature(name=name, value=value, unit="units", meaning="Asked.") for name, value in others.items()
    ]
    return FeatureSet(
        name="exactly" if exact else "in_tiles",
        on=PAYMENT,
        features=features,
        owner="tests",
        key_bytes_max=1 << 20,
        ring_events=512,
    )


def different() -> FeatureSet:
    """Return a set that counts different values."""
    return FeatureSet(
        name="different",
        on=PAYMENT,
        owner="tests",
        features=[
            Feature(
                name="payees",
                value=distinct(PAYMENT["payee"], by="payer", over="5d"),
                unit="parties",
                meaning="A.",
            ),
            Feature(
                name="codes",
                value=distinct(PAYMENT["code"], by="payer", over="1h"),
                unit="codes",
                meaning="A.",
            ),
        ],
    )


def random_log(seed: int, *, events: int, late: bool, keys: int = 4, span_hours: int = 300) -> list[Happened]:
    """Return a log with bursts, ties, absent devices and, if wanted, events that became known late."""
    chance = random.Random(seed)
    log: list[Happened] = []
    at = 1_600_000_000 * 10**9
    for _ in range(events):
        at += chance.choice((0, 1, 10**9, chance.randrange(2 * span_hours * HOUR // events)))
        when = at - chance.randrange(60 * HOUR) if late and chance.random() < 0.15 else at
        payer, payee = (0, chance.randrange(1, keys + 1)), (7, chance.randrange(1, keys + 1))
        if chance.random() < 0.8:
            device = (0, 0) if chance.random() < 0.2 else (3, chance.randrange(1, keys + 1))
            # Payers and payees may be the same parties.
            payee = payer if chance.random() < 0.1 else payee
            fields = {
                "payer": payer,
                "payee": payee,
                "device": device,
                "amount": chance.choice((1, 1, 5_001, chance.randrange(10_000), chance.randrange(2**53))),
                "code": chance.randrange(5),
            }
            log.append(Happened("payment", when, fields))
        else:
            label = {"payee": payee, "fraud": chance.randrange(2), "score": chance.random()}
            log.append(Happened("label", when, label))
    return log


def as_events(compiled: Compiled, log: Sequence[Happened]) -> Events:
    """Return a log in columns."""
    parts, positions = [], []
    for name, kind in KINDS.items():
        places = [place for place, event in enumerate(log) if event.kind == name]
        chosen = [log[place] for place in places]
        columns = {}
        for field in kind:
            dtype = np.float64 if kind.field(field).type == "real" else np.int64
            values = np.array([event.fields[field] for event in chosen], dtype)
            columns[field] = values.reshape(-1, 2) if kind.field(field).is_id else values
        at = np.array([event.at for event in chosen], np.int64)
        parts.append(events_of(compiled, kind, at=at, columns=columns))
        positions.append(places)
    return join_events(parts, positions)
