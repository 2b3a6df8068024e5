"""Whose accounts are: learnt as accounts are opened, looked up for both sides of a transfer."""

from __future__ import annotations

from formicary.base.kernels import kernel
from formicary.factory.features._layout import (
    HEADER_HOLDER,
    HOLDER_TABLE,
    HOLDER_WORDS,
    USED,
    Plan,
    State,
    Words,
)
from formicary.factory.features._rows import find_row, row_for

__all__ = ["holders_of", "note_holders"]


@kernel
def note_holders(state: State, plan: Plan, accounts: Words, parties: Words) -> None:
    """Remember the parties (n, 2) that hold accounts (n, 2); the caller made room for them."""
    used = state.numbers[USED]
    for item in range(len(accounts)):
        row = row_for(state, plan, HOLDER_TABLE, accounts[item, 0], accounts[item, 1])
        state.words[row + HEADER_HOLDER] = parties[item, 0]
        state.words[row + HEADER_HOLDER + 1] = parties[item, 1]
    state.numbers[HOLDER_WORDS] += state.numbers[USED] - used


@kernel
def holders_of(state: State, accounts: Words, parties: Words) -> None:
    """Write the parties (n, 2) that hold accounts (n, 2), zeros for none."""
    for item in range(len(accounts)):
        row = find_row(state, HOLDER_TABLE, accounts[item, 0], accounts[item, 1])
        parties[item, 0] = state.words[row + HEADER_HOLDER] if row >= 0 else 0
        parties[item, 1] = state.words[row + HEADER_HOLDER + 1] if row >= 0 else 0
