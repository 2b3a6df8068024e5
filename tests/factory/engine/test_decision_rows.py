"""What is recorded of a decision: what its parts say, the same for other cuts, folds and snapshots."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.base.errors import ProgrammingError
from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.items import items_of
from formicary.factory.decisions.live import CAP_TRIPPED
from formicary.factory.decisions.rules import Verdict
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import FactoryState
from formicary.factory.features.columns import events_of
from formicary.factory.journal.rows import REASONS, SCORES
from formicary.factory.ledger import TRANSFER_RESULT, TransferFlags, transfer_array
from formicary.factory.models.model import Model
from formicary.factory.registry import Alias
from tests.factory.decisions.desk import (
    LARGE,
    PAYMENT,
    POINT,
    SECOND,
    Desk,
    made_model,
    random_payments,
    rules_of,
)

# -- what is recorded ----------------------------------------------------------------------


MIXED = rules_of(
    1,
    {"when": "paid_1d > 5000", "outcome": "confirm"},
    {"when": "score.risk > 0.39", "outcome": "reject"},
    {"when": "since_pair < 3", "outcome": "hold"},
    {"when": "score.rival > 0.25", "enabled": False},
    {"when": "payments_1h > 15 and score.risk > 0.2", "outcome": "hold"},
)
SCORED = {"risk": {"model": "risk_model"}, "rival": {"model": "risk_model", "alias": "shadow"}}


def test_a_decision_is_what_its_parts_say(desk: Desk) -> None:
    """Features, scores, verdicts, outcome and reasons of every row, worked out one by one by other code."""
    desk.promotes(made_model())
    desk.promotes(made_model(1), Alias.SHADOW)
    desk.arms(1, MIXED, scores=SCORED)
    recorded_from = len(desk.transfers)
    for payment in random_payments(desk, 3, 150):
        oracle = expected(desk, payment)
        desk.asks(payment)
        row = desk.decisions[-1]
        for name, value in oracle.items():
            assert np.array_equal(row[name], value, equal_nan=True), name
    assert len(desk.decisions) == len(desk.transfers) - recorded_from == 150
    assert set(desk.decisions["effect"].tolist()) == {0, 1, 2, 3}


def test_the_kernel_is_given_what_it_is_compiled_for(desk: Desk) -> None:
    """Nothing looks at types once it runs: every second item, or another type, is a mistake of ours."""
    desk.promotes(made_model())
    desk.arms(1, MIXED, scores=SCORED)
    judges = desk.state.judges
    assert judges is not None
    items, results = transfer_array(random_payments(desk, 3, 4)), np.zeros(2, TRANSFER_RESULT)
    for wrong in (items[::2], items[:2].view(np.int64)):
        with pytest.raises(ProgrammingError, match="plain arrays"):
            judges.decide(desk.state.machine.state, wrong, np.arange(2), 0, 0, 0, None, results)


def expected(desk: Desk, payment: Any) -> dict[str, Any]:
    """Return the fields of a payment's decision, by the parts' own ways in from Python."""
    state = desk.state
    store, compiled = state.features, state.decisions.policy_of("payment")
    assert store is not None and compiled is not None  # noqa: PT018, both
    at = desk.clock.now() + SECOND
    columns: dict[str, Any] = {
        "payer": ids(payment.debit_account_id),
        "payee": ids(payment.credit_account_id),
        "wallet": ids(payment.debit_account_id),
        "till": ids(payment.credit_account_id),
        "reference": ids(payment.user_data_128),
        "payment": ids(payment.id),
        "amount": [payment.amount],
        "currency": [payment.ledger],
        "kind": [payment.code],
        "mark": np.array([payment.user_data_64], np.uint64).astype(np.int64),
        "tag": [payment.user_data_32],
        "size": [float(payment.amount)],
    }
    events = events_of(store.compiled, PAYMENT, at=[at], columns=columns)
    told = store.read("risk", events, purpose=POINT.reads[1]).values
    by_name = {name: told[:, place] for place, name in enumerate(POINT.features)}
    models = [
        state.decisions.model(state.decisions.aliases["risk_model"][name]) for name in ("champion", "shadow")
    ]
    rows = [np.array([[by_name[name][0] for name in one.forest.feature_names]]) for one in models if one]
    explained = [one.forest.explain(row) for one, row in zip(models, rows, strict=True) if one]
    raw = [float(one.scores[0]) for one in explained]
    chances = {
        name: one.calibration.apply([score])
        for name, one, score in zip(POINT.scores, models, raw, strict=True)
        if one and one.calibration
    }
    items = items_of(POINT, at=[at], columns=columns, features=by_name, scores=chances)
    judged = compiled.rules.judge(items)
    verdicts = judged.verdicts[0].tolist()
    outcome = int(judged.outcomes[0])
    fields = {f"value_{place:02}": told[0, place] for place in range(len(POINT.features))}
    fields |= {f"score_{place}": raw[place] if place < len(raw) else math.nan for place in range(SCORES)}
    models_by_word = [int(one.hash[:16], 16) for one in models if one]
    fields |= {f"model_{place}": word for place, word in enumerate(models_by_word)}
    bits = {
        name: sum(1 << place for place, said in enumerate(verdicts) if said == what) for name, what in _BITS
    }
    reasons = expected_reasons(compiled, verdicts, outcome, explained[0].attributions[0], models[0])
    fields |= {f"reason_{place}": reason for place, reason in enumerate(reasons)}
    return fields | bits | {"outcome": outcome, "policy": 1, "timestamp": at, "features": len(POINT.features)}


_BITS = (("rules_true", Verdict.TRUE), ("rules_unknown", Verdict.UNKNOWN))


def expected_reasons(
    compiled: Any, verdicts: list[int], outcome: int, attributions: Any, model: Model | None
) -> list[int]:
    """Return the reasons that a decision must give, four places of them."""
    found, scored = [], False
    for place, (rule, verdict) in enumerate(zip(compiled.rules.rule_set.rules, verdicts, strict=True)):
        said = {Verdict.TRUE: rule.outcome, Verdict.UNKNOWN: rule.if_unknown}.get(Verdict(verdict), "allow")
        if rule.enabled and said != "allow" and said == POINT.outcomes[outcome]:
            if "score" in rule.when and verdict == Verdict.TRUE:
                scored = True
            else:
                found.append(place + 1)
    if scored and model is not None:
        order = sorted(range(len(attributions)), key=lambda column: (-attributions[column], column))
        names = [model.forest.feature_names[column] for column in order if attributions[column] > 0]
        found += [layout.REASON_FEATURE + POINT.features.index(name) + 1 for name in names]
    return (found + [0] * REASONS)[:REASONS]


def ids(value: int) -> Any:
    """Return an id as one row of words."""
    return np.array([[value >> 64, value & (2**64 - 1)]], np.uint64).view(np.int64)


def test_rows_do_not_depend_on_where_groups_were_cut(tmp_path: Path) -> None:
    """The same events with the same stamps give the same rows, byte for byte, trips of caps included."""
    rows = []
    for cut_seed in (0, 1, 2):
        desk = Desk(tmp_path / str(cut_seed))
        desk.promotes(made_model())
        caps = [{"name": "rejects", "outcome": "reject", "seconds": 60, "count": 5, "then": "confirm"}]
        desk.arms(1, MIXED, scores={"risk": {"model": "risk_model"}}, caps=caps)
        payments = random_payments(desk, 5, 300)
        chance = np.random.default_rng(cut_seed)
        at = 0
        # As one group they are stamped nanosecond by nanosecond: so are groups whose clock stands still.
        while at < len(payments):
            size = len(payments) if cut_seed == 0 else int(chance.integers(1, 60))
            desk.engine.execute([LedgerRequest(transfer_array(payments[at : at + size]))])
            at += size
        events = [event for batch in desk.journal.batches for event in batch.events]
        rows.append((desk.decisions.tobytes(), desk.transfers.copy(), events, desk.state.state_hash))
    for other in rows[1:]:
        assert other[0] == rows[0][0]
        names = rows[0][1].dtype.names or ()
        assert [
            name for name in names if name != "request" and (other[1][name] != rows[0][1][name]).any()
        ] == []
        assert other[2] == rows[0][2]
    assert len([event for event in rows[0][2] if event.kind == CAP_TRIPPED]) == 1


# -- folding, snapshots, recovery ----------------------------------------------------------


def busy(desk: Desk) -> None:
    """Let policies, models and payments follow each other, with chains, caps and holds."""
    caps = [{"name": "checks", "outcome": "confirm", "seconds": 60, "count": 3, "then": "hold"}]
    desk.promotes(made_model())
    desk.arms(1, MIXED, scores=SCORED, caps=caps)
    desk.asks(*random_payments(desk, 7, 80))
    desk.promotes(made_model(1))
    desk.asks(*random_payments(desk, 8, 80))
    chain = [desk.transfer(100, 101, 5, flags=TransferFlags.LINKED), desk.transfer(101, 102, 5)]
    desk.asks(*chain)
    desk.arms(2, MIXED.replace('"version":1', '"version":2'), caps=caps)
    desk.asks(*random_payments(desk, 9, 80))


def test_folding_the_journal_gives_the_same_state(desk: Desk) -> None:
    """Hash, features, and what caps counted, also where a block ends between a decision and its transfer."""
    busy(desk)
    state = desk.new_state()
    for batch in desk.journal.batches:
        middle = batch.first if len(batch) == 1 else (batch.first + batch.last) // 2
        for after, until in ((batch.first - 1, middle), (middle, batch.last)):
            parts = [
                part[(part["position"] > after) & (part["position"] <= until)] for part in parts_of(batch)
            ]
            events = [event for event in batch.events if after < event.position <= until]
            state.fold(parts[0], parts[1], events, until=until, decisions=parts[2])
            state.fold_features(parts[0], parts[1], events, until=until)
        assert state.state_hash == batch.state_hash
    assert_same(state, desk.state)


def parts_of(batch: Any) -> list[Any]:
    """Return the arrays of rows of a batch."""
    return [batch.accounts, batch.transfers, batch.decisions]


def assert_same(state: FactoryState, other: FactoryState) -> None:
    """Require that two states hold the same, and decide the same."""
    assert state.features is not None and other.features is not None  # noqa: PT018, both
    assert state.features.state_hash == other.features.state_hash
    assert state.judges is not None and other.judges is not None  # noqa: PT018, both
    assert state.judges.counted == other.judges.counted
    assert any(counted[1] for counted in state.judges.counted.values())


def test_a_changed_decision_changes_the_state(desk: Desk) -> None:
    """A bit of a recorded value, and the state is another: whoever verifies the journal finds it."""
    desk.arms(1, rules_of(1, LARGE))
    desk.pays(5)
    batch = desk.journal.batches[-1]
    hashes = []
    for value in (batch.decisions["value_00"][0], np.nextafter(batch.decisions["value_00"][0], 9)):
        decisions = batch.decisions.copy()
        decisions["value_00"] = value
        state = desk.new_state()
        for earlier in desk.journal.batches[:-1]:
            state.fold(
                earlier.accounts,
                earlier.transfers,
                earlier.events,
                until=earlier.last,
                decisions=earlier.decisions,
            )
        state.fold(batch.accounts, batch.transfers, batch.events, until=batch.last, decisions=decisions)
        hashes.append(state.state_hash)
    assert hashes[0] == batch.state_hash != hashes[1]


def test_a_snapshot_keeps_what_decides(desk: Desk) -> None:
    """Restored from a snapshot, and after recovery from the journal, the next decisions are the same."""
    busy(desk)
    restored = desk.new_state()
    restored.restore(desk.state.sections())
    assert restored.state_hash == desk.state.state_hash
    assert_same(restored, desk.state)
    recovered = Engine(desk.journal, desk.new_state, desk.clock)
    recovered.recover()
    assert_same(recovered.state, desk.state)
    assert restored.decisions.aliases == desk.state.decisions.aliases == recovered.state.decisions.aliases
