"""Draws are the published hash, and the same however many are drawn."""

from __future__ import annotations

from formicary.base.draws import draws


def splitmix(seed: int) -> list[int]:
    """Return the first words of SplitMix64 as its authors wrote it down."""
    words, state, end = [], seed, 2**64
    for _ in range(5):
        state = (state + 0x9E3779B97F4A7C15) % end
        word = state
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % end
        word = (word ^ word >> 27) * 0x94D049BB133111EB % end
        words.append(word ^ word >> 31)
    return words


def test_draws_are_splitmix() -> None:
    """The sequence begins where the seed's own first word says; a negative seed is one, too."""
    for seed in (0, 1, -1, 2**70 + 5):
        start = splitmix(seed % 2**64)[0]
        assert draws(seed, 5).tolist() == splitmix(start)
        assert draws(seed, 2).tolist() == splitmix(start)[:2]
    assert len(draws(0, 0)) == 0
