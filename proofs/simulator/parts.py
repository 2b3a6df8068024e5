"""What a simulated world is made of; a planted bug replaces one part."""

from __future__ import annotations

from dataclasses import dataclass

from formicary.factory.engine.state import FactoryState
from proofs.simulator.journal import SimulatedJournal
from proofs.simulator.node import Node
from proofs.simulator.snapshots import Snapshots
from proofs.simulator.store import Store

__all__ = ["Parts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The classes that a world is built from: by default the real engine on an honest journal.

    Without ``has_model`` nothing is compared with the independent model: what is left are the
    invariants of the journal and of the callers' answers.
    """

    journal: type[SimulatedJournal] = SimulatedJournal
    node: type[Node] = Node
    snapshots: type[Snapshots] = Snapshots
    state: type[FactoryState] = FactoryState
    store: type[Store] = Store
    has_model: bool = True
