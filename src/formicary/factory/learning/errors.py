"""Why the learner refuses.

::

    Refusal
    └── LearningRefused
        ├── ChampionDiffers    the champion reads other columns than this release's model
        ├── PlanMalformed      a plan contradicts itself
        └── StreamMalformed    rows to replay that are none
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = ["ChampionDiffers", "LearningRefused", "PlanMalformed", "StreamMalformed"]


class LearningRefused(Refusal):
    """The learner does not take this."""

    code = "learning_refused"


class ChampionDiffers(LearningRefused):
    """The champion reads other columns than this release's model: nothing can be compared with it."""

    code = "champion_differs"


class PlanMalformed(LearningRefused):
    """A plan of learning contradicts itself."""

    code = "plan_malformed"


class StreamMalformed(LearningRefused):
    """The rows of a stream do not belong together, or are not in the order of time."""

    code = "stream_malformed"
