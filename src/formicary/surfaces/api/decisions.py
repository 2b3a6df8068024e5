"""Decisions in words: read from the journal, told by the policy that took each, however long ago."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from formicary.base.limits import POLICY_TEXTS_MAX
from formicary.factory.decisions.points import DecisionPoint
from formicary.factory.decisions.reasons import PolicyTexts, sentences
from formicary.surfaces.api.ports import Backend, Records

__all__ = ["Decisions", "Told"]


class Told(NamedTuple):
    """What a decision said: its outcome and the reasons, both empty where its policy is no longer known."""

    outcome: str
    reasons: tuple[str, ...]


_UNKNOWN: Final = Told("", ())


class Decisions:
    """Tells decisions.

    Parameters
    ----------
    backend
        Knows what policies say in words.
    points
        The decision points of all products.
    """

    def __init__(self, backend: Backend, points: Iterable[DecisionPoint]) -> None:
        self._backend = backend
        self._sentences = {point.name: point.sentences for point in points}
        # By point and version, which never comes to mean another policy.
        self._texts: dict[tuple[int, int], PolicyTexts] = {}

    async def told(self, decisions: Records) -> list[Told]:
        """Tell decisions (n,) of ``DECISION_ROW``, in that order."""
        policies = zip(decisions["point"].tolist(), decisions["policy"].tolist(), strict=True)
        texts = [await self._texts_of(point, version) for point, version in policies]
        return [self._told(decision, text) for decision, text in zip(decisions, texts, strict=True)]

    def _told(self, decision: Records, texts: PolicyTexts | None) -> Told:
        if texts is None:
            return _UNKNOWN
        of_features = self._sentences.get(texts.point, {})
        return Told(texts.outcomes[int(decision["outcome"])], sentences(decision, texts, of_features))

    async def _texts_of(self, point: int, version: int) -> PolicyTexts | None:
        if (point, version) not in self._texts:
            found = await self._backend.policy_texts(point, version)
            if found is None:
                return None
            if len(self._texts) >= POLICY_TEXTS_MAX:
                self._texts.clear()
            self._texts[point, version] = found
        return self._texts[point, version]
