"""Ids of parties: read, and told apart as numpy tells rows apart."""

from __future__ import annotations

import numpy as np

from formicary.factory.experiments.parties import numbers_of, words_of
from tests.factory.experiments.kit import ids


def test_ids_are_read_as_two_words() -> None:
    """In the order in which they are told; nobody is nobody."""
    parties = ids(20)
    assert words_of([f"{high:016x}{low:016x}" for high, low in parties.tolist()]).tolist() == parties.tolist()
    assert words_of([]).shape == (0, 2)


def test_parties_are_told_apart() -> None:
    """By either word; many may be the same."""
    parties = np.random.default_rng(0).integers(0, 6, (200, 2)).astype(np.uint64)
    _, expected = np.unique(parties, axis=0, return_inverse=True)
    assert numbers_of(parties).tolist() == expected.reshape(-1).tolist()
    assert numbers_of(parties[:0]).tolist() == []
