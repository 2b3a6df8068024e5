"""What the journal says of models and policies, as of any time and position."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from formicary.base.limits import BLOCK_ROWS
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.state import known_events
from formicary.factory.journal.access import Access
from formicary.factory.journal.journal import Journal
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import SEMANTICS
from formicary.factory.models.errors import ModelCorrupt
from formicary.factory.registry import Alias, DisarmPolicy, Metrics
from formicary.factory.registry.errors import ModelNotFound
from formicary.factory.registry.reading import (
    ModelVersion,
    alias_history,
    armed_policies,
    model_bytes,
    model_events,
    named_version,
    policy_events,
    policy_history,
    trial_history,
    versions,
    which,
)
from tests.factory.registry.kit import Registry, arm, bytes_of, hash_of, move, part_of, register, trial

ONE, OTHER, THIRD = bytes_of(1), bytes_of(2), bytes_of(3)
REPAYMENT_DISARMED = DisarmPolicy(subject=text_id("card_use"), point="card_use", reason="It stops too many.")


def filled(registry: Registry) -> None:
    """Let there be three versions, and a champion that was changed, rolled back and taken off."""
    registry.registers(ONE, metrics=Metrics(forest={"area_under_roc": 0.75, "tiny": 5e-324, "far": -1e15}))
    registry.registers(THIRD, "fraud_chance", manifest={"rows": [1, 2.0, "x"], "share": -0.0, "big": 1e15})
    registry.registers(OTHER, note="Twice as many rows: “better”.\nMuch.")
    registry.done(move(ONE, reason="The first."))
    registry.done(move(THIRD, model="fraud_chance", reason="The only one."))
    registry.done(move(OTHER, reason="A better one."))
    registry.done(move(ONE, reason="Worse after all."))
    registry.done(move(OTHER, Alias.SHADOW, reason="To watch it."))
    registry.done(move(None, reason="None is good."))


def test_versions(registry: Registry) -> None:
    """In order of registration, each with what was said of it."""
    filled(registry)
    found = versions(model_events(registry.source()))
    assert [(one.model, one.version, one.hash) for one in found] == [
        ("repayment", 1, hash_of(ONE)),
        ("fraud_chance", 1, hash_of(THIRD)),
        ("repayment", 2, hash_of(OTHER)),
    ]
    assert found[0].metrics.forest["area_under_roc"] == 0.75
    assert found[0].at < found[2].at
    assert named_version(found, "repayment") == found[2]
    assert named_version(found, "repayment", 1) == found[0]
    for name, version in (("repayment", 3), ("churn", None)):
        with pytest.raises(ModelNotFound, match=name):
            named_version(found, name, version)


def test_what_was_tried_out(registry: Registry) -> None:
    """Every share with the challenger's version, and ends that nobody asked for with the move's reason."""
    filled(registry)
    assert trial_history(model_events(registry.source())) == []
    registry.done(move(ONE, reason="Back."))
    registry.done(move(OTHER, Alias.CHALLENGER, reason="Again."))
    registry.done(move(THIRD, Alias.CHALLENGER, model="fraud_chance"))
    registry.done(trial(10_000))
    registry.done(trial(20_000, "fraud_chance"))
    registry.done(trial(50_000))
    registry.done(move(None, Alias.SHADOW, reason="Seen enough."))
    registry.done(move(OTHER, reason="It is better."))
    registry.done(move(ONE, reason="It is not."))
    events = model_events(registry.source())
    found = trial_history(events, "repayment")
    assert [(one.version, one.share, one.previous, one.reason) for one in found] == [
        (2, 10_000, 0, "A week of it."),
        (2, 50_000, 10_000, "A week of it."),
        (2, 0, 50_000, "It is better."),
    ]
    assert found[2].position == alias_history(events, "repayment")[-2].position
    assert found[0].hash == hash_of(OTHER)
    assert [one.model for one in trial_history(events)] == ["repayment", "fraud_chance", *["repayment"] * 2]


def test_who_was_champion(registry: Registry) -> None:
    """At the very time and position of a move it is the new one."""
    filled(registry)
    history = alias_history(model_events(registry.source()), "repayment")
    assert [(one.version, one.alias, one.reason) for one in history] == [
        (1, "champion", "The first."),
        (2, "champion", "A better one."),
        (1, "champion", "Worse after all."),
        (2, "shadow", "To watch it."),
        (0, "champion", "None is good."),
    ]
    first, second, rollback, shadow, _ = history
    assert which(history, at=first.at - 1) is None
    assert which(history, position=first.position - 1) is None
    assert which(history, at=first.at) == which(history, at=second.at - 1) == first
    assert which(history, position=second.position) == second
    assert which(history, at=shadow.at) == which(history, position=shadow.position) == rollback
    assert which(history, Alias.SHADOW) == shadow
    assert which(history) is None
    assert which(history, Alias.CHALLENGER) is None
    everyone = alias_history(registry.events())
    assert [one.model for one in everyone if one.alias == "champion"].count("fraud_chance") == 1


def test_the_bytes_of_a_version(registry: Registry) -> None:
    """Whatever was begun anew before, and whatever came between."""
    registry.done(part_of(bytes_of(9), 0, subject=int(hash_of(ONE), 16)))
    registry.done(part_of(ONE, 0))
    registry.done(part_of(ONE, 1))
    registry.stores(OTHER)
    registry.done(part_of(ONE, 2))
    registry.done(register(OTHER))
    registry.done(register(ONE))
    source = registry.source()
    other, one = versions(model_events(source))
    assert model_bytes(source, one) == ONE
    assert model_bytes(source, other) == OTHER
    with pytest.raises(ModelCorrupt, match="lacks a part"):
        model_bytes(source, replace(one, hash="0" * 32))
    with pytest.raises(ModelCorrupt, match="lacks a part"):
        model_bytes(source, replace(one, position=3))
    (last, *_) = [
        event for event in reversed(source.whole.events) if event.kind == "registry.ModelPartStored"
    ]
    missing = replace(source.whole, events=tuple(one for one in source.whole.events if one is not last))
    with pytest.raises(ModelCorrupt, match="lacks a part"):
        model_bytes(replace(source, whole=missing), one)


def test_bytes_are_looked_for_a_block_at_a_time(registry: Registry) -> None:
    """However many rows lie between parts and registration."""
    registry.registers(OTHER)
    (one,) = versions(model_events(registry.source()))
    later: ModelVersion = replace(one, position=one.position + 3 * BLOCK_ROWS)
    assert model_bytes(registry.source(), later) == OTHER


def test_policies(registry: Registry) -> None:
    """What was armed when, and what is."""
    registry.done(arm(1))
    registry.done(arm(1, "sign_in", rules="rules: [] # ½"))
    registry.done(arm(2, reason="Better."))
    history = policy_history(policy_events(registry.source()))
    assert [(one.point, one.version) for one in history] == [("card_use", 1), ("sign_in", 1), ("card_use", 2)]
    assert {point: one.version for point, one in armed_policies(history).items()} == {
        "card_use": 2,
        "sign_in": 1,
    }
    registry.done(REPAYMENT_DISARMED)
    history = policy_history(policy_events(registry.source()))
    assert list(armed_policies(history)) == ["sign_in"]
    assert armed_policies(history)["sign_in"].rules == "rules: [] # ½"
    last = policy_history(policy_events(registry.source()), "card_use")[-1]
    assert (last.version, last.policy, last.rules, last.reason) == (0, "", "", "It stops too many.")


def test_a_real_journal_keeps_all_of_it(access: Access, tmp_path: Path) -> None:
    """Reals and texts come back as they were, or another engine's state would be another one."""
    memory = Registry(tmp_path)
    known = known_events([memory.product])
    journal = Journal(access, semantics=SEMANTICS, upcasters=known, deadline_seconds=5)
    reader = JournalReader(access, upcasters=known)
    try:
        stored = Registry(tmp_path, journal)
        for one in (memory, stored):
            filled(one)
            one.done(arm(1, rules="rules: []\n# “½”\t\\ \u0001"))
            one.done(REPAYMENT_DISARMED)
            one.done(arm(2))
        assert stored.engine.state.state_hash == memory.engine.state.state_hash
        stored.engine.recover()
        assert stored.engine.state.state_hash == memory.engine.state.state_hash
        assert stored.refused(move(None)) == "alias_unchanged"
        assert stored.registers(bytes_of(7)) == 3
        events, expected = model_events(reader), model_events(memory.source())
        assert alias_history(events) == alias_history(expected)
        assert versions(events)[:3] == versions(expected)
        assert [model_bytes(reader, one) for one in versions(expected)] == [ONE, THIRD, OTHER]
        assert policy_history(policy_events(reader)) == policy_history(policy_events(memory.source()))
    finally:
        journal.close()
        reader.close()
