"""The *Fraud Detection Handbook*'s card payments as a stream that the factory learns from, day by day.

Labels are known seven days late. Every night people look at the hundred cards of the highest scores, as the
book has it, and what they find is a fact of the next day: which terminals, which customers. So features of a
day depend on what was scored before, and are told by the pipeline as the days go by.

``formicary learn replay fraud_handbook`` lives through the 136 days.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from examples.features.card_risk import CARD_RISK
from examples.features.fraud_handbook import CARD_PAYMENT, FRAUD
from formicary.base.purposes import Purpose
from formicary.economy.fraud_handbook import DATA_SET, read_fraud_handbook
from formicary.factory.features.aggregates import count
from formicary.factory.features.columns import events_of, key_words
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.definitions import FeatureSet, windowed
from formicary.factory.features.kinds import EventKind, identifier, number, party
from formicary.factory.features.store import FeatureStore
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.learning.worth import Worth
from formicary.factory.models.spec import Column, ModelSpec

__all__ = ["LOOKED_AT", "CardStream", "open_stream"]

Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]

CARD_VERDICT = EventKind("card_verdict", customer=party(), terminal=identifier(), fraud=number())
"""What people found of a payment that they looked at."""

LOOKED_AT: Final = 100
"""Cards a night."""
_LABEL_DAYS: Final = 7
_BANDS: Final = (20_00, 100_00, 220_00)

CARD_WATCH = FeatureSet(
    name="card_watch",
    on=CARD_PAYMENT,
    owner="risk",
    ring_events=CARD_RISK.ring_events,
    key_bytes_max=CARD_RISK.key_bytes_max,
    features=(
        *CARD_RISK.features,
        *windowed(
            "terminal_found_{window}",
            ("3d", "7d", "28d"),
            lambda over: count(
                CARD_VERDICT, where=CARD_VERDICT["fraud"] == 1, by="terminal", over=over, resolution="1d"
            ),
            unit="payments",
            meaning="Frauds that people found at the terminal in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "terminal_cleared_{window}",
            ("7d", "28d"),
            lambda over: count(
                CARD_VERDICT, where=CARD_VERDICT["fraud"] == 0, by="terminal", over=over, resolution="1d"
            ),
            unit="payments",
            meaning="Payments at the terminal that people found honest in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_found_{window}",
            ("7d", "14d"),
            lambda over: count(
                CARD_VERDICT, where=CARD_VERDICT["fraud"] == 1, by="customer", over=over, resolution="1d"
            ),
            unit="payments",
            meaning="Frauds that people found on the card in the last {window}.",
            purposes=FRAUD,
        ),
        *windowed(
            "customer_cleared_{window}",
            ("7d",),
            lambda over: count(
                CARD_VERDICT, where=CARD_VERDICT["fraud"] == 0, by="customer", over=over, resolution="1d"
            ),
            unit="payments",
            meaning="Payments with the card that people found honest in the last {window}.",
            purposes=FRAUD,
        ),
    ),
)

_LEFT_OUT: Final = {"hour", "weekday", "since_last", "seconds_since_last", "met_before"}
"""Features that tell nothing in this simulation, and cost ranks."""

_SPEC: Final = ModelSpec(
    name="card_fraud",
    owner="risk",
    predicts="The chance that the payment is a fraud.",
    columns=tuple(
        Column(name=feature.name, reason=feature.meaning)
        for feature in CARD_WATCH.features
        if feature.name not in _LEFT_OUT
    ),
    trials=1,
    search=(
        ("num_leaves", (6,)),
        ("learning_rate", (0.06,)),
        ("min_data_in_leaf", (200,)),
        ("feature_fraction", (0.3,)),
        ("lambda_l2", (20.0,)),
    ),
)

_PLAN: Final = LearningPlan(
    model=_SPEC.name,
    # A stopped payment that was honest costs a call and a little goodwill.
    worth=Worth(lost_bp=10_000, margin_bp=200, cost=2_00),
    windows_days=(0,),
    negatives_each=10,
    segments=("amount",),
)


class CardStream:
    """The stream; see ``formicary.factory.learning.stream.Stream``."""

    spec = _SPEC
    plan = _PLAN

    def __init__(self, payments: dict[str, npt.NDArray[Any]]) -> None:
        self._at = payments["at"]
        self._customers = payments["customer"]
        self._terminals = payments["terminal"]
        self._cents = payments["cents"]
        self._frauds = payments["fraud"]
        self._compiled = compile_sets([CARD_WATCH])
        self._store = FeatureStore(self._compiled)
        self._places = [
            place for place, feature in enumerate(CARD_WATCH.features) if feature.name not in _LEFT_OUT
        ]
        self.first = int(self._at[0]) // DAY
        self.after = int(self._at[-1]) // DAY + 1
        self.found = np.zeros(int(self._customers.max()) + 1, np.int64)

    def _of(self, day: int) -> slice:
        return slice(*np.searchsorted(self._at, (day * DAY, (day + 1) * DAY)).tolist())

    def asked(self, day: int) -> Rows:
        """Return the payments of a day, each with what was known before it."""
        one = self._of(day)
        events = events_of(
            self._compiled,
            CARD_PAYMENT,
            at=self._at[one],
            columns={
                "customer": key_words(self._customers[one]),
                "terminal": key_words(self._terminals[one]),
                "amount": self._cents[one],
                "fraud": self._frauds[one],
            },
        )
        told = self._store.replay(CARD_WATCH.name, events, purpose=Purpose.FRAUD)
        return Rows(
            values=told.values[:, self._places],
            at=self._at[one],
            amounts=self._cents[one],
            labels=np.full(one.stop - one.start, UNKNOWN, np.int8),
            parties=key_words(self._customers[one]).astype(np.uint64),
            segments={"amount": np.searchsorted(_BANDS, self._cents[one])},
        )

    def looked_at(self, day: int, rows: Rows, scored: Reals) -> None:
        """Let people look at the cards of the highest scores, and tell the store what they found."""
        one = self._of(day)
        # Before there is a model, people look at the largest payments.
        ranks = self._cents[one].astype(np.float64) if np.isnan(scored).all() else scored
        cards = looked_at(ranks, self._customers[one], self.found >= day - 14)
        seen = np.flatnonzero(np.isin(self._customers[one], cards)) + one.start
        frauds = seen[self._frauds[seen] == 1]
        self.found[self._customers[frauds]] = day
        verdicts = events_of(
            self._compiled,
            CARD_VERDICT,
            at=np.full(len(seen), (day + 1) * DAY),
            columns={
                "customer": key_words(self._customers[seen]),
                "terminal": key_words(self._terminals[seen]),
                "fraud": self._frauds[seen],
            },
        )
        self._store.follow(verdicts)

    def labels(self, rows: int, now: int) -> npt.NDArray[np.int8]:
        """Return the labels of the first rows, those of the last week unknown."""
        labels = self._frauds[:rows].astype(np.int8)
        labels[self._at[:rows] > now - _LABEL_DAYS * DAY] = UNKNOWN
        return labels


def looked_at(scored: Reals, cards: Words, is_blocked: npt.NDArray[np.bool_]) -> Words:
    """Return the cards of the highest scores (n,), ``LOOKED_AT`` of them, without those that are blocked."""
    highest = np.full(len(is_blocked), -np.inf)
    np.maximum.at(highest, cards, scored)
    highest[is_blocked] = -np.inf
    ranked = np.argsort(-highest, kind="stable")[:LOOKED_AT]
    return ranked[highest[ranked] > -np.inf]


def open_stream(data_sets: Path) -> CardStream:
    """Return the stream of the data set in a folder of data sets."""
    file = data_sets / DATA_SET
    frauds = pl.read_parquet(file, columns=["TRANSACTION_ID", "TX_FRAUD"]).select(
        pl.col("TRANSACTION_ID").cast(pl.Int64).alias("number"), pl.col("TX_FRAUD").cast(pl.Int64).alias("fraud")
    )
    frame = read_fraud_handbook(file).join(frauds, on="number", how="left", maintain_order="left")
    return CardStream({name: frame[name].to_numpy() for name in frame.columns})
