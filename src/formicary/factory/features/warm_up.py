"""Loading the kernels of features, so that no first event waits for them."""

from __future__ import annotations

from typing import Final

import numpy as np

from formicary.base.errors import ProgrammingError
from formicary.base.purposes import Purpose
from formicary.factory.features.aggregates import count
from formicary.factory.features.columns import events_of
from formicary.factory.features.compiler import compile_sets
from formicary.factory.features.definitions import Feature, FeatureSet
from formicary.factory.features.kinds import EventKind, identifier
from formicary.factory.features.store import FeatureStore

__all__ = ["load_kernels"]

_BYTES: Final = 1 << 20


def load_kernels() -> None:
    """Do with a small store what is done with a large one."""
    kind = EventKind("event", None, key=identifier())
    feature = Feature(
        name="events", value=count(kind, by="key", over="1d"), unit="events", meaning="How many there were."
    )
    one = FeatureSet(name="events", on=kind, features=[feature], owner="factory")
    compiled = compile_sets([one])
    store = FeatureStore(compiled, bytes_max=_BYTES)
    words = np.ones((1, 2), np.int64)
    events = events_of(compiled, kind, at=[1], columns={"key": words})
    store.follow(events)
    store.read(one.name, events, purpose=Purpose.FRAUD)
    store.replay(one.name, events, purpose=Purpose.FRAUD)
    store.latest(one.name, events)
    store.consents(words, Purpose.CREDIT)
    store.note_holders(words, words)
    store.holders_of(words)
    restored = FeatureStore(compiled, bytes_max=_BYTES)
    restored.restore(store.sections())
    if restored.state_hash != store.state_hash:
        message = "a store of features is not what its own snapshot says"
        raise ProgrammingError(message)
