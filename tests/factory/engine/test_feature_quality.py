"""What deciders were told is counted beside the state, and told on request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from formicary.base.purposes import Purpose
from formicary.factory.engine.feature_reads import read_quality, tell_features
from formicary.factory.engine.operations import encode_answer
from formicary.factory.engine.state import FactoryState
from formicary.factory.features.columns import events_of, key_words
from formicary.factory.features.quality.verdicts import FeatureSummary
from formicary.factory.features.store import FeatureStore
from tests.factory.features.quality.kit import NAMES, PAYMENT, compiled

AT = 1_700_000_000 * 10**9


@pytest.fixture
def state(tmp_path: Path) -> FactoryState:
    """Return a state that knows of one payment from party 1 to party 2, ten seconds ago."""
    found = FactoryState(tmp_path)
    found.features = FeatureStore(compiled(), bytes_max=1 << 26)
    columns: dict[str, Any] = {"payer": key_words([0]), "payee": key_words([1]), "amount": [500]}
    found.features.follow(events_of(compiled(), PAYMENT, at=[AT - 10 * 10**9], columns=columns))
    return found


def test_readings_are_counted(state: FactoryState) -> None:
    """Values, ages and what was missing, for whoever asks; the state's hashes stay as they are."""
    assert read_quality(state) == {}
    store = state.features
    assert store is not None
    before = (state.state_hash, store.state_hash)
    for payer in (1, 1, 9):
        asking = {"payer": payer, "payee": 2, "amount": 700}
        tell_features(state, "asked", purpose=Purpose.FRAUD, at=AT, asking=asking)
    found = {one.name: one for one in read_quality(state)["asked"]}
    assert tuple(found) == NAMES
    assert {one.rows for one in found.values()} == {3}
    assert (found["sum"].p1, found["sum"].zero_ratio) == (0.0, 1 / 3)
    assert found["sum"].seconds_p50 == found["count"].seconds_p99 == 10.0
    assert found["size"].mean == 700.0
    assert (state.state_hash, store.state_hash) == before


def test_lack_of_consent_is_counted(state: FactoryState) -> None:
    """Read for a purpose that nobody agreed to, what is told of parties is withheld."""
    asking = {"payer": 1, "payee": 2, "amount": 700}
    tell_features(state, "asked", purpose=Purpose.MARKETING, at=AT, asking=asking)
    shares = [one.withheld_ratio for one in read_quality(state)["asked"]]
    assert shares == [1.0, 1.0, 1.0, 0.0]


def test_the_answer_survives_the_socket(state: FactoryState) -> None:
    """What the engine sends is what a worker reads."""
    asking = {"payer": 1, "payee": 2, "amount": 700}
    tell_features(state, "asked", purpose=Purpose.FRAUD, at=AT, asking=asking)
    sent = encode_answer(read_quality(state))
    assert msgspec.json.decode(sent, type=dict[str, tuple[FeatureSummary, ...]]) == read_quality(state)
