"""Labels against an oracle that goes through events and outcomes one by one."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import pytest

from formicary.factory.models import labels as labels_module
from formicary.factory.models.labels import (
    IMMATURE,
    NEGATIVE,
    POSITIVE,
    UNNAMED,
    Asked,
    Cutoff,
    Outcomes,
    labels_of,
)

HORIZON = 100


def words(ids: list[int]) -> Any:
    """Return ids as words."""
    return np.array([(one >> 64, one & (2**64 - 1)) for one in ids], np.uint64).reshape(-1, 2)


def labelled(
    asked: list[tuple[int, int, int]],
    outcomes: list[tuple[int, int, int, int]],
    *,
    position: int = 10**6,
    now: int = 10**6,
    **more: bool,
) -> list[int]:
    """Return labels of events (id, time, position) by outcomes (id, time, position, value)."""
    ids, at, positions = zip(*asked, strict=True) if asked else ((), (), ())
    named, when, told, values = zip(*outcomes, strict=True) if outcomes else ((), (), (), ())
    found = labels_of(
        Asked(ids=words(list(ids)), at=np.array(at, np.int64), positions=np.array(positions, np.int64)),
        Outcomes(
            ids=words(list(named)),
            at=np.array(when, np.int64),
            positions=np.array(told, np.int64),
            values=np.array(values, np.int8),
        ),
        Cutoff(position=position, now=now),
        horizon_ns=HORIZON,
        **more,
    )
    return list(found.tolist())


def expected(
    asked: list[tuple[int, int, int]],
    outcomes: list[tuple[int, int, int, int]],
    *,
    position: int,
    now: int,
    is_early: bool,
    is_shared: bool,
) -> list[int]:
    """Return the same in plain words."""
    found = []
    for event, at, where in asked:
        label, latest = None, -1
        for named, happened, told, value in outcomes:
            counts = named == event and told <= position and happened <= at + HORIZON
            if is_shared:
                counts = counts and happened >= at and told > where
            if counts and told >= latest:
                label, latest = value, told
        is_over = now > at + HORIZON
        if event == 0:
            found.append(UNNAMED)
        elif is_over or (is_early and label is not None):
            found.append(NEGATIVE if label is None else label)
        else:
            found.append(IMMATURE)
    return found


@pytest.mark.parametrize("is_shared", [False, True])
@pytest.mark.parametrize("is_early", [False, True])
@pytest.mark.parametrize("pairs_at_once", [1, 7, 1 << 22])
def test_against_the_oracle(
    monkeypatch: pytest.MonkeyPatch, pairs_at_once: int, *, is_early: bool, is_shared: bool
) -> None:
    """Late, doubled, reversed, of others' ids, in any order, looked at in pieces or at once."""
    monkeypatch.setattr(labels_module, "LABEL_PAIRS_AT_ONCE", pairs_at_once)
    seen: set[int] = set()
    for seed in range(30):
        chance = Random(seed)
        ids = [0, *(chance.choice((1, 2**64)) * number for number in range(1, 12))]
        asked = [
            (chance.choice(ids), chance.randrange(400), chance.randrange(100))
            for _ in range(chance.randrange(30))
        ]
        outcomes = [
            (chance.choice(ids), chance.randrange(500), chance.randrange(120), chance.randrange(2))
            for _ in range(chance.randrange(40))
        ]
        known: dict[str, Any] = {
            "position": chance.choice((60, 200)),
            "now": chance.choice((250, 350, 900)),
            "is_early": is_early,
            "is_shared": is_shared,
        }
        found = labelled(asked, outcomes, **known)
        assert found == expected(asked, outcomes, **known)
        seen.update(found)
    assert seen == {POSITIVE, NEGATIVE, IMMATURE, UNNAMED}


def test_the_last_word_counts() -> None:
    """An appeal reverses; what is told behind the cut-off is not known; of one event the last row counts."""
    back, upheld, again = (7, 20, 5, POSITIVE), (7, 40, 6, NEGATIVE), (7, 30, 6, POSITIVE)
    assert labelled([(7, 10, 1)], [upheld, back]) == [NEGATIVE]
    assert labelled([(7, 10, 1)], [upheld, back], position=5) == [POSITIVE]
    assert labelled([(7, 10, 1)], [back, upheld, again]) == [POSITIVE]
    assert labelled([(7, 10, 1)], [back, back]) == [POSITIVE]


def test_the_horizon() -> None:
    """Its last nanosecond is within; a row is immature until it is over, unless outcomes count early."""
    asked = [(7, 10, 1)]
    assert labelled(asked, [(7, 110, 2, POSITIVE)]) == [POSITIVE]
    assert labelled(asked, [(7, 111, 2, POSITIVE)]) == [NEGATIVE]
    assert labelled(asked, [], now=110) == [IMMATURE]
    assert labelled(asked, [], now=111) == [NEGATIVE]
    soon = [(7, 20, 2, POSITIVE)]
    assert labelled(asked, soon, now=110) == [IMMATURE]
    assert labelled(asked, soon, now=110, is_early=True) == [POSITIVE]
    assert labelled([], [(7, 20, 2, POSITIVE)]) == []


def test_clocks_of_sources_differ() -> None:
    """An outcome of an event's own id counts though it is dated before; of a shared id it is another's."""
    before = [(7, 9, 2, POSITIVE)]
    assert labelled([(7, 10, 1)], before) == [POSITIVE]
    assert labelled([(7, 10, 1)], before, is_shared=True) == [NEGATIVE]
    told_before = [(7, 11, 1, POSITIVE)]
    assert labelled([(7, 10, 1)], told_before, is_shared=True) == [NEGATIVE]
