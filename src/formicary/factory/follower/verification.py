"""Refolding the whole journal, and comparing everything that claims to be its sum with it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from formicary.base.limits import GENERATION_ROWS
from formicary.factory.engine.products import Product
from formicary.factory.engine.state import FactoryState
from formicary.factory.follower.checked_fold import CheckedFold
from formicary.factory.follower.commits import Rows, ended_in, read_commits
from formicary.factory.follower.follower import require_balanced
from formicary.factory.follower.snapshot_check import differing_parts
from formicary.factory.follower.state_snapshots import StateSnapshots
from formicary.factory.follower.sums import account_sums, first_difference
from formicary.factory.journal.access import Access
from formicary.factory.journal.errors import JournalCorrupted, SnapshotCorrupted
from formicary.factory.journal.reader import JournalReader
from formicary.factory.journal.semantics import require_known
from formicary.factory.journal.upcasters import Upcasters
from formicary.factory.ledger import SEMANTICS

__all__ = ["Finding", "Verification", "verify"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not what it must be.

    ``what`` is one of ``journal``, ``snapshot``, ``balances``, ``engine``, ``claim``; ``position`` is where
    the fold stood.
    """

    what: str
    position: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a verification saw.

    Attributes
    ----------
    rows, commits, accounts, snapshots
        How many were checked; rows of all kinds.
    position, state_hash
        Up to where the journal was folded, and what it folds to.
    fold_seconds, seconds
        Time for folding, and for everything.
    findings
        What is wrong, in the order it was found; nothing where all is well.
    """

    rows: int
    commits: int
    accounts: int
    snapshots: int
    position: int
    state_hash: int
    fold_seconds: float
    seconds: float
    findings: tuple[Finding, ...]

    @property
    def rows_per_second(self) -> float:
        """Rows folded and checked a second."""
        return self.rows / max(self.fold_seconds, 1e-9)

    @property
    def sound(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def verify(
    access: Access,
    *,
    snapshots: StateSnapshots,
    products: Sequence[Product] = (),
    upcasters: Upcasters | None = None,
    engine: tuple[int, int] | None = None,
    progress: Progress = lambda _position, _head: None,
    generation_rows: int = GENERATION_ROWS,
) -> Verification:
    """Fold the journal from its first row, and compare it with all that was ever said about it.

    Every row must be what it does; every commit must have left the state that the engine noted; every
    snapshot must hold what the journal folds to at its position; the database's own sums of the entries must
    give the folded balances; debits must equal credits.

    Parameters
    ----------
    access
        The database; it is entered as a reader, also while an engine writes.
    snapshots, products, upcasters
        The snapshots to check, the products whose events the journal may hold, and the event kinds known.
    engine
        A position and the hash of a running engine's state there, if there is one.
    progress
        Called now and then with the position reached and the last one.

    Raises
    ------
    JournalTooNew
        The journal was written by a newer release.
    SegmentMissing
        A part of it was archived and dropped.
    JournalUnavailable
        The database failed.
    """
    reader = JournalReader(access, upcasters=upcasters)
    try:
        require_known(reader.eras(), semantics=SEMANTICS)
        with tempfile.TemporaryDirectory(prefix="formicary-verify-") as folder:
            state = FactoryState(Path(folder), products, generation_rows=generation_rows)
            return _Check(access, reader, snapshots, state).run(engine, progress)
    finally:
        reader.close()


class _Check:
    """One verification under way."""

    def __init__(
        self, access: Access, reader: JournalReader, snapshots: StateSnapshots, state: FactoryState
    ) -> None:
        self._access = access
        self._reader = reader
        self._snapshots = snapshots
        self._state = state
        self._claims: dict[int, list[Callable[[], None]]] = {}
        self._commits = 0
        self._compared = 0
        self._compare_seconds = 0.0
        self._findings: list[Finding] = []

    def run(self, engine: tuple[int, int] | None, progress: Progress) -> Verification:
        began = time.monotonic()
        for position in self._snapshots.positions():
            self._claims.setdefault(position, []).append(self._compare_snapshot)
        if engine is not None:
            self._claims.setdefault(engine[0], []).append(lambda: self._compare_engine(engine[1]))
        folded = self._fold(progress)
        fold_seconds = time.monotonic() - began - self._compare_seconds
        if folded:
            self._compare_sums()
        return Verification(
            rows=self._state.position,
            commits=self._commits,
            accounts=len(self._state.machine.accounts),
            snapshots=self._compared,
            position=self._state.position,
            state_hash=self._state.state_hash,
            fold_seconds=fold_seconds,
            seconds=time.monotonic() - began,
            findings=tuple(self._findings),
        )

    def _fold(self, progress: Progress) -> bool:
        """Fold as far as the journal is sound, look at the claims on the way; tell whether it all is."""
        try:
            self._fold_to_head(progress)
            if self._claims:
                # An engine is ahead of the journal by what it is committing; by now it is committed.
                self._fold_to_head(progress)
            require_balanced(self._state)
        except JournalCorrupted as error:
            self._note("journal", str(error))
            return False
        for position in sorted(self._claims):
            self._note("claim", f"no commit ends at position {position}, of which something is claimed")
        return True

    def _fold_to_head(self, progress: Progress) -> None:
        head = self._reader.head()
        for commits in read_commits(self._reader, after=self._state.position):
            self._fold_commits(commits, head, progress)

    def _fold_commits(self, commits: Rows, head: int, progress: Progress) -> None:
        """Fold commits, stopping where something is claimed of the state."""
        fold = CheckedFold(self._state)
        stops = np.flatnonzero(np.isin(commits["last"], list(self._claims)))
        for part in np.split(commits, stops + 1):
            until = int(part["last"][-1]) if len(part) else self._state.position
            for block in self._reader.read(after=self._state.position, until=until):
                ended = ended_in(part, block)
                fold.fold(block, ended)
                self._commits += len(ended)
                progress(self._state.position, head)
            paused = time.monotonic()
            for compare in self._claims.pop(self._state.position, ()):
                compare()
            self._compare_seconds += time.monotonic() - paused

    def _compare_snapshot(self) -> None:
        position = self._state.position
        try:
            snapshot = self._snapshots.read(position)
            self._snapshots.check_sealed(snapshot)
        except SnapshotCorrupted as error:
            # A follower that goes on beside us drops old ones.
            if position in self._snapshots.positions():
                self._note("snapshot", str(error))
            return
        self._compared += 1
        differing = differing_parts(self._state, snapshot, self._reader)
        if differing:
            self._note("snapshot", f"it differs from the folded journal in: {', '.join(differing)}")

    def _compare_engine(self, state_hash: int) -> None:
        if state_hash != self._state.state_hash:
            folded = f"{self._state.state_hash:016x}"
            self._note("engine", f"its state is {state_hash:016x}, the folded journal gives {folded}")

    def _compare_sums(self) -> None:
        sums = account_sums(self._access, until=self._state.position)
        difference = first_difference(self._state.machine.accounts, sums)
        if difference:
            self._note("balances", difference)

    def _note(self, what: str, message: str) -> None:
        self._findings.append(Finding(what=what, position=self._state.position, message=message))
