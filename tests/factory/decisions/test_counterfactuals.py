"""What is told to be the smallest change is, whatever else could be changed."""

from __future__ import annotations

from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formicary.base.errors import ProgrammingError
from formicary.factory.decisions.counterfactuals import (
    Direction,
    Found,
    Judge,
    Lever,
    smallest_changes,
)
from formicary.factory.decisions.cuts import forest_cuts
from formicary.factory.models.forest import forest_of
from tests.factory.models.forest_kit import made_rows, trained

BOOSTER = trained(2, trees=4, num_leaves=5, zero_as_missing=True)
FOREST = forest_of(BOOSTER)
CUTS = forest_cuts(FOREST)
NAMES = [name for name in FOREST.feature_names if name in CUTS]
DENSE = 7


def above(limit: float) -> Judge:
    """Return what judges whether the score of a row is above a limit."""
    return lambda rows: (FOREST.raw_scores(rows) > limit).astype(np.int64)


def crossed(marks: list[float], before: float, after: float) -> float:
    """Return the share of marks that a change crosses, one that it ends or begins at by half."""
    share = 0.0
    for mark in marks:
        sides = [int(value > mark) - int(value < mark) for value in (before, after)]
        share += abs(sides[0] - sides[1]) / 2
    return share / len(marks)


def tried_by_hand(now: float, lever: Lever) -> list[float]:
    """Return every value that is on another side of a cut, many between cuts among them."""
    ends = sorted({*lever.cuts, now})
    dense = [one + (other - one) * k / DENSE for one, other in pairwise(ends) for k in range(DENSE)]
    far = [ends[0] - 1, ends[-1] + 1]
    near = [np.nextafter(cut, way) for cut in lever.cuts for way in (-np.inf, np.inf)]
    candidates = np.array([*ends, *dense, *far, *near])
    is_allowed = {
        Direction.UP: candidates > now,
        Direction.DOWN: candidates < now,
        Direction.ANY: candidates != now,
    }[lever.direction]
    return [float(one) for one in candidates[is_allowed]]


def nearest_by_hand(values: Any, judge: Judge, levers: list[Lever], wanted: int, most: int) -> float | None:
    """Return the least distance of any change of so many values, by trying all."""
    found: list[float] = []
    for chosen in combinations(levers, most):
        tried = [tried_by_hand(float(values[one.feature]), one) for one in chosen]
        rows = np.repeat(values[None], int(np.prod([len(one) for one in tried])), axis=0)
        distances = np.zeros(len(rows))
        for place, each in enumerate(zip(*product(*tried), strict=True)):
            lever = chosen[place]
            now, marks = float(values[lever.feature]), list(lever.marks or lever.cuts)
            rows[:, lever.feature] = each
            known = {one: crossed(marks, now, one) for one in set(each)}
            distances += [known[one] for one in each]
        if len(rows):
            found += distances[np.asarray(judge(rows)) == wanted].tolist()
    return min(found, default=None)


@pytest.mark.parametrize("seed", range(12))
def test_the_nearest_is_the_nearest_of_all(seed: int) -> None:
    """Of one value and of two, against values on every side of every cut, in allowed directions."""
    chance = np.random.default_rng(seed)
    values = np.nan_to_num(made_rows(seed, 1)[0])
    judge = above(float(np.median(FOREST.raw_scores(made_rows(1, 200)))))
    directions = [list(Direction)[one] for one in chance.integers(0, 3, len(NAMES))]
    levers = [
        Lever(
            feature=FOREST.feature_names.index(name),
            cuts=CUTS[name],
            direction=direction,
            marks=tuple(chance.normal(size=9)) if seed % 2 else (),
        )
        for name, direction in zip(NAMES[:3], directions, strict=False)
    ]
    outcome = int(np.asarray(judge(values[None]))[0])
    found = smallest_changes(values, judge, levers, wanted=[1 - outcome])
    assert found.is_complete
    for most in (1, 2):
        told = [one for one in found.nearest if len(one.changes) == most]
        best = nearest_by_hand(values, judge, levers, 1 - outcome, most)
        single = nearest_by_hand(values, judge, levers, 1 - outcome, 1)
        if best is None:
            assert not told
        elif most == 1 or single is None or best < single:
            assert told[0].distance == pytest.approx(best)
    for one in found.nearest:
        changed = values.copy()
        for change in one.changes:
            assert change.before == values[change.feature]
            changed[change.feature] = change.after
        assert np.asarray(judge(changed[None])).tolist() == [1 - outcome]
    distances = [one.distance for one in found.nearest]
    assert distances == sorted(distances)


def both(rows: Any) -> Any:
    """Reject unless both values are at least ten; the third does not matter."""
    return ((rows[:, 0] < 10) | (rows[:, 1] < 10)).astype(np.int64)


def found_of(*levers: Lever, values: tuple[float, ...] = (8.0, 7.0, 0.0), **limits: int) -> Found:
    """Return what is found for three values."""
    return smallest_changes(np.array(values), both, levers, wanted=[0], **limits)


def test_pairs_are_found_where_nothing_alone_helps() -> None:
    """Both values that a rule looks at, to the smallest whole number that is enough."""
    levers = [Lever(feature=place, cuts=(9.5, 20.0), step=1.0) for place in range(3)]
    found = found_of(*levers)
    (one,) = found.nearest
    assert [(change.feature, change.before, change.after) for change in one.changes] == [
        (0, 8, 10),
        (1, 7, 10),
    ]
    assert one.distance == 1.0
    (alone,) = found_of(*levers, values=(8.0, 10.0, 0.0)).nearest
    assert [change.after for change in alone.changes] == [10]


def test_directions_and_missing_values_hold() -> None:
    """What cannot be changed that way, or is not known, is not changed."""
    up = [Lever(feature=place, cuts=(10.0,), direction=Direction.UP) for place in range(2)]
    down = [Lever(feature=place, cuts=(10.0,), direction=Direction.DOWN) for place in range(2)]
    assert len(found_of(*up).nearest) == 1
    assert found_of(*down).nearest == ()
    assert found_of(up[0], down[1]).nearest == ()
    # What is compared with missing is not below ten, and still it is not changed.
    (known,) = found_of(*up, values=(8.0, np.nan, 0.0)).nearest
    assert [change.feature for change in known.changes] == [0]
    assert found_of(Lever(feature=2, cuts=())).judged == 0


def test_steps_are_kept() -> None:
    """An amount is changed to whole units, on either side of a cut that is one and of a cut that is none."""
    for cut, enough in ((10.0, 10.0), (9.2, 10.0), (9.0, 10.0)):
        lever = Lever(feature=0, cuts=(cut,), step=1.0)
        (one,) = found_of(lever, values=(8.0, 11.0, 0.0)).nearest
        assert one.changes[0].after == enough
    # The judge asks for ten or more, and half units are what there is.
    (one,) = found_of(Lever(feature=0, cuts=(9.8,), step=0.5), values=(8.0, 11.0, 0.0)).nearest
    assert one.changes[0].after == 10.0


def test_marks_measure() -> None:
    """The distance is the share of people passed, not of cuts."""
    lever = Lever(feature=0, cuts=(10.0,), marks=(1.0, 8.0, 9.0, 9.0, 30.0))
    (one,) = found_of(lever, values=(8.0, 11.0, 0.0)).nearest
    assert one.distance == pytest.approx(2.5 / 5)


def test_a_limit_is_told() -> None:
    """What was not looked at may be nearer, so it is said."""
    levers = [Lever(feature=place, cuts=tuple(range(5, 40)), step=1.0) for place in range(3)]
    found = found_of(*levers, rows_max=200)
    assert found.judged <= 200
    assert not found.is_complete
    assert found_of(*levers).is_complete
    few = found_of(*levers, rows_max=3)
    assert (few.judged, few.is_complete, few.nearest) == (3, False, ())


@settings(max_examples=25)
@given(st.integers(1, 60), st.integers(0, 1_000))
def test_the_nearest_come_first(most: int, seed: int) -> None:
    """Under any limit the changes judged are the nearest ones of a pair."""
    chance = np.random.default_rng(seed)
    values = np.array([0.0, 0.0])
    judged: list[Any] = []

    def judge(rows: Any) -> Any:
        judged.append(rows.copy())
        return np.ones(len(rows), np.int64)

    levers = [
        Lever(feature=place, cuts=tuple(chance.integers(1, 9, 4).astype(float)), step=1.0)
        for place in range(2)
    ]
    everything = smallest_changes(values, judge, levers, wanted=[0])
    assert everything.is_complete
    tried = [np.unique(np.concatenate(judged)[:, place]) for place in range(2)]
    singles = sum(len(one) - 1 for one in tried)
    judged.clear()
    smallest_changes(values, judge, levers, wanted=[0], rows_max=singles + most)
    rows = np.concatenate(judged)
    pairs = rows[(rows != 0).all(axis=1)]
    marks = [list(one.cuts) for one in levers]

    def far(pair: Any) -> float:
        return sum(crossed(marks[place], 0.0, float(pair[place])) for place in range(2))

    expected = sorted(far(pair) for pair in product(*(one[one != 0] for one in tried)))
    assert [far(pair) for pair in pairs] == pytest.approx(expected[:most])


def test_what_contradicts_itself_is_a_mistake() -> None:
    """A lever twice, one of no value, an outcome that is there, and a judge that is not to be trusted."""
    lever = Lever(feature=0, cuts=(10.0,))
    for levers in ([lever, lever], [Lever(feature=3, cuts=())]):
        with pytest.raises(ProgrammingError):
            found_of(*levers)
    with pytest.raises(ProgrammingError):
        smallest_changes(np.zeros((1, 3)), both, [lever], wanted=[0])
    with pytest.raises(ProgrammingError):
        found_of(lever, values=(10.0, 10.0, 0.0))
    with pytest.raises(ProgrammingError, match="alone"):
        smallest_changes(np.zeros(1), lambda rows: [int(len(rows) > 1)] * len(rows), [lever], wanted=[1])
