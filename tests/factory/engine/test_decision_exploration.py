"""Exploration: what may pass by lot, what never does, how much of it, and the chance that is recorded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pytest

from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.policies import policy_findings
from formicary.factory.engine.engine import Engine
from formicary.factory.engine.requests import LedgerRequest
from formicary.factory.ledger import CreateTransferStatus as S
from formicary.factory.ledger import TransferFlags, id_column, transfer_array
from tests.factory.decisions.desk import (
    FEE,
    POINT,
    SECOND,
    Desk,
    made_model,
    reasons_of,
    rules_of,
)
from tests.factory.decisions.lot_kit import lot_of

SHARE: Final = 100_000
RISKY: Final = {"when": "score.risk > 0"}
"""It holds of every chance that there is."""
RISK: Final = {"risk": {"model": "risk_model"}}
DAY: Final = 86_400 * SECOND


def explores(**other: Any) -> dict[str, Any]:
    """Return what a policy explores, but for what is given."""
    found = {"share": SHARE, "of": ["reject"], "then": "allow", "amount_max": 1_000, "count": 1_000}
    return {"scores": RISK, "explore": found | other}


def drawn(desk: Desk, version: int = 1, share: int = SHARE) -> Any:
    """Return which of the transfers that were decided about have a lot that lets them pass."""
    texts = [told["policy"] for told in desk.events("registry.PolicyArmed") if told["version"] == version]
    drawn_for = f"explored at payment by version {version}: {texts[0]}"
    lots = [lot_of(one, drawn_for) for one in id_column(desk.transfers[-len(desk.decisions) :])]
    return np.array(lots) < share


def asks(desk: Desk, count: int = 100, moved: int = 5, **other: Any) -> list[int]:
    """Ask for payments of one amount; return their statuses."""
    return desk.asks(*(desk.transfer(100, 101, moved, **other) for _ in range(count)))


@pytest.fixture
def scored(desk: Desk) -> Desk:
    """Give a desk with a champion."""
    desk.promotes(made_model(1))
    desk.clock.advance(DAY - desk.clock.now() % DAY)
    return desk


def none_was_explored(desk: Desk) -> bool:
    """Tell whether every outcome was certain, although lots were drawn that would have let it pass."""
    rows = desk.decisions
    assert drawn(desk).any()
    return bool((rows["path"] & layout.EXPLORED == 0).all() and (rows["propensity"] == 1.0).all())


# -- what may pass -------------------------------------------------------------------------


def test_a_share_passes_by_lot_and_its_chance_is_recorded(scored: Desk) -> None:
    """What is drawn is made; of both the row says how probable they were; the rest is refused as ever."""
    scored.arms(1, rules_of(1, RISKY), **explores())
    before, _ = scored.balance(100)
    statuses = asks(scored, 150)
    is_drawn = drawn(scored)
    rows = scored.decisions
    assert statuses == [S.CREATED if passed else S.DECLINED for passed in is_drawn]
    assert 5 < is_drawn.sum() < 40
    assert rows["propensity"].tolist() == [0.1 if passed else 0.9 for passed in is_drawn]
    assert rows["path"].tolist() == [layout.EXPLORED if passed else 0 for passed in is_drawn]
    assert scored.balance(100)[0] == before - 5 * is_drawn.sum()
    assert {bool(reasons_of(row)) for row in rows[~is_drawn]} == {True}
    assert [reasons_of(row) for row in rows[is_drawn]] == [[]] * int(is_drawn.sum())


def test_what_is_let_off_with_less_is_told_why(scored: Desk) -> None:
    """Of a check in place of a rejection the reasons are those of the rejection."""
    scored.arms(1, rules_of(1, RISKY), **explores(then="confirm"))
    statuses = asks(scored)
    is_drawn = drawn(scored)
    assert statuses == [S.STEP_UP_REQUIRED if one else S.DECLINED for one in is_drawn]
    rows = scored.decisions
    features = [[reason & layout.REASON_FEATURE for reason in reasons_of(row)] for row in rows]
    assert all(features) and is_drawn.any()  # noqa: PT018, both
    # Nothing moved before them in either case: what is known, and so why, is the same.
    assert len({tuple(reasons_of(row)) for row in rows}) == 1


def test_rules_without_scores_may_say_as_much_as_comes_out(scored: Desk) -> None:
    """A check that another rule wants is what exploration gives at least."""
    check = {"when": "amount > 1", "outcome": "confirm"}
    scored.arms(1, rules_of(1, RISKY, check), **explores(then="confirm"))
    statuses = asks(scored)
    assert statuses == [S.STEP_UP_REQUIRED if one else S.DECLINED for one in drawn(scored)]


def test_a_repeat_draws_no_lot_again(scored: Desk) -> None:
    """It has its first answer; another attempt is another transfer."""
    scored.arms(1, rules_of(1, RISKY), **explores())
    payments = [scored.transfer(100, 101, 5) for _ in range(60)]
    first = scored.asks(*payments)
    assert {S.CREATED, S.DECLINED} == set(first)
    again = scored.asks(*payments)
    assert again == [S.EXISTS if one == S.CREATED else S.ID_ALREADY_FAILED for one in first]
    assert len(scored.decisions) == 60


# -- what never does -----------------------------------------------------------------------

UNTOLD: Final = {"when": "since_pair > 5"}


@pytest.mark.parametrize(
    ("rules", "policy"),
    [
        ([RISKY, {"when": "amount > 1"}], {}),
        ([RISKY, {"when": "amount > 1", "outcome": "hold"}], {}),
        ([RISKY, UNTOLD | {"if_unknown": "hold"}], {}),
        ([RISKY, UNTOLD | {"if_unknown": "reject"}], {}),
        ([{"when": "score.risk > 0 and since_pair > 5", "if_unknown": "reject"}], {}),
        ([RISKY], {"scores": {}}),
        ([RISKY | {"outcome": "hold"}], {}),
        ([RISKY | {"enabled": False}], {}),
        ([RISKY], explores(amount_max=4)),
        ([RISKY], explores(count=0)),
        ([RISKY], {"trusted": "amount > 1"}),
        ([RISKY], {"caps": [{"name": "c", "outcome": "reject", "count": 0, "then": "hold"}]}),
        ([RISKY], {"caps": [{"name": "c", "outcome": "allow", "count": 0, "then": "hold"}]}),
        ([RISKY], {"caps": [{"name": "c", "outcome": "allow", "amount": 4, "then": "hold"}]}),
    ],
    ids=[
        "a rule without scores rejects it too",
        "a rule without scores holds it",
        "a rule without scores cannot be told",
        "a rule without scores that cannot be told rejects it",
        "a rule with a score that cannot be told rejects it",
        "there is no score",
        "an outcome that does not give way",
        "a rule that is looked at only",
        "too much money",
        "none may pass",
        "what is trusted",
        "a cap gave the outcome",
        "a cap lets none pass",
        "a cap lets no such amount pass",
    ],
)
def test_what_is_never_explored(scored: Desk, rules: list[Any], policy: dict[str, Any]) -> None:
    """Its outcome is certain, and so recorded, whatever its lot."""
    scored.arms(1, rules_of(1, *rules), **(explores(of=["reject"]) | policy))
    assert len(set(asks(scored, 60))) == 1
    assert none_was_explored(scored)


def test_a_score_that_is_missing_is_never_explored(scored: Desk) -> None:
    """The safe outcome is held by nobody's score, also where it is one that may give way."""
    scored.promotes(None)
    scored.arms(1, rules_of(1, RISKY | {"if_unknown": "reject"}), **explores(of=["hold", "reject"]))
    assert set(asks(scored, 60)) == {S.DECLINED}
    assert none_was_explored(scored)


# -- how much of it ------------------------------------------------------------------------


def test_no_more_than_so_many_pass_in_a_period(scored: Desk) -> None:
    """Then outcomes are certain again, whatever the lot, until the next period begins."""
    scored.arms(1, rules_of(1, RISKY), **explores(count=2, seconds=3_600))
    asks(scored)
    scored.clock.advance(3_600 * SECOND)
    asks(scored)
    is_drawn, rows = drawn(scored), scored.decisions
    for half in (slice(0, 100), slice(100, 200)):
        places = np.flatnonzero(is_drawn[half])
        assert len(places) > 3
        last = int(places[1])
        own = rows[half]
        assert np.flatnonzero(own["path"] & layout.EXPLORED).tolist() == places[:2].tolist()
        assert set(own["propensity"][: last + 1].tolist()) == {0.1, 0.9}
        assert set(own["propensity"][last + 1 :].tolist()) == {1.0}
    assert scored.state.judges is not None
    (counted,) = scored.state.judges.counted.values()
    assert counted[layout.COUNTED] == 2
    assert counted[layout.COUNTED_AMOUNT] == 10


def test_what_a_chain_undoes_is_not_counted(scored: Desk) -> None:
    """It passed by lot, and the ledger broke its chain: nothing of it is there."""
    scored.arms(1, rules_of(1, RISKY), **explores(count=1, seconds=86_400))
    for _ in range(60):
        linked = scored.transfer(100, 101, 5, flags=TransferFlags.LINKED)
        # More than there is.
        scored.asks(linked, scored.transfer(101, 102, 2 * 10**9, code=FEE))
    assert not (scored.decisions["path"] & layout.EXPLORED).any()
    asks(scored)
    assert int((scored.decisions["path"] & layout.EXPLORED > 0).sum()) == 1


def test_caps_count_what_passed_by_lot(scored: Desk) -> None:
    """As anything with its outcome: what is let pass together stays below its cap."""
    caps = [{"name": "few", "outcome": "allow", "seconds": 86_400, "count": 3, "then": "hold"}]
    scored.arms(1, rules_of(1, RISKY), caps=caps, **explores())
    asks(scored, 120)
    assert drawn(scored).sum() > 3
    assert int((scored.decisions["effect"] == 0).sum()) == 3
    assert set(scored.decisions["cap"].tolist()) == {0}


# -- whatever cuts, folds and snapshots ----------------------------------------------------


def test_rows_do_not_depend_on_where_groups_were_cut(tmp_path: Path) -> None:
    """Lots are arguments, and the number that passed is counted event by event."""
    rows = []
    for seed in range(3):
        desk = Desk(tmp_path / str(seed))
        desk.promotes(made_model(1))
        desk.arms(1, rules_of(1, RISKY), **explores(count=6))
        payments = [desk.transfer(100, 101, 5) for _ in range(200)]
        chance, at = np.random.default_rng(seed), 0
        while at < len(payments):
            size = len(payments) if seed == 0 else int(chance.integers(1, 50))
            desk.engine.execute([LedgerRequest(transfer_array(payments[at : at + size]))])
            at += size
        assert int((desk.decisions["path"] & layout.EXPLORED > 0).sum()) == 6
        rows.append(desk.decisions.tobytes())
    assert rows[0] == rows[1] == rows[2]


def test_folds_snapshots_and_recovery_go_on_counting(scored: Desk) -> None:
    """Whoever takes over lets as many more pass as the one before would have."""
    scored.arms(1, rules_of(1, RISKY), **explores(count=9))
    asks(scored, 50)
    restored = scored.new_state()
    restored.restore(scored.state.sections())
    recovered = Engine(scored.journal, scored.new_state, scored.clock)
    recovered.recover()
    own = scored.state.judges
    assert own is not None
    assert own.counted["payment 1 (explored)"][layout.COUNTED] > 1
    for state in (restored, recovered.state):
        assert state.judges is not None
        assert state.judges.counted == own.counted
        assert state.state_hash == scored.state.state_hash


def test_a_policy_that_does_not_compile_any_more_counts_nothing(scored: Desk) -> None:
    """Rows that an older release explored are folded by one whose policy is closed."""
    scored.arms(1, rules_of(1, RISKY), **explores())
    asks(scored)
    assert (scored.decisions["path"] & layout.EXPLORED).any()
    state = scored.new_state()
    for batch in scored.journal.batches:
        events = [
            replace(event, body=event.body.replace(b"score.risk > 0", b"gone_away > 0"))
            for event in batch.events
        ]
        state.fold(batch.accounts, batch.transfers, events, until=batch.last, decisions=batch.decisions)
    assert "gone_away" in state.decisions.unusable["payment"]
    assert state.judges is not None
    assert state.judges.counted == {}


# -- what a policy may say -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "found"),
    [
        ({}, ""),
        ({"share": 100_001}, "at most 100,000 millionths of what is refused, not 100,001"),
        ({"share": 0}, "cannot be read"),
        ({"of": []}, "cannot be read"),
        ({"of": ["explode"]}, "payment has no outcome 'explode'"),
        ({"then": "explode"}, "payment has no outcome 'explode'"),
        ({"then": "reject"}, "reject is no less severe than reject"),
        ({"of": ["reject", "hold"], "then": "hold"}, "hold is no less severe than hold"),
        ({"of": ["confirm"], "then": "hold"}, "hold is no less severe than confirm"),
        ({"amount_max": None}, "cannot be read"),
    ],
)
def test_what_a_policy_may_explore(changed: dict[str, Any], found: str) -> None:
    """Little, known outcomes, and a less severe one than those that give way, within limits."""
    explore = explores(**changed)["explore"]
    policy = msgspec.json.encode({"name": "p", "version": 1, "explore": explore}).decode()
    told = policy_findings(POINT, policy, rules_of(1, RISKY))
    assert [found in one for one in told] == ([True] if found else [])


def test_a_point_says_whether_a_policy_may_explore() -> None:
    """Where the law asks for the same answer in the same case, chance has no place."""
    policy = msgspec.json.encode({"name": "p", "version": 1} | explores()).decode()
    (told,) = policy_findings(replace(POINT, may_explore=False), policy, rules_of(1, RISKY))
    assert told == "payment lets no policy explore"


def test_another_version_draws_other_lots(scored: Desk) -> None:
    """Who knows what passed under one policy knows nothing about the next one."""
    scored.arms(1, rules_of(1, RISKY), **explores())
    scored.arms(2, rules_of(2, RISKY), **explores())
    asks(scored)
    first, second = drawn(scored, 1), drawn(scored, 2)
    assert (first != second).any()
    assert (scored.decisions["path"] & layout.EXPLORED > 0).tolist() == second.tolist()
