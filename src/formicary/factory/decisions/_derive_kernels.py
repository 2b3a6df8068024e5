"""Features that follow from others, computed again where those are changed."""

from __future__ import annotations

from formicary.base.kernels import fixed, kernel
from formicary.factory.features._expressions import compute
from formicary.factory.features._layout import Events, Reals, Words

__all__ = ["derive_features"]


@kernel
def derive_features(
    programs: Words, code: Words, constants: Reals, events: Events, features: Reals, stack: Reals
) -> None:
    """Compute what follows from events (n) and from other features, in place, (n, features).

    ``programs``, ``code`` and ``constants`` are those of a ``View``; ``stack`` is scratch.
    """
    for item in range(len(events.at)):
        for program in range(len(programs)):
            feature = fixed(programs, program, 0)
            first = fixed(programs, program, 1)
            end = fixed(programs, program, 2)
            features[item, feature] = compute(
                code, constants, first, end, events, item, features[item], stack
            )
