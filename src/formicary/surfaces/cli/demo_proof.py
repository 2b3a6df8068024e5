"""The demo's end: everything is folded again from the journal, and the books are summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from formicary.factory.follower import Verification
from formicary.surfaces.cli.output import note, progress, write_table
from formicary.surfaces.cli.ports import DemoFactory
from formicary.surfaces.cli.values import amount_text, ledger_name
from formicary.surfaces.cli.verify import verification_document

__all__ = ["DemoProof", "proof_document", "prove", "write_proof"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoProof:
    """The state's hash as the engine had it, what folding the journal again found, and the books' sums.

    ``differences`` are by how much debits and credits differ, by ledger and in minor units.
    """

    live_hash: int
    refolded: Verification
    differences: dict[int, int]

    @property
    def holds(self) -> bool:
        """Whether both hashes are equal, nothing was found, and every ledger is balanced."""
        same = self.live_hash == self.refolded.state_hash
        return same and self.refolded.sound and not any(self.differences.values())


def prove(factory: DemoFactory) -> DemoProof:
    """Fold the journal from its first row and compare with what the engine holds."""
    with progress("folding the journal again", factory.position) as step:
        refolded = factory.verify(step.reach)
    return DemoProof(
        live_hash=factory.state_hash,
        refolded=refolded,
        differences={
            # The sizes: a mistake in the pending totals must not hide one in the posted ones.
            ledger: abs(totals[0] - totals[2]) + abs(totals[1] - totals[3])
            for ledger, totals in sorted(factory.trial_balance().items())
        },
    )


def proof_document(proof: DemoProof) -> dict[str, Any]:
    """Return the proof as a JSON document."""
    return {
        "live_hash": f"{proof.live_hash:016x}",
        "refolded": verification_document(proof.refolded),
        "trial_balance": {ledger_name(ledger): sum_ for ledger, sum_ in proof.differences.items()},
        "holds": proof.holds,
    }


def write_proof(proof: DemoProof) -> None:
    """Write the proof as a table, and what was found wrong as notes."""
    refolded = proof.refolded
    equal = "equal" if proof.live_hash == refolded.state_hash else "DIFFERENT"
    rows = [
        *(
            (f"trial balance, {ledger_name(ledger)}", amount_text(difference, ledger))
            for ledger, difference in proof.differences.items()
        ),
        ("journal positions", f"{refolded.position:,}"),
        ("state hash in the engine", f"{proof.live_hash:016x}"),
        (f"state hash folded again: {equal}", f"{refolded.state_hash:016x}"),
        ("commits whose hash was compared", f"{refolded.commits:,}"),
        ("accounts whose entries the database summed up", f"{refolded.accounts:,}"),
        ("positions folded a second", f"{refolded.rows_per_second:,.0f}"),
    ]
    write_table(("proof", ">"), rows)
    for finding in refolded.findings:
        note(f"found ({finding.what}, position {finding.position:,}): {finding.message}")
