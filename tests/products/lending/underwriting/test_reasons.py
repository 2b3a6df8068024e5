"""Reasons are at most four and true: each that is named failed, mended together they give credit."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import lightgbm
import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.models.forest import forest_of
from formicary.factory.models.tree_shap import TreeShap
from formicary.products.lending.millionths import UNTOLD, millionths_of
from formicary.products.lending.underwriting.capital import Binding, Book
from formicary.products.lending.underwriting.preapproval import DECISION, Condition, decide
from formicary.products.lending.underwriting.reasons import (
    COLUMN_FIRST,
    confirmed,
    needs_columns,
    principal_reasons,
    sentences,
)
from tests.products.lending.underwriting.house import CAPITAL, POLICY, POOR, RICH, parties

COLUMNS = tuple(f"Column {place} counted against you." for place in range(6))
NONE = np.zeros((0, 6))
BAD: dict[str, dict[str, Any]] = {
    "fraud": {"is_stopped": True},
    "arrears": {"arrears_days": 40},
    "warned": {"warned_days": 0},
    "default": {"default": 90_000},
    "history": {"history_days": 3},
    "sales": {"sales_30d": 60_000, "debt_service": 0},
    "debts": {"debt_service": 10**9},
}


def decided(changes: dict[str, Any], book: Book = RICH) -> Any:
    """Return the decision about one party."""
    return decide(POLICY, CAPITAL, book, parties(changes)).decisions


def reasons_of(decisions: Any, attributions: Any = NONE) -> list[list[int]]:
    """Return reasons without the places that are free."""
    rows = np.asarray(attributions, np.float64).reshape(-1, 6)
    return [[one for one in row if one] for row in principal_reasons(decisions, rows).tolist()]


@pytest.mark.parametrize("count", range(1, 5))
def test_whoever_mends_what_is_named_gets_credit(count: int) -> None:
    """Of every set of bad values each is named; mended together they give a line, all but one do not."""
    conditions = {
        "fraud": Condition.FRAUD_CHECK,
        "arrears": Condition.ARREARS,
        "warned": Condition.WARNED,
        "history": Condition.HISTORY,
        "sales": Condition.SALES,
        "debts": Condition.DEBTS,
    }
    for names in combinations(conditions, count):
        bad = {key: value for name in names for key, value in BAD[name].items()}
        (told,) = reasons_of(decided(bad))
        assert told == [1 + conditions[name] for name in names]
        for left in names:
            assert not decided(BAD[left])["limit"].any()
    assert decided({})["limit"].all()


def test_columns_that_raised_the_score_stand_for_the_risk() -> None:
    """The most first, none that did not raise it, and as many as the other reasons leave room for."""
    added = [0.3, -0.5, 0.0, 0.9, 0.1, 0.2]
    risky = decided(BAD["default"])
    assert needs_columns(risky).all()
    (told,) = reasons_of(risky, added)
    assert told == [COLUMN_FIRST + place for place in (3, 0, 5, 4)]
    assert sentences(told, COLUMNS)[0] == "Column 3 counted against you."
    also_new = {**BAD["default"], **BAD["history"], **BAD["fraud"]}
    (told,) = reasons_of(decided(also_new), added)
    assert told == [1 + Condition.FRAUD_CHECK, COLUMN_FIRST + 3, COLUMN_FIRST, 1 + Condition.HISTORY]


def test_a_risk_that_no_column_raised_is_told_as_such() -> None:
    """As where the base rate is above what is lent at."""
    (told,) = reasons_of(decided(BAD["default"]), [-0.1] * 6)
    assert told == [1 + Condition.RISK]
    assert sentences(told, COLUMNS) == ("The risk of default is higher than what we lend at.",)


def test_four_others_leave_no_room_for_columns() -> None:
    """Then the risk is one of them, in its own words, if it is among the first four."""
    bad = {key: value for name in BAD for key, value in BAD[name].items()}
    (told,) = reasons_of(decided(bad), [1.0] * 6)
    assert told[:2] == [1 + Condition.FRAUD_CHECK, 1 + Condition.ARREARS]
    assert len(told) == 4
    few = np.zeros(1, DECISION)
    few["failed"] = sum(
        1 << one for one in (Condition.RISK, Condition.HISTORY, Condition.SALES, Condition.DEBTS)
    )
    few["failed"] |= 1 << Condition.WANTED
    (told,) = reasons_of(few, [1.0] * 6)
    assert told[0] == 1 + Condition.RISK


@pytest.mark.parametrize(
    ("changes", "book", "words"),
    [
        ({"default": UNTOLD}, RICH, "The risk could not be assessed, as the model was not available."),
        ({}, POOR, "Our own funds carry no more credit for now."),
        ({"retained": 299_999}, RICH, "Our share of such a joint loan would be too small."),
        ({}, Book(own_funds=10**12, cash=0), "Our cash carries no more credit for now."),
    ],
)
def test_reasons_of_the_lender_are_told(changes: dict[str, Any], book: Book, words: str) -> None:
    """Nobody is told of a fault that is not theirs."""
    (told,) = reasons_of(decided(changes, book))
    assert sentences(told, COLUMNS) == (words,)


def test_a_line_that_was_cut_has_its_reason_and_others_none() -> None:
    """Rows keep their own."""
    book = Book(own_funds=10_000_000, cash=10**12)
    decisions = decide(POLICY, CAPITAL, book, parties({}, {"sales_30d": 400_000}, BAD["fraud"])).decisions
    assert reasons_of(decisions) == [[128 + Binding.PARTY], [], [1 + Condition.FRAUD_CHECK]]


def test_whoever_gets_less_than_asked_for_is_told_why() -> None:
    """Whatever it is: each of a thousand parties has a reason where it has to be told one."""
    random = np.random.default_rng(11)
    amounts = zip(random.integers(0, 10**9, 1_000), random.integers(0, 10**8, 1_000), strict=True)
    rows = [
        {"sales_30d": int(sales), "sales_90d": 3 * int(sales), "debt_service": int(debts)}
        for sales, debts in amounts
    ]
    wanted = random.integers(1, 2 * POLICY.limit_max, 1_000)
    decisions = decide(POLICY, CAPITAL, RICH, parties(*rows), wanted=wanted).decisions
    told = reasons_of(decisions)
    assert [bool(one) for one in told] == (decisions["is_cut"] > 0).tolist()
    asked_more = decide(POLICY, CAPITAL, RICH, parties({}), wanted=[10**9]).decisions
    (reasons,) = reasons_of(asked_more)
    assert sentences(reasons, COLUMNS) == ("At this risk sales carry no larger line of credit.",)


def test_attributions_of_other_rows_are_refused() -> None:
    """A reason would be somebody else's."""
    with pytest.raises(ProgrammingError, match="1 decisions have attributions"):
        principal_reasons(decided(BAD["default"]), np.zeros((2, 6)))


def test_fewer_columns_than_reasons_are_enough() -> None:
    """A model of two columns has two reasons at most."""
    told = principal_reasons(decided(BAD["default"]), np.array([[0.1, 0.2]]))
    assert told.tolist() == [[COLUMN_FIRST + 1, COLUMN_FIRST, 0, 0]]


def test_columns_of_a_forest_are_true() -> None:
    """Exact Shapley values of a forest: each column that is named, put right, lowers the score.

    Some that raised it on average would not have lowered this one, and are not named.
    """
    random = np.random.default_rng(3)
    rows = np.round(random.random((1_500, 6)), 2)
    labels = (random.random(1_500) < 0.3 * rows[:, :3].mean(axis=1)).astype(float)
    settings = {"objective": "binary", "num_leaves": 8, "num_threads": 1, "verbose": -1, "seed": 1}
    forest = forest_of(lightgbm.train(settings, lightgbm.Dataset(rows, labels), 25))
    asked = rows[:80]
    chances = millionths_of(forest.predictions(asked))
    decisions = decide(POLICY, CAPITAL, RICH, parties(*({"default": int(one)} for one in chances))).decisions
    needed = needs_columns(decisions)
    refused = asked[needed]
    assert 20 < len(refused) < 80
    added = TreeShap(forest).contributions(refused)
    usual = np.array([0.05, 0.1, 0.1, 0.5, 0.5, 0.5])
    true = confirmed(added, refused, forest.raw_scores, usual)
    assert ((true == added) | (true == 0)).all()
    assert ((added > 0) & (true == 0)).any()
    told = principal_reasons(decisions, true)
    named = 0
    for row, numbers in zip(refused, told[needed].tolist(), strict=True):
        for number in numbers:
            if number >= COLUMN_FIRST:
                better = row.copy()
                better[number - COLUMN_FIRST] = usual[number - COLUMN_FIRST]
                assert forest.raw_scores(better[None])[0] < forest.raw_scores(row[None])[0]
                named += 1
    assert named > len(refused)
    assert not told[~needed].any()
