"""What the registry is told of what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from formicary.factory.learning.following import alias_of, commands_of, is_followed
from formicary.factory.learning.messages import Told
from formicary.factory.learning.reading import Learnt
from formicary.factory.learning.standing import Stage, Standing
from formicary.factory.registry import Alias, MoveAlias
from tests.factory.learning.test_product import A, B, alarm, dropped, entered, judged, rolled

NOBODY = dict.fromkeys(Alias, "")
C = "c" * 32


def moves(told: Sequence[Told], aliases: dict[Alias, str], ours: set[str]) -> list[tuple[str, str | int]]:
    """Return what is done, in short."""
    return [
        (command.alias.value, command.hash) if isinstance(command, MoveAlias) else ("trial", command.share)
        for _, command in commands_of(told, NOBODY | aliases, ours)
    ]


def test_a_stage_after_the_other() -> None:
    """Each stage moves what it says, what decides first, and nothing that is so already."""
    assert moves([judged(), entered(A, Stage.SHADOW)], {}, {A}) == [("shadow", A)]
    canary = entered(A, Stage.CANARY, 9)
    assert moves([canary], {Alias.SHADOW: A}, {A}) == [("shadow", ""), ("challenger", A), ("trial", 9)]
    assert moves([canary], {Alias.CHALLENGER: A}, {A}) == [("trial", 9)]
    champion = entered(A, Stage.CHAMPION)
    assert moves([champion], {Alias.CHALLENGER: A}, {A}) == [("champion", A), ("challenger", "")]
    both = [champion, entered(B, Stage.SHADOW)]
    assert moves(both, {Alias.SHADOW: A}, {A, B}) == [("champion", A), ("shadow", ""), ("shadow", B)]
    assert moves([dropped(A)], {Alias.SHADOW: A}, {A}) == [("shadow", "")]
    assert moves([alarm(A), rolled(A, B)], {Alias.CHAMPION: A}, {A}) == [("champion", B)]


def test_what_somebody_else_tries_is_left_alone() -> None:
    """Only versions that the learner let in lose an alias."""
    assert moves([dropped(A)], {Alias.SHADOW: C, Alias.CHALLENGER: A}, {A}) == [("challenger", "")]


def test_keys_name_what_happened() -> None:
    """The same events have the same keys, and no two commands of a day the same."""
    told: list[Told] = [entered(A, Stage.CHAMPION), entered(B, Stage.CANARY, 9)]
    keys = [key for key, _ in commands_of(told, NOBODY | {Alias.SHADOW: A}, {A, B})]
    assert len(set(keys)) == len(keys) == 4
    assert keys == [key for key, _ in commands_of(told, NOBODY | {Alias.SHADOW: A}, {A, B})]


@pytest.mark.parametrize(
    ("aliases", "standing", "expected"),
    [
        ({}, Standing(), True),
        ({Alias.CHAMPION: A}, Standing(champion=A), True),
        ({}, Standing(champion=A), False),
        ({Alias.SHADOW: B}, Standing(candidate=B, stage=Stage.SHADOW), True),
        ({}, Standing(candidate=B, stage=Stage.SHADOW), False),
        ({Alias.CHALLENGER: B}, Standing(candidate=B, stage=Stage.CANARY), False),
    ],
)
def test_what_is_followed(aliases: dict[Alias, str], standing: Standing, expected: object) -> None:
    """Both aliases must be as was told; of a canary nobody knows its share here."""
    known = Learnt(moved=0, standing=standing, aliases=NOBODY | aliases, history=())
    assert is_followed(known) is expected
    assert is_followed(replace(known, aliases=NOBODY | {Alias.CHAMPION: C})) is False
    assert alias_of(standing) == (Alias.SHADOW if standing.stage == Stage.SHADOW else Alias.CHALLENGER)
