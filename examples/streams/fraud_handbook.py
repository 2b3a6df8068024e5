"""The *Fraud Detection Handbook*'s card payments as a stream that the factory learns from, day by day.

Labels are known seven days late. Every night people look at the hundred cards of the highest scores, as the
book has it, and what they find is a fact of the next day: which terminals, which customers. So features of a
day depend on what was scored before, and are told by the pipeline as the days go by.

``formicary learn replay fraud_handbook`` lives through the 136 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from examples.features.card_risk import CARD_RISK
from examples.features.fraud_handbook import CARD_PAYMENT, FRAUD, WINDOWS
from formicary.base.purposes import Purpose
from formicary.economy.fraud_handbook import DATA_SET, read_fraud_handbook
from formicary.factory.features.aggregates import count
from formicary.factory.features.columns import events_of, key_words
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet, windowed
from formicary.factory.features.kinds import EventKind, identifier, number, party
from formicary.factory.features.store import FeatureStore
from formicary.factory.learning.plan import DAY, LearningPlan
from formicary.factory.learning.rivals import ONCE, Rival
from formicary.factory.learning.rows import UNKNOWN, Rows
from formicary.factory.learning.worth import Worth
from formicary.factory.models.metrics import area_under_roc, average_precision, card_precision
from formicary.factory.models.spec import Column, ModelSpec

__all__ = ["LOOKED_AT", "CardStream", "card_fraud", "open_stream", "payments_of", "tested"]

Reals: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.int64]

CARD_VERDICT = EventKind("card_verdict", customer=party(), terminal=identifier(), fraud=number())
"""What people found of a payment that they looked at."""

LOOKED_AT: Final = 100
"""Cards a night."""
_LABEL_DAYS: Final = 7
_BANDS: Final = (20_00, 100_00, 220_00)


def _verdicts(name: str, windows: tuple[str, ...], fraud: int, meaning: str) -> tuple[Feature, ...]:
    """Count by terminal or customer, as the name begins, what people found."""
    return windowed(
        f"{name}_{{window}}",
        windows,
        lambda over: count(
            CARD_VERDICT,
            where=CARD_VERDICT["fraud"] == fraud,
            by=name.partition("_")[0],
            over=over,
            resolution="1d",
        ),
        unit="payments",
        meaning=f"{meaning} in the last {{window}}.",
        purposes=FRAUD,
    )


CARD_WATCH = FeatureSet(
    name="card_watch",
    on=CARD_PAYMENT,
    owner="risk",
    ring_events=CARD_RISK.ring_events,
    key_bytes_max=CARD_RISK.key_bytes_max,
    features=(
        *CARD_RISK.features,
        *_verdicts("terminal_found", ("3d", "7d", "28d"), 1, "Frauds that people found at the terminal"),
        *_verdicts("terminal_cleared", ("7d", "28d"), 0, "Payments at the terminal that people found honest"),
        *_verdicts("customer_found", ("7d", "14d"), 1, "Frauds that people found on the card"),
        *_verdicts("customer_cleared", ("7d",), 0, "Payments with the card that people found honest"),
    ),
)

_LEFT_OUT: Final = {"hour", "weekday", "since_last", "seconds_since_last", "met_before"}
"""Features that tell nothing in this simulation, and cost ranks."""


def card_fraud(features: Iterable[Feature]) -> ModelSpec:
    """Return the model of card frauds that reads features, but for those that are left out."""
    return ModelSpec(
        name="card_fraud",
        owner="risk",
        predicts="The chance that the payment is a fraud.",
        columns=tuple(
            Column(name=feature.name, reason=feature.meaning)
            for feature in features
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


_SPEC: Final = card_fraud(CARD_WATCH.features)

_BOOK: Final = {
    "amount",
    *(f"customer_payments_{window}" for window in WINDOWS),
    *(f"customer_mean_{window}" for window in WINDOWS),
    *(f"terminal_payments_{window}" for window in WINDOWS),
    *(f"terminal_risk_{window}" for window in WINDOWS),
}
# XGBoost of depth 3 and learning rate 0.3, the best of chapter 5, in LightGBM's terms; rounds are judged.
_BOOK_SEARCH: Final = (
    ("num_leaves", (8,)),
    ("learning_rate", (0.3,)),
    ("min_data_in_leaf", (20,)),
    ("feature_fraction", (1.0,)),
    ("bagging_fraction", (1.0,)),
    ("lambda_l2", (1.0,)),
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
    plan: LearningPlan = _PLAN

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
        self._verdicts = np.full(len(self._at), UNKNOWN, np.int8)

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

    def looked_at(self, day: int, _: Rows, scored: Reals) -> None:
        """Let people look at the cards of the highest scores, and tell the store what they found."""
        one = self._of(day)
        # Before there is a model, people look at the largest payments.
        ranks = self._cents[one].astype(np.float64) if np.isnan(scored).all() else scored
        cards = looked_at(ranks, self._customers[one], self.found >= day - 14)
        seen = np.flatnonzero(np.isin(self._customers[one], cards)) + one.start
        frauds = seen[self._frauds[seen] == 1]
        self.found[self._customers[frauds]] = day
        self._verdicts[seen] = self._frauds[seen]
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

    def investigated(self, rows: int, now: int) -> npt.NDArray[np.int8]:
        """Return what people found of the first rows by the night that is over."""
        return np.where(self._at[:rows] < now, self._verdicts[:rows], UNKNOWN).astype(np.int8)

    def measured(self, day: int, scored: Reals) -> dict[str, float]:
        """Return what chances or scores (n,) of all payments show in the week that begins on a day.

        By the book's protocol: without customers that are known as defrauded by then.
        """
        days = self._at // DAY
        rows = np.concatenate(list(tested(days, self._customers, self._frauds, first=day)))
        labels = self._frauds[rows]
        return {
            "AUC": area_under_roc(scores=scored[rows], labels=labels),
            "AP": average_precision(scores=scored[rows], labels=labels),
            f"CP@{LOOKED_AT}": card_precision(
                scores=scored[rows],
                labels=labels,
                cards=self._customers[rows],
                days=days[rows],
                cards_per_day=LOOKED_AT,
            ),
        }

    @property
    def rivals(self) -> tuple[Rival, ...]:
        """Who else keeps a model up to date, from labels alone: nobody tells them what people found."""
        told = tuple(
            column for column in _SPEC.columns if column.name in {one.name for one in CARD_RISK.features}
        )
        labels_only = replace(_SPEC, name="card_fraud_labels", columns=told)
        book = replace(
            _SPEC,
            name="card_fraud_book",
            columns=tuple(column for column in told if column.name in _BOOK),
            search=_BOOK_SEARCH,
        )
        return (
            Rival(name="frozen", said="our first model, never again", spec=labels_only, every_days=ONCE),
            Rival(
                name="monthly",
                said="ours again every 30 days, on everything",
                spec=labels_only,
                every_days=30,
            ),
            Rival(
                name="monthly, told",
                said="the same, told what people found for the learning factory",
                spec=replace(_SPEC, name="card_fraud_told"),
                every_days=30,
            ),
            Rival(
                name="the book's",
                said="its features and its tuned XGBoost, each week on seven days",
                spec=book,
                every_days=7,
                window_days=7,
            ),
        )


def tested(days: Words, customers: Words, labels: Words, *, first: int) -> Iterator[Words]:
    """Go through the rows of each day of a week, without customers that were known as defrauded by then.

    Known are the frauds of the week that a model of the book would have learnt from, two weeks before, and
    what happened until a week and a day before.
    """
    learnt = (days >= first - 2 * _LABEL_DAYS) & (days < first - _LABEL_DAYS)
    known = set(customers[learnt & (labels == 1)].tolist())
    for day in range(first, first + 7):
        known |= set(customers[(days == day - _LABEL_DAYS - 1) & (labels == 1)].tolist())
        rows = np.flatnonzero(days == day)
        yield rows[~np.isin(customers[rows], list(known))]


def looked_at(scored: Reals, cards: Words, is_blocked: npt.NDArray[np.bool_]) -> Words:
    """Return the cards of the highest scores (n,), ``LOOKED_AT`` of them, without those that are blocked."""
    highest = np.full(len(is_blocked), -np.inf)
    np.maximum.at(highest, cards, scored)
    highest[is_blocked] = -np.inf
    ranked = np.argsort(-highest, kind="stable")[:LOOKED_AT]
    return ranked[highest[ranked] > -np.inf]


def open_stream(data_sets: Path) -> CardStream:
    """Return the stream of the data set in a folder of data sets."""
    return CardStream(payments_of(data_sets))


def payments_of(data_sets: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the payments of the data set in a folder of data sets, in columns."""
    file = data_sets / DATA_SET
    frauds = pl.read_parquet(file, columns=["TRANSACTION_ID", "TX_FRAUD"]).select(
        pl.col("TRANSACTION_ID").cast(pl.Int64).alias("number"),
        pl.col("TX_FRAUD").cast(pl.Int64).alias("fraud"),
    )
    frame = read_fraud_handbook(file).join(frauds, on="number", how="left", maintain_order="left")
    return {name: frame[name].to_numpy() for name in frame.columns}
