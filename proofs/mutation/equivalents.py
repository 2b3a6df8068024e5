"""Mutants that no test can notice, because they mean the same: listed by hand, with the reason for each."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from proofs.mutation.mutants import Mutant

__all__ = ["LIST", "StaleEquivalents", "without_equivalents"]

LIST: Final = Path(__file__).with_name("equivalents.toml")


class StaleEquivalents(RuntimeError):
    """The list names mutants that are not made any more; take them out."""


def without_equivalents(mutants: Iterable[Mutant], listed: str) -> list[Mutant]:
    """Return the mutants that are not in a list, which is the text of a TOML file.

    An entry has the ``module``, the ``function``, the ``reason``, and the changes of a line, each as
    ``[before, after]``: a change stands for every line of the function that reads so.

    Raises
    ------
    StaleEquivalents
        Something listed is not among the mutants, is listed twice, or without a reason.
    """
    entries = tomllib.loads(listed).get("equivalent", [])
    keys = [(entry["module"], entry["function"], *change) for entry in entries for change in entry["changes"]]
    mutants = list(mutants)
    stale = Counter(keys) - Counter({mutant.key for mutant in mutants})
    if stale or not all(entry["reason"] for entry in entries):
        message = f"not made any more, listed twice, or without a reason: {sorted(stale)}"
        raise StaleEquivalents(message)
    return [mutant for mutant in mutants if mutant.key not in keys]
