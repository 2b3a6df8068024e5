"""Decisions of a shop's journal in memory, with all that explains them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np

from formicary.factory.decisions import _judge_layout as layout
from formicary.factory.decisions.asked_again import AskedAgain
from formicary.factory.decisions.explaining import explained
from formicary.factory.decisions.explanation import Explanation
from formicary.factory.decisions.judges import Usable, usable_at
from formicary.factory.decisions.live import POLICY_ARMED
from formicary.factory.decisions.policies import ArmedPolicy, compile_policy, point_id
from formicary.factory.journal.blocks import Block
from formicary.factory.models.model import Model
from tests.factory.decisions.desk import Desk, made_model
from tests.factory.decisions.shop import POINTS, features_compiled
from tests.factory.features.training_kit import source_of

__all__ = ["Explained"]


class Explained:
    """Explains decisions of a journal in memory, whose accounts are held by parties of the same number."""

    def __init__(self, shop: Desk, *, models: tuple[Model, ...] = (), whole: Block | None = None) -> None:
        self.whole = source_of(shop.journal).whole if whole is None else whole
        self._models = {int(one.hash[:16], 16): one for one in (*models, *map(made_model, (1, 2, 3)))}
        self._points = {point_id(name): point for name, point in POINTS.items()}

    def asked(self, place: int) -> AskedAgain:
        """Return a decision by its place, to be asked again."""
        decision, transfer = self.rows(place)
        armed = self._armed(decision)
        return AskedAgain(
            decision,
            transfer,
            holders=(int(transfer["debit_account_id_low"]), int(transfer["credit_account_id_low"])),
            armed=armed,
            compiled=features_compiled(),
            models=self._usable(decision, armed),
        )

    def explained(self, place: int, **given: Any) -> Explanation:
        """Explain a decision by its place."""
        return explained(*self.rows(place), self.asked(place), **given)

    def rows(self, place: int) -> tuple[Any, Any]:
        """Return a decision and its transfer."""
        decision, transfers = self.whole.decisions[place], self.whole.transfers
        return decision, transfers[np.searchsorted(transfers["position"], decision["position"] + 1)]

    def _armed(self, decision: Any) -> ArmedPolicy:
        point = self._points[int(decision["point"])]
        told = [msgspec.json.decode(one.body) for one in self.whole.events if one.kind == POLICY_ARMED]
        (own,) = [
            one for one in told if (one["point"], one["version"]) == (point.name, int(decision["policy"]))
        ]
        return compile_policy(point, own["policy"], own["rules"])

    def _usable(self, decision: Any, armed: ArmedPolicy) -> Mapping[str, Usable]:
        found: dict[str, Usable] = {}
        for place, name in enumerate(armed.point.scores):
            model = self._models.get(int(decision[f"model_{place}"]))
            if model is None and int(decision["path"]) & layout.TRUSTED:
                model = made_model(1)
            usable = usable_at(model, armed.point) if model is not None else ""
            if isinstance(usable, Usable):
                found[name] = usable
        return found
