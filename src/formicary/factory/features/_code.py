"""From expressions to operations of the stack machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from formicary.factory.features._expressions import STACK_MAX
from formicary.factory.features._layout import Reals, Words
from formicary.factory.features.errors import FeatureMalformed
from formicary.factory.features.expressions import Call, Constant, Expression, FeatureValue, Op
from formicary.factory.features.kinds import FieldType, FieldValue

__all__ = ["Code"]


@dataclass
class Code:
    """Operations and constants, added one expression after the other."""

    steps: list[tuple[int, int]] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)

    def add(self, expression: Expression, features: Mapping[str, int]) -> tuple[int, int]:
        """Add an expression, with the columns of features it may refer to; return where it begins and ends.

        Raises
        ------
        FeatureMalformed
            It needs more room than there is.
        """
        first = len(self.steps)
        depth = deepest = 0
        for part in expression.walk():
            step = self._step(part, features)
            self.steps.append(step)
            depth += 1 - len(part.parts)
            deepest = max(deepest, depth)
        if deepest > STACK_MAX:
            message = f"the expression holds {deepest} numbers at once, more than {STACK_MAX}"
            raise FeatureMalformed(message)
        return first, len(self.steps)

    def arrays(self) -> tuple[Words, Reals]:
        """Return operations (n, 2) and constants."""
        return np.array(self.steps, np.int64).reshape(-1, 2), np.array(self.numbers, np.float64)

    def _step(self, part: Expression, features: Mapping[str, int]) -> tuple[int, int]:
        if isinstance(part, Constant):
            self.numbers.append(part.value)
            return Op.CONSTANT, len(self.numbers) - 1
        if isinstance(part, FieldValue):
            op = Op.FIELD_REAL if part.type == FieldType.REAL else Op.FIELD
            return op, part.kind.numbers.index(part.field)
        if isinstance(part, FeatureValue):
            return Op.FEATURE, features[part.name]
        if isinstance(part, Call):
            return part.op, part.argument
        message = f"{part!r} is no expression"
        raise FeatureMalformed(message)
