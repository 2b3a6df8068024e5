"""Money is counted exactly, row by row, and its intervals hold what they should as often as they say."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from formicary.factory.decisions import _replicates
from formicary.factory.decisions.errors import CostsMalformed, MalformedItems
from formicary.factory.decisions.money import FIGURES, Costs, Effect, Money, Outcomes, money_of

DAY = 86_400_000_000_000
COSTS = Costs(
    lost_bp=9_000,
    margin_bp=150,
    step_up_cost=20,
    step_up_given_up_bp=300,
    step_up_stopped_bp=8_000,
    hold_cost=500,
    hold_given_up_bp=1_000,
    hold_stopped_bp=9_900,
)


def outcomes(
    rows: list[tuple[int, int, int]], *, segments: list[str] | None = None, step: int = DAY
) -> Outcomes:
    """Return outcomes of rows of a day, an amount and whether it was bad."""
    days, amounts, bad = (np.array(column) for column in zip(*rows, strict=True))
    return Outcomes(
        at=days * step,
        amounts=amounts,
        was_bad=bad.astype(np.int8),
        segments=None if segments is None else np.array(segments),
    )


def plain(rows: list[tuple[int, int, int]], effects: list[int], costs: Costs) -> dict[str, int]:
    """Return all figures, added up row by row in fractions."""
    found = dict.fromkeys(FIGURES, Fraction(0))

    def value(effect: int, amount: int, bad: int) -> Fraction:
        each = (0, costs.step_up_cost, costs.hold_cost, 0)[effect]
        if bad:
            stopped = (0, costs.step_up_stopped_bp, costs.hold_stopped_bp, 10_000)[effect]
            return -Fraction(costs.lost_bp * (10_000 - stopped) * amount, 10**8) - each
        given_up = (0, costs.step_up_given_up_bp, costs.hold_given_up_bp, 10_000)[effect]
        return Fraction(costs.margin_bp * (10_000 - given_up) * amount, 10**8) - each

    for (_, amount, bad), effect in zip(rows, effects, strict=True):
        if bad < 0:
            continue
        stopped = Fraction((0, costs.step_up_stopped_bp, costs.hold_stopped_bp, 10_000)[effect], 10_000)
        shares = {
            "caught": bad * stopped,
            "missed": bad * (1 - stopped),
            "false_declines": Fraction(not bad and effect == Effect.REJECT),
            "friction": Fraction(not bad and effect in (Effect.STEP_UP, Effect.HOLD)),
        }
        for name, share in shares.items():
            found[name] += share
            found[f"{name}_amount"] += share * amount
        found["net_value"] += value(effect, amount, bad)
        found["gain"] += value(effect, amount, bad) - value(Effect.ALLOW, amount, bad)
    # Fractions round a half to the even neighbour.
    return {name: round(number) for name, number in found.items()}


def values(figures: Mapping[str, Any]) -> dict[str, int]:
    """Return figures without their intervals."""
    return {name: figure.value for name, figure in figures.items()}


ROWS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 2**40), st.sampled_from([0, 0, 1, -1])),
    min_size=1,
    max_size=40,
)


@given(ROWS, st.randoms(use_true_random=False))
def test_figures_are_those_of_a_plain_sum(rows: list[tuple[int, int, int]], chance: Any) -> None:
    """To the last minor unit, of all rows and of each segment, of a policy and of the difference."""
    effects, other = ([chance.randrange(4) for _ in rows] for _ in range(2))
    names = [chance.choice("ab") for _ in rows]
    found = money_of(outcomes(rows, segments=names), effects, COSTS, against=other, replicates=9)
    assert [one.segment for one in found[1:]] == sorted(
        set(names), key=lambda name: (-names.count(name), name)
    )
    for one in found:
        places = [place for place, name in enumerate(names) if one.segment in ("", name)]
        here = [rows[place] for place in places]
        expected, expected_other = (
            plain(here, [policy[place] for place in places], COSTS) for policy in (effects, other)
        )
        assert values(one.figures) == expected
        assert (one.rows, one.unknown) == (len(here), sum(bad < 0 for *_, bad in here))
        # Each side is rounded by itself, the difference once.
        for name, figure in one.differences.items():
            assert abs(figure.value - (expected[name] - expected_other[name])) <= 1


def test_a_difference_is_rounded_once() -> None:
    """Half a unit more is not lost between two roundings."""
    rows = [(0, 5_000, 0)] * 2
    (found,) = money_of(outcomes(rows), [0, 0], Costs(margin_bp=1), against=[0, 3])
    assert (found.figures["net_value"].value, found.differences["net_value"].value) == (1, 0)
    (found,) = money_of(outcomes([(0, 15_000, 0)] * 2), [0, 0], Costs(margin_bp=1), against=[0, 3])
    assert (found.figures["net_value"].value, found.differences["net_value"].value) == (3, 2)


def drawn_totals(by_day: list[int], counts: Any) -> list[int]:
    """Return the sum of days as often as they were drawn."""
    return sorted(sum(int(n) * total for n, total in zip(row, by_day, strict=True)) for row in counts)


def test_bounds_are_replicates() -> None:
    """Each bound is the sum over days that were drawn again, of the rank that the percentile says."""
    chance = np.random.default_rng(1)
    rows = [(int(day), int(amount), 1) for day, amount in chance.integers(0, [30, 10**9], (200, 2))]
    rows += [(0, 0, 0), (29, 0, 0)]
    (found,) = money_of(outcomes(rows), [3] * len(rows), COSTS, seed=7, replicates=999)
    by_day = [sum(amount for at, amount, _ in rows if at == day) for day in range(30)]
    counts = _replicates.drawn_counts(7, 30, 999)
    assert counts.shape == (999, 30)
    assert (counts.sum(axis=1) == 30).all()
    ordered = drawn_totals(by_day, counts)
    ranks = _replicates.ranks_of(30, 999)
    assert ranks is not None
    figure = found.figures["caught_amount"]
    assert (figure.low, figure.high) == (ordered[ranks[0]], ordered[ranks[1]])
    assert figure.value == sum(by_day)


def test_ranks_are_further_out_where_days_are_few() -> None:
    """Hesterberg's table: with ten blocks 0.9 % are left out at each end, and 2.5 % with very many."""
    assert _replicates.ranks_of(7, 1_999) is None
    assert _replicates.ranks_of(10, 1_999) == (16, 1_982)
    assert _replicates.ranks_of(1_000, 1_999) == (48, 1_950)
    assert _replicates.ranks_of(8, 9) == (0, 8)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """Of two hundred histories of fifteen days with skewed losses, about 95 % hold the expected one."""
    chance = np.random.default_rng(3)
    days, held, truth = 15, 0, 15 * 20 * 400
    ranks = _replicates.ranks_of(days, 499)
    assert ranks is not None
    for history in range(200):
        by_day = chance.gamma(2.0, 200.0, (days, 20)).sum(axis=1).astype(np.int64)
        ordered = np.sort(_replicates.drawn_counts(history, days, 499) @ by_day)
        held += bool(ordered[ranks[0]] <= truth <= ordered[ranks[1]])
    assert 0.9 < held / 200 < 0.99


def test_a_difference_is_paired() -> None:
    """The days drawn are those of both policies: what is the same in both makes nothing unsure."""
    amounts = np.random.default_rng(4).integers(1, 10**6, 500)
    rows = [(place % 25, int(amount), int(place % 5 == 0)) for place, amount in enumerate(amounts)]
    allowed = np.zeros(500, np.int64)
    (found,) = money_of(outcomes(rows), allowed, COSTS, against=allowed)
    assert {(one.value, one.low, one.high) for one in found.differences.values()} == {(0, 0, 0)}
    better = np.where(np.arange(500) % 45 == 0, Effect.REJECT, Effect.ALLOW)
    (found,) = money_of(outcomes(rows), better, COSTS, against=allowed)
    (other,) = money_of(outcomes(rows), allowed, COSTS)
    mine, theirs, more = (one["net_value"] for one in (found.figures, other.figures, found.differences))
    assert mine.low is not None
    assert theirs.high is not None
    assert more.low is not None
    # Each by itself might be the better one; together, there is no doubt.
    assert mine.low < theirs.high
    assert more.low > 0


def test_few_days_tell_no_interval() -> None:
    """With a week of days an interval would tell more than is known."""
    (found,) = money_of(outcomes([(day, 100, 1) for day in range(7)]), [0] * 7, COSTS)
    assert found.figures["missed"].value == 7
    assert (found.figures["missed"].low, found.figures["missed"].high) == (None, None)
    assert not found.differences
    (found,) = money_of(outcomes([(day, 100, 1) for day in range(8)]), [0] * 8, COSTS)
    assert found.figures["missed"].low == 8


def test_a_day_without_rows_is_a_day() -> None:
    """A quiet day makes a total less sure, not the set of days shorter."""
    rows = [(day, 100, 1) for day in (0, 3, 6, 9)]
    (found,) = money_of(outcomes(rows), [0] * 4, COSTS)
    assert (found.figures["missed"].low, found.figures["missed"].high) == (1, 8)


def test_the_order_of_rows_changes_nothing() -> None:
    """Figures and intervals follow from what happened, and the seed."""
    rows = [(place % 12, 10 * place, place % 2) for place in range(60)]
    one = money_of(outcomes(rows), [2] * 60, COSTS)
    assert money_of(outcomes(rows[::-1]), [2] * 60, COSTS) == one
    assert money_of(outcomes(rows), [2] * 60, COSTS, seed=1) != one


@pytest.mark.parametrize("wrong", [{"lost_bp": -1}, {"margin_bp": 10_001}, {"hold_cost": -5}])
def test_costs_that_cannot_be_are_refused(wrong: dict[str, int]) -> None:
    """A share is none below nothing or above all."""
    with pytest.raises(CostsMalformed):
        Costs(**wrong)


@pytest.mark.parametrize(
    "changed",
    [
        {"at": np.array([0])},
        {"amounts": np.array([1, -1])},
        {"amounts": np.array([2**62, 2**62])},
        {"was_bad": np.array([0, 2], np.int8)},
        {"at": np.array([-1, 0])},
        {"at": np.array([0, 4_000 * DAY])},
        {"segments": np.array(["a"])},
        {"at": np.zeros(0, np.int64)},
    ],
)
def test_outcomes_that_cannot_be_are_refused(changed: dict[str, Any]) -> None:
    """Before anything is counted."""
    sound = {"at": np.array([0, 1]), "amounts": np.array([1, 2]), "was_bad": np.array([0, 1], np.int8)}
    assert Outcomes(**sound).segments is None
    with pytest.raises(MalformedItems):
        Outcomes(**(sound | changed))


def test_too_many_segments_are_refused() -> None:
    """A column of ids is no column of segments."""
    count = 101
    with pytest.raises(MalformedItems, match="segments"):
        outcomes([(0, 1, 0)] * count, segments=[str(place) for place in range(count)])


@pytest.mark.parametrize("effects", [[0], [0, 4], [[0, 1]]])
def test_effects_are_of_the_rows(effects: Any) -> None:
    """One for each, and one that there is."""
    with pytest.raises(MalformedItems):
        money_of(outcomes([(0, 1, 0), (0, 2, 1)]), effects, COSTS)


def test_large_sums_are_exact() -> None:
    """Where floating-point numbers would have lost the last digits."""
    rows = [(0, 2**53 + 1, 1), (0, 1, 1)]
    found: list[Money] = money_of(outcomes(rows), [3, 3], COSTS)
    assert found[0].figures["caught_amount"].value == 2**53 + 2
