"""Ids that follow from names."""

from __future__ import annotations

import numpy as np

from formicary.economy.names import named_id, numbered_ids


def test_ids_are_repeated() -> None:
    """The same name has the same id in every run, since a replay is recognised by it."""
    assert named_id("shop", 536365) == named_id("shop", "536365") == 0xE1A183AF6E9DED7807F6FF27B9213EFF


def test_names_do_not_run_together() -> None:
    """A path's parts are kept apart."""
    assert named_id("a", "bc") != named_id("ab", "c")


def test_numbered_ids_are_distinct() -> None:
    """No two numbers of one name share a word, and two names share no id."""
    numbers = np.arange(100_000)
    high, low = numbered_ids("cards", "payment", numbers=numbers)
    other_high, _ = numbered_ids("cards", "deposit", numbers=numbers)
    assert len(np.unique(high)) == len(np.unique(low)) == len(numbers)
    assert not np.isin(high, other_high).any()


def test_numbered_ids_do_not_depend_on_their_neighbours() -> None:
    """A number's id is the same wherever a request is cut."""
    whole = numbered_ids("cards", "payment", numbers=np.arange(10))
    part = numbered_ids("cards", "payment", numbers=np.arange(5, 10))
    assert [words[5:].tolist() for words in whole] == [words.tolist() for words in part]
