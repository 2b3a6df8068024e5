"""What the registry takes, what it refuses and why, and what is left in the journal."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.base.limits import (
    BLOCK_ROWS,
    FACTS_BYTES_MAX,
    MODEL_ENTRY_BYTES_MAX,
    MODEL_PART_BYTES_MAX,
    POLICY_BYTES_MAX,
)
from formicary.factory.decisions.rule_sets import text_id
from formicary.factory.engine.aggregates import Aggregates
from formicary.factory.engine.conformance import check_product
from formicary.factory.registry import (
    ENTRY,
    NAME,
    Alias,
    DisarmPolicy,
    Metrics,
    MoveAlias,
    RegisterModel,
    StoreModelPart,
)
from formicary.factory.registry import product as product_module
from formicary.factory.registry.product import registry_product
from tests.factory.registry.kit import Registry, arm, bytes_of, hash_of, move, part_of, register, trial

ONE, OTHER = bytes_of(1), bytes_of(2, 5)


def test_the_product_keeps_the_contract() -> None:
    """Names, types, and what it does with samples, whether policies are right or wrong."""
    for findings in ([], ["line 3: a rule is wrong"]):
        assert check_product(registry_product(lambda *_, found=findings: found)) == []


# -- models --------------------------------------------------------------------------------


def test_a_model_comes_in_parts_and_is_registered(registry: Registry) -> None:
    """Its subject is its hash; the version is counted by the registry, by name."""
    registry.stores(ONE)
    manifest = {"seed": 5, "range": [1, 90], "share": 0.25, "code": None, "zero": -0.0}
    told: dict[str, Any] = {"manifest": manifest, "metrics": Metrics(forest={"area_under_roc": 0.75})}
    assert registry.done(register(ONE, **told, note="First.")) == {"model": "repayment", "version": 1}
    assert registry.registers(OTHER) == 2
    assert registry.registers(bytes_of(3), "fraud_chance") == 1
    (event,) = [one for one in registry.events() if one.subject == int(hash_of(ONE), 16)][3:]
    assert event.kind == "registry.ModelRegistered"
    assert msgspec.json.decode(event.body) == {
        "type": "ModelRegistered",
        "model": "repayment",
        "version": 1,
        "spec_hash": "a" * 32,
        "manifest": manifest | {"zero": 0.0},
        "metrics": {"forest": {"area_under_roc": 0.75}, "scorecard": {}},
        "columns": ["debt", "income"],
        "note": "First.",
    }
    registry.require_refolds()


def test_parts_come_in_their_order(registry: Registry) -> None:
    """The next one, of as many as there were to be; part 0 begins anew until all are there."""
    assert registry.refused(part_of(ONE, 1)) == "model_part_unexpected"
    assert registry.done(part_of(ONE, 0)) == {"bytes": MODEL_PART_BYTES_MAX}
    assert registry.refused(part_of(ONE, 2)) == "model_part_unexpected"
    assert registry.refused(part_of(ONE, 1, parts=4)) == "model_part_unexpected"
    assert registry.refused(register(ONE)) == "model_incomplete"
    registry.done(part_of(ONE, 1))
    registry.done(part_of(bytes_of(9), 0, subject=int(hash_of(ONE), 16)))
    registry.stores(ONE)
    assert registry.refused(part_of(ONE, 0)) == "model_part_unexpected"
    assert registry.refused(part_of(ONE, 2)) == "model_part_unexpected"
    registry.done(register(ONE))
    registry.require_refolds()


def test_other_bytes_than_those_of_the_hash_are_no_model(registry: Registry) -> None:
    """The part that would end it is refused, so that it never is complete; begun anew, it can be."""
    registry.done(part_of(ONE, 0))
    registry.done(part_of(bytes_of(9), 1, subject=int(hash_of(ONE), 16)))
    assert registry.refused(part_of(ONE, 2)) == "model_corrupt"
    assert registry.refused(register(ONE)) == "model_incomplete"
    assert registry.refused(part_of(OTHER, 0, subject=1)) == "model_corrupt"
    assert registry.registers(ONE) == 1


@pytest.mark.parametrize(
    ("part", "content"),
    [(0, "A" * 8), (0, ""), (2, "")],
    ids=["short", "empty", "empty at the end"],
)
def test_every_part_but_the_last_is_full(registry: Registry, part: int, content: str) -> None:
    """So a model has one way to be cut, and as few parts as there can be."""
    for before in range(part):
        registry.done(part_of(ONE, before))
    assert registry.refused(part_of(ONE, part, content=content)) == "model_part_unexpected"


def test_the_largest_model_and_one_byte_more(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too large is refused with its last part."""
    monkeypatch.setattr(product_module, "MODEL_BYTES_MAX", 100_000)
    whole = bytes_of(1, 100_001)
    assert registry.registers(whole[:-1]) == 1
    for part in range(2):
        registry.done(part_of(whole, part))
    assert registry.refused(part_of(whole, 2)) == "model_part_unexpected"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("AAA", "model_part_unexpected"),
        ("A===", "malformed_command"),
        ("!!!!", "malformed_command"),
        ("=AAA", "malformed_command"),
        ("AAAA\n", "malformed_command"),
    ],
)
def test_a_part_that_is_no_base64(registry: Registry, content: str, code: str) -> None:
    """Whoever made the command by hand."""
    assert registry.refused(part_of(OTHER, 0, content=content)) == code


def test_a_model_is_registered_once(registry: Registry) -> None:
    """Under whatever name."""
    registry.registers(ONE)
    assert registry.refused(register(ONE)) == "model_exists"
    assert registry.refused(register(ONE, "fraud_chance")) == "model_exists"
    assert registry.refused(register(OTHER)) == "model_incomplete"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"model": "Ada Lovelace"}, "malformed_command"),
        ({"spec_hash": "a"}, "malformed_command"),
        ({"metrics": Metrics(forest={"auc": 1e16})}, "malformed_command"),
        ({"metrics": Metrics(forest={"auc": float("nan")})}, "malformed_command"),
        ({"note": "a\0"}, "malformed_command"),
        ({"manifest": {"far": 1e16}}, "document_malformed"),
        ({"manifest": {"far": 2**63}}, "document_malformed"),
        ({"manifest": {"né": 1}}, "document_malformed"),
        ({"manifest": {"nul": ["a\0"]}}, "document_malformed"),
        ({"manifest": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}, "document_malformed"),
        ({"manifest": {"long": "x" * MODEL_ENTRY_BYTES_MAX}}, "model_entry_too_large"),
    ],
)
def test_what_is_said_of_a_model_is_kept_as_it_is_written(
    registry: Registry, fields: dict[str, Any], code: str
) -> None:
    """What the database would spell as something else, or could not read again, is refused."""
    registry.stores(ONE)
    assert registry.refused(register(ONE, **fields)) == code
    assert registry.done(register(ONE))["version"] == 1


# -- aliases -------------------------------------------------------------------------------


def test_aliases_are_moved_and_moved_back(registry: Registry) -> None:
    """Each says what it was before; a rollback is one event."""
    registry.registers(ONE)
    registry.registers(OTHER)
    assert registry.done(move(ONE)) == {"previous": ""}
    assert registry.done(move(OTHER, Alias.SHADOW)) == {"previous": ""}
    assert registry.done(move(OTHER)) == {"previous": hash_of(ONE)}
    assert registry.done(move(ONE)) == {"previous": hash_of(OTHER)}
    assert registry.done(move(None)) == {"previous": hash_of(ONE)}
    moves = [event for event in registry.events() if event.kind == "registry.AliasMoved"]
    assert {event.subject for event in moves} == {text_id("repayment")}
    assert msgspec.json.decode(moves[2].body) == {
        "type": "AliasMoved",
        "model": "repayment",
        "alias": "champion",
        "hash": hash_of(OTHER),
        "previous": hash_of(ONE),
        "reason": "It orders more pairs rightly.",
    }
    registry.require_refolds()


def test_an_alias_that_would_not_change(registry: Registry) -> None:
    """The same version again, or none where there is none."""
    registry.registers(ONE)
    registry.done(move(ONE))
    assert registry.refused(move(ONE)) == "alias_unchanged"
    assert registry.refused(move(None, Alias.SHADOW)) == "alias_unchanged"


def test_an_alias_needs_a_version_of_the_model(registry: Registry) -> None:
    """One that nobody stored, one that is not registered, one of another model."""
    registry.registers(ONE)
    registry.registers(OTHER, "fraud_chance")
    third = bytes_of(3)
    assert registry.refused(move(third)) == "model_not_found"
    registry.stores(third)
    assert registry.refused(move(third)) == "model_not_found"
    assert registry.refused(move(OTHER)) == "model_not_found"
    assert registry.refused(move(None, hash="0" * 32)) == "model_not_found"


@pytest.mark.parametrize(
    "fields", [{"subject": 5}, {"reason": ""}, {"reason": "x" * 201}, {"reason": "a\nb"}, {"hash": "f"}]
)
def test_a_malformed_move(registry: Registry, fields: dict[str, Any]) -> None:
    """A reason is one line; the subject is the name's."""
    registry.registers(ONE)
    assert registry.refused(move(ONE, **fields)) == "malformed_command"


# -- trials --------------------------------------------------------------------------------


def test_a_challenger_is_tried_out_and_taken_back(registry: Registry) -> None:
    """Each event says whose share it is and what it was before; ending it is one event."""
    registry.registers(ONE)
    registry.registers(OTHER)
    assert registry.refused(trial(10_000)) == "no_challenger"
    assert registry.refused(trial(0)) == "trial_unchanged"
    registry.done(move(OTHER, Alias.CHALLENGER))
    assert [registry.done(trial(share)) for share in (10_000, 50_000, 0)] == [
        {"previous": 0},
        {"previous": 10_000},
        {"previous": 50_000},
    ]
    assert registry.refused(trial(0)) == "trial_unchanged"
    told = [event for event in registry.events() if event.kind == "registry.TrialSet"]
    assert {event.subject for event in told} == {text_id("repayment")}
    assert msgspec.json.decode(told[1].body) == {
        "type": "TrialSet",
        "model": "repayment",
        "hash": hash_of(OTHER),
        "share": 50_000,
        "previous": 10_000,
        "reason": "A week of it.",
    }
    registry.require_refolds()


@pytest.mark.parametrize(
    ("moved", "then"),
    [
        (move(ONE), "trial_unchanged"),
        (move(ONE, Alias.CHALLENGER), "trial_unchanged"),
        (move(None, Alias.CHALLENGER), "trial_unchanged"),
        (move(ONE, Alias.SHADOW), ""),
    ],
    ids=["another champion", "another challenger", "no challenger", "a shadow"],
)
def test_a_trial_is_of_one_challenger_beside_one_champion(
    registry: Registry, moved: MoveAlias, then: str
) -> None:
    """No other model goes on with its share."""
    registry.registers(ONE)
    registry.registers(OTHER)
    registry.done(move(OTHER))
    registry.done(move(OTHER, Alias.CHALLENGER))
    registry.done(trial(1_000_000))
    registry.done(moved)
    assert registry.asks(trial(0)).code == then
    registry.require_refolds()


@pytest.mark.parametrize("fields", [{"share": 1_000_001}, {"share": -1}, {"subject": 5}, {"reason": ""}])
def test_a_malformed_trial(registry: Registry, fields: dict[str, Any]) -> None:
    """A share is none to all of it."""
    registry.registers(ONE)
    registry.done(move(ONE, Alias.CHALLENGER))
    assert registry.refused(trial(**({"share": 5} | fields))) == "malformed_command"


def test_journals_from_before_trials_keep_their_hashes(registry: Registry) -> None:
    """An entry without a trial has the hash of the time before there were any, in its snapshots as well."""
    registry.registers(ONE)
    registry.done(move(ONE))
    kept = registry.engine.state.aggregates[NAME]
    before = np.dtype([(name, ENTRY[name]) for name in ENTRY.names or () if name != "trial_share"])
    records = np.zeros(len(kept), before)
    for name in before.names or ():
        records[name] = kept.records[name]
    older, restored = Aggregates(before), registry.new_state().aggregates[NAME]
    older.restore(records)
    restored.restore(records)
    assert older.hash == restored.hash == kept.hash
    assert restored.records.tobytes() == kept.records.tobytes()
    registry.done(move(ONE, Alias.CHALLENGER))
    without = kept.hash
    registry.done(trial(5))
    assert kept.hash != without


# -- policies ------------------------------------------------------------------------------


def test_a_policy_is_armed_and_disarmed(registry: Registry) -> None:
    """What is wrong with it is found by whoever knows the decision points; versions only grow."""
    registry.done(arm(2))
    assert registry.looked_at == [("card_use", "score: 0.5", "rules: []")]
    assert registry.refused(arm(2)) == "policy_outdated"
    registry.findings = ["line 1: unknown", "line 2: unknown"]
    assert registry.refused(arm(3)) == "policy_refused"
    registry.findings = ()
    disarm = DisarmPolicy(subject=text_id("card_use"), point="card_use", reason="It stops too many.")
    registry.done(disarm)
    assert registry.refused(disarm) == "policy_not_armed"
    assert registry.refused(arm(1)) == "policy_outdated"
    registry.done(arm(3))
    kinds = [event.kind for event in registry.events()]
    assert kinds == ["registry.PolicyArmed", "registry.PolicyDisarmed", "registry.PolicyArmed"]
    registry.require_refolds()


def test_findings_are_the_refusals_text(registry: Registry) -> None:
    """All of them, for whoever decides in the same process."""
    registry.findings = ["line 1: unknown", "line 2: too long"]
    with pytest.raises(Exception, match="line 1: unknown; line 2: too long"):
        registry.product.decide(arm(1), None, None)  # type: ignore[arg-type]


def test_a_point_and_a_model_of_one_name(registry: Registry) -> None:
    """They share an id and nothing else."""
    registry.done(arm(4, "repayment"))
    registry.registers(ONE)
    registry.done(move(ONE))
    registry.done(DisarmPolicy(subject=text_id("repayment"), point="repayment", reason="No rules left."))
    assert registry.refused(move(ONE)) == "alias_unchanged"
    assert registry.refused(arm(4, "repayment")) == "policy_outdated"
    registry.require_refolds()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"rules": "x" * POLICY_BYTES_MAX}, "policy_too_large"),
        ({"rules": ""}, "malformed_command"),
        ({"policy": "a\0"}, "malformed_command"),
        ({"version": 0}, "malformed_command"),
        ({"subject": 5}, "malformed_command"),
    ],
)
def test_a_policy_that_cannot_be_kept(registry: Registry, fields: dict[str, Any], code: str) -> None:
    """Bounded, and as it was written."""
    command = msgspec.structs.replace(arm(1), **fields)
    assert registry.refused(command) == code


# -- limits --------------------------------------------------------------------------------


def test_a_block_of_the_largest_events_can_be_read() -> None:
    """Every second row is an answer; a block of them is one value of the database, below 1 GiB."""
    rows = BLOCK_ROWS // 2
    part = msgspec.json.encode(
        StoreModelPart(subject=1, part=0, parts=1, content="A" * (MODEL_PART_BYTES_MAX * 4 // 3))
    )
    assert len(part) < FACTS_BYTES_MAX + 256
    assert rows * (POLICY_BYTES_MAX + 1_024) < 2**30
    assert 1.51 * MODEL_ENTRY_BYTES_MAX * rows < 2**30


def test_columns_may_have_any_name(registry: Registry) -> None:
    """A table's columns are somebody else's words."""
    registry.stores(ONE)
    command: RegisterModel = register(ONE, columns=["Größe in m²", "Term"])
    assert registry.done(command)["version"] == 1
