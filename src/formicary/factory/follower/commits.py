"""The side table of commits as one unbroken chain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from formicary.base.arrays import joined
from formicary.base.limits import FOLLOWER_POSITIONS_MAX
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.columns import COMMIT_ROW
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.journal.reader import JournalReader

__all__ = ["Rows", "committed_hash", "ended_in", "read_commits"]

Rows = npt.NDArray[Any]


def read_commits(
    reader: JournalReader, *, after: int, positions_max: int = FOLLOWER_POSITIONS_MAX
) -> Iterator[Rows]:
    """Yield the commits after position ``after``, in order, as arrays of ``COMMIT_ROW`` (c,).

    Each array covers about ``positions_max`` positions, so that what is read at a time is bounded.

    Raises
    ------
    JournalCorrupted
        The commits do not follow each other without a gap.
    """
    head, parts = reader.head(), list[Rows]()
    for commits in reader.commits(after=after):
        firsts = np.append(after, commits["last"][:-1]) + 1
        wrong = np.flatnonzero((commits["first"] != firsts) | (commits["last"] < commits["first"]))
        if len(wrong):
            message = f"no commit begins at position {firsts[wrong[0]]}, where the one before ended"
            raise JournalCorrupted(message)
        after = int(commits["last"][-1])
        parts.append(commits)
        if after - parts[0]["first"][0] >= positions_max:
            yield joined(parts, COMMIT_ROW)
            parts = []
    if parts:
        yield joined(parts, COMMIT_ROW)
    if after < head:
        message = f"the commit that begins at position {after + 1} is missing; the journal ends at {head}"
        raise JournalCorrupted(message)


def ended_in(commits: Rows, block: Block) -> Rows:
    """Return those of ``commits`` (c,), which are in order, that end in a block."""
    first, last = np.searchsorted(commits["last"], [block.after, block.until], side="right")
    return commits[first:last]


def committed_hash(reader: JournalReader, *, first: int, last: int) -> int | None:
    """Return the hash of the state that a commit of these positions left; None if there is no such commit."""
    for commits in reader.commits(after=first - 1):
        commit = commits[0]
        is_it = commit["first"] == first and commit["last"] == last
        return int(commit["state_hash"]) if is_it else None
    return None
