"""Every status is reached, and of two that apply together the documented one is the answer."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from itertools import combinations
from typing import Any, Final

import pytest

from formicary.factory.ledger import CreateAccountStatus, CreateTransferStatus
from tests.factory.ledger.violations import (
    ACCOUNT_ENVELOPE,
    ACCOUNT_RETRY,
    BURNT_ID,
    ENVELOPE,
    NEW_ACCOUNT,
    PLAIN_TRANSFER,
    RESOLUTION,
    RETRY,
    Violation,
    combine,
)
from tests.factory.ledger.worlds import Traits, World

Table = Mapping[Any, Violation]

FAMILIES: Final[dict[str, Table]] = {
    "plain": {**ENVELOPE, **BURNT_ID, **PLAIN_TRANSFER},
    "retry": {**ENVELOPE, **RETRY},
    "resolution": {**ENVELOPE, **BURNT_ID, **RESOLUTION},
    "account": {**ACCOUNT_ENVELOPE, **NEW_ACCOUNT},
    "account_retry": {**ACCOUNT_ENVELOPE, **ACCOUNT_RETRY},
}
CASES: Final = [
    pytest.param(family, status, id=f"{family}-{status.name.lower()}")
    for family, table in FAMILIES.items()
    for status in table
]


def world_for(violation: Violation) -> World:
    """Build the world a violation needs."""
    return World(Traits(violation.debit, violation.credit, violation.hold))


@pytest.mark.parametrize("imported", [False, True])
@pytest.mark.parametrize("family", ["plain", "resolution"])
def test_a_good_event_is_created(family: str, *, imported: bool) -> None:
    """Without a violation the event is created: each refusal below is for its violation alone."""
    world = World(Traits())
    assert world.try_event(family, Violation(imported=imported)).status == CreateTransferStatus.CREATED
    world.bench.check()


def test_a_good_account_is_created() -> None:
    """The same for accounts."""
    world = World(Traits())
    assert world.try_event("account", Violation()).status == CreateAccountStatus.CREATED
    world.bench.check()


@pytest.mark.parametrize(("family", "status"), CASES)
def test_each_status_is_reached(family: str, status: IntEnum) -> None:
    """One violation alone earns its status, moves nothing, and leaves the books balanced."""
    violation = FAMILIES[family][status]
    world = world_for(violation)
    assert world.try_event(family, violation).status == status
    world.bench.check()


@pytest.mark.parametrize(("family", "status"), CASES)
def test_precedence(family: str, status: IntEnum) -> None:
    """An event with a second, later violation still gets the earlier status."""
    table = FAMILIES[family]
    order = list(table)
    worlds: dict[Traits, World] = {}
    for later in order[order.index(status) + 1 :]:
        violation = combine(table[status], table[later])
        if violation is None:
            continue
        traits = Traits(violation.debit, violation.credit, violation.hold)
        if traits not in worlds:
            worlds[traits] = World(traits)
        assert worlds[traits].try_event(family, violation).status == status, (
            f"{status.name} before {later.name}"
        )
    for world in worlds.values():
        world.bench.check()


def test_most_pairs_can_be_tried() -> None:
    """Few pairs exclude each other: the precedence above is tried, not skipped."""
    pairs = [
        (combine(table[first], table[second]))
        for table in FAMILIES.values()
        for first, second in combinations(table, 2)
    ]
    assert len(pairs) - pairs.count(None) > 0.85 * len(pairs)


def test_every_status_has_a_scenario() -> None:
    """No status is left without a scenario but those of expiries and of decisions."""
    others = {"CREATED", "EXPIRED", "HELD", "STEP_UP_REQUIRED", "DECLINED"}
    for statuses, families in (
        (CreateTransferStatus, ("plain", "retry", "resolution")),
        (CreateAccountStatus, ("account", "account_retry")),
    ):
        reached = {status.name for family in families for status in FAMILIES[family]}
        assert {status.name for status in statuses} - reached <= others
