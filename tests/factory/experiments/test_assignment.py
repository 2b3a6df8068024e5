"""Who is in which experiment and arm: always the same, never in two of a layer, as many as weights say."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from formicary.base.lots import LOTS, lots, salt_of
from formicary.factory.experiments.assignment import (
    NOWHERE,
    Slice,
    arm_ends,
    arms_of,
    assigned,
)
from tests.factory.experiments.kit import ids

PARTIES = ids(20_000)
NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
WEIGHTS = st.lists(st.integers(1, 1_000), min_size=2, max_size=8).map(tuple)


@st.composite
def layers(draw: st.DrawFn) -> list[Slice]:
    """Draw experiments of one layer that lie side by side, with gaps, and one holdout."""
    cuts = sorted(draw(st.sets(st.integers(0, LOTS), min_size=4, max_size=8)))
    names = draw(st.lists(NAMES, min_size=len(cuts), max_size=len(cuts), unique=True))
    layer, held_out = draw(NAMES), draw(st.integers(0, LOTS - 1))
    pairs = zip(cuts[::2], cuts[1::2], strict=False)
    return [
        Slice(
            experiment=names[place],
            layer=layer,
            first=first,
            count=end - first,
            weights=draw(WEIGHTS),
            held_out=held_out,
        )
        for place, (first, end) in enumerate(pairs)
    ]


def whole(name: str = "colour", **changed: object) -> Slice:
    """Return an experiment on all lots of its layer."""
    fields = {"experiment": name, "layer": "screens", "first": 0, "count": LOTS, "weights": (1, 1)}
    return Slice(**(fields | changed))  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(layers())
def test_nobody_is_in_two_experiments_of_a_layer(slices: list[Slice]) -> None:
    """Nor held out and in one; whoever is in one has one of its arms."""
    arms = np.array([arms_of(PARTIES, one) for one in slices])
    is_in = arms != NOWHERE
    assert (is_in.sum(axis=0) <= 1).all()
    held_out = lots(PARTIES, salt_of(f"holdout {slices[0].holdout}")) < slices[0].held_out
    assert not (is_in & held_out).any()
    for place, one in enumerate(slices):
        assert (arms[place] < len(one.weights)).all()
    experiments, of_arms = assigned(PARTIES, slices)
    assert (experiments == np.where(is_in.any(axis=0), is_in.argmax(axis=0), NOWHERE)).all()
    assert (of_arms == arms.max(axis=0)).all()


@settings(max_examples=25, deadline=None)
@given(layers(), st.integers(0, 19_999), st.integers(1, 50))
def test_it_is_the_same_whoever_else_is_asked_about(slices: list[Slice], first: int, count: int) -> None:
    """In whatever order, alone or with others."""
    experiments, arms = assigned(PARTIES, slices)
    rows = np.arange(first, min(first + count, len(PARTIES)))[::-1]
    again, arms_again = assigned(PARTIES[rows].copy(), slices)
    assert again.tolist() == experiments[rows].tolist()
    assert arms_again.tolist() == arms[rows].tolist()


@settings(max_examples=25, deadline=None)
@given(WEIGHTS, st.integers(0, LOTS // 2))
def test_shares_are_those_of_weights_and_lots(weights: tuple[int, ...], held_out: int) -> None:
    """Within what is left to chance: counts as far off come once in a thousand million times."""
    one = whole(weights=weights, held_out=held_out, count=LOTS // 2)
    arms = arms_of(PARTIES, one)
    counts = np.bincount(arms[arms != NOWHERE], minlength=len(weights))
    expected = np.diff(arm_ends(weights), prepend=0) / LOTS * (1 - held_out / LOTS) / 2
    assert (stats.binom.cdf(counts, len(PARTIES), expected) > 1e-9).all()
    assert (stats.binom.sf(counts - 1, len(PARTIES), expected) > 1e-9).all()


@given(WEIGHTS)
def test_every_lot_has_an_arm(weights: tuple[int, ...]) -> None:
    """Each as many as its weight says, to one lot."""
    ends = arm_ends(weights)
    assert ends[-1] == LOTS
    spans = np.diff(ends, prepend=0)
    assert (np.abs(spans - np.array(weights) * LOTS / sum(weights)) <= 1).all()


def test_layers_and_arms_do_not_depend_on_each_other() -> None:
    """Who is in a half of one is in a half of the other, by chance alone."""
    here, there = whole(), whole(layer="prices", experiment="price")
    both = np.bincount(2 * arms_of(PARTIES, here) + arms_of(PARTIES, there), minlength=4) / len(PARTIES)
    assert np.abs(both - 0.25).max() < 0.02
    low, high = whole(count=LOTS // 2), whole(first=LOTS // 2, count=LOTS // 2)
    arms = arms_of(PARTIES, low)
    assert abs(arms[arms != NOWHERE].mean() - 0.5) < 0.03
    # The lots that an experiment runs on say nothing about its arms, nor about those of another one on them.
    assert ((arms != NOWHERE) ^ (arms_of(PARTIES, high) != NOWHERE)).all()
    again = arms_of(PARTIES, whole("shape", count=LOTS // 2))
    is_in = arms != NOWHERE
    assert abs((arms[is_in] == again[is_in]).mean() - 0.5) < 0.03


def test_layers_that_name_one_holdout_leave_out_the_same_parties() -> None:
    """The smaller one is part of the larger one; another name leaves out others."""
    few = arms_of(PARTIES, whole(held_out=LOTS // 10)) == NOWHERE
    more = arms_of(PARTIES, whole(layer="prices", held_out=LOTS // 5)) == NOWHERE
    other = arms_of(PARTIES, whole(holdout="region", held_out=LOTS // 10)) == NOWHERE
    assert (more | ~few).all()
    assert abs(few.mean() - 0.1) < 0.01
    assert abs((few & other).mean() - 0.01) < 0.005


def test_nobody_and_nothing() -> None:
    """Neither parties nor experiments need to be there."""
    assert arms_of(PARTIES[:0], whole()).tolist() == []
    experiments, arms = assigned(PARTIES[:2], [])
    assert experiments.tolist() == arms.tolist() == [NOWHERE, NOWHERE]
