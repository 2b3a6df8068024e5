"""Limit and price of parties: by hand, one by one as in a batch, and refused where anything is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.products.lending.millionths import UNTOLD
from formicary.products.lending.underwriting.capital import Binding, Book
from formicary.products.lending.underwriting.preapproval import (
    Condition,
    Cut,
    decide,
    honoured,
    offers_expire_at,
)
from formicary.products.lending.underwriting.pricing import NO_RATE
from tests.products.lending.underwriting.house import CAPITAL, GOOD, POLICY, POOR, RICH, parties

FAILURES: list[tuple[dict[str, Any], Condition]] = [
    ({"is_stopped": True}, Condition.FRAUD_CHECK),
    ({"arrears_days": 1}, Condition.ARREARS),
    ({"warned_days": 89}, Condition.WARNED),
    ({"default": UNTOLD}, Condition.MODEL),
    ({"loss": UNTOLD}, Condition.MODEL),
    ({"default": 80_001}, Condition.RISK),
    ({"history_days": 89}, Condition.HISTORY),
    ({"sales_30d": 60_000, "debt_service": 0}, Condition.SALES),
    ({"debt_service": 395_000}, Condition.DEBTS),
]


def test_a_party_by_hand() -> None:
    """Sales of 20,000.00 a month at 1.5 % of defaults carry 30,000.00.

    A fifth of sales is 4,000.00, of which debts leave 3,500.00; the first instalment is 1 / 12 and 30 days
    of 0.05 %, 9.833 % of the line: 35,593.22 are affordable. The smaller of both is lent.
    """
    told = decide(POLICY, CAPITAL, RICH, parties({}))
    (decision,) = told.decisions
    assert decision["limit"] == 3_000_000
    assert decision["rate"] == 150
    assert decision["expected_loss"] == 18_000
    assert (decision["default"], decision["loss"], decision["failed"]) == (15_000, 400_000, 0)
    assert (decision["binding"], decision["is_cut"]) == (Binding.NOTHING, 0)
    assert told.book.by_segment == {3: 3_000_000}


@pytest.mark.parametrize(("changes", "condition"), FAILURES)
def test_each_condition_refuses_alone(changes: dict[str, Any], condition: Condition) -> None:
    """Nothing is lent nor taken from the book, and the condition is the one that is told."""
    told = decide(POLICY, CAPITAL, RICH, parties(changes))
    (decision,) = told.decisions
    assert (decision["limit"], decision["rate"], decision["expected_loss"]) == (0, NO_RATE, 0)
    assert decision["failed"] == 1 << condition
    assert told.book == RICH


def test_a_warning_is_over_after_its_days() -> None:
    """Or is not heard at all."""
    warned = parties({"warned_days": 90}, {"warned_days": 89}, {"warned_days": 0}, {"warned_days": -1})
    told = decide(POLICY, CAPITAL, RICH, warned).decisions
    assert (told["limit"] > 0).tolist() == [True, False, False, True]
    deaf = replace(POLICY, warned_days=0)
    assert (decide(deaf, CAPITAL, RICH, warned).decisions["limit"] > 0).all()


def test_no_model_means_no_new_credit() -> None:
    """However good everything else is, and whoever asks."""
    unknown = parties(*[{"default": UNTOLD, "loss": UNTOLD}] * 20)
    told = decide(POLICY, CAPITAL, RICH, unknown, wanted=[100_000] * 20)
    assert not told.decisions["limit"].any()
    assert (told.decisions["default"] == UNTOLD).all()
    assert (told.decisions["failed"] == 1 << Condition.MODEL).all()


def test_a_price_above_the_cap_refuses() -> None:
    """The risk is within the bands, and no price pays for it."""
    policy = replace(POLICY, rate_cap_millionths=200)
    told = decide(policy, CAPITAL, RICH, parties({"default": 80_000, "loss": 900_000}))
    assert told.decisions["failed"].tolist() == [1 << Condition.PRICE]


def test_a_price_is_looked_at_where_no_limit_is_left() -> None:
    """As of the largest line, which is the least that it could be; above the bands it is not looked at."""
    policy = replace(POLICY, rate_cap_millionths=200)
    bad = {"default": 80_000, "loss": 900_000, "history_days": 0, "sales_30d": 0}
    told = decide(policy, CAPITAL, RICH, parties(bad, {**bad, "default": 90_000}))
    common = 1 << Condition.HISTORY | 1 << Condition.SALES
    assert told.decisions["failed"].tolist() == [
        common | 1 << Condition.PRICE,
        common | 1 << Condition.RISK,
    ]


def test_own_funds_refuse_and_cut() -> None:
    """Without own funds nothing is lent; with a few the line is cut, and its price stays."""
    refused = decide(POLICY, CAPITAL, POOR, parties({})).decisions[0]
    assert (refused["limit"], refused["failed"]) == (0, 1 << Condition.CAPITAL)
    assert refused["binding"] == Binding.LEVERAGE
    few = Book(own_funds=10_000_000, cash=10**12)
    cut = decide(POLICY, CAPITAL, few, parties({})).decisions[0]
    assert (cut["limit"], cut["rate"], cut["failed"], cut["binding"]) == (2_500_000, 150, 0, Binding.PARTY)


def test_what_is_asked_for_is_the_most() -> None:
    """A line is not larger than asked for; one that would be too small is refused for that; less is told."""
    asked = [1_000_000, 50_000, 90_000_000, 1_005_000]
    told = decide(POLICY, CAPITAL, RICH, parties({}, {}, {}, {}), wanted=asked).decisions
    assert told["limit"].tolist() == [1_000_000, 0, 3_000_000, 1_000_000]
    assert told["failed"].tolist() == [0, 1 << Condition.WANTED, 0, 0]
    assert told["is_cut"].tolist() == [0, 1, 1, 1]
    assert told["cut_by"].tolist() == [Cut.NOTHING, Cut.NOTHING, Cut.SALES, Cut.STEP]
    in_debt = {"debt_service": 300_000}
    rich = {"sales_30d": 10**10, "sales_90d": 3 * 10**10}
    told = decide(POLICY, CAPITAL, RICH, parties(in_debt, rich), wanted=[3_000_000, 10**9]).decisions
    assert told["cut_by"].tolist() == [Cut.DEBTS, Cut.LARGEST]
    assert told["limit"].tolist() == [1_010_000, POLICY.limit_max]
    # A base is looked at for what it may have: nobody asked for more.
    assert not decide(POLICY, CAPITAL, RICH, parties({})).decisions["cut_by"].any()


def test_a_batch_gives_what_single_parties_give() -> None:
    """Row by row with the book that the row before left, to the bit; own funds end within the batch."""
    random = np.random.default_rng(7)
    rows = [
        {
            "default": int(random.integers(0, 100_000)),
            "sales_30d": int(random.integers(0, 5_000_000)),
            "debt_service": int(random.integers(0, 300_000)),
            "segments": int(random.integers(0, 3)),
            "groups": int(random.integers(0, 30)),
            "retained": int(random.choice([300_000, 1_000_000])),
        }
        for _ in range(60)
    ]
    book = Book(own_funds=3_000_000, cash=30_000_000)
    capital = replace(CAPITAL, segment_max_millionths=1_000_000)
    whole = decide(POLICY, capital, book, parties(*rows))
    assert set(whole.decisions["binding"].tolist()) >= {Binding.NOTHING, Binding.PARTY, Binding.SEGMENT}
    running = book
    for row, expected in zip(rows, whole.decisions, strict=True):
        alone = decide(POLICY, capital, running, parties(row))
        running = alone.book
        assert alone.decisions[0] == expected
    assert running == whole.book


def test_worse_parties_get_no_better_terms() -> None:
    """Where the chance of default rises, limits do not, and prices do not fall."""
    chances = np.arange(0, 100_000, 500)
    told = decide(POLICY, CAPITAL, RICH, parties(*({"default": int(one)} for one in chances))).decisions
    assert (np.diff(told["limit"]) <= 0).all()
    lent = told[told["limit"] > 0]
    assert (np.diff(lent["rate"]) >= 0).all()
    assert lent["rate"][-1] > lent["rate"][0]
    assert len(lent) == (chances <= 80_000).sum()


def test_an_offer_is_a_promise_of_a_price() -> None:
    """Not of a limit: what is known now decides whether and how much; a better price counts as well."""
    offers = decide(
        POLICY, CAPITAL, RICH, parties({}, {}, {"default": 79_000}, {"history_days": 1})
    ).decisions
    now = parties({"default": 79_000}, {"is_stopped": True}, {}, {"default": 79_000})
    fresh = decide(POLICY, CAPITAL, RICH, now).decisions
    taken = honoured(offers, fresh)
    assert taken["rate"].tolist() == [150, NO_RATE, 150, fresh["rate"][3]]
    assert fresh["rate"][0] == fresh["rate"][3] > 150
    assert (taken["limit"] == fresh["limit"]).all()
    assert offers_expire_at(POLICY, 5) == 5 + 30 * 86_400 * 10**9


def test_columns_that_do_not_belong_together_are_refused() -> None:
    """Rows would be of two parties."""
    good = parties({}, {})
    with pytest.raises(ProgrammingError, match="differ in shape"):
        replace(good, loss=np.array([1]))
    with pytest.raises(ProgrammingError, match="where it is not told"):
        replace(good, default=np.array([1, -2]))
    assert len(good) == 2
    assert set(GOOD) == set(vars(good))
