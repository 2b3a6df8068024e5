"""The score as arithmetic: monotone, capped, explained truly; and terms that cannot be wrong."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.products.credit.scoring import Assessment, assess, gains, reasons
from formicary.products.credit.terms import FULL_MARKS, TERMS, Dimension, Scale, terms_of

MOST = st.integers(-(2**62), 2**62)
READINGS = st.tuples(
    *(
        st.none() | st.integers(scale.points[0][0] - 3, scale.points[-1][0] + 3) | MOST
        for scale in TERMS.scales
    )
)
PLACES = st.integers(0, len(TERMS.scales) - 1)
EXAMPLES = 80


def oracle(readings: tuple[int | None, ...], *, relations: bool) -> Fraction:
    """Return the exact score, with fractions instead of roundings."""
    total = 100 if relations else 95
    score = Fraction(350)
    for dimension in Dimension:
        if dimension is Dimension.RELATIONS and not relations:
            continue
        own = [
            (scale, reading)
            for scale, reading in zip(TERMS.scales, readings, strict=True)
            if scale.dimension is dimension
        ]
        marks = sum((scale.weight * exact_marks(scale, reading) for scale, reading in own), Fraction(0))
        mean = marks / sum(scale.weight for scale, _ in own)
        score += Fraction(600 * TERMS.weights[dimension], total) * mean / FULL_MARKS
    return score


def exact_marks(scale: Scale, reading: int | None) -> Fraction:
    """Return the marks on the line itself."""
    if reading is None:
        return Fraction(0)
    left = [point for point in scale.points if point[0] <= reading]
    right = [point for point in scale.points if point[0] > reading]
    if not left or not right:
        return Fraction((left[-1] if left else right[0])[1])
    (low, start), (high, end) = left[-1], right[0]
    return start + Fraction((end - start) * (reading - low), high - low)


def full(*, relations: bool = True) -> Assessment:
    """Return the best score."""
    return assess(TERMS, [scale.best for scale in TERMS.scales], relations=relations)


@given(READINGS, st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_score_is_the_weighted_mean(readings: tuple[int | None, ...], relations: bool) -> None:  # noqa: FBT001
    """It is the exact one, but for less than a point of each dimension's share and rounding."""
    found = assess(TERMS, readings, relations=relations)
    assert abs(found.score - oracle(readings, relations=relations)) <= 2 * len(Dimension)
    assert 350 <= found.score <= 950
    assert found.band == sum(found.score >= begins for begins in (550, 600, 650, 700))
    assert all(0 <= points <= most for points, most in zip(found.points, found.most, strict=True))


@given(READINGS, PLACES, st.tuples(MOST, MOST), st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_feature_counts_one_way(
    readings: tuple[int | None, ...],
    place: int,
    pair: tuple[int, int],
    relations: bool,  # noqa: FBT001
) -> None:
    """All else the same, more of what is good never lowers the score, nor does being known at all."""
    scale, (less, more) = TERMS.scales[place], sorted(pair)
    low, high = (less, more) if scale.rises else (more, less)

    def score(reading: int | None) -> int:
        changed = [*readings]
        changed[place] = reading
        return assess(TERMS, changed, relations=relations).score

    assert score(None) <= score(low) <= score(high)


@pytest.mark.parametrize("scale", TERMS.scales, ids=lambda scale: scale.feature)
def test_values_are_taken_down_in_their_order(scale: Scale) -> None:
    """A larger value of the feature is never a smaller reading, however large; nothing is none."""
    values = [-1e300, -1.5, 0.0, 0.1, 0.10004, 1.0, 7.9, 1e9, 1e300, float("inf")]
    readings = [scale.reading(value) for value in values]
    assert None not in readings
    assert readings == sorted(reading for reading in readings if reading is not None)
    assert scale.reading(None) is None
    assert scale.marks(None) == 0


def test_relations_are_five_percent_at_most() -> None:
    """They are worth 30 of 600 points where they count, and nothing where they do not."""
    assert full().most == (210, 150, 120, 90, 30)
    assert full(relations=False).most == (221, 158, 126, 95, 0)
    assert full().score == full(relations=False).score == 950
    without = [None if scale.dimension is Dimension.RELATIONS else scale.best for scale in TERMS.scales]
    assert assess(TERMS, without, relations=True).score == 920
    assert assess(TERMS, without, relations=False).score == 950
    with pytest.raises(ProgrammingError, match="relations weigh too much"):
        replace(TERMS, weights=(34, 25, 20, 15, 6))


@given(READINGS, READINGS)
@settings(max_examples=EXAMPLES, deadline=None)
def test_relations_that_are_left_out_change_nothing(
    readings: tuple[int | None, ...], others: tuple[int | None, ...]
) -> None:
    """Whatever is known of them, the score is the same, they are not taken down, and no reason names them."""
    mixed = [
        other if scale.dimension is Dimension.RELATIONS else reading
        for scale, reading, other in zip(TERMS.scales, readings, others, strict=True)
    ]
    found = assess(TERMS, mixed, relations=False)
    assert found == assess(TERMS, readings, relations=False)
    assert found.points[Dimension.RELATIONS] == 0
    told = (*gains(found), *reasons(found))
    assert all(one.scale.dimension is not Dimension.RELATIONS for one in told)


@given(READINGS, st.booleans())
@settings(max_examples=EXAMPLES, deadline=None)
def test_reasons_and_advice_are_true(readings: tuple[int | None, ...], relations: bool) -> None:  # noqa: FBT001
    """Putting the named reading where it is said raises the score by what is said; the worst come first."""
    found = assess(TERMS, readings, relations=relations)
    told, advice = reasons(found), gains(found)
    assert len(told) <= 4
    assert [one.points for one in told] == sorted((one.points for one in told), reverse=True)
    for one in (*told, *advice):
        changed = [*readings]
        changed[one.place] = one.target
        better = assess(TERMS, changed, relations=relations)
        assert better.score - found.score == one.points > 0
        assert one.reading == found.readings[one.place]
    assert bool(told) == bool(advice) == (found.score < 950)


def test_the_best_has_no_reasons() -> None:
    """There is nothing to be told."""
    assert reasons(full()) == gains(full()) == ()


def test_sentences_are_for_a_party() -> None:
    """Each is one sentence that speaks to whoever reads it; no column's name is in it."""
    for scale in TERMS.scales:
        for sentence in (scale.means, scale.raised_by):
            assert sentence[0].isupper()
            assert sentence.endswith(".")
            assert sentence.count(".") == 1
            assert "_" not in sentence


def test_versions_are_found_by_their_numbers() -> None:
    """A score is explained by what made it."""
    assert terms_of(TERMS.version) is TERMS


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"weights": (50, 50)}, "every dimension has a weight"),
        ({"weights": (36, 25, 20, 15, 5)}, "weights are percents of a whole"),
        ({"bands": (600, 550, 650, 700)}, "bands rise"),
        ({"bands": (), "band_names": ("all",)}, "too few bands"),
        ({"band_names": ("low", "high")}, "every band has a name"),
        ({"scales": TERMS.scales[:-2]}, "a dimension has no scale"),
        ({"scales": TERMS.scales * 2}, "too many scales"),
    ],
)
def test_terms_that_are_wrong_are_none(wrong: dict[str, object], said: str) -> None:
    """They fail when they are made, and not in the middle of a month."""
    with pytest.raises(ProgrammingError, match=said):
        replace(TERMS, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "points",
    [((0, 0), (1, 1_000), (2, 900)), ((0, 0), (1, 900)), ((1, 0), (1, 1_000)), ((5, 1_000), (1, 0))],
)
def test_a_scale_goes_one_way(points: tuple[tuple[int, int], ...]) -> None:
    """It rises or falls from one end to the other."""
    with pytest.raises(ProgrammingError, match="one way only"):
        replace(TERMS.scales[0], points=points)
