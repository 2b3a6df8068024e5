"""Decisions in the engine's step: what comes of a transfer, what is recorded, and what if a part fails."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.items import items_of
from formicary.factory.decisions.live import CAP_TRIPPED, PART_STORED
from formicary.factory.decisions.policies import point_id
from formicary.factory.decisions.rules import Verdict
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.engine.state import FactoryState
from formicary.factory.features.columns import events_of
from formicary.factory.journal.rows import REASONS, SCORES
from formicary.factory.ledger import CreateTransferStatus as S
from formicary.factory.ledger import TransferFlags, transfer_array
from formicary.factory.models.calibration import Calibration
from formicary.factory.models.model import Model
from formicary.factory.registry import Alias
from tests.factory.decisions.desk import (
    CODE,
    FEE,
    PAYMENT,
    POINT,
    RISK,
    SECOND,
    START,
    Desk,
    made_model,
    rules_of,
)

FLAGS = TransferFlags
LARGE = {"when": "amount > 900"}
NOBODY = {"when": "amount < 0"}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Give an engine at which nothing is armed."""
    return Desk(tmp_path)


def balance(desk: Desk, account: int) -> tuple[int, int]:
    """Return what an account has, and what of it is reserved."""
    machine = desk.state.machine
    view = machine.account_view(machine.account_number(account))
    return int(view["credits_posted"] - view["debits_posted"]), int(view["debits_pending"])


def reasons_of(row: Any) -> list[int]:
    """Return the reasons of a decision."""
    return [int(row[f"reason_{place}"]) for place in range(REASONS) if row[f"reason_{place}"]]


# -- what comes of an outcome --------------------------------------------------------------


def test_without_a_policy_nothing_is_decided(desk: Desk) -> None:
    """Every transfer that the ledger would make is made, and no decision is recorded."""
    assert desk.pays(10**6) == S.CREATED
    assert len(desk.decisions) == 0


def test_each_outcome_has_its_effect(desk: Desk) -> None:
    """Allowed money moves, held money is reserved, what needs a check or is rejected does not happen."""
    steps = [(300, "confirm"), (600, "hold"), (900, "reject")]
    desk.arms(1, rules_of(1, *({"when": f"amount > {least}", "outcome": says} for least, says in steps)))
    before, _ = balance(desk, 100)
    statuses = [desk.pays(moved) for moved in (100, 400, 700, 1_000)]
    assert statuses == [S.CREATED, S.STEP_UP_REQUIRED, S.HELD, S.DECLINED]
    assert balance(desk, 100) == (before - 100, 700)
    rows = desk.decisions
    assert rows["outcome"].tolist() == [0, 1, 2, 3]
    assert rows["effect"].tolist() == [0, 1, 2, 3]
    assert rows["propensity"].tolist() == [1.0] * 4
    assert set(rows["point"].tolist()) == {point_id("payment")}
    transfers = desk.transfers[-4:]
    assert transfers["position"].tolist() == (rows["position"] + 1).tolist()
    assert transfers["status"].tolist() == [S.CREATED, S.STEP_UP_REQUIRED, S.CREATED, S.DECLINED]
    assert transfers["flags"].tolist() == [0, 0, FLAGS.PENDING | FLAGS.HELD, 0]


def test_a_repeated_event_gets_its_first_answer(desk: Desk) -> None:
    """What was held is held, what was declined has burnt its id; nothing is decided again."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}, LARGE))
    held, declined = desk.transfer(100, 101, 700), desk.transfer(100, 101, 1_000)
    assert desk.asks(held, declined) == [S.HELD, S.DECLINED]
    assert desk.asks(held, declined) == [S.HELD, S.ID_ALREADY_FAILED]
    assert desk.asks(replace(held, amount=701)) == [S.EXISTS_WITH_DIFFERENT_AMOUNT]
    assert desk.asks(replace(held, flags=FLAGS.PENDING)) == [S.EXISTS_WITH_DIFFERENT_FLAGS]
    assert desk.asks(replace(held, timeout=5)) == [S.EXISTS_WITH_DIFFERENT_TIMEOUT]
    assert len(desk.decisions) == 2


def test_held_money_goes_back_by_itself_or_by_a_verdict(desk: Desk) -> None:
    """A hold ends when its time is over, or is posted or voided before."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}), hold_seconds=60)
    first, second, third = (desk.transfer(100, 101, 700) for _ in range(3))
    assert desk.asks(first, second, third) == [S.HELD] * 3
    before, _ = balance(desk, 101)
    post = desk.transfer(0, 0, 700, code=0, ledger=0, flags=FLAGS.POST_PENDING_TRANSFER, pending_id=first.id)
    void = desk.transfer(0, 0, 700, code=0, ledger=0, flags=FLAGS.VOID_PENDING_TRANSFER, pending_id=second.id)
    assert desk.asks(post, void) == [S.CREATED, S.CREATED]
    assert balance(desk, 101) == (before + 700, 0)
    desk.clock.advance(60 * SECOND)
    assert desk.pays(1) == S.CREATED
    assert balance(desk, 100)[1] == 0
    assert desk.transfers["status"][-2:].tolist() == [S.EXPIRED, S.CREATED]
    # Posting was decided when it was held, and is known of the payer from then on.
    assert desk.decisions["value_03"].tolist() == [0.0, 0.0, 0.0, 1.0]


def test_a_chain_breaks_at_what_is_not_allowed(desk: Desk) -> None:
    """Nothing of a chain happens but the held member's reservation, and nothing of it is known later."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}, LARGE))
    fee = {"code": FEE, "debit": 101, "credit": 105}

    def chain(moved: int) -> list[int]:
        paid = desk.transfer(100, 101, moved, flags=FLAGS.LINKED)
        return desk.asks(paid, desk.transfer(fee["debit"], fee["credit"], 1, code=FEE))

    assert chain(100) == [S.CREATED, S.CREATED]
    assert chain(700) == [S.HELD, S.LINKED_EVENT_FAILED]
    assert chain(1_000) == [S.DECLINED, S.LINKED_EVENT_FAILED]
    assert desk.pays(1) == S.CREATED
    assert balance(desk, 105) == (10**9 + 1, 0)
    # Paid in the last day as each of the four knew it: the held and the declined are not there.
    assert desk.decisions["value_02"].tolist() == [0.0, 100.0, 100.0, 100.0]


def test_a_chain_that_fails_leaves_no_decision(desk: Desk) -> None:
    """What was decided in a chain that the ledger breaks is undone with it: no row, no position."""
    desk.arms(1, rules_of(1, NOBODY))
    poor = desk.transfer(105, 101, 2 * 10**9)
    statuses = desk.asks(desk.transfer(100, 101, 5, flags=FLAGS.LINKED), poor)
    assert statuses == [S.LINKED_EVENT_FAILED, S.EXCEEDS_CREDITS]
    assert len(desk.decisions) == 0
    assert desk.pays(1) == S.CREATED
    assert desk.decisions["value_03"].tolist() == [0.0]


def test_what_is_held_is_judged_without_its_chain(desk: Desk) -> None:
    """Money that would have come from an earlier member is not there once the chain is undone."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}))
    rich = balance(desk, 100)[0]
    brought = desk.transfer(102, 100, 100, code=FEE, flags=FLAGS.LINKED)
    held = desk.transfer(100, 101, rich + 100)
    assert desk.asks(brought, held) == [S.LINKED_EVENT_FAILED, S.EXCEEDS_CREDITS]
    assert desk.asks(held) == [S.ID_ALREADY_FAILED]
    assert len(desk.decisions) == 1


def test_what_could_slip_through_a_hold_is_declined(desk: Desk) -> None:
    """What is pending by itself could be posted by whoever asked for it."""
    desk.arms(1, rules_of(1, {"when": "amount > 600", "outcome": "hold"}))
    assert desk.pays(700, flags=FLAGS.PENDING) == S.DECLINED
    assert desk.pays(100, flags=FLAGS.PENDING) == S.CREATED


def test_what_happened_elsewhere_is_not_decided_about(desk: Desk) -> None:
    """Imports are history; other codes have no decision point."""
    desk.arms(1, rules_of(1, {"when": "amount > 0"}))
    past = int(desk.transfers["timestamp"][-1]) + 1
    assert desk.pays(5, flags=FLAGS.IMPORTED, timestamp=past) == S.CREATED
    assert desk.pays(5, code=FEE) == S.CREATED
    assert len(desk.decisions) == 0
    assert desk.pays(5) == S.DECLINED
    # Imports are known of all the same.
    assert desk.decisions["value_02"].tolist() == [5.0]


def test_only_the_reserved_flag_is_not_the_callers(desk: Desk) -> None:
    """Nobody makes a held transfer but a decision."""
    assert desk.pays(5, flags=FLAGS.HELD) == S.RESERVED_FLAG


# -- what is recorded ----------------------------------------------------------------------


def random_payments(desk: Desk, seed: int, count: int) -> list[Any]:
    """Return payments between the parties, some of them marked."""
    chance = np.random.default_rng(seed)
    payments = []
    for _ in range(count):
        payer, payee = chance.choice(6, 2, replace=False).tolist()
        marks = {
            "user_data_64": int(chance.integers(0, 2**64, dtype=np.uint64)),
            "user_data_32": 7,
            "user_data_128": 5,
        }
        payments.append(desk.transfer(100 + payer, 100 + payee, int(chance.integers(1, 1_500)), **marks))
    return payments


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
    chain = [desk.transfer(100, 101, 5, flags=FLAGS.LINKED), desk.transfer(101, 102, 5)]
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


# -- caps ----------------------------------------------------------------------------------


def test_a_cap_gives_way_to_its_own_outcome_and_says_so_once(desk: Desk) -> None:
    """Beyond so many rejections in a minute the rest is held; the next minute begins anew."""
    caps = [{"name": "rejects", "outcome": "reject", "seconds": 60, "count": 2, "then": "hold"}]
    desk.arms(1, rules_of(1, LARGE), caps=caps)
    desk.clock.advance(60 * SECOND - desk.clock.now() % (60 * SECOND))
    assert [desk.pays(1_000) for _ in range(5)] == [S.DECLINED] * 2 + [S.HELD] * 3
    (tripped,) = desk.events(CAP_TRIPPED)
    assert (tripped["cap"], tripped["then"], tripped["count"], tripped["amount"]) == (
        "rejects",
        "hold",
        2,
        2_000,
    )
    assert tripped["period"] % (60 * SECOND) == 0
    rows = desk.decisions
    assert (rows["path"] & layout.CAPPED != 0).tolist() == [False, False, True, True, True]
    assert rows["cap"].tolist() == [0, 0, 1, 1, 1]
    assert reasons_of(rows[2]) == [layout.REASON_CAP + 1, 1]
    desk.clock.advance(60 * SECOND)
    assert desk.pays(1_000) == S.DECLINED
    assert len(desk.events(CAP_TRIPPED)) == 1


def test_a_cap_on_money_and_on_a_segment(desk: Desk) -> None:
    """A rule that is not armed makes a segment; its cap lets only so much money pass in a minute."""
    segment = {"when": "payer == id('103')", "enabled": False}
    caps = [{"name": "of_103", "rule": "rule_0", "outcome": "allow", "amount": 1_000, "then": "confirm"}]
    desk.arms(1, rules_of(1, segment, LARGE), caps=caps)
    desk.clock.advance(60 * SECOND - desk.clock.now() % (60 * SECOND))
    paid = [desk.pays(moved, payer=103) for moved in (600, 500, 400, 1)]
    assert paid == [S.CREATED, S.STEP_UP_REQUIRED, S.CREATED, S.STEP_UP_REQUIRED]
    assert desk.pays(800, payer=100) == S.CREATED
    assert [body["amount"] for body in desk.events(CAP_TRIPPED)] == [600]


def test_a_trip_in_the_middle_of_a_group_stands_where_it_happened(desk: Desk) -> None:
    """The event comes right after the decision that tripped the cap, and the group goes on."""
    caps = [{"name": "rejects", "outcome": "reject", "count": 1, "then": "hold"}]
    desk.arms(1, rules_of(1, LARGE), caps=caps)
    statuses = desk.asks(*(desk.transfer(100, 101, moved) for moved in (1_000, 1_000, 5, 1_000)))
    assert statuses == [S.DECLINED, S.HELD, S.CREATED, S.HELD]
    batch = desk.journal.batches[-1]
    assert [event.position for event in batch.events] == [batch.first + 4]
    assert batch.transfers["position"].tolist() == [batch.first + place for place in (1, 3, 6, 8)]


# -- what fails is safe --------------------------------------------------------------------

SAFE = POINT.safe_outcome
LOW = rules_of(1, {"when": "score.risk > 0.99"})


def test_without_a_champion_the_safe_outcome_answers(desk: Desk) -> None:
    """No model of that name, or an alias that was taken off: nothing is approved in silence."""
    desk.arms(1, rules_of(1, NOBODY), scores={"risk": {"model": "risk_model"}})
    assert desk.pays(5) == S.HELD
    desk.promotes(made_model())
    assert desk.pays(5) == S.CREATED
    desk.promotes(None)
    assert desk.pays(5) == S.HELD
    assert desk.decisions["path"].tolist() == [layout.NO_SCORE, 0, layout.NO_SCORE]
    assert [POINT.outcomes[place] for place in desk.decisions["outcome"]] == [SAFE, "allow", SAFE]


def test_a_damaged_champion_cannot_decide(desk: Desk) -> None:
    """A model whose bytes are not what its hash says, as after damage to the journal, is no champion."""
    desk.promotes(made_model())
    desk.arms(1, LOW, scores={"risk": {"model": "risk_model"}})
    assert desk.pays(5) == S.CREATED
    state = desk.new_state()
    for batch in desk.journal.batches:
        for event in batch.events:
            body = (
                event.body.replace(b'"content":"', b'"content":"AAAA')
                if event.kind == PART_STORED
                else event.body
            )
            state.decisions.apply(replace(event, body=body))
    digest = made_model().hash
    assert state.decisions.model(digest) is None
    assert "not those of the model" in state.decisions.unusable[digest]
    desk.engine.state.decisions = state.decisions
    assert desk.pays(5) == S.HELD


def test_a_champion_that_reads_what_is_not_there_cannot_decide(desk: Desk) -> None:
    """A model of other features than the decision point's scores nothing."""
    stranger = made_model(2, columns=("asked", "age_of_the_moon"))
    desk.promotes(stranger)
    desk.arms(1, LOW, scores={"risk": {"model": "risk_model"}})
    assert desk.pays(5) == S.HELD
    assert "age_of_the_moon" in desk.state.decisions.unusable[stranger.hash]


def test_a_score_that_is_no_number_is_no_score(desk: Desk) -> None:
    """Leaves that add up beyond all numbers, as of a model gone wrong: the safe outcome, on record."""
    desk.promotes(made_model(3, leaf=1.7e308))
    desk.arms(1, LOW, scores={"risk": {"model": "risk_model"}})
    assert desk.pays(5) == S.HELD
    row = desk.decisions[-1]
    assert np.isnan(row["score_0"])
    assert row["path"] & layout.NO_SCORE


def test_a_rule_that_cannot_be_told_gives_the_safe_outcome(desk: Desk) -> None:
    """A missing value makes no verdict; what the rule says then, or the decision point, comes out."""
    desk.arms(1, rules_of(1, {"when": "since_pair > 5", "if_unknown": "hold"}))
    assert desk.pays(5) == S.HELD
    row = desk.decisions[-1]
    assert (row["path"], row["rules_unknown"], row["rules_true"]) == (layout.NOT_TOLD, 1, 0)
    assert reasons_of(row) == [1]


def test_a_policy_that_does_not_compile_any_more_closes_its_point(desk: Desk) -> None:
    """A release may read other features: the policy that names the old ones lets nothing pass."""
    desk.arms(1, rules_of(1, NOBODY))
    assert desk.pays(5) == S.CREATED
    armed = next(event for batch in desk.journal.batches for event in batch.events if b"rules" in event.body)
    desk.state.decisions.apply(replace(armed, body=armed.body.replace(b"amount < 0", b"gone_away > 0")))
    assert desk.pays(5) == S.HELD
    assert "gone_away" in desk.state.decisions.unusable["payment"]


def test_what_is_wrong_with_a_policy_is_refused_and_the_one_before_stays(desk: Desk) -> None:
    """A type error, an unknown name, an unknown score: a clear refusal."""
    desk.arms(1, rules_of(1, LARGE))
    for rules, policy in (
        (rules_of(2, {"when": "amount > true"}), {}),
        (rules_of(2, {"when": "amout > 5"}), {}),
        (rules_of(2, LARGE), {"scores": {"mood": {"model": "risk_model"}}}),
        (rules_of(2, LARGE), {"caps": [{"name": "a", "outcome": "reject", "then": "explode"}]}),
        (rules_of(2, LARGE), {"trusted": "score.risk < 0.1"}),
        (rules_of(2, LARGE), {"hold_seconds": 0}),
    ):
        assert desk.tries_to_arm(2, rules, **policy) == "policy_refused"
    assert desk.pays(1_000) == S.DECLINED
    assert desk.decisions["policy"].tolist() == [1]


def test_disarmed_nothing_is_decided(desk: Desk) -> None:
    """A policy that is taken back decides nothing more; a later one has a larger version."""
    desk.arms(1, rules_of(1, LARGE))
    desk.disarms()
    assert desk.pays(1_000) == S.CREATED
    desk.arms(2, rules_of(2, LARGE))
    assert desk.pays(1_000) == S.DECLINED


# -- trust, shadows, calibration -----------------------------------------------------------


def test_what_is_trusted_skips_the_score_and_says_so(desk: Desk) -> None:
    """No model is asked, rules that read a score say nothing, and all others decide as ever."""
    desk.promotes(made_model())
    rules = rules_of(1, {"when": "score.risk > 0"}, LARGE)
    desk.arms(1, rules, scores={"risk": {"model": "risk_model"}}, trusted="payee == id('101')")
    assert desk.pays(5, payee=101) == S.CREATED
    assert desk.pays(5, payee=102) == S.DECLINED
    assert desk.pays(1_000, payee=101) == S.DECLINED
    rows = desk.decisions
    assert rows["path"].tolist() == [layout.TRUSTED, 0, layout.TRUSTED]
    assert rows["model_0"].tolist() == [0, int(made_model().hash[:16], 16), 0]
    assert np.isnan(rows["score_0"]).tolist() == [True, False, True]


def test_a_shadow_is_recorded_and_changes_nothing(desk: Desk) -> None:
    """Its score stands in the row; where it is missing nothing happens, and its rules are looked at only."""
    watched = {"when": "score.rival > 0", "enabled": False}
    desk.arms(1, rules_of(1, watched), scores={"rival": {"model": "risk_model", "alias": "shadow"}})
    assert desk.pays(5) == S.CREATED
    desk.promotes(made_model(1), Alias.SHADOW)
    assert desk.pays(5) == S.CREATED
    rows = desk.decisions
    assert np.isnan(rows["score_1"]).tolist() == [True, False]
    assert rows["rules_true"].tolist() == [0, 1]


def test_an_isotonic_chance_is_that_of_its_calibration(desk: Desk) -> None:
    """Rules read the calibrated chance: a limit between two chances parts them."""
    steps = Calibration("isotonic", scores=(-0.4, 0.0, 0.4), probabilities=(0.1, 0.5, 0.9))
    desk.promotes(made_model(4, calibration=steps))
    desk.arms(1, rules_of(1, {"when": "score.risk > 0.5"}), scores={"risk": {"model": "risk_model"}})
    desk.asks(*random_payments(desk, 11, 60))
    rows = desk.decisions
    chances = steps.apply(rows["score_0"])
    assert (rows["rules_true"] == (chances > 0.5)).all()
    assert 0 < int((chances > 0.5).sum()) < len(rows)


def test_reasons_are_true(desk: Desk) -> None:
    """Every feature that is told as a reason did raise the score; there are four at most, rules first."""
    desk.promotes(made_model())
    rules = rules_of(1, *({"when": f"amount > {least}"} for least in (1, 2, 3)), {"when": "score.risk > 0"})
    desk.arms(1, rules, scores={"risk": {"model": "risk_model"}})
    desk.pays(5)
    reasons = reasons_of(desk.decisions[-1])
    assert reasons[:3] == [1, 2, 3]
    assert len(reasons) == REASONS
    assert reasons[3] > layout.REASON_FEATURE


def test_the_point_must_be_able_to_decide(desk: Desk) -> None:
    """Everything that is told is a known feature set, purpose, and one effect for each outcome."""
    assert POINT.codes == (CODE,)
    assert POINT.reads[0] is RISK
    assert desk.state.decisions.policy_of("payment") is None
    assert desk.clock.now() > START
