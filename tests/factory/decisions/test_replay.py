"""Decisions taken again: the same bits for everything that may happen, and every defect is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.limits import DIFFERENCES_MAX
from formicary.factory.decisions import replay as replay_module
from formicary.factory.decisions.live import (
    ALIAS_MOVED,
    CAP_TRIPPED,
    POLICY_ARMED,
    TRIAL_SET,
    LiveDecisions,
)
from formicary.factory.decisions.replay import DecisionReplay, Difference
from formicary.factory.features.store import FeatureStore
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.events import Event
from formicary.factory.ledger import CreateTransferStatus, TransferFlags
from tests.factory.decisions.desk import Desk, made_model, rules_of
from tests.factory.decisions.shop import POINTS, Shop, features_compiled, goes_on
from tests.factory.features.training_kit import MemorySource, source_of

PAYMENTS = 1_000
LARGE = {"when": "amount > 900"}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Give a shop after many payments."""
    return goes_on(tmp_path_factory.mktemp("shop"), seed=3, payments=PAYMENTS)


def replayed(source: MemorySource, *, block_rows: int = 1_000, first: int = 1) -> DecisionReplay:
    """Take all decisions of a journal again."""
    found = DecisionReplay(FeatureStore(features_compiled()), LiveDecisions(POINTS.values()), first=first)
    source.block_rows = block_rows
    for block in source.read(after=0, until=source.head()):
        found.fold(block)
    found.finish()
    return found


def changed(shop: Desk, **parts: Any) -> MemorySource:
    """Return a shop's journal in which some parts are others."""
    whole = source_of(shop.journal).whole
    return MemorySource(replace(whole, **parts))


def whole_of(shop: Desk) -> Block:
    """Return all rows of a shop's journal, to be changed at will."""
    whole = source_of(shop.journal).whole
    return replace(whole, decisions=whole.decisions.copy(), transfers=whole.transfers.copy())


# -- the same ------------------------------------------------------------------------------


def test_the_shop_sees_everything(shop: Shop) -> None:
    """What is taken again here is worth it: every effect, chains, holds, caps, consent and models."""
    decisions, transfers = shop.decisions, shop.transfers
    assert set(decisions["effect"].tolist()) == {0, 1, 2, 3}
    assert np.bitwise_or.reduce(decisions["path"]) == 1 | 2 | 8 | 16
    assert set(decisions["propensity"].tolist()) == {1.0, 0.9, 0.1}
    assert (decisions["withheld"] > 0).any()
    assert len(np.unique(decisions["model_0"])) > 2
    assert len(np.unique(decisions["policy"])) > 1
    assert len(shop.events(CAP_TRIPPED)) > 1
    (trial, ended, *_) = [
        event.position
        for batch in shop.journal.batches
        for event in batch.events
        if event.kind == TRIAL_SET or (event.kind == ALIAS_MOVED and b'"champion"' in event.body)
    ][2:]
    during = (decisions["position"] > trial) & (decisions["position"] < ended) & (decisions["model_0"] > 0)
    assert len(np.unique(decisions["model_0"][during])) == 2
    flags = np.bitwise_or.reduce(transfers["flags"])
    for flag in (TransferFlags.LINKED, TransferFlags.HELD, TransferFlags.POST_PENDING_TRANSFER):
        assert flags & flag
    linked = transfers["flags"] & TransferFlags.LINKED != 0
    burnt = transfers["status"] == CreateTransferStatus.DECLINED
    assert (linked & burnt).any()
    assert (transfers["status"] == CreateTransferStatus.EXPIRED).any()


@pytest.mark.parametrize("block_rows", [5, 1_000])
def test_every_decision_comes_out_as_it_was(shop: Shop, block_rows: int) -> None:
    """Bit for bit, wherever blocks are cut: within chains, and between a decision and its transfer."""
    found = replayed(source_of(shop.journal), block_rows=block_rows)
    assert (found.decisions, found.untold, found.different) == (len(shop.decisions), 0, 0)
    assert found.differences == []


def test_rows_do_not_depend_on_how_requests_are_grouped(shop: Shop, tmp_path: Path) -> None:
    """The same requests at the same times, decided in other groups, leave the same journal byte for byte."""
    other = source_of(goes_on(tmp_path, seed=3, payments=PAYMENTS, group=37).journal).whole
    one = source_of(shop.journal).whole
    for name in ("transfers", "decisions", "accounts"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
    assert one.events == other.events


def test_groups_of_rows_may_end_within_a_chain(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are passed a group at a time; a chain waits for its end, and one longer than a group is none."""
    monkeypatch.setattr(replay_module, "GROUP_ITEMS_MAX", 4)
    found = replayed(source_of(shop.journal))
    assert (found.decisions, found.different) == (len(shop.decisions), 0)
    monkeypatch.setattr(replay_module, "GROUP_ITEMS_MAX", 1)
    assert replayed(source_of(shop.journal)).decisions == len(shop.decisions)


def test_earlier_decisions_are_only_counted(shop: Shop) -> None:
    """From a position on, all before it is folded, and what is wrong there is not told."""
    whole = whole_of(shop)
    first = int(whole.decisions["position"][-40])
    whole.decisions["value_00"][:-40] += 1
    events = tuple(_with(event, CAP_TRIPPED, count=-1) for event in whole.events)
    found = replayed(MemorySource(replace(whole, events=events)), first=first)
    assert found.decisions == 40
    late = [event for event in whole.events if event.kind == CAP_TRIPPED and event.position >= first]
    assert found.different == len(late)


def test_what_balancing_would_have_moved_is_not_told(tmp_path: Path) -> None:
    """A balancing transfer that was declined left no amount; one that was made did."""
    desk = Shop(tmp_path)
    desk.arms(1, rules_of(1, LARGE))
    flags = TransferFlags.BALANCING_DEBIT
    assert desk.pays(800, flags=flags) == CreateTransferStatus.CREATED
    assert desk.pays(2**62, flags=flags) == CreateTransferStatus.DECLINED
    found = replayed(source_of(desk.journal))
    assert (found.decisions, found.untold, found.different) == (1, 1, 0)


@pytest.mark.parametrize("outcome", ["reject", "hold"])
def test_a_chain_that_a_decision_broke_is_over(tmp_path: Path, outcome: str) -> None:
    """The next decision knows of it, although the row that broke the chain was linked to more."""
    desk = Shop(tmp_path)
    other = "hold" if outcome == "reject" else "reject"
    caps = [{"name": "one", "outcome": outcome, "seconds": 3_600, "count": 1, "then": other}]
    desk.arms(1, rules_of(1, LARGE | {"outcome": outcome}), caps=caps)
    linked = desk.transfer(100, 101, 1_000, flags=TransferFlags.LINKED)
    desk.asks_each([[linked, desk.transfer(100, 1, 1, code=8)], [desk.transfer(100, 101, 1_000)]])
    assert desk.decisions["cap"].tolist() == [0, 1]
    found = replayed(source_of(desk.journal))
    assert (found.decisions, found.different) == (2, 0)


def test_without_a_policy_there_is_nothing_to_decide(tmp_path: Path) -> None:
    """What was made before a policy is known to the first decision."""
    desk = Shop(tmp_path)
    desk.pays(5)
    desk.arms(1, rules_of(1, LARGE))
    desk.pays(5)
    found = replayed(source_of(desk.journal))
    assert (found.decisions, found.different) == (1, 0)
    assert desk.decisions["value_03"].tolist() == [1.0]


# -- defects -------------------------------------------------------------------------------


def _with(event: Event, kind: str, **body: Any) -> Event:
    """Return an event of a kind with some fields of its body changed; others as they are."""
    if event.kind != kind:
        return event
    return replace(event, body=msgspec.json.encode(msgspec.json.decode(event.body) | body))


def test_a_flipped_bit_is_found(shop: Shop) -> None:
    """Of any word of a row; what comes after is not touched by it."""
    whole = whole_of(shop)
    names = ("value_02", "score_0", "rules_true", "timestamp", "reason_0", "propensity", "value_63")
    for place, name in enumerate(names, start=300):
        whole.decisions[place : place + 1][name].view(np.uint8)[0] ^= 1
    found = replayed(MemorySource(whole))
    assert found.different == len(names)
    positions = whole.decisions["position"][300:].tolist()
    told = [(one.position, one.field) for one in found.differences]
    assert told == list(zip(positions, names, strict=False))
    assert all(one.recorded != one.recomputed for one in found.differences)


def test_a_feature_read_after_the_payment_is_found(shop: Shop) -> None:
    """As a leak would write it: the payment itself counts among those of the last hour."""
    whole = whole_of(shop)
    place = int(np.flatnonzero(whole.decisions["value_03"] > 0)[5])
    whole.decisions["value_03"][place] += 1
    (one,) = replayed(MemorySource(whole)).differences
    before = float(whole.decisions["value_03"][place])
    position = int(whole.decisions["position"][place])
    assert one == Difference(
        position=position, field="value_03", recorded=repr(before), recomputed=repr(before - 1)
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda event: _with(event, ALIAS_MOVED, hash=made_model(9).hash), "model_0"),
        (lambda event: _with(event, POLICY_ARMED, policy='{"name": "no"}'), "rules_true"),
    ],
    ids=["no model", "a policy that cannot be read"],
)
def test_another_model_or_policy_is_found(
    tmp_path: Path, change: Callable[[Event], Event], field: str
) -> None:
    """Every decision differs then; the first differences are told."""
    desk = Shop(tmp_path)
    desk.promotes(made_model(1))
    desk.arms(1, rules_of(1, {"when": "score.risk > 0.2"}, LARGE), scores={"risk": {"model": "risk_model"}})
    for moved in range(800, 1_000, 2):
        desk.pays(moved)
    events = tuple(change(event) for event in whole_of(desk).events)
    found = replayed(changed(desk, events=events))
    assert found.different == 100
    assert len(found.differences) == DIFFERENCES_MAX
    assert field in {one.field for one in found.differences}


def test_a_changed_text_of_a_rule_is_found(shop: Shop) -> None:
    """A rule that was armed with another bound gives other verdicts from there on, and not before."""
    whole = whole_of(shop)
    armed = [event for event in whole.events if event.kind == POLICY_ARMED and b'"payment"' in event.body]
    last = armed[-1]
    rules = msgspec.json.decode(last.body)["rules"].replace("amount < 150", "amount < 3000")
    events = tuple(_with(e, POLICY_ARMED, rules=rules) if e is last else e for e in whole.events)
    found = replayed(changed(shop, events=events))
    assert found.different > 5
    assert min(one.position for one in found.differences) > last.position
    assert "rules_true" in {one.field for one in found.differences}


def test_a_decision_without_its_transfer_and_the_other_way_round_are_found(shop: Shop) -> None:
    """A row that is gone leaves the other one alone."""
    whole = whole_of(shop)
    # An allowed one, which no cap counts.
    lost = int(whole.decisions["position"][100:][whole.decisions["outcome"][100:] == 0][0])
    at = whole.decisions["position"] != lost
    found = replayed(changed(shop, decisions=whole.decisions[at]))
    assert found.decisions == len(whole.decisions) - 1
    assert found.differences[0] == Difference(
        position=lost + 1,
        field="decision",
        recorded="nothing",
        recomputed="a decision about this transfer",
    )
    at = whole.transfers["position"] != lost + 1
    found = replayed(changed(shop, transfers=whole.transfers[at]))
    assert (lost, "transfer") in {(one.position, one.field) for one in found.differences}


def test_the_last_decision_without_its_transfer_is_found(tmp_path: Path) -> None:
    """Also where nothing follows any more."""
    desk = Shop(tmp_path)
    desk.arms(1, rules_of(1, LARGE))
    desk.pays(1)
    (one,) = replayed(changed(desk, transfers=whole_of(desk).transfers[:-1])).differences
    assert (one.field, one.recorded, one.recomputed) == (
        "transfer",
        "a decision",
        "no transfer follows it",
    )


def test_decisions_that_nothing_was_armed_for_are_found(shop: Shop) -> None:
    """Where no policy of their point is, or none of any."""
    whole = whole_of(shop)
    loans = tuple(
        event for event in whole.events if event.kind != POLICY_ARMED or b'"lending"' not in event.body
    )
    found = replayed(changed(shop, events=loans))
    assert {(one.field, one.recomputed) for one in found.differences} == {
        ("point", "no policy is armed for its transfer")
    }
    nobody = tuple(event for event in whole.events if event.kind != POLICY_ARMED)
    assert replayed(changed(shop, events=nobody)).different == len(whole.decisions) + len(
        shop.events(CAP_TRIPPED)
    )


@pytest.mark.parametrize("how", ["gone", "changed", "made up"])
def test_what_caps_said_is_compared(tmp_path: Path, how: str) -> None:
    """An event of a cap that tripped must be there, and be it."""
    desk = Shop(tmp_path)
    desk.arms(
        1,
        rules_of(1, LARGE),
        caps=[{"name": "few", "outcome": "reject", "seconds": 3_600, "count": 2, "then": "hold"}],
    )
    for _ in range(5):
        desk.pays(1_000)
    events = whole_of(desk).events
    (place,) = (place for place, event in enumerate(events) if event.kind == CAP_TRIPPED)
    at, others = events[place], (*events[:place], *events[place + 1 :])
    other = {
        "gone": others,
        "changed": tuple(_with(event, CAP_TRIPPED, count=7) for event in events),
        "made up": (*events[: place + 1], replace(at, position=at.position + 1)),
    }[how]
    found = replayed(changed(desk, events=other))
    assert found.different == 1
    assert found.differences[0].field == "cap_tripped"
    assert found.decisions == 5


def test_a_cap_that_tripped_before_a_policy_changed_is_told(tmp_path: Path) -> None:
    """Nothing but rows of the ledger and decisions stands between a trip and its event."""
    desk = Shop(tmp_path)
    caps = [{"name": "few", "outcome": "reject", "seconds": 3_600, "count": 1, "then": "hold"}]
    desk.arms(1, rules_of(1, LARGE), caps=caps)
    desk.pays(1_000)
    desk.pays(1_000)
    desk.arms(2, rules_of(2, LARGE))
    events = tuple(event for event in whole_of(desk).events if event.kind != CAP_TRIPPED)
    (one,) = replayed(changed(desk, events=events)).differences
    assert (one.field, one.recorded) == ("cap_tripped", "nothing")
    assert "few of policy 1 at payment, 1 decisions" in one.recomputed


def test_bits_that_no_number_shows_are_told() -> None:
    """What carries no number is written with its bits, and a zero with its sign."""
    field = np.array([np.nan, -0.0, 0.0])
    field.view(np.uint64)[0] |= np.uint64(1)
    written = [replay_module._text("value_00", one) for one in field]
    assert written == ["NaN 7ff8000000000001", "-0.0", "0.0"]
