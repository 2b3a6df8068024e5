"""The manifest of appeals: they are opened, and decided once; the verdict is told as a fact."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy.typing as npt

from formicary.factory.appeals.messages import (
    APPEAL,
    AppealDecided,
    AppealExists,
    AppealNotOpen,
    AppealOpened,
    AppealStatus,
    DecideAppeal,
    OpenAppeal,
    Verdict,
)
from formicary.factory.engine.products import (
    Command,
    Consequence,
    Context,
    Decision,
    DomainEvent,
    Product,
    TimerFired,
)
from formicary.factory.engine.requests import require_well_formed

__all__ = ["APPEAL_VERDICT", "NAME", "SOURCE", "appeals_product"]

Rows = npt.NDArray[Any]
NewFact = Callable[..., DomainEvent]

NAME: Final = "appeal"
APPEAL_VERDICT: Final = "appeal_verdict"
"""The kind of the facts: ``transfer`` names what was decided about, ``overturned`` is 1 or 0."""
SOURCE: Final = int.from_bytes(hashlib.blake2b(b"appeals", digest_size=16).digest())
"""The source that tells verdicts."""


def appeals_product(facts: Product, new_fact: NewFact) -> Product:
    """Return the manifest.

    Parameters
    ----------
    facts
        The product that takes facts down.
    new_fact
        Its event, of ``kind``, ``at``, ``ids``, ``numbers`` and ``real_bits``.
    """
    return Product(
        name=NAME,
        aggregate=APPEAL,
        commands=(OpenAppeal, DecideAppeal),
        events=(AppealOpened, AppealDecided),
        decide=partial(_decide, facts.name, new_fact),
        evolve=_evolve,
        neighbours=(facts,),
    )


def _decide(
    facts: str, new_fact: NewFact, asked: Command | TimerFired, appeal: Rows | None, context: Context
) -> Decision:
    require_well_formed(asked)
    if isinstance(asked, OpenAppeal):
        if appeal is not None:
            raise AppealExists
        opened = AppealOpened(decision=asked.decision, party=asked.party, at=context.now)
        return Decision(events=[opened])
    assert isinstance(asked, DecideAppeal)  # noqa: S101, the other one
    if appeal is None or appeal["status"] != AppealStatus.OPEN:
        raise AppealNotOpen
    fact = new_fact(
        kind=APPEAL_VERDICT,
        at=[context.now],
        ids={"transfer": [f"{asked.subject:032x}"]},
        numbers={"overturned": [int(asked.verdict is Verdict.OVERTURNED)]},
        real_bits={},
    )
    return Decision(
        events=[AppealDecided(verdict=asked.verdict, by=asked.by)],
        consequences=[Consequence(product=facts, subject=SOURCE, event=fact)],
    )


def _evolve(kind: str, appeals: Rows, events: Sequence[Any]) -> None:
    if kind == "AppealOpened":
        appeals["status"] = AppealStatus.OPEN
        appeals["decision"] = [event.decision for event in events]
        appeals["opened"] = [event.at for event in events]
        _put_ids(appeals, "party", [event.party for event in events])
    else:
        appeals["status"] = [AppealStatus[event.verdict.name] for event in events]
        _put_ids(appeals, "by", [event.by for event in events])


def _put_ids(appeals: Rows, name: str, ids: Sequence[str]) -> None:
    appeals[f"{name}_high"] = [int(text[:16], 16) for text in ids]
    appeals[f"{name}_low"] = [int(text[16:], 16) for text in ids]
