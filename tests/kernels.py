"""``python -m tests.kernels``: compile all kernels, of engines and of the tests, that are not compiled yet.

What no engine waits for when it starts, the tests run all the same: each of their processes would compile it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.factory.decisions.live import LiveDecisions
from formicary.factory.decisions.replay import DecisionReplay
from formicary.factory.features.store import FeatureStore
from formicary.factory.models.forest import Scorer
from formicary.runtime.engine_process import warm_up
from tests.factory.decisions.desk import NOBODY, made_model, rules_of
from tests.factory.decisions.shop import POINTS, Shop, features_compiled
from tests.factory.features.training_kit import source_of

__all__ = ["main"]


def main() -> None:
    """Do a little of everything that has a kernel of its own."""
    warm_up()
    _replay()
    forest = made_model().forest
    Scorer(forest).explain(np.zeros((1, len(forest.feature_names))))


def _replay() -> None:
    """Decide about one payment, and take the decision again."""
    with tempfile.TemporaryDirectory(prefix="formicary-kernels-") as folder:
        shop = Shop(Path(folder))
        shop.arms(1, rules_of(1, NOBODY))
        shop.pays(1)
        replay = DecisionReplay(FeatureStore(features_compiled()), LiveDecisions(POINTS.values()), first=1)
        replay.fold(source_of(shop.journal).whole)
        replay.finish()
    if (replay.decisions, replay.different) != (1, 0):
        message = "a decision was not taken again as it was"
        raise ProgrammingError(message)


if __name__ == "__main__":
    main()
