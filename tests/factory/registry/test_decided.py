"""Decisions of a real journal: found by payment, place and outcome, and explained by what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from formicary.factory.decisions.policies import point_id
from formicary.factory.engine.state import known_events
from formicary.factory.history.decision_search import DecisionFilter, DecisionSearch
from formicary.factory.journal.access import Access
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import ACCOUNT
from formicary.factory.models.spec import Column, ModelSpec
from formicary.factory.registry import Alias
from formicary.factory.registry.decided import Decisions
from formicary.factory.registry.errors import DecisionNotExplained, DecisionNotFound
from tests.factory.decisions.desk import Desk, made_model, rules_of
from tests.factory.decisions.shop import LOAN, Shop
from tests.factory.journal.kit import owned

LARGE = {"when": "amount > 900"}
SCORES: dict[str, Any] = {
    "risk": {"model": "risk_model"},
    "rival": {"model": "risk_model", "alias": "shadow"},
}
SPEC = ModelSpec(
    name="risk_model",
    owner="tests",
    predicts="The chance of fraud.",
    columns=(Column(name="asked", reason="The amount is high."),),
)


class _Memory:
    """The ledger of a desk, as the command line reaches it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def recorded(self, ids: Sequence[int]) -> Any:
        """Return the rows of ids."""
        rows = self._desk.transfers
        return rows[np.isin(rows["id_low"], ids)]

    def lookup_accounts(self, ids: Sequence[int]) -> Any:
        """Return accounts in the order asked."""
        found = self._desk.state.machine.account_views(ids)
        assert found.dtype == ACCOUNT
        return found


@contextmanager
def decisions_of(desk: Desk, access: Access, products: Any = None) -> Iterator[Decisions]:
    """Write a desk's journal to a real one; yield its decisions."""
    with owned(access) as journal:
        for batch in desk.journal.batches:
            journal.append(batch)
    products = tuple(desk.new_state().products.values()) if products is None else products
    reader = JournalReader(access, upcasters=known_events(products))
    with closing(reader), closing(DecisionSearch(access)) as search:
        yield Decisions(reader, search, products, lambda: _Memory(desk), {SPEC.name: SPEC})


def test_a_decision_is_found_by_its_transfer_and_its_place(tmp_path: Path, access: Access) -> None:
    """The two positions of a pair lead to the same; nothing else does."""
    desk = Shop(tmp_path)
    before = desk.transfer(100, 101, 5)
    desk.asks(before)
    desk.arms(1, rules_of(1, LARGE))
    payment, declined = desk.transfer(100, 101, 5), desk.transfer(100, 101, 1_000)
    desk.asks(payment, declined)
    with decisions_of(desk, access) as decisions:
        found = decisions.of_transfer(declined.id)
        place = int(found.decision["position"])
        assert (found.point, found.outcome) == ("payment", "reject")
        assert found.transfer["id_low"] == declined.id
        for position in (place, place + 1):
            assert decisions.at(position).decision["position"] == place
        assert decisions.at(place - 1).transfer["id_low"] == payment.id
        for position in (0, 1, place + 2, 10**15):
            with pytest.raises(DecisionNotFound, match="no decision at position"):
                decisions.at(position)
        with pytest.raises(DecisionNotFound, match="no transfer with this id"):
            decisions.of_transfer(10**9)
        with pytest.raises(DecisionNotFound, match="nothing was decided about the transfer"):
            decisions.of_transfer(before.id)


def test_decisions_are_listed_by_what_came_of_them(tmp_path: Path, small_segments: Access) -> None:
    """The newest first, over segments, by point, outcome, policy and time, as many as asked for."""
    desk = Shop(tmp_path)
    desk.arms(1, rules_of(1, LARGE))
    desk.lends_by(1, "sum > 100")
    for moved in (*range(880, 920, 2), 950):
        desk.pays(moved)
    desk.arms(2, rules_of(2, LARGE | {"outcome": "hold"}))
    desk.asks(desk.transfer(1, 100, 500, code=LOAN), desk.transfer(100, 101, 901))
    late = int(desk.decisions["timestamp"][-2])
    payment, lending = point_id("payment"), point_id("lending")
    with decisions_of(desk, small_segments) as decisions:

        def found(**wanted: Any) -> list[tuple[str, str]]:
            rows = decisions.newest(DecisionFilter(**wanted))
            positions = [int(one.decision["position"]) for one in rows]
            assert positions == sorted(positions, reverse=True)
            assert all(one.transfer["position"] == one.decision["position"] + 1 for one in rows)
            return [(one.point, one.outcome) for one in rows]

        assert len(found()) == 23
        assert found(limit=2) == [("payment", "hold"), ("lending", "reject")]
        assert found(points=(lending,)) == [("lending", "reject")]
        assert len(found(points=(payment, lending))) == 23
        assert found(outcomes=((payment, 3),)) == [("payment", "reject")] * 10
        assert found(outcomes=((payment, 3), (lending, 1)), limit=1) == [("lending", "reject")]
        assert found(policy=2) == [("payment", "hold")]
        assert found(timestamp_min=late) == [("payment", "hold"), ("lending", "reject")]
        assert found(timestamp_min=late + 10**12) == []


def test_a_decision_is_explained_by_the_policy_and_models_of_its_time(tmp_path: Path, access: Access) -> None:
    """Not by those of today; versions and sentences are those of the registry and the specifications."""
    desk = Shop(tmp_path)
    desk.promotes(made_model(1))
    desk.promotes(made_model(2), Alias.SHADOW)
    desk.arms(1, rules_of(1, {"when": "score.risk > 0.01"}), scores=SCORES)
    desk.pays(700)
    desk.promotes(made_model(3))
    desk.arms(2, rules_of(2, LARGE), scores=SCORES, trusted="amount < 50")
    desk.pays(30)
    desk.lends_by(1, "sum > 100")
    desk.asks(desk.transfer(1, 100, 50, code=LOAN))
    with decisions_of(desk, access) as decisions:
        loan, trusted, first = decisions.newest(DecisionFilter())
        told = decisions.explain(first)
        assert (told.policy, told.disagreements) == (1, ())
        positions = {event.position for batch in desk.journal.batches for event in batch.events}
        assert told.policy_since in positions
        assert [(one.score, one.version) for one in told.scores] == [("risk", 1), ("rival", 2)]
        assert told.scores[0].model_hash == made_model(1).hash[:16]
        assert all(reason.startswith(("The amount is high. (asked", "The ")) for reason in told.reasons)
        known = decisions.explain(trusted)
        assert (known.policy, known.path, known.disagreements) == (2, ("trusted",), ())
        assert [one.raw for one in known.scores] == [None, None]
        assert decisions.explain(loan).scores == ()


def test_a_score_that_the_policy_does_not_ask_for_is_not_explained(tmp_path: Path, access: Access) -> None:
    """A point may have more scores than a policy reads."""
    desk = Shop(tmp_path)
    desk.promotes(made_model(1))
    desk.arms(1, rules_of(1, LARGE), scores={"risk": SCORES["risk"]})
    desk.pays(700)
    with decisions_of(desk, access) as decisions:
        (found,) = decisions.newest(DecisionFilter())
        told = decisions.explain(found)
    assert [(one.score, one.version) for one in told.scores] == [("risk", 1)]
    assert told.disagreements == ()


def test_a_challenger_is_told_from_the_champion_of_its_time(tmp_path: Path, access: Access) -> None:
    """Also after the challenger has become champion; a shadow looks on, whoever it is."""
    desk = Shop(tmp_path)
    desk.promotes(made_model(1))
    for alias in (Alias.CHALLENGER, Alias.SHADOW):
        desk.promotes(made_model(2), alias)
    desk.arms(1, rules_of(1, {"when": "score.risk > 0.01"}), scores=SCORES)
    desk.pays(700)
    assert desk.tries_out(1_000_000) == ""
    desk.pays(700)
    desk.promotes(made_model(2))
    desk.pays(700)
    with decisions_of(desk, access) as decisions:
        told = [decisions.explain(one) for one in decisions.newest(DecisionFilter())]
    assert [one.disagreements for one in told] == [()] * 3
    assert [[(one.alias, one.version) for one in each.scores] for each in told] == [
        [("champion", 2), ("shadow", 2)],
        [("challenger", 2), ("shadow", 2)],
        [("champion", 1), ("shadow", 2)],
    ]


@pytest.mark.parametrize(
    ("share", "challenger", "asked"),
    [
        (1_000_000, made_model(2), made_model(2)),
        (1, made_model(2), made_model(1)),
        (1_000_000, made_model(7, columns=("height", "asked")), made_model(1)),
    ],
    ids=["of all", "of hardly anyone", "it cannot score"],
)
def test_what_was_trusted_is_told_by_the_model_that_would_have_been_asked(
    tmp_path: Path, access: Access, share: int, challenger: Any, asked: Any
) -> None:
    """Without trust the party's own would have scored: the challenger where it was on trial."""
    desk = Shop(tmp_path)
    desk.promotes(made_model(1))
    desk.promotes(challenger, Alias.CHALLENGER)
    assert desk.tries_out(share) == ""
    desk.arms(1, rules_of(1, {"when": "score.risk > 0"}), scores=SCORES, trusted="amount < 50")
    desk.pays(30)
    desk.promotes(made_model(3))
    with decisions_of(desk, access) as decisions:
        (found,) = decisions.newest(DecisionFilter())
        policy, armed = decisions._armed(found)
        models, _ = decisions._models(found, armed)
    assert policy.version == 1
    assert {name: one.model.hash for name, one in models.items()} == {"risk": asked.hash}


def test_a_model_that_is_not_there_leaves_its_score(tmp_path: Path, access: Access) -> None:
    """An alias that no version has gives none, and what cannot score here is not asked again."""
    desk = Shop(tmp_path)
    desk.promotes(made_model(7, columns=("height", "asked")))
    desk.arms(1, rules_of(1, LARGE), scores=SCORES, trusted="amount < 50")
    desk.pays(30)
    desk.pays(60)
    with decisions_of(desk, access) as decisions:
        missing, trusted = (decisions.explain(one) for one in decisions.newest(DecisionFilter()))
    assert (missing.path, missing.disagreements) == (("no_score",), ())
    assert (trusted.path, trusted.disagreements) == (("trusted",), ())


def test_what_this_release_does_not_know_is_not_explained(tmp_path: Path, access: Access) -> None:
    """A point of another release, a policy that is not in the journal, or one that does not compile."""
    desk = Shop(tmp_path)
    desk.arms(1, rules_of(1, LARGE))
    desk.pays(5)
    registry, *others = desk.new_state().products.values()
    with decisions_of(desk, access, (registry, *others[1:])) as decisions:
        (found,) = decisions.newest(DecisionFilter())
        assert (found.point, found.outcome) == ("", "")
        with pytest.raises(DecisionNotExplained, match="is none of this release"):
            decisions.explain(found)


@pytest.mark.parametrize("how", ["gone", "broken"])
def test_a_policy_that_is_not_as_it_was(tmp_path: Path, access: Access, how: str) -> None:
    """Versions are asked for by their number; a text is compiled anew."""
    desk = Shop(tmp_path)
    desk.arms(1, rules_of(1, LARGE))
    desk.pays(5)
    body = {"gone": {"version": 9}, "broken": {"rules": "rules: {"}}[how]
    for number, batch in enumerate(desk.journal.batches):
        events = [
            replace(event, body=msgspec.json.encode(msgspec.json.decode(event.body) | body))
            if event.kind == "registry.PolicyArmed"
            else event
            for event in batch.events
        ]
        desk.journal.batches[number] = replace(batch, events=tuple(events))
    with decisions_of(desk, access) as decisions:
        (found,) = decisions.newest(DecisionFilter())
        says = {"gone": "holds no policy of version 1 for payment", "broken": "does not compile here"}[how]
        with pytest.raises(DecisionNotExplained, match=says):
            decisions.explain(found)
