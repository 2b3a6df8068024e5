"""Folding blocks of the journal into a state that is compared with the engine's at every commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt

from formicary.factory.engine.state import FactoryState
from formicary.factory.follower._fold_commits import fold_commits
from formicary.factory.journal.blocks import Block
from formicary.factory.journal.errors import JournalCorrupted
from formicary.factory.journal.rows import TRANSFER_ROW

__all__ = ["CheckedFold"]

Rows = npt.NDArray[Any]

_WORDS: Final = TRANSFER_ROW.itemsize // 8
_WORD: Final = 2**64 - 1


@dataclass(frozen=True, slots=True)
class _Cut:
    """A block cut at the ends of commits.

    ``ends`` (p,) are the last positions of the pieces; the first ``len(hashes)`` of them end a commit.
    """

    block: Block
    ends: Rows
    hashes: Rows
    is_waited_for: bool
    """Whether the first row is what a decision in the block before is about."""

    def after(self, piece: int) -> int:
        """Return the position before a piece."""
        return int(self.ends[piece - 1]) if piece else self.block.after

    def pieces_with_rare_rows(self) -> list[int]:
        """Return the pieces that hold accounts, events or decisions."""
        block = self.block
        events = np.array([event.position for event in block.events], np.int64)
        waited_for = [block.after + 1] if self.is_waited_for else []
        rare = np.concatenate([block.accounts["position"], block.decisions["position"], events, waited_for])
        pieces: list[int] = np.unique(np.searchsorted(self.ends, rare)).tolist()
        return pieces


class CheckedFold:
    """Folds, and checks what it folds: every row by its effect, every commit by its hash.

    Parameters
    ----------
    state
        The state folded into; after an error it must not be used any more.
    """

    def __init__(self, state: FactoryState) -> None:
        self.state = state

    def fold(self, block: Block, commits: Rows) -> None:
        """Fold a block; ``commits`` (c,) of ``COMMIT_ROW`` are those that end in it.

        Raises
        ------
        JournalCorrupted
            A row is not what it does, or a commit did not leave the state that the engine said it left.
        """
        ends = commits["last"]
        if not len(ends) or ends[-1] < block.until:
            ends = np.append(ends, block.until)
        cut = _Cut(block, ends, commits["state_hash"], self.state.decisions.is_waiting)
        piece = 0
        # Transfers alone are most of a journal: all pieces between two others are one call.
        for mixed in cut.pieces_with_rare_rows():
            self._fold_transfers(cut, piece, mixed)
            self._fold_mixed(cut, mixed)
            piece = mixed + 1
        self._fold_transfers(cut, piece, len(ends))
        self.state.fold_features(block.accounts, block.transfers, block.events, until=block.until)

    def _fold_transfers(self, cut: _Cut, first: int, last: int) -> None:
        """Fold the pieces from ``first`` to before ``last``, which hold nothing but transfers."""
        if first == last:
            return
        rows = _between(cut.block.transfers, cut.after(first), cut.after(last))
        rows = np.ascontiguousarray(rows)
        hashes = cut.hashes[first:last]
        machine = self.state.machine
        machine.reserve(transfers=len(rows))
        others_hash = (self.state.state_hash - machine.state_hash) & _WORD
        sound_rows, sound_commits = fold_commits(
            machine.state,
            rows,
            rows.view(np.uint64).reshape(len(rows), _WORDS),
            np.ascontiguousarray(cut.ends[first : first + len(hashes)]),
            np.ascontiguousarray(hashes),
            np.uint64(others_hash),
        )
        if sound_rows < len(rows):
            message = f"the row at position {rows[sound_rows]['position']} is not what folding it gives"
            raise JournalCorrupted(message)
        if sound_commits < len(hashes):
            self._differs(cut, first + sound_commits)

    def _fold_mixed(self, cut: _Cut, piece: int) -> None:
        after, until = cut.after(piece), int(cut.ends[piece])
        try:
            self.state.fold(
                _between(cut.block.accounts, after, until),
                _between(cut.block.transfers, after, until),
                [event for event in cut.block.events if after < event.position <= until],
                until=until,
                decisions=_between(cut.block.decisions, after, until),
            )
        except (LookupError, ValueError, msgspec.MsgspecError) as error:
            # An event's body is interpreted before its hash can be compared.
            message = f"the events after position {after} up to {until} cannot be applied: {error!r}"
            raise JournalCorrupted(message) from error
        if piece < len(cut.hashes) and self.state.state_hash != int(cut.hashes[piece]):
            self._differs(cut, piece)

    def _differs(self, cut: _Cut, piece: int) -> None:
        message = (
            f"the commit that ends at position {cut.ends[piece]} left the state "
            f"{int(cut.hashes[piece]):016x}, but its rows fold to {self.state.state_hash:016x}"
        )
        raise JournalCorrupted(message)


def _between(rows: Rows, after: int, until: int) -> Rows:
    """Return the rows, which are in order, after one position and up to another."""
    first, last = np.searchsorted(rows["position"], [after, until], side="right")
    return rows[first:last]
