"""The demo's end: everything is folded again from the journal, and the books are summed up."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from formicary.surfaces.cli.output import progress, write_table
from formicary.surfaces.cli.ports import DemoFactory
from formicary.surfaces.cli.values import amount_text, ledger_name

__all__ = ["DemoProof", "proof_document", "prove", "write_proof"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProof:
    """The state's hash as the engine had it and as the journal gives it, and the sums by ledger.

    ``differences`` are debits less credits by ledger, in minor units; ``seconds`` is the refold's time.
    """

    positions: int
    live_hash: int
    refold_hash: int
    seconds: float
    differences: dict[int, int]

    @property
    def holds(self) -> bool:
        """Whether both hashes are equal and every ledger is balanced."""
        return self.live_hash == self.refold_hash and not any(self.differences.values())


def prove(factory: DemoFactory) -> DemoProof:
    """Fold the journal from its first row and compare with what the engine holds."""
    began = time.perf_counter()
    with progress("folding the journal again", factory.position) as step:
        refold_hash = factory.refold(progress=step.reach)
    return DemoProof(
        positions=factory.position,
        live_hash=factory.state_hash,
        refold_hash=refold_hash,
        seconds=time.perf_counter() - began,
        differences={
            ledger: pending + posted - to_come - received
            for ledger, (pending, posted, to_come, received) in sorted(factory.trial_balance().items())
        },
    )


def proof_document(proof: DemoProof) -> dict[str, Any]:
    """Return the proof as a JSON document."""
    return {
        "positions": proof.positions,
        "state_hash": f"{proof.live_hash:016x}",
        "refold_hash": f"{proof.refold_hash:016x}",
        "refold_seconds": round(proof.seconds, 3),
        "trial_balance": {ledger_name(ledger): sum_ for ledger, sum_ in proof.differences.items()},
        "holds": proof.holds,
    }


def write_proof(proof: DemoProof) -> None:
    """Write the proof as a table."""
    equal = "equal" if proof.live_hash == proof.refold_hash else "DIFFERENT"
    balances = [
        (f"trial balance, {ledger_name(ledger)}", amount_text(difference, ledger))
        for ledger, difference in proof.differences.items()
    ]
    rows = [
        *balances,
        ("journal positions", f"{proof.positions:,}"),
        ("state hash in the engine", f"{proof.live_hash:016x}"),
        (f"state hash folded again, {equal}", f"{proof.refold_hash:016x}"),
        ("positions folded a second", f"{proof.positions / proof.seconds:,.0f}"),
    ]
    write_table(("proof", ">"), rows)
