"""What the routes of one worker share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from formicary.factory.engine.products import Command
from formicary.surfaces.api.auth import Principal
from formicary.surfaces.api.decisions import Decisions
from formicary.surfaces.api.experiments import Experiments
from formicary.surfaces.api.lending import Movements
from formicary.surfaces.api.metrics import Metrics
from formicary.surfaces.api.party_kinds import PartyKinds
from formicary.surfaces.api.payment_outcomes import PaymentOutcomes
from formicary.surfaces.api.ports import Backend
from formicary.surfaces.api.problems import NotFound, RefusedAs
from formicary.surfaces.experiments.kept import KeptResults
from formicary.surfaces.lending.kept import KeptPortfolio
from formicary.surfaces.webhooks.store import WebhookStore

__all__ = ["PersonalData", "SandboxClock", "Services"]


class SandboxClock(Protocol):
    """A clock that can be put forward, in a sandbox only."""

    def advance(self, nanoseconds: int) -> int:
        """Put the clock forward and return its time."""
        ...


class PersonalData(Protocol):
    """Who parties are by name; each method waits for a database, so threads call it."""

    def store(self, party: int, fields: Mapping[str, str]) -> None:
        """Store a party's personal data in place of what was there."""
        ...

    def read(self, party: int) -> dict[str, str] | None:
        """Return a party's personal data, or None where there are none."""
        ...

    def erase(self, party: int) -> None:
        """Destroy a party's personal data, for good."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the routes of one worker share.

    Attributes
    ----------
    backend
        The factory.
    vault
        Who parties are by name.
    kinds
        What kind of party somebody is.
    metrics
        What ``/metrics`` tells.
    now
        The time in nanoseconds.
    random
        As many random bytes as asked for, for secrets.
    token_secret
        Under which end users' tokens are signed.
    webhooks
        Which webhooks there are.
    decisions
        What decisions said.
    experiments, results
        What is tried out, and what came of it.
    movements, portfolio
        How allowances moved on business dates, and what became of what was lent.
    clock
        The sandbox's; None where time cannot be moved.
    code_of
        The documented code behind a receipt's.
    """

    backend: Backend
    vault: PersonalData
    kinds: PartyKinds
    metrics: Metrics
    now: Callable[[], int]
    random: Callable[[int], bytes]
    token_secret: bytes
    code_of: Callable[[str], str]
    webhooks: WebhookStore
    decisions: Decisions
    experiments: Experiments
    results: KeptResults
    movements: Movements
    portfolio: KeptPortfolio
    clock: SandboxClock | None = None

    @property
    def payment_outcomes(self) -> PaymentOutcomes:
        """How payments went that were not made at once."""
        return PaymentOutcomes(self.backend, self.decisions)

    async def command(
        self, product: str, command: Command, *, principal: Principal, key: str
    ) -> dict[str, Any]:
        """Have a command carried out and return its answer.

        Raises
        ------
        RefusedAs
            It was refused, now or when the same key came first.
        """
        receipt = await self.backend.command(product, command, principal=principal.name, key=key)
        if receipt.code:
            raise RefusedAs(self.code_of(receipt.code))
        return receipt.answer

    async def aggregate(self, product: str, subject: int) -> dict[str, Any]:
        """Return the fields of an aggregate.

        Raises
        ------
        NotFound
            There is none.
        """
        found = (await self.backend.aggregates(product, [subject]))[0]
        if found is None:
            raise NotFound
        return found
