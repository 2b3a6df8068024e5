"""Documents of costs: what effects do to bad and good rows, and which effect each outcome has.

::

    lost_bp: 9_000
    margin_bp: 150
    step_up_cost: 20
    effects: {confirm_by_code: step_up, confirm_by_device: step_up}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from formicary.factory.decisions._nodes import Nodes
from formicary.factory.decisions.errors import CostsMalformed
from formicary.factory.decisions.money import Costs, Effect
from formicary.factory.decisions.points import DecisionPoint

__all__ = ["effects_of", "read_costs"]

_FIELDS: Final = {**{field.name: False for field in fields(Costs)}, "effects": False}
_WHOLE: Final = re.compile(r"[0-9][0-9_]{0,23}", re.ASCII)
_EFFECTS: Final = {effect.name.lower(): effect for effect in Effect}


def read_costs(text: str, *, file: str = "") -> tuple[Costs, dict[str, Effect]]:
    """Return the costs of a document, and the effects of outcomes that it names.

    Raises
    ------
    CostsMalformed
        The first that is wrong with it.
    """
    reader = _Reader(file, CostsMalformed)
    root = reader.root(text)
    given, effects = reader.document(root) if root is not None else ({}, {})
    if reader.found:
        raise reader.found[0]
    try:
        return Costs(**given), effects
    except CostsMalformed as error:
        raise CostsMalformed(error.said, file=file, line=1) from error


def effects_of(point: DecisionPoint, declared: Mapping[str, Effect], *, file: str = "") -> list[Effect]:
    """Return the effect of each of a decision point's outcomes, in their order.

    It is the declared one; else the one of the same name; else the least severe outcome allows, the most
    severe one rejects, and any other is a step-up.

    Raises
    ------
    CostsMalformed
        An effect is declared of an outcome that there is not.
    """
    for name in declared:
        if name not in point.outcomes:
            message = f"{point.name} has no outcome {name!r}, only {', '.join(point.outcomes)}"
            raise CostsMalformed(message, file=file, line=1)
    ends = {point.outcomes[-1]: Effect.REJECT, point.outcomes[0]: Effect.ALLOW}
    known = ends | _EFFECTS | dict(declared)
    return [known.get(name, Effect.STEP_UP) for name in point.outcomes]


class _Reader(Nodes):
    """One document of costs while it is read."""

    def document(self, root: Any) -> tuple[dict[str, int], dict[str, Effect]]:
        """Read the whole."""
        parts = self.fields(root, _FIELDS, "a document of costs")
        effects: dict[str, Effect] = {}
        for key, value in self.pairs(parts.pop("effects", None), "effects"):
            name, effect = self.text(key), self.text(value)
            if effect in _EFFECTS:
                effects[name] = _EFFECTS[effect]
            else:
                self.wrong(self.kind, value, f"an effect is one of {', '.join(_EFFECTS)}")
        return {name: self._whole(node) for name, node in parts.items()}, effects

    def _whole(self, node: Any) -> int:
        text = self.text(node)
        if _WHOLE.fullmatch(text):
            return int(text.replace("_", ""))
        self.wrong(self.kind, node, f"here stands a whole number, not {text!r}")
        return 0
