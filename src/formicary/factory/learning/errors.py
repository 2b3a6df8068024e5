"""Why the learner refuses.

::

    Refusal
    └── LearningRefused
        ├── PlanMalformed      a plan contradicts itself
        └── StreamMalformed    rows to replay that are none
"""

from __future__ import annotations

from formicary.base.errors import Refusal

__all__ = ["LearningRefused", "PlanMalformed", "StreamMalformed"]


class LearningRefused(Refusal):
    """The learner does not take this."""

    code = "learning_refused"


class PlanMalformed(LearningRefused):
    """A plan of learning contradicts itself."""

    code = "plan_malformed"


class StreamMalformed(LearningRefused):
    """The rows of a stream do not belong together, or are not in the order of time."""

    code = "stream_malformed"
