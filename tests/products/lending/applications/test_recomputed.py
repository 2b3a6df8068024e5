"""All recorded decisions of a journal, taken again by the settings and the model that each names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from formicary.factory.journal.events import Event
from formicary.products.lending.applications.recomputed import Recomputed, recompute
from formicary.products.lending.applications.schemas import CreditDecided
from tests.factory.features.training_kit import source_of
from tests.products.lending.applications.lender import SETTINGS, Lender

SHOP, STALL = 601, 602


@pytest.fixture
def lender(tmp_path: Path) -> Lender:
    """Return a lender that decided by two versions of its settings, before and after it had a model."""
    lender = Lender(tmp_path)
    lender.has(SHOP, STALL)
    lender.sells(SHOP, 50_000, 120)
    lender.says()
    assert lender.applies(1, SHOP, 500_000).answer["limit"] == 0
    lender.learns()
    assert lender.applies(2, SHOP, 500_000).answer["limit"] == 500_000
    dearer = msgspec.structs.replace(SETTINGS, credit=SETTINGS.credit | {"rate_floor_millionths": 700})
    lender.says(dearer)
    assert lender.applies(3, SHOP, 400_000).code == ""
    assert lender.applies(4, STALL, 100_000).answer["limit"] == 0
    return lender


def recomputed(lender: Lender) -> tuple[Recomputed, list[int]]:
    """Take all decisions of a lender's journal again; return the positions that were told of as well."""
    reached: list[int] = []
    return recompute(source_of(lender.journal), lambda position, _: reached.append(position)), reached


def changed(event: Event) -> Event:
    """Return a decision with another limit, or with a model that nobody registered; others as they are."""
    if event.kind != "credit_application.CreditDecided" or event.subject not in (2, 3):
        return event
    told = msgspec.json.decode(event.body, type=CreditDecided)
    assert told.scored is not None
    stranger = msgspec.structs.replace(told.scored, model="ab" * 16)
    other = {"limit": 499_000} if event.subject == 2 else {"scored": stranger}
    return replace(event, body=msgspec.json.encode(msgspec.structs.replace(told, **other)))


def test_all_come_out_as_they_are_recorded(lender: Lender) -> None:
    """By the version that was in force, with the champion of the time or none."""
    found, reached = recomputed(lender)
    assert (found.applications, found.models, found.differing) == (4, 1, ())
    assert found.position == lender.engine.state.position
    assert reached == sorted(reached)
    assert len(reached) == 4


def test_what_was_changed_is_found(lender: Lender) -> None:
    """Another limit in the event of one, and in that of another a model that is not in the journal."""
    batches = lender.journal.batches
    batches[:] = [replace(one, events=tuple(changed(event) for event in one.events)) for one in batches]
    found, _ = recomputed(lender)
    assert [one.application for one in found.differing] == [2, 3]
    assert found.differing[0].found == ("limit comes out as 500000, and 499000 is recorded",)
    assert "a model told something, and none is recorded" in found.differing[1].found[0]


def test_what_was_no_setting_yet_is_none(lender: Lender) -> None:
    """A version that an older release wrote has no days of warnings, and decides as it did."""
    batches = lender.journal.batches

    def older(event: Event) -> Event:
        if event.kind != "credit_house.CreditPolicySet":
            return event
        body = msgspec.json.decode(event.body)
        del body["settings"]["credit"]["warned_days"], body["settings"]["close"]
        return replace(event, body=msgspec.json.encode(body))

    batches[:] = [replace(one, events=tuple(older(event) for event in one.events)) for one in batches]
    assert recomputed(lender)[0].differing == ()
