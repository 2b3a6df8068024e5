"""Decisions of the journal with the policy and the models that took them, found in the journal as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from formicary.base.lots import lots
from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.asked_again import AskedAgain, asking_event
from formicary.factory.decisions.errors import RuleRefused
from formicary.factory.decisions.explaining import explained
from formicary.factory.decisions.explanation import Explanation
from formicary.factory.decisions.policies import ArmedPolicy, Score, compile_policy, point_id
from formicary.factory.decisions.usable import Usable, trial_salt, usable_at
from formicary.factory.engine.products import Product
from formicary.factory.features.compiler import Compiled, compiled
from formicary.factory.history.decision_search import DecisionFilter, DecisionSearch
from formicary.factory.journal.events import Event
from formicary.factory.journal.reader import JournalReader
from formicary.factory.ledger import id_column
from formicary.factory.models.errors import ModelRefused
from formicary.factory.models.model import Model
from formicary.factory.models.spec import ModelSpec
from formicary.factory.registry.errors import DecisionNotExplained, DecisionNotFound
from formicary.factory.registry.messages import NOTHING, Alias
from formicary.factory.registry.reading import (
    ModelVersion,
    PolicyChange,
    alias_history,
    model_bytes,
    model_events,
    policy_events,
    policy_history,
    trial_history,
    versions,
    which,
)

__all__ = ["DecidedTransfer", "Decisions", "LedgerLook"]

Rows = npt.NDArray[Any]


class LedgerLook(Protocol):
    """What is asked of the ledger: ids are found in its memory."""

    def recorded(self, ids: Sequence[int]) -> Rows:
        """Return what the journal says of ids of transfers, (n,) of ``TRANSFER_ROW``."""
        ...

    def lookup_accounts(self, ids: Sequence[int]) -> Rows:
        """Return the accounts that exist, in the order asked, (n,) of ``ACCOUNT``."""
        ...


@dataclass(frozen=True, kw_only=True, eq=False)
class DecidedTransfer:
    """A decision's row and that of its transfer; names of its point and outcome, empty for unknown ones."""

    decision: Any
    transfer: Any
    point: str
    outcome: str


class Decisions:
    """The decisions of a journal. For one thread at a time.

    Parameters
    ----------
    reader, search
        The journal, with the event kinds that this release knows.
    products
        The products whose decision points and features there are.
    ledger
        Returns the ledger to ask; called when it is first needed.
    specs
        Specifications of models by name: what is said of their columns.
    """

    def __init__(
        self,
        reader: JournalReader,
        search: DecisionSearch,
        products: Sequence[Product],
        ledger: Callable[[], LedgerLook],
        specs: Mapping[str, ModelSpec],
    ) -> None:
        self._reader = reader
        self._search = search
        self._products = products
        self._ledger = ledger
        self._sentences = {
            spec.name: {column.name: column.reason for column in spec.columns} for spec in specs.values()
        }
        self.points = {
            point_id(point.name): point for product in products for point in product.decision_points
        }
        """The decision points by their numbers."""

    # -- finding ---------------------------------------------------------------------------

    def newest(self, wanted: DecisionFilter) -> list[DecidedTransfer]:
        """Return decisions that match, the newest first."""
        decisions = self._search.newest(wanted)
        transfers = self._reader.transfers_at(decisions["position"] + 1)
        return [self._named(*pair) for pair in zip(decisions, transfers, strict=True)]

    def of_transfer(self, transfer_id: int) -> DecidedTransfer:
        """Return the decision about a transfer.

        Raises
        ------
        DecisionNotFound
            There is no such transfer, or nothing was decided about it.
        """
        rows = self._ledger().recorded([transfer_id])
        if not len(rows):
            message = "there is no transfer with this id"
            raise DecisionNotFound(message)
        return self._about(rows)

    def at(self, position: int) -> DecidedTransfer:
        """Return the decision at a position, or that about the transfer there.

        Raises
        ------
        DecisionNotFound
            It is the position of something else.
        """
        # First its own position, then that of its transfer.
        asked = (position + 1, position) if 1 <= position <= self._reader.head() else ()
        for one in asked:
            found = self._reader.decisions_before(np.array([one]))
            if len(found):
                return self._named(found[0], self._reader.transfers_at(np.array([one]))[0])
        message = f"there is no decision at position {position}, and none about what stands there"
        raise DecisionNotFound(message)

    def _about(self, transfers: Rows) -> DecidedTransfer:
        found = self._reader.decisions_before(np.ascontiguousarray(transfers["position"]))
        if not len(found):
            message = f"nothing was decided about the transfer at position {transfers['position'][0]}"
            raise DecisionNotFound(message)
        return self._named(found[0], transfers[0])

    def _named(self, decision: Any, transfer: Any) -> DecidedTransfer:
        point = self.points.get(int(decision["point"]))
        outcomes = point.outcomes if point else ()
        place = int(decision["outcome"])
        return DecidedTransfer(
            decision=decision,
            transfer=transfer,
            point=point.name if point else "",
            outcome=outcomes[place] if place < len(outcomes) else "",
        )

    # -- explaining ------------------------------------------------------------------------

    def explain(self, found: DecidedTransfer) -> Explanation:
        """Explain a decision by the policy, the features and the models that took it.

        Raises
        ------
        DecisionNotExplained
            Its decision point or its policy is none of this release's.
        """
        policy, armed = self._armed(found)
        models, numbers = self._models(found, armed)
        asked = AskedAgain(
            found.decision,
            found.transfer,
            holders=self._holders(found.transfer),
            armed=armed,
            compiled=self._compiled,
            models=models,
        )
        return explained(
            found.decision,
            found.transfer,
            asked,
            since=policy.position,
            versions=numbers,
            sentences=self._sentences,
            tried=self._tried(found, armed),
        )

    @cached_property
    def _compiled(self) -> Compiled:
        return compiled(tuple(one for product in self._products for one in product.features))

    @cached_property
    def _model_events(self) -> list[Event]:
        return model_events(self._reader)

    def _armed(self, found: DecidedTransfer) -> tuple[PolicyChange, ArmedPolicy]:
        """Return the policy that took a decision: versions of a point only grow, so that there is one."""
        point, version = self.points.get(int(found.decision["point"])), int(found.decision["policy"])
        if point is None:
            message = (
                f"its decision point, number {int(found.decision['point']):016x}, is none of this release"
            )
            raise DecisionNotExplained(message)
        changes = policy_history(policy_events(self._reader), point.name)
        policy = next((one for one in changes if one.version == version), None)
        if policy is None:
            message = f"the journal holds no policy of version {version} for {point.name}"
            raise DecisionNotExplained(message)
        try:
            return policy, compile_policy(point, policy.policy, policy.rules)
        except RuleRefused as refused:
            message = f"version {version} of the policy for {point.name} does not compile here: {refused}"
            raise DecisionNotExplained(message) from refused

    def _holders(self, transfer: Any) -> tuple[int, int]:
        row = np.array([transfer], transfer.dtype)
        sides = [id_column(row, f"{side}_account_id")[0] for side in ("debit", "credit")]
        known = self._ledger().lookup_accounts(sides)
        holders = dict(zip(id_column(known), id_column(known, "user_data_128"), strict=True))
        return holders.get(sides[0], 0), holders.get(sides[1], 0)

    def _models(self, found: DecidedTransfer, armed: ArmedPolicy) -> tuple[dict[str, Usable], dict[str, int]]:
        """Return the models of a decision's scores, and the numbers of their versions by hash."""
        models, numbers = dict[str, Usable](), dict[str, int]()
        for place, name in enumerate(armed.point.scores):
            score = armed.policy.scores.get(name)
            for version in self._versions_of(found, armed, place, score):
                # A model that cannot be read, or not here, gave no score.
                with suppress(ModelRefused):
                    stored = model_bytes(self._reader, version)
                    model = Model.from_bytes(stored, expected_hash=version.hash)
                    usable = usable_at(model, armed.point)
                    if isinstance(usable, Usable):
                        models[name] = usable
                        numbers[version.hash] = version.version
        return models, numbers

    def _tried(self, found: DecidedTransfer, armed: ArmedPolicy) -> frozenset[str]:
        """Return the scores that a challenger gave in the champion's place."""
        tried = set[str]()
        for place, name in enumerate(armed.point.scores):
            score, word = armed.policy.scores.get(name), int(found.decision[f"model_{place}"])
            if score is None or score.only_looks:
                continue
            history = alias_history(self._model_events, score.model)
            had = {
                alias: which(history, alias, position=int(found.decision["position"]))
                for alias in (Alias.CHAMPION, Alias.CHALLENGER)
            }
            gave = [alias for alias, one in had.items() if one and int(one.hash[:16], 16) == word]
            if gave == [Alias.CHALLENGER]:
                tried.add(name)
        return frozenset(tried)

    def _versions_of(
        self, found: DecidedTransfer, armed: ArmedPolicy, place: int, score: Score | None
    ) -> Iterator[ModelVersion]:
        """Yield the version that gave a score; where it was trusted, the one that would have.

        A challenger comes after the champion, in whose place it would have been asked if it can score.
        """
        if score is None:
            return
        decision = found.decision
        recorded = int(decision[f"model_{place}"])
        known = [one for one in versions(self._model_events) if one.model == score.model]
        if recorded:
            yield from (one for one in known if int(one.hash[:16], 16) == recorded)
        elif int(decision["path"]) & layout.TRUSTED:
            history = alias_history(self._model_events, score.model)
            move = which(history, Alias(score.alias), position=int(decision["position"]))
            yield from (one for one in known if move is not None and one.hash == move.hash)
            tried = "" if score.only_looks else self._on_trial(found, armed, score.model)
            yield from (one for one in known if one.hash == tried)

    def _on_trial(self, found: DecidedTransfer, armed: ArmedPolicy, model: str) -> str:
        """Return the hash of the challenger that was tried out on the party then, empty for none."""
        position = int(found.decision["position"])
        changes = [one for one in trial_history(self._model_events, model) if one.position <= position]
        if not changes or armed.point.party_column < 0:
            return NOTHING
        trial = changes[-1]
        event = asking_event(self._compiled, armed.point, found.transfer, self._holders(found.transfer))
        party = np.ascontiguousarray(event.ids[:, armed.point.party_column]).view(np.uint64)
        is_in = party.any() and lots(party, trial_salt(model, trial.hash))[0] < trial.share
        return trial.hash if is_in else NOTHING
