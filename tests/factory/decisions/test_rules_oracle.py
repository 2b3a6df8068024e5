"""Conditions of any form say what an independent reading of them says, item by item and in batches."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.factory.decisions.rule_sets import text_id
from tests.factory.decisions.rules_kit import UNTIL, Item, compiled, items
from tests.factory.decisions.rules_oracle import Oracle

FOREVER = float("inf")
LISTS = {
    "known": {1: FOREVER, 2: FOREVER, 3: UNTIL},
    "risky": {text_id("KP"): FOREVER, text_id("IR"): UNTIL},
}

# Few and small numbers, so that equal ones meet.
PLAIN = st.one_of(
    st.sampled_from(["amount", "code", "risk", "mean_7d", "count_1h", "score.fraud"]),
    st.integers(0, 3).map(str),
    st.sampled_from(["0.5", "1e3", "minutes(2)", "hours(0.5)", "hour(at, 420)", "weekday(at, -90)"]),
)
ONE_TRUTH = st.sampled_from(
    [
        "true",
        "False",
        "payer == payee",
        "payer != payee",
        'country == "KP"',
        '"IR" != country',
        "payer in known",
        "payee not in known",
        "country in risky",
        "absent(amount)",
        "payer is absent",
        "code is not absent",
        "missing(mean_7d)",
        "score.fraud is missing",
        "(amount / code) is missing",
    ]
)


def numbers(depth: int) -> st.SearchStrategy[str]:
    """Return numbers of at most so many operations inside each other."""
    if not depth:
        return PLAIN
    inner = numbers(depth - 1)
    return st.one_of(
        PLAIN,
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(" ".join),
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("-({})".format, inner),
        st.builds("magnitude({})".format, inner),
        st.builds("{}({}, {})".format, st.sampled_from(["smaller", "larger", "otherwise"]), inner, inner),
    )


def truths(depth: int) -> st.SearchStrategy[str]:
    """Return conditions of at most so many operations inside each other, chains among them."""
    compared = st.lists(
        st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers(1)), min_size=1, max_size=3
    )
    comparison = st.builds(
        lambda first, rest: " ".join([first, *(f"{op} {other}" for op, other in rest)]), numbers(2), compared
    )
    if not depth:
        return st.one_of(ONE_TRUTH, comparison)
    inner = truths(depth - 1).map("({})".format)
    return st.one_of(
        ONE_TRUTH,
        comparison,
        st.lists(inner, min_size=2, max_size=4).map(" and ".join),
        st.lists(inner, min_size=2, max_size=4).map(" or ".join),
        inner.map("not {}".format),
        st.builds("{} == {}".format, inner, inner),
        st.builds("otherwise({}, {})".format, inner, inner),
    )


def maybe(values: st.SearchStrategy[float]) -> st.SearchStrategy[float | None]:
    """Return values that may not be there."""
    return st.one_of(st.none(), values)


ITEMS = st.fixed_dictionaries(
    {
        "at": st.one_of(st.integers(0, 2**61), st.integers(UNTIL - 2, UNTIL + 2)),
        "payer": maybe(st.integers(1, 4)),
        "payee": maybe(st.integers(1, 4)),
        "country": maybe(st.sampled_from([text_id("KP"), text_id("IR"), text_id("ID")])),
        "amount": maybe(st.one_of(st.integers(0, 3), st.integers(-5, 5_000))),
        "code": maybe(st.integers(0, 3)),
        "risk": maybe(st.integers(0, 8).map(lambda eighths: eighths / 8)),
        "mean_7d": maybe(st.one_of(st.integers(0, 3).map(float), st.floats(-1e9, 1e9))),
        "count_1h": maybe(st.integers(0, 3).map(float)),
        "score.fraud": maybe(st.floats(0, 1)),
    }
)


@settings(max_examples=120, deadline=None)
@given(st.lists(truths(2), min_size=1, max_size=3), st.lists(ITEMS, min_size=1, max_size=4))
def test_conditions_say_what_the_oracle_says(conditions: list[str], some: list[Item]) -> None:
    """Every rule of a set, of every item; a batch is the same as its items one by one."""
    rules = compiled(*conditions)
    judged = rules.judge(items(some))
    expected = [[Oracle(one, LISTS).verdict(when) for when in conditions] for one in some]
    assert judged.verdicts.tolist() == expected
    for place, one in enumerate(some):
        alone = rules.judge(items([one]))
        np.testing.assert_array_equal(judged.verdicts[place], alone.verdicts[0])
        np.testing.assert_array_equal(judged.values[place], alone.values[0])
        assert judged.outcomes[place] == alone.outcomes[0]
